//! Events of the audit log.

use crate::schema::audit_events;
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, ApiKeyId, SessionId};
use diesel::prelude::*;

#[derive(Insertable)]
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
            api_key_id: event.api_key_id.map(ApiKeyId::to_text),
        }
    }
}
