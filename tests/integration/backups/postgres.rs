//! The way that the README names for PostgreSQL: a dump of a server that serves, restored into a new database.

use super::{Ran, program, run};
use crate::harness::database::Database;
use crate::harness::{PASSWORD, Process};
use countersign_test_postgres::{DatabaseKind, needs_postgres};
use serde_json::json;
use std::process::Command;
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
    succeeds(Command::new(pg_dump).arg("--format=custom").arg("--file").arg(&dump).arg(from.url()));
    server.user("late").await;
    succeeds(Command::new(pg_restore).args(["--no-owner", "--exit-on-error", "--dbname"]).arg(into.url()).arg(&dump));
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
