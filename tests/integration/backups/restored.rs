//! What a restored database holds, and what has ended with the time that is lost.

use super::{names, program, run, taken};
use crate::harness::database::Database;
use crate::harness::service::APPLICATION;
use crate::harness::world::{Time, WorldClock};
use crate::harness::{App, Caller, PASSWORD, Process, World};
use countersign::clock::{Clock as _, SystemClock};
use countersign::config::values::KeyringSource;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::tempdir;
use tokio::task::JoinSet;

/// A user whose last change was acknowledged.
#[derive(Clone)]
struct Acknowledged {
    email: String,
    /// A backup code that is good, of a user who has a second factor.
    backup_code: Option<String>,
}

/// Signs users up and enrols some of them, until it is to stop, and notes what was acknowledged.
async fn work(
    caller: Caller,
    name: String,
    clock: Arc<WorldClock>,
    noted: Arc<Mutex<Vec<Acknowledged>>>,
    stop: Arc<AtomicBool>,
) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let email = format!("{name}n{number}@example.com");
        let body = json!({"name": "", "email": email, "password": PASSWORD});
        let token = caller.post("/sign-up/email").json(body).await.ok().text("/token");
        noted.lock().unwrap().push(Acknowledged { email: email.clone(), backup_code: None });
        let bearer = caller.copy().with_header("authorization", &format!("Bearer {token}"));
        let begun = bearer.post("/two-factor/enable").json(json!({"password": PASSWORD})).await.ok();
        let app = App::new(&begun, &clock);
        bearer.post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
        let mut noted = noted.lock().unwrap();
        let user = noted.iter_mut().find(|user| user.email == email).unwrap();
        user.backup_code = app.backup_codes.first().cloned();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_holds_every_change_that_was_acknowledged_before_it_began() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let (noted, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    let mut running = JoinSet::new();
    for worker in 0..4 {
        let (noted, stop) = (Arc::<Mutex<Vec<Acknowledged>>>::clone(&noted), Arc::clone(&stop));
        running.spawn(work(server.stranger(), format!("w{worker}"), Arc::clone(server.clock()), noted, stop));
    }
    let mut backups = Vec::new();
    for round in 0..3 {
        let before = noted.lock().unwrap().len();
        while noted.lock().unwrap().len() < before + 6 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let acknowledged = noted.lock().unwrap().clone();
        let file = elsewhere.path().join(format!("{round}.backup"));
        let mut command = program(&server);
        command.arg("backup").arg(&file).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        super::Ran::from(output).ok();
        backups.push((file, acknowledged));
    }
    stop.store(true, Ordering::Relaxed);
    running.join_all().await;
    assert!(server.terminate());
    let all = noted.lock().unwrap().len();
    for (round, (file, acknowledged)) in backups.into_iter().enumerate() {
        run(&server, "restore", &file, &["--yes"]).ok();
        server.restart();
        let accounts = server.database().number("SELECT count(*) AS number FROM accounts");
        assert!(round > 0 || usize::try_from(accounts).unwrap() < all, "users have signed up since the first backup");
        for user in &acknowledged {
            let browser = server.browser();
            let body = json!({"email": user.email, "password": PASSWORD});
            let response = browser.post("/sign-in/email").json(body).await.ok();
            let Some(code) = &user.backup_code else { continue };
            assert_eq!(response.body["twoFactorRedirect"], true, "{response}");
            browser.post("/two-factor/verify-backup-code").json(json!({"code": code})).await.ok();
        }
        assert!(server.terminate());
    }
}

/// All that was opened before the backup, and after it.
struct Opened {
    session: Caller,
    trusted: Caller,
    challenged: Caller,
    access_token: String,
    refresh_token: String,
}

async fn opened(server: &Process, user: &crate::harness::User, app: &App, from: usize) -> Opened {
    let pass = async |number: usize, trusts: bool| {
        let browser = user.challenged().await;
        let body = json!({"code": app.backup_codes[from + number], "trustDevice": trusts});
        browser.post("/two-factor/verify-backup-code").json(body).await.ok();
        browser
    };
    let (session, trusted) = (pass(0, false).await, pass(1, true).await);
    let service = server.service();
    let other = service.user().await;
    let login = service.log_in(&other).await.ok();
    assert_eq!(login.body["user"]["registrations"][0]["applicationId"], APPLICATION, "{login}");
    let (access_token, refresh_token) = (login.text("/token"), login.text("/refreshToken"));
    Opened { session, trusted, challenged: user.challenged().await, access_token, refresh_token }
}

impl Opened {
    /// Which of them are good.
    async fn good(&self, server: &Process, user: &crate::harness::User, code: &str) -> Vec<&'static str> {
        let mut good = Vec::new();
        if self.session.get("/get-session").await.ok().body.is_object() {
            good.push("session");
        }
        let signed_in = user.sign_in_from(&self.trusted.copy()).await.ok();
        if signed_in.body["twoFactorRedirect"] == Value::Null {
            good.push("trust");
        }
        let body = json!({"code": code});
        if self.challenged.post("/two-factor/verify-backup-code").json(body).await.status == 200 {
            good.push("challenge");
        }
        let bearer = server.bearer(&self.access_token);
        if bearer.call("GET", "/api/jwt/validate").await.status == 200 {
            good.push("access token");
        }
        let refresh = json!({"refreshToken": self.refresh_token});
        if server.stranger().call("POST", "/api/jwt/refresh").json(refresh).await.status == 200 {
            good.push("refresh token");
        }
        good
    }
}

