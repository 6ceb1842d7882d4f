//! Responses that must not sign in.

use super::{
    REGISTER_OPTIONS, SIGN_IN_OPTIONS, events, is_signed_in, options, passkeys, register, send_assertion,
    send_registration, sign_in,
};
use crate::harness::authenticator::CeremonyData;
use crate::harness::{Authenticator, User, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

async fn ada(world: &World) -> (User, Authenticator) {
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    (user, authenticator)
}

/// Asserts that an assertion is refused that says something else, and that the same without that is not.
async fn assert_refused(world: &World, authenticator: &mut Authenticator, change: impl Fn(&mut CeremonyData)) {
    let browser = world.browser();
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let response = send_assertion(&browser, authenticator.assert_as(&request, change)).await;
    response.refused(400, "AUTHENTICATION_FAILED").saying("Authentication failed");
    assert!(!is_signed_in(&browser).await);
    sign_in(&browser, authenticator).await.ok();
}

#[on_each_database]
async fn a_passkey_of_another_relying_party_46(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    for other in ["evil.example", "app.countersign.test", "test"] {
        assert_refused(&world, &mut authenticator, |data| other.clone_into(&mut data.rp_id)).await;
        let creation = options(&user.browser, REGISTER_OPTIONS).await;
        let response = Authenticator::new().register_as(&creation, |data| other.clone_into(&mut data.rp_id));
        send_registration(&user.browser, response).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");
    }
    assert_eq!(passkeys(&user.browser).await.len(), 1);
    assert_eq!((events(&world, "passkey-rejected"), events(&world, "passkey-registration-rejected")), (3, 3));
}

#[on_each_database]
async fn a_page_of_another_origin_47(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    for other in [
        "https://evil.example",
        "https://evil.countersign.test",
        "https://countersign.test:8443",
        "http://countersign.test",
        "https://countersign.test.evil.example",
        "https://countersign.test/",
        "null",
        "",
    ] {
        assert_refused(&world, &mut authenticator, |data| other.clone_into(&mut data.origin)).await;
        let creation = options(&user.browser, REGISTER_OPTIONS).await;
        let response = Authenticator::new().register_as(&creation, |data| other.clone_into(&mut data.origin));
        send_registration(&user.browser, response).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");
    }
    // A page within one of another origin.
    assert_refused(&world, &mut authenticator, |data| data.is_cross_origin = true).await;
    assert_eq!(passkeys(&user.browser).await.len(), 1);
}

#[on_each_database]
async fn the_page_that_sends_a_response_does_not_say_which_origin_is_right_47(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        let sibling = countersign::net::origin::OriginPattern::parse("https://blog.countersign.test").unwrap();
        settings.origin_patterns.push(sibling);
    });
    let world = world.await;
    let (_, mut authenticator) = ada(&world).await;
    // Trusted with cookies, and not one of the pages that may ask for passkeys.
    let sibling = world.browser().with_header("origin", "https://blog.countersign.test");
    let request = options(&sibling, SIGN_IN_OPTIONS).await;
    let response =
        authenticator.assert_as(&request, |data| "https://blog.countersign.test".clone_into(&mut data.origin));
    send_assertion(&sibling, response).await.refused(400, "AUTHENTICATION_FAILED");
}

