//! Audit events that the user of an account should be notified about: each has a kind of its own, whichever dialect it happens in.

use crate::harness::World;
use countersign_domain::audit::EventKind;
use countersign_domain::ids::AccountId;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// Number of events of a kind about an account, by its id in the Better Auth dialect.
fn count(world: &World, kind: EventKind, id: &str) -> i64 {
    assert!(kind.is_notice(), "{kind:?}");
    let name = kind.name();
    let query = format!("SELECT count(*) AS number FROM audit_events WHERE kind = '{name}' AND account_id = '{id}'");
    world.database().number(&query)
}

#[on_each_database]
async fn everything_in_better_auth_that_a_user_is_to_be_told(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    assert_eq!(count(&world, EventKind::TwoFactorEnabled, &user.id), 1);

    user.trusted_with(&app).await;
    assert_eq!(count(&world, EventKind::DeviceTrusted, &user.id), 1);

    let browser = user.challenged().await;
    assert_eq!(count(&world, EventKind::BackupCodeUsed, &user.id), 0);
    let backup = json!({"code": app.backup_codes[0]});
    browser.post("/two-factor/verify-backup-code").json(backup).await.ok();
    assert_eq!(count(&world, EventKind::BackupCodeUsed, &user.id), 1);

    let body = json!({"password": user.password});
    browser.post("/two-factor/get-totp-uri").json(body.clone()).await.ok();
    assert_eq!(count(&world, EventKind::SecretShown, &user.id), 1);
    browser.post("/two-factor/generate-backup-codes").json(body.clone()).await.ok();
    assert_eq!(count(&world, EventKind::BackupCodesReplaced, &user.id), 1);
    let change = json!({"currentPassword": user.password, "newPassword": "quite another passphrase"});
    browser.post("/change-password").json(change).await.ok();
    assert_eq!(count(&world, EventKind::PasswordChanged, &user.id), 1);
    let body = json!({"password": "quite another passphrase"});
    browser.post("/two-factor/disable").json(body).await.ok();
    assert_eq!(count(&world, EventKind::TwoFactorDisabled, &user.id), 1);
}

#[on_each_database]
async fn everything_in_fusionauth_that_a_user_is_to_be_told(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let id = AccountId::parse(&user.id).expect("an id").to_text();
    let app = service.enrol(&user).await;
    assert_eq!(count(&world, EventKind::TwoFactorEnabled, &id), 1);
    service.enrol_address(&user, "email", &user.email).await;
    assert_eq!(count(&world, EventKind::MethodAdded, &id), 1);

    let challenge = service.challenge(&user).await;
    let body = json!({"twoFactorId": challenge, "code": app.recovery_codes[0], "trustComputer": true});
    service.open("/two-factor/login", body).await.ok();
    assert_eq!(count(&world, EventKind::BackupCodeUsed, &id), 1);
    assert_eq!(count(&world, EventKind::DeviceTrusted, &id), 1);

    let path = format!("/user/{}", user.id);
    let change = |fields| service.call("PATCH", &path).json(json!({"user": fields}));
    change(json!({"fullName": "Ada"})).await.ok();
    assert_eq!(count(&world, EventKind::AddressChanged, &id), 0);
    change(json!({"email": "new@example.com"})).await.ok();
    change(json!({"phoneNumber": "+15550100"})).await.ok();
    assert_eq!(count(&world, EventKind::AddressChanged, &id), 2);
    assert_eq!(count(&world, EventKind::PasswordChanged, &id), 0);
    change(json!({"password": "quite another passphrase"})).await.ok();
    assert_eq!(count(&world, EventKind::PasswordChanged, &id), 1);

    // One of two methods by its own code, then everything by a recovery code.
    let method = service.method_id(&user, "email").await;
    service.post("/two-factor/send", json!({"userId": user.id, "methodId": method})).await.ok();
    let code = world.last_code_for("new@example.com");
    let remove = format!("/user/two-factor/{}?methodId={method}&code={code}", user.id);
    service.call("DELETE", &remove).await.ok();
    assert_eq!(count(&world, EventKind::MethodRemoved, &id), 1);
    let remove = format!("/user/two-factor/{}?code={}", user.id, app.recovery_codes[1]);
    service.call("DELETE", &remove).await.ok();
    assert_eq!(count(&world, EventKind::TwoFactorDisabled, &id), 1);
    assert_eq!(count(&world, EventKind::BackupCodeUsed, &id), 2);
}

#[on_each_database]
async fn a_lock_is_told_of_once(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let wrong = json!({"code": app.wrong_code()});
    for _ in 0..2 {
        let browser = user.challenged().await;
        for _ in 0..5 {
            browser.post("/two-factor/verify-totp").json(wrong.clone()).await.refused(401, "INVALID_CODE");
        }
    }
    let browser = user.challenged().await;
    browser.post("/two-factor/verify-totp").json(wrong).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!(count(&world, EventKind::AccountLocked, &user.id), 1);
}
