//! Responses that were altered at random, or made up, against the verifier: no panic, and nothing counts that was not signed.
//!
//! Alterations know the formats: heads of CBOR that promise what does not follow, nesting, keys that are there twice, fields of JSON.

use super::{assertion, public_key, register, registration, vector};
use ciborium::Value as Cbor;
use countersign_domain::passkey::public_key::PublicKey;
use countersign_domain::passkey::response::{
    AssertionResponse, EncodedAssertion, EncodedRegistration, RegistrationResponse,
};
use countersign_domain::passkey::verifier::Registered;
use countersign_domain::passkey::{CredentialId, Transports};
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Of each property; `COUNTERSIGN_TEST_CASES` overrides it.
const CASES: u32 = 2_000;

fn cases() -> u32 {
    std::env::var("COUNTERSIGN_TEST_CASES").map_or(CASES, |count| count.parse().expect("a number of cases"))
}

const REGISTRATIONS: [&str; 2] = ["es256-none", "es256-self"];
const ASSERTIONS: [&str; 4] = ["es256-none", "es256-self", "rs256", "ed25519"];

/// What parsers stumble over.
const PIECES: [&[u8]; 26] = [
    // Strings, arrays and maps of lengths that nothing has, or of none that is said, and the end of such.
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5a\x7f\xff\xff\xff",
    b"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5f",
    b"\x9f",
    b"\xbf",
    b"\xff",
    // A big number, the least number, CBOR within CBOR, no number, null, a head that is reserved.
    b"\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00",
    b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xd8\x18\x41\xa0",
    b"\xf9\x7e\x00",
    b"\xf6",
    b"\x1c",
    // Arrays in arrays, and a key that is there twice.
    b"\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81",
    b"\xa2\x01\x01\x01\x01",
    // The same for JSON.
    b"[[[[[[[[[[[[[[[[",
    b"{\"type\":",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"\xff\xfe",
    b",\"origin\":\"https://example.org\"",
    b",\"crossOrigin\":true",
];

/// A change to some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Truncate(Index),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let range = |at: &Index, length: usize| {
            let at = at.index(bytes.len() + 1);
            at..bytes.len().min(at + length)
        };
        match self {
            Self::Flip(at, bits) => {
                let range = range(at, 1);
                bytes[range].iter_mut().for_each(|byte| *byte ^= bits);
            }
            Self::Insert(at, piece) => {
                let range = range(at, 0);
                bytes.splice(range, piece.iter().copied());
            }
            Self::Remove(at, length) => {
                let range = range(at, *length);
                bytes.drain(range);
            }
            Self::Repeat(at, length) => {
                let range = range(at, *length);
                bytes.extend_from_within(range);
            }
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len() + 1)),
        }
    }
}

/// Often none, so that the parser that comes next is reached.
fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<Index>;
    let edit = prop_oneof![
        4 => (at(), 1..=u8::MAX).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        2 => (at(), select(&PIECES[..])).prop_map(|(at, piece)| Edit::Insert(at, piece.to_vec())),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        2 => (at(), 1..40_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        1 => (at(), 1..200_usize).prop_map(|(at, length)| Edit::Repeat(at, length)),
        1 => at().prop_map(Edit::Truncate),
    ];
    prop_oneof![1 => Just(Vec::new()), 2 => prop::collection::vec(edit, 1..4)]
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    edits.iter().for_each(|edit| edit.apply(&mut bytes));
    bytes
}

fn encoded(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a vector takes all bytes");
    bytes
}

/// An attestation object whose authenticator data was altered, and which says the right length of it.
fn with_edited_data(object: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut object: Cbor = ciborium::from_reader(object).expect("CBOR");
    for (name, value) in object.as_map_mut().expect("a map") {
        if let Cbor::Bytes(data) = value
            && name.as_text() == Some("authData")
        {
            *data = edited(std::mem::take(data), edits);
        }
    }
    encoded(&object)
}

