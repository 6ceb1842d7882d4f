//! As a second factor: in a challenge, and in a live session.

use super::{SIGN_IN_OPTIONS, events, is_signed_in, options, passkeys, register, send_assertion, sign_in};
use crate::harness::authenticator::CeremonyData;
use crate::harness::{App, Authenticator, Caller, FusionAuthUser, User, World};
use countersign_domain::ids::AccountId;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A user with an app and a passkey whose authenticator does not verify its user.
async fn ada(world: &World) -> (User, App, Authenticator) {
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let mut authenticator = Authenticator::without_verification();
    register(&user.browser, &mut authenticator).await.ok();
    (user, app, authenticator)
}

/// The credential ids that a browser may use.
async fn offered(caller: &Caller) -> Value {
    let allowed = options(caller, SIGN_IN_OPTIONS).await["allowCredentials"].clone();
    allowed.as_array().map_or(Value::Null, |list| list.iter().map(|entry| entry["id"].clone()).collect())
}

#[on_each_database]
async fn a_passkey_completes_a_challenge_by_cookie_or_by_bearer(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _, mut authenticator) = ada(&world).await;
    let browser = world.browser();
    let challenge = user.sign_in_from(&browser).await.ok();
    assert_eq!(challenge.body["twoFactorMethods"], json!(["totp", "otp", "passkey"]));
    assert_eq!(offered(&browser).await, json!([authenticator.credential_id()]));
    let response = sign_in(&browser, &mut authenticator).await.ok();
    assert_eq!(response.text("/user/id"), user.id);
    assert!(response.body["session"]["secondFactorAt"].is_string(), "{response}");
    assert!(response.set_cookie("two_factor").unwrap().is_deletion());
    browser.post("/two-factor/generate-backup-codes").json(json!({"password": user.password})).await.ok();
    assert!(passkeys(&browser).await[0]["lastUsedAt"].is_string());

    // A client that keeps the challenge's token, and the passkey cookie alone.
    let token = user.challenge_token(&world.browser()).await;
    let bearer = world.browser().with_header("authorization", &format!("Bearer {token}"));
    assert_eq!(offered(&bearer).await, json!([authenticator.credential_id()]));
    let response = sign_in(&bearer, &mut authenticator).await.ok();
    assert!(response.body["session"]["secondFactorAt"].is_string());
}

#[on_each_database]
async fn who_has_no_passkey_is_offered_none_and_twofactormethods_is_as_before(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("bea").await;
    user.enrol().await;
    let browser = world.browser();
    let challenge = user.sign_in_from(&browser).await.ok();
    assert_eq!(challenge.body["twoFactorMethods"], json!(["totp", "otp"]));
    assert_eq!(offered(&browser).await, Value::Null, "any passkey signs in");
}

#[on_each_database]
async fn a_challenge_that_is_completed_by_a_passkey_trusts_the_device(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _, mut authenticator) = ada(&world).await;
    let browser = user.challenged().await;
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let body = json!({"response": authenticator.assert(&request), "trustDevice": true});
    browser.post("/passkey/verify-authentication").json(body).await.ok();
    browser.post("/sign-out").await.ok();
    let response = user.sign_in_from(&browser).await.ok();
    assert_eq!(response.body["twoFactorRedirect"], Value::Null, "{response}");
}

#[on_each_database]
async fn a_key_that_opened_a_challenge_does_not_complete_it_53(database: DatabaseKind) {
    let world = World::start(database).await;
    let (_, app, mut authenticator) = ada(&world).await;
    let browser = world.browser();
    let response = sign_in(&browser, &mut authenticator).await.ok();
    assert_eq!(response.body["twoFactorMethods"], json!(["totp", "otp"]), "{response}");
    assert_eq!(offered(&browser).await, Value::Null);
    sign_in(&browser, &mut authenticator).await.ok();
    assert!(!is_signed_in(&browser).await, "another challenge, and no session");
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
}

#[on_each_database]
async fn another_users_passkey_completes_no_challenge_51(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app, _) = ada(&world).await;
    let eve = world.user("eve").await;
    let mut theirs = Authenticator::new();
    register(&eve.browser, &mut theirs).await.ok();
    let browser = user.challenged().await;
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    send_assertion(&browser, theirs.assert(&request)).await.refused(400, "AUTHENTICATION_FAILED");
    assert!(!is_signed_in(&browser).await);
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
}

