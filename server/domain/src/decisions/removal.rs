//! Which methods a right code removes, and whether the second factor is off then.

use super::endings::Event;
use crate::account::Account;
use crate::assurance::{Manager, SecondFactorDue};
use crate::audit::EventKind;
use crate::challenge::Factor;
use crate::ids::MethodId;
use crate::policy::Policy;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub manager: &'a Manager,
    /// The factor whose code was presented.
    pub factor: Factor,
    /// The method to remove, if the caller names one.
    pub named: Option<MethodId>,
    /// The account's confirmed methods.
    pub confirmed: &'a [MethodId],
    /// Those of them that are passkeys.
    pub passkeys: &'a [MethodId],
    /// Those of them that count as a second factor.
    pub usable: &'a [MethodId],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// One method; others are left.
    One(MethodId),
    /// One passkey; other methods are left.
    Passkey(MethodId),
    /// One passkey, which was the last method that counts, and with it what [`Self::SwitchOff`] removes.
    LastPasskey(MethodId),
    /// Every method, the backup codes, trust in devices and open challenges: signing in asks for the password alone.
    SwitchOff,
    /// The code does not say which method it is for.
    NotNamed,
    /// The named method is gone.
    NoMethod,
    /// The caller has to pass a second factor that the account has.
    SecondFactorDue(SecondFactorDue),
}

/// A backup code stands in for all methods, so it removes all of them. So does removing the last one that counts: signing in would
/// ask for a second factor, and backup codes would be all that is left of it.
#[must_use]
pub fn decide(facts: &Facts<'_>, policy: &Policy, now: Timestamp) -> Removal {
    if let Err(due) = facts.manager.check_assurance(facts.account, policy, now) {
        return Removal::SecondFactorDue(due);
    }
    match (facts.factor, facts.named) {
        (Factor::BackupCode, _) => Removal::SwitchOff,
        (Factor::Totp | Factor::OneTimeCode | Factor::Passkey, None) => Removal::NotNamed,
        (Factor::Totp | Factor::OneTimeCode | Factor::Passkey, Some(id)) => {
            let is_last = facts.confirmed == [id] || facts.usable == [id];
            match (facts.passkeys.contains(&id), is_last) {
                _ if !facts.confirmed.contains(&id) => Removal::NoMethod,
                (false, true) => Removal::SwitchOff,
                (false, false) => Removal::One(id),
                (true, true) => Removal::LastPasskey(id),
                (true, false) => Removal::Passkey(id),
            }
        }
    }
}

