//! What has ended is cleared away by itself, and nothing else is.

use crate::harness::World;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

/// Every table whose rows end.
const ENDING: [&str; 6] = ["sessions", "challenges", "mailed_codes", "trusted_devices", "budgets", "audit_events"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn rows(world: &World, table: &str) -> i64 {
    world.database().number(&format!("SELECT COUNT(*) AS number FROM {table}"))
}

/// Waits until housekeeping has brought the tables to these numbers of rows.
async fn comes_to(world: &World, expected: [i64; 6]) {
    let mut counted = expected.map(|_| -1);
    for _ in 0..200 {
        counted = ENDING.map(|table| rows(world, table));
        if counted == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{ENDING:?} hold {counted:?} rows and not {expected:?}");
}

#[on_each_database]
async fn what_has_ended_is_cleared_away_while_the_server_runs_and_what_lives_stays(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.retention.interval = Duration::from_millis(20);
        settings.retention.audit = Some(400 * DAY);
    })
    .await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    // One of each: a trusted device, an open challenge, a one-time code, a quota of wrong passwords.
    let trusting = user.challenged().await;
    world.clock.advance(Duration::from_secs(30));
    let code = json!({"code": app.code_in(0), "trustDevice": true});
    trusting.post("/two-factor/verify-totp").json(code).await.ok();
    let challenged = user.challenged().await;
    challenged.post("/two-factor/send-otp").json(json!({})).await.ok();
    let wrong = json!({"email": user.email, "password": "not the password"});
    world.stranger().post("/sign-in/email").json(wrong).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    let before = ENDING.map(|table| rows(&world, table));
    assert!(before.iter().all(|rows| *rows > 0), "{ENDING:?}: {before:?}");

    // Rounds go by, and nothing that lives is touched.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(ENDING.map(|table| rows(&world, table)), before);

    // A year later everything has ended but the audit trail, which is kept for longer.
    world.clock.advance(366 * DAY);
    let trail = before[5];
    comes_to(&world, [0, 0, 0, 0, 0, trail]).await;
    // Later still, all of it has gone but what happened since: a password, a code, and that it was after a year.
    let later = user.challenged().await;
    later.post("/two-factor/verify-totp").json(json!({"code": app.code_in(0)})).await.ok();
    world.clock.advance(Duration::from_secs(60 * 60));
    world.clock.advance(35 * DAY);
    comes_to(&world, [0, 0, 0, 0, 0, 3]).await;
    assert_eq!(rows(&world, "accounts"), 1);
    assert_eq!(rows(&world, "methods WHERE kind = 'authenticator'"), 1);
}
