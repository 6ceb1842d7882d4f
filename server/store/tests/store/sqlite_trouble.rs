//! SQLite that fails: a file that somebody else has locked, a disk that is full.

use crate::users::{NOON, User};
use crate::world::{Behind, World};
use countersign_store::work::AccountWritten;
use countersign_store::{Database, Options, Store};
use countersign_test_postgres::DatabaseKind;
use diesel::connection::SimpleConnection as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn a_file_that_somebody_else_has_locked_is_an_outage_within_the_timeout() {
    let world = World::start(DatabaseKind::Sqlite).await;
    let user = User::signed_up(&world).await;
    let options = Options { timeout: Duration::from_millis(300), ..world.options.clone() };
    let store = Store::open(&options).await.unwrap();
    let mut neighbour = world.behind.connect();
    neighbour.batch_execute("BEGIN IMMEDIATE; DELETE FROM sessions").unwrap();

    let begun = Instant::now();
    let error = store.create_account(User::new().sign_up()).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(store.session_by_token((user.session.token, NOON)).await.unwrap().is_some(), "reading goes on");

    neighbour.batch_execute("ROLLBACK").unwrap();
    assert_eq!(world.count("accounts"), 1, "nothing of it happened, then or later");
    assert_eq!(store.create_account(User::new().sign_up()).await.unwrap(), AccountWritten::Done);
}

/// Files cannot grow beyond some size in this process: to SQLite that is a full disk.
const LIMITED: &str = "COUNTERSIGN_TEST_LIMITED";

#[test]
fn a_full_disk_is_an_outage_and_nothing_is_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    // dash counts 512 bytes, bash 1,024; either is more than the tables need.
    let script = "ulimit -f 1000; trap '' XFSZ; exec \"$0\" --exact sqlite_trouble::in_a_process_with_a_full_disk";
    let mut child = Command::new("sh");
    child.args(["-c", script]).arg(std::env::current_exe().unwrap()).env(LIMITED, &path);
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    // With room again everything that was acknowledged is there, and it goes on.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&Options::new(Database::Sqlite(path.clone()))).await.unwrap();
        assert_eq!(store.create_account(User::new().sign_up()).await.unwrap(), AccountWritten::Done);
    });
}

#[tokio::test]
async fn in_a_process_with_a_full_disk() {
    let Some(path) = std::env::var_os(LIMITED) else { return };
    let behind = Behind::File { path: Path::new(&path).to_owned(), _folder: tempfile::tempdir().unwrap() };
    let world = World::of(behind).await;
    let mut acknowledged = 0;
    let error = loop {
        match world.store.create_account(User::new().sign_up()).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 100_000, "the disk does not get full");
    };
    assert!(error.is_unavailable(), "{error:?}");
    for _ in 0..5 {
        match world.store.create_account(User::new().sign_up()).await {
            Ok(_) => acknowledged += 1,
            Err(error) => assert!(error.is_unavailable(), "{error:?}"),
        }
    }
    world.store.ping(()).await.unwrap();
    assert!(acknowledged > 10);
    for table in ["accounts", "sessions", "audit_events"] {
        assert_eq!(world.count(table), acknowledged, "{table}");
    }
}
