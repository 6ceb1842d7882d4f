//! Messages as they wait to be delivered.
//!
//! A message is stored in the transaction of what it is about, and delivered after it. Its recipient and everything that it says are
//! sealed to its row, so that a copy of the database holds no usable code, link or address. The nonce is derived from what is
//! sealed (a synthetic nonce, as in RFC 8452), so that a transaction that runs again stores the same bytes.

use super::{Channel, Message, MessageKind};
use crate::address::{Address, MethodKind};
use crate::ids::{AccountId, MessageId};
use crate::keyring::{Keyring, OpenError, Purpose, Sealed};
use crate::language::Languages;
use crate::one_time_code::{OneTimeCode, Subject};
use crate::quota::{HiddenAddress, QuotaLimit, QuotaUse};
use crate::tenant::Directory;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// A use of a sending quota that is given back if the message is not delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenUse {
    pub name: String,
    /// The latest end that the window which it was taken from can have, in milliseconds since the Unix epoch. A window that ends
    /// later is another one.
    pub window_ends_by: i64,
}

impl TakenUse {
    /// The use that was taken at `now`; `None` if the quota has no window.
    #[must_use]
    pub fn of(taken: &QuotaUse, now: Timestamp) -> Option<Self> {
        match taken.limit {
            QuotaLimit::Window { window, .. } => {
                Some(Self { name: taken.name.clone(), window_ends_by: (now + window).as_millis() })
            }
            QuotaLimit::Refilling(_) => None,
        }
    }
}

/// A message that is to be sealed.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// Of no other message. That of the audit event which goes with the message is.
    pub id: MessageId,
    pub account_id: AccountId,
    pub to: &'a Address,
    pub message: &'a Message,
    /// Languages that its reader wants.
    pub languages: Languages,
    /// Messages with the same text take each other's place while they wait; at most one of them is delivered. Such as the
    /// claimant that a code is for.
    pub replaces: Option<&'a str>,
    pub taken: Vec<TakenUse>,
    pub created_at: Timestamp,
    /// From when on any node may take it. The process that stores it may take it at once, and then wants some time for that.
    pub due_at: Timestamp,
    /// When it is of no use any more: it is not sent from then on.
    pub dead_at: Timestamp,
}

/// A sealed message, to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub id: MessageId,
    pub account_id: AccountId,
    pub kind: MessageKind,
    pub channel: Channel,
    /// Keyed MAC of [`Draft::replaces`].
    pub topic: Option<[u8; 32]>,
    pub sealed: Sealed,
    pub created_at: Timestamp,
    pub due_at: Timestamp,
    pub dead_at: Timestamp,
}

/// A sealed message that was stored.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    pub id: MessageId,
    pub account_id: AccountId,
    /// [`MessageKind::name`]; one that this version does not know is of a later version.
    pub kind: String,
    pub channel: Channel,
    pub sealed: Sealed,
    pub created_at: Timestamp,
    pub dead_at: Timestamp,
    /// Attempts to deliver it, the present one included.
    pub attempts: u32,
}

/// A message that was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    pub to: Address,
    pub message: Message,
    pub languages: Languages,
    pub taken: Vec<TakenUse>,
}

/// Why a stored message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenMessageError {
    #[error("failed to open a stored message")]
    Sealed(#[from] OpenError),
    /// Written by a later version.
    #[error("a stored message is of a kind that this version does not know")]
    Unknown,
}

/// What is sealed, as JSON.
#[derive(Serialize, Deserialize)]
struct Payload {
    to: String,
    message: Message,
    /// Versions before languages have stored none.
    #[serde(default)]
    languages: Languages,
    #[serde(default)]
    taken: Vec<TakenUse>,
}

/// How notices are made. An audit event that has this is followed by its notice, in the same transaction.
#[derive(Clone, Debug)]
pub struct Notices {
    pub sealer: Sealer,
    /// How long delivery is tried.
    pub lifetime: Duration,
    /// How many notices an account gets in a day at an address that nobody has verified.
    pub unverified_a_day: u32,
    /// Knows the languages of tenants.
    pub directory: Arc<Directory>,
}

