//! What is the server's fault, and what is not.

use super::server::{Response, serve};
use super::users::DOCUMENT;
use super::{check, findings};
use serde_json::json;
use std::net::TcpListener;
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
