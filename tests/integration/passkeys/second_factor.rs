//! As a second factor: in a challenge, and in a live session.

use super::{
    REGISTER_OPTIONS, SIGN_IN_OPTIONS, events, is_signed_in, options, passkeys, register, send_assertion,
    send_registration, sign_in,
};
use crate::harness::authenticator::CeremonyData;
use crate::harness::{App, Authenticator, Caller, FusionAuthUser, Response, User, World, cheap_passwords};
use crate::limits::{challenge_by_service, id_of, wrong_codes, wrong_codes_by_service};
use countersign_domain::ids::AccountId;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use data_encoding::BASE64URL_NOPAD;
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
    let handle = |user: &User| Some(BASE64URL_NOPAD.encode(hyphenated(&user.id).as_bytes()));
    let browser = user.challenged().await;
    // An authenticator says of its user what it likes.
    for user_handle in [handle(&eve), handle(&user), None] {
        let request = options(&browser, SIGN_IN_OPTIONS).await;
        let response = theirs.assert_as(&request, |data| data.user_handle = user_handle);
        send_assertion(&browser, response).await.refused(400, "AUTHENTICATION_FAILED");
        assert!(!is_signed_in(&browser).await);
    }
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
}

#[on_each_database]
async fn a_copy_of_a_key_completes_no_challenge_54(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _, mut authenticator) = ada(&world).await;
    sign_in(&user.challenged().await, &mut authenticator).await.ok();
    let browser = user.challenged().await;
    authenticator.counter = 0;
    sign_in(&browser, &mut authenticator).await.refused(400, "AUTHENTICATION_FAILED");
    assert!(!is_signed_in(&browser).await);
    let failures = format!("SELECT failed_attempts AS number FROM accounts WHERE id = '{}'", user.id);
    assert_eq!(world.database().number(&failures), 1, "it is a wrong second factor");
    let recorded = (events(&world, "second-factor-counter-fell"), events(&world, "passkey-counter-fell"));
    assert_eq!(recorded, (1, 0));
    sign_in(&browser, &mut authenticator).await.ok();
}

#[on_each_database]
async fn an_account_that_is_deactivated_meanwhile_is_not_signed_in_to_by_a_second_factor_55(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app, mut authenticator) = ada(&world).await;
    authenticator.verifies_user = true;
    let (challenged, session) = (user.challenged().await, user.signed_in_with(&app).await);
    let administrator = world.administrator().await;
    let path = |action: &str| format!("/users/{}/{action}", hyphenated(&user.id));
    let (of_challenge, of_session) =
        (options(&challenged, SIGN_IN_OPTIONS).await, options(&session, SIGN_IN_OPTIONS).await);
    administrator.post(&path("deactivate")).await.ok();
    for (browser, request) in [(&challenged, &of_challenge), (&session, &of_session)] {
        assert!(request["allowCredentials"].is_array());
        send_assertion(browser, authenticator.assert(request)).await.refused(400, "CHALLENGE_NOT_FOUND");
        assert!(!is_signed_in(browser).await);
    }
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

/// Codes of both dialects and responses of passkeys have one count.
#[on_each_database]
async fn a_lock_is_reached_by_passkeys_and_codes_together_through_both_dialects_9_11(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let (user, app, mut authenticator) = ada(&world).await;
    let wrong = |data: &mut CeremonyData| data.is_cross_origin = true;
    wrong_codes_by_service(&service, &user.email, &app, 5).await;
    let browser = user.challenged().await;
    for _ in 0..4 {
        let request = options(&browser, SIGN_IN_OPTIONS).await;
        let response = authenticator.assert_as(&request, wrong);
        send_assertion(&browser, response).await.refused(400, "AUTHENTICATION_FAILED");
    }
    let challenge = challenge_by_service(&service, &user.email).await;
    service.complete(&challenge, &app.wrong_code()).await.is(421);
    service.complete(&challenge, &app.fresh_code()).await.is(409);
    let other = user.challenged().await;
    sign_in(&other, &mut authenticator).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!((events(&world, "second-factor-rejected"), events(&world, "account-locked")), (10, 1));
    let id = id_of(&service, &user.email).await;
    let counted = || service.get(&format!("/user/lock/{id}"));
    assert_eq!(counted().await.ok().body["guesses"], 10, "each counts as one in the long run");
    // A right one clears what is counted in a row.
    world.clock.advance(HOUR);
    sign_in(&user.challenged().await, &mut authenticator).await.ok();
    wrong_codes_by_service(&service, &user.email, &app, 9).await;
    sign_in(&user.challenged().await, &mut authenticator).await.ok();
    assert_eq!(events(&world, "account-locked"), 1);
}

