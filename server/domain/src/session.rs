//! Sessions and how long they live. What one may do is decided in [`crate::decisions::session_scope`].

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

impl Session {
    /// When a session made at `now` ends.
    #[must_use]
    pub fn expiry(is_remembered: bool, now: Timestamp, policy: &Policy) -> Timestamp {
        now + if is_remembered { policy.session_lifetime } else { policy.brief_session_lifetime }
    }

    /// Whether it is young enough for what asks for a recent sign-in.
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
