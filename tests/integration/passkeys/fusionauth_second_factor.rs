//! FusionAuth's dialect: passkeys as a second factor.

use super::fusionauth::register;
use super::{events, passkeys};
use crate::harness::authenticator::CeremonyData;
use crate::harness::service::TotpApp;
use crate::harness::{Authenticator, FusionAuthUser, Response, Service, World};
use countersign_domain::ids::AccountId;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

/// A user with an app and a passkey whose authenticator does not verify its user.
async fn enrolled(service: &Service) -> (FusionAuthUser, TotpApp, Authenticator) {
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let mut authenticator = Authenticator::without_verification();
    register(service, &user, &mut authenticator).await.ok();
    (user, app, authenticator)
}

async fn options(service: &Service, challenge: &str) -> Value {
    service.post("/webauthn/start", json!({"twoFactorId": challenge})).await.ok().body["options"].clone()
}

async fn complete(service: &Service, challenge: &str, credential: Value) -> Response {
    service.open("/two-factor/login", json!({"twoFactorId": challenge, "credential": credential})).await
}

fn kinds(methods: &Value) -> Vec<&str> {
    methods.as_array().unwrap().iter().map(|method| method["method"].as_str().unwrap()).collect()
}

#[on_each_database]
async fn a_passkey_completes_a_two_factor_login(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, _, mut authenticator) = enrolled(&service).await;
    let challenged = service.log_in(&user).await.is(242);
    assert_eq!(kinds(&challenged.body["methods"]), ["authenticator", "passkey"]);
    let method = &challenged.body["methods"][1];
    assert_eq!(method["name"], "My key");
    let read = service.get(&format!("/user/{}", user.id)).await.ok();
    assert_eq!(read.body["user"]["twoFactor"]["methods"][1]["id"], method["id"]);
    let found = service.get(&format!("/user/search?ids={}", user.id)).await.ok();
    assert_eq!(kinds(&found.body["users"][0]["twoFactor"]["methods"]), ["authenticator", "passkey"]);

    let id = challenged.text("/twoFactorId");
    let request = options(&service, &id).await;
    assert_eq!(request["allowCredentials"][0]["id"], authenticator.credential_id());
    assert_eq!(request["userVerification"], "preferred");
    let body = json!({"twoFactorId": id, "credential": authenticator.assert(&request), "trustComputer": true});
    let done = service.open("/two-factor/login", body).await.ok();
    assert_eq!(kinds(&done.body["user"]["twoFactor"]["methods"]), ["authenticator", "passkey"]);
    assert_eq!(done.body["user"]["twoFactor"]["methods"][1]["lastUsed"], true);
    let claims = service.with_token(&done.text("/token"), "GET", "/jwt/validate").await.ok();
    assert_eq!(claims.body["jwt"]["amr"], json!(["mfa"]), "{claims}");
    let trust = done.text("/twoFactorTrustId");
    let status = format!("/two-factor/status/{trust}?userId={}", user.id);
    service.get(&status).await.ok();
    assert_eq!(events(&world, "second-factor-signed-in"), 1);
}

#[on_each_database]
async fn a_passkey_steps_up_a_login_that_a_service_begins(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, _, mut authenticator) = enrolled(&service).await;
    let begun = service.post("/two-factor/start", json!({"userId": user.id, "state": {"to": 1}})).await.ok();
    assert_eq!(kinds(&begun.body["methods"]), ["authenticator", "passkey"]);
    let id = begun.text("/twoFactorId");
    let request = options(&service, &id).await;
    let done = complete(&service, &id, authenticator.assert(&request)).await.ok();
    assert_eq!(done.body["state"], json!({"to": 1}));
    let change = json!({
        "loginId": user.email, "currentPassword": crate::harness::PASSWORD, "password": "another password",
        "trustToken": done.text("/trustToken"),
    });
    service.post("/user/change-password", change).await.ok();
    // Without a second factor there is none to pass.
    let plain = service.user().await;
    register(&service, &plain, &mut Authenticator::new()).await.ok();
    let begun = service.post("/two-factor/start", json!({"userId": plain.id})).await.ok();
    assert_eq!(begun.body["methods"], Value::Null);
    let body = json!({"twoFactorId": begun.text("/twoFactorId")});
    service.post("/webauthn/start", body).await.wrong("[NoPasskey]");
    service.post("/webauthn/start", json!({"twoFactorId": format!("c{}", "x".repeat(42))})).await.is(404);
}

