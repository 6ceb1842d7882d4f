//! `enable` with `method: otp`: codes by e-mail as a second factor that the password switches on.

use crate::harness::{App, Caller, PASSWORD, Response, World};
use countersign_domain::address::MethodKind;
use countersign_domain::ids::{AccountId, ApplicationId};
use countersign_domain::tenant::{Directory, LoginPolicy, MailedCodes, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

async fn world(database: DatabaseKind, tenant: Tenant) -> World {
    let application = Directory::default().application(ApplicationId::DEFAULT).cloned();
    let directory = Directory::new(vec![tenant], application.into_iter().collect()).unwrap();
    World::with(database, |settings| settings.directory = directory).await
}

async fn enable(caller: &Caller, method: Value) -> Response {
    caller.post("/two-factor/enable").json(json!({"password": PASSWORD, "method": method})).await
}

async fn verify_otp(world: &World, caller: &Caller, email: &str) -> Response {
    caller.post("/two-factor/send-otp").await.ok();
    caller.post("/two-factor/verify-otp").json(json!({"code": world.last_code_for(email)})).await
}

/// What a sign-in offers, and its browser.
async fn challenged(world: &World, email: &str) -> (Caller, Value) {
    let browser = world.browser();
    let response = browser.post("/sign-in/email").json(json!({"email": email, "password": PASSWORD})).await.ok();
    assert_eq!(response.body["twoFactorRedirect"], true, "{response}");
    (browser, response.body["twoFactorMethods"].clone())
}

fn fields(response: &Response) -> Vec<&str> {
    response.body.as_object().unwrap().keys().map(String::as_str).collect()
}

fn count(world: &World, kind: &str, id: &str) -> i64 {
    let events = format!("audit_events WHERE kind = '{kind}' AND account_id = '{id}'");
    world.database().number(&format!("SELECT count(*) AS number FROM {events}"))
}

#[on_each_database]
async fn responses_say_what_was_set_up(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    for method in [json!("totp"), json!(null)] {
        let body = match &method {
            Value::Null => json!({"password": PASSWORD}),
            method => json!({"password": PASSWORD, "method": method}),
        };
        let response = user.browser.post("/two-factor/enable").json(body).await.ok();
        assert_eq!(fields(&response), ["backupCodes", "method", "totpURI"]);
        assert_eq!(response.body["method"], "totp");
    }
    for other in [json!("sms"), json!(5), json!(null), json!("OTP"), json!(["otp"])] {
        let refused = enable(&user.browser, other).await.refused(400, "VALIDATION_ERROR");
        refused.saying("[body.method] Invalid option: expected one of \"otp\"|\"totp\"");
    }
}

#[on_each_database]
async fn otp_is_on_at_once_and_the_session_is_a_new_one(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let (older, copy) = (user.signed_in().await, user.browser.copy());
    let enabled = enable(&user.browser, json!("otp")).await.ok();
    assert_eq!(fields(&enabled), ["backupCodes", "method"]);
    assert_eq!(enabled.body["method"], "otp");
    let session = user.browser.get("/get-session").await.ok();
    assert_eq!(session.body["user"]["twoFactorEnabled"], true);
    assert_eq!(session.body["session"]["secondFactorAt"], Value::Null, "the password alone was shown");
    assert!(copy.get("/get-session").await.ok().body.is_null(), "the token before is dead");
    assert!(older.get("/get-session").await.ok().body.is_object(), "other sessions go on");
    assert_eq!(count(&world, "two-factor-enabled", &user.id), 1);

    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!(["otp"]));
    verify_otp(&world, &browser, &user.email).await.ok();
    let (browser, _) = challenged(&world, &user.email).await;
    let backup = json!({"code": enabled.body["backupCodes"][0]});
    browser.post("/two-factor/verify-backup-code").json(backup).await.ok();
    let service = world.service().await;
    let login = service.post("/login", json!({"loginId": user.email, "password": PASSWORD})).await.is(242);
    assert_eq!(login.body["methods"][0]["method"], "email", "{login}");
}

#[on_each_database]
async fn a_wrong_password_switches_nothing_on(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let body = json!({"password": "wrong", "method": "otp"});
    user.browser.post("/two-factor/enable").json(body).await.refused(400, "INVALID_PASSWORD");
    world.stranger().post("/two-factor/enable").json(json!({"password": PASSWORD, "method": "otp"})).await.is(401);
    assert_eq!(user.browser.get("/get-session").await.ok().body["user"]["twoFactorEnabled"], false);
    user.signed_in().await;
}

/// Only what was shown in this session manages factors; and an app that somebody began to enrol before does not stay.
#[on_each_database]
async fn afterwards_the_second_factor_is_asked_for_26(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let begun = user.begin_enrolment().await;
    enable(&user.browser, json!("otp")).await.ok();
    let confirm = user.browser.post("/two-factor/verify-totp").json(json!({"code": begun.code()}));
    confirm.await.refused(400, "TOTP_NOT_ENABLED");
    let old = json!({"code": begun.backup_codes[0]});
    user.browser.post("/two-factor/verify-backup-code").json(old).await.refused(401, "INVALID_BACKUP_CODE");
    for method in ["totp", "otp"] {
        enable(&user.browser, json!(method)).await.refused(403, "SECOND_FACTOR_REQUIRED");
    }
    verify_otp(&world, &user.browser, &user.email).await.ok();
    let app = App::new(&enable(&user.browser, json!("totp")).await.ok(), &world.clock);
    assert_eq!(challenged(&world, &user.email).await.1, json!(["otp"]), "until the app is confirmed");
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    assert_eq!(challenged(&world, &user.email).await.1, json!(["totp", "otp"]));
}

