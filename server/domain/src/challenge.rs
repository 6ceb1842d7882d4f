//! Challenges: sign-ins that wait for a second factor.

use crate::ids::{AccountId, ApplicationId};
use crate::secret::Digest;
use crate::time::Timestamp;

/// A sign-in that waits for its second factor.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Digest of the token that continues the sign-in.
    pub digest: Digest,
    pub account_id: AccountId,
    /// Whether the session is to outlive the browser session.
    pub is_remembered: bool,
    /// Application that the user signs in to.
    pub application_id: Option<ApplicationId>,
    /// The caller's own state, returned when the challenge is completed: JSON text.
    pub state: Option<String>,
    /// Digest of the caller-chosen secret (`trustChallenge`) that must accompany the tickets this challenge leads to.
    pub trust_challenge: Option<Digest>,
    pub created_at: Timestamp,
    /// Not valid from this time on.
    pub expires_at: Timestamp,
}

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    Totp,
    /// A one-time code sent by mail or SMS.
    OneTimeCode,
    BackupCode,
}

impl Factor {
    /// Name in the audit trail.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::OneTimeCode => "mailed-code",
            Self::BackupCode => "backup-code",
        }
    }
}
