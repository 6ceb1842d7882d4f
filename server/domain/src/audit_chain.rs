//! The chain of the audit trail: what finds an event that was removed, changed, inserted or exchanged.
//!
//! Events are written by many transactions at once, on any node, and become visible in another order than that of their times. A
//! chain from event to event would have each of these transactions wait for the one before. So events are written one by one, each
//! with a MAC of its own, and are sealed in *blocks* a moment later, by one transaction at a time:
//!
//! * A block takes events that are in none yet, in the order of (time, id). Its hash is that of its number, of the hash of the
//!   block before, and of everything that is stored of its events. So the last hash stands for the whole trail.
//! * The block has a MAC over all of this under a key of the ring, which the database does not hold: who can write to the
//!   database cannot make a block, nor change one.
//! * The MAC of an event is compared when it is sealed. Without it, a row that is inserted into the table would be sealed as if the
//!   server had written it. An event whose MAC is wrong is put aside ([`REFUSED`]) and reported. After that the block protects the
//!   event, so that the retirement of a key need not wait for events, of which there are many, but for blocks only.
//! * Retention removes whole blocks, the oldest first. The row of the last one that was removed stays as a *checkpoint*, with a MAC
//!   that says so: nobody but the server can begin the trail later than it began.
//!
//! What this does not find, by itself:
//!
//! * An event that is deleted before it was sealed: for a second or two after it was written, or as long as no server runs.
//! * A trail that is cut off at its end, or is put back to an earlier state as a whole. A later head that was noted finds that:
//!   the server logs its head, and a running server notices as well.
//! * For a day after the upgrade from a version without the chain, an event without a MAC: nodes of that version write none.
//! * What somebody does who holds the keyring, too.

mod check;

pub use check::{Fault, FaultKind, check_block, check_unsealed, refused};

use crate::ids::AuditId;
use crate::keyring::{Keyring, Purpose};
use crate::time::Timestamp;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

/// The most events of a block: some milliseconds of work, and what a reader has in memory at once.
pub const MOST_EVENTS: u32 = 500;

/// The longest time that the events of a block span: an hour. By so much, at most, retention keeps an event for too long.
pub const LONGEST_SPAN: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// The number that events have, in the place of that of a block, which the server refused to seal.
pub const REFUSED: i64 = 0;

/// Bytes of an entry in the list of a block's events: an id, and the first bytes of the digest of its content.
const ENTRY: usize = 16 + DIGEST_PREFIX;
/// The list only says which event a wrong hash comes from.
const DIGEST_PREFIX: usize = 8;

/// The keys that authenticate the trail.
#[derive(Clone, Debug)]
pub struct TrailKeys(Arc<Keyring>);

impl TrailKeys {
    #[must_use]
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self(keyring)
    }

    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.0
    }

    /// The MAC that an event is written with.
    #[must_use]
    pub fn event_mac(&self, event: &EventContent) -> [u8; 32] {
        self.0.mac(Purpose::AuditEvent, &event.encode_with_id())
    }

    /// Whether an event has the MAC that it was written with. Any key of the ring will do.
    #[must_use]
    pub fn has_written(&self, event: &EventContent, mac: &[u8]) -> bool {
        self.0.verify(Purpose::AuditEvent, &event.encode_with_id(), mac)
    }
}

/// An event as it is stored: the columns of its row, whatever they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventContent {
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    pub kind: String,
    pub account_id: Option<String>,
    pub session_id: Option<String>,
    pub factor: Option<String>,
    pub dialect: String,
    pub ip_address: String,
    pub api_key_id: Option<String>,
    pub actor: Option<String>,
    pub operator: Option<String>,
    pub request_id: Option<String>,
    pub trace_id: Option<String>,
}

impl EventContent {
    /// Everything but the id. Each text stands behind its length, so that no two contents have one encoding.
    fn encode(&self) -> Vec<u8> {
        let Self {
            id: _,
            at,
            kind,
            account_id,
            session_id,
            factor,
            dialect,
            ip_address,
            api_key_id,
            actor,
            operator,
            request_id,
            trace_id,
        } = self;
        let mut bytes = b"countersign/v1/audit-event\0".to_vec();
        bytes.extend(at.to_be_bytes());
        for text in [Some(kind), account_id.as_ref(), session_id.as_ref(), factor.as_ref(), Some(dialect)] {
            push(&mut bytes, text);
        }
        for text in [Some(ip_address), api_key_id.as_ref(), actor.as_ref(), operator.as_ref()] {
            push(&mut bytes, text);
        }
        push(&mut bytes, request_id.as_ref());
        push(&mut bytes, trace_id.as_ref());
        bytes
    }

