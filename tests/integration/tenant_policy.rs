//! Tenant policy holds in both dialects: each value of `login_policy` and of `methods`, on each database.

use crate::harness::service::TotpApp;
use crate::harness::{App, Caller, PASSWORD, User, World};
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::tenant::{Directory, LoginPolicy, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

const ALL: [MethodKind; 4] = MethodKind::ALL;

fn home(login_policy: LoginPolicy, methods: &[MethodKind]) -> Directory {
    let tenant = Tenant { login_policy, methods: methods.iter().copied().collect(), ..Tenant::default() };
    let application = Directory::default().application(ApplicationId::DEFAULT).cloned();
    Directory::new(vec![tenant], application.into_iter().collect()).expect("a tenant")
}

async fn world(database: DatabaseKind, login_policy: LoginPolicy, methods: &[MethodKind]) -> World {
    World::with(database, |settings| settings.directory = home(login_policy, methods)).await
}

/// Reopens the same database under another policy of the home tenant.
async fn with_policy(world: World, login_policy: LoginPolicy, methods: &[MethodKind]) -> World {
    world.restarted_with(|settings| settings.directory = home(login_policy, methods)).await
}

/// The status of a password login of this user in the FusionAuth dialect, and its body.
async fn log_in(world: &World, email: &str) -> (u16, Value) {
    let service = world.service().await;
    let body = json!({"loginId": email, "password": PASSWORD});
    let response = service.post("/login", body).await;
    (response.status, response.body)
}

async fn sign_in(world: &World, email: &str) -> (Caller, Value) {
    let browser = world.browser();
    let body = json!({"email": email, "password": PASSWORD});
    let response = browser.post("/sign-in/email").json(body).await.ok();
    (browser, response.body)
}

#[on_each_database]
async fn enabled_asks_who_has_a_second_factor_in_both_dialects(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Enabled, &ALL).await;
    let (plain, enrolled) = (world.user("plain").await, world.user("enrolled").await);
    enrolled.enrol().await;
    assert_eq!(log_in(&world, &plain.email).await.0, 200);
    assert_eq!(log_in(&world, &enrolled.email).await.0, 242);
    assert_eq!(sign_in(&world, &plain.email).await.1["twoFactorRedirect"], Value::Null);
    assert_eq!(sign_in(&world, &enrolled.email).await.1["twoFactorRedirect"], true);
}

#[on_each_database]
async fn disabled_asks_nobody_in_both_dialects(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Disabled, &ALL).await;
    let enrolled = world.user("enrolled").await;
    enrolled.enrol().await;
    assert_eq!(log_in(&world, &enrolled.email).await.0, 200);
    let (browser, response) = sign_in(&world, &enrolled.email).await;
    assert_eq!(response["twoFactorRedirect"], Value::Null);
    // The password alone proves no second factor, so this session manages none.
    let disable = browser.post("/two-factor/disable").json(json!({"password": PASSWORD}));
    disable.await.refused(403, "SECOND_FACTOR_REQUIRED");
}

/// Every operation of a session, and whether one that can only enrol may call it.
const SESSION_OPERATIONS: [(&str, &str, bool); 16] = [
    ("GET", "/get-session", true),
    ("POST", "/get-session", true),
    ("POST", "/two-factor/enable", true),
    ("POST", "/two-factor/get-totp-uri", true),
    ("POST", "/two-factor/send-otp", true),
    ("POST", "/two-factor/verify-totp", true),
    ("POST", "/two-factor/verify-otp", true),
    ("POST", "/two-factor/verify-backup-code", false),
    ("POST", "/two-factor/generate-backup-codes", false),
    ("POST", "/two-factor/disable", false),
    ("POST", "/two-factor/revoke-trusted-devices", false),
    ("GET", "/list-sessions", false),
    ("POST", "/revoke-session", false),
    ("POST", "/revoke-sessions", false),
    ("POST", "/revoke-other-sessions", false),
    ("POST", "/change-password", false),
];

#[on_each_database]
async fn required_narrows_a_session_to_enrolling_until_a_factor_is_confirmed_a_6_3_3(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Required, &ALL).await;
    let user = world.user("ada").await;
    let body = json!({
        "password": PASSWORD, "code": "AAAAA-AAAAA", "token": "x",
        "currentPassword": PASSWORD, "newPassword": "another long password",
    });
    let (thief, _) = sign_in(&world, &user.email).await;
    for browser in [&user.browser, &thief] {
        for (method, path, allowed) in SESSION_OPERATIONS {
            let call = browser.call(method, &format!("/api/auth{path}"));
            let response = if method == "GET" { call.await } else { call.json(body.clone()).await };
            assert_eq!(response.body["code"] == "ENROLMENT_REQUIRED", !allowed, "{method} {path}: {response}");
            assert_eq!(response.status == 403, !allowed, "{method} {path}: {response}");
        }
    }

    // Confirming a factor opens everything to the session that did, and ends the others: the password alone opened them.
    let app = user.enrol().await;
    user.browser.get("/list-sessions").await.ok();
    assert_eq!(thief.get("/get-session").await.ok().body, Value::Null);
    assert_eq!(sign_in(&world, &user.email).await.1["twoFactorRedirect"], true);
    user.signed_in_with(&app).await.get("/list-sessions").await.ok();
}

