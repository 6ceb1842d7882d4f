//! The program as the operating system sees it: its memory, its log, its first screen.

use crate::harness::Process;
use countersign_test_postgres::DatabaseKind;
use serde_json::json;
use std::os::unix::fs::MetadataExt as _;
use tempfile::tempdir;

/// Whether this test runs as root, who owns all files of processes that are not dumpable.
fn is_root() -> bool {
    std::fs::metadata("/proc/self/environ").unwrap().uid() == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn no_core_is_dumped() {
    let directory = tempdir().unwrap();
    // Another user than root, so that it can be seen whose the files of the process are.
    let starter: &[&str] = if is_root() { &["setpriv", "--reuid=65534", "--clear-groups"] } else { &[] };
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(directory.path(), everybody).unwrap();
    let server = Process::start_by(starter, DatabaseKind::Sqlite, directory.path(), &[]);
    server.stranger().get("/get-session").await.ok();

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max core file size")[..2], ["0", "0"], "{limits}");
    assert!(limit("Max open files")[0].parse::<u64>().is_ok_and(|files| files >= 1_024), "{limits}");
    // The files of a process that is not dumpable belong to root (proc_pid(5)).
    assert_eq!(std::fs::metadata(format!("/proc/{}/environ", server.id())).unwrap().uid(), 0);
}

/// A proxy that is not named is logged once, with the setting to change.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_trusted_is_logged_once() {
    let directory = tempdir().unwrap();
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    for number in 0..20 {
        let forwarded = format!("192.0.2.{number}");
        server.stranger().get("/get-session").header("x-forwarded-for", &forwarded).await.ok();
        server.stranger().get("/get-session").header("forwarded", &format!("for={forwarded}")).await.ok();
    }
    assert!(server.terminate());
    let log = server.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("not a trusted proxy")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("trusted_proxies") && warnings[0].contains("127.0.0.1"), "{warnings:?}");

    let directory = tempdir().unwrap();
    let trusting = [("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1")];
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &trusting);
    server.stranger().get("/get-session").header("x-forwarded-for", "192.0.2.1").await.ok();
    assert!(server.terminate());
    assert!(!server.log().contains("not a trusted proxy"), "{}", server.log());
}

/// A client that has sent half of a head, or the beginning of HTTP/2, cannot keep the server from what it does at its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_not_held_up_by_clients_and_seals_the_audit_trail() {
    let directory = tempdir().unwrap();
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    server.user("ada").await;
    let mut connections = Vec::new();
    for beginning in ["GET / HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut connection = server.raw().await;
        connection.send(beginning).await;
        connections.push(connection);
    }
    server.stranger().get("/get-session").await.ok();
    assert!(server.terminate());
    let log = server.log();
    assert!(!log.contains("still in flight") && log.contains("head of the audit trail"), "{log}");
    drop(connections);
}

async fn call_with_page(server: &Process, page: &str) {
    let page: String = page.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let call = server.stranger().post(&format!("/sign-out?errorCallbackURL={page}"));
    call.json(json!({})).await.refused(403, "INVALID_ERROR_CALLBACK_URL");
}

/// "Invalid origin" does not say which origin, nor which setting; the log does, once for each.
#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_is_not_trusted_is_logged_once_with_the_setting() {
    let directory = tempdir().unwrap();
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let user = server.user("ada").await;
    for number in 0..5 {
        let call = || user.browser.post("/revoke-other-sessions");
        call().header("origin", "https://app.example").await.refused(403, "INVALID_ORIGIN");
        call().header("origin", "https://xn--bcher-kva.example").await.refused(403, "INVALID_ORIGIN");
        call().without("origin").header("expo-origin", "myapp://").await.refused(403, "INVALID_ORIGIN");
        let referer = format!("https://other.example/{number}?token=secret");
        call().without("origin").header("referer", &referer).await.refused(403, "INVALID_ORIGIN");
        server.stranger().call("POST", "/api/jwt/refresh").header("origin", "https://two.example").await;
        user.browser.get("/get-session").without("origin").header("referer", "https://links.example/").await.ok();
        call().header("origin", "null").await.refused(403, "MISSING_OR_NULL_ORIGIN");
        call().await.ok();
        // Where a request is to lead to, in a body, in a query, and in a link; a trusted page names it.
        let reset = async |page: &str| {
            let body = json!({"email": "nobody@example.com", "redirectTo": page});
            server.browser().post("/request-password-reset").json(body).await.refused(403, "INVALID_REDIRECT_URL");
        };
        reset(&format!("https://reset.example/{number}?token=secret")).await;
        reset("https://müller.example/").await;
        call_with_page(&server, "https://query.example/?token=secret").await;
        let link = "/verify-email?token=vrf-secret&callbackURL=https%3A%2F%2Flink.example%2F";
        server.stranger().get(link).await.refused(403, "INVALID_CALLBACK_URL");
        // No setting makes these good.
        for page in ["javascript:secret", "//secret.example", "/%5csecret.example", "https://a:secret@app.example"] {
            reset(page).await;
        }
    }
    assert!(server.terminate());
    let log = server.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("an origin that is not trusted")).collect();
    assert!(warnings.iter().all(|line| line.contains("WARN") && line.contains("trusted_origins")), "{warnings:#?}");
    let sources = ["https://app.example", "xn--bcher-kva.example", "myapp://", "other.example", "two.example"];
    let targets = ["reset.example", "xn--mller-kva.example", "query.example", "link.example"];
    let origins = [&sources[..], &targets].concat();
    for origin in &origins {
        assert_eq!(warnings.iter().filter(|line| line.contains(origin)).count(), 1, "{origin}: {warnings:#?}");
    }
    assert_eq!(warnings.len(), origins.len(), "{warnings:#?}");
    assert!(!log.contains("secret"), "{log}");
}

