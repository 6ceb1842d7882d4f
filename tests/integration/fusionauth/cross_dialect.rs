//! A user is the same user in both dialects.

use crate::harness::service::APPLICATION;
use crate::harness::{FusionAuthUser, PASSWORD, Service, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// Somebody who signed up in the Better Auth dialect, as the other dialect sees them.
async fn id_of(service: &Service, email: &str) -> String {
    service.get(&format!("/user?loginId={email}")).await.ok().text("/user/id")
}

#[on_each_database]
async fn who_enrols_in_one_dialect_is_challenged_in_the_other(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let body = json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION});
    let challenged = service.post("/login", body.clone()).await.is(242);
    let kinds: Vec<_> =
        challenged.body["methods"].as_array().unwrap().iter().map(|one| one["method"].clone()).collect();
    assert_eq!(kinds, [json!("authenticator"), json!("email")]);
    let id = challenged.text("/twoFactorId");
    service.complete(&id, &app.fresh_code()).await.is(202);

    // A step that was used in one dialect is dead in the other (attack 1).
    let code = app.fresh_code();
    user.challenged().await.post("/two-factor/verify-totp").json(json!({"code": code})).await.ok();
    let id = service.post("/login", body.clone()).await.is(242).text("/twoFactorId");
    service.complete(&id, &code).await.is(421);
    let code = app.fresh_code();
    service.complete(&id, &code).await.is(202);
    let again = user.challenged().await;
    again.post("/two-factor/verify-totp").json(json!({"code": code})).await.refused(401, "INVALID_CODE");

    // A backup code of one works in the other, once altogether.
    let backup_code = &app.backup_codes[0];
    let id = service.post("/login", body).await.is(242).text("/twoFactorId");
    service.complete(&id, backup_code).await.is(202);
    let body = json!({"code": backup_code});
    again.post("/two-factor/verify-backup-code").json(body).await.refused(401, "INVALID_BACKUP_CODE");
    world.close().await;
}

#[on_each_database]
async fn who_is_made_by_a_service_signs_in_by_mail_address_with_the_same_factors(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let sign_in = json!({"email": user.email, "password": PASSWORD});
    let browser = world.browser();
    let challenged = browser.post("/sign-in/email").json(sign_in.clone()).await.ok();
    assert_eq!(challenged.body["twoFactorMethods"], json!(["totp"]), "nobody enrolled codes by mail");
    browser.post("/two-factor/send-otp").await.refused(400, "OTP_NOT_CONFIGURED");
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    assert_eq!(browser.get("/get-session").await.ok().text("/user/email"), user.email);

    // With a method for text messages, codes go there.
    service.enrol_address(&user, "sms", "+15550100").await;
    let browser = world.browser();
    let challenged = browser.post("/sign-in/email").json(sign_in).await.ok();
    assert_eq!(challenged.body["twoFactorMethods"], json!(["totp", "otp"]));
    browser.post("/two-factor/send-otp").await.ok();
    let code = world.last_code_for("+15550100");
    browser.post("/two-factor/verify-otp").json(json!({"code": code})).await.ok();
    world.close().await;
}

#[on_each_database]
async fn one_quota_and_one_lock_for_both_10(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let body = json!({"loginId": user.email, "password": PASSWORD});
    let id = service.post("/login", body.clone()).await.is(242).text("/twoFactorId");
    for _ in 0..5 {
        service.complete(&id, &app.wrong_code()).await.is(421);
    }
    service.complete(&id, &app.fresh_code()).await.is(404);
    let challenged = user.challenged().await;
    for _ in 0..5 {
        let body = json!({"code": app.wrong_code()});
        challenged.post("/two-factor/verify-totp").json(body).await.refused(401, "INVALID_CODE");
    }
    let id = service.post("/login", body).await.is(242).text("/twoFactorId");
    assert!(service.complete(&id, &app.fresh_code()).await.is(409).retry_after() > 800);
    let body = json!({"code": app.fresh_code()});
    let in_session = user.browser.post("/two-factor/verify-totp").json(body).await;
    in_session.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    let judged =
        world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'second-factor-rejected'");
    assert_eq!(judged, 10);
    world.close().await;
}

