//! What is not restored: each is refused with its reason, and the database stays as it was.

use super::{Ran, names, program, run, taken};
use crate::harness::Process;
use countersign_domain::backup::{HEAD_BYTES, Head};
use countersign_domain::keyring::Keyring;
use countersign_test_postgres::DatabaseKind;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use std::path::Path;
use tempfile::tempdir;

fn restore(server: &Process, file: &Path) -> Ran {
    run(server, "restore", file, &["--yes"])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_backup_of_this_keyring_is_refused_and_nothing_changes() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    user.enrol().await;
    let file = taken(&server, elsewhere.path());
    server.user("since").await;
    let keyring = Keyring::parse(&std::fs::read_to_string(server.data().join("keyring")).unwrap()).unwrap();
    assert!(server.terminate());
    let before = (names(&server.data()), std::fs::read(server.data().join("countersign.db")).unwrap());

    let bytes = std::fs::read(&file).unwrap();
    let other = elsewhere.path().join("other");
    let put = |content: &[u8]| std::fs::write(&other, content).unwrap();
    for length in [1, 20, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, bytes.len() / 2, bytes.len() - 1] {
        put(&bytes[..length]);
        restore(&server, &other).refused(1, "it is incomplete");
        run(&server, "backup", &other, &["--check"]).refused(1, "it is incomplete");
    }
    // Each byte in unit tests; here some of each part, through the program.
    let step = (bytes.len() - HEAD_BYTES) / 12;
    for position in (22..HEAD_BYTES).step_by(101).chain((HEAD_BYTES..bytes.len()).step_by(step)) {
        let mut altered = bytes.clone();
        altered[position] ^= 0x10;
        put(&altered);
        restore(&server, &other).refused(1, "altered");
    }
    put(&[&bytes[..], b"more"].concat());
    restore(&server, &other).refused(1, "something was appended to it");
    for content in [&b""[..], b"SQLite format 3\0 and what follows", &[0; 5_000]] {
        put(content);
        restore(&server, &other).refused(1, "it is not a backup that `countersign backup` has written");
    }
    put(&[b"countersign-backup 2\n", &bytes[21..]].concat());
    restore(&server, &other).refused(1, "it is a backup of the form 2, which this program does not know");
    restore(&server, &elsewhere.path().join("none")).refused(1, "failed to read the backup");
    restore(&server, elsewhere.path()).refused(2, "is not a file");
    // As a later version writes it.
    let mut head = Head::open(&bytes[..HEAD_BYTES], &keyring).unwrap();
    head.newest_migration = "00000000009999".to_owned();
    put(&[&head.seal(&keyring), &bytes[HEAD_BYTES..]].concat());
    restore(&server, &other).refused(1, "its tables are newer than this program: it has the migration 00000000009999");
    // Another keyring, whose key may have the same id.
    let new = countersign::random::system().draw(Keyring::generate);
    for (keys, reason) in [
        (new.to_text().to_string(), "it belongs to a database with another keyring"),
        (new.to_text().replace(&new.active_id(), &keyring.active_id()), "is another one than the key of that id"),
    ] {
        let mut command = program(&server);
        let ran: Ran =
            command.env("COUNTERSIGN_KEYS", keys).arg("restore").arg(&file).arg("--yes").output().unwrap().into();
        ran.refused(1, reason);
    }
    run(&server, "restore", &file, &[]).refused(2, "there is no terminal to ask on; --yes confirms");
    let without =
        |names: &[String]| names.iter().filter(|name| *name != "countersign.db-lock").cloned().collect::<Vec<_>>();
    let after = (names(&server.data()), std::fs::read(server.data().join("countersign.db")).unwrap());
    assert_eq!((without(&after.0), after.1 == before.1), (without(&before.0), true));
    server.restart();
    assert_eq!(server.database().number("SELECT count(*) AS number FROM accounts"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_a_server_has_open_is_not_replaced() {
    let (directory, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    let file = taken(&server, elsewhere.path());
    restore(&server, &file).refused(1, "is in use: stop the server, and other commands on it, first");
    user.browser.get("/get-session").await.ok();
    user.signed_in().await;
    assert!(server.terminate());

    // A server of a version that does not know of the lock.
    let database = server.data().join("countersign.db");
    let mut old = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    old.batch_execute("SELECT count(*) FROM accounts").unwrap();
    restore(&server, &file).refused(1, "is in use: stop the server, and other commands on it, first");
    drop(old);
    // And the other way round: nothing opens a database that is being replaced.
    let lock = std::fs::File::open(server.data().join("countersign.db-lock")).unwrap();
    lock.lock().unwrap();
    let ran: Ran = program(&server).arg("stats").output().unwrap().into();
    ran.refused(1, "is being restored by another process: wait until that has ended");
    let ran: Ran = program(&server).output().unwrap().into();
    ran.refused(1, "is being restored by another process");
    drop(lock);
    restore(&server, &file).ok();
    server.restart();
    user.signed_in().await;
}
