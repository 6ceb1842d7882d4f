//! How much work is taken on at once.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts requests under way.
#[derive(Clone, Debug)]
pub struct InFlight {
    places: Arc<Semaphore>,
}

/// A request's place. Keep it until the answer is made.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl InFlight {
    /// Room for `max` requests.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))) }
    }

    /// Takes a place, or `None` when all are taken: a request that has to wait here would hold its connection and
    /// memory, and its client is better off with another node.
    #[must_use]
    pub fn enter(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_and_given_back() {
        let in_flight = InFlight::new(2);
        let first = in_flight.enter();
        let second = in_flight.enter();
        assert!(first.is_some() && second.is_some() && in_flight.enter().is_none());
        drop(first);
        assert!(in_flight.enter().is_some());
    }
}