#[on_each_database]
async fn wrong_passwords_are_one_quota_however_a_user_is_named_33(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user_with(json!({"username": "Countess"})).await;
    let log_in = |name: &str, password: &str, address: &str| {
        service.post("/login", json!({"loginId": name, "password": password, "ipAddress": address}))
    };
    let here = "127.0.0.1";
    for _ in 0..4 {
        log_in(&user.email, "wrong", here).await.is(404);
        log_in("COUNTESS", "wrong", here).await.is(404);
    }
    let browser = world.browser();
    for _ in 0..2 {
        let body = json!({"email": user.email, "password": "wrong"});
        browser.post("/sign-in/email").json(body).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    // Ten for the account: none of its names is judged any more, and the response does not say so.
    log_in("countess", PASSWORD, here).await.is(404);
    log_in(&user.email, PASSWORD, here).await.is(404);
    for _ in 0..3 {
        log_in(&user.email, "wrong", here).await.is(404);
    }
    assert!(log_in(&user.email, PASSWORD, here).await.is(429).retry_after() > 800, "ten for this name");
    log_in("countess", PASSWORD, here).await.is(404);
    // Another device is another one.
    log_in(&user.email, PASSWORD, "203.0.113.7").await.ok();
    world.close().await;
}

#[on_each_database]
async fn disabling_in_one_ends_trust_in_both_28(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    let id = id_of(&service, &user.email).await;
    let login = json!({"loginId": user.email, "password": PASSWORD});
    let challenge = service.post("/login", login.clone()).await.is(242).text("/twoFactorId");
    let body = json!({"twoFactorId": challenge, "code": app.fresh_code(), "trustComputer": true});
    let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
    let with_trust = json!({"loginId": user.email, "password": PASSWORD, "twoFactorTrustId": trust});
    service.post("/login", with_trust.clone()).await.ok();

    // A service gives up both methods of the user, with codes of the app and of a mail.
    let query = |code: &str, method: &str| format!("/user/two-factor/{id}?code={code}&methodId={method}");
    let through_service = FusionAuthUser { id: id.clone(), email: user.email.clone() };
    let email = service.method_id(&through_service, "email").await;
    service.post("/two-factor/send", json!({"userId": id, "methodId": email})).await.ok();
    let code = world.last_code_for(&user.email);
    service.call("DELETE", &query(&code, &email)).await.ok();
    let authenticator = service.method_id(&through_service, "authenticator").await;
    service.call("DELETE", &query(&app.fresh_code(), &authenticator)).await.ok();
    let session = user.browser.get("/get-session").await.ok();
    assert_eq!(session.body["user"]["twoFactorEnabled"], json!(false));
    service.post("/login", login).await.ok();

    service.enrol(&through_service).await;
    service.post("/login", with_trust).await.is(242);
    let sign_in = json!({"email": user.email, "password": PASSWORD});
    let asked = trusted.copy().post("/sign-in/email").json(sign_in).await.ok();
    assert_eq!(asked.body["twoFactorRedirect"], json!(true), "{asked}");
    world.close().await;
}

#[on_each_database]
async fn what_opens_something_in_one_dialect_opens_nothing_in_the_other_38(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = user.challenged().await;
    let token = user.browser.cookie("session_token").unwrap();
    let session = token.split('.').next().unwrap();
    service.with_token(session, "GET", "/jwt/validate").await.is(401);
    let two_factor = browser.cookie("two_factor").unwrap();
    service.complete(two_factor.split('.').next().unwrap(), &app.fresh_code()).await.is(404);

    let login = json!({"loginId": user.email, "password": PASSWORD});
    let id = service.post("/login", login).await.is(242).text("/twoFactorId");
    let answered = service.complete(&id, &app.fresh_code()).await.ok();
    for token in [id, answered.text("/token"), answered.text("/trustToken")] {
        world.bearer(&token).get("/list-sessions").await.refused(401, "UNAUTHORIZED");
        let body = json!({"code": app.fresh_code()});
        world.bearer(&token).post("/two-factor/verify-totp").json(body).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
    world.close().await;
}

#[on_each_database]
async fn a_deactivated_account_opens_nothing_in_either_a_7_4_2(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let id = id_of(&service, &user.email).await;
    service.call("DELETE", &format!("/user/{id}")).await.ok();
    assert!(user.browser.get("/get-session").await.ok().body.is_null());
    let sign_in = json!({"email": user.email, "password": PASSWORD});
    world.browser().post("/sign-in/email").json(sign_in.clone()).await.refused(403, "BANNED_USER");
    service.call("PUT", &format!("/user/{id}?reactivate=true")).await.ok();
    world.browser().post("/sign-in/email").json(sign_in.clone()).await.ok();
    let patch = json!({"user": {"passwordChangeRequired": true}});
    service.call("PATCH", &format!("/user/{id}")).json(patch).await.ok();
    world.browser().post("/sign-in/email").json(sign_in).await.refused(403, "PASSWORD_CHANGE_REQUIRED");
    world.close().await;
}

#[on_each_database]
async fn either_dialect_can_be_switched_off(database: DatabaseKind) {
    use countersign::config::values::DialectName;
    for (only, served, gone) in [
        (DialectName::BetterAuth, "/api/auth/ok", "/api/status"),
        (DialectName::FusionAuth, "/api/status", "/api/auth/ok"),
    ] {
        let world = World::with(database, |settings| settings.dialects = [only].into()).await;
        assert_eq!(world.stranger().call("GET", served).await.status, 200);
        assert_eq!(world.stranger().call("GET", gone).undocumented().await.status, 404);
        let keys = world.stranger().call("GET", "/.well-known/jwks.json").undocumented().await;
        assert_eq!(keys.status == 200, only == DialectName::FusionAuth);
        world.close().await;
    }
}
