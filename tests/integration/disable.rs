//! Switching the second factor off.

use crate::harness::{PASSWORD, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

#[on_each_database]
async fn it_removes_everything_and_renews_the_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let (stolen, open) = (user.browser.copy(), user.challenged().await);
    let response = user.browser.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.ok();
    assert_eq!(response.body, json!({"status": true}));
    assert!(response.set_cookie("session_token").is_some());
    assert!(stolen.get("/get-session").await.ok().body.is_null(), "the old session is over");
    let session = user.browser.get("/get-session").await.ok();
    assert_eq!(session.body["user"]["twoFactorEnabled"], false);

    // Open challenges are over, and a sign-in needs the password only.
    open.post("/two-factor/verify-totp")
        .json(json!({"code": app.fresh_code()}))
        .await
        .refused(401, "INVALID_TWO_FACTOR_COOKIE");
    user.signed_in().await;
    let browser = &user.browser;
    browser.post("/two-factor/get-totp-uri").json(json!({"password": PASSWORD})).await.refused(400, "TOTP_NOT_ENABLED");
    let generate = browser.post("/two-factor/generate-backup-codes").json(json!({"password": PASSWORD}));
    generate.await.refused(400, "TWO_FACTOR_NOT_ENABLED");
    let spent = json!({"code": app.backup_codes[0]});
    browser.post("/two-factor/verify-backup-code").json(spent).await.refused(400, "BACKUP_CODES_NOT_ENABLED");
    for table in ["methods", "backup_codes", "mailed_codes", "challenges", "trusted_devices"] {
        let left = world.database().number(&format!("SELECT count(*) AS number FROM {table}"));
        assert_eq!(left, 0, "{table}");
    }
}

#[on_each_database]
async fn an_account_that_has_none_gets_the_same_response(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let response = user.browser.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.ok();
    assert_eq!(response.body, json!({"status": true}));
    let pending = user.begin_enrolment().await;
    user.browser.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.ok();
    let late = user.browser.post("/two-factor/verify-totp").json(json!({"code": pending.code()})).await;
    late.refused(400, "TOTP_NOT_ENABLED");
}

#[on_each_database]
async fn a_wrong_password_switches_nothing_off(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    user.enrol().await;
    let response = user.browser.post("/two-factor/disable").json(json!({"password": "wrong"})).await;
    response.refused(400, "INVALID_PASSWORD").saying("Invalid password");
    assert_eq!(user.browser.get("/get-session").await.ok().body["user"]["twoFactorEnabled"], true);
}

/// A renewed session does not remember that a factor was passed that is gone now.
#[on_each_database]
async fn the_next_factor_has_to_be_passed_anew(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    user.enrol().await;
    user.browser.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.ok();
    let other = user.signed_in().await;
    let kept = user.browser.copy();
    let enabled = other.post("/two-factor/enable").json(json!({"password": PASSWORD})).await.ok();
    let app = crate::harness::App::new(&enabled, &world.clock);
    other.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    kept.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.refused(403, "SECOND_FACTOR_REQUIRED");
}

/// Another session passed the factor that was switched off; the one that is set up afterwards is a different one.
#[on_each_database]
async fn a_pass_of_the_old_factor_does_not_count_for_the_next_one(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let other = user.signed_in_with(&app).await;
    user.browser.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.ok();
    user.enrol().await;
    other.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.refused(403, "SECOND_FACTOR_REQUIRED");
}