#[on_each_database]
async fn required_lets_a_narrow_session_sign_out(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Required, &ALL).await;
    let user = world.user("ada").await;
    user.browser.post("/sign-out").await.ok();
    assert_eq!(user.browser.get("/get-session").await.ok().body, Value::Null);
}

#[on_each_database]
async fn required_narrows_sessions_that_were_opened_before_it_a_6_3_3(database: DatabaseKind) {
    let before = world(database, LoginPolicy::Enabled, &ALL).await;
    let user = before.user("ada").await;
    user.browser.get("/list-sessions").await.ok();
    let _after = with_policy(before, LoginPolicy::Required, &ALL).await;
    user.browser.get("/list-sessions").await.refused(403, "ENROLMENT_REQUIRED");
}

#[on_each_database]
async fn required_asks_for_enrolment_in_the_login_of_the_other_dialect_a_6_3_3(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Required, &ALL).await;
    let service = world.service().await;
    let user = service.user().await;
    let body = json!({"loginId": user.email, "password": PASSWORD});
    let challenged = service.post("/login", body.clone()).await.is(242);
    assert_eq!(challenged.body["configurableMethods"], json!(["authenticator", "email", "sms"]));
    assert_eq!(challenged.body["methods"], Value::Null);
    let app = service.enrol(&user).await;
    let challenged = service.post("/login", body).await.is(242);
    assert_eq!(challenged.body["configurableMethods"], Value::Null);
    service.complete(&challenged.text("/twoFactorId"), &app.fresh_code()).await.ok();
}

#[on_each_database]
async fn required_refreshes_no_token_of_an_account_without_a_second_factor(database: DatabaseKind) {
    let before = world(database, LoginPolicy::Enabled, &ALL).await;
    let service = before.service().await;
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/refreshToken");
    let world = with_policy(before, LoginPolicy::Required, &ALL).await;
    let refresh = || world.stranger().call("POST", "/api/jwt/refresh").json(json!({"refreshToken": token}));
    refresh().await.is(404);

    // Nor does it come back to life when a second factor is enrolled: the password alone gave it.
    world.service().await.enrol(&user).await;
    refresh().await.is(404);
}

/// The password alone gives backup codes, by an enrolment that is begun and never confirmed. They complete no login.
#[on_each_database]
async fn required_is_not_met_by_backup_codes_of_a_begun_enrolment(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Required, &ALL).await;
    let user = world.user("ada").await;
    let begun = user.begin_enrolment().await;
    let (status, body) = log_in(&world, &user.email).await;
    assert_eq!(status, 242);
    let id = body["twoFactorId"].as_str().expect("a challenge");
    let service = world.service().await;
    for code in [&begun.backup_codes[0], &begun.code()] {
        service.complete(id, code).await.is(421);
    }
}

/// A service may vouch for a user by a code of its own, but not for a second factor that the tenant requires.
#[on_each_database]
async fn required_is_not_met_by_a_code_that_a_service_delivers(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Required, &ALL).await;
    let service = world.service().await;
    let user = service.user().await;
    let start = || service.post("/two-factor/start", json!({"userId": user.id}));
    let begun = start().await.ok();
    service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.is(421);
    service.enrol(&user).await;
    let begun = start().await.ok();
    service.complete(&begun.text("/twoFactorId"), &begun.text("/code")).await.ok();
}

/// A trust that was given before there was a second factor does not stand in for it.
#[on_each_database]
async fn trust_from_before_the_first_second_factor_ends_with_it_28(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let begun = service.post("/two-factor/start", json!({"userId": user.id})).await.ok();
    let body = json!({
        "twoFactorId": begun.text("/twoFactorId"), "code": begun.text("/code"), "trustComputer": true,
    });
    let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
    service.enrol(&user).await;
    let login = json!({"loginId": user.email, "password": PASSWORD, "twoFactorTrustId": trust});
    service.post("/login", login).await.is(242);
}

fn kinds(body: &Value) -> Vec<&str> {
    body["methods"].as_array().into_iter().flatten().filter_map(|method| method["method"].as_str()).collect()
}

#[on_each_database]
async fn methods_without_email_keep_mailed_codes_out_of_both_dialects(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Enabled, &[MethodKind::Authenticator]).await;
    let user = world.user("ada").await;

    // Better Auth: enrolling an app does not add e-mail, no code is sent, and only the app is offered.
    user.browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    let app = user.begin_enrolment().await;
    user.browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    let verify = |code: &str| user.browser.post("/two-factor/verify-otp").json(json!({"code": code}));
    verify("123456").await.refused(400, "OTP_NOT_CONFIGURED");
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    let (challenged, response) = sign_in(&world, &user.email).await;
    assert_eq!(response["twoFactorMethods"], json!(["totp"]));
    challenged.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    challenged.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    assert_eq!(world.outbox().messages().len(), 0, "nothing was sent");

    // FusionAuth: e-mail and SMS cannot be enrolled, and are not offered.
    let (_, body) = log_in(&world, &user.email).await;
    assert_eq!(kinds(&body), ["authenticator"]);
    let service = world.service().await;
    let send = json!({"userId": hyphenated(&user.id), "method": "email", "email": "other@example.com"});
    service.post("/two-factor/send", send).await.wrong("[disabled]method");
    let add = json!({"method": "sms", "mobilePhone": "+15550109999", "code": "123456"});
    service.post(&format!("/user/two-factor/{}", hyphenated(&user.id)), add).await.wrong("[disabled]method");
}

