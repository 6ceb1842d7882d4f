//! Events for receivers of webhooks, from when they are stored until they are delivered.

use crate::users::{NOON, User, audit, event};
use crate::world::{LEASE, World};
use countersign_domain::audit::{AuditContext, AuditEvent, EventKind};
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::webhook::{EventType, Subscription, Webhooks};
use countersign_store::work::{FinishWebhookEvent, ResetFactors, TakeWebhookEvents};

const RECEIVER: &str = "all";

fn webhooks() -> Webhooks {
    let events = EventType::ALL.iter().copied().collect();
    let subscription = Subscription { receiver: RECEIVER.to_owned(), events, tenant_id: None };
    Webhooks { subscriptions: [subscription].into(), user_agent: String::new() }
}

pub(crate) async fn everything(world: &World) {
    let store = &world.store;
    let (user, _, _) = User::enrolled(world).await;
    let added = event(EventKind::MethodAdded, user.id(), NOON);
    let added = AuditEvent { factor: Some(Factor::Totp), webhooks: Some(webhooks()), ..added };
    store.record(added).await.unwrap();
    let audit = AuditContext { webhooks: Some(webhooks()), ..audit(user.id(), NOON) };
    store.reset_factors(ResetFactors { account_id: user.id(), audit }).await.unwrap();
    let (receiver, owner) = (RECEIVER.to_owned(), "a".to_owned());
    assert_eq!(store.next_webhook_event(receiver.clone()).await.unwrap(), Some(NOON));
    let lease_ends_at = NOON + LEASE;
    let take =
        TakeWebhookEvents { receiver: receiver.clone(), owner: owner.clone(), now: NOON, lease_ends_at, limit: 2 };
    let taken = store.take_webhook_events(take).await.unwrap();
    assert_eq!((taken.len(), store.webhook_queue(()).await.unwrap().waiting), (2, 3));
    for (event, decision) in taken.iter().zip([Redelivery::RetryAt(NOON), Redelivery::Delivered]) {
        let finish = FinishWebhookEvent { id: event.id, receiver: receiver.clone(), owner: owner.clone(), decision };
        assert!(store.finish_webhook_event(finish).await.unwrap());
    }
}
