//! What the user of an account is notified about: each is an audit event of a kind of its own and a mail, whichever dialect it
//! happens in (N11, OWASP ASVS 5.0, 6.3.5, 6.3.7).

use crate::harness::World;
use countersign_domain::audit::EventKind;
use countersign_domain::ids::AccountId;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

/// Number of events of a kind about an account, by its id in the Better Auth dialect.
fn count(world: &World, kind: EventKind, id: &str) -> i64 {
    assert!(kind.is_notice(), "{kind:?}");
    let name = kind.name();
    let query = format!("SELECT count(*) AS number FROM audit_events WHERE kind = '{name}' AND account_id = '{id}'");
    world.database().number(&query)
}

async fn start(database: DatabaseKind) -> World {
    World::with(database, |settings| settings.messages.notices_are_on = true).await
}

/// Waits until these notices, in any order, and no others were mailed to an address.
async fn notified(world: &World, email: &str, expected: &[&str]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let mut kinds = Vec::new();
    for _ in 0..100 {
        let mine =
            world.outbox().messages().into_iter().filter(|message| message["to"] == email && message["code"].is_null());
        kinds = mine.map(|message| message["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort_unstable();
        if kinds == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kinds, expected, "notices to {email}");
}

fn verify_addresses(world: &World) {
    world.database().execute("UPDATE accounts SET email_verified = TRUE");
}

/// Changes of factors among them (A 6.3.7).
#[on_each_database]
async fn everything_in_better_auth_that_a_user_is_notified_of_n11(database: DatabaseKind) {
    let world = start(database).await;
    let user = world.user("ada").await;
    verify_addresses(&world);
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
    let expected = [
        "factor-added",
        "device-trusted",
        "recovery-code-used",
        "secret-shown",
        "recovery-codes-replaced",
        "password-changed",
        "two-factor-disabled",
    ];
    notified(&world, &user.email, &expected).await;
}

/// Changes of factors among them (A 6.3.7).
#[on_each_database]
async fn everything_in_fusionauth_that_a_user_is_notified_of_n11(database: DatabaseKind) {
    let world = start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    verify_addresses(&world);
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
    verify_addresses(&world);
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
    let old = ["factor-added", "factor-added", "recovery-code-used", "device-trusted", "address-changed"];
    notified(&world, &user.email, &old).await;
    // The telephone number, and what followed.
    let new = ["address-changed", "password-changed", "factor-removed", "two-factor-disabled", "recovery-code-used"];
    notified(&world, "new@example.com", &new).await;
}

/// Somebody has guessed who knows the password (A 6.3.5).
#[on_each_database]
async fn a_lock_is_notified_once(database: DatabaseKind) {
    let world = start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let wrong = || json!({"code": app.wrong_code()});
    for _ in 0..2 {
        let browser = user.challenged().await;
        for _ in 0..5 {
            browser.post("/two-factor/verify-totp").json(wrong()).await.refused(401, "INVALID_CODE");
        }
    }
    let browser = user.challenged().await;
    browser.post("/two-factor/verify-totp").json(wrong()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!(count(&world, EventKind::AccountLocked, &user.id), 1);
    notified(&world, &user.email, &["factor-added", "account-locked"]).await;
}

/// Nor does it help to stay below that: the guess that fills the long-term limit is notified as well (A 6.3.5).
#[on_each_database]
async fn the_long_term_lock_is_notified(database: DatabaseKind) {
    let world = start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let almost = world.clock_millis() + 98 * 30 * 24 * 60 * 60 * 10;
    world.database().execute(&format!("UPDATE accounts SET guesses_decay_at = {almost} WHERE id = '{}'", user.id));
    let wrong = || json!({"code": app.wrong_code()});
    let browser = user.challenged().await;
    let guess = || browser.post("/two-factor/verify-totp").json(wrong());
    guess().await.refused(401, "INVALID_CODE");
    notified(&world, &user.email, &["factor-added"]).await;
    guess().await.refused(401, "INVALID_CODE");
    guess().await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    notified(&world, &user.email, &["factor-added", "account-locked"]).await;
}

#[on_each_database]
async fn how_many_recovery_codes_are_left_is_said_and_nothing_where_notices_are_off(database: DatabaseKind) {
    let world = start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = user.challenged().await;
    browser.post("/two-factor/verify-backup-code").json(json!({"code": app.backup_codes[0]})).await.ok();
    notified(&world, &user.email, &["factor-added", "recovery-code-used"]).await;
    let left = app.backup_codes.len() - 1;
    let query = "SELECT count(*) AS number FROM backup_codes WHERE used_at IS NULL";
    assert_eq!(world.database().number(query), i64::try_from(left).unwrap());

    let quiet = World::start(database).await;
    let user = quiet.user("ada").await;
    user.enrol().await;
    assert_eq!(count(&quiet, EventKind::TwoFactorEnabled, &user.id), 1);
    assert_eq!(quiet.database().number("SELECT count(*) AS number FROM messages"), 0);
}

/// Somebody who signs up with an address that is not theirs cannot have it flooded.
#[on_each_database]
async fn an_address_that_nobody_has_verified_gets_few_notices(database: DatabaseKind) {
    let world = start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let body = json!({"password": user.password});
    for _ in 0..9 {
        user.browser.post("/two-factor/generate-backup-codes").json(body.clone()).await.ok();
    }
    assert!(!app.backup_codes.is_empty());
    let limited = ["factor-added", "recovery-codes-replaced", "recovery-codes-replaced"];
    notified(&world, &user.email, &[&limited[..], &limited[1..]].concat()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    notified(&world, &user.email, &[&limited[..], &limited[1..]].concat()).await;
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A sign-in after ninety days, with the password alone and with a second factor, in either dialect. A challenge is none yet.
#[on_each_database]
async fn a_sign_in_after_a_long_time_is_notified_of_n11(database: DatabaseKind) {
    let world = start(database).await;
    let user = world.user("ada").await;
    let service = world.service().await;
    verify_addresses(&world);
    let notice = "sign-in-after-long-absence";
    // Waited for each time: a notice that is older than three days is not sent any more.
    let mut expected = Vec::new();
    let login = json!({"loginId": user.email, "password": user.password});
    let seen = || count(&world, EventKind::SignedInAfterLongAbsence, &user.id);
    // By password, in either dialect.
    world.clock.advance(90 * DAY - Duration::from_millis(1));
    user.signed_in().await;
    assert_eq!(seen(), 0);
    world.clock.advance(90 * DAY);
    user.signed_in().await;
    assert_eq!(seen(), 1, "signing up and the sign-in before were sign-ins");
    user.signed_in().await;
    assert_eq!(seen(), 1);
    expected.push(notice);
    notified(&world, &user.email, &expected).await;
    world.clock.advance(90 * DAY);
    service.post("/login", login.clone()).await.ok();
    assert_eq!(seen(), 2);
    expected.push(notice);
    notified(&world, &user.email, &expected).await;

    // By a second factor, in either dialect.
    user.sign_in_from(&user.browser).await.ok();
    let app = user.enrol().await;
    expected.push("factor-added");
    notified(&world, &user.email, &expected).await;
    world.clock.advance(90 * DAY);
    let browser = user.challenged().await;
    user.challenged().await;
    assert_eq!(seen(), 2, "nobody has signed in");
    browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    assert_eq!(seen(), 3);
    user.signed_in_with(&app).await;
    assert_eq!(seen(), 3);
    expected.push(notice);
    notified(&world, &user.email, &expected).await;
    world.clock.advance(90 * DAY);
    let challenge = service.post("/login", login).await.is(242).text("/twoFactorId");
    service.open("/two-factor/login", json!({"twoFactorId": challenge, "code": app.fresh_code()})).await.ok();
    assert_eq!(seen(), 4);
    expected.push(notice);
    notified(&world, &user.email, &expected).await;
}

#[on_each_database]
async fn how_long_an_absence_is_is_a_setting_and_a_first_sign_in_ends_none(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.messages.notices_are_on = true;
        settings.lifetimes.long_absence = DAY;
    });
    let world = world.await;
    let service = world.service().await;
    let user = service.user().await;
    verify_addresses(&world);
    let id = AccountId::parse(&user.id).expect("an id").to_text();
    let seen = || count(&world, EventKind::SignedInAfterLongAbsence, &id);
    world.clock.advance(300 * DAY);
    service.log_in(&user).await.ok();
    assert_eq!(seen(), 0);
    world.clock.advance(DAY - Duration::from_millis(1));
    service.log_in(&user).await.ok();
    assert_eq!(seen(), 0);
    world.clock.advance(DAY);
    let logged_in = service.log_in(&user).await.ok();
    assert_eq!((seen(), logged_in.body["user"]["lastLoginInstant"].as_i64()), (1, Some(world.clock_millis())));
    notified(&world, &user.email, &["sign-in-after-long-absence"]).await;
}
