//! Signing in.

use super::{SIGN_IN_OPTIONS, events, is_signed_in, options, passkeys, register, send_assertion, sign_in};
use crate::harness::authenticator::RP_ID;
use crate::harness::{Authenticator, User, World};
use countersign_domain::ids::AccountId;
use countersign_domain::passkey::options::UserVerification;
use countersign_domain::tenant::{Directory, LoginPolicy, Tenant};
use countersign_domain::webhook_event::LOCK_ACTION;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// A user with a passkey.
async fn ada(world: &World) -> (User, Authenticator) {
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    (user, authenticator)
}

#[on_each_database]
async fn a_passkey_signs_in_without_a_name(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    let browser = world.browser();
    let response = browser.get(SIGN_IN_OPTIONS).await.ok();
    assert!(response.set_cookie("better-auth-passkey").unwrap().attributes.contains("Max-Age=300; Path=/; HttpOnly"));
    let request = response.body;
    assert_eq!((&request["rpId"], &request["userVerification"]), (&json!(RP_ID), &json!("preferred")));
    assert_eq!((&request["allowCredentials"], &request["timeout"]), (&Value::Null, &json!(60_000)));

    let response = send_assertion(&browser, authenticator.assert(&request)).await.ok();
    assert_eq!(response.text("/user/id"), user.id);
    assert!(response.header("set-auth-token").unwrap().starts_with(&response.text("/session/token")));
    assert!(response.set_cookie("better-auth-passkey").unwrap().is_deletion());
    let session = browser.get("/get-session").await.ok();
    assert_eq!(session.text("/user/email"), user.email);
    let used = &passkeys(&browser).await[0];
    assert_eq!((&used["counter"], used["lastUsedAt"].is_string()), (&json!(1), true));
    assert_eq!(events(&world, "passkey-signed-in"), 1);
}

#[on_each_database]
async fn a_passkey_that_verified_its_user_is_two_factors_and_one_that_did_not_is_one_52_n13(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    let app = user.enrol().await;
    let browser = world.browser();
    let response = sign_in(&browser, &mut authenticator).await.ok();
    assert!(response.body["session"]["secondFactorAt"].is_string(), "{response}");
    browser.post("/two-factor/generate-backup-codes").json(json!({"password": user.password})).await.ok();

    authenticator.verifies_user = false;
    let browser = world.browser();
    let response = sign_in(&browser, &mut authenticator).await.ok();
    assert_eq!(response.body["twoFactorRedirect"], true, "{response}");
    assert_eq!((&response.body["user"], &response.body["session"]), (&Value::Null, &Value::Null));
    assert_eq!(response.body["twoFactorMethods"], json!(["totp", "otp"]));
    assert!(!is_signed_in(&browser).await);
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    assert!(browser.get("/get-session").await.ok().body["session"]["secondFactorAt"].is_string());

    // The token of the challenge does it, too.
    let response = sign_in(&world.browser(), &mut authenticator).await.ok();
    let bearer = world.bearer(response.text("/twoFactorToken"));
    bearer.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
}

#[on_each_database]
async fn without_a_second_factor_an_unverified_passkey_opens_a_session_of_one_factor(database: DatabaseKind) {
    let world = World::start(database).await;
    let (_, mut authenticator) = ada(&world).await;
    authenticator.verifies_user = false;
    let response = sign_in(&world.browser(), &mut authenticator).await.ok();
    assert_eq!(response.body["session"]["secondFactorAt"], Value::Null);
    authenticator.verifies_user = true;
    let response = sign_in(&world.browser(), &mut authenticator).await.ok();
    assert!(response.body["session"]["secondFactorAt"].is_string(), "{response}");
}

#[on_each_database]
async fn where_user_verification_is_required_nobody_signs_in_without_52(database: DatabaseKind) {
    let world =
        World::with(database, |settings| settings.passkeys.user_verification = UserVerification::Required).await;
    let (_, mut authenticator) = ada(&world).await;
    let browser = world.browser();
    assert_eq!(options(&browser, SIGN_IN_OPTIONS).await["userVerification"], "required");
    authenticator.verifies_user = false;
    sign_in(&browser, &mut authenticator).await.refused(400, "AUTHENTICATION_FAILED");
    assert!(!is_signed_in(&browser).await);
    authenticator.verifies_user = true;
    sign_in(&browser, &mut authenticator).await.ok();
}

#[on_each_database]
async fn a_trusted_device_stands_in_for_the_second_factor_of_an_unverified_passkey(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    let app = user.enrol().await;
    let browser = user.trusted_with(&app).await;
    browser.post("/sign-out").await.ok();
    authenticator.verifies_user = false;
    let response = sign_in(&browser, &mut authenticator).await.ok();
    assert_eq!(response.body["session"]["secondFactorAt"], Value::Null, "{response}");
}

#[on_each_database]
async fn where_a_second_factor_is_required_a_passkey_alone_only_enrols(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    let required = || Tenant { login_policy: LoginPolicy::Required, ..Tenant::default() };
    let world = world
        .restarted_with(|settings| settings.directory = Directory::new(vec![required()], Vec::new()).unwrap())
        .await;
    let browser = world.browser();
    sign_in(&browser, &mut authenticator).await.ok();
    browser.get("/list-sessions").await.refused(403, "ENROLMENT_REQUIRED");
    browser.post("/two-factor/enable").json(json!({"password": user.password})).await.ok();
}

#[on_each_database]
async fn an_account_that_may_not_be_used_is_not_signed_in_to_by_a_passkey_55(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, mut authenticator) = ada(&world).await;
    let administrator = world.administrator().await;
    let id = AccountId::parse(&user.id).unwrap().to_hyphenated();
    let path = |action: &str| format!("/users/{id}/{action}");
    administrator.post(&path("deactivate")).await.ok();
    let browser = world.browser();
    sign_in(&browser, &mut authenticator).await.refused(403, "BANNED_USER");
    assert!(!is_signed_in(&browser).await);
    administrator.post(&path("reactivate")).await.ok();
    sign_in(&browser, &mut authenticator).await.ok();
    // Locked by a service.
    let until = world.clock_millis() + 60_000;
    let lock = json!({"actioneeUserId": id, "userActionId": LOCK_ACTION, "expiry": until});
    world.service().await.post("/user/action", json!({"action": lock})).await.ok();
    let browser = world.browser();
    sign_in(&browser, &mut authenticator).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert!(!is_signed_in(&browser).await);
    world.clock.advance(Duration::from_secs(60));
    sign_in(&browser, &mut authenticator).await.ok();
}

#[on_each_database]
async fn an_address_that_has_to_be_verified_is_verified_before_a_passkey_signs_in(database: DatabaseKind) {
    let world = World::start(database).await;
    let (_, mut authenticator) = ada(&world).await;
    let verified = || Tenant { requires_verified_email: true, ..Tenant::default() };
    let world = world
        .restarted_with(|settings| settings.directory = Directory::new(vec![verified()], Vec::new()).unwrap())
        .await;
    sign_in(&world.browser(), &mut authenticator).await.refused(403, "EMAIL_NOT_VERIFIED");
}
