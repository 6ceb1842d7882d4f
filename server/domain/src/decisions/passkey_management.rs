//! May a passkey be registered, or removed?
//!
//! A new passkey is a way in, so that a stolen session must not be enough for one (A 7.5.1). Registering one does not switch the second
//! factor on: the wire of no dialect has a place for the backup codes that come with that.

use super::endings::Event;
use crate::account::Account;
use crate::address::MethodKind;
use crate::assurance::{FactorsRefused, Manager};
use crate::audit::EventKind;
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
    /// The account has no such passkey.
    NoPasskey,
    Refused(PasskeysRefused),
}

/// `is_there`: whether the account has the passkey. One that the tenant does not allow any more can still be removed.
#[must_use]
pub fn decide_removal(facts: &Facts<'_>, is_there: bool, policy: &Policy, now: Timestamp) -> RemovePasskey {
    match may_manage(facts.manager, facts.account, policy, now) {
        _ if !is_there => RemovePasskey::NoPasskey,
        Err(refused) => RemovePasskey::Refused(refused),
        Ok(()) => RemovePasskey::Remove,
    }
}

impl RemovePasskey {
    /// What ends with it.
    #[must_use]
    pub fn ends(self) -> Option<Event> {
        (self == Self::Remove).then_some(Event::MethodRemoved)
    }

    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        (self == Self::Remove).then_some(EventKind::PasskeyRemoved)
    }
}
