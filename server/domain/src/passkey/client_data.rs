//! What a browser says of a ceremony, and the authenticator signs with it (`CollectedClientData`, WebAuthn Level 3 §5.8.1).

use crate::secret::Digest;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    pub(super) kind: String,
    challenge: String,
    pub(super) origin: String,
    /// Whether a frame asked whose page above is of another origin.
    #[serde(rename = "crossOrigin", default)]
    pub(super) is_cross_origin: bool,
}

impl ClientData {
    pub(super) const CREATE: &'static str = "webauthn.create";
    pub(super) const GET: &'static str = "webauthn.get";

    /// Reads JSON in UTF-8; fields that are not known are passed over, as the specification asks.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Digest of the challenge.
    pub(super) fn challenge(&self) -> Digest {
        Digest::of(&self.challenge)
    }
}
