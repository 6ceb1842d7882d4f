//! What is wrong with a block, and with events that are in none.

use super::{Block, DIGEST_PREFIX, ENTRY, EventContent, Head, StoredBlock, TrailKeys, Unproven, WrittenEvent, entries};
use crate::ids::AuditId;
use crate::keyring::Keyring;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// What was done to the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It was removed from the block.
    EventMissing(AuditId),
    EventChanged(String),
    /// The block does not have it.
    EventInserted(String),
    /// It is in no block, and the server has not written it like this: it was inserted, or changed before it was sealed.
    EventForged(String),
    /// Each has the content of the other.
    EventsExchanged(AuditId, AuditId),
    /// Blocks are missing up to this one.
    BlocksMissing {
        through: i64,
    },
    /// The row of the block is not what its events make, or events and row were changed together.
    BlockChanged,
    /// The block does not follow the one before it: blocks of several histories were put together.
    OrderChanged,
    /// The row was changed, or not written by the server.
    MacWrong,
    KeyMissing(String),
    /// The head that was noted is not part of the trail: its end was cut off, or everything was put back to an earlier state.
    HeadMissing(Head),
    /// The block of the head that was noted was removed because of its age.
    HeadTooOld(Head),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventMissing(id) => write!(formatter, "event {} is missing", id.to_hyphenated()),
            Self::EventChanged(id) => write!(formatter, "event {} was changed", hyphenated(id)),
            Self::EventInserted(id) => write!(formatter, "event {} was inserted", hyphenated(id)),
            Self::EventForged(id) => {
                write!(formatter, "event {} was inserted, or changed before it was sealed", hyphenated(id))
            }
            Self::EventsExchanged(one, other) => {
                write!(formatter, "events {} and {} were exchanged", one.to_hyphenated(), other.to_hyphenated())
            }
            Self::BlocksMissing { through } => write!(formatter, "block missing, through block {through}"),
            Self::BlockChanged => formatter.write_str("block changed: its row is not that of its events"),
            Self::OrderChanged => formatter.write_str("order changed: the block does not follow the one before it"),
            Self::MacWrong => formatter.write_str("MAC wrong: the row of the block was changed"),
            Self::KeyMissing(key) => write!(formatter, "key {key} of its MAC is not in the keyring"),
            Self::HeadMissing(head) => {
                write!(formatter, "the head {head} is not part of the trail: its end was cut off or replaced")
            }
            Self::HeadTooOld(head) => write!(
                formatter,
                "the head {head} cannot be compared, because retention has removed its block: note a later one"
            ),
        }
    }
}

/// Ids in the form of the other commands; what is no id as it is.
fn hyphenated(id: &str) -> String {
    AuditId::parse(id).map_or_else(|| id.to_owned(), AuditId::to_hyphenated)
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Number of the block; `None` for an event that is in none.
    pub block: Option<i64>,
    /// Of the event, or the first of the block; `None` where nothing is left that has a time.
    pub at: Option<Timestamp>,
    pub kind: FaultKind,
}

/// Compares a block with the one before, if that is known, and with its events, which are in the order of the trail.
#[must_use]
pub fn check_block(
    stored: &StoredBlock,
    before: Option<Head>,
    events: &[EventContent],
    keyring: &Keyring,
) -> Vec<Fault> {
    let block = &stored.block;
    let mut faults = Vec::new();
    let mut add = |at: Timestamp, kind| faults.push(Fault { block: Some(block.number), at: Some(at), kind });
    match stored.prove(keyring) {
        Ok(()) => {}
        Err(Unproven::MacWrong) => add(block.first_at, FaultKind::MacWrong),
        Err(Unproven::KeyMissing(key)) => add(block.first_at, FaultKind::KeyMissing(key)),
    }
    if stored.is_checkpoint {
        // Its events are gone, and nothing takes their place.
        for event in events {
            add(event.at(), FaultKind::EventInserted(event.id.clone()));
        }
        if !stored.entries.is_empty() {
            add(block.first_at, FaultKind::BlockChanged);
        }
        return faults;
    }
    if before.is_some_and(|before| before.hash != block.previous) {
        add(block.first_at, FaultKind::OrderChanged);
    }
    let made = Block::of(block.number, block.previous, block.unsigned_until, events);
    if made.as_ref() == Some(block) && entries(events) == stored.entries {
        return faults;
    }
    let differences = differences(stored, events);
    let is_unexplained = differences.is_empty();
    for (at, kind) in differences {
        add(at, kind);
    }
    if is_unexplained {
        add(block.first_at, FaultKind::BlockChanged);
    }
    faults
}

