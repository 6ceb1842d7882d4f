//! Sessions and how long they live. What one may do is decided in [`crate::decisions::session_scope`].

use crate::device::DeviceName;
use crate::ids::{AccountId, SessionId};
use crate::policy::Policy;
use crate::time::Timestamp;

/// A signed-in session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Not a credential; the user names the session by it to revoke it.
    pub id: SessionId,
    pub account_id: AccountId,
    /// Whether it outlives the browser session and is extended by use.
    pub is_remembered: bool,
    /// Time of the last second factor passed in it; `None` after a password alone or a trusted device, which proves
    /// no second factor (NIST SP 800-63B-4 §3.2.1).
    pub second_factor_at: Option<Timestamp>,
    /// IP address of the client that opened it; empty if unknown.
    pub ip_address: String,
    /// `User-Agent` of the client that opened it; empty if unknown.
    pub user_agent: String,
    /// Time of the sign-in that it goes back to; earlier than `created_at` where it took the place of another session.
    pub signed_in_at: Timestamp,
    pub created_at: Timestamp,
    /// Time of the last extension.
    pub updated_at: Timestamp,
    /// Time of the last use, as of some minutes ago ([`Policy::session_use_interval`]).
    pub last_used_at: Timestamp,
    /// Not valid from this time on.
    pub expires_at: Timestamp,
}

impl Session {
    /// End of a session of a sign-in at `signed_in_at` that is used at `now`.
    #[must_use]
    pub fn expiry(is_remembered: bool, signed_in_at: Timestamp, now: Timestamp, policy: &Policy) -> Timestamp {
        (now + policy.session_lifetime).min(signed_in_at + policy.session_end(is_remembered))
    }

    /// The same session in the place of `old`: its absolute end is counted from the same sign-in.
    #[must_use]
    pub fn in_place_of(self, old: &Self, policy: &Policy) -> Self {
        let expires_at = Self::expiry(self.is_remembered, old.signed_in_at, self.created_at, policy);
        Self { signed_in_at: old.signed_in_at, expires_at, ..self }
    }

    /// Whether it may be used at `now`. A lifetime that was shortened holds for sessions that were opened before.
    #[must_use]
    pub fn is_live(&self, now: Timestamp, policy: &Policy) -> bool {
        now < self.expires_at && now < self.signed_in_at + policy.session_end(self.is_remembered)
    }

    /// What its device is called in a list.
    #[must_use]
    pub fn device_name(&self) -> DeviceName {
        DeviceName::of_user_agent(&self.user_agent)
    }

    /// Whether the sign-in is recent enough for operations that demand a fresh session.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp, policy: &Policy) -> bool {
        now - self.created_at < policy.session_fresh_age
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::fixtures::{NOW, live_session};

    #[test]
    fn a_session_ends_unused_and_however_it_is_used_n12() {
        const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
        let policy = Policy::default();
        for (is_remembered, age, end) in
            [(true, 0, 7), (true, 20, 27), (true, 25, 30), (true, 30, 30), (false, 0, 1), (false, 1, 1)]
        {
            let until = Session::expiry(is_remembered, NOW, NOW + age * DAY, &policy);
            assert_eq!(until, NOW + end * DAY, "{is_remembered} {age}");
        }
        let session = Session { expires_at: NOW + 100 * DAY, ..live_session() };
        let brief = Session { is_remembered: false, ..session.clone() };
        for (session, age, is_live) in [
            (&session, 29, true),
            (&session, 30, false),
            (&brief, 0, true),
            (&brief, 1, false),
            (&live_session(), 7, false),
        ] {
            assert_eq!(session.is_live(NOW + age * DAY, &policy), is_live, "{age} {session:?}");
        }
    }

    #[test]
    fn a_session_is_fresh_for_a_day() {
        let policy = Policy::default();
        let session = live_session();
        assert!(session.is_fresh(NOW, &policy) && !session.is_fresh(NOW + policy.session_fresh_age, &policy));
    }
}