    fn encode_with_id(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        push(&mut bytes, Some(&self.id));
        bytes.extend(self.encode());
        bytes
    }

    fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }

    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.at)
    }

    /// Events of a block are in the order of this.
    #[must_use]
    pub fn place(&self) -> (i64, &str) {
        (self.at, &self.id)
    }
}

fn push(bytes: &mut Vec<u8>, text: Option<&String>) {
    match text {
        None => bytes.push(0),
        Some(text) => {
            bytes.push(1);
            bytes.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
    }
}

/// An event as it was written.
#[derive(Clone, Debug)]
pub struct WrittenEvent {
    pub content: EventContent,
    /// `None` if it was written without.
    pub mac: Option<Vec<u8>>,
}

/// The hash of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHash([u8; 32]);

impl BlockHash {
    /// What the first block has in the place of the hash of the one before.
    pub const NONE: Self = Self([0; 32]);

    /// Reads what is stored. Bytes that are no hash become one that no block has.
    #[must_use]
    pub fn of_stored(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or_else(|_| Sha256::digest(bytes).into()))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// The last block of the trail, or an earlier one: it stands for everything up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub number: i64,
    pub hash: BlockHash,
}

impl Head {
    /// Reads what its `Display` writes: the number, a colon and 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, hash) = text.split_once(':')?;
        let number = number.parse().ok().filter(|number| *number > 0)?;
        let bytes = HEXLOWER.decode(hash.to_ascii_lowercase().as_bytes()).ok()?;
        Some(Self { number, hash: BlockHash(bytes.try_into().ok()?) })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.number, self.hash)
    }
}

/// What is known of a block without its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Counted from one.
    pub number: i64,
    /// Hash of the block before.
    pub previous: BlockHash,
    pub events: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// Until then an event without a MAC counts as one that a node of a version before the chain has written. The same in all blocks.
    pub unsigned_until: Timestamp,
    pub hash: BlockHash,
}

impl Block {
    /// The block that these events make, which are in the order of the trail; `None` without events.
    #[must_use]
    pub fn of(number: i64, previous: BlockHash, unsigned_until: Timestamp, events: &[EventContent]) -> Option<Self> {
        let (first_at, last_at) = (events.first()?.at(), events.last()?.at());
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let mut hash = Sha256::new();
        hash.update(b"countersign/v1/audit-block\0");
        hash.update(number.to_be_bytes());
        hash.update(previous.0);
        hash.update(unsigned_until.as_millis().to_be_bytes());
        hash.update(count.to_be_bytes());
        for event in events {
            hash.update(Sha256::digest(&event.id));
            hash.update(event.digest());
        }
        let hash = BlockHash(hash.finalize().into());
        Some(Self { number, previous, events: count, first_at, last_at, unsigned_until, hash })
    }

    #[must_use]
    pub fn head(&self) -> Head {
        Head { number: self.number, hash: self.hash }
    }

    fn message(&self, is_checkpoint: bool) -> Vec<u8> {
        let Self { number, previous, events, first_at, last_at, unsigned_until, hash } = self;
        let mut bytes = if is_checkpoint { b"checkpoint\0".to_vec() } else { b"block\0".to_vec() };
        for part in [*number, *events, first_at.as_millis(), last_at.as_millis(), unsigned_until.as_millis()] {
            bytes.extend(part.to_be_bytes());
        }
        bytes.extend(previous.0);
        bytes.extend(hash.0);
        bytes
    }
}

/// The MAC of a block, and the key that it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMac {
    pub key_id: String,
    pub mac: Vec<u8>,
}

/// Why a block is not known to be the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// The key of its MAC is not in the ring.
    KeyMissing(String),
    MacWrong,
}

/// A block as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    pub block: Block,
    /// Its events in their order, each with its id and the beginning of the digest of its content: says which of them a wrong hash
    /// comes from. Empty for a checkpoint.
    pub entries: Vec<u8>,
    /// Whether its events were removed because of their age.
    pub is_checkpoint: bool,
    pub mac: BlockMac,
}

