//! Forwarded traffic.

use super::server::{Request, Response, serve};
use super::users::{CREDENTIALS, DOCUMENT, serve_users};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A proxy that runs until it is stopped.
struct Proxy {
    program: Child,
    /// What follows the first line on standard error.
    errors: BufReader<std::process::ChildStderr>,
    address: String,
}

impl Proxy {
    fn start(directory: &Path, server: SocketAddr, arguments: &[&str]) -> Self {
        std::fs::write(directory.join("api.yaml"), DOCUMENT).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-contract"));
        command.current_dir(directory).args(arguments).args(["--url", &format!("http://{server}/v1")]);
        let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(program.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let address =
            line.strip_prefix("http://").and_then(|line| line.split('/').next()).unwrap_or_else(|| panic!("{line}"));
        Self { program, errors, address: address.to_owned() }
    }

    /// Sends a request. Returns the response, with its head.
    fn fetch(&self, method: &str, target: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head =
            format!("{method} {target} HTTP/1.1\r\nhost: proxy.test\r\nconnection: close\r\n{headers}{length}\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        String::from_utf8(response).unwrap()
    }

    /// Stops the proxy with a signal. Returns exit status, standard output and standard error.
    fn stop(mut self, signal: &str) -> (Option<i32>, String, String) {
        let killed = Command::new("kill").args([signal, &self.program.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let (mut output, mut error) = (String::new(), String::new());
        self.errors.read_to_string(&mut error).unwrap();
        self.program.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        (self.program.wait().unwrap().code(), output, error)
    }
}

#[test]
fn findings_are_shown_once_with_a_summary_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(directory.path(), serve_users("text for boolean"), &["proxy", "api.yaml"]);
    for _ in 0..2 {
        let response = proxy.fetch("GET", "/v1/status", "", "");
        assert!(response.starts_with("HTTP/1.1 200") && response.ends_with("{\"ok\":\"yes\"}"), "{response}");
    }
    let unknown = proxy.fetch("GET", "/elsewhere", "", "");
    assert!(unknown.starts_with("HTTP/1.1 4"), "{unknown}");
    let (status, output, error) = proxy.stop("-INT");
    assert_eq!(status, Some(1), "{output}{error}");
    let finding =
        "error[body-schema] a recorded response: 200: ok: the value is not of type \"boolean\"\n  in GET /status\n";
    assert_eq!(output.matches(finding).count(), 1, "{output}");
    assert!(output.contains("[operations-not-recorded]"), "{output}");
    let summary = output.lines().last().unwrap();
    assert!(summary.contains("2 responses to 1 operations of api.yaml, forwarded from http://127.0.0.1:"), "{summary}");
}

#[test]
fn a_server_that_follows_its_document_has_no_findings() {
    let directory = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(directory.path(), serve_users("none"), &["proxy", "--format", "json", "api.yaml"]);
    let credentials = format!("authorization: {CREDENTIALS}\r\n");
    let json = format!("{credentials}content-type: application/json\r\n");
    let created = proxy.fetch("POST", "/v1/users", &json, r#"{"name": "Ada", "role": "admin"}"#);
    assert!(created.starts_with("HTTP/1.1 201") && created.contains("location: /v1/users/1\r\n"), "{created}");
    assert!(proxy.fetch("GET", "/v1/users/1", &credentials, "").starts_with("HTTP/1.1 200"));
    assert!(proxy.fetch("DELETE", "/v1/users/1", &credentials, "").starts_with("HTTP/1.1 204"));
    assert!(proxy.fetch("GET", "/v1/users/1", "", "").starts_with("HTTP/1.1 401"));
    let (status, output, error) = proxy.stop("-TERM");
    assert_eq!(status, Some(0), "{output}{error}");
    let report: Value = serde_json::from_str(&output).unwrap();
    let rules: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]).collect();
    assert_eq!(rules, ["operations-recorded", "operations-not-recorded"], "{output}");
}

#[test]
fn bodies_and_headers_are_forwarded_unchanged_except_those_about_the_connection() {
    let directory = tempfile::tempdir().unwrap();
    let received = Arc::new(Mutex::new(Vec::<Request>::new()));
    let requests = Arc::clone(&received);
    let long = "ü".repeat(3 << 20);
    let body = long.clone();
    let server = serve(move |request| {
        requests.lock().unwrap().push(request.clone());
        Some(
            Response::new(200, "text/plain", &body)
                .with("x-kept", "1")
                .with("connection", "x-gone")
                .with("x-gone", "1"),
        )
    });
    let proxy = Proxy::start(directory.path(), server, &["proxy", "api.yaml"]);
    let headers = "accept-encoding: gzip\r\nx-kept: a\r\nte: trailers\r\n";
    let response = proxy.fetch("POST", "/other/%2e?a=%20&a", headers, &long);
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("x-kept: 1") && !head.contains("x-gone"), "{head}");
    assert!(body == long, "{} bytes in place of {}", body.len(), long.len());
    let sent = received.lock().unwrap().pop().unwrap();
    assert!(sent.body == long.as_bytes(), "{} bytes in place of {}", sent.body.len(), long.len());
    assert_eq!((sent.header("x-kept"), sent.header("te")), ("a", ""));
    assert_eq!((sent.header("host"), sent.header("accept-encoding")), (server.to_string().as_str(), "identity"));
    assert!(sent.target.ends_with("?a=%20&a"), "{}", sent.target);
    let (status, _, error) = proxy.stop("-INT");
    assert!(status == Some(2) && error.contains("no request was forwarded to http://"), "{error}");
}

#[test]
fn a_server_that_does_not_respond_is_a_finding_and_502() {
    let directory = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(directory.path(), serve(|_| None), &["proxy", "api.yaml"]);
    assert!(proxy.fetch("GET", "/v1/status", "", "").starts_with("HTTP/1.1 502"));
    let (status, output, error) = proxy.stop("-INT");
    assert_eq!(status, Some(1), "{output}{error}");
    assert!(output.contains("error[no-answer] a recorded request: no response: "), "{output}");
}

#[test]
fn an_address_in_use_has_status_2() {
    let directory = tempfile::tempdir().unwrap();
    let server = serve_users("none");
    let address = server.to_string();
    let (status, _, error) = super::run_in(
        directory.path(),
        DOCUMENT,
        &["proxy", "--url", &format!("http://{server}/v1"), "--listen", &address, "api.yaml"],
    );
    assert!(status == Some(2) && error.contains(&format!("cannot listen on {address}: ")), "{error}");
}

#[test]
fn a_document_is_learned_from_what_is_forwarded() {
    let directory = tempfile::tempdir().unwrap();
    let server = serve_users("none");
    let proxy =
        Proxy::start(directory.path(), server, &["learn", "--listen", "127.0.0.1:0", "--output", "learned.json"]);
    let json = format!("authorization: {CREDENTIALS}\r\ncontent-type: application/json\r\n");
    proxy.fetch("POST", "/v1/users", &json, r#"{"name": "5ecret", "role": "admin"}"#);
    proxy.fetch("GET", "/v1/users/1", &json, "");
    proxy.fetch("GET", "/v1/users?role=member", &json, "");
    let (status, output, error) = proxy.stop("-INT");
    assert_eq!(
        (status, output.as_str()),
        (Some(0), "3 operations, learned from 3 requests; written to learned.json\n"),
        "{error}"
    );
    let text = std::fs::read_to_string(directory.path().join("learned.json")).unwrap();
    let learned: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(learned["paths"]["/users/{userId}"]["get"]["parameters"][0]["schema"], json!({"type": "integer"}));
    assert_eq!(learned["paths"]["/users"]["post"]["security"], json!([{"bearerAuth": []}]));
    assert!(!text.contains("5ecret"), "{text}");
}
