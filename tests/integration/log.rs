//! The log of a running server: what it says, and that it can be changed while the server runs.

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, Process};
use crate::limits::{id_of, wrong_codes};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::tempdir;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn lines(server: &Process) -> Vec<Value> {
    server
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// What happened is found from a line of the log in the audit trail, and from either in the traces of the client.
#[on_each_database]
async fn a_request_has_one_id_in_log_and_audit_trail_and_the_trace_of_its_client(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut server = Process::start(database, directory.path(), &[("COUNTERSIGN_LOG_FORMAT", "json")]);
    let user = server.user("ada").await;
    let body = json!({"email": user.email, "password": "wrong"});
    let sign_in = || server.stranger().post("/sign-in/email").json(body.clone());
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    sign_in().header("traceparent", &parent).await.is(401);
    sign_in().header("traceparent", "00-nonsense-b7ad6b7169203331-01").await.is(401);
    assert!(server.terminate());
    let lines = lines(&server);
    let traced: Vec<_> = lines.iter().filter(|line| line["trace_id"].is_string()).collect();
    assert_eq!(traced.len(), 1, "{lines:#?}");
    assert_eq!((&traced[0]["trace_id"], &traced[0]["status"]), (&json!(TRACE), &json!(401)));
    let row = |column: &str, filter: &str| {
        let query = format!("SELECT {column} AS text FROM audit_events WHERE kind = 'password-rejected' AND {filter}");
        server.database().text(&query)
    };
    assert_eq!(row("request_id", &format!("trace_id = '{TRACE}'")), traced[0]["request_id"].as_str().unwrap());
    let other = row("request_id", "trace_id IS NULL");
    assert_eq!(lines.iter().filter(|line| line["request_id"] == other.as_str()).count(), 1);
}

#[on_each_database]
async fn locks_and_the_use_of_keys_are_lines(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut server = Process::start(database, directory.path(), &[("COUNTERSIGN_LOG_FORMAT", "json")]);
    let service = server.service();
    let user = server.user("ada").await;
    let app = user.enrol().await;
    wrong_codes(&user, &app, 10).await;
    let id = id_of(&service, &user.email).await;
    service.call("DELETE", &format!("/user/lock/{id}")).await.ok();
    // A key that is used where it opens nothing can be told from the log, too.
    let probe = server.stranger().with_header("authorization", &format!("Bearer {}", service.key));
    probe.call("GET", "/admin/users").await.is(403);
    assert!(server.terminate());
    let lines = lines(&server);
    let found = |message: &str| -> Vec<&Value> {
        lines.iter().filter(|line| line["msg"].as_str().is_some_and(|text| text.starts_with(message))).collect()
    };
    let (locked, unlocked) = (found("locked an account"), found("unlocked an account"));
    assert_eq!((locked.len(), unlocked.len()), (1, 1), "{lines:#?}");
    assert_eq!((&locked[0]["level"], &locked[0]["dialect"]), (&json!("INFO"), &json!("better-auth")));
    assert_eq!((&locked[0]["account"], &unlocked[0]["account"]), (&json!(id), &json!(id)));
    assert!(locked[0]["client"].is_string() && unlocked[0]["api_key"].is_string());
    // The request that did it, in its own line with the same id.
    let request = lines.iter().find(|line| line["request_id"] == unlocked[0]["request_id"] && line["status"] == 200);
    let request = request.unwrap_or_else(|| panic!("{lines:#?}"));
    assert_eq!((&request["api_key"], &request["account"]), (&unlocked[0]["api_key"], &json!(id)));
    let probed = lines.iter().find(|line| line["status"] == 403).unwrap_or_else(|| panic!("{lines:#?}"));
    assert_eq!(probed["api_key"], unlocked[0]["api_key"]);
    assert!(!server.log().contains(&service.key));
}

/// The account is in the line once the request is proven to be for it, and not before: a request that only names a user has none.
#[on_each_database]
async fn the_account_of_a_request_is_in_its_line(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut server = Process::start(database, directory.path(), &[("COUNTERSIGN_LOG_FORMAT", "json")]);
    let service = server.service();
    let user = server.user("ada").await;
    user.browser.get("/get-session").await.ok();
    user.sign_in_from(&server.browser()).await.ok();
    let wrong = json!({"email": user.email, "password": "wrong"});
    server.stranger().post("/sign-in/email").json(wrong.clone()).await.is(401);
    let id = id_of(&service, &user.email).await;
    let login = json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION});
    let token = service.post("/login", login).await.is(202).text("/token");
    service.with_token(&token, "GET", "/user").await.ok();
    service.get(&format!("/user/{id}")).await.ok();
    service.get(&format!("/user?loginId={}", user.email)).await.ok();
    service.get("/user/01000000-0000-4000-8000-000000000000").await.is(404);
    assert!(server.terminate());
    let lines = lines(&server);
    let of = |operation: &str| -> Vec<(Value, Value)> {
        let lines = lines.iter().filter(|line| line["operation"] == operation);
        lines.map(|line| (line["status"].clone(), line["account"].clone())).collect()
    };
    let none = Value::Null;
    assert_eq!(of("signUpWithEmailAndPassword"), [(json!(200), json!(id))], "{lines:#?}");
    assert_eq!(of("getSession"), [(json!(200), json!(id))]);
    assert_eq!(of("signInEmail"), [(json!(200), json!(id)), (json!(401), none.clone())]);
    assert_eq!(of("login"), [(json!(202), json!(id))]);
    assert_eq!(of("retrieveUserByLoginId"), vec![(json!(200), json!(id)); 3]);
    assert_eq!(of("retrieveUser"), [(json!(200), json!(id)), (json!(404), none)]);
}

