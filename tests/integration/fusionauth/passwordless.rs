//! Logging in without a password, by a code that is mailed, delivered by a service, or both.

use super::forgotten_passwords::NEW;
use crate::harness::service::APPLICATION;
use crate::harness::wire::Wire;
use crate::harness::{FusionAuthUser, PASSWORD, Response, Service, World, cheap_passwords};
use crate::limits::wrong_codes;
use countersign_domain::tenant::{Application, Directory, LoginPolicy, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// The code in the `count`th link that was mailed to that address.
pub(crate) async fn mailed_code(wire: &Wire, email: &str, count: usize) -> String {
    let link = wire.link_for(email, count).await;
    link.strip_prefix("/oauth2/passwordless/").unwrap_or_else(|| panic!("{link} logs nobody in")).to_owned()
}

/// A code that nothing was mailed for.
async fn started(service: &Service, user: &FusionAuthUser) -> String {
    let body = json!({"applicationId": APPLICATION, "loginId": user.email, "state": {"page": 7}});
    service.post("/passwordless/start", body).await.ok().text("/code")
}

async fn log_in(service: &Service, code: &str) -> Response {
    service.open("/passwordless/login", json!({"code": code})).await
}

async fn is_verified(service: &Service, user: &FusionAuthUser) -> bool {
    service.get(&format!("/user/{}", user.id)).await.ok().body["user"]["verified"] == true
}

#[on_each_database]
async fn a_code_logs_in_once_and_proves_the_address_it_was_mailed_to(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let code = started(&service, &user).await;
    let logged_in = log_in(&service, &code).await.ok();
    assert_eq!(logged_in.body["state"], json!({"page": 7}));
    let shown = service.with_token(&logged_in.text("/token"), "GET", "/jwt/validate").await.ok();
    assert_eq!(shown.text("/jwt/aud"), APPLICATION);
    assert!(!logged_in.text("/refreshToken").is_empty());
    log_in(&service, &code).await.is(404);
    assert!(!is_verified(&service, &user).await, "nobody has read any mail");
    let code = started(&service, &user).await;
    service.open("/passwordless/send", json!({"code": code})).await.ok();
    // The service may have given that code to anybody: another one is mailed, and takes its place.
    log_in(&service, &code).await.is(404);
    service.open("/passwordless/send", json!({"code": code})).await.is(404);
    let mailed = mailed_code(&world, &user.email, 1).await;
    let logged_in = log_in(&service, &mailed).await.ok();
    assert_eq!(logged_in.body["state"], json!({"page": 7}));
    assert!(is_verified(&service, &user).await);
    service.open("/passwordless/send", json!({"code": mailed})).await.is(404);
    let verified =
        || world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'address-verified'");
    assert_eq!(verified(), 1);
    let body = json!({"applicationId": APPLICATION, "loginId": user.email});
    assert!(service.open("/passwordless/send", body).await.ok().body.is_null());
    let code = mailed_code(&world, &user.email, 2).await;
    let no_token = service.open("/passwordless/login", json!({"code": code, "noJWT": true})).await.ok();
    assert!(no_token.body["token"].is_null() && no_token.body["refreshToken"].is_null());
    assert_eq!(verified(), 1, "it was verified already");
    let unregistered = service.user_with(json!({})).await;
    log_in(&service, &started(&service, &unregistered).await).await.is(202);
}

#[on_each_database]
async fn requests_that_make_no_sense_are_refused_in_words(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let start = |more: Value| {
        let mut body = json!({"applicationId": APPLICATION, "loginId": user.email});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service.post("/passwordless/start", body)
    };
    start(json!({"loginStrategy": "ClickableLink"})).await.ok();
    start(json!({"loginStrategy": "FormField"})).await.wrong("[notAllowed]loginStrategy");
    start(json!({"loginId": "nobody@example.com"})).await.is(404);
    start(json!({"applicationId": "c0de0000-0000-4000-8000-00000000beef"})).await.wrong("[invalid]applicationId");
    start(json!({"loginId": null})).await.wrong("[blank]loginId");
    start(json!({"applicationId": null})).await.wrong("[blank]applicationId");
    let nameless = json!({"user": {"username": "nameless", "password": PASSWORD}});
    service.post("/user", nameless).await.ok();
    let code = start(json!({"loginId": "nameless"})).await.ok().text("/code");
    service.open("/passwordless/send", json!({"code": code})).await.is(422);
    let send = json!({"loginId": "nameless", "applicationId": APPLICATION});
    service.post("/passwordless/send", send.clone()).await.is(422);
    service.open("/passwordless/send", send).await.ok();
    service.open("/passwordless/send", json!({"loginId": user.email})).await.wrong("[blank]applicationId");
    service.open("/passwordless/login", json!({})).await.wrong("[blank]code");
    let both = json!({"code": code, "oneTimeCode": "123456"});
    service.open("/passwordless/login", both).await.wrong("[invalid]oneTimeCode");
    log_in(&service, "nonsense").await.is(404);
    log_in(&service, &code).await.is(202);
}

/// A mailed code is one factor.
#[on_each_database]
async fn a_code_skips_no_second_factor_and_mail_is_none_after_it_22_23(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    service.enrol_address(&user, "sms", "+15550100").await;
    let email = service.method_id(&user, "email").await;
    let challenged = log_in(&service, &started(&service, &user).await).await.is(242);
    assert!(challenged.body["token"].is_null(), "{challenged}");
    let kinds: Vec<_> = challenged.body["methods"].as_array().unwrap().iter().map(|one| &one["method"]).collect();
    assert_eq!(kinds, ["authenticator", "sms"], "{challenged}");
    let challenge = challenged.text("/twoFactorId");
    let send = |method: &str| service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": method}));
    let before = world.outbox().codes_for(&user.email).len();
    send(&email).await.wrong("[invalid]methodId");
    assert_eq!(world.outbox().codes_for(&user.email).len(), before);
    send(&service.method_id(&user, "sms").await).await.ok();
    let done = service.complete(&challenge, &world.last_code_for("+15550100")).await.ok();
    assert_eq!(done.body["state"], json!({"page": 7}));
    // After a password, mail is another factor.
    let challenge = service.challenge(&user).await;
    service.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": email})).await.ok();
    service.complete(&challenge, &world.last_code_for(&user.email)).await.ok();
    // Trust in a device stands in for the second factor, as after a password.
    let challenge = log_in(&service, &started(&service, &user).await).await.is(242).text("/twoFactorId");
    let body = json!({"twoFactorId": challenge, "code": app.fresh_code(), "trustComputer": true});
    let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
    let body = json!({"code": started(&service, &user).await, "twoFactorTrustId": trust});
    service.open("/passwordless/login", body).await.ok();
}

/// Who reads the mail must not pass both factors with it, in whichever dialect.
#[on_each_database]
async fn a_user_whose_only_method_is_mail_completes_the_login_with_a_recovery_code_22_23(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.verification_signs_in = true;
    });
    let world = world.await;
    let service = world.service().await;
    let user = service.user().await;
    let send = json!({"userId": user.id, "method": "email", "email": user.email});
    service.post("/two-factor/send", send).await.ok();
    let enable = json!({"method": "email", "email": user.email, "code": world.last_code_for(&user.email)});
    let enabled = service.post(&format!("/user/two-factor/{}", user.id), enable).await.ok();
    let challenged = log_in(&service, &started(&service, &user).await).await.is(242);
    assert!(challenged.body["methods"].is_null(), "{challenged}");
    service.complete(&challenged.text("/twoFactorId"), &enabled.text("/recoveryCodes/0")).await.ok();
    // Better Auth's link that verifies an address and signs in.
    world.database().execute(&format!("UPDATE accounts SET email_verified = false WHERE email = '{}'", user.email));
    world.stranger().post("/send-verification-email").json(json!({"email": user.email})).await.ok();
    let browser = world.browser();
    let followed = browser.call("GET", &world.link_for(&user.email, 1).await).await.is(302);
    assert_eq!(followed.header("location"), Some("/?twoFactorRedirect=true"), "{followed}");
    let before = world.outbox().codes_for(&user.email).len();
    assert_ne!(browser.post("/two-factor/send-otp").await.status, 200);
    assert_eq!(world.outbox().codes_for(&user.email).len(), before);
    let code = json!({"code": enabled.text("/recoveryCodes/1")});
    browser.post("/two-factor/verify-backup-code").json(code).await.ok();
}

