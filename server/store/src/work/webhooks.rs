//! Events that wait to be sent to receivers of webhooks.

use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::ids::{AccountId, WebhookEventId};
use countersign_domain::time::Timestamp;

/// An event on its way to one receiver.
#[derive(Clone, Debug)]
pub struct StoredWebhookEvent {
    /// Another receiver's copy has the same.
    pub id: WebhookEventId,
    pub receiver: String,
    /// The name of its type; one that this version does not know is of a later version.
    pub event_type: String,
    pub account_id: AccountId,
    pub body: String,
    /// Attempts to deliver it, the present one included.
    pub attempts: u32,
    pub dead_at: Timestamp,
}

/// Takes the events that are due for a receiver, the oldest first: no other node does before the lease ends.
#[derive(Clone, Debug)]
pub struct TakeWebhookEvents {
    pub receiver: String,
    /// The process that takes them, by a name of its own.
    pub owner: String,
    pub now: Timestamp,
    pub lease_ends_at: Timestamp,
    /// At most so many.
    pub limit: u32,
}

/// The end of an attempt to deliver an event.
#[derive(Clone, Debug)]
pub struct FinishWebhookEvent {
    pub id: WebhookEventId,
    pub receiver: String,
    /// As in [`TakeWebhookEvents`]; after its lease the event may be another process's.
    pub owner: String,
    pub decision: Redelivery,
}

/// What waits to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookQueue {
    pub waiting: u64,
    /// When the oldest event was stored.
    pub oldest: Option<Timestamp>,
}
