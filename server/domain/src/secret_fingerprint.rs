//! How a TOTP secret is known again without being opened.

use crate::ids::AccountId;
use crate::keyring::{Keyring, Purpose};
use crate::totp::TotpSecret;
use std::fmt;

/// Keyed MAC of a secret, as HMAC takes it, and its account: unique within an account, and meaningless without the keyring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretFingerprint([u8; 32]);

impl SecretFingerprint {
    /// The fingerprint of a secret under each key of the ring, the active one first.
    #[must_use]
    pub fn all(secret: &TotpSecret, account_id: AccountId, keyring: &Keyring) -> Vec<Self> {
        let block = secret.hmac_block();
        let message = zeroize::Zeroizing::new([account_id.to_text().as_bytes(), b":", block.as_slice()].concat());
        keyring.macs(Purpose::SecretFingerprint, &message).into_iter().map(Self).collect()
    }

    /// The fingerprint that is stored: the one under the active key.
    #[must_use]
    pub fn of(secret: &TotpSecret, account_id: AccountId, keyring: &Keyring) -> Self {
        Self::all(secret, account_id, keyring).swap_remove(0)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the stored form; `None` unless it has 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for SecretFingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretFingerprint([redacted])")
    }
}
