//! SQLite that cannot write: a file that another process has locked, a disk that is full. Whoever needs to write is
//! told to come back, nothing is half written, reading goes on, and it is well again without a restart.

use crate::harness::Process;
use crate::harness::database::Database;
use crate::harness::process::command;
use countersign_domain::keyring::Keyring;
use countersign_test_postgres::DatabaseKind;
use diesel::SqliteConnection;
use diesel::connection::{Connection as _, SimpleConnection as _};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use tempfile::tempdir;
use tokio::time::Instant;

fn newcomer(number: usize) -> Value {
    json!({"name": "Newcomer", "email": format!("newcomer{number}@example.com"), "password": "correct horse battery"})
}

fn rows(server: &Process, table: &str) -> usize {
    usize::try_from(server.database().number(&format!("SELECT COUNT(*) AS number FROM {table}"))).unwrap()
}

/// Accounts, their first sessions and the audit trail are written together or not at all.
fn accounts(server: &Process) -> usize {
    let accounts = rows(server, "accounts");
    assert_eq!(rows(server, "sessions"), accounts);
    assert_eq!(rows(server, "audit_events"), accounts);
    accounts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_has_locked_is_a_clean_503_and_no_restart_is_needed() {
    let directory = tempdir().unwrap();
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &[("COUNTERSIGN_DATABASE_TIMEOUT", "1")]);
    let user = server.user("ada").await;
    let mut neighbour = SqliteConnection::establish(server.database().file().unwrap().to_str().unwrap()).unwrap();
    neighbour.batch_execute("BEGIN IMMEDIATE; DELETE FROM sessions").unwrap();

    let begun = Instant::now();
    let refused = server.stranger().post("/sign-up/email").json(newcomer(0)).await;
    assert!(refused.refused(503, "SERVICE_UNAVAILABLE").retry_after() >= 1);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    user.browser.get("/get-session").await.ok().text("/user/id");

    neighbour.batch_execute("ROLLBACK").unwrap();
    assert_eq!(accounts(&server), 1, "nothing of it happened");
    server.stranger().post("/sign-up/email").json(newcomer(0)).await.ok();
    assert_eq!(accounts(&server), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_clean_503_and_no_restart_is_needed() {
    let directory = tempdir().unwrap();
    // A file that cannot grow is to SQLite what a full disk is.
    // Only the soft limit, which can be lifted again. The signal that goes with it would end the process.
    let small_files = ["sh", "-c", "ulimit -S -f 1000; trap '' XFSZ; exec \"$0\""];
    let server = Process::start_by(&small_files, DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    let mut acknowledged = 1;
    let refused = loop {
        let response = server.stranger().post("/sign-up/email").json(newcomer(acknowledged)).await;
        if response.status != 200 {
            break response;
        }
        acknowledged += 1;
        assert!(acknowledged < 5_000, "the disk does not get full");
    };
    assert!(refused.refused(503, "SERVICE_UNAVAILABLE").retry_after() >= 1);
    assert_eq!(accounts(&server), acknowledged);
    user.browser.get("/get-session").await.ok().text("/user/id");

    let lifted = Command::new("prlimit").args(["--pid", &server.id().to_string(), "--fsize=unlimited:"]).status();
    assert!(lifted.unwrap().success());
    for number in 0..5 {
        server.stranger().post("/sign-up/email").json(newcomer(acknowledged + number)).await.ok();
    }
    assert_eq!(accounts(&server), acknowledged + 5);
}

/// SQLite ends a transaction by itself when it cannot write, and what undoes it then fails, too. The first error is the one that
/// says what to do. A file that says so itself has SQLite keep few pages in memory, so that it writes within the migrations.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_on_a_full_disk_says_so_and_the_next_one_is_well() {
    let directory = tempdir().unwrap();
    let data = directory.path().join("data");
    let file = Database::make(DatabaseKind::Sqlite, &data).file().unwrap().to_owned();
    std::fs::create_dir_all(&data).unwrap();
    let mut prepared = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    prepared.batch_execute("PRAGMA default_cache_size = 2; CREATE TABLE x (a); DROP TABLE x").unwrap();
    drop(prepared);
    let keys = countersign::random::system().draw(Keyring::generate).to_text().to_string();
    let settings = [
        ("COUNTERSIGN_LISTEN", "127.0.0.1:0"),
        ("COUNTERSIGN_DATA_DIR", data.to_str().unwrap()),
        ("COUNTERSIGN_KEYS", &keys),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    // In blocks of 512 bytes: at the first pages, and further on.
    for limit in [2, 16, 60, 200, 600] {
        let script = format!("ulimit -S -f {limit}; trap '' XFSZ; exec \"$0\"");
        let mut program = command("sh", &settings);
        let started = program.args(["-c", &script, env!("CARGO_BIN_EXE_countersign")]).output().unwrap();
        let message = String::from_utf8_lossy(&started.stderr);
        assert!(!started.status.success(), "{limit}: {message}");
        assert!(message.contains("disk I/O error") || message.contains("disk is full"), "{limit}: {message}");
        for later in ["outside of a transaction", "no such savepoint", "no transaction is active"] {
            assert!(!message.contains(later), "{limit}: {message}");
        }
    }
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &[("COUNTERSIGN_KEYS", &keys)]);
    server.user("ada").await.browser.get("/get-session").await.ok().text("/user/id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_for_temporary_files_that_is_not_there_is_not_missed() {
    let directory = tempdir().unwrap();
    let nowhere = directory.path().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    let variables = [("TMPDIR", nowhere), ("SQLITE_TMPDIR", nowhere)];
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &variables);
    let user = server.user("ada").await;
    assert!(server.terminate());
    server.restart();
    user.browser.get("/get-session").await.ok().text("/user/id");
}

/// SQLite looks for a directory for temporary files, which a container with a read-only file system does not have. Making a
/// file changes the directory, also if it is removed at once.
#[tokio::test(flavor = "multi_thread")]
async fn no_temporary_file_is_made_at_the_first_start_or_later() {
    let (directory, temporary) = (tempdir().unwrap(), tempdir().unwrap());
    let changed = || std::fs::metadata(temporary.path()).unwrap().modified().unwrap();
    let before = changed();
    let variables = [("SQLITE_TMPDIR", temporary.path().to_str().unwrap())];
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &variables);
    let user = server.user("ada").await;
    user.browser.post("/sign-out").await.ok();
    assert_eq!(changed(), before);
}