/// Any value, some of them nested.
fn cbor() -> impl Strategy<Value = Cbor> {
    let numbers = prop_oneof![-300_i64..300, any::<i64>()].prop_map(Cbor::from);
    let texts = select(vec!["", "none", "packed", "fmt", "sig", "alg", "x5c"]).prop_map(Cbor::from);
    let lengths = prop_oneof![Just(32_usize), Just(256), 0..600_usize];
    let bytes = (lengths, any::<u8>()).prop_map(|(length, byte)| Cbor::Bytes(vec![byte; length]));
    let other = select(vec![Cbor::Null, Cbor::Bool(true), Cbor::Float(f64::NAN), Cbor::Float(-7.0)]);
    let leaf = prop_oneof![3 => numbers, 2 => texts, 3 => bytes, 1 => other];
    leaf.prop_recursive(10, 40, 6, |inner| {
        let entries = prop::collection::vec((inner.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Cbor::Array),
            entries.prop_map(Cbor::Map),
            (any::<u64>(), inner).prop_map(|(tag, value)| Cbor::Tag(tag, Box::new(value))),
        ]
    })
}

/// A COSE_Key as it could be, with anything in the place of some of its values.
fn cose_key() -> impl Strategy<Value = Vec<u8>> {
    let shape = |kind: i64, algorithm: i64, rest: [(i64, Cbor); 3]| {
        let head = [(1, Cbor::from(kind)), (3, Cbor::from(algorithm))];
        head.into_iter().chain(rest).collect::<Vec<_>>()
    };
    let coordinate = |byte: u8| Cbor::Bytes(vec![byte; 32]);
    let shapes = vec![
        shape(2, -7, [(-1, 1.into()), (-2, coordinate(4)), (-3, coordinate(7))]),
        shape(1, -8, [(-1, 6.into()), (-2, coordinate(9)), (-4, Cbor::Null)]),
        shape(3, -257, [(-1, Cbor::Bytes(vec![0xc3; 256])), (-2, Cbor::Bytes(vec![1, 0, 1])), (-4, Cbor::Null)]),
    ];
    let replaced = prop::collection::vec((any::<Index>(), cbor()), 0..3);
    (select(shapes), replaced).prop_map(|(mut entries, replaced)| {
        for (at, value) in replaced {
            let at = at.index(entries.len());
            entries[at].1 = value;
        }
        encoded(&Cbor::Map(entries.into_iter().map(|(label, value)| (label.into(), value)).collect()))
    })
}

/// What a registration has to be that was accepted, whatever was altered.
fn check_registered(registered: &Registered, response: &RegistrationResponse) -> Result<(), TestCaseError> {
    // Of fields that are passed over, not every value is one that can be kept: numbers without bounds, and what is no UTF-8.
    if let Ok(data) = serde_json::from_slice::<serde_json::Value>(&response.client_data) {
        prop_assert_eq!(&data["type"], "webauthn.create");
        prop_assert_eq!(&data["origin"], "https://example.org");
        prop_assert!(data["crossOrigin"] != true);
    }
    prop_assert_eq!(PublicKey::from_cose(&registered.public_key.to_cose()), Some(registered.public_key.clone()));
    prop_assert!(registered.backup.is_eligible || !registered.backup.is_backed_up);
    prop_assert!((1..=32).contains(&registered.attestation.len()));
    Ok(())
}