impl StoredBlock {
    /// The block of these events with its MAC by the active key.
    #[must_use]
    pub fn seal(block: Block, events: &[EventContent], keyring: &Keyring) -> Self {
        let mac = mac_of(&block, false, keyring);
        Self { block, entries: entries(events), is_checkpoint: false, mac }
    }

    /// What stays of the block when its events are removed.
    #[must_use]
    pub fn checkpoint(self, keyring: &Keyring) -> Self {
        let mac = mac_of(&self.block, true, keyring);
        Self { entries: Vec::new(), is_checkpoint: true, mac, ..self }
    }

    /// Compares the MAC with the row.
    ///
    /// # Errors
    /// If the row was not written by a server with this keyring.
    pub fn prove(&self, keyring: &Keyring) -> Result<(), Unproven> {
        let BlockMac { key_id, mac } = &self.mac;
        match keyring.verify_by(key_id, Purpose::AuditBlock, &self.block.message(self.is_checkpoint), mac) {
            None => Err(Unproven::KeyMissing(key_id.clone())),
            Some(false) => Err(Unproven::MacWrong),
            Some(true) => Ok(()),
        }
    }

    /// The same row with its MAC by the active key, if the MAC that it has is right.
    ///
    /// # Errors
    /// As [`StoredBlock::prove`].
    pub fn reseal(&self, keyring: &Keyring) -> Result<BlockMac, Unproven> {
        self.prove(keyring)?;
        Ok(mac_of(&self.block, self.is_checkpoint, keyring))
    }
}

fn mac_of(block: &Block, is_checkpoint: bool, keyring: &Keyring) -> BlockMac {
    let (mac, key_id) = keyring.mac_by_active(Purpose::AuditBlock, &block.message(is_checkpoint));
    BlockMac { key_id, mac: mac.to_vec() }
}

