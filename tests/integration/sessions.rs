//! Reading, extending, listing and ending sessions.

use crate::harness::database::Database;
use crate::harness::{App, Caller, PASSWORD, Response, World, cheap_passwords};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use diesel::SqliteConnection;
use diesel::connection::{Connection as _, SimpleConnection as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn is_live(caller: &Caller) -> bool {
    !caller.copy().get("/get-session?disableRefresh=true").await.ok().body.is_null()
}

fn deleted(response: &Response) -> Vec<String> {
    let cookies = response.set_cookies();
    assert!(cookies.iter().all(|cookie| cookie.is_deletion() && cookie.value.is_empty()), "{response}");
    cookies.into_iter().map(|cookie| cookie.name).collect()
}

const SESSION_COOKIES: [&str; 3] =
    ["better-auth.session_token", "better-auth.session_data", "better-auth.dont_remember"];

#[on_each_database]
async fn a_session_shows_itself_and_its_user(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let response = user.browser.get("/get-session").await.ok();
    let session = &response.body["session"];
    assert_eq!((response.text("/session/userId"), response.text("/user/id")), (user.id.clone(), user.id.clone()));
    assert_eq!(session["token"], json!(user.first_token));
    assert_eq!(session["expiresAt"], "2026-03-08T12:00:00.000Z");
    assert_eq!((&session["ipAddress"], &session["userAgent"]), (&json!("127.0.0.1"), &json!("countersign-tests")));
    assert_eq!((response.header("cache-control"), response.header("pragma")), (Some("no-store"), Some("no-cache")));
    assert!(response.set_cookies().is_empty());
}

#[on_each_database]
async fn without_a_session_there_is_null_and_dead_cookies_go(database: DatabaseKind) {
    let world = World::start(database).await;
    let browser = world.browser();
    let nobody = browser.get("/get-session").await.ok();
    assert_eq!((nobody.raw.as_slice(), nobody.set_cookies().len()), (&b"null"[..], 0));

    let user = world.user("ada").await;
    let forged = user.browser.copy();
    let value = forged.cookie("session_token").unwrap();
    forged.set_cookie("better-auth.session_token", &value.replacen('.', "x.", 1));
    let forged = forged.get("/get-session").await.ok();
    assert!(forged.body.is_null());
    assert_eq!(deleted(&forged), SESSION_COOKIES, "no key of ours signed it, so it would never open anything");

    let dead = user.browser.copy();
    user.browser.post("/sign-out").await.ok();
    let dead = dead.get("/get-session").await.ok();
    assert!(dead.body.is_null());
    assert_eq!(deleted(&dead), SESSION_COOKIES);
}

#[on_each_database]
async fn a_session_is_extended_after_a_day_and_dies_after_seven(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    world.clock.advance(DAY - Duration::from_secs(1));
    let early = user.browser.get("/get-session").await.ok();
    assert!(early.set_cookies().is_empty());
    world.clock.advance(Duration::from_secs(1));
    for query in ["?disableRefresh=true", "?disableRefresh=1"] {
        let kept = user.browser.get(&format!("/get-session{query}")).await.ok();
        assert!(kept.set_cookies().is_empty());
        assert_eq!(kept.text("/session/expiresAt"), "2026-03-08T12:00:00.000Z");
    }
    let extended = user.browser.get("/get-session?disableRefresh=false&disableCookieCache=true").await.ok();
    assert_eq!(extended.text("/session/expiresAt"), "2026-03-09T12:00:00.000Z");
    assert_eq!(extended.text("/session/updatedAt"), "2026-03-02T12:00:00.000Z");
    assert_eq!(extended.text("/session/token"), user.first_token, "the token stays");
    let cookie = extended.set_cookie("session_token").unwrap();
    assert_eq!(cookie.attributes, "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax");
    world.clock.advance(7 * DAY - Duration::from_secs(1));
    assert!(is_live(&user.browser).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!is_live(&user.browser).await);
    user.browser.copy().post("/revoke-other-sessions").await.refused(401, "UNAUTHORIZED");
}

#[on_each_database]
async fn sign_out_ends_the_session_and_always_succeeds_a_7_4_1(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let stolen = user.browser.copy();
    let response = user.browser.post("/sign-out").json(json!({})).await.ok();
    assert_eq!(response.body, json!({"success": true}));
    assert_eq!(deleted(&response), SESSION_COOKIES);
    assert!(!is_live(&stolen).await);
    stolen.post("/sign-out").await.ok();
    world.stranger().post("/sign-out").await.ok();
    world.bearer("nonsense").post("/sign-out").await.ok();
}

#[on_each_database]
async fn a_list_shows_live_sessions_and_only_the_own_token_a_7_5_2(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let other = user.signed_in().await;
    world.user("bob").await;
    let own = world.bearer(&user.first_token);
    let list = own.get("/list-sessions").await.ok();
    let tokens: Vec<String> = (0..2).map(|index| list.text(&format!("/{index}/token"))).collect();
    assert_eq!(list.body.as_array().unwrap().len(), 2, "{list}");
    assert_eq!(tokens.iter().filter(|token| **token == user.first_token).count(), 1);
    let handle = tokens.iter().find(|token| **token != user.first_token).unwrap();

    // The handle of the other session is shaped like a token and opens nothing.
    let as_token = world.bearer(handle).get("/get-session").await.ok();
    assert!(as_token.body.is_null());
    world.bearer(handle).get("/list-sessions").await.refused(401, "UNAUTHORIZED");

    let revoked = own.post("/revoke-session").json(json!({"token": handle})).await.ok();
    assert_eq!(revoked.body, json!({"status": true}));
    assert!(!is_live(&other).await && is_live(&own).await);
}

#[on_each_database]
async fn a_session_is_revoked_by_its_token_too(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let other = user.signed_in().await;
    let token = other.get("/get-session").await.ok().text("/session/token");
    user.browser.post("/revoke-session").json(json!({"token": token})).await.ok();
    assert!(!is_live(&other).await && is_live(&user.browser).await);
}

#[on_each_database]
async fn nobody_ends_a_session_of_somebody_else_36(database: DatabaseKind) {
    let world = World::start(database).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let session = bob.browser.get("/get-session").await.ok();
    for token in [
        bob.first_token.clone(),
        session.text("/session/id"),
        session.text("/user/id"),
        "unknown".to_owned(),
        String::new(),
    ] {
        let response = ada.browser.post("/revoke-session").json(json!({"token": token})).await.ok();
        assert_eq!(response.body, json!({"status": true}));
    }
    ada.browser.post("/revoke-other-sessions").await.ok();
    ada.browser.post("/revoke-sessions").await.ok();
    assert!(is_live(&bob.browser).await);
}

#[on_each_database]
async fn others_or_all_are_ended_at_once_a_7_4_1_a_7_5_2(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let others = [user.signed_in().await, user.signed_in().await];
    let response = user.browser.post("/revoke-other-sessions").json(json!({})).await.ok();
    assert_eq!(response.body, json!({"status": true}));
    assert!(is_live(&user.browser).await && !is_live(&others[0]).await && !is_live(&others[1]).await);

    let another = user.signed_in().await;
    let response = user.browser.post("/revoke-sessions").await.ok();
    assert!(response.set_cookies().is_empty(), "cookies are not cleared");
    assert!(!is_live(&user.browser).await && !is_live(&another).await);
    let dead = user.browser.post("/revoke-sessions").await.refused(401, "UNAUTHORIZED").saying("Unauthorized");
    assert_eq!(deleted(&dead), SESSION_COOKIES);
}

/// Whichever way the factors change: another session from before the change can be ended from the one that made it.
#[on_each_database]
async fn after_a_change_of_factors_other_sessions_can_be_ended_a_7_4_3(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let mut app: Option<App> = None;
    for change in ["enrol", "replace", "generate-backup-codes", "disable"] {
        let other = match &app {
            Some(app) => user.signed_in_with(app).await,
            None => user.signed_in().await,
        };
        assert!(is_live(&other).await, "{change}");
        if ["enrol", "replace"].contains(&change) {
            app = Some(user.enrol().await);
        } else {
            let body = json!({"password": PASSWORD});
            user.browser.post(&format!("/two-factor/{change}")).json(body).await.ok();
        }
        user.browser.post("/revoke-other-sessions").await.ok();
        assert!(!is_live(&other).await && is_live(&user.browser).await, "{change}");
    }
}

#[on_each_database]
async fn odd_queries_change_nothing(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    for query in [
        "?",
        "?x",
        "?x=1&x=2",
        "?disableRefresh",
        "?disableRefresh=a&disableRefresh=b",
        "?disableCookieCache=%FF",
        "?&&=&",
        "?%",
    ] {
        let response = user.browser.get(&format!("/get-session{query}")).await.ok();
        assert_eq!(response.text("/user/id"), user.id);
    }
}

/// Makes every write to sessions fail.
fn refuse_writes(world: &World) {
    match world.database() {
        Database::Sqlite(_) => world
            .database()
            .execute("CREATE TRIGGER no_write BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'no writes'); END"),
        Database::Postgres(_) => {
            world.database().execute("ALTER TABLE sessions ADD CONSTRAINT no_write CHECK (last_used_at < 0) NOT VALID");
        }
    }
}

fn allow_writes(world: &World) {
    match world.database() {
        Database::Sqlite(_) => world.database().execute("DROP TRIGGER no_write"),
        Database::Postgres(_) => world.database().execute("ALTER TABLE sessions DROP CONSTRAINT no_write"),
    }
}

/// Keeps everybody from writing to sessions for four seconds, and lets them read.
fn hold_writes(database: &Database) {
    match database {
        Database::Sqlite(path) => {
            let mut neighbour = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            neighbour.batch_execute("BEGIN IMMEDIATE").unwrap();
            std::thread::sleep(Duration::from_secs(4));
            neighbour.batch_execute("ROLLBACK").unwrap();
        }
        Database::Postgres(_) => {
            database.execute("DO $$ BEGIN LOCK TABLE sessions IN SHARE MODE; PERFORM pg_sleep(4); END $$")
        }
    }
}

/// That a session is in use, and that it is extended, are writes that nobody asked for.
#[on_each_database]
async fn a_write_that_fails_or_is_slow_neither_fails_nor_delays_the_reading_of_a_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let shown = async || user.browser.get("/get-session").await.ok();
    let first = shown().await.body["session"].clone();
    let is_as_before = |session: &Value| {
        assert_eq!((&session["lastUsedAt"], &session["expiresAt"]), (&first["lastUsedAt"], &first["expiresAt"]));
    };
    // Long enough for both writes.
    world.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    refuse_writes(&world);
    let unwritten = shown().await;
    is_as_before(&unwritten.body["session"]);
    allow_writes(&world);

    let held = world.database().clone();
    let holder = tokio::task::spawn_blocking(move || hold_writes(&held));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    let unwritten = shown().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    is_as_before(&unwritten.body["session"]);
    holder.await.unwrap();

    let written = shown().await.body["session"].clone();
    assert_ne!(written["lastUsedAt"], first["lastUsedAt"]);
    assert_ne!(written["expiresAt"], first["expiresAt"]);
}
