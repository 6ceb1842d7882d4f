//! Whether a session or a refresh token is renewed.

use super::sign_in::{Demand, demand};
use crate::account::Account;
use crate::audit::EventKind;
use crate::policy::Policy;
use crate::session::Session;
use crate::tenant::LoginPolicy;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRefresh {
    Keep,
    Extend { expires_at: Timestamp },
}

/// A session is extended when it is read a while after the last time (wire reference §6), up to its absolute end.
#[must_use]
pub fn refresh_session(session: &Session, policy: &Policy, now: Timestamp) -> SessionRefresh {
    let expires_at = Session::expiry(session.is_remembered, session.signed_in_at, now, policy);
    if now - session.updated_at >= policy.session_refresh_age() && expires_at > session.expires_at {
        SessionRefresh::Extend { expires_at }
    } else {
        SessionRefresh::Keep
    }
}

/// State of a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It was live and this use has claimed it.
    Claimed,
    Used,
    /// Unknown or expired.
    Gone,
}

#[derive(Clone, Copy, Debug)]
pub struct TokenFacts<'a> {
    pub token: TokenState,
    /// The account and its tenant's policy; `None` if the token is not claimed.
    pub account: Option<(&'a Account, LoginPolicy)>,
    /// Version of the credentials that it was opened under.
    pub credentials_version: i64,
    /// Time of the sign-in that it goes back to.
    pub signed_in_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefresh {
    Rotated,
    /// It was used before, so two parties have it: every token of the same sign-in ends (RFC 9700 §4.14.2).
    Reused,
    Refused,
}

#[must_use]
pub fn refresh_token(facts: &TokenFacts<'_>, policy: &Policy, now: Timestamp) -> TokenRefresh {
    match (facts.token, facts.account) {
        (TokenState::Used, _) => TokenRefresh::Reused,
        (TokenState::Claimed, Some((account, login_policy)))
            if account.unusable(now).is_none()
                && account.credentials_version == facts.credentials_version
                && now < facts.signed_in_at + policy.refresh_token_absolute_lifetime
                && demand(login_policy, account.two_factor_enabled) != Demand::Enrolment =>
        {
            TokenRefresh::Rotated
        }
        (TokenState::Claimed | TokenState::Gone, _) => TokenRefresh::Refused,
    }
}

impl TokenRefresh {
    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::Rotated => Some(EventKind::TokenRefreshed),
            Self::Reused => Some(EventKind::RefreshTokenReused),
            Self::Refused => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, account, live_session};
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn a_session_is_extended_once_a_day_up_to_its_end() {
        let policy = Policy::default();
        let almost = Duration::from_millis(1);
        for (is_remembered, age, outcome) in [
            (true, DAY - almost, SessionRefresh::Keep),
            (true, DAY, SessionRefresh::Extend { expires_at: NOW + DAY + policy.session_lifetime }),
            (true, 26 * DAY, SessionRefresh::Extend { expires_at: NOW + 30 * DAY }),
            (false, 3 * DAY, SessionRefresh::Keep),
        ] {
            let session = Session { is_remembered, ..live_session() };
            assert_eq!(refresh_session(&session, &policy, NOW + age), outcome, "{is_remembered} {age:?}");
        }
        let at_its_end = Session { expires_at: NOW + 30 * DAY, ..live_session() };
        assert_eq!(refresh_session(&at_its_end, &policy, NOW + 29 * DAY), SessionRefresh::Keep);
    }

    #[test]
    fn every_token_with_every_account() {
        let (usable, inactive) = (account(), Account { is_active: false, ..account() });
        let enrolled = Account { two_factor_enabled: true, ..account() };
        use LoginPolicy::{Disabled, Enabled, Required};
        for (token, account, outcome) in [
            (TokenState::Claimed, Some((&usable, Enabled)), TokenRefresh::Rotated),
            (TokenState::Claimed, Some((&usable, Disabled)), TokenRefresh::Rotated),
            (TokenState::Claimed, Some((&usable, Required)), TokenRefresh::Refused),
            (TokenState::Claimed, Some((&enrolled, Required)), TokenRefresh::Rotated),
            (TokenState::Claimed, Some((&inactive, Enabled)), TokenRefresh::Refused),
            (TokenState::Claimed, None, TokenRefresh::Refused),
            (TokenState::Used, None, TokenRefresh::Reused),
            (TokenState::Used, Some((&inactive, Enabled)), TokenRefresh::Reused),
            (TokenState::Gone, None, TokenRefresh::Refused),
        ] {
            let facts = TokenFacts { token, account, credentials_version: 0, signed_in_at: NOW };
            assert_eq!(refresh_token(&facts, &Policy::default(), NOW), outcome, "{token:?} {account:?}");
        }
        let facts = TokenFacts {
            token: TokenState::Claimed,
            account: Some((&usable, Enabled)),
            credentials_version: 0,
            signed_in_at: NOW,
        };
        for (credentials_version, age, outcome) in [
            (0, 89 * DAY, TokenRefresh::Rotated),
            (0, 90 * DAY, TokenRefresh::Refused),
            (1, Duration::ZERO, TokenRefresh::Refused),
        ] {
            let facts = TokenFacts { credentials_version, ..facts };
            assert_eq!(refresh_token(&facts, &Policy::default(), NOW + age), outcome, "{credentials_version} {age:?}");
        }
        assert_eq!(TokenRefresh::Rotated.event(), Some(EventKind::TokenRefreshed));
        assert_eq!(TokenRefresh::Reused.event(), Some(EventKind::RefreshTokenReused));
        assert_eq!(TokenRefresh::Refused.event(), None);
    }
}
