//! What operators see of a running server, in the format of Prometheus. `server/packaging/monitoring/README.md` lists every
//! metric.
//!
//! Counters and durations are noted as things happen ([`Observer`]); gauges are read when somebody asks ([`Sample`]). Labels
//! have few values: ids of operations come from the contracts, everything else from the types of
//! [`countersign_domain::observer`]. No label holds an account, an address or a text of a client.

mod classic;
mod keys;
mod process;

pub use classic::to_classic;
pub use keys::Keys;

use crate::clock::Stopwatch;
use countersign_api::DialectName;
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::message::Channel;
use countersign_domain::observer::{
    DeliveryResult, FirstProof, HashLane, Label, Observer, Quota, RefusalReason, SecondFactorResult, Served,
    SignInResult, StoreResult, factor_label,
};
use countersign_domain::time::Timestamp;
use keys::KeyGauges;
use process::Process;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

/// Upper bounds of the buckets of durations, in seconds: reading a session takes about a millisecond, a password hash 20,
/// and no request longer than its deadline of 30 seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The operation of requests to paths that have none.
const OTHER: &str = "other";

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

macro_rules! label_sets {
    ($($name:ident { $($field:ident: $type:ty),+ })*) => {
        $(
            #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
            struct $name { $($field: $type),+ }
        )*
    };
}

