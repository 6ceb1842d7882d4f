//! Recorded traffic.

use super::check_in;
use super::users::DOCUMENT;
use serde_json::{Value, json};
use std::path::Path;

const URL: &str = "https://example.com/v1";

fn entry(method: &str, url: &str, status: u16, body: Option<&Value>) -> Value {
    let content = body.map_or_else(|| json!({"size": 7}), |body| json!({"size": 7, "text": body.to_string()}));
    let headers =
        [("content-type", "application/json"), (":status", "200"), ("Content-Encoding", "br"), ("X-Total", "1")];
    let headers = headers.map(|(name, value)| json!({"name": name, "value": value}));
    let headers = headers.iter().filter(|header| url.contains("/users?") || header["name"] != "X-Total");
    json!({
        "request": {"method": method, "url": url},
        "response": {"status": status, "headers": headers.collect::<Vec<_>>(), "content": content},
    })
}

fn check_entries(directory: &Path, entries: &[Value], arguments: &[&str]) -> (Option<i32>, String, String) {
    let recording = json!({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}});
    std::fs::write(directory.join("session.har"), recording.to_string()).unwrap();
    check_in(directory, DOCUMENT, &[&["--har", "session.har"][..], arguments].concat())
}

#[test]
fn recorded_responses_are_validated_and_operations_counted() {
    let directory = tempfile::tempdir().unwrap();
    let entries = [
        entry("GET", &format!("{URL}/status"), 200, Some(&json!({"ok": "yes"}))),
        entry("GET", &format!("{URL}/status"), 200, Some(&json!({"ok": "yes"}))),
        entry("GET", &format!("{URL}/users?role=admin"), 200, Some(&json!({"items": []}))),
        entry("GET", &format!("{URL}/stats"), 200, Some(&json!({}))),
    ];
    let (status, output, error) = check_entries(directory.path(), &entries, &["--url", URL]);
    assert_eq!(status, Some(1), "{error}");
    for said in [
        "error[body-schema] a recorded response: 200: ok: the value is not of type \"boolean\"",
        "warning[operation-undocumented] GET /stats is of no operation of the document",
        "2 of 6 operations are in the recording: GET /status (2), GET /users (1)",
        "4 of 6 operations are not in the recording: POST /users, GET /users/{userId}, DELETE /users/{userId}, ",
        "4 findings in 3 responses to 2 operations of api.yaml, recorded in session.har: 1 error, 1 warning, 2 documentation",
    ] {
        assert!(output.contains(said), "{said} is not in\n{output}");
    }
}

#[test]
fn what_recorders_leave_out_is_no_finding() {
    let directory = tempfile::tempdir().unwrap();
    let mut encoded = entry("GET", &format!("{URL}/status"), 200, None);
    encoded["response"]["content"] = json!({"text": "eyJvayI6dHJ1ZX0=", "encoding": "base64"});
    let page = json!({
        "request": {"method": "GET", "url": format!("{URL}/index.html")},
        "response": {"status": 200, "headers": [{"name": "content-type", "value": "text/html"}], "content": {}},
    });
    let entries = [
        encoded,
        page,
        entry("GET", &format!("{URL}/status"), 200, None),
        entry("GET", &format!("{URL}/status"), 304, None),
        entry("GET", &format!("{URL}/status"), 0, None),
        entry("OPTIONS", &format!("{URL}/status"), 204, None),
        entry("GET", "https://example.com/v12/status", 500, None),
        entry("GET", "https://elsewhere.example/v1/status", 500, None),
    ];
    let (status, output, error) = check_entries(directory.path(), &entries, &["--url", URL]);
    assert_eq!(status, Some(0), "{output}{error}");
    assert!(output.contains("2 findings in 2 responses to 1 operations of api.yaml"), "{output}");
}

#[test]
fn a_recording_that_is_none_or_of_another_server_has_status_2() {
    let directory = tempfile::tempdir().unwrap();
    let entries = [entry("GET", &format!("{URL}/status"), 200, None)];
    let (status, _, error) = check_entries(directory.path(), &entries, &["--url", "https://example.com/v2"]);
    assert!(status == Some(2) && error.contains("has no request to https://example.com/v2"), "{error}");
    std::fs::write(directory.path().join("other.har"), "{}").unwrap();
    let (status, _, error) = check_in(directory.path(), DOCUMENT, &["--har", "other.har", "--url", URL]);
    assert!(status == Some(2) && error.contains("other.har is not a recording in HAR 1.2"), "{error}");
}

/// The entry with a JSON body in its request, and a header with credentials.
fn with_request(mut entry: Value, body: &Value) -> Value {
    entry["request"]["headers"] = json!([
        {"name": ":authority", "value": "example.com"},
        {"name": "Content-Type", "value": "application/json"},
        {"name": "Authorization", "value": "Bearer 5ecret"},
        {"name": "User-Agent", "value": "Browser"},
    ]);
    entry["request"]["postData"] = json!({"mimeType": "application/json", "text": body.to_string()});
    entry
}

#[test]
fn recorded_requests_are_validated_unless_they_were_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let user = json!({"id": 1, "name": "a", "role": "admin", "tags": [], "createdAt": "2026-01-31T12:00:00Z"});
    let created = |body: &Value, status| {
        let mut entry = with_request(entry("POST", &format!("{URL}/users"), status, Some(&user)), body);
        entry["response"]["headers"][0] = json!({"name": "Location", "value": "/v1/users/1"});
        entry["response"]["headers"][1] = json!({"name": "Content-Type", "value": "application/json"});
        entry
    };
    let too_old = json!({"name": "a", "role": "admin", "age": 151, "password": "5ecret"});
    let entries = [
        created(&too_old, 201),
        created(&too_old, 201),
        entry("GET", &format!("{URL}/users?role=admin&limit=0&debug=1"), 200, Some(&json!({"items": []}))),
    ];
    let (status, output, error) = check_entries(directory.path(), &entries, &["--url", URL]);
    assert_eq!(status, Some(1), "{error}");
    for said in [
        "error[request-body-schema] a recorded request: age: the value is greater than the maximum of 150",
        "error[request-parameter-schema] a recorded request: the query parameter limit: the value is less than the minimum of 1",
        "warning[request-parameter-undocumented] a recorded request: the query parameter debug is not documented",
        "  request: curl --globoff --path-as-is --include --request 'POST' --header 'content-type: application/json' --header \
         'authorization: [masked]' --data-raw '{\"age\":151,\"name\":\"a\",\"password\":\"[masked]\",\"role\":\"admin\"}' \
         'https://example.com/v1/users'",
    ] {
        assert!(output.contains(said), "{said} is not in\n{output}");
    }
    assert!(!output.contains("5ecret"), "{output}");
    let (_, output, _) = check_entries(directory.path(), &entries, &["--url", URL, "--show-secrets"]);
    assert!(output.contains("Bearer 5ecret") && output.contains(r#""password":"5ecret""#), "{output}");

    let problem = json!({"title": "too old"});
    let mut rejected = with_request(entry("POST", &format!("{URL}/users"), 400, Some(&problem)), &too_old);
    rejected["response"]["headers"] = json!([{"name": "content-type", "value": "application/problem+json"}]);
    let (status, output, error) = check_entries(directory.path(), &[rejected], &["--url", URL]);
    assert_eq!(status, Some(0), "{output}{error}");
}
