//! Does anything change for the user when an administrator lifts the locks and limits of an account?
//!
//! If nothing counts against the account, nothing has happened: the audit trail has no event, and the user gets no notice, which
//! would say that somebody was locked out. What is counted for a login name that was typed is not known by account; a wrong password for a
//! name of the account counts for the account as well, and is known by that.

use crate::audit::EventKind;
use crate::limits::StoredLimits;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifting {
    /// A lock, or a count towards one, has ended.
    Lifted,
    NothingCounted,
}

#[must_use]
pub fn decide(stored: &StoredLimits, now: Timestamp) -> Lifting {
    let is_ahead = |time: Option<Timestamp>| time.is_some_and(|time| time > now);
    let counts = stored.failures > 0
        || stored.locks > 0
        || is_ahead(stored.locked_until)
        || is_ahead(stored.guess_level)
        || is_ahead(stored.password_level)
        || stored.quotas.iter().any(|quota| quota.uses > 0 && quota.expires_at > now)
        || is_ahead(stored.suspension.as_ref().map(|suspension| suspension.until));
    if counts { Lifting::Lifted } else { Lifting::NothingCounted }
}

impl Lifting {
    /// What the audit trail records.
    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::Lifted => Some(EventKind::AccountUnlocked),
            Self::NothingCounted => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use crate::limits::{StoredQuota, Suspension};
    use crate::quota::AccountQuota;
    use std::time::Duration;

    #[test]
    fn something_is_lifted_if_something_counts() {
        let nothing = StoredLimits::default;
        let (later, over) = (Some(NOW + Duration::from_millis(1)), Some(NOW));
        let quota = |uses, expires_at: Option<Timestamp>| StoredQuota {
            counts: AccountQuota::ALL[0],
            uses,
            expires_at: expires_at.expect("a time"),
        };
        let suspension =
            |until: Option<Timestamp>| until.map(|until| Suspension { until, since: NOW, by: None, comment: None });
        for (stored, decision) in [
            (nothing(), Lifting::NothingCounted),
            (StoredLimits { failures: 1, ..nothing() }, Lifting::Lifted),
            (StoredLimits { locks: 1, ..nothing() }, Lifting::Lifted),
            (StoredLimits { locked_until: later, ..nothing() }, Lifting::Lifted),
            (StoredLimits { locked_until: over, ..nothing() }, Lifting::NothingCounted),
            (StoredLimits { guess_level: later, ..nothing() }, Lifting::Lifted),
            (StoredLimits { guess_level: over, ..nothing() }, Lifting::NothingCounted),
            (StoredLimits { password_level: later, ..nothing() }, Lifting::Lifted),
            (StoredLimits { password_level: over, ..nothing() }, Lifting::NothingCounted),
            (StoredLimits { quotas: vec![quota(1, later)], ..nothing() }, Lifting::Lifted),
            (StoredLimits { quotas: vec![quota(0, later)], ..nothing() }, Lifting::NothingCounted),
            (StoredLimits { quotas: vec![quota(1, over)], ..nothing() }, Lifting::NothingCounted),
            (StoredLimits { suspension: suspension(later), ..nothing() }, Lifting::Lifted),
            (StoredLimits { suspension: suspension(over), ..nothing() }, Lifting::NothingCounted),
        ] {
            assert_eq!(decide(&stored, NOW), decision, "{stored:?}");
            assert_eq!(decision.event().is_some(), decision == Lifting::Lifted);
        }
    }
}
