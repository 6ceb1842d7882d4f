//! What a browser is asked for: `PublicKeyCredentialCreationOptions` and `PublicKeyCredentialRequestOptions` (WebAuthn Level 3 §5.4,
//! §5.5), as far as they differ from one request to the next.

use super::ceremony::Challenge;
use super::public_key::Algorithm;
use super::relying_party::{Attestation, RelyingPartyId};
use super::{CredentialId, Passkey, Transports};
use std::time::Duration;

/// A passkey, as browsers look for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    pub id: CredentialId,
    pub transports: Transports,
}

impl From<&Passkey> for Descriptor {
    fn from(passkey: &Passkey) -> Self {
        Self { id: passkey.credential_id.clone(), transports: passkey.transports.clone() }
    }
}

/// How much a browser has to insist that the authenticator verifies the user, by a PIN or a finger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserVerification {
    Preferred,
    Required,
}

impl UserVerification {
    #[must_use]
    pub const fn of(is_demanded: bool) -> Self {
        if is_demanded { Self::Required } else { Self::Preferred }
    }

    /// Name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preferred => "preferred",
            Self::Required => "required",
        }
    }
}

/// Asks for a new passkey.
#[derive(Clone, Debug)]
pub struct CreationOptions {
    pub challenge: Challenge,
    pub relying_party: RelyingPartyId,
    pub relying_party_name: String,
    /// [`super::user_handle`]
    pub user_handle: String,
    /// What the authenticator shows as the user's login name.
    pub user_name: String,
    pub user_display_name: String,
    /// The preferred one first.
    pub algorithms: [Algorithm; 3],
    pub timeout: Duration,
    /// What the user has: authenticators that hold one of them make no other.
    pub exclude: Vec<Descriptor>,
    pub attestation: Attestation,
    pub user_verification: UserVerification,
}

/// Asks for a signature.
#[derive(Clone, Debug)]
pub struct RequestOptions {
    pub challenge: Challenge,
    pub relying_party: RelyingPartyId,
    pub timeout: Duration,
    /// Credentials that may sign; `None` for discoverable credentials of any user.
    pub allow: Option<Vec<Descriptor>>,
    pub user_verification: UserVerification,
}