/// Seals messages; each part of the server that stores messages has one.
#[derive(Clone, Debug)]
pub struct Sealer(Arc<Keyring>);

impl Sealer {
    #[must_use]
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self(keyring)
    }

    #[must_use]
    pub fn seal(&self, draft: Draft<'_>) -> NewMessage {
        let Draft { id, account_id, to, message, languages, replaces, taken, created_at, due_at, dead_at } = draft;
        let (kind, channel) = (message.kind(), Channel::from(to));
        let payload = Payload { to: to.as_str().to_owned(), message: message.clone(), languages, taken };
        let plain = Zeroizing::new(serde_json::to_vec(&payload).expect("a message has a JSON form"));
        let row = associated_data(id, account_id, channel, kind.name());
        let sealed = self.0.seal_synthetic(Purpose::Message, Purpose::MessageTag, row.as_bytes(), &plain);
        let topic = replaces.map(|text| self.topics(text).swap_remove(0));
        NewMessage { id, account_id, kind, channel, topic, sealed, created_at, due_at, dead_at }
    }

    /// What [`Draft::replaces`] may be stored as: one form for each key of the ring, that of the active one first.
    #[must_use]
    pub fn topics(&self, replaces: &str) -> Vec<[u8; 32]> {
        self.0.macs(Purpose::MessageTag, format!("topic:{replaces}").as_bytes())
    }

    /// The stored form of a code that a message carries.
    #[must_use]
    pub fn code_mac(&self, code: &OneTimeCode, subject: &Subject, account: AccountId) -> [u8; 32] {
        code.mac(subject, account, &self.0)
    }

    /// An address as the names of quotas have it.
    #[must_use]
    pub fn hide(&self, address: &str) -> HiddenAddress {
        HiddenAddress::of(address, &self.0)
    }

    /// Opens a message.
    ///
    /// # Errors
    /// When its key is not in the ring, it was sealed for another row, or a later version wrote it.
    pub fn open(&self, stored: &StoredMessage) -> Result<Opened, OpenMessageError> {
        let row = associated_data(stored.id, stored.account_id, stored.channel, &stored.kind);
        let plain = self.0.open(Purpose::Message, row.as_bytes(), &stored.sealed)?;
        let payload: Payload = serde_json::from_slice(&plain).map_err(|_| OpenMessageError::Unknown)?;
        let kind = match stored.channel {
            Channel::Email => MethodKind::Email,
            Channel::Sms => MethodKind::Sms,
        };
        let to = Address::read(kind, &payload.to).ok_or(OpenMessageError::Unknown)?;
        Ok(Opened { to, message: payload.message, languages: payload.languages, taken: payload.taken })
    }

    /// Seals a stored message with the active key.
    ///
    /// # Errors
    /// When its key is not in the ring, or it was sealed for another row.
    pub fn reseal(&self, stored: &StoredMessage) -> Result<Sealed, OpenError> {
        let row = associated_data(stored.id, stored.account_id, stored.channel, &stored.kind);
        let plain = self.0.open(Purpose::Message, row.as_bytes(), &stored.sealed)?;
        Ok(self.0.seal_synthetic(Purpose::Message, Purpose::MessageTag, row.as_bytes(), &plain))
    }
}

fn associated_data(id: MessageId, account_id: AccountId, channel: Channel, kind: &str) -> String {
    format!("{account_id}:{}:{kind}:{id}", channel.name())
}

#[cfg(test)]
mod tests {
    use super::super::{CodePurpose, Link, LinkPurpose, Notice};
    use super::*;
    use crate::decisions::fixtures::{NOW, account_id, email, sms};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::collections::BTreeSet;

    const HOUR: Duration = Duration::from_secs(3600);

    fn ring(seed: u64) -> Arc<Keyring> {
        Arc::new(Keyring::generate(&mut ChaCha20Rng::seed_from_u64(seed)))
    }

    fn message_id(seed: u64) -> MessageId {
        MessageId::generate(NOW, &mut ChaCha20Rng::seed_from_u64(seed))
    }

