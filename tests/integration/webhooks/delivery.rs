//! What becomes of events when receivers and nodes fail, and where they may go.

use super::receiver::{Manner, Receiver, SECRET};
use crate::harness::world::Time;
use crate::harness::{OTHER_TENANT, Process, World, cheap_passwords, other_tenant, with_other_tenant};
use countersign::config::values::KeyringSource;
use countersign::config::webhooks::Receiver as Configured;
use countersign::net::webhook::WebhookUrl;
use countersign_domain::webhook::{EventType, LIFETIME, Subscription};
use countersign_test_postgres::{DatabaseKind, needs_postgres, on_each_database};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tempfile::tempdir;
use tokio::time::Instant;

const WAITING: &str = "SELECT count(*) AS number FROM webhook_events";

async fn start(database: DatabaseKind, receivers: Vec<Configured>) -> World {
    World::with(database, |settings| {
        cheap_passwords(settings);
        settings.webhooks = receivers;
    })
    .await
}

/// Waits for something that another task does.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..300 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} has not happened");
}

#[on_each_database]
async fn a_receiver_that_was_down_gets_everything_when_it_is_up_again(database: DatabaseKind) {
    let mut receiver = Receiver::start().await;
    let world = start(database, vec![receiver.configured("crm", &[])]).await;
    receiver.behaves(Manner::Responds(500));
    world.user("ada").await;
    until("a request that was refused", || receiver.requests() > 0).await;
    receiver.kill();
    world.user("bob").await;
    assert_eq!((receiver.received().len(), world.database().number(WAITING)), (0, 2));
    receiver.behaves(Manner::Takes);
    receiver.restart().await;
    world.clock.advance(Duration::from_secs(60));
    receiver.gets(&["user.create", "user.create"]).await;
    until("the end of the events", || world.database().number(WAITING) == 0).await;
}

#[on_each_database]
async fn a_receiver_that_hangs_delays_neither_requests_nor_other_receivers(database: DatabaseKind) {
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.behaves(Manner::Hangs);
    let world = start(database, vec![slow.configured("slow", &[]), quick.configured("quick", &[])]).await;
    let begun = Instant::now();
    world.user("ada").await;
    quick.gets(&["user.create"]).await;
    world.user("bob").await;
    quick.gets(&["user.create", "user.create"]).await;
    // An attempt takes ten seconds.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(slow.requests() > 0 && slow.received().is_empty());
    assert_eq!(world.database().number(WAITING), 2, "those of the slow one");
}

#[on_each_database]
async fn a_receiver_gets_the_events_and_the_tenant_that_it_asked_for(database: DatabaseKind) {
    let (some, other) = (Receiver::start().await, Receiver::start().await);
    let of_tenant = |configured: Configured| {
        let subscription = Subscription { tenant_id: Some(other_tenant()), ..configured.subscription };
        Configured { subscription, ..configured }
    };
    let receivers = vec![some.configured("some", &[EventType::UserDelete]), of_tenant(other.configured("other", &[]))];
    let world = World::with(database, |settings| {
        with_other_tenant(settings);
        settings.webhooks = receivers;
    })
    .await;
    let service = world.service_that(Some(other_tenant()), None).await;
    let made = service.user_with(json!({})).await;
    let ours = world.service_that(Some(countersign_domain::ids::TenantId::DEFAULT), None).await;
    let gone = ours.user_with(json!({})).await;
    ours.call("DELETE", &format!("/user/{}?hardDelete=true", gone.id)).await.ok();
    let received = other.gets(&["user.create"]).await;
    assert_eq!(
        (&received[0].event["user"]["id"], &received[0].event["tenantId"]),
        (&json!(made.id), &json!(OTHER_TENANT))
    );
    let received = some.gets(&["user.delete"]).await;
    assert_eq!(received[0].event["user"]["id"], gone.id);
}

#[on_each_database]
async fn private_addresses_are_refused_by_number_and_by_name(database: DatabaseKind) {
    let receiver = Receiver::start().await;
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
        let url = WebhookUrl::parse(&format!("http://{host}:{}/events", receiver.port())).unwrap();
        let configured = Configured { url, allows_private_addresses: false, ..receiver.configured("crm", &[]) };
        let world = start(database, vec![configured]).await;
        world.user("ada").await;
        let tried = "SELECT count(*) AS number FROM webhook_events WHERE attempts > 0 AND lease_owner IS NULL";
        until("an attempt that failed", || world.database().number(tried) == 1).await;
        assert_eq!(receiver.requests(), 0, "{host} was connected to");
    }
}

