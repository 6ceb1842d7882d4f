//! The audit trail: what happens to an account is recorded, in whichever dialect.

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, World, cheap_passwords, other_than};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// Events of one account, by kind and by second factor.
struct Trail<'a> {
    world: &'a World,
    dialect: &'static str,
}

impl Trail<'_> {
    fn count(&self, kind: &str, factor: Option<&str>) -> i64 {
        let factor = factor.map_or("IS NULL".to_owned(), |name| format!("= '{name}'"));
        let condition = format!("dialect = '{}' AND kind = '{kind}' AND factor {factor}", self.dialect);
        let query = format!("SELECT count(*) AS number FROM audit_events WHERE {condition} AND account_id IS NOT NULL");
        self.world.database().number(&query)
    }

    /// Asserts that each is recorded exactly once.
    fn has_each_once(&self, events: &[(&str, Option<&str>)]) {
        for (kind, factor) in events {
            assert_eq!(self.count(kind, *factor), 1, "{} {kind} {factor:?}", self.dialect);
        }
    }
}

#[on_each_database]
async fn every_authentication_is_recorded_with_its_factor_a_16_3_1(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    user.signed_in().await;
    let wrong = json!({"email": user.email, "password": "wrong"});
    world.browser().post("/sign-in/email").json(wrong).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    assert_eq!(user.sign_in_from(&trusted).await.ok().body["twoFactorRedirect"], json!(null));
    let by_mail = user.challenged().await;
    by_mail.post("/two-factor/send-otp").await.ok();
    let code = world.last_code_for(&user.email);
    let verify_otp = |code: &str| by_mail.post("/two-factor/verify-otp").json(json!({"code": code}));
    verify_otp(&other_than(&[&code])).await.refused(401, "INVALID_CODE");
    verify_otp(&code).await.ok();
    let by_backup_code = user.challenged().await;
    let verify = |code: &str| by_backup_code.post("/two-factor/verify-backup-code").json(json!({"code": code}));
    verify("aaaaa-aaaaa").await.refused(401, "INVALID_BACKUP_CODE");
    verify(&app.backup_codes[0]).await.ok();
    let verify_totp = |code: String| user.browser.post("/two-factor/verify-totp").json(json!({"code": code}));
    verify_totp(app.wrong_code()).await.refused(401, "INVALID_CODE");
    verify_totp(app.fresh_code()).await.ok();
    Trail { world: &world, dialect: "better-auth" }.has_each_once(&[
        ("signed-up", None),
        ("signed-in", None),
        ("password-rejected", None),
        ("two-factor-enabled", Some("totp")),
        ("second-factor-signed-in", Some("totp")),
        ("signed-in-from-trusted-device", None),
        ("second-factor-rejected", Some("mailed-code")),
        ("second-factor-signed-in", Some("mailed-code")),
        ("second-factor-rejected", Some("backup-code")),
        ("second-factor-signed-in", Some("backup-code")),
        ("second-factor-rejected", Some("totp")),
        ("second-factor-passed", Some("totp")),
    ]);
}

/// A wrong code is one of no particular factor: the request does not say which it is meant for.
#[on_each_database]
async fn every_authentication_is_recorded_with_its_factor_in_fusionauths_dialect_a_16_3_1(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    service.log_in(&user).await.ok();
    let wrong = json!({"loginId": user.email, "password": "wrong", "applicationId": APPLICATION});
    service.post("/login", wrong).await.is(404);
    let start = json!({"loginId": user.email, "applicationId": APPLICATION});
    let code = service.post("/passwordless/start", start).await.ok().text("/code");
    service.open("/passwordless/login", json!({"code": code})).await.ok();
    let app = service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    let method = service.method_id(&user, "email").await;
    let challenge = service.challenge(&user).await;
    let body = json!({"twoFactorId": challenge, "code": app.fresh_code(), "trustComputer": true});
    let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
    let body = json!({
        "loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION, "twoFactorTrustId": trust,
    });
    service.post("/login", body).await.ok();
    let by_mail = service.challenge(&user).await;
    service.open(&format!("/two-factor/send/{by_mail}"), json!({"methodId": method})).await.ok();
    service.complete(&by_mail, &app.wrong_code()).await.is(421);
    service.complete(&by_mail, &world.last_code_for(&user.email)).await.ok();
    let by_recovery_code = service.challenge(&user).await;
    service.complete(&by_recovery_code, &app.recovery_codes[0]).await.ok();
    Trail { world: &world, dialect: "fusionauth" }.has_each_once(&[
        ("signed-in", None),
        ("password-rejected", None),
        ("signed-in", Some("mailed-code")),
        ("two-factor-enabled", Some("totp")),
        ("second-factor-signed-in", Some("totp")),
        ("signed-in-from-trusted-device", None),
        ("second-factor-rejected", None),
        ("second-factor-signed-in", Some("mailed-code")),
        ("second-factor-signed-in", Some("backup-code")),
    ]);
}