#[on_each_database]
async fn an_enrolment_that_is_required_is_not_by_mail(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        let tenant = Tenant { login_policy: LoginPolicy::Required, ..Tenant::default() };
        settings.directory = Directory::new(vec![tenant], vec![Application::default()]).unwrap();
    });
    let world = world.await;
    let service = world.service().await;
    let user = service.user().await;
    let due = log_in(&service, &started(&service, &user).await).await.is(242);
    assert_eq!(due.body["configurableMethods"], json!(["authenticator", "sms"]), "{due}");
    let enable = async |method: &str, field: &str, address: &str| {
        let send = json!({"userId": user.id, "method": method, field: address});
        service.post("/two-factor/send", send).await.ok();
        let code = world.last_code_for(address);
        let body = json!({"method": method, field: address, "code": code, "twoFactorId": due.text("/twoFactorId")});
        service.post(&format!("/user/two-factor/{}", user.id), body).await
    };
    enable("email", "email", &user.email).await.wrong("[disabled]method");
    let enabled = enable("sms", "mobilePhone", "+15550100").await.ok();
    service.complete(&due.text("/twoFactorId"), &enabled.text("/code")).await.ok();
}

#[on_each_database]
async fn a_code_dies_with_the_password_with_the_address_and_with_time(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let path = format!("/user/{}", user.id);
    let patch = async |fields: Value| service.call("PATCH", &path).json(json!({"user": fields})).await.ok();
    let late = started(&service, &user).await;
    world.clock.advance(Duration::from_secs(10 * 60));
    log_in(&service, &late).await.is(404);
    service.open("/passwordless/send", json!({"code": late})).await.is(404);
    for (count, change) in [json!({"password": NEW}), json!({"email": "elsewhere@example.com"})].into_iter().enumerate()
    {
        let unmailed = started(&service, &user).await;
        let started = started(&service, &user).await;
        service.open("/passwordless/send", json!({"code": started})).await.ok();
        let mailed = mailed_code(&world, &user.email, count + 1).await;
        patch(change).await;
        log_in(&service, &unmailed).await.is(404);
        log_in(&service, &mailed).await.is(404);
    }
    let moved = FusionAuthUser { email: "elsewhere@example.com".to_owned(), ..user.clone() };
    let code = started(&service, &moved).await;
    patch(json!({"expiry": world.clock_millis()})).await;
    log_in(&service, &code).await.is(410);
    patch(json!({"expiry": null, "passwordChangeRequired": true})).await;
    let due = log_in(&service, &code).await.is(203);
    assert!(!due.text("/changePasswordId").is_empty());
    let code = started(&service, &moved).await;
    service.call("DELETE", &path).await.ok();
    let refused = log_in(&service, &code).await;
    assert!([404, 423].contains(&refused.status), "{refused}");
}

#[on_each_database]
async fn a_lock_stops_the_second_factor_as_after_a_password(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    wrong_codes(&user, &app, 10).await;
    let id = service.get(&format!("/user?loginId={}", user.email)).await.ok().text("/user/id");
    let named = FusionAuthUser { id, email: user.email.clone() };
    let challenge = log_in(&service, &started(&service, &named).await).await.is(242).text("/twoFactorId");
    service.complete(&challenge, &app.fresh_code()).await.is(409);
}

#[on_each_database]
async fn an_operator_can_switch_it_off(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.passwordless_is_on = false;
    });
    let world = world.await;
    let service = world.service().await;
    let user = service.user().await;
    let body = json!({"applicationId": APPLICATION, "loginId": user.email});
    service.post("/passwordless/start", body.clone()).await.is(404);
    service.open("/passwordless/send", body.clone()).await.is(404);
    service.open("/passwordless/send", json!({"applicationId": APPLICATION, "loginId": "nobody"})).await.is(404);
    log_in(&service, &format!("m{}", "A".repeat(42))).await.is(404);
    service.open("/user/forgot-password", json!({"loginId": user.email})).await.ok();
}
