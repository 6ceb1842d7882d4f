//! More work than the machine can do: it is shed, nothing hangs, memory stays bounded (API4).

use crate::harness::Process;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;
use tempfile::tempdir;
use tokio::task::JoinSet;

#[on_each_database]
async fn two_hundred_parallel_sign_ins_are_answered_or_shed_within_150_megabytes(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let mut users = Vec::new();
    for number in 0..20 {
        users.push(server.user(&format!("user{number}")).await);
    }
    let mut running = JoinSet::new();
    for number in 0..200 {
        let user = &users[number % users.len()];
        let caller = server.stranger();
        let body = json!({"email": user.email, "password": user.password});
        running.spawn(async move {
            let response = caller.post("/sign-in/email").json(body);
            tokio::time::timeout(Duration::from_secs(60), response.send()).await.expect("a response, not silence")
        });
    }
    let responses = running.join_all().await;
    let served = responses.iter().filter(|response| response.status == 200).count();
    let shed: Vec<_> = responses.iter().filter(|response| response.status == 503).collect();
    assert_eq!(served + shed.len(), responses.len(), "nothing but 200 and 503");
    assert!(served >= 60, "{served} were served; the queue alone holds that many");
    assert!(!shed.is_empty(), "200 at once do not fit into the queue");
    assert!(shed.iter().all(|response| response.retry_after() >= 1 && response.code() == "SERVICE_UNAVAILABLE"));
    let memory = server.memory();
    assert!(memory.peak < 150 << 20, "{memory:?}");

    // It is well again at once.
    let user = &users[0];
    user.signed_in().await;
}
