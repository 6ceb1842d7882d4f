//! Sessions and how long they live. What one may do is decided in [`crate::decisions::session_scope`].

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
    pub created_at: Timestamp,
    /// Time of the last extension.
    pub updated_at: Timestamp,
    /// Not valid from this time on.
    pub expires_at: Timestamp,
}

impl Session {
    /// End of a session opened at `now`.
    #[must_use]
    pub fn expiry(is_remembered: bool, now: Timestamp, policy: &Policy) -> Timestamp {
        now + if is_remembered { policy.session_lifetime } else { policy.brief_session_lifetime }
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
    fn a_session_is_fresh_for_a_day() {
        let policy = Policy::default();
        let session = live_session();
        assert!(session.is_fresh(NOW, &policy) && !session.is_fresh(NOW + policy.session_fresh_age, &policy));
    }
}
