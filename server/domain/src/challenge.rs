//! The challenge: what a right password leads to when the account has a second factor.

use crate::ids::{AccountId, ApplicationId};
use crate::secret::Digest;
use crate::time::Timestamp;

/// A sign-in that waits for its second factor.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Digest of the token that continues it.
    pub digest: Digest,
    /// Whose sign-in it is.
    pub account_id: AccountId,
    /// Whether the session is to outlive the browser.
    pub is_remembered: bool,
    /// The application that is signed in to.
    pub application_id: Option<ApplicationId>,
    /// What whoever opened it wants to have back at its end: JSON text.
    pub state: Option<String>,
    /// Digest of a text that whoever uses what this leads to must know.
    pub trust_challenge: Option<Digest>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is dead.
    pub expires_at: Timestamp,
}

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// An authenticator app.
    Totp,
    /// A code sent by mail or SMS.
    MailedCode,
    /// A backup code.
    BackupCode,
}

impl Factor {
    /// Its name in the audit trail.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::MailedCode => "mailed-code",
            Self::BackupCode => "backup-code",
        }
    }
}
