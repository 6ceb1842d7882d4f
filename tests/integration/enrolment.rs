//! Setting a second factor up, and replacing it.

use crate::harness::{App, PASSWORD, World, cheap_passwords};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::collections::BTreeSet;

fn password() -> serde_json::Value {
    json!({"password": PASSWORD})
}

#[on_each_database]
async fn the_uri_is_percent_encoded(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.app_name = "Example Shop & Co".to_owned()).await;
    let body = json!({"name": "", "email": "o'neill+x@example.com", "password": PASSWORD});
    let browser = world.browser();
    browser.post("/sign-up/email").json(body).await.ok();
    let response = browser.post("/two-factor/enable").json(password()).await.ok();
    let app = App::new(&response, &world.clock);
    let label = "Example%20Shop%20%26%20Co:o'neill%2Bx%40example.com";
    let query = format!("secret={}&issuer=Example%20Shop%20%26%20Co&digits=6&period=30", app.base32);
    assert_eq!(app.uri, format!("otpauth://totp/{label}?{query}"));
    assert_eq!(app.base32.len(), 52, "256 bits, without padding");
    assert!(response.set_cookies().is_empty());
    assert_eq!(app.backup_codes.iter().collect::<BTreeSet<_>>().len(), 10);

    let body = json!({"password": PASSWORD, "issuer": "Ähre"});
    let named = browser.post("/two-factor/enable").json(body).await.ok();
    let uri = named.text("/totpURI");
    assert!(
        uri.starts_with("otpauth://totp/%C3%84hre:o'neill%2Bx%40example.com?") && uri.contains("&issuer=%C3%84hre&"),
        "{uri}"
    );
    let read = browser.post("/two-factor/get-totp-uri").json(password()).await.ok();
    assert!(read.text("/totpURI").contains("&issuer=Example%20Shop%20%26%20Co&"), "the issuer is not kept");
    let empty = json!({"password": PASSWORD, "issuer": ""});
    let uri = browser.post("/two-factor/enable").json(empty).await.ok().text("/totpURI");
    assert!(uri.contains("&issuer=Example%20Shop%20%26%20Co&"), "{uri}");
    let colon = json!({"password": PASSWORD, "issuer": "a:b"});
    browser.post("/two-factor/enable").json(colon).await.refused(400, "VALIDATION_ERROR");
}

#[on_each_database]
async fn confirming_switches_the_factor_on_and_renews_the_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let stolen = user.browser.copy();
    let app = user.begin_enrolment().await;
    let pending = user.browser.get("/get-session").await.ok();
    assert_eq!(pending.body["user"]["twoFactorEnabled"], false);
    let read = user.browser.post("/two-factor/get-totp-uri").json(password()).await.ok();
    assert_eq!(read.text("/totpURI"), app.uri);

    let response = user.browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    let fields: Vec<&String> = response.body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["status", "token", "user"]);
    assert_eq!((&response.body["status"], &response.body["user"]["twoFactorEnabled"]), (&json!(true), &json!(true)));
    assert_ne!(response.text("/token"), user.first_token);
    let session = user.browser.get("/get-session").await.ok();
    assert_eq!(session.text("/session/token"), response.text("/token"));
    assert_eq!(session.body["user"]["twoFactorEnabled"], true);
    assert!(stolen.get("/get-session").await.ok().body.is_null(), "the old session is over");
    // This session has passed the factor: it may manage it.
    user.browser.post("/two-factor/get-totp-uri").json(password()).await.ok();
}

#[on_each_database]
async fn enable_again_while_pending_kills_the_earlier_secret(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let (first, second) = (user.begin_enrolment().await, user.begin_enrolment().await);
    assert_ne!(first.base32, second.base32);
    let verify = |code: String| user.browser.post("/two-factor/verify-totp").json(json!({"code": code}));
    verify(first.code()).await.refused(401, "INVALID_CODE").saying("Invalid code");
    verify(second.code()).await.ok();
    let browser = user.challenged().await;
    let backup = |code: &str| browser.post("/two-factor/verify-backup-code").json(json!({"code": code}));
    backup(&first.backup_codes[0]).await.refused(401, "INVALID_BACKUP_CODE");
    backup(&second.backup_codes[0]).await.ok();
}