label_sets! {
    Request { operation: String, dialect: &'static str, code: u32 }
    Operation { operation: String, dialect: &'static str }
    Refusal { reason: &'static str, dialect: &'static str }
    SignIn { proof: &'static str, result: &'static str, dialect: &'static str }
    SecondFactor { r#type: &'static str, result: &'static str, dialect: &'static str }
    QuotaExceeded { quota: &'static str, dialect: &'static str }
    Event { event: &'static str, dialect: &'static str }
    Lane { lane: &'static str }
    Delivered { channel: &'static str, result: &'static str }
    WebhookSent { receiver: String, result: &'static str }
    Call { call: &'static str }
    Failure { result: &'static str }
    Build { version: &'static str }
}

/// Values read at each scrape.
#[derive(Clone, Debug)]
pub struct Sample {
    pub requests_in_flight: usize,
    pub connections_most: usize,
    pub connections_in_use: usize,
    pub connections_waiting: usize,
    pub hashing_threads_busy: usize,
    /// Places taken in the queues of passwords to be hashed.
    pub hashing_queued: [(HashLane, usize); 3],
    /// Messages that wait, and the age of the oldest; `None` if the database does not respond.
    pub messages: Option<(u64, Duration)>,
    /// `None` if the database does not respond.
    pub keys: Option<Keys>,
    /// The same of events for receivers of webhooks.
    pub webhook_events: Option<(u64, Duration)>,
}

/// All metrics of a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    since: Stopwatch,
    requests: Family<Request, Counter>,
    request_durations: Durations<Operation>,
    refusals: Family<Refusal, Counter>,
    sign_ins: Family<SignIn, Counter>,
    second_factors: Family<SecondFactor, Counter>,
    quotas_exceeded: Family<QuotaExceeded, Counter>,
    events: Family<Event, Counter>,
    hash_waits: Durations<Lane>,
    hash_shed: Family<Lane, Counter>,
    deliveries: Family<Delivered, Counter>,
    webhook_events: Family<WebhookSent, Counter>,
    store_durations: Durations<Call>,
    store_failures: Family<Failure, Counter>,
    gauges: Gauges,
    process: Process,
}

#[derive(Debug, Default)]
struct Gauges {
    in_flight: Gauge,
    connections_most: Gauge,
    connections_in_use: Gauge,
    connections_waiting: Gauge,
    database_up: Gauge,
    hashing_busy: Gauge,
    hashing_queued: Family<Lane, Gauge>,
    messages_waiting: Gauge,
    messages_oldest: Gauge,
    keys: KeyGauges,
    webhook_events_waiting: Gauge,
    webhook_events_oldest: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

fn durations<L: Clone + Eq + Hash>() -> Durations<L> {
    Family::new_with_constructor(histogram)
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Metrics {
    /// Metrics of a server that starts at this time.
    #[must_use]
    pub fn new(started_at: Timestamp) -> Self {
        let mut registry = Registry::default();
        let process = Process::register(&mut registry, started_at);
        let ours = registry.sub_registry_with_prefix("countersign");
        let metrics = Self {
            since: Stopwatch::start(),
            requests: Family::default(),
            request_durations: durations(),
            refusals: Family::default(),
            sign_ins: Family::default(),
            second_factors: Family::default(),
            quotas_exceeded: Family::default(),
            events: Family::default(),
            hash_waits: durations(),
            hash_shed: Family::default(),
            deliveries: Family::default(),
            webhook_events: Family::default(),
            store_durations: durations(),
            store_failures: Family::default(),
            gauges: Gauges::default(),
            process,
            registry: Registry::default(),
        };
        metrics.register(ours);
        metrics.begin_at_zero();
        Self { registry, ..metrics }
    }

    fn register(&self, ours: &mut Registry) {
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        ours.register("build_info", "Version of the program; always 1", build);

        ours.register("requests", "Requests that were responded to", self.requests.clone());
        ours.register_with_unit(
            "request_duration",
            "Time from a request to its response",
            Unit::Seconds,
            self.request_durations.clone(),
        );
        ours.register(
            "requests_refused",
            "Requests that were responded to in place of a handler, by reason",
            self.refusals.clone(),
        );
        ours.register("requests_in_flight", "Requests being processed", self.gauges.in_flight.clone());

        ours.register("authn", "Sign-ins, by what proved the user and how they ended", self.sign_ins.clone());
        let help = "Attempts at a second factor, by factor and how they ended";
        ours.register("authn_second_factor", help, self.second_factors.clone());
        ours.register("quota_exceeded", "Requests refused because a quota was used up", self.quotas_exceeded.clone());
        ours.register("audit_events", "Events of the audit trail that were committed", self.events.clone());

        ours.register_with_unit(
            "password_hash_wait",
            "Time that a password waited for its turn to be hashed",
            Unit::Seconds,
            self.hash_waits.clone(),
        );
        let help = "Requests refused because too many passwords waited to be hashed";
        ours.register("password_hash_shed", help, self.hash_shed.clone());
        let help = "Requests that hold a place in the queue of passwords to be hashed";
        ours.register("password_hash_queue", help, self.gauges.hashing_queued.clone());
        let help = "Threads that hash a password";
        ours.register("password_hash_threads_busy", help, self.gauges.hashing_busy.clone());

        let help = "Whether the database responded to this scrape";
        ours.register("database_up", help, self.gauges.database_up.clone());
        let help = "Connections that the pool may open";
        ours.register("database_connections_max", help, self.gauges.connections_most.clone());
        let help = "Connections in use";
        ours.register("database_connections_in_use", help, self.gauges.connections_in_use.clone());
        let help = "Calls that wait for a connection";
        ours.register("database_connections_waiting", help, self.gauges.connections_waiting.clone());
        ours.register_with_unit(
            "store_call_duration",
            "Time of a call of the database, waits and retries included",
            Unit::Seconds,
            self.store_durations.clone(),
        );
        ours.register("store_call_failures", "Calls of the database that failed", self.store_failures.clone());

        ours.register("messages_waiting", "Messages to be delivered", self.gauges.messages_waiting.clone());
        ours.register_with_unit(
            "messages_oldest_age",
            "Age of the oldest message that waits",
            Unit::Seconds,
            self.gauges.messages_oldest.clone(),
        );
        let help = "Attempts to deliver a message, by how they ended";
        ours.register("message_deliveries", help, self.deliveries.clone());
        self.gauges.keys.register(ours);

        let help = "Events to be sent to receivers of webhooks";
        ours.register("webhook_events_waiting", help, self.gauges.webhook_events_waiting.clone());
        ours.register_with_unit(
            "webhook_events_oldest_age",
            "Age of the oldest event that waits for a receiver of webhooks",
            Unit::Seconds,
            self.gauges.webhook_events_oldest.clone(),
        );
        let help = "Attempts to send an event to a receiver of webhooks, by how they ended";
        ours.register("webhook_deliveries", help, self.webhook_events.clone());
    }

    /// Has the counters of these receivers of webhooks begin at zero.
    pub fn begin_receivers<'a>(&self, receivers: impl Iterator<Item = &'a str>) {
        for receiver in receivers {
            for result in DeliveryResult::ALL.iter().map(|result| result.label()) {
                drop(self.webhook_events.get_or_create(&WebhookSent { receiver: receiver.to_owned(), result }));
            }
        }
    }

    /// A counter that appears with its first event has no rate then, so what alerts look at is there from the start.
    fn begin_at_zero(&self) {
        for dialect in DialectName::ALL.map(DialectName::as_str) {
            drop(self.events.get_or_create(&Event { event: EventKind::AccountLocked.name(), dialect }));
            for reason in RefusalReason::ALL.iter().map(|reason| reason.label()) {
                drop(self.refusals.get_or_create(&Refusal { reason, dialect }));
            }
            for quota in Quota::ALL.iter().map(|quota| quota.label()) {
                drop(self.quotas_exceeded.get_or_create(&QuotaExceeded { quota, dialect }));
            }
        }
        for dialect in DialectName::OF_USERS.map(DialectName::as_str) {
            for proof in FirstProof::ALL.iter().map(|proof| proof.label()) {
                for result in SignInResult::ALL.iter().map(|result| result.label()) {
                    drop(self.sign_ins.get_or_create(&SignIn { proof, result, dialect }));
                }
            }
            for factor in [None, Some(Factor::Totp), Some(Factor::OneTimeCode), Some(Factor::BackupCode)] {
                for result in SecondFactorResult::ALL.iter().map(|result| result.label()) {
                    let set = SecondFactor { r#type: factor_label(factor), result, dialect };
                    drop(self.second_factors.get_or_create(&set));
                }
            }
        }
        for lane in HashLane::ALL.iter().map(|lane| lane.label()) {
            drop(self.hash_shed.get_or_create(&Lane { lane }));
        }
        for channel in Channel::ALL.map(Channel::label) {
            for result in DeliveryResult::ALL.iter().map(|result| result.label()) {
                drop(self.deliveries.get_or_create(&Delivered { channel, result }));
            }
        }
        for result in [StoreResult::Unavailable, StoreResult::Error].map(StoreResult::label) {
            drop(self.store_failures.get_or_create(&Failure { result }));
        }
    }

    /// All metrics in the text format of OpenMetrics 1.0.
    #[must_use]
    pub fn render(&self, sample: &Sample) -> String {
        self.set_gauges(sample);
        self.process.read();
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    fn set_gauges(&self, sample: &Sample) {
        let gauges = &self.gauges;
        gauges.in_flight.set(signed(sample.requests_in_flight));
        gauges.connections_most.set(signed(sample.connections_most));
        gauges.connections_in_use.set(signed(sample.connections_in_use));
        gauges.connections_waiting.set(signed(sample.connections_waiting));
        gauges.hashing_busy.set(signed(sample.hashing_threads_busy));
        for (lane, queued) in sample.hashing_queued {
            gauges.hashing_queued.get_or_create(&Lane { lane: lane.label() }).set(signed(queued));
        }
        gauges.database_up.set(i64::from(sample.messages.is_some()));
        // Without the database, the last values stay.
        if let Some((waiting, oldest)) = sample.messages {
            gauges.messages_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
            gauges.messages_oldest.set(i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX));
        }
        if let Some(keys) = &sample.keys {
            gauges.keys.set(keys);
        }
        if let Some((waiting, oldest)) = sample.webhook_events {
            gauges.webhook_events_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
            gauges.webhook_events_oldest.set(i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX));
        }
    }
}

impl Observer for Metrics {
    fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    fn request_served(&self, served: Served<'_>) {
        let Served { dialect, status, took, .. } = served;
        let operation = served.operation.unwrap_or(OTHER).to_owned();
        self.request_durations
            .get_or_create(&Operation { operation: operation.clone(), dialect })
            .observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { operation, dialect, code: status.into() }).inc();
    }

    fn request_refused(&self, dialect: &'static str, reason: RefusalReason) {
        self.refusals.get_or_create(&Refusal { reason: reason.label(), dialect }).inc();
    }

    fn sign_in_ended(&self, proof: FirstProof, result: SignInResult, dialect: &'static str) {
        self.sign_ins.get_or_create(&SignIn { proof: proof.label(), result: result.label(), dialect }).inc();
    }

    fn second_factor_ended(&self, factor: Option<Factor>, result: SecondFactorResult, dialect: &'static str) {
        let set = SecondFactor { r#type: factor_label(factor), result: result.label(), dialect };
        self.second_factors.get_or_create(&set).inc();
    }

    fn quota_exceeded(&self, quota: Quota, dialect: &'static str) {
        self.quotas_exceeded.get_or_create(&QuotaExceeded { quota: quota.label(), dialect }).inc();
    }

    fn event_committed(&self, kind: EventKind, dialect: &'static str) {
        self.events.get_or_create(&Event { event: kind.name(), dialect }).inc();
    }

    fn hash_waited(&self, lane: HashLane, waited: Duration) {
        self.hash_waits.get_or_create(&Lane { lane: lane.label() }).observe(waited.as_secs_f64());
    }

    fn hash_shed(&self, lane: HashLane) {
        self.hash_shed.get_or_create(&Lane { lane: lane.label() }).inc();
    }

    fn delivery_ended(&self, channel: Channel, result: DeliveryResult, _: Duration) {
        self.deliveries.get_or_create(&Delivered { channel: channel.label(), result: result.label() }).inc();
    }

    fn webhook_event_ended(&self, receiver: &str, result: DeliveryResult, _: Duration) {
        let set = WebhookSent { receiver: receiver.to_owned(), result: result.label() };
        self.webhook_events.get_or_create(&set).inc();
    }

    fn store_called(&self, call: &'static str, took: Duration, result: StoreResult) {
        self.store_durations.get_or_create(&Call { call }).observe(took.as_secs_f64());
        if result != StoreResult::Done {
            self.store_failures.get_or_create(&Failure { result: result.label() }).inc();
        }
    }
}