/// Kubernetes sets these for services `countersign` and `countersign-database` of the namespace.
#[tokio::test(flavor = "multi_thread")]
async fn variables_of_kubernetes_services_do_not_keep_it_from_starting() {
    let directory = tempdir().unwrap();
    let services = [
        ("COUNTERSIGN_SERVICE_HOST", "10.96.0.6"),
        ("COUNTERSIGN_PORT", "tcp://10.96.0.6:3000"),
        ("COUNTERSIGN_DATABASE_SERVICE_HOST", "10.96.0.7"),
        ("COUNTERSIGN_DATABASE_SERVICE_PORT", "5432"),
        ("COUNTERSIGN_DATABASE_SERVICE_PORT_POSTGRES", "5432"),
        ("COUNTERSIGN_DATABASE_PORT", "tcp://10.96.0.7:5432"),
        ("COUNTERSIGN_DATABASE_PORT_5432_TCP", "tcp://10.96.0.7:5432"),
        ("COUNTERSIGN_DATABASE_PORT_5432_TCP_ADDR", "10.96.0.7"),
    ];
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &services);
    server.stranger().get("/ok").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_screen_and_the_log_say_whether_strangers_can_sign_up() {
    for (setting, shown, logged) in [
        ("on", "open: anybody can create an account in the tenant Default", "tenant_open_to_sign_up: Default"),
        ("off", "closed: services create the accounts", "tenant_open_to_sign_up: none"),
    ] {
        let directory = tempdir().unwrap();
        let environment = [("COUNTERSIGN_SIGN_UP", setting)];
        let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &environment);
        assert!(server.first_screen().contains(shown), "{}", server.first_screen());
        let body = json!({"name": "a", "email": "a@example.com", "password": "correct horse"});
        let status = server.stranger().post("/sign-up/email").json(body).await.status;
        assert_eq!(status, if setting == "on" { 200 } else { 400 });
        assert!(server.terminate());
        assert!(server.log().contains(logged), "{}", server.log());
    }
}

/// Nothing that a client sends, or that an argument or a document holds, gets to a terminal as a control character.
#[tokio::test(flavor = "multi_thread")]
async fn log_and_messages_are_free_of_control_characters() {
    let directory = tempdir().unwrap();
    let mut server = Process::start(DatabaseKind::Sqlite, directory.path(), &[("COUNTERSIGN_LOG", "debug")]);
    let odd = "a\u{9b}31m\u{202e}b\u{1b}[2J";
    let body = json!({"name": odd, "email": format!("{odd}@example.com"), "password": odd});
    let _ = server.stranger().post("/sign-up/email").json(body).await;
    let head = format!(
        "GET /api/auth/\u{9b}31m\u{202e}%1b%e2%80%ae HTTP/1.1\r\nhost: x\r\nuser-agent: {}\r\nconnection: close\r\n\r\n",
        "a\u{9b}31m\u{202e}"
    );
    let mut raw = server.raw().await;
    raw.send(&head).await;
    let _ = raw.read().await;
    assert!(server.terminate());
    let log = server.log();
    let hidden = |character: &char| {
        character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(log.lines().flat_map(str::chars).find(hidden), None, "{log:?}");

    let program = |arguments: &[&str]| {
        let output = server.beside(env!("CARGO_BIN_EXE_countersign")).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (created, _) = program(&["api-key", "create", "--name", odd]);
    let (listed, keys) = program(&["api-key", "list"]);
    assert!(created && listed && keys.contains(r"a\u{9b}31m\u{202e}b\u{1b}[2J"), "{keys:?}");
    assert_eq!(keys.lines().flat_map(str::chars).find(hidden), None, "{keys:?}");

    let document = directory.path().join("api.yaml");
    std::fs::write(&document, "openapi: \"3.0.3\\e[31m\\u202e\"\ninfo: {title: a, version: '1'}\npaths: {}\n").unwrap();
    for arguments in [
        vec!["contract", "lint", "--fail-on", "warning", document.to_str().unwrap()],
        vec!["contract", "lint", "no\u{1b}[31m\u{9b}such.yaml"],
        vec!["--config", "no\u{1b}[31m\u{9b}such.toml"],
    ] {
        let (succeeded, text) = program(&arguments);
        assert!(!succeeded && !text.is_empty(), "{arguments:?}");
        assert_eq!(text.lines().flat_map(str::chars).find(hidden), None, "{arguments:?}: {text:?}");
    }
}
