//! Events for receivers of webhooks.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::webhook_events;
use crate::work::StoredWebhookEvent;
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, WebhookEventId};
use countersign_domain::time::Timestamp;
use countersign_domain::webhook::{EventType, LIFETIME};
use countersign_domain::webhook_event::WebhookBody;
use diesel::prelude::*;

#[derive(Insertable)]
#[diesel(table_name = webhook_events)]
pub(crate) struct NewWebhookEventRow {
    event_id: String,
    receiver: String,
    event_type: String,
    account_id: String,
    body: String,
    attempts: i64,
    next_attempt_at: i64,
    created_at: i64,
    dead_at: i64,
}

impl NewWebhookEventRow {
    pub(crate) fn new(
        audit: &AuditEvent,
        account_id: AccountId,
        event: EventType,
        body: &WebhookBody,
        receiver: &str,
    ) -> Self {
        Self {
            event_id: body.id.to_text(),
            receiver: receiver.to_owned(),
            event_type: event.name().to_owned(),
            account_id: account_id.to_text(),
            body: body.text.clone(),
            attempts: 0,
            next_attempt_at: audit.at.as_millis(),
            created_at: audit.at.as_millis(),
            dead_at: (audit.at + LIFETIME).as_millis(),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_events)]
pub(crate) struct WebhookEventRow {
    event_id: String,
    receiver: String,
    event_type: String,
    account_id: String,
    body: String,
    attempts: i64,
    dead_at: i64,
}

impl TryFrom<WebhookEventRow> for StoredWebhookEvent {
    type Error = StoreError;

    fn try_from(row: WebhookEventRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: WebhookEventId::parse(&row.event_id).ok_or_else(|| corrupt("webhook_events", "event_id"))?,
            receiver: row.receiver,
            event_type: row.event_type,
            account_id: AccountId::parse(&row.account_id).ok_or_else(|| corrupt("webhook_events", "account_id"))?,
            body: row.body,
            attempts: u32::try_from(row.attempts).map_err(|_| corrupt("webhook_events", "attempts"))?,
            dead_at: Timestamp::from_millis(row.dead_at),
        })
    }
}
