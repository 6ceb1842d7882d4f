//! What is stored about a user: handed out in whole, and deleted in whole.

use super::{run, run_with};
use crate::harness::authenticator::{ORIGIN, RP_ID};
use crate::harness::{Authenticator, PASSWORD, Process};
use crate::limits::{id_of, wrong_codes};
use crate::passkeys::{REGISTER_OPTIONS, register};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;

/// Each table that names an account, and where an export has its rows.
const TABLES: [(&str, &str); 18] = [
    ("audit_events", "auditEvents"),
    ("backup_codes", "recoveryCodes"),
    ("budgets", "limits"),
    ("challenges", "challenges"),
    ("former_addresses", "formerAddresses"),
    ("known_networks", "knownNetworks"),
    ("mailed_codes", "sentCodes"),
    ("messages", "messages"),
    ("methods", "methods"),
    ("passkey_ceremonies", "passkeyCeremonies"),
    ("passkeys", "passkeys"),
    ("refresh_tokens", "refreshTokens"),
    ("registrations", "registrations"),
    ("sessions", "sessions"),
    ("spent_steps", "usedCodes"),
    ("tickets", "tickets"),
    ("trusted_devices", "trustedDevices"),
    ("webhook_events", "webhookEvents"),
];

/// The tables that have a column `account_id`, with commas between them; without one that earlier versions have left behind, which
/// nothing writes or reads.
fn tables_of_accounts(server: &Process) -> String {
    server.database().text(match server.database().file() {
        Some(_) => {
            "SELECT group_concat(name, ',') AS text FROM (SELECT m.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
             WHERE m.type = 'table' AND c.name = 'account_id' AND m.name <> 'username_conflicts' ORDER BY m.name)"
        }
        None => {
            "SELECT string_agg(table_name, ',' ORDER BY table_name) AS text FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'account_id' AND table_name <> 'username_conflicts'"
        }
    })
}

#[on_each_database]
async fn an_export_has_everything_that_is_stored_and_no_secret_and_deletion_leaves_the_trail(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    // Nothing listens on that port.
    let webhooks = r#"[{"name": "crm", "url": "http://127.0.0.1:1/", "secret": "0123456789abcdef0123456789abcdef", "allow_private_addresses": true}]"#;
    let environment = [
        ("COUNTERSIGN_NOTICES", "on"),
        ("COUNTERSIGN_WEBHOOKS", webhooks),
        ("COUNTERSIGN_PASSKEYS_RP_ID", RP_ID),
        ("COUNTERSIGN_PASSKEYS_ORIGINS", ORIGIN),
    ];
    let server = Process::start(database, directory.path(), &environment);
    assert_eq!(tables_of_accounts(&server), TABLES.map(|(table, _)| table).join(","), "a table is not in the export");
    let service = server.service();
    let mut user = server.user("ada").await;
    let app = user.enrol().await;
    register(&user.browser, &mut Authenticator::new()).await.ok();
    // A proved address that is changed is kept for a while.
    server.stranger().post("/send-verification-email").json(json!({"email": user.email})).await.ok();
    let link = server.link_for(&user.email, 1).await;
    server.stranger().call("GET", link.split('&').next().unwrap()).await.ok();
    user.email = "moved@example.com".to_owned();
    user.browser.post("/change-email").json(json!({"newEmail": user.email})).await.ok();
    let link = server.link_for(&user.email, 1).await;
    server.stranger().call("GET", link.split('&').next().unwrap()).await.ok();
    let trusted = user.challenged().await;
    let trust = json!({"code": app.backup_codes[0], "trustDevice": true});
    let passed = trusted.post("/two-factor/verify-backup-code").json(trust).await.ok();
    wrong_codes(&user, &app, 2).await;
    let challenged = user.challenged().await;
    challenged.post("/two-factor/send-otp").await.ok();
    let registration = json!({"registration": {"applicationId": crate::harness::service::APPLICATION}});
    let id = id_of(&service, &user.email).await;
    service.post(&format!("/user/registration/{id}"), registration).await.ok();
    let log_in =
        json!({"loginId": user.email, "password": PASSWORD, "applicationId": crate::harness::service::APPLICATION});
    let id = service.post("/login", log_in).await.is(242).text("/twoFactorId");
    let logged_in = service.complete(&id, &app.code_in(1)).await.ok();
    let code = server.last_code_for(&user.email);
    server.stranger().post("/request-password-reset").json(json!({"email": user.email})).await.ok();
    user.browser.get(REGISTER_OPTIONS).await.ok();

    let exported = run(&server, &["user", "export", &user.email]).ok();
    let export: Value = serde_json::from_str(&exported).unwrap();
    let sections: BTreeSet<_> = export.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(sections, TABLES.iter().map(|(_, section)| *section).chain(["account"]).collect());
    assert_eq!(export["account"]["email"], "moved@example.com");
    assert_eq!(export["registrations"][0]["applicationId"].as_str().map(str::len), Some(36));
    assert!(export["account"]["createdAt"].as_str().unwrap().starts_with("20"), "{export}");
    for (table, section) in TABLES {
        // Ids are stored without hyphens, like Better Auth's.
        let count = format!("SELECT count(*) AS number FROM {table} WHERE account_id = '{}'", user.id);
        let rows = export[section].as_array().unwrap().len();
        assert_eq!(i64::try_from(rows).unwrap(), server.database().number(&count), "{table}");
    }
    // A used code is remembered apart from its app only when the app is gone.
    let empty = ["usedCodes"];
    for (_, section) in TABLES.iter().filter(|(_, section)| !empty.contains(section)) {
        assert_ne!(export[section], json!([]), "{section}");
    }
    // The export contains no usable secret.
    let hash = format!("SELECT password_hash AS text FROM accounts WHERE id = '{}'", user.id);
    let secrets = [
        server.database().text(&hash),
        app.base32.clone(),
        app.backup_codes[1].clone(),
        passed.text("/token"),
        logged_in.text("/token"),
        code,
    ];
    for secret in &secrets {
        assert!(!exported.contains(secret.as_str()), "{secret} is in {exported}");
    }
    for word in ["argon2", "digest", "sealed", "hash"] {
        assert!(!exported.contains(word), "{word} is in {exported}");
    }
    let file = directory.path().join("ada.json");
    let path = file.to_str().unwrap();
    assert_eq!(run(&server, &["user", "export", &user.email, "--output", path]).ok(), "");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(again["account"]["id"], export["account"]["id"]);
    run(&server, &["user", "export", &user.email, "--output", path]).refused("failed to create");

    let deleted = run(&server, &["user", "delete", "--yes", &user.email]).ok();
    assert!(deleted.starts_with("Deleted moved@example.com"), "{deleted}");
    // Receivers of webhooks learn of the deletion, and of what was before.
    let stays = ["audit_events", "webhook_events"];
    for (table, _) in TABLES.iter().filter(|(table, _)| !stays.contains(table)) {
        let count = format!("SELECT count(*) AS number FROM {table} WHERE account_id = '{}'", user.id);
        assert_eq!(server.database().number(&count), 0, "{table}");
    }
    run(&server, &["user", "show", &user.id]).refused("there is no user");
    // Nor is a user whose name looks like that id.
    run_with(&server, &["user", "create", "--username", &user.id], PASSWORD).ok();
    run(&server, &["user", "show", &user.id]).refused("there is no user with the id");
    let trail = run(&server, &["audit", "query", "--account", &user.id, "--limit", "1"]).lines();
    assert_eq!((&trail[0]["kind"], &trail[0]["actor"]["name"]), (&json!("account-deleted"), &json!("cli:ada")));
}