#[on_each_database]
async fn wrong_responses_take_the_tries_of_a_challenge_and_lock_the_account_as_codes_do_9_18(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app, mut authenticator) = ada(&world).await;
    let wrong = |data: &mut CeremonyData| "https://evil.example".clone_into(&mut data.origin);
    for _ in 0..2 {
        let browser = user.challenged().await;
        for _ in 0..5 {
            let request = options(&browser, SIGN_IN_OPTIONS).await;
            send_assertion(&browser, authenticator.assert_as(&request, wrong))
                .await
                .refused(400, "AUTHENTICATION_FAILED");
        }
    }
    // One count for every kind of factor.
    let browser = user.challenged().await;
    let code = json!({"code": app.fresh_code()});
    browser.post("/two-factor/verify-totp").json(code).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let refused = send_assertion(&browser, authenticator.assert(&request)).await;
    refused.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!(events(&world, "second-factor-rejected"), 10);
}

#[on_each_database]
async fn a_passkey_steps_up_a_session_if_it_verifies_its_user_52_53(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app, mut authenticator) = ada(&world).await;
    let browser = user.trusted_with(&app).await;
    world.clock.advance(HOUR);
    let codes = || browser.post("/two-factor/generate-backup-codes").json(json!({"password": user.password}));
    codes().await.refused(403, "SECOND_FACTOR_REQUIRED");
    let before = browser.cookie("session_token").unwrap();

    let request = options(&browser, SIGN_IN_OPTIONS).await;
    assert_eq!(request["userVerification"], "required");
    assert_eq!(request["allowCredentials"][0]["id"], authenticator.credential_id());
    send_assertion(&browser, authenticator.assert(&request)).await.refused(400, "AUTHENTICATION_FAILED");
    codes().await.refused(403, "SECOND_FACTOR_REQUIRED");

    authenticator.verifies_user = true;
    let response = sign_in(&browser, &mut authenticator).await.ok();
    assert_ne!(browser.cookie("session_token").unwrap(), before, "a new token, as by a code");
    assert!(response.header("set-auth-token").unwrap().starts_with(&response.text("/session/token")));
    codes().await.ok();
}

#[on_each_database]
async fn options_of_a_session_are_good_in_that_session_alone_48(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app, mut authenticator) = ada(&world).await;
    authenticator.verifies_user = true;
    let browser = user.signed_in_with(&app).await;
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let elsewhere = world.browser();
    elsewhere.set_cookie("better-auth.better-auth-passkey", &browser.cookie("better-auth-passkey").unwrap());
    send_assertion(&elsewhere, authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");
    assert!(!is_signed_in(&elsewhere).await);
}

#[on_each_database]
async fn a_passkey_may_be_the_last_second_factor_and_removing_it_switches_the_second_factor_off(
    database: DatabaseKind,
) {
    let world = World::start(database).await;
    let (user, app, mut authenticator) = ada(&world).await;
    authenticator.verifies_user = true;
    let service = world.service().await;
    let through_service = FusionAuthUser { id: hyphenated(&user.id), email: user.email.clone() };
    for kind in ["email", "authenticator"] {
        let method = service.method_id(&through_service, kind).await;
        let path = format!("/user/two-factor/{}?code={}&methodId={method}", through_service.id, app.fresh_code());
        service.call("DELETE", &path).await.ok();
    }
    let browser = world.browser();
    let challenge = user.sign_in_from(&browser).await.ok();
    assert_eq!(challenge.body["twoFactorMethods"], json!(["passkey"]), "{challenge}");
    let session = sign_in(&browser, &mut authenticator).await.ok();
    assert_eq!(session.body["user"]["twoFactorEnabled"], true);
    let id = passkeys(&browser).await[0]["id"].clone();
    browser.post("/passkey/delete-passkey").json(json!({"id": id})).await.ok();
    let response = user.sign_in_from(&world.browser()).await.ok();
    assert_eq!(response.body["user"]["twoFactorEnabled"], false, "{response}");
}

fn hyphenated(id: &str) -> String {
    AccountId::parse(id).unwrap().to_hyphenated()
}
