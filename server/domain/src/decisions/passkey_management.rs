//! May a passkey be registered, or removed?
//!
//! A new passkey is a way in, so that a stolen session must not be enough for one (A 7.5.1). Registering one does not switch the second
//! factor on: the wire of no dialect has a place for the backup codes that come with that.

use super::endings::Event;
use crate::account::Account;
use crate::address::MethodKind;
use crate::assurance::{FactorsRefused, Manager};
use crate::audit::EventKind;
use crate::ids::MethodId;
use crate::policy::Policy;
use crate::tenant::Tenant;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub account: &'a Account,
    pub tenant: &'a Tenant,
    pub manager: &'a Manager,
    /// Number of passkeys that the account has.
    pub passkeys: usize,
}

/// Why an account's passkeys are not managed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeysRefused {
    Factors(FactorsRefused),
    /// The account has no second factor, and its owner has not signed in lately.
    NotFresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddPasskey {
    Add,
    /// The tenant does not allow passkeys.
    NotAllowed,
    Refused(PasskeysRefused),
    /// The account has [`Policy::passkeys_per_account`].
    TooMany,
}

/// Whether this caller may add or remove passkeys now: as other factors if there is a second factor, else so long after a sign-in as a
/// session is fresh.
///
/// # Errors
/// What is due before.
pub fn may_manage(
    manager: &Manager,
    account: &Account,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), PasskeysRefused> {
    manager.may_change_factors(account, policy, now).map_err(PasskeysRefused::Factors)?;
    if account.two_factor_enabled || manager.has_signed_in_lately(policy, now) {
        Ok(())
    } else {
        Err(PasskeysRefused::NotFresh)
    }
}

#[must_use]
pub fn decide_addition(facts: &Facts<'_>, policy: &Policy, now: Timestamp) -> AddPasskey {
    let Facts { account, tenant, manager, passkeys } = *facts;
    if !tenant.allows(MethodKind::Passkey) {
        AddPasskey::NotAllowed
    } else if let Err(refused) = may_manage(manager, account, policy, now) {
        AddPasskey::Refused(refused)
    } else if passkeys >= usize::try_from(policy.passkeys_per_account).unwrap_or(usize::MAX) {
        AddPasskey::TooMany
    } else {
        AddPasskey::Add
    }
}

