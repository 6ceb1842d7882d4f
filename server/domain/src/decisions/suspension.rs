//! May a service lock an account until some time?
//!
//! An account that is locked by a service is not usable ([`Account::unusable`](crate::account::Account::unusable)): nobody signs
//! in, and what was opened before is refused until the time has come. Nothing ends by it: an account whose sessions and tokens have
//! to end is deactivated.
//!
//! A lock after wrong codes differs: it does not affect open sessions, and its end is computed from the counts. It can be lifted but
//! not changed; a change would turn it into a service's lock.

use crate::audit::EventKind;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Set a lock, in the place of an earlier one by a service.
    Set,
    /// Change when the lock that a service has set ends.
    Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspend {
    Allowed {
        until: Timestamp,
    },
    /// The time has passed, so that nothing would be locked.
    InThePast,
    /// No lock by a service is there to be changed.
    NotSuspended,
}

/// `suspended_until` is the end of the last lock by a service; it may have passed.
#[must_use]
pub fn decide(request: Request, suspended_until: Option<Timestamp>, until: Timestamp, now: Timestamp) -> Suspend {
    let is_suspended = suspended_until.is_some_and(|end| end > now);
    if until <= now {
        Suspend::InThePast
    } else if request == Request::Change && !is_suspended {
        Suspend::NotSuspended
    } else {
        Suspend::Allowed { until }
    }
}

impl Suspend {
    /// What the audit trail records.
    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::Allowed { .. } => Some(EventKind::AccountSuspended),
            Self::InThePast | Self::NotSuspended => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use std::time::Duration;

    #[test]
    fn a_lock_ends_in_the_future_and_only_one_that_is_there_is_changed() {
        use Request::{Change, Set};
        let (before, after) = (Timestamp::from_millis(NOW.as_millis() - 1), NOW + Duration::from_millis(1));
        let forever = Timestamp::from_millis(i64::MAX);
        let allowed = |until| (Suspend::Allowed { until }, Some(EventKind::AccountSuspended));
        let past = (Suspend::InThePast, None);
        let none = (Suspend::NotSuspended, None);
        for (request, suspended_until, until, (decision, event)) in [
            (Set, None, before, past),
            (Set, None, NOW, past),
            (Set, None, after, allowed(after)),
            (Set, None, forever, allowed(forever)),
            (Set, Some(NOW), after, allowed(after)),
            (Set, Some(forever), after, allowed(after)),
            (Change, None, NOW, past),
            (Change, None, after, none),
            (Change, Some(NOW), after, none),
            (Change, Some(after), NOW, past),
            (Change, Some(after), forever, allowed(forever)),
            (Change, Some(forever), after, allowed(after)),
        ] {
            let decided = decide(request, suspended_until, until, NOW);
            assert_eq!((decided, decided.event()), (decision, event), "{request:?} {suspended_until:?} {until:?}");
        }
    }
}
