//! Whether a sign-in comes after so long a time that the user is notified of it (N11).

use crate::audit::EventKind;
use crate::policy::Policy;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Long enough for misuse to go unnoticed.
    Long,
    Short,
    /// It is the account's first sign-in: its creator expects it.
    None,
}

/// `last_sign_in_at` is the sign-in before this one.
#[must_use]
pub fn decide(last_sign_in_at: Option<Timestamp>, policy: &Policy, now: Timestamp) -> Absence {
    match last_sign_in_at {
        Some(last) if now >= last + policy.long_absence => Absence::Long,
        Some(_) => Absence::Short,
        None => Absence::None,
    }
}

impl Absence {
    /// What the audit trail records besides the sign-in.
    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::Long => Some(EventKind::SignedInAfterLongAbsence),
            Self::Short | Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::NOW;
    use std::time::Duration;

    #[test]
    fn an_absence_is_long_from_ninety_days_on_and_a_first_sign_in_ends_none() {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let (policy, moment) = (Policy::default(), Duration::from_millis(1));
        for (last_sign_in_at, absence, event) in [
            (None, Absence::None, None),
            (Some(NOW), Absence::Short, None),
            (Some(NOW - (90 * DAY - moment)), Absence::Short, None),
            (Some(NOW - 90 * DAY), Absence::Long, Some(EventKind::SignedInAfterLongAbsence)),
            // A clock of another node that is ahead.
            (Some(NOW + moment), Absence::Short, None),
        ] {
            let decided = decide(last_sign_in_at, &policy, NOW);
            assert_eq!((decided, decided.event()), (absence, event), "{last_sign_in_at:?}");
        }
    }
}
