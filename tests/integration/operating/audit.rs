//! The audit trail as operators read it, and statistics.

use super::{program, run};
use crate::fusionauth::actions::{LOCK, NOBODY};
use crate::harness::Process;
use countersign::clock::Clock as _;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

#[on_each_database]
async fn the_trail_is_read_by_account_kind_and_time_page_by_page(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let (ada, bob) = (server.user("ada").await, server.user("bob").await);
    for user in [&ada, &bob, &ada] {
        user.signed_in().await;
    }
    let query = |arguments: &[&str]| run(&server, &[&["audit", "query"], arguments].concat()).lines();
    let kinds = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    let newest_first = query(&[]);
    assert_eq!(newest_first.len(), 5, "{newest_first:?}");
    let exported = run(&server, &["audit", "export"]).lines();
    assert_eq!(ids(&exported), ids(&newest_first).into_iter().rev().collect::<Vec<_>>());
    let sorted = |events: &[Value]| events.is_sorted_by_key(|event| event["at"].as_str().unwrap().to_owned());
    assert!(sorted(&exported), "{exported:?}");
    // One event looks like this.
    let first = &exported[0];
    let fields: BTreeSet<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["account", "actor", "at", "dialect", "factor", "id", "ipAddress", "kind", "requestId", "session", "traceId"];
    assert_eq!(fields, expected.into_iter().collect(), "{first}");
    assert_eq!((&first["kind"], &first["actor"]), (&json!("signed-up"), &json!({"kind": "user"})), "{first}");
    assert_eq!(first["ipAddress"], "127.0.0.1", "{first}");
    // By account and by kind, alone and together.
    assert_eq!(kinds(&query(&["--account", &ada.email])), ["signed-in", "signed-in", "signed-up"]);
    assert_eq!(query(&["--kind", "signed-in"]).len(), 3);
    assert_eq!(kinds(&query(&["--kind", "signed-in", "--kind", "signed-up"])), kinds(&newest_first));
    assert_eq!(kinds(&query(&["--kind", "signed-up", "--account", &bob.id])), ["signed-up"]);
    assert_eq!(query(&["--kind", "account-locked"]), Vec::<Value>::new());
    // Pages in both directions, with and without filters.
    for order in [&[][..], &["--oldest-first"]] {
        for filter in [&[][..], &["--account", &ada.id], &["--kind", "signed-in", "--kind", "signed-up"]] {
            let arguments = [order, filter].concat();
            let whole = ids(&query(&arguments));
            let mut paged: Vec<String> = Vec::new();
            loop {
                let after = paged.last().cloned();
                let page = ["--limit", "2"].into_iter().chain(after.iter().flat_map(|id| ["--after", id]));
                let page = ids(&query(&[arguments.as_slice(), &page.collect::<Vec<_>>()].concat()));
                if page.is_empty() {
                    break;
                }
                paged.extend(page);
            }
            assert_eq!(paged, whole, "{arguments:?}");
        }
    }
    // Times are instants, days and durations; the end is not included.
    let third = &exported[2];
    let at = third["at"].as_str().unwrap();
    let since = query(&["--since", at]);
    assert!(ids(&since).contains(&third["id"].as_str().unwrap().to_owned()) && since.len() <= 3, "{since:?}");
    let until = query(&["--until", at]);
    assert!(!until.is_empty() && !ids(&until).contains(&third["id"].as_str().unwrap().to_owned()), "{until:?}");
    assert_eq!((query(&["--since", "1h"]).len(), query(&["--until", "1h"]).len()), (5, 0));
    assert_eq!(query(&["--since", "2026-01-01"]).len(), 5);
    let rest = run(&server, &["audit", "export", "--after", third["id"].as_str().unwrap()]).lines();
    assert_eq!(ids(&rest), ids(&exported[3..]));
    for (arguments, why) in [
        (["--kind", "signed-inn"], "'signed-in'"),
        (["--since", "yesterday"], "expected a time such as"),
        (["--after", "x"], "there is no event `x`"),
        (["--account", "nobody"], "there is no user `nobody`"),
        (["--limit", "0"], "0 is not in 1..=10000"),
    ] {
        run(&server, &[&["audit", "query"], &arguments[..]].concat()).refused(why);
    }
    // It needs no keyring, unlike the changes of users.
    let mut without = program(&server, &["audit", "tail", "-n", "2"]);
    without.env("COUNTERSIGN_KEYRING", directory.path().join("nothing"));
    let tail = without.output().unwrap();
    assert!(tail.status.success(), "{}", String::from_utf8_lossy(&tail.stderr));
    let tail: Vec<Value> =
        String::from_utf8(tail.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ids(&tail), ids(&exported[3..]));
}

