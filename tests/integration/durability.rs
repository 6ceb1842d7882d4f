//! Nodes that are killed and databases that are restarted, again and again, under load: no acknowledged change is lost,
//! no code is accepted twice, nothing is half done (attacks 7, 8).
//!
//! Workers sign users up and use up their backup codes, and keep a journal of what they were told. After each blow
//! the journal is compared with what the server says now, and the tables with the audit trail, which is written in the
//! same transactions.

use crate::harness::database::Database;
use crate::harness::{Caller, PASSWORD, Process, Response};
use countersign_test_postgres::{Cluster, Mode, needs_postgres};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::tempdir;
use tokio::task::JoinSet;

const WORKERS: usize = 6;

/// A user whose sign-up was acknowledged.
struct SignedUp {
    email: String,
    /// The token of the session; none if the last request may have renewed it, and nobody was told.
    token: Option<String>,
    /// The backup codes whose use was acknowledged.
    used: Vec<String>,
}

/// What a worker was told.
#[derive(Default)]
struct Journal {
    users: Vec<SignedUp>,
    /// Requests that were answered with 503, or not at all.
    unanswered: usize,
}

/// Works until it is told to stop. A request that is not answered is not repeated: whether it happened is unknown.
async fn work(caller: Caller, name: String, stop: Arc<AtomicBool>) -> Journal {
    let mut journal = Journal::default();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let email = format!("{name}n{number}@example.com");
        let body = json!({"name": "", "email": email, "password": PASSWORD});
        let Some(response) = told(&caller, "/sign-up/email", body, &mut journal).await else { continue };
        let mut user = SignedUp { email, token: Some(response.text("/token")), used: Vec::new() };
        let body = json!({"password": PASSWORD});
        let begun = told(&bearer(&caller, &user), "/two-factor/enable", body, &mut journal).await;
        for index in 0..10 {
            let Some(begun) = &begun else { break };
            let code = begun.text(&format!("/backupCodes/{index}"));
            let call = bearer(&caller, &user);
            let verified = told(&call, "/two-factor/verify-backup-code", json!({"code": code}), &mut journal).await;
            // The first one renews the session.
            user.token = verified.map(|response| response.text("/token"));
            if user.token.is_none() {
                break;
            }
            user.used.push(code);
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        journal.users.push(user);
    }
    journal
}

fn bearer(caller: &Caller, user: &SignedUp) -> Caller {
    caller.copy().with_header("authorization", &format!("Bearer {}", user.token.as_deref().unwrap_or_default()))
}