#[on_each_database]
async fn a_wrong_password_enrols_nothing(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    for password in ["", "wrong", "correct horse battery staple "] {
        let response = user.browser.post("/two-factor/enable").json(json!({"password": password})).await;
        response.refused(400, "INVALID_PASSWORD").saying("Invalid password");
    }
    let none = user.browser.post("/two-factor/get-totp-uri").json(json!({"password": "wrong"})).await;
    none.refused(400, "TOTP_NOT_ENABLED").saying("TOTP not enabled");
    let none = user.browser.post("/two-factor/generate-backup-codes").json(json!({"password": "wrong"})).await;
    none.refused(400, "TWO_FACTOR_NOT_ENABLED").saying("Two factor isn't enabled");
    for (factor, code, message) in [
        ("totp", "TOTP_NOT_ENABLED", "TOTP not enabled"),
        ("otp", "TWO_FACTOR_NOT_ENABLED", "Two factor isn't enabled"),
        ("backup-code", "BACKUP_CODES_NOT_ENABLED", "Backup codes aren't enabled"),
    ] {
        let call = user.browser.post(&format!("/two-factor/verify-{factor}")).json(json!({"code": "123456"}));
        call.await.refused(400, code).saying(message);
    }
}

#[on_each_database]
async fn guessing_the_password_in_a_session_is_stopped_13(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    user.enrol().await;
    let change = json!({"currentPassword": "wrong", "newPassword": "another horse"});
    let calls = [
        ("/two-factor/enable", json!({"password": "wrong"})),
        ("/two-factor/get-totp-uri", json!({"password": "wrong"})),
        ("/two-factor/generate-backup-codes", json!({"password": "wrong"})),
        ("/two-factor/disable", json!({"password": "wrong"})),
        ("/change-password", change),
    ];
    for (path, body) in calls.iter().chain(&calls) {
        user.browser.post(path).json(body.clone()).await.refused(400, "INVALID_PASSWORD");
    }
    for (path, body) in &calls {
        let refused = user.browser.post(path).json(body.clone()).await.refused(429, "TOO_MANY_REQUESTS");
        assert_eq!(refused.retry_after(), 15 * 60);
    }
    user.browser.post("/two-factor/disable").json(password()).await.refused(429, "TOO_MANY_REQUESTS");
}

#[on_each_database]
async fn a_mailed_code_confirms_only_what_the_password_began(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let verify = |code: String| user.browser.post("/two-factor/verify-otp").json(json!({"code": code}));
    user.browser.post("/two-factor/send-otp").await.ok();
    verify(world.last_code_for(&user.email)).await.refused(400, "TWO_FACTOR_NOT_ENABLED");
    assert_eq!(user.browser.get("/get-session").await.ok().body["user"]["twoFactorEnabled"], false);

    let app = user.begin_enrolment().await;
    user.browser.post("/two-factor/send-otp").await.ok();
    let response = verify(world.last_code_for(&user.email)).await.ok();
    assert_eq!(response.body["user"]["twoFactorEnabled"], true);
    assert_ne!(response.text("/token"), user.first_token);
    assert!(response.set_cookie("session_token").is_some());

    // The account can sign in with what it has, and with the app only once that is confirmed.
    let browser = world.browser();
    let challenge = user.sign_in_from(&browser).await.ok();
    assert_eq!(challenge.body["twoFactorMethods"], json!(["otp"]));
    let early = browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await;
    early.refused(400, "TOTP_NOT_ENABLED").saying("TOTP not enabled");
    browser.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    browser.post("/two-factor/verify-otp").json(code).await.ok();
    let confirmed = browser.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    assert!(confirmed.set_cookie("session_token").is_some(), "the session has stepped up");
    let challenge = user.sign_in_from(&world.browser()).await.ok();
    assert_eq!(challenge.body["twoFactorMethods"], json!(["totp", "otp"]));
}

