//! A software authenticator. Keys, their COSE form and signatures are those of `passkey-crypto`; client data and authenticator data
//! are laid out here (WebAuthn Level 3 §5.8.1, §6.1), wrongly where a test asks for that.

use ciborium::Value as Cbor;
use data_encoding::BASE64URL_NOPAD;
use passkey_crypto::coset::CborSerializable as _;
use passkey_crypto::coset::iana::Algorithm;
use passkey_crypto::rust_crypto::{RustCryptoBackend, RustCryptoSecretKey};
use passkey_crypto::{CryptoBackend as _, PublicKeyT as _, SecretKeyT as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// The page that asks for passkeys, unless a test says otherwise.
pub(crate) const ORIGIN: &str = "https://countersign.test";
/// What passkeys of [`ORIGIN`] are for.
pub(crate) const RP_ID: &str = "countersign.test";

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;

/// An authenticator with one passkey.
pub(crate) struct Authenticator {
    key: RustCryptoSecretKey,
    credential_id: Vec<u8>,
    /// In base64url, as the options of the registration had it.
    user_handle: Option<String>,
    /// Whether it verifies its user.
    pub(crate) verifies_user: bool,
    /// Whether its passkey is one that a provider syncs.
    pub(crate) is_synced: bool,
    pub(crate) counter: u32,
}

/// What browser and authenticator state about a ceremony, before it is signed.
pub(crate) struct CeremonyData {
    pub(crate) kind: &'static str,
    pub(crate) challenge: String,
    pub(crate) origin: String,
    pub(crate) is_cross_origin: bool,
    pub(crate) rp_id: String,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) user_handle: Option<String>,
}

impl CeremonyData {
    pub(crate) fn without_user(&mut self) {
        self.flags &= !(USER_PRESENT | USER_VERIFIED);
    }

    fn client_data(&self) -> Vec<u8> {
        let Self { kind, challenge, origin, is_cross_origin, .. } = self;
        json!({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": is_cross_origin})
            .to_string()
            .into_bytes()
    }

    fn authenticator_data(&self) -> Vec<u8> {
        let rp_id = Sha256::digest(self.rp_id.as_bytes());
        [rp_id.as_slice(), &[self.flags], &self.counter.to_be_bytes()].concat()
    }
}

impl Authenticator {
    /// A key of this device that verifies its user.
    pub(crate) fn new() -> Self {
        Self::with(Algorithm::ES256)
    }

    pub(crate) fn with(algorithm: Algorithm) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let key = RustCryptoBackend.generate_key(algorithm).unwrap();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let credential_id =
            Sha256::digest([&key.public_key().to_cose_key().to_vec().unwrap()[..], &number.to_be_bytes()].concat());
        Self {
            key,
            credential_id: credential_id.to_vec(),
            user_handle: None,
            verifies_user: true,
            is_synced: false,
            counter: 0,
        }
    }

    /// One whose passkey is synced by a provider.
    pub(crate) fn synced() -> Self {
        Self { is_synced: true, ..Self::new() }
    }

    /// One that does not verify its user.
    pub(crate) fn without_verification() -> Self {
        Self { verifies_user: false, ..Self::new() }
    }

    pub(crate) fn credential_id(&self) -> String {
        BASE64URL_NOPAD.encode(&self.credential_id)
    }

    fn ceremony_data(&self, kind: &'static str, options: &Value, rp_id: &Value) -> CeremonyData {
        let mut flags = USER_PRESENT;
        if self.verifies_user {
            flags |= USER_VERIFIED;
        }
        if self.is_synced {
            flags |= BACKUP_ELIGIBLE | BACKED_UP;
        }
        CeremonyData {
            kind,
            challenge: options["challenge"].as_str().unwrap().to_owned(),
            origin: ORIGIN.to_owned(),
            is_cross_origin: false,
            rp_id: rp_id.as_str().unwrap().to_owned(),
            flags,
            counter: self.counter,
            user_handle: self.user_handle.clone(),
        }
    }

    /// The response to the options of a registration.
    pub(crate) fn register(&mut self, options: &Value) -> Value {
        self.register_as(options, |_| {})
    }

    /// The same after a change to the data.
    pub(crate) fn register_as(&mut self, options: &Value, change: impl FnOnce(&mut CeremonyData)) -> Value {
        self.user_handle = Some(options["user"]["id"].as_str().unwrap().to_owned());
        let mut data = self.ceremony_data("webauthn.create", options, &options["rp"]["id"]);
        data.flags |= HAS_CREDENTIAL;
        change(&mut data);
        let length = u16::try_from(self.credential_id.len()).unwrap().to_be_bytes();
        let public_key = self.key.public_key().to_cose_key().to_vec().unwrap();
        let credential = [&[0; 16][..], &length, &self.credential_id, &public_key].concat();
        let auth_data = [data.authenticator_data(), credential].concat();
        let object = Cbor::Map(vec![
            ("fmt".into(), "none".into()),
            ("attStmt".into(), Cbor::Map(Vec::new())),
            ("authData".into(), Cbor::Bytes(auth_data)),
        ]);
        let mut attestation_object = Vec::new();
        ciborium::into_writer(&object, &mut attestation_object).unwrap();
        self.response(json!({
            "clientDataJSON": BASE64URL_NOPAD.encode(&data.client_data()),
            "attestationObject": BASE64URL_NOPAD.encode(&attestation_object),
            "transports": ["internal"],
        }))
    }

    /// The response to the options of an authentication. Each one counts.
    pub(crate) fn assert(&mut self, options: &Value) -> Value {
        self.assert_as(options, |_| {})
    }

    /// The same after a change to the data.
    pub(crate) fn assert_as(&mut self, options: &Value, change: impl FnOnce(&mut CeremonyData)) -> Value {
        self.counter += 1;
        let mut data = self.ceremony_data("webauthn.get", options, &options["rpId"]);
        change(&mut data);
        let (client_data, authenticator_data) = (data.client_data(), data.authenticator_data());
        let signed = [&authenticator_data[..], &Sha256::digest(&client_data)].concat();
        let mut response = json!({
            "clientDataJSON": BASE64URL_NOPAD.encode(&client_data),
            "authenticatorData": BASE64URL_NOPAD.encode(&authenticator_data),
            "signature": BASE64URL_NOPAD.encode(&self.key.sign(&signed)),
        });
        if let Some(handle) = data.user_handle {
            response["userHandle"] = handle.into();
        }
        self.response(response)
    }

    fn response(&self, response: Value) -> Value {
        let id = self.credential_id();
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform", "response": response,
        })
    }
}
