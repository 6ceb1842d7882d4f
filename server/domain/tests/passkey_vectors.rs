//! The verifier accepts the test vectors of WebAuthn Level 3 §16, and nothing that differs from them in what it has to look at.

#[path = "passkey_vectors/fuzz.rs"]
mod fuzz;

use countersign_domain::ids::{AccountId, MethodId};
use countersign_domain::method::MethodHandle;
use countersign_domain::passkey::public_key::{Algorithm, PublicKey};
use countersign_domain::passkey::relying_party::{Attestation, RelyingParty, RelyingPartyId};
use countersign_domain::passkey::response::{AssertionResponse, RegistrationResponse};
use countersign_domain::passkey::verifier::{self, Asserted, Expected, NotVerified, Registered};
use countersign_domain::passkey::{Aaguid, Backup, CredentialId, Description, Passkey, Transports};
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const VECTORS: &str = include_str!("passkey_vectors.txt");

fn vector(name: &str, part: &str) -> Vec<u8> {
    let prefix = format!("{name} {part} ");
    let line = VECTORS.lines().find_map(|line| line.strip_prefix(&prefix)).expect("the vector has this part");
    HEXLOWER.decode(line.as_bytes()).expect("hexadecimal digits")
}

fn relying_party() -> RelyingParty {
    RelyingParty {
        id: RelyingPartyId::parse("example.org").expect("a domain"),
        name: "Example".to_owned(),
        origins: vec!["https://example.org".to_owned()],
        attestation: Attestation::None,
        demands_verification: false,
    }
}

/// Digest of the challenge that client data names.
fn challenge(client_data: &[u8]) -> Digest {
    let data: serde_json::Value = serde_json::from_slice(client_data).expect("JSON");
    let text = data["challenge"].as_str().expect("a challenge");
    Digest::from_bytes(&Sha256::digest(text.as_bytes())).expect("32 bytes")
}

fn registration(name: &str) -> RegistrationResponse {
    RegistrationResponse {
        credential_id: CredentialId::new(vector(name, "credential-id")).expect("an id"),
        client_data: vector(name, "registration-client-data"),
        attestation_object: vector(name, "attestation-object"),
        transports: Transports::default(),
        is_discoverable: None,
    }
}

fn register(response: &RegistrationResponse, of: &RegistrationResponse) -> Result<Registered, NotVerified> {
    let challenge = challenge(&of.client_data);
    verifier::register(Expected { relying_party: &relying_party(), challenge: &challenge }, response)
}

const CREDENTIAL: [u8; 32] = [7; 32];

fn assertion(name: &str) -> AssertionResponse {
    AssertionResponse {
        credential_id: CredentialId::new(CREDENTIAL.to_vec()).expect("an id"),
        client_data: vector(name, "client-data"),
        authenticator_data: vector(name, "authenticator-data"),
        signature: vector(name, "signature"),
        user_handle: None,
    }
}

/// The public key of a vector, from its registration if there is one.
fn public_key(name: &str) -> PublicKey {
    if name.starts_with("es256") {
        let response = registration(name);
        register(&response, &response).expect("a right registration").public_key
    } else {
        PublicKey::from_cose(&vector(name, "cose-key")).expect("a key")
    }
}

fn passkey(public_key: PublicKey) -> Passkey {
    Passkey {
        id: MethodId::parse("0192f3a46b7c8d8e9fa0b1c2d3e4f508").expect("an id"),
        account_id: AccountId::parse("0192f3a46b7c8d8e9fa0b1c2d3e4f507").expect("an id"),
        handle: MethodHandle::parse("K7QX").expect("a handle"),
        credential_id: CredentialId::new(CREDENTIAL.to_vec()).expect("an id"),
        relying_party: relying_party().id,
        public_key,
        counter: 0,
        name: None,
        transports: Transports::default(),
        aaguid: Aaguid::new([0; 16]),
        user_verified: false,
        backup: Backup::default(),
        attestation: "none".to_owned(),
        last_used_at: None,
        created_at: Timestamp::from_millis(0),
        description: Description::default(),
        is_imported: false,
    }
}