const ALL: [&str; 5] = ["session", "trust", "challenge", "access token", "refresh token"];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_before_a_restore_is_over_and_the_trail_names_the_operator() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let before = opened(&server, &user, &app, 0).await;
    let file = taken(&server, elsewhere.path());
    let since = opened(&server, &user, &app, 2).await;
    let late = server.user("late").await;
    assert!(server.terminate());

    let (early, step) = (app.code_in(1), server.clock().now().as_millis() / 30_000);
    let printed = run(&server, "restore", &file, &["--yes"]).ok();
    for part in ["Restored", "The former database is", "Ended for", "API keys are good"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let aside =
        printed.lines().nth(1).and_then(|line| line.split(' ').nth(4)).unwrap().trim_end_matches('.').to_owned();
    let aside = Database::Sqlite(aside.into());
    let late_users = "SELECT count(*) AS number FROM accounts WHERE email = 'late@example.com'";
    assert_eq!((aside.number(late_users), server.database().number(late_users)), (1, 0));
    let beside: Vec<String> = names(&server.data()).into_iter().filter(|name| name.contains("wal")).collect();
    assert!(beside.is_empty(), "{beside:?}");
    server.restart();
    assert_eq!(before.good(&server, &user, &app.backup_codes[4]).await, [""; 0]);
    assert_eq!(since.good(&server, &user, &app.backup_codes[5]).await, [""; 0]);
    late.sign_in_from(&server.browser()).await.is(401);
    // A recovery code that was used since the backup is good again: nothing says that it was.
    let browser = user.challenged().await;
    browser.post("/two-factor/verify-backup-code").json(json!({"code": app.backup_codes[2]})).await.ok();
    // Codes that the app showed at the restore may have been used since the backup, and one that is early as well.
    let challenged = user.challenged().await;
    challenged.post("/two-factor/verify-totp").json(json!({"code": early})).await.refused(401, "INVALID_CODE");
    let used_up_to = server.database().number("SELECT last_step AS number FROM methods");
    assert!(used_up_to > step, "{used_up_to} {step}");
    for kind in ["database-restored", "all-grants-ended"] {
        let mut query = program(&server);
        let events = query.args(["audit", "query", "--kind", kind]).output().unwrap();
        let event: Value = serde_json::from_slice(&events.stdout).unwrap();
        assert_eq!(event["actor"], json!({"kind": "operator", "name": "cli:ada"}), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_kept_when_the_operator_wants_that() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let before = opened(&server, &user, &app, 0).await;
    let file = taken(&server, elsewhere.path());
    assert!(server.terminate());
    let printed = run(&server, "restore", &file, &["--yes", "--keep-grants", "--operator", "bob"]).ok();
    assert!(printed.contains("are good as they were then"), "{printed}");
    server.restart();
    assert_eq!(before.good(&server, &user, &app.backup_codes[4]).await, ALL);
}

/// On another machine: neither database nor directory are there, only the keyring.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_signs_in_with_an_app_when_its_codes_of_that_time_have_passed() {
    let (directory, elsewhere, other) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let file = taken(&server, elsewhere.path());
    assert!(server.terminate());
    let keyring = server.data().join("keyring");
    let database = Database::Sqlite(other.path().join("new/countersign.db"));
    let restored = |keyring: &Path| {
        let mut command = program(&server);
        command.env("COUNTERSIGN_DATABASE_URL", database.url()).env("COUNTERSIGN_KEYRING", keyring);
        super::Ran::from(command.arg("restore").arg(&file).output().unwrap())
    };
    restored(&other.path().join("none")).refused(2, "there is no keyring at");
    let printed = restored(&keyring).ok();
    assert!(!printed.contains("former database"), "{printed}");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(database.file().unwrap()).unwrap());
    assert_eq!(mode & 0o777, 0o600);

    // Time stands still until it is advanced: to two minutes after the restore.
    let world = World::sharing(&database, Time::Manual, |settings| {
        settings.keyring = KeyringSource::NamedFile(keyring);
    })
    .await;
    world.clock.advance(SystemClock.now() - world.clock.now() + Duration::from_secs(120));
    let app = app.at(&world);
    let browser = world.browser();
    let body = json!({"email": user.email, "password": PASSWORD});
    assert_eq!(browser.post("/sign-in/email").json(body).await.ok().body["twoFactorRedirect"], true);
    let code = app.code();
    browser.post("/two-factor/verify-totp").json(json!({"code": code})).await.ok();
    assert!(browser.get("/get-session").await.ok().body.is_object());
}