proptest! {
    // A failure names its input; there is nothing to be gained by a file of them beside the test.
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_altered_registration_is_refused_or_as_right_as_it_has_to_be_58(
        name in select(&REGISTRATIONS[..]), client_data in edits(), data in edits(), object in edits(),
    ) {
        let right = registration(name);
        let response = RegistrationResponse {
            client_data: edited(right.client_data.clone(), &client_data),
            attestation_object: edited(with_edited_data(&right.attestation_object, &data), &object),
            ..right.clone()
        };
        if let Ok(registered) = register(&response, &right) {
            check_registered(&registered, &response)?;
        }
    }

    #[test]
    fn an_altered_assertion_does_not_count_58(
        name in select(&ASSERTIONS[..]), client_data in edits(), data in edits(), signature in edits(),
    ) {
        let right = assertion(name);
        let response = AssertionResponse {
            client_data: edited(right.client_data.clone(), &client_data),
            authenticator_data: edited(right.authenticator_data.clone(), &data),
            signature: edited(right.signature.clone(), &signature),
            ..right.clone()
        };
        prop_assert_eq!(super::assert(&public_key(name), &response, name).is_ok(), response == right);
    }

    #[test]
    fn a_key_that_was_altered_or_made_up_verifies_nothing_58(
        name in select(&ASSERTIONS[..]), edits in edits(), made_up in cose_key(),
    ) {
        let right = public_key(name);
        for cose in [edited(right.to_cose(), &edits), made_up] {
            if let Some(key) = PublicKey::from_cose(&cose) {
                prop_assert_eq!(PublicKey::from_cose(&key.to_cose()), Some(key.clone()));
                prop_assert_eq!(super::assert(&key, &assertion(name), name).is_ok(), key == right);
            }
        }
    }

    #[test]
    fn a_registration_that_was_made_up_is_refused_or_as_right_as_it_has_to_be_58(
        flags in any::<u8>(), key in cose_key(), extensions in cbor(), edits in edits(),
        statement in prop_oneof![Just(Cbor::Map(Vec::new())), cbor()],
        format in prop_oneof![3 => select(vec!["none", "packed", "tpm"]).prop_map(Cbor::from), 1 => cbor()],
        further in prop::collection::vec((cbor(), cbor()), 0..3),
    ) {
        let right = registration("es256-none");
        let length = u16::try_from(right.credential_id.as_bytes().len()).expect("an id is short").to_be_bytes();
        // The user is present, and there is a key.
        let head = [&vector("es256-none", "authenticator-data")[..32], &[flags | 0x41], &[0; 4][..], &[7; 16]].concat();
        let behind = if flags & 0x80 == 0 { Vec::new() } else { encoded(&extensions) };
        let data = [head.as_slice(), &length, right.credential_id.as_bytes(), &key, &behind].concat();
        let named = [("fmt", format), ("attStmt", statement), ("authData", Cbor::Bytes(edited(data, &edits)))];
        let entries = named.into_iter().map(|(name, value)| (Cbor::from(name), value)).chain(further).collect();
        let response = RegistrationResponse { attestation_object: encoded(&Cbor::Map(entries)), ..right.clone() };
        if let Ok(registered) = register(&response, &right) {
            check_registered(&registered, &response)?;
        }
    }

    #[test]
    fn what_a_client_sends_as_text_is_decoded_or_refused_58(
        id in edits(), client_data in edits(), object in edits(), handle in edits(), kind in edits(),
    ) {
        let right = registration("es256-none");
        let text = |bytes: &[u8], edits: &[Edit]| {
            String::from_utf8_lossy(&edited(BASE64URL_NOPAD.encode(bytes).into_bytes(), edits)).into_owned()
        };
        let (id, user_handle) = (text(right.credential_id.as_bytes(), &id), text(b"a user", &handle));
        let kind = String::from_utf8_lossy(&edited(b"public-key".to_vec(), &kind)).into_owned();
        let client_data = text(&right.client_data, &client_data);
        let object = text(&right.attestation_object, &object);
        let transports = [kind.clone(), id.clone()];
        let encoded = EncodedRegistration {
            id: &id, raw_id: Some(&id), kind: &kind, client_data: &client_data, attestation_object: &object,
            transports: &transports,
            is_discoverable: None,
        };
        if let Some(response) = encoded.decode() {
            // What has one spelling has no other.
            prop_assert_eq!(&response.credential_id.to_text(), &id);
            prop_assert_eq!(BASE64URL_NOPAD.encode(&response.attestation_object), object.clone());
            prop_assert_eq!(&Transports::parse(&response.transports.to_text()), &response.transports);
            if let Ok(registered) = register(&response, &right) {
                check_registered(&registered, &response)?;
            }
        }
        let encoded = EncodedAssertion {
            id: &id, raw_id: None, kind: &kind, client_data: &client_data, authenticator_data: &object,
            signature: &object, user_handle: Some(&user_handle),
        };
        if let Some(response) = encoded.decode() {
            prop_assert_eq!(CredentialId::parse(&id), Some(response.credential_id.clone()));
            prop_assert!(super::assert(&public_key("ed25519"), &response, "ed25519").is_err());
        }
    }
}