#[on_each_database]
async fn methods_that_are_no_longer_allowed_are_neither_offered_nor_accepted(database: DatabaseKind) {
    let before = world(database, LoginPolicy::Enabled, &ALL).await;
    let user = before.user("ada").await;
    let app = user.enrol().await;
    let world = with_policy(before, LoginPolicy::Enabled, &[MethodKind::Authenticator]).await;
    let (challenged, response) = sign_in(&world, &user.email).await;
    assert_eq!(response["twoFactorMethods"], json!(["totp"]), "e-mail was enrolled, and is not offered any more");
    challenged.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");

    let world = with_policy(world, LoginPolicy::Enabled, &[MethodKind::Email]).await;
    let (challenged, response) = sign_in(&world, &user.email).await;
    assert_eq!(response["twoFactorMethods"], json!(["otp"]));
    let totp = challenged.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()}));
    totp.await.refused(400, "TOTP_NOT_CONFIGURED");
    let (_, body) = log_in(&world, &user.email).await;
    assert_eq!(kinds(&body), ["email"]);
    let id = body["twoFactorId"].as_str().expect("a challenge");
    world.service().await.complete(id, &app.fresh_code()).await.is(421);
    // A backup code always works: it is what is left when a method is gone.
    let backup = json!({"code": app.backup_codes[0]});
    challenged.post("/two-factor/verify-backup-code").json(backup).await.ok();
}

#[on_each_database]
async fn methods_without_authenticator_keep_apps_out_of_both_dialects(database: DatabaseKind) {
    let world = world(database, LoginPolicy::Enabled, &[MethodKind::Email]).await;
    let user = world.user("ada").await;
    let body = json!({"password": PASSWORD});
    user.browser.post("/two-factor/enable").json(body.clone()).await.refused(400, "TOTP_NOT_CONFIGURED");
    user.browser.post("/two-factor/get-totp-uri").json(body).await.refused(400, "TOTP_NOT_CONFIGURED");
    let code = json!({"code": "123456"});
    user.browser.post("/two-factor/verify-totp").json(code).await.refused(400, "TOTP_NOT_CONFIGURED");

    let service = world.service().await;
    let secret = service.get("/two-factor/secret").await.ok();
    let app = TotpApp::new(&secret.text("/secretBase32Encoded"), world.clock());
    let add = json!({"method": "authenticator", "secret": secret.text("/secret"), "code": app.code()});
    service.post(&format!("/user/two-factor/{}", hyphenated(&user.id)), add).await.wrong("[disabled]method");

    // Codes by e-mail, added by the service, count in both dialects.
    let id = hyphenated(&user.id);
    let send = json!({"userId": id, "method": "email", "email": user.email});
    service.post("/two-factor/send", send).await.ok();
    let code = world.last_code_for(&user.email);
    let add = json!({"method": "email", "email": user.email, "code": code});
    service.post(&format!("/user/two-factor/{id}"), add).await.ok();
    let (challenged, response) = sign_in(&world, &user.email).await;
    assert_eq!(response["twoFactorMethods"], json!(["otp"]));
    challenged.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    challenged.post("/two-factor/verify-otp").json(code).await.ok();
}

/// A deactivated account, and one whose password has to be changed, get nothing out of a challenge that was open before.
#[on_each_database]
async fn an_open_challenge_ends_in_nothing_for_an_account_that_may_not_sign_in(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    for (change, code) in [
        (json!({"active": false}), "BANNED_USER"),
        (json!({"passwordChangeRequired": true}), "PASSWORD_CHANGE_REQUIRED"),
    ] {
        let user: User = world.user(&code.to_lowercase().replace('_', "")).await;
        let app: App = user.enrol().await;
        let challenged = user.challenged().await;
        let path = format!("/user/{}", hyphenated(&user.id));
        service.call("PATCH", &path).json(json!({"user": change})).await.ok();
        let body = json!({"code": app.fresh_code()});
        let response = challenged.post("/two-factor/verify-totp").json(body.clone()).await.refused(403, code);
        assert!(response.set_cookie("two_factor").is_some_and(|cookie| cookie.is_deletion()), "{response}");
        let again = challenged.post("/two-factor/verify-totp").json(body).await;
        again.refused(401, "INVALID_TWO_FACTOR_COOKIE");
        assert_eq!(challenged.get("/get-session").await.ok().body, Value::Null);
    }
}

/// An id of the Better Auth dialect as the FusionAuth dialect spells it.
fn hyphenated(id: &str) -> String {
    AccountId::parse(id).expect("an id").to_hyphenated()
}
