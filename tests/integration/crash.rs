//! `kill -9` right after a response: what was used stays used, what was opened stays open (attacks 7, 8).

use crate::harness::{App, Caller, Process, User};
use countersign_domain::totp::STEP_SECONDS;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::tempdir;

struct Crash {
    _directory: tempfile::TempDir,
    server: Process,
    user: User,
    app: App,
}

impl Crash {
    async fn prepared(database: DatabaseKind) -> Self {
        let directory = tempdir().unwrap();
        let server = Process::start(database, directory.path(), &[]);
        let user = server.user("ada").await;
        let app = user.enrol().await;
        Self { _directory: directory, server, user, app }
    }

    /// Completes one challenge, kills the server at that very moment, starts it again, and offers the same code to a
    /// second challenge that was open all the while: the session lives, challenge and code are dead.
    async fn strikes_after(&mut self, path: &str, first: &Caller, second: &Caller, body: Value, refusal: (u16, &str)) {
        let response = first.post(path).json(body.clone()).await;
        self.server.kill_9();
        let token = response.ok().text("/token");
        self.server.restart();
        let session = self.server.bearer(&token).get("/get-session").await.ok();
        assert_eq!(session.text("/user/id"), self.user.id, "the session lives");
        second.post(path).json(body.clone()).await.refused(refusal.0, refusal.1);
        // The used challenge opens nothing: only its cookie, without the session that came of it.
        let replayed = self.server.browser();
        replayed.set_cookie("better-auth.two_factor", &first.cookie("two_factor").unwrap_or_default());
        replayed.post(path).json(body).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
}

#[on_each_database]
async fn a_totp_code_that_was_accepted_is_dead_after_a_crash_7(database: DatabaseKind) {
    let mut crash = Crash::prepared(database).await;
    // The step of enrolment is spent. The window reaches one step ahead, so there is a fresh code without waiting,
    // unless the step is about to end: then the wait is short.
    let (first, second) = (crash.user.challenged().await, crash.user.challenged().await);
    let body = json!({"code": crash.app.code_in(1)});
    crash.strikes_after("/two-factor/verify-totp", &first, &second, body, (401, "INVALID_CODE")).await;
    assert_eq!(STEP_SECONDS, 30, "the window that this test relies on");
}

#[on_each_database]
async fn a_backup_code_that_was_accepted_is_dead_after_a_crash_7_8(database: DatabaseKind) {
    let mut crash = Crash::prepared(database).await;
    let (first, second) = (crash.user.challenged().await, crash.user.challenged().await);
    let body = json!({"code": crash.app.backup_codes[3]});
    let refusal = (401, "INVALID_BACKUP_CODE");
    crash.strikes_after("/two-factor/verify-backup-code", &first, &second, body, refusal).await;
}

#[on_each_database]
async fn a_mailed_code_that_was_accepted_is_dead_after_a_crash_7(database: DatabaseKind) {
    let mut crash = Crash::prepared(database).await;
    let (first, second) = (crash.user.challenged().await, crash.user.challenged().await);
    first.post("/two-factor/send-otp").await.ok();
    let body = json!({"code": crash.server.last_code_for(&crash.user.email)});
    crash.strikes_after("/two-factor/verify-otp", &first, &second, body, (400, "OTP_HAS_EXPIRED")).await;
}

/// The value that took the place of the trust cookie is good, and the one before it is used.
#[on_each_database]
async fn a_trust_cookie_that_was_replaced_is_dead_after_a_crash_7(database: DatabaseKind) {
    let mut crash = Crash::prepared(database).await;
    let browser = crash.user.challenged().await;
    let body = json!({"code": crash.app.backup_codes[3], "trustDevice": true});
    browser.post("/two-factor/verify-backup-code").json(body).await.ok();
    let before = browser.copy();
    let response = crash.user.sign_in_from(&browser).await;
    crash.server.kill_9();
    assert_eq!(response.ok().body["twoFactorRedirect"], Value::Null);
    crash.server.restart();
    assert_eq!(crash.user.sign_in_from(&before).await.ok().body["twoFactorRedirect"], true, "it was used");
    assert_eq!(
        crash.user.sign_in_from(&browser).await.ok().body["twoFactorRedirect"],
        Value::Null,
        "its successor is good"
    );
}

/// A server that is killed while it works leaves nothing half done: whoever was told that it worked finds it so, and
/// whoever was told nothing finds either all of it or nothing.
#[on_each_database]
async fn a_crash_under_load_loses_nothing_that_was_acknowledged(database: DatabaseKind) {
    let mut crash = Crash::prepared(database).await;
    for round in 0..5_u32 {
        let mut running = tokio::task::JoinSet::new();
        for worker in 0..8_u32 {
            let browser = crash.server.browser();
            running.spawn(async move {
                let mut acknowledged = Vec::new();
                for number in 0..1000 {
                    let email = format!("r{round}w{worker}n{number}@example.com");
                    let body = json!({"name": "", "email": email, "password": crate::harness::PASSWORD});
                    // The connection breaks when the server dies; until then every response is a promise.
                    match browser.post("/sign-up/email").json(body).try_send().await {
                        Ok(response) => acknowledged.push((email, response.ok().text("/token"))),
                        Err(_) => break,
                    }
                }
                acknowledged
            });
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
        crash.server.kill_9();
        let promises: Vec<(String, String)> = running.join_all().await.into_iter().flatten().collect();
        crash.server.restart();
        assert!(!promises.is_empty(), "the server was killed before it did anything");
        for (email, token) in promises {
            let session = crash.server.bearer(&token).get("/get-session").await.ok();
            assert_eq!(session.text("/user/email"), email);
        }
    }
}
