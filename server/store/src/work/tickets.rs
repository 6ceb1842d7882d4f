//! Tickets, trusted devices and quotas.

use countersign_domain::account::Versions;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use std::time::Duration;

/// What a ticket authorises, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketKind {
    /// Shows that a second factor was passed a moment ago.
    StepUp,
    ChangePassword,
    /// Signing in without a password, right after changing it.
    OneTimePassword,
}

impl TicketKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::StepUp => "step-up",
            Self::ChangePassword => "change-password",
            Self::OneTimePassword => "one-time-password",
        }
    }
}

#[derive(Clone, Debug)]
pub struct NewTicket {
    pub kind: TicketKind,
    pub digest: Digest,
    /// Digest of the caller-chosen secret (`trustChallenge`) that must accompany the ticket.
    pub trust_challenge: Option<Digest>,
    /// The caller's own state, returned when the ticket is used: JSON text.
    pub state: Option<String>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct PresentedTicket {
    pub kind: TicketKind,
    pub digest: Digest,
    /// Digest of the `trustChallenge` that came with it.
    pub trust_challenge: Option<Digest>,
}

/// A trusted device to be recorded.
#[derive(Clone, Debug)]
pub struct NewTrust {
    pub digest: Digest,
    /// Application in which the trust is given.
    pub application_id: Option<ApplicationId>,
    pub expires_at: Timestamp,
}

/// Lookup of a trusted device.
#[derive(Clone, Copy, Debug)]
pub struct FindTrust {
    pub digest: Digest,
    pub account_id: AccountId,
    /// Those of the account: a trust of older ones is none.
    pub versions: Versions,
    pub now: Timestamp,
}

/// One use of a quota: so many uses within a window that begins with the first.
#[derive(Clone, Debug)]
pub struct Spend {
    /// Says what is counted for whom.
    pub name: String,
    /// Uses that the window allows.
    pub limit: u32,
    pub window: Duration,
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    Granted,
    Exhausted {
        /// End of the window.
        until: Timestamp,
    },
}