/// Backup codes of an enrolment that nobody confirmed prove nothing about a factor.
#[on_each_database]
async fn a_backup_code_confirms_no_enrolment(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.begin_enrolment().await;
    let response = user.browser.post("/two-factor/verify-backup-code").json(json!({"code": app.backup_codes[0]})).await;
    assert!(response.status != 200 || response.body["user"]["twoFactorEnabled"] == json!(false), "{response}");
    assert_eq!(user.browser.get("/get-session").await.ok().body["user"]["twoFactorEnabled"], false);
}

/// Whoever sits in an older session with the password cannot prepare for the factor that the holder sets up later.
#[on_each_database]
async fn what_was_verified_before_the_factor_was_on_is_no_pass_of_it_26(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let older = user.signed_in().await;
    let enabled = older.post("/two-factor/enable").json(password()).await.ok();
    let theirs = App::new(&enabled, &world.clock);
    older.post("/two-factor/verify-backup-code").json(json!({"code": theirs.backup_codes[0]})).await;
    user.enrol().await;
    older.post("/two-factor/disable").json(password()).await.refused(403, "SECOND_FACTOR_REQUIRED");
}

/// Replacing an app needs a session that has passed the old one, and a code of the new one; until then the old one
/// and its codes are good, and the new ones are not.
#[on_each_database]
async fn re_enrolment_keeps_the_old_secret_until_the_new_one_is_confirmed_29(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let old = user.enrol().await;
    let new = user.begin_enrolment().await;
    assert_ne!(old.base32, new.base32);

    let browser = user.challenged().await;
    let totp = |code: String| browser.post("/two-factor/verify-totp").json(json!({"code": code}));
    let backup = |code: &str| browser.post("/two-factor/verify-backup-code").json(json!({"code": code}));
    totp(new.fresh_code()).await.refused(401, "INVALID_CODE");
    backup(&new.backup_codes[0]).await.refused(401, "INVALID_BACKUP_CODE");
    totp(old.code()).await.ok();
    backup(&old.backup_codes[0]).await.ok();

    // The new app is confirmed in a session: from now on it is the other way round.
    let response = browser.post("/two-factor/verify-totp").json(json!({"code": new.code()})).await.ok();
    assert!(response.set_cookie("session_token").is_some(), "the session has stepped up");
    let browser = user.challenged().await;
    let totp = |code: String| browser.post("/two-factor/verify-totp").json(json!({"code": code}));
    let backup = |code: &str| browser.post("/two-factor/verify-backup-code").json(json!({"code": code}));
    totp(old.fresh_code()).await.refused(401, "INVALID_CODE");
    backup(&old.backup_codes[1]).await.refused(401, "INVALID_BACKUP_CODE");
    backup(&new.backup_codes[0]).await.ok();
    totp(new.fresh_code()).await.ok();
}

/// A session that knows the password and has not passed the second factor: one from before the enrolment, and one
/// from a trusted device. Both see and change nothing, until they pass it.
#[on_each_database]
async fn one_factor_manages_no_factor_26_27(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let older = user.signed_in().await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    user.sign_in_from(&trusted).await.ok();
    for browser in [older, trusted] {
        for operation in ["enable", "get-totp-uri", "generate-backup-codes", "disable"] {
            for password in [PASSWORD, "wrong"] {
                let call = browser.post(&format!("/two-factor/{operation}")).json(json!({"password": password}));
                call.await.refused(403, "SECOND_FACTOR_REQUIRED");
            }
        }
        let passed = browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
        assert!(passed.set_cookie("session_token").is_some());
        for operation in ["get-totp-uri", "generate-backup-codes", "enable"] {
            browser.post(&format!("/two-factor/{operation}")).json(password()).await.ok();
        }
    }
}

#[on_each_database]
async fn secrets_are_long_and_never_the_same_40(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let mut secrets = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for _ in 0..20 {
        let app = user.begin_enrolment().await;
        assert!(app.base32.len() * 5 >= 160, "{}", app.base32);
        assert!(secrets.insert(app.base32.clone()));
        assert!(app.backup_codes.iter().all(|code| codes.insert(code.clone())));
    }
}
