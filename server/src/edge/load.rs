//! The limit on requests in flight.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts requests under way.
#[derive(Clone, Debug)]
pub struct InFlight {
    permits: Arc<Semaphore>,
}

/// Counts as one request in flight until it is dropped.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
}

impl InFlight {
    /// At most `max` requests at once.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))) }
    }

    /// Tries for a permit. At the limit, requests are shed instead of queued: a waiting request holds a connection and
    /// memory, and its client is served sooner by another node.
    #[must_use]
    pub fn try_acquire(&self) -> Option<Permit> {
        Arc::clone(&self.permits).try_acquire_owned().ok().map(|permit| Permit { _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_limited_and_returned_on_drop() {
        let in_flight = InFlight::new(2);
        let first = in_flight.try_acquire();
        let second = in_flight.try_acquire();
        assert!(first.is_some() && second.is_some() && in_flight.try_acquire().is_none());
        drop(first);
        assert!(in_flight.try_acquire().is_some());
    }
}
