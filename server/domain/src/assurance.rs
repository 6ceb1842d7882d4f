//! How strongly a caller has authenticated, whatever credential says so.

use crate::account::Account;
use crate::ids::AccountId;
use crate::jwt::Claims;
use crate::session::Session;
use crate::time::Timestamp;

/// Account and time of the last second factor, read from a session or an access token alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assurance {
    pub account_id: AccountId,
    /// `None` after a password alone or a trusted device, which is no second factor (NIST SP 800-63B-4 §3.2.1).
    pub second_factor_at: Option<Timestamp>,
}

impl From<&Session> for Assurance {
    fn from(session: &Session) -> Self {
        Self { account_id: session.account_id, second_factor_at: session.second_factor_at }
    }
}

impl Assurance {
    /// The assurance of an access token's holder; the time of the second factor is that of the sign-in (`auth_time`).
    #[must_use]
    pub fn of_claims(claims: &Claims) -> Option<Self> {
        let signed_in_at = Timestamp::from_millis(claims.auth_time.saturating_mul(1000));
        let second_factor_at = claims.has_second_factor().then_some(signed_in_at);
        claims.account_id().map(|account_id| Self { account_id, second_factor_at })
    }
}

/// Who manages an account's second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// The account's owner, by a session or an access token.
    Owner(Assurance),
    /// A service with an API key, which acts as an administrator.
    Service,
}

impl Manager {
    /// Whether this caller may change, replace or show the account's second factors: once there is one, only an owner
    /// who has passed one may (attacks 26 and 27, A 7.5.1).
    #[must_use]
    pub fn may_manage_factors(&self, account: &Account) -> bool {
        match self {
            Self::Service => true,
            Self::Owner(assurance) => {
                assurance.account_id == account.id
                    && (!account.two_factor_enabled || assurance.second_factor_at.is_some())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, account};

    #[test]
    fn managing_factors_asks_for_a_second_factor_once_there_is_one_26_27_36() {
        let (plain, enrolled) = (account(), Account { two_factor_enabled: true, ..account() });
        let owner = |second_factor_at| Manager::Owner(Assurance { account_id: plain.id, second_factor_at });
        let stranger = Account { id: crate::decisions::fixtures::other_account_id(), ..account() };
        for (manager, account, allowed) in [
            (owner(None), &plain, true),
            (owner(None), &enrolled, false),
            (owner(Some(NOW)), &enrolled, true),
            (owner(Some(NOW)), &stranger, false),
            (Manager::Service, &plain, true),
            (Manager::Service, &enrolled, true),
        ] {
            assert_eq!(manager.may_manage_factors(account), allowed, "{manager:?} {}", account.two_factor_enabled);
        }
    }
}
