//! Whether a link is mailed, and whether the holder of one may do what it is for.
//!
//! A link shows that its holder reads the mail of an address. It stands in for no second factor: what it opens is decided by
//! [`super::sign_in`], and what an owner changes by one needs a fresh second factor where there is one.

use crate::account::{Account, Unusable};
use crate::assurance::{FactorsRefused, Manager};
use crate::audit::EventKind;
use crate::policy::Policy;
use crate::time::Timestamp;

/// What a mailed link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new password, at the wish of anybody who knows the address.
    ResetPassword,
    /// To prove the address, at the wish of anybody who knows it.
    VerifyAddress,
    /// To prove the address that takes the place of the account's, at its owner's wish.
    ChangeAddress,
    /// To delete the account, at its owner's wish.
    DeleteAccount,
    /// To sign in without a password, at the wish of anybody who knows a name of the account.
    SignIn,
}

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub purpose: Purpose,
    /// The account, if there is one.
    pub account: Option<&'a Account>,
    /// The owner, if the request was made in a session of the account.
    pub manager: Option<Manager>,
    /// Whether it is mailed; if not, a service delivers it in another way.
    pub is_mailed: bool,
    /// Whether the account, or the one that has yet to prove the address, was mailed as many links as it may be.
    pub is_exhausted: bool,
    /// Whether the address that is to take the place of the account's is another account's.
    pub is_taken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailedLink {
    /// It is stored, and mailed if it was to be.
    Sent,
    /// Nothing is sent, and a caller who is not the owner is not to learn it (attack 44).
    NotSent(NotSent),
    /// The owner may not change this now.
    Refused(FactorsRefused),
    /// The owner has to sign in again: a second factor would show who uses the session, and there is none.
    SignInDue,
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The operator lets nobody do this by mail.
    SwitchedOff,
    NoAccount,
    Unusable,
    /// The account has no address.
    NoAddress,
    /// The address is proved already.
    AlreadyVerified,
    /// The address is another account's.
    Taken,
    Exhausted,
}

#[must_use]
pub fn decide(facts: &Facts<'_>, policy: &Policy, now: Timestamp) -> MailedLink {
    let Facts { purpose, account, manager, is_mailed, is_exhausted, is_taken } = *facts;
    if purpose == Purpose::SignIn && !policy.signs_in_by_mail {
        return MailedLink::NotSent(NotSent::SwitchedOff);
    }
    let Some(account) = account else { return MailedLink::NotSent(NotSent::NoAccount) };
    if account.unusable(now).is_some() {
        return MailedLink::NotSent(NotSent::Unusable);
    }
    let refused = match (purpose, manager) {
        (Purpose::ResetPassword | Purpose::VerifyAddress | Purpose::SignIn, _) => None,
        (Purpose::ChangeAddress | Purpose::DeleteAccount, None) => return MailedLink::NotSent(NotSent::NoAccount),
        (Purpose::ChangeAddress | Purpose::DeleteAccount, Some(manager)) => {
            manager.may_change_factors(account, policy, now).err()
        }
    };
    if let Some(refused) = refused {
        return MailedLink::Refused(refused);
    }
    let is_stale = || !manager.is_some_and(|manager| manager.has_signed_in_lately(policy, now));
    let needs_address = match purpose {
        Purpose::VerifyAddress => true,
        Purpose::ResetPassword | Purpose::SignIn => is_mailed,
        Purpose::ChangeAddress | Purpose::DeleteAccount => false,
    };
    match purpose {
        _ if needs_address && account.email.is_none() => MailedLink::NotSent(NotSent::NoAddress),
        Purpose::ChangeAddress if !account.two_factor_enabled && is_stale() => MailedLink::SignInDue,
        Purpose::VerifyAddress if account.email_verified => MailedLink::NotSent(NotSent::AlreadyVerified),
        Purpose::ChangeAddress if is_taken => MailedLink::NotSent(NotSent::Taken),
        _ if is_exhausted => MailedLink::NotSent(NotSent::Exhausted),
        _ => MailedLink::Sent,
    }
}

