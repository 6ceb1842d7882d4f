//! Which requests are traced.

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Takes so many of a hundred requests, evenly, and all spans below them. A client has no part in it: neither its trace id nor its flags
/// count, and its `tracestate`, a text of its own, goes no further.
#[derive(Clone, Debug)]
pub(super) struct Share {
    percent: u64,
    requests: Arc<AtomicU64>,
}

impl Share {
    pub(super) fn new(percent: u8) -> Self {
        Self { percent: u64::from(percent), requests: Arc::default() }
    }

    fn takes_next(&self) -> bool {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) % 100;
        (number + 1) * self.percent / 100 > number * self.percent / 100
    }
}

impl ShouldSample for Share {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|parent| parent.span().span_context().clone());
        let is_taken = match parent.filter(|parent| parent.is_valid() && !parent.is_remote()) {
            Some(request) => request.is_sampled(),
            None => self.takes_next(),
        };
        let decision = if is_taken { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_a_hundred_are_taken() {
        for percent in [0, 1, 33, 50, 99, 100] {
            let share = Share::new(percent);
            let taken = (0..1_000).filter(|_| share.takes_next()).count();
            assert_eq!(taken, usize::from(percent) * 10);
        }
    }
}