fn assert(public_key: &PublicKey, response: &AssertionResponse, of: &str) -> Result<Asserted, NotVerified> {
    let challenge = challenge(&vector(of, "client-data"));
    let expected = Expected { relying_party: &relying_party(), challenge: &challenge };
    verifier::assert(expected, &passkey(public_key.clone()), response)
}

#[test]
fn the_registrations_of_the_specification_are_right() {
    for (name, attestation, user_verified, aaguid) in [
        ("es256-none", "none", false, "8446ccb9-ab1d-b374-750b-2367ff6f3a1f"),
        ("es256-self", "packed", true, "df850e09-db6a-fbdf-ab51-697791506cfc"),
    ] {
        let response = registration(name);
        let registered = register(&response, &response).expect("a right registration");
        assert_eq!((registered.attestation.as_str(), registered.user_verified), (attestation, user_verified), "{name}");
        assert_eq!(registered.backup, Backup { is_eligible: true, is_backed_up: true }, "{name}");
        assert_eq!((registered.aaguid.to_text().as_str(), registered.counter), (aaguid, 0), "{name}");
        assert_eq!(registered.public_key.algorithm(), Algorithm::Es256, "{name}");
        // The key is the end of the attestation object, in the form in which it is stored.
        assert!(response.attestation_object.ends_with(&registered.public_key.to_cose()), "{name}");
        assert_eq!(PublicKey::from_cose(&registered.public_key.to_cose()), Some(registered.public_key), "{name}");
    }
}

#[test]
fn the_assertions_of_the_specification_are_right_for_each_algorithm() {
    for (name, algorithm, user_verified, is_eligible) in [
        ("es256-none", Algorithm::Es256, false, true),
        ("es256-self", Algorithm::Es256, false, true),
        ("rs256", Algorithm::Rs256, false, true),
        ("ed25519", Algorithm::Ed25519, false, false),
    ] {
        let key = public_key(name);
        let asserted = assert(&key, &assertion(name), name).expect("a right assertion");
        assert_eq!((key.algorithm(), asserted.counter), (algorithm, 0), "{name}");
        assert_eq!((asserted.user_verified, asserted.backup.is_eligible), (user_verified, is_eligible), "{name}");
        assert_eq!(PublicKey::from_cose(&key.to_cose()), Some(key), "{name}");
    }
}

#[test]
fn no_key_verifies_what_another_one_signed() {
    let names = ["es256-none", "es256-self", "rs256", "ed25519"];
    for signer in names {
        for other in names.into_iter().filter(|other| *other != signer) {
            let verified = assert(&public_key(other), &assertion(signer), signer);
            assert_eq!(verified, Err(NotVerified::WrongSignature), "{signer} by {other}");
        }
    }
}

/// Client data with one text in the place of another.
fn altered(client_data: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(client_data).expect("JSON");
    assert!(text.contains(from), "{text}");
    text.replace(from, to).into_bytes()
}

