//! Responses that were altered on their way: a documented refusal, no failure of the server, and nobody is signed in.
//!
//! The verifier alone is tried more thoroughly in `server/domain/tests/passkey_vectors/fuzz.rs`; this is about what is around it.

use super::{
    REGISTER_OPTIONS, SIGN_IN_OPTIONS, options, passkeys, register, send_assertion, send_registration, sign_in,
};
use crate::fuzz::odd_values;
use crate::harness::{Authenticator, Caller, Response, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Altered bytes for each operation; `COUNTERSIGN_TEST_CASES` overrides it.
const CASES: u32 = 60;

fn cases() -> u32 {
    std::env::var("COUNTERSIGN_TEST_CASES").map_or(CASES, |count| count.parse().unwrap())
}

/// Heads of CBOR that promise what does not follow, and JSON that does not end.
const PIECES: [&[u8]; 8] =
    [b"", b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", b"\xbf", b"\xff", &[0x81; 300], b"[[[[[[[[", b"\"", b"\\ud800"];

/// The fields of a response that browsers encode.
const ENCODED: [&str; 5] = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

/// Pointers to all values within a value.
fn pointers(value: &Value) -> Vec<String> {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = |(name, value): (String, &Value)| {
        let own = format!("/{name}");
        let further: Vec<String> = pointers(value).into_iter().map(|rest| format!("{own}{rest}")).collect();
        std::iter::once(own).chain(further)
    };
    entries.into_iter().flat_map(below).collect()
}

/// Sends a right response after a change to it.
async fn send(browser: &Caller, authenticator: &mut Authenticator, is_sign_in: bool, change: impl FnOnce(&mut Value)) {
    let sent = if is_sign_in {
        let request = options(browser, SIGN_IN_OPTIONS).await;
        let mut response = authenticator.assert(&request);
        change(&mut response);
        send_assertion(browser, response).await
    } else {
        let creation = options(browser, REGISTER_OPTIONS).await;
        let mut response = Authenticator::new().register(&creation);
        change(&mut response);
        send_registration(browser, response).await
    };
    assert!(sent.status < 500, "{sent}");
    forget(browser, is_sign_in, sent).await;
}

/// Removes what was registered, as nothing that is checked was altered: an account has twenty passkeys at most.
async fn forget(browser: &Caller, is_sign_in: bool, sent: Response) {
    if !is_sign_in && sent.status == 200 {
        browser.post("/passkey/delete-passkey").json(json!({"id": sent.body["id"]})).await.ok();
    }
}

#[on_each_database]
async fn altered_fields_of_a_response_get_documented_refusals_41_58(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    for (is_sign_in, browser) in [(false, user.browser.copy()), (true, world.browser())] {
        let path = if is_sign_in { SIGN_IN_OPTIONS } else { REGISTER_OPTIONS };
        let asked = options(&browser, path).await;
        let right = if is_sign_in { authenticator.assert(&asked) } else { Authenticator::new().register(&asked) };
        for pointer in pointers(&right) {
            for odd in odd_values() {
                let change = |response: &mut Value| *response.pointer_mut(&pointer).unwrap() = odd;
                send(&browser, &mut authenticator, is_sign_in, change).await;
            }
            let (above, name) = pointer.rsplit_once('/').unwrap();
            let remove = |response: &mut Value| {
                if let Some(fields) = response.pointer_mut(above).and_then(Value::as_object_mut) {
                    fields.remove(name);
                }
            };
            send(&browser, &mut authenticator, is_sign_in, remove).await;
        }
    }
    sign_in(&world.browser(), &mut authenticator).await.ok();
    world.close().await;
}

/// A byte that is another one, bytes that are missing, and bytes too many, at a place that the number of the case gives.
fn altered(case: u32, mut bytes: Vec<u8>) -> Vec<u8> {
    let noise = Sha256::digest(case.to_be_bytes());
    let at = usize::from(u16::from_be_bytes([noise[0], noise[1]])) % bytes.len();
    let piece = PIECES[usize::from(noise[2]) % PIECES.len()];
    match noise[3] % 4 {
        0 => bytes[at] ^= noise[4].max(1),
        1 => bytes.truncate(at),
        2 => {
            let other = bytes[at] ^ noise[4].max(1);
            bytes.splice(at..=at, piece.iter().copied().chain([other]));
        }
        _ => drop(bytes.splice(at..at, piece.iter().copied().chain([noise[4]]))),
    }
    bytes
}

#[on_each_database]
async fn altered_bytes_in_a_response_sign_nobody_in_and_fail_nothing_58(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    for case in 0..cases() {
        for (is_sign_in, browser) in [(false, &user.browser), (true, &world.browser())] {
            let alter = |response: &mut Value| {
                let fields = response["response"].as_object_mut().unwrap();
                let encoded: Vec<&str> = ENCODED.into_iter().filter(|name| fields.contains_key(*name)).collect();
                let field = &mut fields[encoded[case as usize % encoded.len()]];
                let bytes = BASE64URL_NOPAD.decode(field.as_str().unwrap().as_bytes()).unwrap();
                let changed = altered(case, bytes.clone());
                assert_ne!(changed, bytes);
                *field = BASE64URL_NOPAD.encode(&changed).into();
            };
            send(browser, &mut authenticator, is_sign_in, alter).await;
            assert!(!is_sign_in || !super::is_signed_in(browser).await, "case {case}");
        }
    }
    assert_eq!(passkeys(&user.browser).await.len(), 1);
    sign_in(&world.browser(), &mut authenticator).await.ok();
    world.close().await;
}
