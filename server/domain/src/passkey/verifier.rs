//! Whether a response of a browser is right: WebAuthn Level 3 §7.1 and §7.2, but for what needs to know what is stored of the account,
//! which [`crate::decisions::passkey_use`] decides.
//!
//! It stands on aws-lc-rs for signatures and ciborium for CBOR; both are held to the test vectors of WebAuthn Level 3 §16. Two libraries
//! were tried in its place: webauthn-rs-core 0.6.2 resolves, and brings 84 crates to the lock file, 24 of them beside another version of
//! the same, and no Ed25519; `webauthn_rp` 0.3.0 brings 38 and nine, draws challenges and reads the clock by itself, and refuses all
//! attestation but `none` and `packed`. This module costs five crates and no second version.
//!
//! Attestation statements of other formats than `none` and self attestation are recorded, and not checked: there is no list of
//! authenticators that are trusted more than others.

use super::authenticator_data::AuthenticatorData;
use super::cbor::{self, Map};
use super::client_data::ClientData;
use super::public_key::PublicKey;
use super::relying_party::RelyingParty;
use super::response::{AssertionResponse, RegistrationResponse};
use super::{Aaguid, Backup, Passkey};
use crate::secret::Digest;
use sha2::{Digest as _, Sha256};

/// What a response has to be for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    pub relying_party: &'a RelyingParty,
    /// Of the ceremony's challenge.
    pub challenge: &'a Digest,
}

/// A passkey that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    pub public_key: PublicKey,
    pub aaguid: Aaguid,
    pub user_verified: bool,
    pub backup: Backup,
    pub counter: u32,
    /// Format of the attestation statement.
    pub attestation: String,
}

/// What a passkey has signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// Whether the authenticator has verified the user (a PIN, a fingerprint, a face), and not only tested that a user is present.
    pub user_verified: bool,
    pub counter: u32,
    pub backup: Backup,
}

/// Why a response is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    #[error("the response is malformed, or its key is of no algorithm that is taken")]
    Malformed,
    #[error("it is of another kind of ceremony")]
    OtherCeremony,
    #[error("its challenge is another ceremony's")]
    OtherChallenge,
    #[error("a page of another origin asked for it")]
    OtherOrigin,
    #[error("a page within one of another origin asked for it")]
    CrossOrigin,
    #[error("it is for another relying party")]
    OtherRelyingParty,
    #[error("the authenticator did not see a user")]
    UserAbsent,
    #[error("the authenticator did not verify the user, which was demanded")]
    UserNotVerified,
    #[error("it says that a passkey is backed up which cannot be")]
    ContradictoryBackup,
    #[error("its signature is wrong")]
    WrongSignature,
}

/// Verifies a registration (§7.1).
///
/// # Errors
/// If the response is not one to this ceremony.
pub fn register(expected: Expected<'_>, response: &RegistrationResponse) -> Result<Registered, NotVerified> {
    check_client_data(expected, &response.client_data, ClientData::CREATE)?;
    let object = cbor::read_whole(&response.attestation_object).and_then(Map::new).ok_or(NotVerified::Malformed)?;
    let signed = object.bytes("authData").ok_or(NotVerified::Malformed)?;
    let data = AuthenticatorData::read(signed).ok_or(NotVerified::Malformed)?;
    check_authenticator_data(expected, &data)?;
    let credential = data.credential.ok_or(NotVerified::Malformed)?;
    if credential.id != response.credential_id {
        return Err(NotVerified::Malformed);
    }
    let format = object.text("fmt").ok_or(NotVerified::Malformed)?;
    let statement = object.get("attStmt").cloned().and_then(Map::new).ok_or(NotVerified::Malformed)?;
    check_attestation(format, &statement, &credential.public_key, &message(signed, &response.client_data))?;
    Ok(Registered {
        public_key: credential.public_key,
        aaguid: credential.aaguid,
        user_verified: data.user_verified,
        backup: data.backup,
        counter: data.counter,
        attestation: format.to_owned(),
    })
}

/// Verifies an assertion by a passkey (§7.2).
///
/// # Errors
/// If the response is not one to this ceremony, or the passkey did not sign it.
pub fn assert(
    expected: Expected<'_>,
    passkey: &Passkey,
    response: &AssertionResponse,
) -> Result<Asserted, NotVerified> {
    check_client_data(expected, &response.client_data, ClientData::GET)?;
    let data = AuthenticatorData::read(&response.authenticator_data).ok_or(NotVerified::Malformed)?;
    check_authenticator_data(expected, &data)?;
    let message = message(&response.authenticator_data, &response.client_data);
    if response.credential_id != passkey.credential_id || !passkey.public_key.verifies(&message, &response.signature) {
        return Err(NotVerified::WrongSignature);
    }
    Ok(Asserted { user_verified: data.user_verified, counter: data.counter, backup: data.backup })
}

fn check_client_data(expected: Expected<'_>, json: &[u8], kind: &str) -> Result<(), NotVerified> {
    let data = ClientData::read(json).ok_or(NotVerified::Malformed)?;
    if data.kind != kind {
        Err(NotVerified::OtherCeremony)
    } else if data.challenge() != *expected.challenge {
        Err(NotVerified::OtherChallenge)
    } else if !expected.relying_party.takes(&data.origin) {
        Err(NotVerified::OtherOrigin)
    } else if data.is_cross_origin {
        Err(NotVerified::CrossOrigin)
    } else {
        Ok(())
    }
}

fn check_authenticator_data(expected: Expected<'_>, data: &AuthenticatorData) -> Result<(), NotVerified> {
    let relying_party: [u8; 32] = Sha256::digest(expected.relying_party.id.as_str().as_bytes()).into();
    if data.relying_party != relying_party {
        Err(NotVerified::OtherRelyingParty)
    } else if !data.user_present {
        Err(NotVerified::UserAbsent)
    } else if data.backup.is_backed_up && !data.backup.is_eligible {
        Err(NotVerified::ContradictoryBackup)
    } else {
        Ok(())
    }
}

/// What an authenticator signs.
fn message(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [authenticator_data, Sha256::digest(client_data).as_slice()].concat()
}

/// Of a format name, in characters; those of the registry of IANA are shorter.
const LONGEST_FORMAT: usize = 32;

/// Whether this could be the name of a format: it is stored, and shown to operators.
fn is_format(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_FORMAT).contains(&name.len()) && name.bytes().all(is_letter)
}

fn check_attestation(format: &str, statement: &Map, public_key: &PublicKey, message: &[u8]) -> Result<(), NotVerified> {
    match format {
        "none" if statement.is_empty() => Ok(()),
        "none" => Err(NotVerified::Malformed),
        // Self attestation: signed by the new key (§8.2).
        "packed" if statement.get("x5c").is_none() => {
            let signature = statement.bytes("sig").ok_or(NotVerified::Malformed)?;
            let is_same = statement.integer("alg") == Some(public_key.algorithm().number());
            if is_same && public_key.verifies(message, signature) { Ok(()) } else { Err(NotVerified::WrongSignature) }
        }
        _ if is_format(format) => Ok(()),
        _ => Err(NotVerified::Malformed),
    }
}
