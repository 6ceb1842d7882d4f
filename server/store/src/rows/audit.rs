//! Events of the audit trail, and its blocks.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::{audit_blocks, audit_events};
use crate::work::StoredAuditEvent;
use countersign_domain::actor::{Actor, OperatorName};
use countersign_domain::audit::{AuditEvent, RequestIds};
use countersign_domain::audit_chain::{Block, BlockHash, BlockMac, EventContent, StoredBlock, WrittenEvent};
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
    mac: Option<Vec<u8>>,
}

impl From<&AuditEvent> for AuditEventRow {
    fn from(event: &AuditEvent) -> Self {
        let mut row = Self {
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
            mac: None,
        };
        row.mac = event.keys.as_ref().map(|keys| keys.event_mac(&row.content()).to_vec());
        row
    }
}

impl AuditEventRow {
    /// What the chain protects. A column that is added to the table belongs into it.
    fn content(&self) -> EventContent {
        EventContent {
            id: self.id.clone(),
            at: self.at,
            kind: self.kind.clone(),
            account_id: self.account_id.clone(),
            session_id: self.session_id.clone(),
            factor: self.factor.clone(),
            dialect: self.dialect.clone(),
            ip_address: self.ip_address.clone(),
            api_key_id: self.api_key_id.clone(),
            actor: self.actor.clone(),
            operator: self.operator.clone(),
            request_id: self.request_id.clone(),
            trace_id: self.trace_id.clone(),
        }
    }
}

impl From<AuditEventRow> for WrittenEvent {
    fn from(row: AuditEventRow) -> Self {
        Self { content: row.content(), mac: row.mac }
    }
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = audit_blocks)]
pub(crate) struct AuditBlockRow {
    number: i64,
    previous: Vec<u8>,
    events: i64,
    first_at: i64,
    last_at: i64,
    unsigned_until: i64,
    hash: Vec<u8>,
    entries: Vec<u8>,
    is_checkpoint: bool,
    key_id: String,
    mac: Vec<u8>,
}

impl From<&StoredBlock> for AuditBlockRow {
    fn from(stored: &StoredBlock) -> Self {
        let StoredBlock { block, entries, is_checkpoint, mac } = stored;
        Self {
            number: block.number,
            previous: block.previous.as_bytes().to_vec(),
            events: block.events,
            first_at: block.first_at.as_millis(),
            last_at: block.last_at.as_millis(),
            unsigned_until: block.unsigned_until.as_millis(),
            hash: block.hash.as_bytes().to_vec(),
            entries: entries.clone(),
            is_checkpoint: *is_checkpoint,
            key_id: mac.key_id.clone(),
            mac: mac.mac.clone(),
        }
    }
}

impl From<AuditBlockRow> for StoredBlock {
    fn from(row: AuditBlockRow) -> Self {
        let block = Block {
            number: row.number,
            previous: BlockHash::of_stored(&row.previous),
            events: row.events,
            first_at: Timestamp::from_millis(row.first_at),
            last_at: Timestamp::from_millis(row.last_at),
            unsigned_until: Timestamp::from_millis(row.unsigned_until),
            hash: BlockHash::of_stored(&row.hash),
        };
        let mac = BlockMac { key_id: row.key_id, mac: row.mac };
        Self { block, entries: row.entries, is_checkpoint: row.is_checkpoint, mac }
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
