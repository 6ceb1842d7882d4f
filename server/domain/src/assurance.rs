//! How strongly a caller has authenticated, and how long ago, whatever credential says so.

use crate::account::Account;
use crate::ids::AccountId;
use crate::jwt::Claims;
use crate::policy::Policy;
use crate::session::Session;
use crate::time::Timestamp;

/// Account and time of the last second factor, read from a session or an access token alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assurance {
    pub account_id: AccountId,
    pub signed_in_at: Timestamp,
    /// `None` after a password alone or a trusted device, which is no second factor (NIST SP 800-63B-4 §3.2.1).
    pub second_factor_at: Option<Timestamp>,
    /// Version of the account's factors that the second factor was one of.
    pub factors_version: i64,
}

impl Assurance {
    /// The assurance of a session, as it was read together with its account.
    #[must_use]
    pub fn of_session(session: &Session, account: &Account) -> Self {
        Self {
            account_id: session.account_id,
            signed_in_at: session.created_at,
            second_factor_at: session.second_factor_at,
            factors_version: account.factors_version,
        }
    }

    /// The assurance of an access token's holder; the time of the second factor is that of the sign-in (`auth_time`).
    #[must_use]
    pub fn of_claims(claims: &Claims) -> Option<Self> {
        let signed_in_at = Timestamp::from_millis(claims.auth_time.saturating_mul(1000));
        let second_factor_at = claims.has_second_factor().then_some(signed_in_at);
        let factors_version = claims.factors_version;
        claims.account_id().map(|account_id| Self { account_id, signed_in_at, second_factor_at, factors_version })
    }
}

/// Why a second factor has to be passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorDue {
    /// None was passed, or one that the account does not have any more.
    Missing,
    /// It was passed longer ago than [`Policy::assurance_lifetime`].
    Stale,
}

/// Why an account's second factors are not managed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorsRefused {
    SecondFactorDue(SecondFactorDue),
    /// The account is locked.
    Locked {
        until: Timestamp,
    },
}

/// Who manages an account's second factors or its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// The account's owner, by a session or an access token.
    Owner(Assurance),
    /// A service with an API key, which acts as an administrator.
    Service,
}

impl Manager {
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Service)
    }

    /// Whether this caller may add, replace, show or remove the account's second factors now: what [`Self::check_assurance`] asks,
    /// and while the account is locked nothing. Somebody guesses then, and no code is accepted from anybody; what a session or a token
    /// has proved before is no exception. An owner who is locked by somebody else changes the password, which ends the lock. A service
    /// is not stopped, because it may lift the lock.
    ///
    /// # Errors
    /// What is due before, or until when the account is locked.
    pub fn may_change_factors(&self, account: &Account, policy: &Policy, now: Timestamp) -> Result<(), FactorsRefused> {
        self.check_assurance(account, policy, now).map_err(FactorsRefused::SecondFactorDue)?;
        match account.locked_until(policy, now) {
            Some(until) if !self.is_service() => Err(FactorsRefused::Locked { until }),
            _ => Ok(()),
        }
    }

    /// Whether an owner has signed in lately: so long as a session is fresh.
    #[must_use]
    pub fn has_signed_in_lately(&self, policy: &Policy, now: Timestamp) -> bool {
        match self {
            Self::Owner(assurance) => now < assurance.signed_in_at + policy.session_fresh_age,
            Self::Service => true,
        }
    }

    /// Whether this caller is assured enough for changes to credentials: once there is a second factor, only an owner who has
    /// passed one lately is (attacks 26 and 27, A 7.5.1). Where factors are changed or shown, [`Self::may_change_factors`] decides.
    ///
    /// # Errors
    /// What is due before.
    pub fn check_assurance(&self, account: &Account, policy: &Policy, now: Timestamp) -> Result<(), SecondFactorDue> {
        let Self::Owner(assurance) = self else { return Ok(()) };
        if assurance.account_id != account.id {
            return Err(SecondFactorDue::Missing);
        }
        if !account.two_factor_enabled {
            return Ok(());
        }
        match assurance.second_factor_at {
            Some(at) if assurance.factors_version == account.factors_version => {
                if now < at + policy.assurance_lifetime { Ok(()) } else { Err(SecondFactorDue::Stale) }
            }
            _ => Err(SecondFactorDue::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, account, assurance};
    use std::time::Duration;

    #[test]
    fn managing_factors_asks_for_a_second_factor_once_there_is_one_26_27_36() {
        let (plain, enrolled) = (account(), Account { two_factor_enabled: true, ..account() });
        let renewed = Account { factors_version: 1, ..enrolled.clone() };
        let owner = |second_factor_at| Manager::Owner(Assurance { second_factor_at, ..assurance() });
        let stranger = Account { id: crate::decisions::fixtures::other_account_id(), ..account() };
        let policy = Policy::default();
        let (missing, stale) = (Err(SecondFactorDue::Missing), Err(SecondFactorDue::Stale));
        let ago = |duration| owner(Some(NOW - duration));
        let almost = policy.assurance_lifetime - Duration::from_millis(1);
        for (manager, account, outcome) in [
            (owner(None), &plain, Ok(())),
            (owner(None), &enrolled, missing),
            (owner(Some(NOW)), &enrolled, Ok(())),
            (ago(almost), &enrolled, Ok(())),
            (ago(policy.assurance_lifetime), &enrolled, stale),
            (ago(policy.assurance_lifetime), &plain, Ok(())),
            (owner(Some(NOW)), &renewed, missing),
            (owner(Some(NOW)), &stranger, missing),
            (Manager::Service, &plain, Ok(())),
            (Manager::Service, &enrolled, Ok(())),
        ] {
            let row = format!("{manager:?} {} {}", account.two_factor_enabled, account.factors_version);
            assert_eq!(manager.check_assurance(account, &policy, NOW), outcome, "{row}");
            let due = outcome.map_err(FactorsRefused::SecondFactorDue);
            assert_eq!(manager.may_change_factors(account, &policy, NOW), due, "{row}");
        }
    }

    #[test]
    fn a_lock_stops_owners_and_no_service() {
        let policy = Policy::default();
        let second = Duration::from_secs(1);
        let owner = Manager::Owner(Assurance { second_factor_at: Some(NOW), ..assurance() });
        let plain = Manager::Owner(assurance());
        let due = FactorsRefused::SecondFactorDue(SecondFactorDue::Missing);
        let level = NOW + policy.account_guesses.capacity();
        let until = NOW + second;
        let next_guess = NOW + policy.account_guesses.interval;
        for (lock_ends_at, guess_level, locked) in [
            (Some(until), None, Some(until)),
            (Some(NOW), None, None),
            (None, Some(level), Some(next_guess)),
            (Some(until), Some(level), Some(next_guess)),
            (None, Some(level - policy.account_guesses.interval), None),
        ] {
            let account = Account { two_factor_enabled: true, lock_ends_at, guess_level, ..account() };
            let by_service = Account { lock_ends_at: None, suspended_until: lock_ends_at, ..account.clone() };
            let outcome = locked.map_or(Ok(()), |until| Err(FactorsRefused::Locked { until }));
            assert_eq!(owner.may_change_factors(&account, &policy, NOW), outcome);
            assert_eq!(owner.may_change_factors(&by_service, &policy, NOW), outcome);
            assert_eq!(plain.may_change_factors(&account, &policy, NOW), Err(due));
            assert_eq!(Manager::Service.may_change_factors(&account, &policy, NOW), Ok(()));
            assert_eq!(owner.check_assurance(&account, &policy, NOW), Ok(()), "the password is changed all the same");
        }
    }
}