/// A restore that is killed at any moment leaves the former database or the restored one, each complete, and can be repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_one_of_the_two_databases_whole() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    server.user("ada").await;
    let file = taken(&server, elsewhere.path());
    server.user("bob").await;
    // It leaves a log that is not in the database file yet.
    server.kill_9();
    let database = server.data().join("countersign.db");
    let state = || {
        let found = Database::Sqlite(database.clone());
        let count = |sql: &str| found.number(&format!("SELECT count(*) AS number FROM {sql}"));
        let integrity = found.text("SELECT integrity_check AS text FROM pragma_integrity_check");
        assert_eq!(integrity, "ok");
        (count("accounts"), count("sessions"), count("audit_events WHERE kind = 'database-restored'"))
    };
    let (old, new) = ((2, 2, 0), (1, 0, 1));
    // How long a restore takes, into another directory.
    let whole = SystemClock.now();
    let mut command = program(&server);
    command.env("COUNTERSIGN_DATABASE_URL", format!("sqlite:{}", elsewhere.path().join("new.db").display()));
    command.env("COUNTERSIGN_KEYRING", server.data().join("keyring"));
    super::Ran::from(command.arg("restore").arg(&file).output().unwrap()).ok();
    let whole = whole.until(SystemClock.now());
    let mut seen = [0, 0];
    for part in 0..16 {
        let mut command = program(&server);
        command.args(["restore", "--yes"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        tokio::time::sleep(whole * part / 14).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let found = state();
        assert!(found == old || found == new, "after {part} of 14 parts of {whole:?}: {found:?}");
        seen[usize::from(found == new)] += 1;
    }
    assert!(seen[0] > 0, "{seen:?}");
    run(&server, "restore", &file, &["--yes"]).ok();
    assert_eq!(state(), new);
    assert!(!names(&server.data()).iter().any(|name| name.contains("restoring")), "{:?}", names(&server.data()));
    server.restart();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_replaced_and_kept_with_its_log() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    let file = taken(&server, elsewhere.path());
    server.user("bob").await;
    server.kill_9();
    let (database, log) = (server.data().join("countersign.db"), server.data().join("countersign.db-wal"));
    let log_before = std::fs::read(&log).unwrap();
    assert!(!log_before.is_empty());
    std::fs::write(&database, "no database at all, but for the log beside it").unwrap();
    run(&server, "restore", &file, &["--yes"]).ok();
    let kept = names(&server.data()).into_iter().filter(|name| name.contains("before-restore")).collect::<Vec<_>>();
    let kept_database =
        kept.iter().find(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).expect("it is kept");
    let kept_text = std::fs::read_to_string(server.data().join(kept_database)).unwrap();
    assert_eq!(kept_text, "no database at all, but for the log beside it");
    let kept_log = kept.iter().find(|name| name.ends_with("-wal")).expect("the log is kept");
    assert_eq!(std::fs::read(server.data().join(kept_log)).unwrap(), log_before);
    server.restart();
    user.signed_in().await;
    assert_eq!(server.database().number("SELECT count(*) AS number FROM accounts"), 1);
}

/// The database lies elsewhere, and its name in the data directory is a symbolic link.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_behind_a_link_is_replaced_where_it_lies_and_what_was_kept_is_said_in_any_case() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    let file = taken(&server, elsewhere.path());
    server.user("bob").await;
    assert!(server.terminate());
    let (link, volume) = (server.data().join("countersign.db"), elsewhere.path().join("volume"));
    std::fs::create_dir(&volume).unwrap();
    for end in ["", "-wal", "-shm"] {
        let from = server.data().join(format!("countersign.db{end}"));
        if from.exists() {
            std::fs::rename(from, volume.join(format!("db.sqlite{end}"))).unwrap();
        }
    }
    std::os::unix::fs::symlink(volume.join("db.sqlite"), &link).unwrap();
    let full = std::fs::File::create("/dev/full").unwrap();
    let ran = program(&server).arg("restore").arg(&file).arg("--yes").stdout(full).output().unwrap();
    let error = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code() == Some(1) && error.contains("The former database is "), "{error}");
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(names(&volume).iter().any(|name| name.contains("before-restore")), "{:?}", names(&volume));
    server.restart();
    user.signed_in().await;
    assert_eq!(server.database().number("SELECT count(*) AS number FROM accounts"), 1);
}

#[on_each_database]
async fn grants_of_all_users_end_on_a_database_that_was_restored_by_other_means(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let before = opened(&server, &user, &app, 0).await;
    let end = |options: &[&str]| super::Ran::from(program(&server).arg("end-grants").args(options).output().unwrap());
    end(&[]).refused(2, "there is no terminal to ask on; --yes confirms");
    assert!(before.session.get("/get-session").await.ok().body.is_object());
    let printed = end(&["--yes"]).ok();
    assert!(printed.starts_with("Ended for 2 users: "), "{printed}");
    assert_eq!(before.good(&server, &user, &app.backup_codes[4]).await, [""; 0]);
    // What is opened from then on is good.
    let after = opened(&server, &user, &app, 2).await;
    assert_eq!(after.good(&server, &user, &app.backup_codes[4]).await, ALL);
}
