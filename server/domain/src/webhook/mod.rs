//! Webhooks: which events of the audit trail are sent to servers of an operator, and in which form.
//!
//! What is sent ([`crate::webhook_event`]) is stored in the transaction of the event, one row for each receiver, and delivered after it:
//! at least once, in no certain order. Form and signature are those of FusionAuth (docs, "Events & Webhooks"), so that receivers
//! written for it can be kept.

mod event_type;
mod signature;

pub use event_type::EventType;
pub use signature::{SHORTEST_SECRET, SIGNATURE_HEADER, Secret};

use crate::ids::TenantId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long delivery is tried: three days, so that a receiver that fails on a Friday evening can be repaired on Monday.
pub const LIFETIME: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// What a receiver gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Name of the receiver, which rows, log and metrics have. Not its URL, which may hold a credential and may change.
    pub receiver: String,
    pub events: BTreeSet<EventType>,
    /// `None` for those of all tenants.
    pub tenant_id: Option<TenantId>,
}

impl Subscription {
    /// Whether an event of this tenant is sent to the receiver.
    #[must_use]
    pub fn wants(&self, event: EventType, tenant_id: TenantId) -> bool {
        self.events.contains(&event) && self.tenant_id.is_none_or(|own| own == tenant_id)
    }
}

/// How events are sent. An audit event that has this is followed by what is sent of it, in the same transaction.
#[derive(Clone, Debug)]
pub struct Webhooks {
    pub subscriptions: Arc<[Subscription]>,
    /// The client's own description; empty if it has none.
    pub user_agent: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_gets_what_it_asked_for() {
        let other = TenantId::parse("11111111-1111-4111-8111-111111111111").expect("an id");
        let (added, failed) = (EventType::MethodAdd, EventType::LoginFailed);
        for (events, tenant_id, event, of, expected) in [
            (vec![added, failed], None, added, TenantId::DEFAULT, true),
            (vec![added], None, failed, TenantId::DEFAULT, false),
            (vec![added], Some(TenantId::DEFAULT), added, TenantId::DEFAULT, true),
            (vec![added], Some(other), added, TenantId::DEFAULT, false),
            (vec![], None, added, TenantId::DEFAULT, false),
        ] {
            let events = events.into_iter().collect();
            let subscription = Subscription { receiver: "crm".to_owned(), events, tenant_id };
            assert_eq!(subscription.wants(event, of), expected, "{subscription:?} {event:?} {of}");
        }
    }
}