/// What comes of a link that is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkUse {
    Allowed,
    /// The operator lets nobody do this by mail any more.
    SwitchedOff,
    Unusable(Unusable),
    /// The account is locked, and its factors would follow the address.
    Locked {
        until: Timestamp,
    },
}

/// Whether a link may be used. The links of an account that is not usable are refused but not consumed, and work again once the
/// account is usable, if they have not expired. A lock after wrong codes does not prevent a new password, which resets no count; it
/// prevents a new address. A sign-in meets the lock at the second factor, as after a password.
#[must_use]
pub fn decide_use(purpose: Purpose, account: &Account, policy: &Policy, now: Timestamp) -> LinkUse {
    if purpose == Purpose::SignIn && !policy.signs_in_by_mail {
        return LinkUse::SwitchedOff;
    }
    if let Some(why) = account.unusable(now) {
        return LinkUse::Unusable(why);
    }
    match (purpose, account.locked_until(policy, now)) {
        (Purpose::ChangeAddress | Purpose::DeleteAccount, Some(until)) => LinkUse::Locked { until },
        (Purpose::ChangeAddress | Purpose::DeleteAccount, None)
        | (Purpose::ResetPassword | Purpose::VerifyAddress | Purpose::SignIn, _) => LinkUse::Allowed,
    }
}

impl Purpose {
    /// What the audit trail records of a request, whether something is sent or not.
    #[must_use]
    pub const fn asked(self) -> EventKind {
        match self {
            Self::ResetPassword => EventKind::PasswordResetAsked,
            Self::VerifyAddress => EventKind::VerificationAsked,
            Self::ChangeAddress => EventKind::AddressChangeAsked,
            Self::DeleteAccount => EventKind::DeletionAsked,
            Self::SignIn => EventKind::SignInLinkAsked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assurance::{Assurance, SecondFactorDue};
    use crate::decisions::fixtures::{NOW, account, assurance};
    use std::time::Duration;

    const ALL: [Purpose; 5] = [
        Purpose::ResetPassword,
        Purpose::VerifyAddress,
        Purpose::ChangeAddress,
        Purpose::DeleteAccount,
        Purpose::SignIn,
    ];

    fn facts(account: Option<&Account>) -> Facts<'_> {
        let manager = Some(Manager::Owner(assurance()));
        let purpose = Purpose::ResetPassword;
        Facts { purpose, account, manager, is_mailed: true, is_exhausted: false, is_taken: false }
    }

    #[test]
    fn every_purpose_with_every_account_and_every_reason() {
        use MailedLink::{NotSent as Not, Refused, Sent};
        let policy = Policy::default();
        let until = NOW + Duration::from_secs(60);
        let plain = account();
        let inactive = Account { is_active: false, ..account() };
        let verified = Account { email_verified: true, ..account() };
        let enrolled = Account { two_factor_enabled: true, ..account() };
        let locked = Account { lock_ends_at: Some(until), ..account() };
        let (none, unusable) = (Not(NotSent::NoAccount), Not(NotSent::Unusable));
        let missing = Refused(FactorsRefused::SecondFactorDue(SecondFactorDue::Missing));
        let stopped = Refused(FactorsRefused::Locked { until });
        let (taken, exhausted) = (Not(NotSent::Taken), Not(NotSent::Exhausted));
        let row = |account: Option<&Account>, change: fn(&mut Facts<'_>)| {
            ALL.map(|purpose| {
                let mut facts = Facts { purpose, ..facts(account) };
                change(&mut facts);
                decide(&facts, &policy, NOW)
            })
        };
        assert_eq!(row(None, |_| {}), [none; 5]);
        assert_eq!(row(Some(&inactive), |_| {}), [unusable; 5]);
        assert_eq!(row(Some(&plain), |_| {}), [Sent; 5]);
        assert_eq!(row(Some(&verified), |_| {}), [Sent, Not(NotSent::AlreadyVerified), Sent, Sent, Sent]);
        assert_eq!(row(Some(&enrolled), |_| {}), [Sent, Sent, missing, missing, Sent]);
        assert_eq!(row(Some(&locked), |_| {}), [Sent, Sent, stopped, stopped, Sent]);
        assert_eq!(row(Some(&plain), |facts| facts.manager = None), [Sent, Sent, none, none, Sent]);
        assert_eq!(row(Some(&plain), |facts| facts.is_taken = true), [Sent, Sent, taken, Sent, Sent]);
        assert_eq!(row(Some(&plain), |facts| facts.is_exhausted = true), [exhausted; 5]);
        let nameless = Account { email: None, ..account() };
        let nowhere = Not(NotSent::NoAddress);
        assert_eq!(row(Some(&nameless), |_| {}), [nowhere, nowhere, Sent, Sent, nowhere]);
        assert_eq!(row(Some(&nameless), |facts| facts.is_mailed = false), [Sent, nowhere, Sent, Sent, Sent]);
        let off = Policy { signs_in_by_mail: false, ..Policy::default() };
        let by_mail = Facts { purpose: Purpose::SignIn, ..facts(Some(&plain)) };
        assert_eq!(decide(&by_mail, &off, NOW), Not(NotSent::SwitchedOff));
        assert_eq!(decide(&facts(Some(&plain)), &off, NOW), Sent);
        let fresh = |facts: &mut Facts<'_>| {
            facts.manager = Some(Manager::Owner(Assurance { second_factor_at: Some(NOW), ..assurance() }));
        };
        assert_eq!(row(Some(&enrolled), fresh), [Sent; 5]);
        // The link that deletes goes to the account's own address, and so shows more than a session.
        let long_ago = |second_factor_at| {
            let signed_in_at = NOW - policy.session_fresh_age;
            Some(Manager::Owner(Assurance { signed_in_at, second_factor_at, ..assurance() }))
        };
        let stale = |account, purpose| {
            let facts = Facts { purpose, manager: long_ago(Some(NOW)), ..facts(Some(account)) };
            decide(&facts, &policy, NOW)
        };
        assert_eq!(ALL.map(|purpose| stale(&plain, purpose)), [Sent, Sent, MailedLink::SignInDue, Sent, Sent]);
        assert_eq!(ALL.map(|purpose| stale(&enrolled, purpose)), [Sent; 5]);
    }

