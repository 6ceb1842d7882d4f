//! Registering.

use super::{REGISTER_OPTIONS, events, options, passkeys, register, send_registration, sign_in};
use crate::harness::authenticator::{CeremonyData, RP_ID};
use crate::harness::{Authenticator, World};
use countersign::config::Settings;
use countersign_domain::address::MethodKind;
use countersign_domain::passkey::relying_party::{Attestation, RelyingPartyId};
use countersign_domain::tenant::{Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::BASE64URL_NOPAD;
use passkey_crypto::iana::Algorithm;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

#[on_each_database]
async fn options_name_the_relying_party_the_user_and_what_is_taken(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let response = user.browser.get(REGISTER_OPTIONS).await.ok();
    let cookie = response.set_cookie("better-auth-passkey").unwrap();
    assert!(cookie.attributes.contains("Max-Age=300; Path=/; HttpOnly"), "{}", cookie.attributes);
    let shown = response.body;
    let handle = BASE64URL_NOPAD.decode(shown["user"]["id"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(String::from_utf8(handle).unwrap().replace('-', ""), user.id);
    assert_eq!(shown["rp"], json!({"name": "Countersign", "id": RP_ID}));
    assert_eq!((&shown["user"]["name"], &shown["user"]["displayName"]), (&json!(user.email), &json!(user.email)));
    let algorithms: Vec<_> = shown["pubKeyCredParams"].as_array().unwrap().iter().map(|entry| &entry["alg"]).collect();
    assert_eq!(algorithms, [&json!(-7), &json!(-8), &json!(-257)]);
    let selection = json!({"residentKey": "preferred", "requireResidentKey": false, "userVerification": "preferred"});
    assert_eq!((&shown["authenticatorSelection"], &shown["attestation"]), (&selection, &json!("none")));
    assert_eq!((&shown["timeout"], &shown["excludeCredentials"]), (&json!(60_000), &json!([])));

    let path = format!("{REGISTER_OPTIONS}?name=Work&authenticatorAttachment=platform&context=x");
    let named = options(&user.browser, &path).await;
    assert_eq!((&named["user"]["name"], &named["user"]["displayName"]), (&json!("Work"), &json!(user.email)));
    assert_eq!(named["authenticatorSelection"]["authenticatorAttachment"], "platform");
    assert_eq!(named["user"]["id"], shown["user"]["id"], "one entry on each authenticator");
    assert_ne!(named["challenge"], shown["challenge"]);
    let long = format!("{REGISTER_OPTIONS}?name={}", "x".repeat(257));
    user.browser.get(&long).await.refused(400, "VALIDATION_ERROR");
    user.browser.get(&format!("{REGISTER_OPTIONS}?name=a%00b")).await.refused(400, "VALIDATION_ERROR");
}

#[on_each_database]
async fn a_registered_passkey_is_shown_as_it_is_and_excluded_from_the_next_registration(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    let response = authenticator.register(&creation);
    let body = json!({"response": response, "name": "  My laptop ", "createSession": true});
    let registered = user.browser.post("/passkey/verify-registration").json(body).await.ok();
    assert!(registered.set_cookie("better-auth-passkey").unwrap().is_deletion());
    let shown = &registered.body;
    assert_eq!((&shown["name"], &shown["userId"]), (&json!("My laptop"), &json!(user.id)));
    assert_eq!(shown["credentialID"], authenticator.credential_id());
    assert_eq!((&shown["deviceType"], &shown["backedUp"]), (&json!("singleDevice"), &json!(false)));
    assert_eq!((&shown["transports"], &shown["counter"]), (&json!("internal"), &json!(0)));
    assert_eq!(shown["aaguid"], "00000000-0000-0000-0000-000000000000");
    assert_eq!((&shown["user"]["id"], &shown["session"]["token"]), (&json!(user.id), &json!(user.first_token)));
    assert_eq!(shown["user"]["twoFactorEnabled"], false, "registering switches no second factor on");

    let excluded = options(&user.browser, REGISTER_OPTIONS).await["excludeCredentials"].clone();
    let expected = json!([{"id": authenticator.credential_id(), "type": "public-key", "transports": ["internal"]}]);
    assert_eq!(excluded, expected);
    let mut synced = Authenticator::synced();
    let second = register(&user.browser, &mut synced).await.ok();
    assert_eq!((&second.body["deviceType"], &second.body["backedUp"]), (&json!("multiDevice"), &json!(true)));
    assert_eq!((&second.body["name"], &second.body["session"]), (&Value::Null, &Value::Null));
    assert_eq!(passkeys(&user.browser).await.len(), 2);
    assert_eq!(events(&world, "passkey-added"), 2);
}

#[on_each_database]
async fn keys_of_each_algorithm_are_taken_and_sign_in(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let mut authenticator = Authenticator::with(algorithm);
        register(&user.browser, &mut authenticator).await.ok();
        sign_in(&world.browser(), &mut authenticator).await.ok();
    }
    // Not offered, so not taken.
    let mut authenticator = Authenticator::with(Algorithm::ML_DSA_44);
    register(&user.browser, &mut authenticator).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");
}

#[on_each_database]
async fn options_are_good_for_one_response_in_five_minutes_48(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let before = user.browser.copy();
    send_registration(
        &user.browser,
        Authenticator::new().register(&json!({
            "challenge": "x", "rp": {"id": RP_ID}, "user": {"id": "x"},
        })),
    )
    .await
    .refused(400, "CHALLENGE_NOT_FOUND")
    .saying("Challenge not found");

    // A response that failed has spent them, also for who kept the cookie.
    let creation = options(&before, REGISTER_OPTIONS).await;
    let kept = before.copy();
    let mut authenticator = Authenticator::new();
    let wrong = authenticator.register_as(&creation, |data| "https://evil.example".clone_into(&mut data.origin));
    send_registration(&before, wrong).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");
    send_registration(&kept, authenticator.register(&creation)).await.refused(400, "CHALLENGE_NOT_FOUND");

    let creation = options(&before, REGISTER_OPTIONS).await;
    let kept = before.copy();
    send_registration(&before, authenticator.register(&creation)).await.ok();
    let again = Authenticator::new().register(&creation);
    send_registration(&kept, again).await.refused(400, "CHALLENGE_NOT_FOUND");

    let creation = options(&before, REGISTER_OPTIONS).await;
    world.clock.advance(Duration::from_secs(300));
    send_registration(&before, Authenticator::new().register(&creation)).await.refused(400, "CHALLENGE_NOT_FOUND");
    assert_eq!(passkeys(&before).await.len(), 1);
}

#[on_each_database]
async fn a_stolen_session_of_yesterday_or_without_the_second_factor_adds_and_removes_none_56(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let id = register(&user.browser, &mut Authenticator::new()).await.ok().text("/id");
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    world.clock.advance(HOUR * 24);
    let remove = || user.browser.post("/passkey/delete-passkey").json(json!({"id": id}));
    user.browser.get(REGISTER_OPTIONS).await.refused(403, "SESSION_NOT_FRESH");
    remove().await.refused(403, "SESSION_NOT_FRESH");
    send_registration(&user.browser, Authenticator::new().register(&creation))
        .await
        .refused(400, "CHALLENGE_NOT_FOUND");

    // Once there is a second factor, it is asked for, and no longer the sign-in of the day.
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    let minute = Duration::from_secs(60);
    world.clock.advance(HOUR - minute);
    let creation = options(&trusted, REGISTER_OPTIONS).await;
    world.clock.advance(minute);
    let refused = send_registration(&trusted, Authenticator::new().register(&creation)).await;
    let refused = refused.refused(403, "SECOND_FACTOR_REQUIRED");
    assert!(refused.set_cookie("better-auth-passkey").unwrap().is_deletion(), "its options are spent");
    trusted.get(REGISTER_OPTIONS).await.refused(403, "SECOND_FACTOR_REQUIRED");
    trusted.post("/passkey/delete-passkey").json(json!({"id": id})).await.refused(403, "SECOND_FACTOR_REQUIRED");
    let from_trust = world.browser();
    for (name, value) in trusted.cookies().iter().filter(|(name, _)| name.contains("trust_device")) {
        from_trust.set_cookie(name, value);
    }
    user.sign_in_from(&from_trust).await.ok();
    from_trust.get(REGISTER_OPTIONS).await.refused(403, "SECOND_FACTOR_REQUIRED");
    trusted.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    register(&trusted, &mut Authenticator::new()).await.ok();
    assert_eq!(passkeys(&trusted).await.len(), 2);
}

#[on_each_database]
async fn an_account_has_twenty_passkeys_and_each_belongs_to_one_account(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut last = Authenticator::new();
    for number in 0..20 {
        last = Authenticator::new();
        let response = register(&user.browser, &mut last).await;
        assert_eq!(response.status, 200, "{number}: {response}");
    }
    user.browser.get(REGISTER_OPTIONS).await.refused(400, "TOO_MANY_PASSKEYS");

    let other = world.user("bea").await;
    register(&other.browser, &mut last).await.refused(400, "PREVIOUSLY_REGISTERED");
    assert!(passkeys(&other.browser).await.is_empty());
}

#[on_each_database]
async fn options_of_another_user_register_nothing_51(database: DatabaseKind) {
    let world = World::start(database).await;
    let (ada, eve) = (world.user("ada").await, world.user("eve").await);
    let creation = options(&eve.browser, REGISTER_OPTIONS).await;
    let name = "better-auth.better-auth-passkey";
    ada.browser.set_cookie(name, &eve.browser.cookie("better-auth-passkey").unwrap());
    let registration = Authenticator::new().register(&creation);
    let response = send_registration(&ada.browser, registration.clone()).await;
    response.refused(401, "YOU_ARE_NOT_ALLOWED_TO_REGISTER_THIS_PASSKEY");
    // They are good for one response, also if another user sends it.
    send_registration(&eve.browser, registration).await.refused(400, "CHALLENGE_NOT_FOUND");
    assert!(passkeys(&ada.browser).await.is_empty() && passkeys(&eve.browser).await.is_empty());
}

#[on_each_database]
async fn a_password_that_changes_meanwhile_ends_a_registration(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    let change = json!({"currentPassword": user.password, "newPassword": "another horse for the battery"});
    user.browser.post("/change-password").json(change).await.ok();
    send_registration(&user.browser, Authenticator::new().register(&creation))
        .await
        .refused(400, "CHALLENGE_NOT_FOUND");
    assert!(passkeys(&user.browser).await.is_empty());
}

#[on_each_database]
async fn a_tenant_that_does_not_allow_passkeys_registers_none_and_signs_nobody_in(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    let others = || Tenant { methods: [MethodKind::Authenticator].into(), ..Tenant::default() };
    let world =
        world.restarted_with(|settings| settings.directory = Directory::new(vec![others()], Vec::new()).unwrap());
    let world = world.await;
    user.browser.get(REGISTER_OPTIONS).await.refused(400, "PASSKEY_NOT_CONFIGURED");
    sign_in(&world.browser(), &mut authenticator).await.refused(401, "PASSKEY_NOT_FOUND");
    assert_eq!(passkeys(&user.browser).await.len(), 1, "it is there, and can be removed");
}

#[on_each_database]
async fn without_a_relying_party_there_are_no_passkeys(database: DatabaseKind) {
    let off = |settings: &mut Settings| (settings.passkeys.rp_id, settings.passkeys.origins) = (None, Vec::new());
    let world = World::with(database, off).await;
    let user = world.user("ada").await;
    user.browser.get(REGISTER_OPTIONS).await.refused(404, "NOT_FOUND");
    world.stranger().get(super::SIGN_IN_OPTIONS).await.refused(404, "NOT_FOUND");
    user.browser.get("/passkey/list-user-passkeys").await.refused(404, "NOT_FOUND");
    world.stranger().get("/passkey/list-user-passkeys").await.refused(404, "NOT_FOUND");
}

#[on_each_database]
async fn passkeys_of_a_former_relying_party_are_shown_and_sign_in_no_more_46(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    let (asked, begun) = (options(&user.browser, REGISTER_OPTIONS).await, world.browser());
    let before = options(&begun, super::SIGN_IN_OPTIONS).await;
    let world =
        world.restarted_with(|settings| settings.passkeys.rp_id = Some(RelyingPartyId::parse("other.test").unwrap()));
    let world = world.await;
    assert_eq!(passkeys(&user.browser).await.len(), 1);
    let browser = world.browser();
    let request = options(&browser, super::SIGN_IN_OPTIONS).await;
    assert_eq!(request["rpId"], "other.test");
    super::send_assertion(&browser, authenticator.assert(&request)).await.refused(400, "AUTHENTICATION_FAILED");
    // What began for the former one ends with it, whatever the response is for.
    let now = |data: &mut CeremonyData| "other.test".clone_into(&mut data.rp_id);
    let response = authenticator.assert_as(&before, now);
    super::send_assertion(&begun, response).await.refused(400, "AUTHENTICATION_FAILED");
    let response = Authenticator::new().register_as(&asked, now);
    send_registration(&user.browser, response).await.refused(400, "FAILED_TO_VERIFY_REGISTRATION");
    assert_eq!(passkeys(&user.browser).await.len(), 1);
}

#[on_each_database]
async fn attestation_is_asked_for_where_it_is_configured(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.passkeys.attestation = Attestation::Direct).await;
    let user = world.user("ada").await;
    assert_eq!(options(&user.browser, REGISTER_OPTIONS).await["attestation"], "direct");
    register(&user.browser, &mut Authenticator::new()).await.ok();
    let recorded = "SELECT count(*) AS number FROM passkeys WHERE attestation_object IS NOT NULL";
    assert_eq!(world.database().number(recorded), 1);
}