/// Which events are not those of the list.
fn differences(stored: &StoredBlock, events: &[EventContent]) -> Vec<(Timestamp, FaultKind)> {
    let first_at = stored.block.first_at;
    let mut listed: BTreeMap<String, (AuditId, &[u8])> = BTreeMap::new();
    for entry in stored.entries.chunks_exact(ENTRY) {
        let (id, digest) = entry.split_at(ENTRY - DIGEST_PREFIX);
        let id = AuditId::from_bytes(id.try_into().expect("an entry begins with the 16 bytes of an id"));
        listed.insert(id.to_text(), (id, digest));
    }
    let mut changed: BTreeMap<AuditId, (&EventContent, Vec<u8>, &[u8])> = BTreeMap::new();
    let mut found = Vec::new();
    for event in events {
        match listed.remove(&event.id) {
            None => found.push((event.at(), FaultKind::EventInserted(event.id.clone()))),
            Some((id, digest)) => {
                let now = event.digest()[..DIGEST_PREFIX].to_vec();
                if now != digest {
                    changed.insert(id, (event, now, digest));
                }
            }
        }
    }
    found.extend(listed.into_values().map(|(id, _)| (first_at, FaultKind::EventMissing(id))));
    while let Some((id, (event, now, was))) = changed.pop_first() {
        let has_mine = |(_, other_now, other_was): &(&EventContent, Vec<u8>, &[u8])| {
            other_now.as_slice() == was && now.as_slice() == *other_was
        };
        let other = changed.iter().find(|(_, other)| has_mine(other)).map(|(id, _)| *id);
        match other {
            Some(other) => {
                changed.remove(&other);
                found.push((event.at(), FaultKind::EventsExchanged(id, other)));
            }
            None => found.push((event.at(), FaultKind::EventChanged(event.id.clone()))),
        }
    }
    found
}

/// Whether an event that is in no block was written by the server; `unsigned_until` is that of the trail, if there is one yet.
#[must_use]
pub fn check_unsealed(
    event: &WrittenEvent,
    unsigned_until: Option<Timestamp>,
    keys: &TrailKeys,
    now: Timestamp,
) -> Option<Fault> {
    match &event.mac {
        Some(mac) if keys.has_written(&event.content, mac) => None,
        None if unsigned_until.is_none_or(|until| now < until) => None,
        Some(_) | None => Some(refused(event)),
    }
}