fn hang_up(server: &Process) {
    assert!(Command::new("kill").args(["-HUP", &server.id().to_string()]).status().unwrap().success());
}

/// Waits for so many lines of the log that hold this text.
async fn logged(server: &Process, text: &str, count: usize) {
    for _ in 0..200 {
        if server.log().matches(text).count() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not {count} × {text} in\n{}", server.log());
}

fn write_template(directory: &Path, subject: &str) {
    let own = directory.join("en");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("password-reset-link.txt"), format!("Subject: {subject}\n\n{{{{ link }}}}\n")).unwrap();
}

/// Asks for a mail, and says its subject.
async fn subject(server: &Process, email: &str, count: usize) -> String {
    server.stranger().post("/request-password-reset").json(json!({"email": email})).await.ok();
    for _ in 0..200 {
        let messages = server.outbox().messages();
        let links: Vec<_> = messages.iter().filter(|message| message["kind"] == "password-reset-link").collect();
        if links.len() >= count {
            return links[count - 1]["subject"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no mail number {count}");
}

/// By default the signal ends a program.
#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_changes_the_level_of_the_log_and_the_words_of_messages_and_never_ends_the_server() {
    const DONE: &str = "read the configuration again";
    let directory = tempdir().unwrap();
    let templates = directory.path().join("templates");
    let configure = |level: &str, more: &str| {
        let text = format!("{more}\n[log]\nlevel = \"{level}\"\n[messages]\ntemplates = \"{}\"\n", templates.display());
        std::fs::write(directory.path().join("countersign.toml"), text).unwrap();
    };
    configure("warning", "");
    write_template(&templates, "first");
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    assert_eq!(subject(&server, &user.email, 1).await, "first");
    assert!(!server.log().contains("INFO"), "{}", server.log());

    configure("info", "app_name = \"Other\"");
    write_template(&templates, "second");
    hang_up(&server);
    logged(&server, DONE, 1).await;
    assert_eq!(subject(&server, &user.email, 2).await, "second");
    logged(&server, " INFO request,", 1).await;
    let log = server.log();
    assert!(log.contains("WARN settings were changed that need a restart, settings: app_name"), "{log}");

    // What cannot be used changes nothing.
    configure("debug", "no_such_setting = 1");
    hang_up(&server);
    logged(&server, "ERROR kept the configuration, because the new one is not valid", 1).await;
    assert!(server.log().contains("no_such_setting"), "{}", server.log());
    configure("info", "");
    write_template(&templates, "{{ nonsense");
    hang_up(&server);
    logged(&server, "ERROR kept the templates of messages", 1).await;
    logged(&server, DONE, 2).await;
    assert_eq!(subject(&server, &user.email, 3).await, "second");
    for _ in 0..20 {
        hang_up(&server);
    }
    user.browser.get("/get-session").await.ok();
    assert!(server.terminate(), "{}", server.log());
}
