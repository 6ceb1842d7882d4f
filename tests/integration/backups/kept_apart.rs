//! What a backup needs besides, and where it must not lie.

use super::{names, program, run, taken};
use crate::harness::Process;
use countersign_domain::backup::HEAD_BYTES;
use countersign_test_postgres::DatabaseKind;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::tempdir;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_one_file_of_its_owner_without_keys_and_says_what_else_is_needed() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    user.enrol().await;
    let file = elsewhere.path().join("countersign.backup");
    let printed = run(&server, "backup", &file, &[]).ok();
    let keyring = server.data().join("keyring");
    for part in ["Wrote and checked", "No keys are in it", keyring.to_str().unwrap()] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(!printed.contains("WARNING"), "{printed}");
    assert_eq!(names(elsewhere.path()), ["countersign.backup"], "nothing unfinished is left");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let checked = run(&server, "backup", &file, &["--check"]).ok();
    assert!(checked.contains("is complete and as it was written"), "{checked}");
    // The head is plain text.
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"countersign-backup 1\n{\"program\":"));
    let keys = std::fs::read_to_string(&keyring).unwrap();
    let key = keys.lines().rfind(|line| !line.starts_with('#')).and_then(|line| line.split(' ').nth(1)).unwrap();
    let mut database = Vec::new();
    flate2::read::GzDecoder::new(&bytes[HEAD_BYTES..]).read_to_end(&mut database).unwrap();
    assert!(database.starts_with(b"SQLite format 3"));
    for part in [&bytes[..HEAD_BYTES], &database] {
        assert!(!part.windows(key.len()).any(|window| window == key.as_bytes()));
    }

    // Beside the keyring it is written all the same, with a warning.
    let beside = server.data().join("countersign.backup");
    let printed = run(&server, "backup", &beside, &[]).ok();
    assert!(printed.contains("WARNING: the keyring") && printed.contains("is in the same directory"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_replaces_nothing_but_a_backup_and_only_when_asked() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let file = taken(&server, elsewhere.path());
    let first = std::fs::read(&file).unwrap();
    run(&server, "backup", &file, &[]).refused(2, "is there already, and was not changed: --force replaces a backup");
    assert_eq!(std::fs::read(&file).unwrap(), first);
    server.user("ada").await;
    run(&server, "backup", &file, &["--force"]).ok();
    assert_ne!(std::fs::read(&file).unwrap(), first);

    let (database, keyring) = (server.data().join("countersign.db"), server.data().join("keyring"));
    for precious in [&database, &keyring] {
        run(&server, "backup", precious, &["--force"]).refused(2, "is no backup, and was not changed");
    }
    let nowhere = elsewhere.path().join("nowhere/countersign.backup");
    run(&server, "backup", &nowhere, &[]).refused(2, "nowhere: create it first");
    run(&server, "backup", elsewhere.path(), &[]).refused(2, "is there already");
    run(&server, "backup", &file, &["--check", "--force"]).refused(2, "cannot be used with");
    let empty = elsewhere.path().join("empty");
    let mut other = program(&server);
    other.env("COUNTERSIGN_DATABASE_URL", format!("sqlite:{}", empty.join("none.db").display()));
    let ran: super::Ran = other.arg("backup").arg(elsewhere.path().join("b")).output().unwrap().into();
    ran.refused(2, "there is no database at");
    assert!(!empty.exists());
    assert_eq!(names(elsewhere.path()), ["countersign.backup"]);
    server.stranger().get("/ok").await.ok();
}

/// What a command that was killed has left is removed by the next one, and two at once do not meet.
#[tokio::test(flavor = "multi_thread")]
async fn unfinished_files_of_a_command_that_was_killed_are_removed() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let unfinished = elsewhere.path().join("countersign.backup.unfinished");
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::set_permissions(&unfinished, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(unfinished.join("database"), "left").unwrap();
    let busy = std::fs::File::open(&unfinished).unwrap();
    busy.lock().unwrap();
    let file = elsewhere.path().join("countersign.backup");
    run(&server, "backup", &file, &[]).refused(1, "another command writes");
    drop(busy);
    taken(&server, elsewhere.path());
    assert_eq!(names(elsewhere.path()), ["countersign.backup"]);
}
