//! What has passed, and is removed.

use countersign_domain::time::Timestamp;

/// What has passed and may go.
#[derive(Clone, Copy, Debug)]
pub struct Purge {
    /// When: sessions, challenges, codes, trusts and budgets that ended by then go.
    pub now: Timestamp,
    /// Lines of the audit trail from before then go; all stay without it.
    pub audit_before: Option<Timestamp>,
    /// At most so many rows of each table at once.
    pub batch: u32,
}

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Challenges.
    pub challenges: usize,
    /// Mailed codes.
    pub mailed_codes: usize,
    /// Sessions.
    pub sessions: usize,
    /// Refresh tokens.
    pub refresh_tokens: usize,
    /// Tickets.
    pub tickets: usize,
    /// Trusts in devices.
    pub trusted_devices: usize,
    /// Budgets.
    pub budgets: usize,
    /// Lines of the audit trail.
    pub audit_events: usize,
}

impl Purged {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> usize {
        self.each().iter().sum()
    }

    /// Whether a table gave as many as were asked for, so that there may be more.
    #[must_use]
    pub fn may_have_left(&self, batch: u32) -> bool {
        self.each().into_iter().any(|rows| u32::try_from(rows).unwrap_or(u32::MAX) >= batch)
    }

    fn each(&self) -> [usize; 8] {
        let Self {
            challenges,
            mailed_codes,
            sessions,
            refresh_tokens,
            tickets,
            trusted_devices,
            budgets,
            audit_events,
        } = *self;
        [challenges, mailed_codes, sessions, refresh_tokens, tickets, trusted_devices, budgets, audit_events]
    }
}

/// A table whose rows pass.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ExpiringTable {
    Challenges,
    MailedCodes,
    Sessions,
    RefreshTokens,
    Tickets,
    TrustedDevices,
    Budgets,
    AuditEvents,
}

/// Rows of one table to be removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PurgeTable {
    pub(crate) table: ExpiringTable,
    pub(crate) before: Timestamp,
    pub(crate) batch: u32,
}