#[on_each_database]
async fn an_assertion_that_is_sent_again_or_for_another_challenge_48(database: DatabaseKind) {
    let world = World::start(database).await;
    // Its counter, which need not rise, gives nothing away.
    let mut authenticator = Authenticator::synced();
    register(&world.user("ada").await.browser, &mut authenticator).await.ok();
    let browser = world.browser();
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let kept = browser.copy();
    let assertion = authenticator.assert(&request);
    send_assertion(&browser, assertion.clone()).await.ok();
    send_assertion(&kept, assertion.clone()).await.refused(400, "CHALLENGE_NOT_FOUND");
    assert!(!is_signed_in(&kept).await);

    // The cookie of one, and the challenge of another.
    let other = world.browser();
    options(&other, SIGN_IN_OPTIONS).await;
    send_assertion(&other, assertion).await.refused(400, "AUTHENTICATION_FAILED");
    let request = options(&other, SIGN_IN_OPTIONS).await;
    options(&other, SIGN_IN_OPTIONS).await;
    send_assertion(&other, authenticator.assert(&request)).await.refused(400, "AUTHENTICATION_FAILED");

    // A response that failed has spent the options.
    let request = options(&other, SIGN_IN_OPTIONS).await;
    let kept = other.copy();
    let wrong = authenticator.assert_as(&request, |data| "https://evil.example".clone_into(&mut data.origin));
    send_assertion(&other, wrong).await.refused(400, "AUTHENTICATION_FAILED");
    send_assertion(&kept, authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");

    let request = options(&other, SIGN_IN_OPTIONS).await;
    world.clock.advance(std::time::Duration::from_secs(300));
    send_assertion(&other, authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");
    send_assertion(&world.browser(), authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");
}

#[on_each_database]
async fn a_response_to_a_registration_signs_in_or_the_reverse_50(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    // Of the other kind by what was signed.
    assert_refused(&world, &mut authenticator, |data| data.kind = "webauthn.create").await;
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    let response = Authenticator::new().register_as(&creation, |data| data.kind = "webauthn.get");
    send_registration(&user.browser, response).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");

    // Of the other kind by what it was asked for with.
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    let as_request = json!({"challenge": creation["challenge"], "rpId": creation["rp"]["id"]});
    send_assertion(&user.browser, authenticator.assert(&as_request)).await.refused(400, "CHALLENGE_NOT_FOUND");
    let request = options(&user.browser, SIGN_IN_OPTIONS).await;
    let as_creation = json!({"challenge": request["challenge"], "rp": {"id": request["rpId"]}, "user": {"id": "eA"}});
    let response = Authenticator::new().register(&as_creation);
    send_registration(&user.browser, response).await.refused(400, "CHALLENGE_NOT_FOUND");
    assert_eq!(passkeys(&user.browser).await.len(), 1);
}

#[on_each_database]
async fn a_passkey_with_another_users_handle_or_without_one_51(database: DatabaseKind) {
    let world = World::start(database).await;
    let (_, mut authenticator) = ada(&world).await;
    let other = world.user("bea").await;
    let theirs = options(&other.browser, REGISTER_OPTIONS).await["user"]["id"].as_str().unwrap().to_owned();
    assert_refused(&world, &mut authenticator, |data| data.user_handle = Some(theirs.clone())).await;
    assert_refused(&world, &mut authenticator, |data| data.user_handle = Some(String::new())).await;
    // Nobody else says who signs in.
    assert_refused(&world, &mut authenticator, |data| data.user_handle = None).await;
}

/// Credential ids are no secret: a browser with a challenge is told those of its account.
#[on_each_database]
async fn another_users_credential_id_with_ones_own_signature_51(database: DatabaseKind) {
    let world = World::start(database).await;
    let (_, mut authenticator) = ada(&world).await;
    let eve = world.user("eve").await;
    let mut theirs = Authenticator::new();
    register(&eve.browser, &mut theirs).await.ok();
    let handle = options(&world.browser(), SIGN_IN_OPTIONS).await;
    let handle = authenticator.assert(&handle)["response"]["userHandle"].clone();
    let browser = world.browser();
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let mut response = theirs.assert(&request);
    for name in ["id", "rawId"] {
        response[name] = authenticator.credential_id().into();
    }
    response["response"]["userHandle"] = handle;
    send_assertion(&browser, response).await.refused(400, "AUTHENTICATION_FAILED");
    assert!(!is_signed_in(&browser).await);
    sign_in(&world.browser(), &mut authenticator).await.ok();
}

#[on_each_database]
async fn an_authenticator_that_saw_nobody_52(database: DatabaseKind) {
    let world = World::start(database).await;
    let (_, mut authenticator) = ada(&world).await;
    assert_refused(&world, &mut authenticator, CeremonyData::without_user).await;
}

#[on_each_database]
async fn a_copy_of_a_key_is_found_by_its_counter_and_synced_keys_are_let_be_54(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.messages.notices_are_on = true).await;
    let (user, mut authenticator) = ada(&world).await;
    sign_in(&world.browser(), &mut authenticator).await.ok();
    sign_in(&world.browser(), &mut authenticator).await.ok();
    // The copy was made when the counter was 1.
    for counter in [0, 1] {
        authenticator.counter = counter;
        let browser = world.browser();
        sign_in(&browser, &mut authenticator).await.refused(400, "AUTHENTICATION_FAILED");
        assert!(!is_signed_in(&browser).await);
    }
    assert_eq!(events(&world, "passkey-counter-fell"), 2);
    assert_eq!(passkeys(&user.browser).await.len(), 1, "the owner's key may be the one that is right");
    sign_in(&world.browser(), &mut authenticator).await.ok();

    let mut synced = Authenticator::synced();
    register(&user.browser, &mut synced).await.ok();
    for counter in [7, 3, 0] {
        synced.counter = counter;
        sign_in(&world.browser(), &mut synced).await.ok();
    }
}

#[on_each_database]
async fn a_wrong_signature_and_what_is_malformed_58(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    let replaced = |response: &Value, name: &str, value: &str| {
        let mut response = response.clone();
        response["response"][name] = value.into();
        response
    };
    let long = "A".repeat(2_000);
    for (name, value) in [
        (
            "signature",
            "MEUCIQDUwlDp9aNcYQmvpVGLJ35H8lRWjWsfjVsfPf_5HhY3GwIgahBhISBxv82ZS4ll8TZiJp5bIN2CGx_-VjUymfzKqGA",
        ),
        ("signature", ""),
        ("signature", "="),
        ("authenticatorData", ""),
        ("authenticatorData", &long),
        ("authenticatorData", "\u{e4}"),
        ("clientDataJSON", "e30"),
        ("clientDataJSON", "bnVsbA"),
        ("clientDataJSON", "W1tbW1tbW1tbW1tbW1tb"),
    ] {
        let browser = world.browser();
        let request = options(&browser, SIGN_IN_OPTIONS).await;
        let response = send_assertion(&browser, replaced(&authenticator.assert(&request), name, value)).await;
        response.refused(400, "AUTHENTICATION_FAILED");
        assert!(!is_signed_in(&browser).await, "{name} {value}");
    }
    // All that has to be there, and a key twice.
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    let right = Authenticator::new().register(&creation);
    let object = right["response"]["attestationObject"].as_str().unwrap();
    let mut object = BASE64URL_NOPAD.decode(object.as_bytes()).unwrap();
    assert_eq!(object[0], 0xa3, "three entries");
    object[0] += 1;
    object.extend(b"\x63fmt\x64none");
    let response = replaced(&right, "attestationObject", &BASE64URL_NOPAD.encode(&object));
    send_registration(&user.browser, response).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");
    // Nested deeper than a stack is, longer than said, a map with a key twice, and a map without an end.
    let deep = BASE64URL_NOPAD.encode(&[0x81; 20_000]);
    for value in [deep.as_str(), "ow", "m_____8", "omNmbXRkbm9uZWNmbXRkbm9uZQ", "v2NmbXRkbm9uZQ", "", "=", "oA"] {
        let creation = options(&user.browser, REGISTER_OPTIONS).await;
        let response = replaced(&Authenticator::new().register(&creation), "attestationObject", value);
        send_registration(&user.browser, response).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");
    }
    assert_eq!(passkeys(&user.browser).await.len(), 1);
    sign_in(&world.browser(), &mut authenticator).await.ok();
}

#[on_each_database]
async fn wrong_assertions_lock_nobody_out_57(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    let app = user.enrol().await;
    for _ in 0..30 {
        let browser = world.browser();
        let request = options(&browser, SIGN_IN_OPTIONS).await;
        let wrong = authenticator.assert_as(&request, |data| "https://evil.example".clone_into(&mut data.origin));
        send_assertion(&browser, wrong).await.refused(400, "AUTHENTICATION_FAILED");
    }
    sign_in(&world.browser(), &mut authenticator).await.ok();
    user.signed_in_with(&app).await;
}
