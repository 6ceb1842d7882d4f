//! Responses held against the contract by the server itself, and tests that fail when one does not keep it.

use crate::harness::{Process, World};
use countersign::edge::validation::MESSAGE;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Brings the server to a response that the contract does not allow: an address that is none.
const BREAK: &str = "UPDATE accounts SET email = 'n0 address'";

/// What a panic said.
fn said(result: std::thread::Result<()>) -> String {
    *result.expect_err("a panic").downcast::<String>().unwrap()
}

#[on_each_database]
async fn a_world_whose_server_breaks_the_contract_fails_its_test(database: DatabaseKind) {
    let world = World::start(database).await;
    let ann = world.user("ann").await;
    world.database().execute(BREAK);
    let response = ann.browser.get("/get-session").undocumented().await.ok();
    assert_eq!(response.text("/user/email"), "n0 address", "sent as it is");
    let reason = said(catch_unwind(AssertUnwindSafe(|| drop(world))));
    let [headline, line] = *reason.lines().collect::<Vec<_>>() else { panic!("{reason}") };
    assert_eq!(headline, "the server's responses broke the contract:");
    assert!(line.starts_with("  - ") && line.contains(" 200: body-schema: /user/email: "), "{line}");
    assert!(!reason.contains("n0 address"), "{reason}");
}

#[on_each_database]
async fn a_process_that_breaks_the_contract_fails_its_test_and_logs_no_value(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let ann = server.user("ann").await;
    ann.browser.get("/get-session").await.ok();
    ann.browser.post("/two-factor/enable").body("text/plain", "x").await.is(415);
    ann.browser.call("POST", "/api/two-factor/login").await.is(400);
    assert!(!server.log().contains(MESSAGE), "{}", server.log());

    server.database().execute(BREAK);
    ann.browser.get("/get-session").undocumented().await.ok();
    // The log is written by a thread of its own.
    for _ in 0..100 {
        if !server.log().contains(MESSAGE) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let log = server.log();
    let line = log.lines().find(|line| line.contains(MESSAGE)).unwrap_or_else(|| panic!("{log}"));
    for part in ["ERRO", "rule: body-schema", "in_body: /user/email", "request_id: "] {
        assert!(line.contains(part), "{part} is not there: {line}");
    }
    assert!(!log.contains("n0 address"), "{log}");
    let reason = said(catch_unwind(AssertUnwindSafe(|| drop(server))));
    assert!(reason.contains(line), "{reason}");
}