/// The response of a request that succeeded; any refusal but 503 is a failure of the test.
async fn told(caller: &Caller, path: &str, body: serde_json::Value, journal: &mut Journal) -> Option<Response> {
    match caller.post(path).json(body).try_send().await {
        Ok(response) if response.status == 503 => {
            journal.unanswered += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
        Ok(response) => Some(response.ok()),
        Err(_) => {
            journal.unanswered += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
    }
}

fn start_workers(nodes: &[Process], round: usize) -> (JoinSet<Journal>, Arc<AtomicBool>) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut running = JoinSet::new();
    for worker in 0..WORKERS {
        let caller = nodes[worker % nodes.len()].stranger();
        running.spawn(work(caller, format!("r{round}w{worker}"), Arc::clone(&stop)));
    }
    (running, stop)
}

/// Everything that was acknowledged is so, and the tables agree with the audit trail.
async fn hold_to_account(journals: Vec<Journal>, node: &Process, database: &Database) -> usize {
    let mut acknowledged = 0;
    for journal in journals {
        for SignedUp { email, token, used } in journal.users {
            acknowledged += 1 + used.len();
            let token = match token {
                Some(token) => token,
                None => {
                    let body = json!({"email": email, "password": PASSWORD});
                    node.stranger().post("/sign-in/email").json(body).await.ok().text("/token")
                }
            };
            assert_eq!(node.bearer(&token).get("/get-session").await.ok().text("/user/email"), email);
            for code in used {
                let body = json!({"code": code});
                let again = node.bearer(&token).post("/two-factor/verify-backup-code").json(body).await;
                again.refused(401, "INVALID_BACKUP_CODE");
            }
        }
    }
    for (one, other) in [
        (
            "SELECT count(*) AS number FROM accounts",
            "SELECT count(*) AS number FROM audit_events WHERE kind = 'signed-up'",
        ),
        (
            "SELECT count(*) AS number FROM sessions",
            "SELECT count(*) AS number FROM audit_events WHERE kind IN ('signed-up', 'signed-in')",
        ),
        (
            "SELECT count(*) AS number FROM backup_codes WHERE used_at IS NOT NULL",
            "SELECT count(*) AS number FROM audit_events WHERE kind = 'second-factor-passed'",
        ),
        (
            "SELECT 10 * count(*) AS number FROM methods WHERE kind = 'authenticator'",
            "SELECT count(*) AS number FROM backup_codes",
        ),
    ] {
        assert_eq!(database.number(one), database.number(other), "{one} and {other}");
    }
    acknowledged
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn thirty_crashes_of_a_node_under_load_lose_nothing_7() {
    let database = Database::on_shared_cluster();
    let directories = [tempdir().unwrap(), tempdir().unwrap()];
    let mut nodes = vec![Process::sharing(&database, directories[0].path(), &[])];
    let keys = std::fs::read_to_string(nodes[0].data().join("keyring")).unwrap();
    nodes.push(Process::sharing(&database, directories[1].path(), &[("COUNTERSIGN_KEYS", &keys)]));
    let mut acknowledged = 0;
    for round in 0..30 {
        let (running, stop) = start_workers(&nodes, round);
        tokio::time::sleep(Duration::from_millis(400)).await;
        nodes[round % 2].kill_9();
        stop.store(true, Ordering::Relaxed);
        let journals = running.join_all().await;
        nodes[round % 2].restart();
        acknowledged += hold_to_account(journals, &nodes[round % 2], &database).await;
    }
    assert!(acknowledged > 200, "{acknowledged} acknowledged changes are too few to prove anything");
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn restarts_of_the_database_under_load_lose_nothing_and_need_no_restart_of_the_node() {
    // It waits for the disk as a real one does.
    let cluster = Cluster::own(&[("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")], &[]);
    let Some(cluster) = cluster else { return };
    let database = Database::on(&cluster);
    let directory = tempdir().unwrap();
    let environment = [("COUNTERSIGN_DATABASE_TIMEOUT", "2"), ("COUNTERSIGN_DATABASE_DEADLINE", "5")];
    let nodes = [Process::sharing(&database, directory.path(), &environment)];
    let node = &nodes[0];
    let (mut acknowledged, mut unanswered) = (0, 0);
    for round in 0..10 {
        let (running, stop) = start_workers(&nodes, round);
        tokio::time::sleep(Duration::from_millis(400)).await;
        let mode = if round % 2 == 0 { Mode::Fast } else { Mode::Immediate };
        cluster.stop(mode);
        // While it is away: a clean 503 within the deadline, and no readiness.
        let credentials = json!({"email": "ada@example.com", "password": PASSWORD});
        let refused = node.stranger().post("/sign-in/email").json(credentials);
        let refused = tokio::time::timeout(Duration::from_secs(10), refused.send()).await.expect("a response");
        assert!(refused.refused(503, "SERVICE_UNAVAILABLE").retry_after() >= 1);
        assert_eq!(node.stranger().call("GET", "/readyz").undocumented().await.status, 503);
        assert_eq!(node.stranger().call("GET", "/healthz").undocumented().await.status, 200);
        cluster.start();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.store(true, Ordering::Relaxed);
        let journals = running.join_all().await;
        unanswered += journals.iter().map(|journal| journal.unanswered).sum::<usize>();
        let mut ready = 0;
        for _ in 0..100 {
            ready = node.stranger().call("GET", "/readyz").undocumented().await.status;
            if ready == 200 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(ready, 200, "it recovers by itself");
        acknowledged += hold_to_account(journals, node, &database).await;
    }
    assert!(acknowledged > 50 && unanswered > 10, "{acknowledged} acknowledged, {unanswered} not: the blows missed");
}
