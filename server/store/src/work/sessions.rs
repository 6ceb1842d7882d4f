//! Sessions.

use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, SessionId};
use countersign_domain::secret::Digest;
use countersign_domain::session::Session;
use countersign_domain::time::Timestamp;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub session: Session,
    /// Digest of its token.
    pub token: Digest,
}

#[derive(Clone, Copy, Debug)]
pub struct ExtendSession {
    pub session_id: SessionId,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub struct NoteSessionUse {
    pub session_id: SessionId,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct RevokeSessions {
    pub account_id: AccountId,
    pub which: SessionSelector,
    /// Recorded if anything ended.
    pub event: AuditEvent,
}

/// Sessions of one account. All, and all but one, end whatever else the account's credentials have opened.
#[derive(Clone, Debug)]
pub enum SessionSelector {
    All,
    AllBut(SessionId),
    WithToken(Digest),
    WithId(SessionId),
}