fn entries(events: &[EventContent]) -> Vec<u8> {
    let entry = |event: &EventContent| {
        let id = AuditId::parse(&event.id).map_or([0; 16], |id| *id.as_bytes());
        [&id[..], &event.digest()[..DIGEST_PREFIX]].concat()
    };
    events.iter().flat_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    pub(super) fn keyring(seed: u64) -> Keyring {
        Keyring::generate(&mut ChaCha20Rng::seed_from_u64(seed))
    }

    pub(super) fn event(number: u8) -> EventContent {
        EventContent {
            id: format!("{:032x}", 0x0190_0000_0000_7000_8000_0000_0000_0000_u128 + u128::from(number)),
            at: 1_000 + i64::from(number),
            kind: "signed-in".to_owned(),
            account_id: Some("a".to_owned()),
            session_id: Some("s".to_owned()),
            factor: Some("totp".to_owned()),
            dialect: "better-auth".to_owned(),
            ip_address: "192.0.2.1".to_owned(),
            api_key_id: Some("k".to_owned()),
            actor: Some("user".to_owned()),
            operator: Some("o".to_owned()),
            request_id: Some("r".to_owned()),
            trace_id: Some("t".to_owned()),
        }
    }

    /// The event with each of its columns changed in turn, also to none and to what a neighbour holds.
    pub(super) fn changes(event: &EventContent) -> Vec<EventContent> {
        let mut changed = Vec::new();
        let mut change = |apply: &dyn Fn(&mut EventContent)| {
            let mut event = event.clone();
            apply(&mut event);
            changed.push(event);
        };
        change(&|event| event.at += 1);
        change(&|event| event.kind.push('x'));
        change(&|event| event.dialect.clear());
        change(&|event| event.ip_address.push('1'));
        for value in [None, Some(String::new()), Some("x".to_owned())] {
            change(&|event| event.account_id.clone_from(&value));
            change(&|event| event.session_id.clone_from(&value));
            change(&|event| event.factor.clone_from(&value));
            change(&|event| event.api_key_id.clone_from(&value));
            change(&|event| event.actor.clone_from(&value));
            change(&|event| event.operator.clone_from(&value));
            change(&|event| event.request_id.clone_from(&value));
            change(&|event| event.trace_id.clone_from(&value));
        }
        // The same letters, in other columns.
        change(&|event| (event.account_id, event.session_id) = (Some("as".to_owned()), Some(String::new())));
        change(&|event| (event.request_id, event.trace_id) = (None, event.request_id.clone()));
        changed
    }

    #[test]
    fn no_two_contents_have_one_encoding() {
        let mut all = changes(&event(1));
        all.push(event(1));
        let mut encodings: Vec<_> = all.iter().map(EventContent::encode).collect();
        encodings.sort();
        encodings.dedup();
        assert_eq!(encodings.len(), all.len());
    }

    #[test]
    fn an_event_has_a_mac_of_its_own() {
        let keys = TrailKeys::new(Arc::new(keyring(1)));
        let mac = keys.event_mac(&event(1));
        assert!(keys.has_written(&event(1), &mac));
        for changed in changes(&event(1)) {
            assert!(!keys.has_written(&changed, &mac), "{changed:?}");
        }
        let moved = EventContent { id: event(2).id, ..event(1) };
        assert!(!keys.has_written(&moved, &mac) && !keys.has_written(&event(1), &[]));
        assert!(!TrailKeys::new(Arc::new(keyring(2))).has_written(&event(1), &mac));
    }

    #[test]
    fn every_part_of_a_block_is_in_its_mac() {
        let keyring = keyring(1);
        let events = [event(1), event(2)];
        let block = Block::of(7, BlockHash([9; 32]), Timestamp::from_millis(5), &events).expect("events");
        let sealed = StoredBlock::seal(block, &events, &keyring);
        assert_eq!(sealed.prove(&keyring), Ok(()));
        let changes: [fn(&mut StoredBlock); 9] = [
            |row| row.block.number += 1,
            |row| row.block.previous = BlockHash::NONE,
            |row| row.block.events += 1,
            |row| row.block.first_at = Timestamp::from_millis(0),
            |row| row.block.last_at = Timestamp::from_millis(0),
            |row| row.block.unsigned_until = Timestamp::from_millis(i64::MAX),
            |row| row.block.hash = BlockHash::NONE,
            |row| row.is_checkpoint = true,
            |row| row.mac.mac.truncate(31),
        ];
        for change in changes {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert_eq!(changed.prove(&keyring), Err(Unproven::MacWrong), "{changed:?}");
            assert_eq!(changed.reseal(&keyring), Err(Unproven::MacWrong), "{changed:?}");
        }
        let checkpoint = sealed.clone().checkpoint(&keyring);
        assert_eq!((checkpoint.prove(&keyring), checkpoint.entries.len()), (Ok(()), 0));
        let block_again = StoredBlock { is_checkpoint: false, ..checkpoint };
        assert_eq!(block_again.prove(&keyring), Err(Unproven::MacWrong));
        let stranger = self::keyring(2);
        assert_eq!(sealed.prove(&stranger), Err(Unproven::KeyMissing(keyring.active_id())));
    }

    #[test]
    fn a_block_is_sealed_anew_by_the_active_key() {
        let (old, new) = (keyring(1), keyring(2));
        let events = [event(1)];
        let block = Block::of(1, BlockHash::NONE, Timestamp::from_millis(5), &events).expect("an event");
        for is_checkpoint in [false, true] {
            let mut sealed = StoredBlock::seal(block.clone(), &events, &old);
            if is_checkpoint {
                sealed = sealed.checkpoint(&old);
            }
            let both = Keyring::parse(&format!("{}{}", *new.to_text(), *old.to_text())).expect("two keys");
            sealed.mac = sealed.reseal(&both).expect("the old key is there");
            assert_eq!((sealed.mac.key_id.clone(), sealed.prove(&new)), (new.active_id(), Ok(())));
        }
    }

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head { number: 12, hash: BlockHash([0xab; 32]) };
        let text = head.to_string();
        assert_eq!(text, format!("12:{}", "ab".repeat(32)));
        assert_eq!(Head::parse(&text), Some(head));
        assert_eq!(Head::parse(&text.to_uppercase()), Some(head));
        for wrong in ["", "12", "12:", "12:ab", "0:abab", "x:ab", &text[1..text.len() - 1], &format!("{text}ab")] {
            assert_eq!(Head::parse(wrong), None, "{wrong}");
        }
    }
}
