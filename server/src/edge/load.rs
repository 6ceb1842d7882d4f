//! The limit on requests in flight, shared fairly among client networks.

use countersign_domain::network::{ClientNetwork, Shares};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts requests under way.
#[derive(Clone, Debug)]
pub struct InFlight {
    shares: Arc<Mutex<Shares>>,
}

/// Counts as one request in flight until it is dropped.
#[derive(Debug)]
pub struct Permit {
    shares: Arc<Mutex<Shares>>,
    network: ClientNetwork,
}

impl InFlight {
    /// At most `max` requests at once; what one network may hold of them says [`Shares`].
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { shares: Arc::new(Mutex::new(Shares::new(max))) }
    }

    /// Requests in flight.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner).taken()
    }

    /// Tries for a permit. At the limit, requests are shed instead of queued: a waiting request holds a connection and
    /// memory, and its client is served sooner by another node.
    #[must_use]
    pub fn try_acquire(&self, network: ClientNetwork) -> Option<Permit> {
        let is_taken = self.shares.lock().unwrap_or_else(PoisonError::into_inner).take(network);
        is_taken.then(|| Permit { shares: Arc::clone(&self.shares), network })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner).give_back(self.network);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn permits_are_limited_shared_and_returned_on_drop() {
        let in_flight = InFlight::new(6);
        let network = |last| ClientNetwork::V4(Ipv4Addr::new(192, 0, last, 1));
        let (first, second) = (in_flight.try_acquire(network(2)), in_flight.try_acquire(network(2)));
        assert!(first.is_some() && second.is_some(), "a third of six");
        assert!(in_flight.try_acquire(network(2)).is_none() && in_flight.try_acquire(network(3)).is_some());
        drop(first);
        assert!(in_flight.try_acquire(network(2)).is_some());
    }
}
