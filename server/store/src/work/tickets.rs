//! Tickets: what a caller shows to go on with something it has begun.

use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use std::time::Duration;

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketKind {
    /// Showing that a second factor was passed a moment ago.
    StepUp,
    /// Changing the password.
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

/// Leave to do one thing once.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// What it is good for.
    pub kind: TicketKind,
    /// What it is found by.
    pub digest: Digest,
    /// Digest of a text that whoever uses it must know.
    pub trust_challenge: Option<Digest>,
    /// What whoever asked for it wants to have back: JSON text.
    pub state: Option<String>,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// A ticket as it is presented.
#[derive(Clone, Debug)]
pub struct PresentedTicket {
    /// What it is to be good for.
    pub kind: TicketKind,
    /// What it is found by.
    pub digest: Digest,
    /// Digest of the text that was presented with it.
    pub trust_challenge: Option<Digest>,
}

/// A budget: so many of something within a window that begins with the first.
#[derive(Clone, Debug)]
pub struct Spend {
    /// Its name, which says what is counted for whom.
    pub name: String,
    /// How many the window allows.
    pub limit: u32,
    /// The window's length.
    pub window: Duration,
    /// When it is spent.
    pub now: Timestamp,
}

/// Whether a budget had something left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It had, and has one less now.
    Granted,
    /// It had not, until then.
    Exhausted {
        /// When the window ends.
        until: Timestamp,
    },
}
