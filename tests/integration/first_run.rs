//! Starting on a fresh machine: what is made, what is shown, what survives.

use crate::harness::{PASSWORD, Process, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::tempdir;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[on_each_database]
async fn a_fresh_directory_becomes_a_server(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut server = Process::start(database, directory.path(), &[]);
    let data = server.data();
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("keyring")), 0o600);
    if let Some(file) = server.database().file() {
        assert_eq!(mode(file), 0o600);
    }
    let screen = server.first_screen();
    for text in [
        "is listening on http://127.0.0.1:",
        "/api/auth",
        "/docs",
        "/healthz",
        "outbox.ndjson",
        "keyring",
        "check-config",
    ] {
        assert!(screen.contains(text), "{text} is not on the first screen:\n{screen}");
    }
    let ready = server.stranger().call("GET", "/readyz").undocumented().await;
    assert_eq!((ready.status, ready.body), (200, json!({"status": "ready"})));

    let user = server.user("ada").await;
    let challenge = server.bearer(&user.first_token);
    challenge.post("/two-factor/send-otp").await.ok();
    assert_eq!(mode(&data.join("outbox.ndjson")), 0o600);
    assert_eq!(server.last_code_for(&user.email).len(), 6);

    assert!(server.terminate(), "SIGTERM ends it in good order:\n{}", server.log());
}

#[on_each_database]
async fn an_idle_server_is_small(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    // As operators run it. To validate responses, the server holds both contracts in memory.
    let server = Process::start(database, directory.path(), &[("COUNTERSIGN_VALIDATE_RESPONSES", "off")]);
    server.stranger().get("/ok").await.ok();
    let memory = server.memory();
    assert!(memory.held < 15 << 20 && memory.peak >= memory.held, "{memory:?}");
}

#[on_each_database]
async fn a_used_code_is_dead_and_its_session_lives_after_a_crash_7(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut server = Process::start(database, directory.path(), &[]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let (browser, late) = (user.challenged().await, user.challenged().await);
    let code = json!({"code": app.backup_codes[0]});
    browser.post("/two-factor/verify-backup-code").json(code.clone()).await.ok();
    server.kill_9();
    server.restart();

    let session = browser.get("/get-session").await.ok();
    assert_eq!(session.text("/user/email"), user.email);
    late.post("/two-factor/verify-backup-code").json(code).await.refused(401, "INVALID_BACKUP_CODE");
    late.post("/two-factor/verify-totp").json(json!({"code": app.code_in(1)})).await.ok();
}

#[on_each_database]
async fn keys_accounts_and_sessions_survive_a_restart(database: DatabaseKind) {
    let mut world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    world.restart().await;
    assert_eq!(user.browser.get("/get-session").await.ok().text("/user/id"), user.id);
    user.signed_in_with(&app).await;
    let wrong = json!({"email": user.email, "password": format!("{PASSWORD}!")});
    world.stranger().post("/sign-in/email").json(wrong).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    world.close().await;
}