#[on_each_database]
async fn a_redirect_is_not_followed(database: DatabaseKind) {
    let (first, second) = (Receiver::start().await, Receiver::start().await);
    first.behaves(Manner::Redirects(second.url()));
    let world = start(database, vec![first.configured("crm", &[])]).await;
    world.user("ada").await;
    until("the first request", || first.requests() > 0).await;
    let tried = "SELECT count(*) AS number FROM webhook_events WHERE attempts > 0 AND lease_owner IS NULL";
    until("the end of the attempt", || world.database().number(tried) == 1).await;
    assert_eq!((second.requests(), first.received().len()), (0, 0));
}

#[on_each_database]
async fn what_is_never_taken_is_given_up_after_three_days_and_counted(database: DatabaseKind) {
    let receiver = Receiver::start().await;
    receiver.behaves(Manner::Responds(503));
    let configured = receiver.configured("crm", &[]);
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.webhooks = vec![configured];
        settings.operations = Some("127.0.0.1:0".parse().unwrap());
        // Housekeeping would be an hour late, and says nothing.
        settings.retention.interval = Duration::from_secs(3600);
    })
    .await;
    world.user("ada").await;
    until("the first request", || receiver.requests() > 0).await;
    assert_eq!(world.database().number(WAITING), 1);
    world.clock.advance(LIFETIME);
    until("the end of the event", || world.database().number(WAITING) == 0).await;
    let text = reqwest::get(format!("http://{}/metrics", world.operations())).await.unwrap().text().await.unwrap();
    let dead = r#"countersign_webhook_deliveries_total{receiver="crm",result="dead"} 1"#;
    assert!(text.contains(dead), "{text}");
    assert!(text.contains("countersign_webhook_events_waiting 0"), "{text}");
}

/// The environment of a process that sends to a receiver.
fn environment(receiver: &Receiver) -> String {
    let webhook = json!({"name": "crm", "url": receiver.url(), "secret": SECRET, "allow_private_addresses": true});
    Value::from(vec![webhook]).to_string()
}

#[on_each_database]
async fn events_survive_that_server_and_receiver_are_killed(database: DatabaseKind) {
    let directory = tempdir().unwrap();
    let mut receiver = Receiver::start().await;
    let webhooks = environment(&receiver);
    receiver.kill();
    let mut process = Process::start(database, directory.path(), &[("COUNTERSIGN_WEBHOOKS", webhooks.as_str())]);
    let users = [process.user("ada").await, process.user("bob").await];
    process.kill_9();
    receiver.restart().await;
    assert!(receiver.received().is_empty());
    process.restart();
    let begun = Instant::now();
    // An event that was on its way waits for the end of its lease, and may arrive twice.
    while process.database().number(WAITING) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", process.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let received = receiver.received();
    let emails: BTreeSet<_> = received.iter().map(|one| one.event["user"]["email"].as_str().unwrap()).collect();
    assert_eq!(emails, users.iter().map(|user| user.email.as_str()).collect());
    assert!(!process.log().contains(SECRET));
}

/// Two nodes, each of which takes requests, send each event once.
#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_send_each_event_once_while_nothing_fails() {
    let receiver = Receiver::start().await;
    let configured = receiver.configured("crm", &[]);
    let keyring = tempdir().unwrap();
    let change = |settings: &mut countersign::config::Settings| {
        cheap_passwords(settings);
        settings.webhooks = vec![configured.clone()];
        settings.keyring = KeyringSource::DefaultFile(keyring.path().join("keyring"));
    };
    let first = World::on(DatabaseKind::Postgres, Time::System, change).await;
    let second = World::sharing(first.database(), Time::System, change).await;
    for number in 0..20 {
        let node = if number % 2 == 0 { &first } else { &second };
        node.user(&format!("user{number}")).await;
    }
    receiver.gets(&["user.create"; 20]).await;
    until("the end of the events", || first.database().number(WAITING) == 0).await;
    assert_eq!((receiver.requests(), receiver.received().len()), (20, 20));
}