#[test]
fn client_data_of_another_page_or_ceremony_is_refused_46_47_48_50() {
    const ORIGIN: &str = "https://example.org";
    let right = assertion("es256-none");
    for (from, to, why) in [
        ("webauthn.get", "webauthn.create", NotVerified::OtherCeremony),
        ("webauthn.get", "payment.get", NotVerified::OtherCeremony),
        ("OcDnUhQXulTUPo3", "OcDnUhQXulTUPo4", NotVerified::OtherChallenge),
        (ORIGIN, "http://example.org", NotVerified::OtherOrigin),
        (ORIGIN, "https://example.org:444", NotVerified::OtherOrigin),
        (ORIGIN, "https://app.example.org", NotVerified::OtherOrigin),
        (ORIGIN, "https://example.org.evil.net", NotVerified::OtherOrigin),
        (ORIGIN, "https://EXAMPLE.org", NotVerified::OtherOrigin),
        (ORIGIN, "null", NotVerified::OtherOrigin),
        ("\"crossOrigin\":false", "\"crossOrigin\":true", NotVerified::CrossOrigin),
        ("\"crossOrigin\":false", "\"crossOrigin\":7", NotVerified::Malformed),
        // Nothing that is looked at differs, but it was not signed.
        ("\"crossOrigin\":false", "\"crossOrigin\": false", NotVerified::WrongSignature),
    ] {
        let response = AssertionResponse { client_data: altered(&right.client_data, from, to), ..right.clone() };
        assert_eq!(assert(&public_key("es256-none"), &response, "es256-none"), Err(why), "{to}");
    }
    // What a registration gave, sent to a sign-in, and the reverse.
    let registration = registration("es256-none");
    let response = AssertionResponse { client_data: registration.client_data.clone(), ..right.clone() };
    let verified = assert(&public_key("es256-none"), &response, "es256-none");
    assert_eq!(verified, Err(NotVerified::OtherCeremony));
    let response = RegistrationResponse { client_data: right.client_data, ..registration.clone() };
    assert_eq!(register(&response, &registration), Err(NotVerified::OtherCeremony));
}

#[test]
fn authenticator_data_of_another_relying_party_or_without_a_user_is_refused_46() {
    let right = assertion("es256-none");
    let with = |at: usize, byte: u8| {
        let mut data = right.authenticator_data.clone();
        data[at] = byte;
        let response = AssertionResponse { authenticator_data: data, ..right.clone() };
        assert(&public_key("es256-none"), &response, "es256-none")
    };
    const FLAGS: usize = 32;
    assert_eq!(with(0, 0), Err(NotVerified::OtherRelyingParty));
    assert_eq!(with(FLAGS, 0x18), Err(NotVerified::UserAbsent));
    assert_eq!(with(FLAGS, 0x11), Err(NotVerified::ContradictoryBackup));
    // The flags are signed: nobody adds that the user was verified.
    assert_eq!(with(FLAGS, 0x1d), Err(NotVerified::WrongSignature));
    // They promise what does not follow.
    assert_eq!(with(FLAGS, 0x59), Err(NotVerified::Malformed));
    assert_eq!(with(FLAGS, 0x99), Err(NotVerified::Malformed));
    // Something follows.
    let longer =
        AssertionResponse { authenticator_data: [&right.authenticator_data[..], &[0]].concat(), ..right.clone() };
    assert_eq!(assert(&public_key("es256-none"), &longer, "es256-none"), Err(NotVerified::Malformed));
}

#[test]
fn a_registration_whose_parts_do_not_belong_together_is_refused() {
    let right = registration("es256-self");
    let other = registration("es256-none");
    let response = RegistrationResponse { credential_id: other.credential_id.clone(), ..right.clone() };
    assert_eq!(register(&response, &right), Err(NotVerified::Malformed), "another id");
    let flipped = |at: usize| {
        let mut object = right.attestation_object.clone();
        object[at] ^= 1;
        RegistrationResponse { attestation_object: object, ..right.clone() }
    };
    let signature = right.attestation_object.len() - 200;
    assert_eq!(register(&flipped(signature), &right), Err(NotVerified::WrongSignature), "another self attestation");
    let last = right.attestation_object.len() - 1;
    assert_eq!(register(&flipped(last), &right), Err(NotVerified::Malformed), "no point of the curve");
}

