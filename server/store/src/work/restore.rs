//! Ending what was opened, after the database was restored.

use countersign_domain::audit::AuditEvent;
use countersign_domain::time::Timestamp;

/// Ends everything that the credentials of all accounts have opened.
#[derive(Clone, Debug)]
pub struct EndAllGrants {
    pub now: Timestamp,
    pub event: AuditEvent,
}

/// How much was ended; some of it may have ended before with the credentials that it was opened by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllGrantsEnded {
    pub accounts: usize,
    pub sessions: usize,
    pub refresh_tokens: usize,
    pub trusted_devices: usize,
    /// Sign-ins that waited for a second factor.
    pub challenges: usize,
}
