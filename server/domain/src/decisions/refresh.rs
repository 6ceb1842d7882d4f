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

/// A remembered session is extended when it is read a day after the last time (wire reference §6).
#[must_use]
pub fn refresh_session(session: &Session, policy: &Policy, now: Timestamp) -> SessionRefresh {
    if session.is_remembered && now - session.updated_at >= policy.session_refresh_age {
        SessionRefresh::Extend { expires_at: now + policy.session_lifetime }
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefresh {
    Rotated,
    /// It was used before, so two parties have it: every token of the same sign-in ends (RFC 9700 §4.14.2).
    Reused,
    Refused,
}

#[must_use]
pub fn refresh_token(facts: &TokenFacts<'_>, now: Timestamp) -> TokenRefresh {
    match (facts.token, facts.account) {
        (TokenState::Used, _) => TokenRefresh::Reused,
        (TokenState::Claimed, Some((account, login_policy)))
            if account.unusable(now).is_none()
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
    fn a_session_is_extended_once_a_day_and_only_when_remembered() {
        let policy = Policy::default();
        let almost = Duration::from_millis(1);
        for (is_remembered, age, outcome) in [
            (true, DAY - almost, SessionRefresh::Keep),
            (true, DAY, SessionRefresh::Extend { expires_at: NOW + DAY + policy.session_lifetime }),
            (false, 3 * DAY, SessionRefresh::Keep),
        ] {
            let session = Session { is_remembered, ..live_session() };
            assert_eq!(refresh_session(&session, &policy, NOW + age), outcome, "{is_remembered} {age:?}");
        }
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
            let outcome_is = refresh_token(&TokenFacts { token, account }, NOW);
            assert_eq!(outcome_is, outcome, "{token:?} {account:?}");
        }
        assert_eq!(TokenRefresh::Rotated.event(), Some(EventKind::TokenRefreshed));
        assert_eq!(TokenRefresh::Reused.event(), Some(EventKind::RefreshTokenReused));
        assert_eq!(TokenRefresh::Refused.event(), None);
    }
}