#[test]
fn keys_of_other_algorithms_or_sizes_are_none() {
    let es256 = public_key("es256-none").to_cose();
    let ed25519 = vector("ed25519", "cose-key");
    let change = |key: &[u8], at: usize, byte: u8| {
        let mut key = key.to_vec();
        key[at] = byte;
        PublicKey::from_cose(&key)
    };
    assert_eq!(change(&es256, 2, 3), None, "an RSA key for ES256");
    assert_eq!(change(&es256, 4, 0x27), None, "EdDSA with a point of P-256");
    assert_eq!(change(&es256, 6, 2), None, "P-384");
    assert_eq!(change(&ed25519, 6, 7), None, "Ed448");
    assert_eq!(PublicKey::from_cose(&[es256.as_slice(), &[0]].concat()), None, "something follows");
    let mut even = vec![0xff; 256];
    even[255] = 0xfe;
    assert_eq!(PublicKey::from_cose(&PublicKey::Rs256 { modulus: even, exponent: vec![1, 0, 1] }.to_cose()), None);
    let rsa = |modulus: usize, exponent: &[u8]| {
        PublicKey::Rs256 { modulus: vec![0xff; modulus], exponent: exponent.to_vec() }.to_cose()
    };
    for (modulus, exponent, is_key) in [
        (256, &[1, 0, 1][..], true),
        (512, &[1, 0, 1], true),
        (255, &[1, 0, 1], false),
        (513, &[1, 0, 1], false),
        (256, &[], false),
        (256, &[1, 0, 0], false),
        (256, &[1], false),
        (256, &[3], true),
        (256, &[1, 0, 0, 0, 1], false),
    ] {
        assert_eq!(PublicKey::from_cose(&rsa(modulus, exponent)).is_some(), is_key, "{modulus} {exponent:?}");
    }
}

/// For some of these, `R` = the key and `S` = 0 is a signature of any message.
#[test]
fn points_of_small_order_are_no_keys_50() {
    let point =
        |hex: &str| -> [u8; 32] { HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal").try_into().expect("32") };
    let (zeros, fs) = ("00".repeat(31), "ff".repeat(30));
    for y in [
        format!("00{zeros}"),
        format!("01{zeros}"),
        format!("ec{fs}7f"),
        // The same, not reduced.
        format!("ed{fs}7f"),
        format!("ee{fs}7f"),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a".to_owned(),
    ] {
        for sign in [0, 0x80] {
            let mut key = point(&y);
            key[31] |= sign;
            assert_eq!(PublicKey::from_cose(&PublicKey::Ed25519(key).to_cose()), None, "{y}");
        }
    }
}

proptest! {
    // A failure names its input; there is nothing to be gained by a file of them beside the test.
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No panic, and no other key than the one that was signed for.
    #[test]
    fn what_is_altered_anywhere_is_never_right_58(
        part in 0_usize..3, at in 0_usize..1_000, byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let right = registration("es256-self");
        let mut altered = right.clone();
        let bytes = match part {
            0 => &mut altered.client_data,
            _ => &mut altered.attestation_object,
        };
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        // The statement of a format that is not known is not checked, and no other key is registered by that.
        let registered = register(&altered, &right).map(|one| Registered { attestation: "packed".to_owned(), ..one });
        prop_assert!(registered.is_err() || registered == register(&right, &right), "{registered:?}");

        let right = assertion("ed25519");
        let mut altered = right.clone();
        let bytes = match part {
            0 => &mut altered.client_data,
            1 => &mut altered.authenticator_data,
            _ => &mut altered.signature,
        };
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let asserted = assert(&public_key("ed25519"), &altered, "ed25519");
        prop_assert!(altered == right || asserted.is_err(), "{asserted:?}");
    }

    #[test]
    fn what_is_no_response_at_all_is_refused_without_a_panic_58(
        client_data in prop::collection::vec(any::<u8>(), 0..200),
        object in prop::collection::vec(any::<u8>(), 0..400),
        behind in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let right = registration("es256-none");
        let random = RegistrationResponse { attestation_object: object.clone(), ..right.clone() };
        prop_assert!(register(&random, &right).is_err());
        let longer = [right.attestation_object.as_slice(), &behind].concat();
        let longer = RegistrationResponse { attestation_object: longer, ..right.clone() };
        prop_assert_eq!(register(&longer, &right).is_ok(), behind.is_empty());
        let other = AssertionResponse { client_data, authenticator_data: object, ..assertion("rs256") };
        prop_assert!(assert(&public_key("rs256"), &other, "rs256").is_err());
    }
}