    fn code() -> Message {
        let code = OneTimeCode::chosen("123456").expect("a code");
        Message::Code { purpose: CodePurpose::SignIn, code, valid_for: HOUR }
    }

    fn draft<'a>(message: &'a Message, to: &'a Address) -> Draft<'a> {
        Draft {
            id: message_id(1),
            account_id: account_id(1),
            to,
            message,
            languages: Languages::accepted("de, en"),
            replaces: Some("challenge:1"),
            taken: vec![TakenUse { name: "mailed-codes:1".to_owned(), window_ends_by: 7 }],
            created_at: NOW,
            due_at: NOW,
            dead_at: NOW + HOUR,
        }
    }

    fn stored(new: NewMessage) -> StoredMessage {
        let NewMessage { id, account_id, kind, channel, sealed, created_at, dead_at, .. } = new;
        StoredMessage {
            id,
            account_id,
            kind: kind.name().to_owned(),
            channel,
            sealed,
            created_at,
            dead_at,
            attempts: 1,
        }
    }

    #[test]
    fn a_message_opens_in_its_own_row_only_43() {
        let sealer = Sealer::new(ring(1));
        for to in [email(), sms()] {
            let mine = stored(sealer.seal(draft(&code(), &to)));
            let opened = sealer.open(&mine).expect("mine");
            assert_eq!((opened.to, opened.taken.len()), (to.clone(), 1));
            assert!(matches!(opened.message, Message::Code { code, valid_for: HOUR, .. } if code.expose() == "123456"));
            let other = if mine.channel == Channel::Email { Channel::Sms } else { Channel::Email };
            for moved in [
                StoredMessage { account_id: account_id(2), ..mine.clone() },
                StoredMessage { id: message_id(2), ..mine.clone() },
                StoredMessage { kind: MessageKind::StepUpCode.name().to_owned(), ..mine.clone() },
                StoredMessage { channel: other, ..mine.clone() },
            ] {
                assert!(matches!(sealer.open(&moved), Err(OpenMessageError::Sealed(OpenError::Damaged))), "{moved:?}");
            }
            assert!(Sealer::new(ring(2)).open(&mine).is_err());
        }
    }

    #[test]
    fn nothing_readable_is_stored_or_printed_43() {
        let sealer = Sealer::new(ring(1));
        let link = Link::new("https://app.example/reset?token=hunter2".to_owned());
        let link = Message::Link { purpose: LinkPurpose::PasswordReset, link, valid_for: HOUR };
        for message in [code(), link] {
            let sealed = sealer.seal(draft(&message, &email()));
            let bytes = String::from_utf8_lossy(&sealed.sealed.bytes).into_owned();
            let printed = format!("{message:?} {bytes}");
            for secret in ["123456", "hunter2", "ada@", "mailed-codes", "challenge:1"] {
                assert!(!printed.contains(secret), "{secret} in {printed}");
            }
        }
    }

    #[test]
    fn a_nonce_is_used_for_one_text_only() {
        let sealer = Sealer::new(ring(1));
        let nonce = |message: &Message, to: &Address| sealer.seal(draft(message, to)).sealed.bytes[..24].to_vec();
        assert_eq!(
            sealer.seal(draft(&code(), &email())),
            sealer.seal(draft(&code(), &email())),
            "it may be sealed again"
        );
        let notice = Message::Notice(Notice::FactorAdded);
        let nonces = [nonce(&code(), &email()), nonce(&code(), &sms()), nonce(&notice, &email())];
        assert_eq!(nonces.iter().collect::<BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn a_topic_is_keyed_and_of_one_text() {
        let sealer = Sealer::new(ring(1));
        assert_eq!(sealer.seal(draft(&code(), &email())).topic, Some(sealer.topics("challenge:1")[0]));
        assert_ne!(sealer.topics("challenge:1"), sealer.topics("challenge:2"));
        assert_ne!(sealer.topics("challenge:1"), Sealer::new(ring(2)).topics("challenge:1"));
    }
}
