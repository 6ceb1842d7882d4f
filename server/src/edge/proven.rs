//! Credentials that a handler found to be valid before.
//!
//! Rate limits come before anything is looked up, so the edge cannot know whether a credential is valid. A handler that has
//! checked one leaves it here; later requests with it are counted as those of an authenticated caller. Nothing else depends
//! on it: each request is authenticated anew. Only keyed hashes are kept, and memory is bounded.

use countersign_domain::time::Timestamp;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Who presents a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A service, by its API key.
    Service,
    /// A user, by an access token.
    User,
}

/// How long a check of an API key counts: a service that is idle over night must not be shut out by strangers who use up the
/// limit of a network that it shares with them. A key that is revoked meanwhile is forgotten with its first use.
const SERVICE_LIFETIME: Duration = Duration::from_hours(24);

/// How long a check of an access token counts. Short, since users are many, and each valid request begins it anew.
const USER_LIFETIME: Duration = Duration::from_mins(1);

/// Entries of one generation: about 2 MB at most for both.
const GENERATION_CAPACITY: usize = 50_000;

/// Remembers credentials. Users cannot displace services.
pub struct ProvenCredentials {
    hasher: RandomState,
    services: Mutex<Generations>,
    users: Mutex<Generations>,
}

/// Two generations, so that no request pays for a sweep.
struct Generations {
    lifetime: Duration,
    current: HashMap<u64, Timestamp>,
    previous: HashMap<u64, Timestamp>,
    since: Option<Timestamp>,
}

impl Default for ProvenCredentials {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            services: Mutex::new(Generations::new(SERVICE_LIFETIME)),
            users: Mutex::new(Generations::new(USER_LIFETIME)),
        }
    }
}

impl ProvenCredentials {
    fn of(&self, proof: Proof) -> &Mutex<Generations> {
        match proof {
            Proof::Service => &self.services,
            Proof::User => &self.users,
        }
    }

    /// Remembers that `credential`, as presented, was valid at `now`.
    pub fn remember(&self, credential: &str, proof: Proof, now: Timestamp) {
        let key = self.hasher.hash_one(credential);
        self.of(proof).lock().unwrap_or_else(PoisonError::into_inner).insert(key, now);
    }

    /// Forgets a credential that is not valid any more.
    pub fn forget(&self, credential: &str, proof: Proof) {
        let key = self.hasher.hash_one(credential);
        let mut entries = self.of(proof).lock().unwrap_or_else(PoisonError::into_inner);
        entries.current.remove(&key);
        entries.previous.remove(&key);
    }

    /// Whose credential this is, if it was valid a short while before `now`, and a number that stands for it.
    #[must_use]
    pub fn find(&self, credential: &str, now: Timestamp) -> Option<(Proof, u64)> {
        let key = self.hasher.hash_one(credential);
        [Proof::Service, Proof::User].into_iter().find_map(|proof| {
            let entries = self.of(proof).lock().unwrap_or_else(PoisonError::into_inner);
            entries.contains(key, now).then_some((proof, key))
        })
    }
}

impl Generations {
    fn new(lifetime: Duration) -> Self {
        Self { lifetime, current: HashMap::new(), previous: HashMap::new(), since: None }
    }

    fn insert(&mut self, key: u64, now: Timestamp) {
        let since = *self.since.get_or_insert(now);
        if now - since > self.lifetime || now < since || self.current.len() >= GENERATION_CAPACITY {
            self.previous = std::mem::take(&mut self.current);
            self.since = Some(now);
        }
        self.current.insert(key, now);
    }

    fn contains(&self, key: u64, now: Timestamp) -> bool {
        let at = self.current.get(&key).or_else(|| self.previous.get(&key));
        at.is_some_and(|&at| now >= at && now - at <= self.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_counts_for_a_while_and_for_its_credential_only() {
        let proven = ProvenCredentials::default();
        let start = Timestamp::from_millis(1_000_000);
        assert!(proven.find("key", start).is_none());
        proven.remember("key", Proof::Service, start);
        proven.remember("token", Proof::User, start);
        let found = |credential, after| proven.find(credential, start + after).map(|(proof, _)| proof);
        let moment = Duration::from_millis(1);
        assert_eq!(found("key", SERVICE_LIFETIME), Some(Proof::Service));
        assert_eq!(found("key", SERVICE_LIFETIME + moment), None);
        assert_eq!(found("token", USER_LIFETIME), Some(Proof::User));
        assert_eq!(found("token", USER_LIFETIME + moment), None);
        assert_eq!(found("other", Duration::ZERO), None);
        assert!(proven.find("key", Timestamp::from_millis(5)).is_none(), "a clock set back");
        proven.forget("key", Proof::Service);
        assert_eq!(found("key", Duration::ZERO), None);
    }

    #[test]
    fn memory_is_bounded_and_users_displace_no_service() {
        let proven = ProvenCredentials::default();
        let now = Timestamp::from_millis(1_000_000);
        proven.remember("key", Proof::Service, now);
        for number in 0..GENERATION_CAPACITY * 3 {
            proven.remember(&number.to_string(), Proof::User, now);
        }
        let users = proven.users.lock().expect("not poisoned");
        assert!(users.current.len() + users.previous.len() <= 2 * GENERATION_CAPACITY);
        drop(users);
        assert!(proven.find("key", now).is_some());
    }
}
