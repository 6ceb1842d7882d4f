//! Hands what the server notes on to metrics, and to traces where they are on.

use crate::metrics::Metrics;
use crate::traces::Traces;
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::message::Channel;
use countersign_domain::observer::{
    DeliveryResult, FirstProof, HashLane, Observer, Quota, RefusalReason, SecondFactorResult, Served, SignInResult,
    StoreResult,
};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub struct Observers {
    pub metrics: Arc<Metrics>,
    pub traces: Option<Traces>,
}

impl Observer for Observers {
    fn elapsed(&self) -> Duration {
        self.metrics.elapsed()
    }

    fn request_served(&self, served: Served<'_>) {
        self.metrics.request_served(served);
    }

    fn request_refused(&self, dialect: &'static str, reason: RefusalReason) {
        self.metrics.request_refused(dialect, reason);
    }

    fn sign_in_ended(&self, proof: FirstProof, result: SignInResult, dialect: &'static str) {
        self.metrics.sign_in_ended(proof, result, dialect);
    }

    fn second_factor_ended(&self, factor: Option<Factor>, result: SecondFactorResult, dialect: &'static str) {
        self.metrics.second_factor_ended(factor, result, dialect);
    }

    fn quota_exceeded(&self, quota: Quota, dialect: &'static str) {
        self.metrics.quota_exceeded(quota, dialect);
    }

    fn event_committed(&self, kind: EventKind, dialect: &'static str) {
        self.metrics.event_committed(kind, dialect);
    }

    fn hash_waited(&self, lane: HashLane, waited: Duration) {
        self.metrics.hash_waited(lane, waited);
        if let Some(traces) = &self.traces {
            traces.hash_waited(lane, waited);
        }
    }

    fn hashed(&self, took: Duration) {
        if let Some(traces) = &self.traces {
            traces.hashed(took);
        }
    }

    fn hash_shed(&self, lane: HashLane) {
        self.metrics.hash_shed(lane);
    }

    fn delivery_ended(&self, channel: Channel, result: DeliveryResult, took: Duration) {
        self.metrics.delivery_ended(channel, result, took);
        if let Some(traces) = &self.traces {
            traces.delivery_ended(channel, result, took);
        }
    }

    fn webhook_event_ended(&self, receiver: &str, result: DeliveryResult, took: Duration) {
        self.metrics.webhook_event_ended(receiver, result, took);
    }

    fn store_called(&self, call: &'static str, took: Duration, result: StoreResult) {
        self.metrics.store_called(call, took, result);
        if let Some(traces) = &self.traces {
            traces.store_called(call, took, result);
        }
    }
}