impl AddPasskey {
    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        (self == Self::Add).then_some(Event::MethodAdded)
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        (self == Self::Add).then_some(EventKind::PasskeyAdded)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovePasskey {
    Remove,
    /// It was the last second factor: signing in asks for the password alone.
    RemoveAndSwitchOff,
    /// The account has no such passkey.
    NoPasskey,
    Refused(PasskeysRefused),
}

/// `removed`: those of the passkeys to be removed that the account has. One that the tenant does not allow any more can still be
/// removed. `usable`: the methods that count as its second factor, passkeys among them. Removing the last one switches the second
/// factor off, as for other methods: signing in would ask for it, and backup codes would be all that is left of it.
#[must_use]
pub fn decide_removal(
    facts: &Facts<'_>,
    removed: &[MethodId],
    usable: &[MethodId],
    policy: &Policy,
    now: Timestamp,
) -> RemovePasskey {
    let are_last = !usable.is_empty() && usable.iter().all(|id| removed.contains(id));
    match may_manage(facts.manager, facts.account, policy, now) {
        _ if removed.is_empty() => RemovePasskey::NoPasskey,
        Err(refused) => RemovePasskey::Refused(refused),
        Ok(()) if facts.account.two_factor_enabled && are_last => RemovePasskey::RemoveAndSwitchOff,
        Ok(()) => RemovePasskey::Remove,
    }
}

impl RemovePasskey {
    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        match self {
            Self::Remove | Self::RemoveAndSwitchOff => Some(Event::PasskeyRemoved),
            Self::NoPasskey | Self::Refused(_) => None,
        }
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::Remove => Some(EventKind::PasskeyRemoved),
            Self::RemoveAndSwitchOff => Some(EventKind::TwoFactorDisabled),
            Self::NoPasskey | Self::Refused(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::{Assurance, SecondFactorDue};
    use crate::decisions::fixtures::{NOW, account, assurance, method_id, tenant};
    use std::time::Duration;

    const ALL: &[MethodKind] = &MethodKind::ALL;

    fn added(account: &Account, assurance: Assurance, methods: &[MethodKind], passkeys: usize) -> AddPasskey {
        let (tenant, manager) = (tenant(methods), Manager::Owner(assurance));
        let facts = Facts { account, tenant: &tenant, manager: &manager, passkeys };
        decide_addition(&facts, &Policy::default(), NOW)
    }

    #[test]
    fn a_stolen_session_registers_and_removes_no_passkey_26_27_56() {
        let policy = Policy::default();
        let (plain, enrolled) = (account(), Account { two_factor_enabled: true, ..account() });
        let ago =
            |age: Duration, second_factor_at| Assurance { signed_in_at: NOW - age, second_factor_at, ..assurance() };
        let just_fresh = policy.session_fresh_age - Duration::from_millis(1);
        let due = |due| Err(PasskeysRefused::Factors(FactorsRefused::SecondFactorDue(due)));
        for (account, assurance, outcome) in [
            (&plain, ago(just_fresh, None), Ok(())),
            (&plain, ago(policy.session_fresh_age, None), Err(PasskeysRefused::NotFresh)),
            (&enrolled, ago(Duration::ZERO, None), due(SecondFactorDue::Missing)),
            (&enrolled, ago(policy.session_fresh_age, Some(NOW)), Ok(())),
            (&enrolled, ago(Duration::ZERO, Some(NOW - policy.assurance_lifetime)), due(SecondFactorDue::Stale)),
        ] {
            let manager = Manager::Owner(assurance);
            assert_eq!(may_manage(&manager, account, &policy, NOW), outcome, "{assurance:?}");
            let expected = outcome.map_or_else(AddPasskey::Refused, |()| AddPasskey::Add);
            assert_eq!(added(account, assurance, ALL, 0), expected, "{assurance:?}");
            let facts = Facts { account, tenant: &tenant(ALL), manager: &manager, passkeys: 1 };
            let expected = outcome.map_or_else(RemovePasskey::Refused, |()| RemovePasskey::Remove);
            assert_eq!(decide_removal(&facts, &[method_id(1)], &[], &policy, NOW), expected, "{assurance:?}");
        }
        assert_eq!(may_manage(&Manager::Service, &enrolled, &policy, NOW), Ok(()));
    }

    #[test]
    fn a_locked_account_changes_no_passkeys() {
        let until = NOW + Duration::from_secs(1);
        let locked = Account { lock_ends_at: Some(until), ..account() };
        let refused = PasskeysRefused::Factors(FactorsRefused::Locked { until });
        assert_eq!(added(&locked, assurance(), ALL, 0), AddPasskey::Refused(refused));
    }

    #[test]
    fn passkeys_are_a_few_and_as_the_tenant_allows() {
        let most = usize::try_from(Policy::default().passkeys_per_account).expect("a small number");
        for (methods, passkeys, outcome) in [
            (ALL, most - 1, AddPasskey::Add),
            (ALL, most, AddPasskey::TooMany),
            (&[MethodKind::Passkey], 0, AddPasskey::Add),
            (&[MethodKind::Authenticator], 0, AddPasskey::NotAllowed),
        ] {
            assert_eq!(added(&account(), assurance(), methods, passkeys), outcome, "{methods:?} {passkeys}");
        }
    }

    #[test]
    fn a_passkey_that_the_tenant_does_not_allow_any_more_can_be_removed_and_one_that_is_not_there_cannot() {
        let (account, manager) = (account(), Manager::Owner(assurance()));
        let tenant = tenant(&[MethodKind::Authenticator]);
        let facts = Facts { account: &account, tenant: &tenant, manager: &manager, passkeys: 1 };
        for (removed, outcome, ends, event) in [
            (&[method_id(1)][..], RemovePasskey::Remove, Some(Event::PasskeyRemoved), Some(EventKind::PasskeyRemoved)),
            (&[], RemovePasskey::NoPasskey, None, None),
        ] {
            let decision = decide_removal(&facts, removed, &[], &Policy::default(), NOW);
            assert_eq!((decision, decision.ends(), decision.event()), (outcome, ends, event));
        }
        // The last second factor of an account.
        let enrolled = Account { two_factor_enabled: true, ..account.clone() };
        let manager = Manager::Owner(Assurance { second_factor_at: Some(NOW), ..assurance() });
        let (one, two) = (method_id(1), method_id(2));
        let off = RemovePasskey::RemoveAndSwitchOff;
        for (account, removed, usable, outcome) in [
            (&enrolled, &[one][..], &[one][..], off),
            (&enrolled, &[one], &[one, two], RemovePasskey::Remove),
            (&enrolled, &[one], &[two], RemovePasskey::Remove),
            (&enrolled, &[one], &[], RemovePasskey::Remove),
            (&enrolled, &[one, two], &[two], off),
            (&enrolled, &[one, two], &[one, two], off),
            (&account, &[one], &[one], RemovePasskey::Remove),
        ] {
            let facts = Facts { account, manager: &manager, ..facts };
            let decision = decide_removal(&facts, removed, usable, &Policy::default(), NOW);
            assert_eq!(decision, outcome, "{removed:?} of {usable:?}");
        }
        assert_eq!((off.ends(), off.event()), (Some(Event::PasskeyRemoved), Some(EventKind::TwoFactorDisabled)));
        let (add, no) = (AddPasskey::Add, AddPasskey::TooMany);
        assert_eq!((add.ends(), add.event()), (Some(Event::MethodAdded), Some(EventKind::PasskeyAdded)));
        assert_eq!((no.ends(), no.event()), (None, None));
    }
}
