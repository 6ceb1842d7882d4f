//! Limits per client and operation, counted in memory.
//!
//! An operation is known by its path template, so values in a path make no count of their own, and all paths without an
//! operation share one. They slow down clients that try many values. They do not protect an account: its quotas are in the database and cannot be
//! switched off. Memory is bounded: entries are dropped once their window has passed, and under a flood of addresses the
//! older half is dropped early, which resets counts but never rejects a client.

use countersign_api::reply::whole_seconds;
use countersign_domain::network::ClientNetwork;
use countersign_domain::time::Timestamp;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// At most `max` requests per `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    pub window: Duration,
    pub max: u32,
}

/// The limit of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    None,
    /// For all requests of the client's network.
    PerNetwork(RateLimit),
    /// For all requests with this credential, which was valid a short while ago.
    PerCredential(RateLimit),
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    Network(ClientNetwork),
    /// By the number that [`ProvenCredentials`](super::proven::ProvenCredentials) gives it.
    Credential(u64),
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bucket<'a> {
    pub base_path: &'a str,
    /// Path template of the operation; `None` for all paths without one.
    pub template: Option<&'a str>,
}

/// The limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Whole seconds, at least one.
    pub retry_after: Duration,
}

/// Entries of one generation: about 4 MB at most for both.
const GENERATION_CAPACITY: usize = 50_000;

/// Counts requests.
pub struct RateLimiter {
    /// Clients and buckets are kept as keyed hashes, so that collisions cannot be chosen.
    hasher: RandomState,
    counts: Mutex<Generations>,
}

#[derive(Clone, Copy)]
struct Count {
    allowed: u32,
    last_allowed: Timestamp,
}

/// Two generations of counts. Entries of the older one were last used more than `longest_window` ago when it is dropped, so
/// no count is lost, and no request pays for a sweep.
struct Generations {
    current: HashMap<u64, Count>,
    previous: HashMap<u64, Count>,
    since: Option<Timestamp>,
    longest_window: Duration,
}

impl Default for RateLimiter {
    fn default() -> Self {
        let counts = Generations {
            current: HashMap::new(),
            previous: HashMap::new(),
            since: None,
            longest_window: Duration::ZERO,
        };
        Self { hasher: RandomState::new(), counts: Mutex::new(counts) }
    }
}

impl RateLimiter {
    /// Counts a request of `client` in `bucket` at `now`.
    ///
    /// The count restarts when more than the window has passed since the last accepted request; a refused request does not
    /// lengthen the wait (wire reference of Better Auth, §5).
    ///
    /// # Errors
    /// When the limit is reached.
    pub fn check(&self, client: Client, bucket: Bucket<'_>, limit: RateLimit, now: Timestamp) -> Result<(), TooMany> {
        let key = self.hasher.hash_one((client, bucket));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.turn_over(limit.window, now);
        let count = counts.entry(key, now);
        // A clock that was set back must not lock clients out until it catches up.
        count.last_allowed = count.last_allowed.min(now);
        if now - count.last_allowed > limit.window {
            count.allowed = 0;
        }
        if count.allowed >= limit.max {
            let left = now.until(count.last_allowed + limit.window);
            return Err(TooMany { retry_after: Duration::from_secs(whole_seconds(left)) });
        }
        count.allowed += 1;
        count.last_allowed = now;
        Ok(())
    }
}

impl Generations {
    fn turn_over(&mut self, window: Duration, now: Timestamp) {
        self.longest_window = self.longest_window.max(window);
        let since = *self.since.get_or_insert(now);
        let is_old = now - since > self.longest_window || now < since;
        if is_old || self.current.len() >= GENERATION_CAPACITY {
            self.previous = std::mem::take(&mut self.current);
            self.since = Some(now);
        }
    }

