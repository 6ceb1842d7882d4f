//! The ways that the README names for PostgreSQL: a dump of a server that serves, restored into a new database; and back to a moment, by
//! a copy of the cluster and its archived log.

use super::{Ran, program, run};
use crate::harness::database::Database;
use crate::harness::{PASSWORD, Process};
use countersign_test_postgres::{Cluster, DatabaseKind, Mode, needs_postgres};
use serde_json::json;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::tempdir;

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_postgresql_is_restored_and_signs_in_with_a_second_factor() {
    let (Some(pg_dump), Some(pg_restore)) =
        (countersign_test_postgres::program("pg_dump"), countersign_test_postgres::program("pg_restore"))
    else {
        return;
    };
    let (directory, other) = (tempdir().unwrap(), tempdir().unwrap());
    let server = Process::start(DatabaseKind::Postgres, directory.path(), &[]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let keys = std::fs::read_to_string(server.data().join("keyring")).unwrap();
    // For the embedded database only; what to do instead is said.
    let file = directory.path().join("countersign.backup");
    for command in ["backup", "restore"] {
        run(&server, command, &file, &[]).refused(2, "`pg_dump --format=custom` and `pg_restore`");
    }

    let dump = directory.path().join("countersign.dump");
    let (Database::Postgres(from), into) = (server.database(), Database::on_shared_cluster()) else { unreachable!() };
    succeeds(Command::new(pg_dump).arg("--format=custom").arg("--file").arg(&dump).arg(from.direct_url()));
    server.user("late").await;
    let Database::Postgres(restored) = &into else { unreachable!() };
    let url = restored.direct_url();
    succeeds(Command::new(pg_restore).args(["--no-owner", "--exit-on-error", "--dbname"]).arg(url).arg(&dump));
    let ended: Ran = {
        let mut command = program(&server);
        command.env("COUNTERSIGN_DATABASE_URL", into.url()).args(["end-grants", "--yes"]);
        command.output().unwrap().into()
    };
    assert!(ended.ok().starts_with("Ended for 1 users: "));

    let restored = Process::sharing(&into, other.path(), &[("COUNTERSIGN_KEYS", &keys)]);
    assert_eq!(into.number("SELECT count(*) AS number FROM accounts"), 1);
    assert_eq!(into.number("SELECT count(*) AS number FROM sessions"), 0);
    let browser = restored.browser();
    let body = json!({"email": user.email, "password": PASSWORD});
    assert_eq!(browser.post("/sign-in/email").json(body).await.ok().body["twoFactorRedirect"], true);
    let code = json!({"code": app.backup_codes[0]});
    browser.post("/two-factor/verify-backup-code").json(code).await.ok();
    assert!(browser.get("/get-session").await.ok().body.is_object());
}

/// Waits until the server has archived all that it has written so far.
async fn archived(server: &countersign_test_postgres::Database) {
    let name = "SELECT pg_walfile_name(pg_switch_wal())";
    let segment = server.query(name).unwrap().remove(0).remove(0).unwrap();
    for _ in 0..400 {
        let last = server.query("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver").unwrap();
        if last[0][0].as_deref() >= Some(segment.as_str()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{segment} is not archived: {:?}", server.query("SELECT * FROM pg_stat_archiver"));
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_goes_back_to_a_moment_by_its_archived_log() {
    let archive = "mkdir -p ../archive && cp %p ../archive/%f";
    let Some(cluster) = Cluster::own(&[("archive_mode", "on"), ("archive_command", archive)], &[]) else { return };
    let database = Database::on(&cluster);
    let (directory, other) = (tempdir().unwrap(), tempdir().unwrap());
    let mut server = Process::sharing(&database, directory.path(), &[]);
    let user = server.user("ada").await;
    let app = user.enrol().await;
    let copy = cluster.base_backup();
    // After the copy, and before the moment.
    server.user("bob").await;
    let Database::Postgres(from) = &database else { unreachable!() };
    let moment = from.query("SELECT clock_timestamp()").unwrap().remove(0).remove(0).unwrap();
    server.user("late").await;
    archived(from).await;
    let keys = std::fs::read_to_string(server.data().join("keyring")).unwrap();
    assert!(server.terminate());
    cluster.stop(Mode::Immediate);

    let (_recovered, into) = cluster.recover(&copy, &moment, from);
    let into = Database::Postgres(Arc::new(into));
    let emails = "SELECT count(*) AS number FROM accounts WHERE email LIKE";
    assert_eq!(into.number(&format!("{emails} 'ada%' OR email LIKE 'bob%'")), 2);
    assert_eq!(into.number(&format!("{emails} 'late%'")), 0, "it was made after the moment");
    assert!(into.number("SELECT count(*) AS number FROM sessions") > 0, "they would be good again");
    let ended: Ran = {
        let mut command = program(&server);
        command.env("COUNTERSIGN_DATABASE_URL", into.url()).args(["end-grants", "--yes"]);
        command.output().unwrap().into()
    };
    assert!(ended.ok().starts_with("Ended for 2 users: "));
    let restored = Process::sharing(&into, other.path(), &[("COUNTERSIGN_KEYS", &keys)]);
    assert_eq!(into.number("SELECT count(*) AS number FROM sessions"), 0);
    let browser = restored.browser();
    let body = json!({"email": user.email, "password": PASSWORD});
    assert_eq!(browser.post("/sign-in/email").json(body).await.ok().body["twoFactorRedirect"], true);
    let code = json!({"code": app.backup_codes[0]});
    browser.post("/two-factor/verify-backup-code").json(code).await.ok();
    let verified = program(&restored).args(["audit", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
