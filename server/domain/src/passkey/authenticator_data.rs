//! What an authenticator says and signs (WebAuthn Level 3 §6.1).

use super::cbor::{self, Map};
use super::public_key::PublicKey;
use super::{Aaguid, Backup, CredentialId};

/// Bits of the flags.
mod flag {
    pub(super) const USER_PRESENT: u8 = 0x01;
    pub(super) const USER_VERIFIED: u8 = 0x04;
    pub(super) const BACKUP_ELIGIBLE: u8 = 0x08;
    pub(super) const BACKED_UP: u8 = 0x10;
    pub(super) const HAS_CREDENTIAL: u8 = 0x40;
    pub(super) const HAS_EXTENSIONS: u8 = 0x80;
}

#[derive(Debug)]
pub(super) struct AuthenticatorData {
    /// SHA-256 of the relying-party id.
    pub(super) relying_party: [u8; 32],
    pub(super) user_present: bool,
    pub(super) user_verified: bool,
    pub(super) backup: Backup,
    pub(super) counter: u32,
    /// At registration.
    pub(super) credential: Option<AttestedCredential>,
}

/// A new passkey.
#[derive(Debug)]
pub(super) struct AttestedCredential {
    pub(super) aaguid: Aaguid,
    pub(super) id: CredentialId,
    pub(super) public_key: PublicKey,
}

impl AuthenticatorData {
    /// Reads all of it: `None` if something is missing, or something follows.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (relying_party, rest) = bytes.split_first_chunk()?;
        let (&[flags], rest) = rest.split_first_chunk()?;
        let (counter, mut rest) = rest.split_first_chunk()?;
        let has = |bit| flags & bit != 0;
        let mut credential = None;
        if has(flag::HAS_CREDENTIAL) {
            let (read, after) = AttestedCredential::read(rest)?;
            (credential, rest) = (Some(read), after);
        }
        if has(flag::HAS_EXTENSIONS) {
            let (extensions, after) = cbor::read(rest)?;
            Map::new(extensions)?;
            rest = after;
        }
        rest.is_empty().then_some(Self {
            relying_party: *relying_party,
            user_present: has(flag::USER_PRESENT),
            user_verified: has(flag::USER_VERIFIED),
            backup: Backup { is_eligible: has(flag::BACKUP_ELIGIBLE), is_backed_up: has(flag::BACKED_UP) },
            counter: u32::from_be_bytes(*counter),
            credential,
        })
    }
}

impl AttestedCredential {
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (aaguid, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let id = CredentialId::new(id.to_vec())?;
        let (public_key, rest) = PublicKey::read(rest)?;
        Some((Self { aaguid: Aaguid::new(*aaguid), id, public_key }, rest))
    }
}