impl Removal {
    /// What the audit trail records besides.
    #[must_use]
    pub fn further_event(self, factor: Factor) -> Option<EventKind> {
        let is_used = factor == Factor::BackupCode && self.event().is_some();
        is_used.then_some(EventKind::BackupCodeUsed)
    }

    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        match self {
            Self::One(_) => Some(Event::MethodRemoved),
            Self::Passkey(_) | Self::LastPasskey(_) => Some(Event::PasskeyRemoved),
            Self::SwitchOff => Some(Event::SecondFactorOff),
            Self::NotNamed | Self::NoMethod | Self::SecondFactorDue(_) => None,
        }
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::One(_) => Some(EventKind::MethodRemoved),
            Self::Passkey(_) => Some(EventKind::PasskeyRemoved),
            Self::SwitchOff | Self::LastPasskey(_) => Some(EventKind::TwoFactorDisabled),
            Self::NotNamed | Self::NoMethod | Self::SecondFactorDue(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::Assurance;
    use crate::decisions::fixtures::{NOW, account, assurance, method_id};

    #[test]
    fn a_passkey_is_removed_as_another_method_and_ends_what_it_has_opened() {
        let (app, passkey) = (method_id(1), method_id(2));
        let account = Account { two_factor_enabled: true, ..account() };
        for (named, usable, removal, ends, event) in [
            (passkey, &[app, passkey][..], Removal::Passkey(passkey), Event::PasskeyRemoved, EventKind::PasskeyRemoved),
            (passkey, &[passkey], Removal::LastPasskey(passkey), Event::PasskeyRemoved, EventKind::TwoFactorDisabled),
            (app, &[app, passkey], Removal::One(app), Event::MethodRemoved, EventKind::MethodRemoved),
            (app, &[app], Removal::SwitchOff, Event::SecondFactorOff, EventKind::TwoFactorDisabled),
        ] {
            let facts = Facts {
                account: &account,
                manager: &Manager::Service,
                factor: Factor::Totp,
                named: Some(named),
                confirmed: &[app, passkey],
                passkeys: &[passkey],
                usable,
            };
            let decision = decide(&facts, &Policy::default(), NOW);
            assert_eq!((decision, decision.ends(), decision.event()), (removal, Some(ends), Some(event)), "{usable:?}");
        }
    }

    #[test]
    fn every_factor_with_and_without_a_name() {
        let (one, two) = (method_id(1), method_id(2));
        for (factor, named, confirmed, removal) in [
            (Factor::Totp, Some(one), &[one, two][..], Removal::One(one)),
            (Factor::Totp, Some(one), &[one], Removal::SwitchOff),
            (Factor::OneTimeCode, Some(two), &[one, two], Removal::One(two)),
            (Factor::OneTimeCode, Some(two), &[two], Removal::SwitchOff),
            (Factor::Totp, Some(two), &[one], Removal::NoMethod),
            (Factor::Totp, Some(one), &[], Removal::NoMethod),
            (Factor::Totp, None, &[one], Removal::NotNamed),
            (Factor::OneTimeCode, None, &[one, two], Removal::NotNamed),
            (Factor::BackupCode, None, &[one, two], Removal::SwitchOff),
            (Factor::BackupCode, Some(one), &[one, two], Removal::SwitchOff),
        ] {
            let account = Account { two_factor_enabled: true, ..account() };
            let manager = &Manager::Service;
            let facts =
                Facts { account: &account, manager, factor, named, confirmed, passkeys: &[], usable: confirmed };
            let policy = Policy::default();
            assert_eq!(decide(&facts, &policy, NOW), removal, "{factor:?} {named:?} {confirmed:?}");
            for (second_factor_at, outcome) in [
                (Some(NOW), removal),
                (Some(NOW - policy.assurance_lifetime), Removal::SecondFactorDue(SecondFactorDue::Stale)),
                (None, Removal::SecondFactorDue(SecondFactorDue::Missing)),
            ] {
                let owner = Manager::Owner(Assurance { second_factor_at, ..assurance() });
                let facts = Facts { manager: &owner, ..facts };
                assert_eq!(decide(&facts, &policy, NOW), outcome, "{factor:?} {named:?} {confirmed:?}");
            }
        }
        // Of two methods only those in the second list count.
        for (named, usable, removal) in
            [(one, &[one][..], Removal::SwitchOff), (two, &[one], Removal::One(two)), (one, &[], Removal::One(one))]
        {
            let (account, manager) = (account(), &Manager::Service);
            let (named, confirmed) = (Some(named), &[one, two][..]);
            let facts =
                Facts { account: &account, manager, factor: Factor::Totp, named, confirmed, passkeys: &[], usable };
            assert_eq!(decide(&facts, &Policy::default(), NOW), removal, "{named:?} {usable:?}");
        }
        assert_eq!(Removal::SwitchOff.further_event(Factor::BackupCode), Some(EventKind::BackupCodeUsed));
        assert_eq!(Removal::SwitchOff.further_event(Factor::Totp), None);
        assert_eq!(Removal::NoMethod.further_event(Factor::BackupCode), None);
        let event = |removal: Removal| removal.event();
        assert_eq!(event(Removal::One(one)), Some(EventKind::MethodRemoved));
        assert_eq!(event(Removal::SwitchOff), Some(EventKind::TwoFactorDisabled));
        assert_eq!((event(Removal::NotNamed), event(Removal::NoMethod)), (None, None));
        assert_eq!(Removal::One(one).ends(), Some(Event::MethodRemoved));
        assert_eq!(Removal::SwitchOff.ends(), Some(Event::SecondFactorOff));
        assert_eq!((Removal::NotNamed.ends(), Removal::NoMethod.ends()), (None, None));
    }
}