#[on_each_database]
async fn tail_follows_the_trail(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let user = server.user("ada").await;
    user.signed_in().await;
    let mut command = program(&server, &["audit", "tail", "-f", "-n", "1"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["kind"], "signed-in", "the last one comes first, and the one before not at all");
    let browser = user.signed_in().await;
    assert_eq!(next()["kind"], "signed-in");
    browser.post("/sign-out").await.ok();
    assert_eq!(next()["kind"], "signed-out");
    // One wrong code counts; without it nothing is unlocked, and nothing recorded.
    run(&server, &["user", "unlock", &user.id]).ok();
    let counted = format!("UPDATE accounts SET failed_attempts = 1 WHERE id = '{}'", user.id.replace('-', ""));
    server.database().execute(&counted);
    run(&server, &["user", "unlock", &user.id]).ok();
    assert_eq!(next()["actor"]["name"], "cli:ada");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[on_each_database]
async fn statistics_count_users_grants_and_events(database: DatabaseKind) {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::start(database, directory.path(), &[]);
    let ada = server.user("ada").await;
    ada.enrol().await;
    let bob = server.user("bob").await;
    bob.signed_in().await;
    run(&server, &["user", "deactivate", "--yes", &bob.email]).ok();
    let cyd = server.user("cyd").await;
    let trust = json!({"code": cyd.enrol().await.backup_codes[0], "trustDevice": true});
    cyd.challenged().await.post("/two-factor/verify-backup-code").json(trust).await.ok();
    // A user with a refresh token, whom the service locks then.
    let service = server.service();
    let eve = service.user().await;
    service.log_in(&eve).await.ok();
    let expiry = server.clock().now().as_millis() + 3_600_000;
    let lock = json!({"actioneeUserId": eve.id, "actionerUserId": NOBODY, "userActionId": LOCK, "expiry": expiry});
    service.post("/user/action", json!({"action": lock})).await.ok();
    // Notices are delivered by and by.
    let mut statistics = run(&server, &["stats", "--json"]).json();
    while statistics["messagesWaiting"] != json!(0) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        statistics = run(&server, &["stats", "--json"]).json();
    }
    assert!(statistics["at"].as_str().unwrap().starts_with("20"));
    statistics.as_object_mut().unwrap().remove("at");
    let expected = json!({
        "tenants": [{
            "tenantId": "c0de0000-0000-4000-8000-000000000001",
            "users": 4, "withSecondFactor": 2, "deactivated": 1, "locked": 1,
        }],
        "sessions": 3, "refreshTokens": 1, "trustedDevices": 1, "messagesWaiting": 0, "oldestMessageAt": null,
        "eventsOfLastDay": {
            "account-created": 1, "account-deactivated": 1, "account-suspended": 1, "backup-code-used": 1,
            "challenge-opened": 1, "device-trusted": 1, "enrolment-begun": 2, "registered": 1,
            "second-factor-signed-in": 1, "signed-in": 2, "signed-up": 3, "two-factor-enabled": 2,
        },
    });
    assert_eq!(statistics, expected);
    let text = run(&server, &["stats"]).ok();
    assert!(text.contains("4 users, 2 with a second factor, 1 deactivated, 1 locked\n"), "{text}");
}
