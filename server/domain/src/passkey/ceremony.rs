//! Ceremonies: registrations and assertions that a client was asked for. Each is a row that the first response to it deletes.

use super::relying_party::RelyingPartyId;
use crate::account::Versions;
use crate::ids::{AccountId, ApplicationId, MethodId, SessionId};
use crate::secret::Digest;
use crate::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use rand_core::CryptoRng;
use std::fmt;

/// What a ceremony is for, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new passkey of this account.
    Registration(AccountId),
    /// A passkey signs in: of this account, or of whichever has it.
    SignIn(Option<AccountId>),
    /// A passkey of this account completes a sign-in that waits for a second factor.
    SecondFactor {
        account_id: AccountId,
        /// Digest of the sign-in's challenge.
        sign_in: Digest,
    },
    /// A passkey of this account is a second factor in a session.
    StepUp { account_id: AccountId, session_id: SessionId },
}

impl Purpose {
    /// Digest of the challenge of the sign-in that it completes.
    #[must_use]
    pub fn sign_in(&self) -> Option<&[u8]> {
        match self {
            Self::SecondFactor { sign_in, .. } => Some(sign_in.as_bytes().as_slice()),
            Self::Registration(_) | Self::SignIn(_) | Self::StepUp { .. } => None,
        }
    }

    /// Stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration(_) => "registration",
            Self::SignIn(_) => "sign-in",
            Self::SecondFactor { .. } => "second-factor",
            Self::StepUp { .. } => "step-up",
        }
    }

    /// The account that the ceremony is bound to.
    #[must_use]
    pub const fn account_id(self) -> Option<AccountId> {
        match self {
            Self::Registration(account_id)
            | Self::SecondFactor { account_id, .. }
            | Self::StepUp { account_id, .. } => Some(account_id),
            Self::SignIn(account_id) => account_id,
        }
    }
}

/// A ceremony that waits for its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceremony {
    /// Of what finds it: a token, or the challenge.
    pub digest: Digest,
    /// Of the challenge that has to be signed.
    pub challenge: Digest,
    pub purpose: Purpose,
    pub relying_party: RelyingPartyId,
    /// Whether the authenticator has to verify the user.
    pub demands_verification: bool,
    /// Of the account when it began; zeros without an account.
    pub versions: Versions,
    pub created_at: Timestamp,
    /// Not valid from this time on.
    pub expires_at: Timestamp,
    pub details: Details,
}

/// What the request that began a ceremony asked for, for the one that completes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of a new passkey: the user's label.
    pub name: Option<String>,
    /// Of a new passkey: what authenticators show as the user's login name.
    pub user_name: Option<String>,
    /// Of a new passkey: the browser.
    pub user_agent: Option<String>,
    /// The application that is signed in to.
    pub application_id: Option<ApplicationId>,
    /// The one passkey that signs in.
    pub passkey_id: Option<MethodId>,
    /// The caller's own, which the sign-in returns: JSON text.
    pub state: Option<String>,
}

/// The random bytes that an authenticator signs (WebAuthn Level 3 §13.4.3). They are no secret, but nobody may know them in advance.
#[derive(Clone)]
pub struct Challenge([u8; 32]);

impl Challenge {
    #[must_use]
    pub fn generate(random: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 32];
        random.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// In base64url without padding, as clients get it and send it back.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// The digest that is stored.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_text())
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Challenge([redacted])")
    }
}