    fn entry(&mut self, key: u64, now: Timestamp) -> &mut Count {
        let previous = &mut self.previous;
        self.current
            .entry(key)
            .or_insert_with(|| previous.remove(&key).unwrap_or(Count { allowed: 0, last_allowed: now }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, ManualClock};
    use std::net::{IpAddr, Ipv4Addr};

    const LIMIT: RateLimit = RateLimit { window: Duration::from_secs(10), max: 3 };

    struct World {
        limiter: RateLimiter,
        clock: ManualClock,
    }

    impl World {
        fn new() -> Self {
            let clock = ManualClock::at(Timestamp::from_millis(1_000_000));
            Self { limiter: RateLimiter::default(), clock }
        }

        fn call(&self, client: &str, path: &str) -> Result<(), u64> {
            let client = Client::Network(client.parse::<IpAddr>().expect("an address").into());
            let bucket = Bucket { base_path: "", template: Some(path) };
            let checked = self.limiter.check(client, bucket, LIMIT, self.clock.now());
            checked.map_err(|refused| refused.retry_after.as_secs())
        }
    }

    #[test]
    fn the_fourth_is_refused_until_the_window_has_passed_since_the_last_allowed() {
        let world = World::new();
        assert_eq!((world.call("1.1.1.1", "/a"), world.call("1.1.1.1", "/a")), (Ok(()), Ok(())));
        world.clock.advance(Duration::from_millis(4_500));
        assert_eq!(world.call("1.1.1.1", "/a"), Ok(()));
        assert_eq!(world.call("1.1.1.1", "/a"), Err(10));
        world.clock.advance(Duration::from_millis(4_001));
        assert_eq!(world.call("1.1.1.1", "/a"), Err(6), "rounded up");
        world.clock.advance(Duration::from_millis(5_999));
        assert_eq!(world.call("1.1.1.1", "/a"), Err(1), "exactly the window is not more than the window");
        world.clock.advance(Duration::from_millis(1));
        assert_eq!(world.call("1.1.1.1", "/a"), Ok(()), "refused requests did not extend it");
    }

    #[test]
    fn clients_and_paths_are_counted_apart() {
        let world = World::new();
        for _ in 0..3 {
            assert_eq!(world.call("1.1.1.1", "/a"), Ok(()));
        }
        assert!(world.call("1.1.1.1", "/a").is_err());
        assert_eq!(world.call("1.1.1.1", "/b"), Ok(()));
        assert_eq!(world.call("1.1.1.2", "/a"), Ok(()));
    }

    #[test]
    fn roaming_in_a_64_is_one_client_31() {
        let world = World::new();
        for client in ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:1::3"] {
            assert_eq!(world.call(client, "/a"), Ok(()));
        }
        assert!(world.call("2001:0DB8::ffff", "/a").is_err());
        assert_eq!(world.call("2001:db8:0:1::1", "/a"), Ok(()));
    }

    #[test]
    fn counts_survive_the_turn_of_a_generation() {
        let world = World::new();
        world.clock.advance(Duration::from_secs(9));
        let _ = world.call("9.9.9.9", "/other");
        world.clock.advance(Duration::from_secs(9));
        for _ in 0..3 {
            assert_eq!(world.call("1.1.1.1", "/a"), Ok(()));
        }
        world.clock.advance(Duration::from_secs(3));
        let _ = world.call("9.9.9.9", "/other");
        assert_eq!(world.call("1.1.1.1", "/a"), Err(7));
    }

    #[test]
    fn a_clock_set_back_does_not_lock_out() {
        let world = World::new();
        for _ in 0..3 {
            let _ = world.call("1.1.1.1", "/a");
        }
        world.clock.set(Timestamp::from_millis(500));
        assert_eq!(world.call("1.1.1.1", "/a"), Err(10));
        world.clock.advance(Duration::from_millis(10_001));
        assert_eq!(world.call("1.1.1.1", "/a"), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_expired_counts_go() {
        let world = World::new();
        for number in 0..(GENERATION_CAPACITY as u32 * 3) {
            let client = Client::Network(IpAddr::V4(Ipv4Addr::from(number)).into());
            let bucket = Bucket { base_path: "", template: Some("/a") };
            assert!(world.limiter.check(client, bucket, LIMIT, world.clock.now()).is_ok());
        }
        let held = |limiter: &RateLimiter| {
            let counts = limiter.counts.lock().expect("not poisoned");
            counts.current.len() + counts.previous.len()
        };
        assert!(held(&world.limiter) <= 2 * GENERATION_CAPACITY);
        for _ in 0..2 {
            world.clock.advance(Duration::from_secs(11));
            let _ = world.call("1.1.1.1", "/a");
        }
        assert_eq!(held(&world.limiter), 1);
    }
}
