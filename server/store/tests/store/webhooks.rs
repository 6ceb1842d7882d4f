//! Events for receivers of webhooks: stored with the change that they are about, and one process's at a time.

use crate::users::{HOUR, NOON, User, audit, event};
use crate::world::{LEASE, World};
use countersign_domain::audit::{AuditContext, AuditEvent, EventKind};
use countersign_domain::decisions::factor_reset::FactorReset;
use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::time::Timestamp;
use countersign_domain::webhook::{EventType, LIFETIME, Subscription, Webhooks};
use countersign_store::work::{
    FactorsReset, FinishWebhookEvent, Purge, Purged, ResetFactors, StoredWebhookEvent, TakeWebhookEvents, WebhookQueue,
};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use futures::future::join_all;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Two receivers: one of everything, one of methods that are removed.
fn webhooks() -> Webhooks {
    let subscription = |receiver: &str, events: &[EventType]| Subscription {
        receiver: receiver.to_owned(),
        events: events.iter().copied().collect(),
        tenant_id: None,
    };
    let subscriptions = [subscription("all", EventType::ALL), subscription("removals", &[EventType::MethodRemove])];
    Webhooks { subscriptions: subscriptions.into(), user_agent: "Mozilla/5.0".to_owned() }
}

fn sent(event: AuditEvent) -> AuditEvent {
    AuditEvent { webhooks: Some(webhooks()), ..event }
}

async fn taken(world: &World, receiver: &str, owner: &str, now: Timestamp) -> Vec<StoredWebhookEvent> {
    let (receiver, owner) = (receiver.to_owned(), owner.to_owned());
    let take = TakeWebhookEvents { receiver, owner, now, lease_ends_at: now + LEASE, limit: 100 };
    world.store.take_webhook_events(take).await.unwrap()
}

async fn finished(world: &World, event: &StoredWebhookEvent, owner: &str, decision: Redelivery) -> bool {
    let (id, receiver, owner) = (event.id, event.receiver.clone(), owner.to_owned());
    world.store.finish_webhook_event(FinishWebhookEvent { id, receiver, owner, decision }).await.unwrap()
}

fn body(event: &StoredWebhookEvent) -> Value {
    serde_json::from_str::<Value>(&event.body).unwrap()["event"].take()
}

#[on_each_database]
async fn each_method_that_is_removed_is_an_event_for_each_receiver(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, _, _) = User::enrolled(world).await;
    assert_eq!(world.count("webhook_events"), 0, "no receiver was configured");
    let audit = AuditContext { webhooks: Some(webhooks()), ..audit(user.id(), NOON) };
    let reset = ResetFactors { account_id: user.id(), audit };
    let outcome = world.store.reset_factors(reset).await.unwrap();
    assert!(matches!(outcome, FactorsReset::Decided(FactorReset::SwitchOff)), "{outcome:?}");
    let (all, removals) = (taken(world, "all", "a", NOON).await, taken(world, "removals", "a", NOON).await);
    let ids = |events: &[StoredWebhookEvent]| events.iter().map(|event| event.id).collect::<BTreeSet<_>>();
    assert_eq!((ids(&all).len(), ids(&all)), (2, ids(&removals)), "{all:?}");
    let methods: BTreeSet<String> = all.iter().map(|event| body(event)["method"]["method"].to_string()).collect();
    assert_eq!(methods, ["\"authenticator\"".to_owned(), "\"email\"".to_owned()].into());
    for event in &all {
        let body = body(event);
        assert_eq!(
            (body["type"].as_str(), event.event_type.as_str()),
            (Some("user.two-factor.method.remove"), EventType::MethodRemove.name())
        );
        assert_eq!(body["user"]["id"], user.id().to_hyphenated());
    }
}

#[on_each_database]
async fn an_event_is_stored_with_its_change_and_not_without_it(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    let delete = || sent(event(EventKind::AccountDeleted, user.id(), NOON));
    assert!(world.store.delete_account((user.id(), delete())).await.unwrap());
    let events = taken(world, "all", "a", NOON).await;
    let [deleted] = events.as_slice() else { panic!("{events:?}") };
    let body = body(deleted);
    assert_eq!(
        (body["type"].as_str(), body["user"]["email"].as_str()),
        (Some("user.delete"), Some(user.email().as_str()))
    );
    // Which is rolled back, because there is nothing to delete.
    assert!(!world.store.delete_account((user.id(), delete())).await.unwrap());
    assert_eq!((world.count("webhook_events"), world.count("audit_events WHERE kind = 'account-deleted'")), (1, 1));
}

#[on_each_database]
async fn an_event_is_one_process_at_a_time_until_it_has_ended(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    world.store.record(sent(event(EventKind::PasswordChanged, user.id(), NOON))).await.unwrap();
    assert_eq!(world.store.next_webhook_event("all".to_owned()).await.unwrap(), Some(NOON));
    assert_eq!(world.store.next_webhook_event("removals".to_owned()).await.unwrap(), None);
    assert_eq!(world.store.webhook_queue(()).await.unwrap(), WebhookQueue { waiting: 1, oldest: Some(NOON) });
    assert_eq!(taken(world, "all", "a", NOON).await.len(), 1);
    assert_eq!(taken(world, "all", "b", NOON + LEASE - Duration::from_millis(1)).await.len(), 0);
    let again = taken(world, "all", "b", NOON + LEASE).await.remove(0);
    assert_eq!(again.attempts, 2, "the first process has died");
    assert!(!finished(world, &again, "a", Redelivery::Delivered).await, "it is late");
    assert!(finished(world, &again, "b", Redelivery::RetryAt(NOON + HOUR)).await);
    assert_eq!(taken(world, "all", "a", NOON + HOUR - Duration::from_millis(1)).await.len(), 0);
    let last = taken(world, "all", "a", NOON + HOUR).await.remove(0);
    assert!(finished(world, &last, "a", Redelivery::Delivered).await);
    assert_eq!(world.count("webhook_events"), 0, "nothing of the user stays");
}

#[on_each_database]
async fn many_processes_share_what_is_due_and_none_sends_twice(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    for _ in 0..60 {
        world.store.record(sent(event(EventKind::PasswordChanged, user.id(), NOON))).await.unwrap();
    }
    let takers = (0..16).map(|taker| async move {
        let mut mine = Vec::new();
        for _ in 0..20 {
            let (receiver, owner) = ("all".to_owned(), format!("{taker}"));
            let take = TakeWebhookEvents { receiver, owner, now: NOON, lease_ends_at: NOON + LEASE, limit: 3 };
            let taken = world.store.take_webhook_events(take).await.unwrap();
            assert!(taken.len() <= 3, "{}", taken.len());
            mine.extend(taken.into_iter().map(|event| event.id));
        }
        mine
    });
    let taken: Vec<_> = join_all(takers).await.into_iter().flatten().collect();
    assert_eq!((taken.len(), taken.iter().collect::<BTreeSet<_>>().len()), (60, 60));
}

#[on_each_database]
async fn what_no_node_sends_goes_an_hour_after_its_end(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    world.store.record(sent(event(EventKind::PasswordChanged, user.id(), NOON))).await.unwrap();
    for (at, expected) in [(NOON + LIFETIME, 0), (NOON + LIFETIME + HOUR, 1)] {
        let Purged { webhook_events, .. } = world.store.purge(Purge { now: at, batch: 100 }).await.unwrap();
        assert_eq!(webhook_events, expected);
    }
}
