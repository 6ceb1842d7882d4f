//! Upgrades from the newest released version: its tables and users, beside its nodes (`countersign_test_postgres::released`), and what
//! becomes of a node that is older than the tables. The store's tests show the migrations themselves.

use crate::harness::database::Database;
use crate::harness::{PASSWORD, Process};
use countersign::clock::{Clock as _, SystemClock};
use countersign_domain::totp::TotpSecret;
use countersign_test_postgres::released;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::tempdir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");

fn now() -> i64 {
    SystemClock.now().as_millis()
}

/// A transaction of the released version, again after a deadlock, as it does itself.
fn transact(database: &Database, kind: DatabaseKind, transaction: &[released::Statement]) {
    let script: String = transaction.iter().map(|statement| statement.text(kind) + ";\n").collect();
    let Database::Postgres(server) = database else {
        return database.execute(&format!("BEGIN IMMEDIATE; {script} COMMIT"));
    };
    for _ in 0..10 {
        match server.query(&script) {
            Ok(_) => return,
            Err(error) => {
                let text = countersign_domain::error_chain(&error);
                assert!(text.contains("deadlock detected"), "{text}: {script}");
            }
        }
    }
    panic!("ten deadlocks in a row: {script}");
}

/// The data directory of a node with the keyring of the recording.
fn prepare(directory: &Path, held: &Value) {
    let data = directory.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let keyring = data.join("keyring");
    std::fs::write(&keyring, held["keyring"].as_str().unwrap()).unwrap();
    std::fs::set_permissions(&keyring, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[on_each_database]
async fn nodes_that_start_at_once_beside_a_released_one_serve_its_users(kind: DatabaseKind) {
    let held = released::held();
    let directories = [tempdir().unwrap(), tempdir().unwrap()];
    directories.iter().for_each(|directory| prepare(directory.path(), &held));
    let database = Database::make(kind, &directories[0].path().join("data"));
    if database.file().is_some() {
        // The released version left its file in this mode.
        database.execute("PRAGMA journal_mode = WAL");
    }
    database.execute(released::tables(kind));
    for transaction in released::journey(0, now()) {
        transact(&database, kind, &transaction);
    }

    // A node of the released version goes on.
    let (stop, journeys) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let old_node = thread::spawn({
        let (database, stop, journeys) = (database.clone(), Arc::clone(&stop), Arc::clone(&journeys));
        move || {
            while !stop.load(Ordering::SeqCst) {
                let number = journeys.load(Ordering::SeqCst) + 1;
                released::journey(number, now()).iter().for_each(|transaction| transact(&database, kind, transaction));
                journeys.store(number, Ordering::SeqCst);
            }
        }
    });
    // An embedded database is one node's.
    let count = if matches!(kind, DatabaseKind::Sqlite) { 1 } else { 2 };
    let nodes: Vec<Process> = thread::scope(|scope| {
        let starting: Vec<_> = directories[..count]
            .iter()
            .map(|directory| scope.spawn(|| Process::sharing(&database, directory.path(), &[])))
            .collect();
        starting.into_iter().map(|node| node.join().unwrap()).collect()
    });
    let begun = journeys.load(Ordering::SeqCst);
    for _ in 0..600 {
        if old_node.is_finished() || journeys.load(Ordering::SeqCst) >= begun + 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(journeys.load(Ordering::SeqCst) >= begun + 2, "the released version goes on beside new nodes");

    // What a user of the released version has is good on each new node.
    let secret = TotpSecret::from_base32(held["totp_secret"].as_str().unwrap()).unwrap();
    let ada = json!({"email": "ada@example.com", "password": PASSWORD});
    assert_eq!(held["password"], PASSWORD);
    for node in &nodes {
        let session = node.bearer(held["session"].as_str().unwrap()).get("/get-session").await.ok();
        let id = session.text("/user/id").replace('-', "");
        assert_eq!(id, held["account_id"].as_str().unwrap(), "the session");
        let service = crate::harness::Service::new(node, held["service_key"].as_str().unwrap(), None);
        service.get("/user?email=bob@example.com").await.ok();
        // What the old node has written since the migrations.
        let email = format!("n{}ada@example.com", begun + 2);
        let body = json!({"email": email, "password": PASSWORD});
        let signed_in = node.browser().post("/sign-in/email").json(body).await.ok();
        assert_eq!(signed_in.body["twoFactorRedirect"], true, "{signed_in}");
    }
    let (first, last) = (&nodes[0], nodes.last().unwrap());
    let browser = first.browser();
    browser.post("/sign-in/email").json(ada.clone()).await.ok();
    let code = secret.code_at(SystemClock.now() + Duration::from_secs(30));
    browser.post("/two-factor/verify-totp").json(json!({"code": code})).await.ok();
    let browser = last.browser();
    browser.post("/sign-in/email").json(ada).await.ok();
    let code = json!({"code": held["backup_code"]});
    browser.post("/two-factor/verify-backup-code").json(code).await.ok();
    let refresh = json!({"refreshToken": held["refresh_token"]});
    let service = crate::harness::Service::new(last, held["service_key"].as_str().unwrap(), None);
    service.open("/jwt/refresh", refresh).await.ok();

    stop.store(true, Ordering::SeqCst);
    old_node.join().unwrap();
    for node in &nodes {
        assert!(!node.log().contains("ERROR"), "{}", node.log());
    }
}

/// The tables were migrated by a version that took something away.
#[on_each_database]
async fn a_node_that_is_older_than_the_tables_refuses_them_in_words(kind: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut node = Process::start(kind, directory.path(), &[]);
    node.database().execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000009998')");
    assert!(node.terminate());
    // One that only added something is no reason.
    node.restart();
    assert!(node.terminate());
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000009999needs00000000009998')";
    node.database().execute(newer);
    let expected = "the database's tables are those of a newer version: after migration 00000000009999 they are for versions that know \
                    migration 00000000009998, and this one knows 0000000000";
    for (arguments, status) in [
        (&["serve"][..], 1),
        (&["serve", "--no-migrate"], 1),
        (&["migrate"], 1),
        (&["user", "list"], 1),
        (&["check-config"], 2),
    ] {
        let output = node.beside(PROGRAM).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(text.contains(expected) && text.contains("Install the version"), "{arguments:?}: {text}");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
    }
}