/// What is wrong with an event that was not sealed.
#[must_use]
pub fn refused(event: &WrittenEvent) -> Fault {
    let kind = FaultKind::EventForged(event.content.id.clone());
    Fault { block: None, at: Some(event.content.at()), kind }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{changes, event, keyring};
    use super::super::{BlockHash, BlockMac};
    use super::*;
    use std::sync::Arc;

    const UNTIL: Timestamp = Timestamp::from_millis(5);

    fn id(number: u8) -> AuditId {
        AuditId::parse(&event(number).id).expect("an id")
    }

    fn sealed(number: i64, previous: BlockHash, events: &[EventContent]) -> StoredBlock {
        let block = Block::of(number, previous, UNTIL, events).expect("events");
        StoredBlock::seal(block, events, &keyring(1))
    }

    fn kinds(stored: &StoredBlock, before: Option<Head>, events: &[EventContent]) -> Vec<FaultKind> {
        let mut events = events.to_vec();
        events.sort_by(|one, other| one.place().cmp(&other.place()));
        let faults = check_block(stored, before, &events, &keyring(1));
        assert!(faults.iter().all(|fault| fault.block == Some(stored.block.number) && fault.at.is_some()));
        faults.into_iter().map(|fault| fault.kind).collect()
    }

    #[test]
    fn every_change_of_a_blocks_events_is_found_and_named_a_16_4_2() {
        let all = [event(1), event(2), event(3)];
        let row = sealed(2, BlockHash([7; 32]), &all);
        let before = Some(Head { number: 1, hash: BlockHash([7; 32]) });
        assert_eq!(kinds(&row, before, &all), []);
        assert_eq!(kinds(&row, before, &all[1..]), [FaultKind::EventMissing(id(1))]);
        assert_eq!(kinds(&row, before, &[]), [1, 2, 3].map(|number| FaultKind::EventMissing(id(number))));
        let more = [event(1), event(2), event(3), event(4)];
        assert_eq!(kinds(&row, before, &more), [FaultKind::EventInserted(event(4).id)]);
        for changed in changes(&event(2)) {
            let events = [event(1), changed, event(3)];
            assert_eq!(kinds(&row, before, &events), [FaultKind::EventChanged(event(2).id)], "{events:?}");
        }
        // Ids exchanged, or everything but the ids, which is the same.
        let exchanged =
            [event(1), EventContent { id: event(3).id, ..event(2) }, EventContent { id: event(2).id, ..event(3) }];
        assert_eq!(kinds(&row, before, &exchanged), [FaultKind::EventsExchanged(id(2), id(3))]);
        let renamed = [event(1), event(2), EventContent { id: event(9).id, ..event(3) }];
        let expected = [FaultKind::EventInserted(event(9).id), FaultKind::EventMissing(id(3))];
        assert_eq!(kinds(&row, before, &renamed), expected);
        // The list was changed along with the event, or alone.
        let changed = [event(1), event(2), EventContent { kind: "x".to_owned(), ..event(3) }];
        let with_list = StoredBlock { entries: entries(&changed), ..row.clone() };
        assert_eq!(kinds(&with_list, before, &changed), [FaultKind::BlockChanged]);
        let without_list = StoredBlock { entries: entries(&all)[1..].to_vec(), ..row.clone() };
        assert!(!kinds(&without_list, before, &all).is_empty());
        // Everything was made anew, without the key.
        let forged = StoredBlock { mac: row.mac.clone(), ..sealed(2, BlockHash([7; 32]), &changed) };
        assert_eq!(kinds(&forged, before, &changed), [FaultKind::MacWrong]);
        let by_other = BlockMac { key_id: "00000000".to_owned(), ..row.mac.clone() };
        let expected = [FaultKind::KeyMissing("00000000".to_owned())];
        assert_eq!(kinds(&StoredBlock { mac: by_other, ..row.clone() }, before, &all), expected);
        // A block of another history.
        let other = Some(Head { number: 1, hash: BlockHash([8; 32]) });
        assert_eq!(kinds(&row, other, &all), [FaultKind::OrderChanged]);
        assert_eq!(kinds(&row, None, &all), []);
        // What retention leaves.
        let checkpoint = row.clone().checkpoint(&keyring(1));
        assert_eq!(kinds(&checkpoint, before, &[]), []);
        assert_eq!(kinds(&checkpoint, before, &[event(4)]), [FaultKind::EventInserted(event(4).id)]);
        let with_list = StoredBlock { entries: row.entries.clone(), ..checkpoint };
        assert_eq!(kinds(&with_list, before, &[]), [FaultKind::BlockChanged]);
        assert_eq!(
            kinds(&StoredBlock { is_checkpoint: true, ..row }, before, &[]),
            [FaultKind::MacWrong, FaultKind::BlockChanged]
        );
    }

    #[test]
    fn an_event_in_no_block_is_the_servers_or_of_an_earlier_version() {
        let keys = TrailKeys::new(Arc::new(keyring(1)));
        let mac = keys.event_mac(&event(1));
        let (early, late) = (Timestamp::from_millis(4), UNTIL);
        let forged = Some(FaultKind::EventForged(event(1).id));
        for (mac, until, now, expected) in [
            (Some(&mac[..]), Some(UNTIL), late, None),
            (Some(&mac[..]), None, late, None),
            (Some(&mac[1..]), Some(UNTIL), early, forged.clone()),
            (Some(&[][..]), None, early, forged.clone()),
            (None, Some(UNTIL), early, None),
            (None, None, late, None),
            (None, Some(UNTIL), late, forged),
        ] {
            let written = WrittenEvent { content: event(1), mac: mac.map(<[u8]>::to_vec) };
            let fault = check_unsealed(&written, until, &keys, now);
            assert_eq!(fault.map(|fault| fault.kind), expected, "{mac:?} {until:?} {now}");
        }
    }
}
