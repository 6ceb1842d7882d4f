//! Doing a unit of work again: how often, and after which pause.
//!
//! Pauses double, and each is drawn from its upper half, so that transactions that met do not meet again. What they
//! are drawn from need not be unpredictable, only different between nodes: a counter that starts at a number the
//! caller passes in, mixed. That keeps randomness an argument, here as everywhere.

use crate::error::{StoreError, Trouble};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often work is done again when another transaction was in its way: with the pauses below, for half a second.
const AFTER_CONFLICTS: u32 = 8;
/// How often when its connection was lost. When a server restarts all connections are lost at once, and one may be
/// picked before that is noticed.
const AFTER_LOSSES: u32 = 3;
/// How often when the database gave a reason that we do not know.
const AFTER_UNCLEAR: u32 = 2;

/// The first pause, and the longest.
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(128);

/// Where the pauses of one store come from.
#[derive(Debug)]
pub(crate) struct Pauses(AtomicU64);

impl Pauses {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The pause before the `again`-th repetition, counted from zero.
    fn pause(&self, again: u32) -> Duration {
        let whole = SHORTEST.saturating_mul(2_u32.saturating_pow(again)).min(LONGEST);
        let spread = mix(self.0.fetch_add(1, Ordering::Relaxed)) % 1024;
        let half = whole / 2;
        half + half * u32::try_from(spread).unwrap_or(0) / 1024
    }
}

/// Scatters neighbouring numbers (the finaliser of `SplitMix64`).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// The repetitions of one unit of work.
pub(crate) struct Tries<'a> {
    pauses: &'a Pauses,
    again: u32,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(pauses: &'a Pauses) -> Self {
        Self { pauses, again: 0 }
    }

    /// Whether work that ended like this is to be done once more. Says so after the pause.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        let allowed = match error.trouble() {
            Trouble::Conflict => AFTER_CONFLICTS,
            Trouble::Lost => AFTER_LOSSES,
            Trouble::Unclear => AFTER_UNCLEAR,
            Trouble::Passing | Trouble::Defect => 0,
        };
        if self.again >= allowed {
            return false;
        }
        tokio::time::sleep(self.pauses.pause(self.again)).await;
        self.again += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_differ_between_nodes() {
        let (one, two) = (Pauses::new(1), Pauses::new(2));
        let draw = |pauses: &Pauses| (0..AFTER_CONFLICTS).map(|again| pauses.pause(again)).collect::<Vec<_>>();
        let (one, two) = (draw(&one), draw(&two));
        assert_ne!(one, two);
        for (again, pause) in (0..).zip(one) {
            let whole = Duration::from_millis(2 << again).min(LONGEST);
            assert!(pause >= whole / 2 && pause < whole, "{again}: {pause:?}");
        }
    }
}
