//! Retries of a unit of work: how many, and after which pauses.
//!
//! Pauses double, and each is drawn at random from its upper half, so that transactions that have conflicted do not
//! conflict again. The random numbers need not be unpredictable, only different between nodes: they are a counter that
//! starts at a seed from the caller, mixed. So randomness is an argument, as in the rest of the project.

use crate::error::{StoreError, Trouble};
use countersign_domain::ids::AuditId;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Retries after a conflict: with the pauses below, for half a second.
const AFTER_CONFLICTS: u32 = 8;
/// Retries after a lost connection. A restart of the server loses all connections at once, and the pool may hand out
/// some of them before that is noticed.
const AFTER_LOSSES: u32 = 3;
/// Retries after an unknown message.
const AFTER_UNCLEAR: u32 = 2;

/// The first pause, and the longest.
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(128);

/// Source of the pauses of one store.
#[derive(Debug)]
pub(crate) struct Pauses(AtomicU64);

impl Pauses {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Pause before the `again`-th retry, counted from zero.
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

/// Retries of one unit of work.
pub(crate) struct Tries<'a> {
    pauses: &'a Pauses,
    again: u32,
    /// The events of tries whose commits were not found to have happened, and may have been on their way.
    doubted: Vec<AuditId>,
}

impl<'a> Tries<'a> {
    pub(crate) fn new(pauses: &'a Pauses) -> Self {
        Self { pauses, again: 0, doubted: Vec::new() }
    }

    pub(crate) fn is_retry(&self) -> bool {
        self.again > 0
    }

    pub(crate) fn doubted(&self) -> &[AuditId] {
        &self.doubted
    }

    pub(crate) fn doubt(&mut self, event: AuditId) {
        if !self.doubted.contains(&event) {
            self.doubted.push(event);
        }
    }

    /// Whether to retry after this error. Returns after the pause.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        let allowed = match error.trouble() {
            Trouble::Conflict => AFTER_CONFLICTS,
            Trouble::Lost | Trouble::ReadOnly => AFTER_LOSSES,
            Trouble::Unclear => AFTER_UNCLEAR,
            Trouble::Transient | Trouble::Defect => 0,
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
