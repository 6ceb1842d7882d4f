//! Deletion of expired rows. Those of the audit trail go with their blocks: [`super::RemoveAuditBlocks`].

use countersign_domain::time::Timestamp;

/// Deletion of expired rows.
#[derive(Clone, Copy, Debug)]
pub struct Purge {
    /// Rows that expire at or before this time are deleted.
    pub now: Timestamp,
    /// Maximum number of rows of each table.
    pub batch: u32,
}

/// Numbers of deleted rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    pub challenges: usize,
    pub passkey_ceremonies: usize,
    pub one_time_codes: usize,
    pub sessions: usize,
    pub refresh_tokens: usize,
    pub tickets: usize,
    pub former_addresses: usize,
    pub trusted_devices: usize,
    pub known_networks: usize,
    pub quotas: usize,
    pub spent_steps: usize,
    pub messages: usize,
    pub webhook_events: usize,
}

impl Purged {
    #[must_use]
    pub fn total(&self) -> usize {
        self.each().iter().sum()
    }

    /// Whether a table reached the batch size, so that more rows may be expired.
    #[must_use]
    pub fn may_have_left(&self, batch: u32) -> bool {
        self.each().into_iter().any(|rows| u32::try_from(rows).unwrap_or(u32::MAX) >= batch)
    }

    fn each(&self) -> [usize; 13] {
        let Self {
            challenges,
            passkey_ceremonies,
            one_time_codes,
            sessions,
            refresh_tokens,
            tickets,
            former_addresses,
            trusted_devices,
            known_networks,
            quotas,
            spent_steps,
            messages,
            webhook_events,
        } = *self;
        [
            challenges,
            passkey_ceremonies,
            one_time_codes,
            sessions,
            refresh_tokens,
            tickets,
            former_addresses,
            trusted_devices,
            known_networks,
            quotas,
            spent_steps,
            messages,
            webhook_events,
        ]
    }
}

/// A table whose rows expire.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ExpiringTable {
    Challenges,
    PasskeyCeremonies,
    OneTimeCodes,
    Sessions,
    RefreshTokens,
    Tickets,
    FormerAddresses,
    TrustedDevices,
    KnownNetworks,
    Quotas,
    SpentSteps,
    Messages,
    WebhookEvents,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PurgeTable {
    pub(crate) table: ExpiringTable,
    pub(crate) before: Timestamp,
    pub(crate) batch: u32,
}
