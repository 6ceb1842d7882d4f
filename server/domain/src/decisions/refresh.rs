//! Whether a session or a refresh token is renewed.

use super::sign_in::{Demand, demand};
use crate::account::Account;
use crate::audit::EventKind;
use crate::policy::Policy;
use crate::session::Session;
use crate::tenant::{LoginPolicy, RefreshTokenUsage};
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

/// Whether a session that is used at `now` is marked as used: not each time, because that would be a write for each request.
#[must_use]
pub fn notes_use(session: &Session, policy: &Policy, now: Timestamp) -> bool {
    now >= session.last_used_at + policy.session_use_interval
}

/// State of a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    Live,
    /// A token that was good for one use took its place.
    Used {
        at: Timestamp,
        successor: Successor,
    },
    /// Unknown or expired.
    Gone,
}

/// State of the token that took the place of a used one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Successor {
    Live,
    Used,
    /// Not known: it expired, or a node of the version before made it.
    Gone,
}

#[derive(Clone, Copy, Debug)]
pub struct TokenFacts<'a> {
    pub token: TokenState,
    pub usage: RefreshTokenUsage,
    /// The account and its tenant's policy; `None` if the token is gone.
    pub account: Option<(&'a Account, LoginPolicy)>,
    /// Version of the credentials that it was opened under.
    pub credentials_version: i64,
    /// Time of the sign-in that it goes back to.
    pub signed_in_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefresh {
    /// It stays good, for its lifetime from now.
    Renewed,
    /// Its successor takes its place.
    Rotated,
    /// Its successor took its place a moment ago, for a request that was sent at the same time, and is what this one gets, too.
    Repeated,
    /// The same, but the successor has been used meanwhile: what is said about the successor holds for this one.
    Superseded,
    /// It was used before, so two parties have it: every token of the same sign-in ends (RFC 9700 §4.14.2).
    Reused,
    Refused,
}

#[must_use]
pub fn refresh_token(facts: &TokenFacts<'_>, policy: &Policy, now: Timestamp) -> TokenRefresh {
    let is_usable = facts.account.is_some_and(|(account, login_policy)| {
        account.unusable(now).is_none()
            && account.credentials_version == facts.credentials_version
            && now < facts.signed_in_at + policy.refresh_token_absolute_lifetime
            && demand(login_policy, account.two_factor_enabled) != Demand::Enrolment
    });
    match facts.token {
        TokenState::Used { at, .. } if now >= at + policy.refresh_token_grace => TokenRefresh::Reused,
        TokenState::Used { successor: Successor::Gone, .. } => TokenRefresh::Reused,
        TokenState::Live | TokenState::Used { .. } if !is_usable => TokenRefresh::Refused,
        TokenState::Used { successor: Successor::Live, .. } => TokenRefresh::Repeated,
        TokenState::Used { successor: Successor::Used, .. } => TokenRefresh::Superseded,
        TokenState::Live => match facts.usage {
            RefreshTokenUsage::Reusable => TokenRefresh::Renewed,
            RefreshTokenUsage::OneTimeUse => TokenRefresh::Rotated,
        },
        TokenState::Gone => TokenRefresh::Refused,
    }
}

impl TokenRefresh {
    #[must_use]
    pub fn event(self) -> Option<EventKind> {
        match self {
            Self::Renewed | Self::Rotated | Self::Repeated => Some(EventKind::TokenRefreshed),
            Self::Reused => Some(EventKind::RefreshTokenReused),
            Self::Superseded | Self::Refused => None,
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
    fn the_use_of_a_session_is_noted_every_five_minutes() {
        let (policy, moment) = (Policy::default(), Duration::from_millis(1));
        let interval = policy.session_use_interval;
        assert_eq!(interval, Duration::from_secs(300));
        for (age, is_noted) in [(Duration::ZERO, false), (interval - moment, false), (interval, true), (DAY, true)] {
            assert_eq!(notes_use(&live_session(), &policy, NOW + age), is_noted, "{age:?}");
        }
        let ahead = Session { last_used_at: NOW + DAY, ..live_session() };
        assert!(!notes_use(&ahead, &policy, NOW), "by a node whose clock is ahead");
    }

    #[test]
    fn every_token_with_every_account_under_every_usage() {
        use LoginPolicy::{Disabled, Enabled, Required};
        use RefreshTokenUsage::{OneTimeUse, Reusable};
        let policy = Policy::default();
        let (usable, inactive) = (account(), Account { is_active: false, ..account() });
        let enrolled = Account { two_factor_enabled: true, ..account() };
        let (second, grace) = (Duration::from_secs(1), policy.refresh_token_grace);
        let used = |age, successor| TokenState::Used { at: NOW - age, successor };
        let of = |usage| match usage {
            Reusable => TokenRefresh::Renewed,
            OneTimeUse => TokenRefresh::Rotated,
        };
        for usage in RefreshTokenUsage::ALL {
            for (token, account, outcome) in [
                (TokenState::Live, Some((&usable, Enabled)), of(usage)),
                (TokenState::Live, Some((&usable, Disabled)), of(usage)),
                (TokenState::Live, Some((&usable, Required)), TokenRefresh::Refused),
                (TokenState::Live, Some((&enrolled, Required)), of(usage)),
                (TokenState::Live, Some((&inactive, Enabled)), TokenRefresh::Refused),
                (TokenState::Live, None, TokenRefresh::Refused),
                (used(second, Successor::Live), Some((&usable, Enabled)), TokenRefresh::Repeated),
                (used(second, Successor::Used), Some((&usable, Enabled)), TokenRefresh::Superseded),
                (used(second, Successor::Gone), Some((&usable, Enabled)), TokenRefresh::Reused),
                (used(second, Successor::Live), Some((&inactive, Enabled)), TokenRefresh::Refused),
                (used(second, Successor::Used), Some((&usable, Required)), TokenRefresh::Refused),
                (used(grace - second, Successor::Live), Some((&usable, Enabled)), TokenRefresh::Repeated),
                (used(grace, Successor::Live), Some((&usable, Enabled)), TokenRefresh::Reused),
                (used(grace, Successor::Used), Some((&usable, Enabled)), TokenRefresh::Reused),
                (used(grace, Successor::Gone), Some((&inactive, Enabled)), TokenRefresh::Reused),
                (TokenState::Gone, None, TokenRefresh::Refused),
            ] {
                let facts = TokenFacts { token, usage, account, credentials_version: 0, signed_in_at: NOW };
                assert_eq!(refresh_token(&facts, &policy, NOW), outcome, "{usage:?} {token:?} {account:?}");
            }
            let facts = TokenFacts {
                token: TokenState::Live,
                usage,
                account: Some((&usable, Enabled)),
                credentials_version: 0,
                signed_in_at: NOW,
            };
            for (credentials_version, age, outcome) in [
                (0, 89 * DAY, of(usage)),
                (0, 90 * DAY, TokenRefresh::Refused),
                (1, Duration::ZERO, TokenRefresh::Refused),
            ] {
                let facts = TokenFacts { credentials_version, ..facts };
                let context = format!("{usage:?} {credentials_version} {age:?}");
                assert_eq!(refresh_token(&facts, &policy, NOW + age), outcome, "{context}");
            }
        }
        for (outcome, event) in [
            (TokenRefresh::Renewed, Some(EventKind::TokenRefreshed)),
            (TokenRefresh::Rotated, Some(EventKind::TokenRefreshed)),
            (TokenRefresh::Repeated, Some(EventKind::TokenRefreshed)),
            (TokenRefresh::Superseded, None),
            (TokenRefresh::Reused, Some(EventKind::RefreshTokenReused)),
            (TokenRefresh::Refused, None),
        ] {
            assert_eq!(outcome.event(), event, "{outcome:?}");
        }
    }
}