#[on_each_database]
async fn otp_beside_an_app_changes_nothing_else(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let token = user.browser.get("/get-session").await.ok().text("/session/token");
    let enabled = enable(&user.browser, json!("otp")).await.ok();
    assert_eq!(enabled.body, json!({"method": "otp"}), "the method is there");
    assert_eq!(count(&world, "method-added", &user.id), 0);

    // A service takes it away, and the user sets it up again.
    let service = world.service().await;
    let id = AccountId::parse(&user.id).unwrap().to_hyphenated();
    let shown = service.get(&format!("/user/{id}")).await.ok();
    let methods = shown.body["user"]["twoFactor"]["methods"].as_array().unwrap();
    let mail = methods.iter().find(|method| method["method"] == "email").unwrap()["id"].as_str().unwrap();
    service.post("/two-factor/send", json!({"userId": id, "methodId": mail})).await.ok();
    let query = format!("?code={}&methodId={mail}", world.last_code_for(&user.email));
    service.call("DELETE", &format!("/user/two-factor/{id}{query}")).await.ok();
    assert_eq!(challenged(&world, &user.email).await.1, json!(["totp"]));
    let passed = user.browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    let enabled = enable(&user.browser, json!("otp")).await.ok();
    assert_eq!((&enabled.body, enabled.set_cookies()), (&json!({"method": "otp"}), Vec::new()));
    assert_eq!(count(&world, "method-added", &user.id), 1);
    let session = user.browser.get("/get-session").await.ok();
    assert_eq!(session.text("/session/token"), passed.text("/token"));
    assert_ne!(session.text("/session/token"), token);
    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!(["totp", "otp"]));
    let backup = json!({"code": app.backup_codes[0]});
    browser.post("/two-factor/verify-backup-code").json(backup).await.ok();
}

/// What a tenant allows holds here as everywhere: with the same refusal as a code that cannot be sent.
#[on_each_database]
async fn otp_is_refused_where_mail_is_no_factor_n7(database: DatabaseKind) {
    for tenant in [
        Tenant { methods: [MethodKind::Authenticator].into(), ..Tenant::default() },
        Tenant { mailed_codes: MailedCodes::Never, ..Tenant::default() },
        Tenant { mailed_codes: MailedCodes::Never, login_policy: LoginPolicy::Required, ..Tenant::default() },
    ] {
        let world = world(database, tenant).await;
        let user = world.user("ada").await;
        let refused = enable(&user.browser, json!("otp")).await.refused(400, "OTP_NOT_CONFIGURED");
        refused.saying("otp isn't configured");
        assert_eq!(user.browser.get("/get-session").await.ok().body["user"]["twoFactorEnabled"], false);
    }
}

#[on_each_database]
async fn an_address_that_has_to_be_proved_is_proved_first_n7(database: DatabaseKind) {
    let world = world(database, Tenant { mailed_codes: MailedCodes::Verified, ..Tenant::default() }).await;
    let user = world.user("ada").await;
    let begun = enable(&user.browser, json!("otp")).await.ok();
    assert_eq!((&begun.body["method"], begun.set_cookies()), (&json!("otp"), Vec::new()));
    assert_eq!(user.browser.get("/get-session").await.ok().body["user"]["twoFactorEnabled"], false);
    user.signed_in().await;
    assert_eq!((count(&world, "enrolment-begun", &user.id), count(&world, "two-factor-enabled", &user.id)), (1, 0));
    let enabled = verify_otp(&world, &user.browser, &user.email).await.ok();
    let shown = &enabled.body["user"];
    assert_eq!((&shown["twoFactorEnabled"], &shown["emailVerified"]), (&json!(true), &json!(true)));
    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!(["otp"]));
    let backup = json!({"code": begun.body["backupCodes"][0]});
    browser.post("/two-factor/verify-backup-code").json(backup).await.ok();

    // Beside an app, an address that nobody has proved is no factor.
    let bob = world.user("bob").await;
    bob.enrol().await;
    enable(&bob.browser, json!("otp")).await.refused(400, "OTP_NOT_CONFIGURED");
}

/// Mail is the only factor, and one is required: a session that can only enrol sets it up, and does more after a code.
#[on_each_database]
async fn required_with_mail_alone_has_a_way_to_enrol(database: DatabaseKind) {
    let tenant =
        Tenant { login_policy: LoginPolicy::Required, methods: [MethodKind::Email].into(), ..Tenant::default() };
    let world = world(database, tenant).await;
    let user = world.user("ada").await;
    let thief = user.signed_in().await;
    user.browser.get("/list-sessions").await.refused(403, "ENROLMENT_REQUIRED");
    enable(&user.browser, json!("totp")).await.refused(400, "TOTP_NOT_CONFIGURED");
    let early = verify_otp(&world, &user.browser, &user.email).await;
    early.refused(400, "TWO_FACTOR_NOT_ENABLED").saying("Two factor isn't enabled");

    // The password alone opens no more than before.
    let begun = enable(&user.browser, json!("otp")).await.ok();
    user.browser.get("/list-sessions").await.refused(403, "ENROLMENT_REQUIRED");
    let backup = json!({"code": begun.body["backupCodes"][0]});
    user.browser.post("/two-factor/verify-backup-code").json(backup.clone()).await.refused(403, "ENROLMENT_REQUIRED");

    let enabled = verify_otp(&world, &user.browser, &user.email).await.ok();
    assert_eq!(enabled.body["user"]["twoFactorEnabled"], true);
    user.browser.get("/list-sessions").await.ok();
    assert!(thief.get("/get-session").await.ok().body.is_null(), "what was opened before is over");
    let (browser, methods) = challenged(&world, &user.email).await;
    assert_eq!(methods, json!(["otp"]));
    browser.post("/two-factor/verify-backup-code").json(backup).await.ok();
}
