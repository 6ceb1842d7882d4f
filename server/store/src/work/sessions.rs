//! Sessions.

use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;

/// A session to be opened, with the digest of its token.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What is stored.
    pub session: Session,
    /// What it is found by.
    pub token: Digest,
}

/// Sessions to be ended by their holder.
#[derive(Clone, Debug)]
pub struct RevokeSessions {
    /// Whose they are.
    pub account_id: AccountId,
    /// Which.
    pub which: Which,
    /// What is recorded, if any ended.
    pub event: AuditEvent,
}

/// Which sessions of an account.
#[derive(Clone, Debug)]
pub enum Which {
    /// All of them.
    All,
    /// All but this one.
    Others(SessionId),
    /// The one with this token.
    WithToken(Digest),
    /// The one with this name.
    Named(SessionId),
}