    #[test]
    fn a_lock_stops_a_new_address_and_no_new_password() {
        let policy = Policy::default();
        let until = NOW + Duration::from_secs(60);
        let locked = Account { lock_ends_at: Some(until), ..account() };
        let inactive = Account { is_active: false, ..account() };
        let row = |account: &Account| ALL.map(|purpose| decide_use(purpose, account, &policy, NOW));
        assert_eq!(row(&account()), [LinkUse::Allowed; 5]);
        assert_eq!(row(&inactive), [LinkUse::Unusable(Unusable::Inactive); 5]);
        let suspended = Account { suspended_until: Some(until), ..account() };
        assert_eq!(row(&suspended), [LinkUse::Unusable(Unusable::Suspended { until }); 5]);
        let over = Account { suspended_until: Some(NOW), ..account() };
        assert_eq!(row(&over), [LinkUse::Allowed; 5]);
        let (allowed, stopped) = (LinkUse::Allowed, LinkUse::Locked { until });
        assert_eq!(row(&locked), [allowed, allowed, stopped, stopped, allowed]);
        let off = Policy { signs_in_by_mail: false, ..Policy::default() };
        assert_eq!(decide_use(Purpose::SignIn, &account(), &off, NOW), LinkUse::SwitchedOff);
        assert_eq!(decide_use(Purpose::ResetPassword, &account(), &off, NOW), LinkUse::Allowed);
    }

    #[test]
    fn each_purpose_has_an_event_of_its_own() {
        let events = ALL.map(Purpose::asked).map(EventKind::name);
        let distinct: std::collections::HashSet<_> = events.into_iter().collect();
        assert_eq!(distinct.len(), ALL.len());
    }
}
