//! Events of the audit log.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::audit_events;
use crate::work::StoredAuditEvent;
use countersign_domain::actor::{Actor, OperatorName};
use countersign_domain::audit::{AuditEvent, RequestIds};
use countersign_domain::ids::{AccountId, ApiKeyId, AuditId, SessionId};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub(crate) struct AuditEventRow {
    id: String,
    at: i64,
    kind: String,
    account_id: Option<String>,
    session_id: Option<String>,
    factor: Option<String>,
    dialect: String,
    ip_address: String,
    api_key_id: Option<String>,
    actor: Option<String>,
    operator: Option<String>,
    request_id: Option<String>,
    trace_id: Option<String>,
}

impl From<&AuditEvent> for AuditEventRow {
    fn from(event: &AuditEvent) -> Self {
        Self {
            id: event.id.to_text(),
            at: event.at.as_millis(),
            kind: event.kind.name().to_owned(),
            account_id: event.account_id.map(AccountId::to_text),
            session_id: event.session_id.map(SessionId::to_text),
            factor: event.factor.map(|factor| factor.name().to_owned()),
            dialect: event.dialect.to_owned(),
            ip_address: event.ip_address.clone(),
            api_key_id: event.actor.api_key_id().map(ApiKeyId::to_text),
            actor: Some(event.actor.kind().to_owned()),
            operator: event.actor.operator().map(OperatorName::to_string),
            request_id: event.request.request_id.clone(),
            trace_id: event.request.trace_id.clone(),
        }
    }
}

impl TryFrom<AuditEventRow> for StoredAuditEvent {
    type Error = StoreError;

    fn try_from(row: AuditEventRow) -> Result<Self, StoreError> {
        let api_key_id = row.api_key_id.as_deref().and_then(ApiKeyId::parse);
        Ok(Self {
            id: AuditId::parse(&row.id).ok_or(corrupt("audit_events", "its id"))?,
            at: Timestamp::from_millis(row.at),
            kind: row.kind,
            account_id: row.account_id.as_deref().and_then(AccountId::parse),
            session_id: row.session_id.as_deref().and_then(SessionId::parse),
            factor: row.factor,
            dialect: row.dialect,
            ip_address: row.ip_address,
            actor: Actor::of_stored(row.actor.as_deref(), api_key_id, row.operator.as_deref()),
            request: RequestIds { request_id: row.request_id, trace_id: row.trace_id },
        })
    }
}
