//! May an administrator take the second factor from an account, because its owner has lost it?

use super::endings::Event;
use crate::account::Account;
use crate::audit::EventKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorReset {
    /// Every method, the backup codes, trust in devices and open challenges end: signing in asks for the password alone.
    SwitchOff,
    /// There is no second factor.
    NoFactor,
}

/// No code is asked for: the administrator answers for having recognised the owner. In a tenant that requires a second factor,
/// the owner enrols at the next sign-in.
#[must_use]
pub fn decide(account: &Account) -> FactorReset {
    if account.two_factor_enabled { FactorReset::SwitchOff } else { FactorReset::NoFactor }
}

impl FactorReset {
    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        match self {
            Self::SwitchOff => Some(Event::SecondFactorOff),
            Self::NoFactor => None,
        }
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::SwitchOff => Some(EventKind::TwoFactorDisabled),
            Self::NoFactor => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::account;

    #[test]
    fn with_and_without_a_second_factor() {
        for (two_factor_enabled, decision, ends, event) in [
            (true, FactorReset::SwitchOff, Some(Event::SecondFactorOff), Some(EventKind::TwoFactorDisabled)),
            (false, FactorReset::NoFactor, None, None),
        ] {
            let reset = decide(&Account { two_factor_enabled, ..account() });
            assert_eq!((reset, reset.ends(), reset.event()), (decision, ends, event));
        }
    }
}
