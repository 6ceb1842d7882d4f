//! Sessions: how long they live, and what they may do.

use crate::account::Account;
use crate::ids::{AccountId, SessionId};
use crate::policy::Policy;
use crate::time::Timestamp;

/// A signed-in session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its name. It opens nothing; it is also the handle by which its holder may revoke it.
    pub id: SessionId,
    /// Who is signed in.
    pub account_id: AccountId,
    /// Whether it outlives the browser and is extended while it is used.
    pub is_remembered: bool,
    /// When a second factor was last passed in it; `None` when it was opened by a password alone or from a trusted
    /// device, which proves no second factor (NIST SP 800-63B-4 §3.2.1).
    pub second_factor_at: Option<Timestamp>,
    /// The client's address when it was made; empty when unknown.
    pub ip_address: String,
    /// The client's own description when it was made; empty when unknown.
    pub user_agent: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last extended.
    pub updated_at: Timestamp,
    /// From when on it is dead.
    pub expires_at: Timestamp,
}

/// What reading a session asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Nothing.
    Keep,
    /// To extend its life.
    Extend {
        /// The new end of it.
        expires_at: Timestamp,
    },
}

impl Session {
    /// When a session made at `now` ends.
    #[must_use]
    pub fn expiry(is_remembered: bool, now: Timestamp, policy: &Policy) -> Timestamp {
        now + if is_remembered { policy.session_lifetime } else { policy.brief_session_lifetime }
    }

    /// Whether to extend it now that it is read (wire reference §6).
    #[must_use]
    pub fn refresh(&self, now: Timestamp, policy: &Policy) -> Refresh {
        if self.is_remembered && now - self.updated_at >= policy.session_refresh_age {
            Refresh::Extend { expires_at: now + policy.session_lifetime }
        } else {
            Refresh::Keep
        }
    }

    /// Whether it is young enough for what asks for a recent sign-in.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp, policy: &Policy) -> bool {
        now - self.created_at < policy.session_fresh_age
    }

    /// Whether it may change, replace or show the factors of `account`, given that the password is right: once the
    /// account has a second factor, only a session that has passed one may (attacks 26 and 27, A 7.5.1).
    #[must_use]
    pub fn may_manage_factors(&self, account: &Account) -> bool {
        self.account_id == account.id && (!account.two_factor_enabled || self.second_factor_at.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::EmailAddress;
    use crate::ids::TenantId;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn session(account_id: AccountId) -> Session {
        let now = Timestamp::from_millis(0);
        Session {
            id: SessionId::generate(now, &mut ChaCha20Rng::seed_from_u64(1)),
            account_id,
            is_remembered: true,
            second_factor_at: None,
            ip_address: String::new(),
            user_agent: String::new(),
            created_at: now,
            updated_at: now,
            expires_at: now + 7 * DAY,
        }
    }

    fn account(two_factor_enabled: bool) -> Account {
        let now = Timestamp::from_millis(0);
        Account {
            id: AccountId::generate(now, &mut ChaCha20Rng::seed_from_u64(2)),
            tenant_id: TenantId::DEFAULT,
            email: Some(EmailAddress::new("a@example.org")),
            username: None,
            phone_number: None,
            name: String::new(),
            email_verified: false,
            image: None,
            password: None,
            password_changed_at: now,
            password_change_required: false,
            is_active: true,
            expires_at: None,
            two_factor_enabled,
            credentials_version: 0,
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn a_session_is_extended_once_a_day_and_only_when_remembered() {
        let (policy, start) = (Policy::default(), Timestamp::from_millis(0));
        let session = session(account(false).id);
        assert_eq!(session.refresh(start + DAY - Duration::from_millis(1), &policy), Refresh::Keep);
        assert_eq!(session.refresh(start + DAY, &policy), Refresh::Extend { expires_at: start + 8 * DAY });
        let brief = Session { is_remembered: false, ..session };
        assert_eq!(brief.refresh(start + 3 * DAY, &policy), Refresh::Keep);
        assert!(brief.is_fresh(start, &policy) && !brief.is_fresh(start + DAY, &policy));
    }

    #[test]
    fn managing_factors_asks_for_a_second_factor_once_there_is_one_26() {
        let (without, with) = (account(false), account(true));
        let plain = session(without.id);
        assert!(plain.may_manage_factors(&without));
        assert!(!plain.may_manage_factors(&with));
        let proven = Session { second_factor_at: Some(Timestamp::from_millis(1)), ..plain };
        assert!(proven.may_manage_factors(&with));
        let stranger = Account {
            id: AccountId::generate(Timestamp::from_millis(9), &mut ChaCha20Rng::seed_from_u64(3)),
            ..without
        };
        assert!(!proven.may_manage_factors(&stranger), "36: another's factors");
    }
}