#[on_each_database]
async fn a_response_completes_the_challenge_that_it_was_asked_for_and_no_other_48_51(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, app, mut authenticator) = enrolled(&service).await;
    let (first, second) = (service.challenge(&user).await, service.challenge(&user).await);
    let request = options(&service, &first).await;
    let response = authenticator.assert(&request);
    complete(&service, &second, response.clone()).await.is(421);
    service.open("/webauthn/login", json!({"credential": response})).await.is(404);
    service.open("/webauthn/assert", json!({"credential": response})).await.is(404);
    complete(&service, &first, response.clone()).await.ok();
    complete(&service, &first, response).await.is(404);
    // The challenge of a login completes no two-factor login.
    let body = json!({"applicationId": crate::harness::service::APPLICATION, "userId": user.id, "workflow": "bootstrap"});
    let login = service.post("/webauthn/start", body).await.ok().body["options"].clone();
    complete(&service, &second, authenticator.assert(&login)).await.is(421);
    service.complete(&second, &app.fresh_code()).await.ok();
    service.open("/two-factor/login", json!({"twoFactorId": second})).await.wrong("[blank]code");
    complete(&service, &second, json!({"id": "x"})).await.wrong("[blank]credential.response.signature");
}

#[on_each_database]
async fn wrong_responses_take_tries_and_lock_the_user_as_codes_do_9_18(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, app, mut authenticator) = enrolled(&service).await;
    let wrong = |data: &mut CeremonyData| "https://evil.example".clone_into(&mut data.origin);
    for _ in 0..2 {
        let id = service.challenge(&user).await;
        for _ in 0..5 {
            let request = options(&service, &id).await;
            complete(&service, &id, authenticator.assert_as(&request, wrong)).await.is(421);
        }
    }
    let id = service.challenge(&user).await;
    service.complete(&id, &app.fresh_code()).await.is(409);
    let request = options(&service, &id).await;
    assert!(complete(&service, &id, authenticator.assert(&request)).await.is(409).retry_after() > 0);
}

#[on_each_database]
async fn a_passkey_is_a_method_that_is_renamed_and_removed_and_is_sent_no_code(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, app, _) = enrolled(&service).await;
    let id = service.method_id(&user, "passkey").await;
    let send = json!({"userId": user.id, "methodId": id});
    service.post("/two-factor/send", send.clone()).await.wrong("[cannotSend]method");
    let challenge = service.challenge(&user).await;
    service.open(&format!("/two-factor/send/{challenge}"), send).await.wrong("[cannotSend]method");
    let enable = json!({"method": "passkey", "code": "123456"});
    service.post(&format!("/user/two-factor/{}", user.id), enable).await.wrong("[invalid]method");
    let path = format!("/user/two-factor/{}", user.id);
    service.call("PUT", &path).json(json!({"methodId": id, "name": "Blue key"})).await.ok();
    let listed = service.get(&format!("/webauthn?userId={}", user.id)).await.ok();
    assert_eq!(listed.body["credentials"][0]["displayName"], "Blue key");
    service.call("DELETE", &format!("{path}?methodId={id}&code={}", app.wrong_code())).await.is(421);
    service.call("DELETE", &format!("{path}?methodId={id}&code={}", app.fresh_code())).await.ok();
    let listed = service.get(&format!("/webauthn?userId={}", user.id)).await.ok();
    assert_eq!(listed.body["credentials"], json!([]));
    let challenged = service.log_in(&user).await.is(242);
    assert_eq!(kinds(&challenged.body["methods"]), ["authenticator"]);
}

#[on_each_database]
async fn removing_the_last_second_factor_that_is_a_passkey_switches_it_off(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let (user, app, mut authenticator) = enrolled(&service).await;
    let method = service.method_id(&user, "authenticator").await;
    let path = format!("/user/two-factor/{}?methodId={method}&code={}", user.id, app.fresh_code());
    service.call("DELETE", &path).await.ok();
    let id = service.challenge(&user).await;
    let request = options(&service, &id).await;
    complete(&service, &id, authenticator.assert(&request)).await.ok();
    service.call("DELETE", &format!("/webauthn?userId={}", user.id)).await.ok();
    service.log_in(&user).await.ok();
    let read = service.get(&format!("/user/{}", user.id)).await.ok();
    assert_eq!(read.body["user"]["twoFactor"], Value::Null);
}

#[on_each_database]
async fn both_dialects_take_one_passkey_as_a_second_factor(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    user.enrol().await;
    let named = FusionAuthUser { id: AccountId::parse(&user.id).unwrap().to_hyphenated(), email: user.email.clone() };
    let mut authenticator = Authenticator::without_verification();
    register(&service, &named, &mut authenticator).await.ok();
    let browser = user.challenged().await;
    let request = super::options(&browser, super::SIGN_IN_OPTIONS).await;
    super::send_assertion(&browser, authenticator.assert(&request)).await.ok();
    assert_eq!(passkeys(&browser).await.len(), 1);
    let body = json!({"loginId": user.email, "password": user.password});
    let challenged = service.post("/login", body).await.is(242);
    assert!(kinds(&challenged.body["methods"]).contains(&"passkey"), "{challenged}");
    let id = challenged.text("/twoFactorId");
    // A response to the options of the other dialect is no response to this one's.
    let elsewhere = user.challenged().await;
    let request = super::options(&elsewhere, super::SIGN_IN_OPTIONS).await;
    complete(&service, &id, authenticator.assert(&request)).await.is(421);
    let request = options(&service, &id).await;
    assert_eq!(complete(&service, &id, authenticator.assert(&request)).await.text("/user/id"), named.id);
}
