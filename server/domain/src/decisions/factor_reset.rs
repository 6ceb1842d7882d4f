//! May an administrator take the second factor from an account, because its owner has lost it?

use super::endings::Event;
use crate::account::Account;
use crate::audit::EventKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorReset {
    /// Every method, every passkey, the backup codes, trust in devices and open challenges end: signing in asks for the password alone.
    SwitchOff,
    /// There is no second factor, but there are passkeys, which end.
    RemovePasskeys,
    /// There is neither.
    NoFactor,
}

/// No code is asked for: the administrator answers for having recognised the owner. In a tenant that requires a second factor,
/// the owner enrols at the next sign-in.
#[must_use]
pub fn decide(account: &Account, has_passkeys: bool) -> FactorReset {
    match (account.two_factor_enabled, has_passkeys) {
        (true, _) => FactorReset::SwitchOff,
        (false, true) => FactorReset::RemovePasskeys,
        (false, false) => FactorReset::NoFactor,
    }
}

impl FactorReset {
    /// What ends with it; `has_passkeys` as for the decision.
    #[must_use]
    pub fn ends(self, has_passkeys: bool) -> Option<Event> {
        match self {
            Self::SwitchOff if has_passkeys => Some(Event::PasskeyRemoved),
            Self::SwitchOff => Some(Event::SecondFactorOff),
            Self::RemovePasskeys => Some(Event::PasskeyRemoved),
            Self::NoFactor => None,
        }
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::SwitchOff => Some(EventKind::TwoFactorDisabled),
            Self::RemovePasskeys => Some(EventKind::PasskeyRemoved),
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
        let off = |ends| (FactorReset::SwitchOff, Some(ends), Some(EventKind::TwoFactorDisabled));
        let passkeys = (FactorReset::RemovePasskeys, Some(Event::PasskeyRemoved), Some(EventKind::PasskeyRemoved));
        for (two_factor_enabled, has_passkeys, (decision, ends, event)) in [
            (true, false, off(Event::SecondFactorOff)),
            (true, true, off(Event::PasskeyRemoved)),
            (false, true, passkeys),
            (false, false, (FactorReset::NoFactor, None, None)),
        ] {
            let reset = decide(&Account { two_factor_enabled, ..account() }, has_passkeys);
            assert_eq!((reset, reset.ends(has_passkeys), reset.event()), (decision, ends, event));
        }
    }
}