#[on_each_database]
async fn a_locked_account_changes_no_passkeys_and_is_signed_in_to_by_one_that_verifies_its_user(
    database: DatabaseKind,
) {
    let world = World::with(database, cheap_passwords).await;
    let (user, app, mut authenticator) = ada(&world).await;
    let id = passkeys(&user.browser).await[0]["id"].clone();
    let creation = options(&user.browser, REGISTER_OPTIONS).await;
    wrong_codes(&user, &app, 10).await;
    let locked = |response: Response| {
        let waits = response.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").retry_after();
        assert!((1..=900).contains(&waits), "{waits}");
    };
    locked(send_registration(&user.browser, Authenticator::new().register(&creation)).await);
    locked(user.browser.get(REGISTER_OPTIONS).await);
    locked(user.browser.post("/passkey/delete-passkey").json(json!({"id": id})).await);
    authenticator.verifies_user = true;
    locked(sign_in(&user.browser, &mut authenticator).await);
    locked(sign_in(&user.challenged().await, &mut authenticator).await);
    assert_eq!(passkeys(&user.browser).await.len(), 1);
    // Nothing about it can be guessed, so that a stranger's guesses keep nobody out who has one.
    sign_in(&world.browser(), &mut authenticator).await.ok();
    authenticator.verifies_user = false;
    let challenge = sign_in(&world.browser(), &mut authenticator).await.ok();
    assert_eq!(challenge.body["twoFactorRedirect"], true, "{challenge}");
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
async fn options_of_a_challenge_or_a_session_are_good_for_one_response_48(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    // Its counter, which need not rise, gives nothing away.
    let mut authenticator = Authenticator::synced();
    register(&user.browser, &mut authenticator).await.ok();
    for browser in [user.challenged().await, user.signed_in_with(&app).await] {
        let request = options(&browser, SIGN_IN_OPTIONS).await;
        let kept = browser.copy();
        let wrong = authenticator.assert_as(&request, |data| data.is_cross_origin = true);
        send_assertion(&browser, wrong).await.refused(400, "AUTHENTICATION_FAILED");
        send_assertion(&kept, authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");
        let request = options(&browser, SIGN_IN_OPTIONS).await;
        let kept = browser.copy();
        let right = authenticator.assert(&request);
        send_assertion(&browser, right.clone()).await.ok();
        send_assertion(&kept, right).await.refused(400, "CHALLENGE_NOT_FOUND");
        send_assertion(&browser, authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");
    }
}

#[on_each_database]
async fn options_of_a_session_are_good_in_that_session_alone_48(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app, mut authenticator) = ada(&world).await;
    authenticator.verifies_user = true;
    let browser = user.signed_in_with(&app).await;
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let elsewhere = world.browser();
    let sessions = [&user.signed_in_with(&app).await, &world.user("eve").await.browser];
    for other in [[&elsewhere].as_slice(), &sessions].concat() {
        other.set_cookie("better-auth.better-auth-passkey", &browser.cookie("better-auth-passkey").unwrap());
        send_assertion(other, authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");
    }
    assert!(!is_signed_in(&elsewhere).await);
    send_assertion(&browser, authenticator.assert(&request)).await.ok();
}

#[on_each_database]
async fn options_of_a_challenge_are_good_in_that_challenge_alone_48(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _, mut authenticator) = ada(&world).await;
    let other = world.user("bea").await;
    other.enrol().await;
    let browser = world.browser();
    user.sign_in_from(&browser).await.ok();
    let request = options(&browser, SIGN_IN_OPTIONS).await;
    let (without, of_another) = (world.browser(), world.browser());
    other.sign_in_from(&of_another).await.ok();
    for elsewhere in [&without, &of_another] {
        elsewhere.set_cookie("better-auth.better-auth-passkey", &browser.cookie("better-auth-passkey").unwrap());
        send_assertion(elsewhere, authenticator.assert(&request)).await.refused(400, "CHALLENGE_NOT_FOUND");
        assert!(!is_signed_in(elsewhere).await);
    }
    send_assertion(&browser, authenticator.assert(&request)).await.ok();
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
