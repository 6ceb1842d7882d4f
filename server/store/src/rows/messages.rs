//! Messages to users.

use super::corrupt;
use crate::error::StoreError;
use crate::schema::messages;
use countersign_domain::ids::{AccountId, MessageId};
use countersign_domain::keyring::Sealed;
use countersign_domain::message::{Channel, NewMessage, StoredMessage};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Queued,
    Sent,
    /// It could not be delivered.
    Dead,
    /// A newer one took its place.
    Superseded,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Superseded => "superseded",
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub(crate) struct NewMessageRow {
    id: String,
    account_id: String,
    kind: String,
    channel: String,
    topic: Option<Vec<u8>>,
    key_id: String,
    sealed: Vec<u8>,
    state: String,
    attempts: i64,
    next_attempt_at: Option<i64>,
    created_at: i64,
    dead_at: i64,
}

impl From<&NewMessage> for NewMessageRow {
    fn from(message: &NewMessage) -> Self {
        Self {
            id: message.id.to_text(),
            account_id: message.account_id.to_text(),
            kind: message.kind.name().to_owned(),
            channel: message.channel.name().to_owned(),
            topic: message.topic.map(|topic| topic.to_vec()),
            key_id: message.sealed.key_id.clone(),
            sealed: message.sealed.bytes.clone(),
            state: State::Queued.name().to_owned(),
            attempts: 0,
            next_attempt_at: Some(message.due_at.as_millis()),
            created_at: message.created_at.as_millis(),
            dead_at: message.dead_at.as_millis(),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
pub(crate) struct MessageRow {
    id: String,
    account_id: String,
    kind: String,
    channel: String,
    key_id: String,
    sealed: Vec<u8>,
    attempts: i64,
    created_at: i64,
    dead_at: i64,
}

impl TryFrom<MessageRow> for StoredMessage {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: MessageId::parse(&row.id).ok_or_else(|| corrupt("messages", "id"))?,
            account_id: AccountId::parse(&row.account_id).ok_or_else(|| corrupt("messages", "account_id"))?,
            kind: row.kind,
            channel: Channel::parse(&row.channel).ok_or_else(|| corrupt("messages", "channel"))?,
            sealed: Sealed { key_id: row.key_id, bytes: row.sealed },
            created_at: Timestamp::from_millis(row.created_at),
            dead_at: Timestamp::from_millis(row.dead_at),
            attempts: u32::try_from(row.attempts).map_err(|_| corrupt("messages", "attempts"))?,
        })
    }
}
