//! Limits that refill with time: the generic cell rate algorithm (ITU-T I.371), a leaky bucket that is one timestamp.
//!
//! The timestamp is the *level*: the time at which everything that was counted has decayed. Each use moves it by
//! [`Rate::interval`]; a use is allowed while the level stays within [`Rate::capacity`] of the present. The store makes the
//! same comparison in one conditional statement, so that parallel uses cannot exceed the limit.

use crate::time::Timestamp;
use std::time::Duration;

/// So many uses at once, and one more each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Uses that are allowed at once after a long pause.
    pub burst: u32,
    /// Time in which one use decays; never zero.
    pub interval: Duration,
}

impl Rate {
    /// `uses` within any `window`, plus what decays meanwhile: at most twice as many in one window, and in the long run
    /// `uses` for each.
    #[must_use]
    pub const fn per(uses: u32, window: Duration) -> Self {
        let millis = window.as_millis() / if uses == 0 { 1 } else { uses as u128 };
        Self { burst: uses, interval: Duration::from_millis(millis as u64) }
    }

    /// Time in which a full burst decays.
    #[must_use]
    pub fn capacity(self) -> Duration {
        self.cost(self.burst)
    }

    /// How far `uses` move the level.
    #[must_use]
    pub fn cost(self, uses: u32) -> Duration {
        self.interval.saturating_mul(uses)
    }

    /// The highest level at which one more use is allowed at `now`.
    #[must_use]
    pub fn highest_open_level(self, now: Timestamp) -> Timestamp {
        now + self.capacity().saturating_sub(self.interval)
    }

    /// When a use is allowed that would move the level to `level`.
    #[must_use]
    pub fn allowed_at(self, level: Timestamp) -> Timestamp {
        level - self.capacity()
    }

    /// When one more use is allowed at this level.
    #[must_use]
    pub fn next_use_at(self, level: Timestamp) -> Timestamp {
        self.allowed_at(level + self.interval)
    }

    /// Uses that still count at `now`, begun ones included.
    #[must_use]
    pub fn counted(self, level: Option<Timestamp>, now: Timestamp) -> u32 {
        let rest = level.map_or(Duration::ZERO, |level| now.until(level));
        u32::try_from(rest.as_millis().div_ceil(self.interval.as_millis().max(1))).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn a_burst_then_one_for_each_interval() {
        let rate = Rate::per(4, 4 * HOUR);
        let start = Timestamp::from_millis(0);
        let mut level = start;
        let mut uses = 0;
        for quarter in 0..100 {
            let now = start + quarter * HOUR / 4;
            while level <= rate.highest_open_level(now) {
                level = level.max(now) + rate.cost(1);
                uses += 1;
            }
            let hours = quarter / 4;
            assert_eq!(uses, 4 + hours, "after {quarter} quarters");
            assert_eq!(rate.counted(Some(level), now), 4);
            assert_eq!(rate.next_use_at(level), start + (hours + 1) * HOUR);
        }
        assert_eq!(rate.counted(Some(level), level), 0);
        assert_eq!(rate.counted(None, start), 0);
    }

    #[test]
    fn uses_that_cost_more_wait_longer() {
        let rate = Rate { burst: 10, interval: HOUR };
        let now = Timestamp::from_millis(0);
        let full = now + rate.cost(8);
        assert!(full <= rate.highest_open_level(now));
        assert_eq!(rate.allowed_at(full + rate.cost(2)), now);
        assert_eq!(rate.allowed_at(full + rate.cost(5)), now + 3 * HOUR);
    }
}
