//! What is the server's fault, and what is not.

use super::server::{Response, serve};
use super::users::DOCUMENT;
use super::{check, findings};
use serde_json::json;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_kept_connection_that_the_server_closes_is_no_finding() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&closed);
    let address = serve(move |request| {
        let is_kept = request.number > 0;
        count.fetch_add(usize::from(is_kept), Ordering::Relaxed);
        (!is_kept).then(|| Response::json(200, &json!({"ok": true})))
    });
    let document = format!("{}components: {{}}\n", DOCUMENT.split("  /users:").next().unwrap());
    let (status, output, error) = check(address, &document, &["--max-requests", "20"]);
    assert_eq!(status, Some(0), "{output}{error}");
    assert!(output.contains("(200: 20, 1 operation succeeded)"), "{output}");
    assert!(closed.load(Ordering::Relaxed) > 0, "no request was sent on a kept connection");
}

#[test]
fn a_server_that_closes_every_connection_of_an_operation_is_blamed() {
    let address =
        serve(|request| request.target.ends_with("/status").then(|| Response::json(200, &json!({"ok": true}))));
    let found = findings(address, DOCUMENT, &["--max-requests", "30", "--only-safe"]);
    let blamed = found.iter().filter(|finding| finding["rule"] == "no-answer");
    assert!(blamed.clone().count() >= 2, "{found:?}");
    assert!(blamed.clone().all(|finding| finding["operations"][0] != "GET /status"), "{found:?}");
}

#[test]
fn an_unreachable_server_and_a_wrong_base_have_status_2() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nothing = serve(|_| Some(Response::new(404, "text/plain", "not found")));
    let website = serve(|_| Some(Response::new(200, "text/html; charset=utf-8", "<!doctype html>")));
    for (address, said) in [
        (nobody, "does not respond"),
        (nothing, "none of 100 responses of http://"),
        (website, "none of 100 responses of http://"),
    ] {
        let (status, output, error) = check(address, DOCUMENT, &["--max-requests", "300"]);
        assert_eq!((status, output.as_str()), (Some(2), ""), "{error}");
        assert!(error.contains(said), "{said} is not in\n{error}");
    }
}

#[test]
fn responses_to_a_wrong_token_are_a_warning() {
    let address = super::users::serve_users("none");
    let document = DOCUMENT.replace("  /status:\n    get:\n      security: []\n", "  /status:\n    trace:\n");
    let (status, output, error) = check(address, &document, &["--max-requests", "50"]);
    assert_eq!(status, Some(1), "{output}{error}");
    assert!(output.contains("warning[nothing-succeeded]"), "{output}");
}

/// Two operations, `/v1/fast` and `/v1/slow`, whose responses are lists.
const TWO: &str = "\
openapi: 3.1.0
info: {title: T, version: 1.0.0}
servers: [{url: /v1}]
paths:
  /fast: {get: {responses: &list {'200': {description: d, content: {application/json: {schema: {type: array}}}}}}}
  /slow: {get: {responses: *list}}
";

#[test]
fn an_operation_that_never_responds_does_not_take_the_time_of_the_others() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let address = serve(move |request| {
        if request.target.ends_with("/slow") {
            count.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
        Some(Response::json(200, &json!([])))
    });
    let (status, output, error) = check(address, TWO, &["--max-requests", "200", "--timeout", "1"]);
    assert_eq!(status, Some(1), "{error}");
    assert_eq!(calls.load(Ordering::Relaxed), 3, "{output}");
    assert!(output.contains("(200: 100, 1 operation succeeded, 1 not called again after 3 timeouts)"), "{output}");
    assert!(output.contains("error[no-answer]") && output.contains("timed out"), "{output}");
}

#[test]
fn a_body_that_is_too_long_is_not_taken_for_broken_json() {
    let long = format!("[{}]", " ".repeat(17 << 20));
    let address = serve(move |request| {
        let body = if request.target.ends_with("/slow") { &long } else { "[]" };
        Some(Response::new(200, "application/json", body))
    });
    let found = findings(address, TWO, &["--max-requests", "4"]);
    let rules: Vec<&str> = found.iter().filter_map(|finding| finding["rule"].as_str()).collect();
    assert_eq!(rules, ["body-too-long"], "{found:#?}");
    assert_eq!(found[0]["operations"][0], "GET /slow");
}

#[test]
fn the_status_is_judged_of_a_response_whose_body_is_too_long() {
    let long = " ".repeat(17 << 20);
    let address = serve(move |request| {
        let (status, body) = if request.target.ends_with("/slow") { (500, long.as_str()) } else { (200, "[]") };
        Some(Response::new(status, "application/json", body))
    });
    let found = findings(address, TWO, &["--max-requests", "4"]);
    let mut rules: Vec<&str> = found.iter().filter_map(|finding| finding["rule"].as_str()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["body-too-long", "server-error"], "{found:#?}");
}

#[test]
fn proxies_of_the_environment_are_for_other_machines() {
    let run = |url: &str, proxy: &str| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("api.yaml"), TWO).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-contract"));
        command.env_remove("NO_PROXY").env_remove("no_proxy").env("HTTP_PROXY", proxy).env("http_proxy", proxy);
        command.current_dir(directory.path()).args(["check", "--max-requests", "2", "--url", url, "api.yaml"]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let lists = || serve(|_| Some(Response::json(200, &json!([]))));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let (status, text) = run(&format!("http://{host}:{}/v1", lists().port()), &format!("http://{nobody}"));
        assert_eq!(status, Some(0), "{text}");
    }
    let proxy = serve(|request| {
        let is_meant = request.target.starts_with("http://api.example/v1/");
        Some(Response::json(if is_meant { 200 } else { 400 }, &json!([])))
    });
    let (status, text) = run("http://api.example/v1", &format!("http://{proxy}"));
    assert_eq!(status, Some(0), "{text}");
}
