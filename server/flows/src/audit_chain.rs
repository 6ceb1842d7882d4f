//! Seals the audit trail in blocks, and verifies it. What a block is, and what it finds, is said in
//! [`countersign_domain::audit_chain`].
//!
//! Every node seals; one at a time adds a block. Verification reads pages beside servers that write, seal and remove: what they
//! have removed meanwhile is no fault.

use countersign_domain::audit_chain::{
    EventContent, Fault, FaultKind, Head, MOST_EVENTS, StoredBlock, TrailKeys, WrittenEvent, check_block,
    check_unsealed, refused,
};
use countersign_domain::time::Timestamp;
use countersign_store::work::{FindAuditBlocks, FindBlockEvents, FindUnsealed, SealAuditBlock};
use countersign_store::{Store, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;

/// Pause between blocks where many events wait, so that requests can write.
const PAUSE: Duration = Duration::from_millis(10);
/// Blocks of a page that is verified.
const BLOCKS: u32 = 100;
/// Events that are verified at once.
const EVENTS: u32 = 2_000;
/// Events that are read beyond those that a block should have.
const SURPLUS: u32 = 100;
/// Faults that are kept; the others are counted.
const MOST_FAULTS: usize = 1_000;

/// What was sealed of the events that waited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    pub blocks: u64,
    pub events: u64,
    /// Ids of events that the server has not written, or not so.
    pub refused: Vec<String>,
    /// The block that the first of the new ones follows.
    pub after: Option<Head>,
    /// The last of the new ones.
    pub head: Option<Head>,
    /// Whether the row of a block was changed that a new one follows.
    pub head_was_changed: bool,
}

/// Seals the events that wait, the oldest first.
///
/// # Errors
/// When the database fails; what was sealed before that stays.
pub async fn seal_waiting(store: &Store, keys: &TrailKeys, now: impl Fn() -> Timestamp) -> Result<Sealed, StoreError> {
    let mut sealed = Sealed::default();
    // A look costs no transaction.
    while !store.unsealed_events(FindUnsealed { after: None, limit: 1 }).await?.is_empty() {
        let seal = SealAuditBlock { keys: keys.clone(), now: now(), limit: MOST_EVENTS };
        // Another node seals.
        let Some(done) = store.seal_audit_block(seal).await? else { break };
        if sealed.blocks == 0 {
            sealed.after = done.after;
        }
        sealed.blocks += u64::from(done.head.is_some());
        sealed.events += done.events;
        sealed.head = done.head.or(sealed.head);
        sealed.refused.extend(done.refused);
        sealed.head_was_changed |= done.head_was_changed;
        if !done.has_more {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(sealed)
}

/// What the verification of the trail has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    pub blocks: u64,
    pub events: u64,
    /// Events that wait to be sealed.
    pub unsealed: u64,
    /// The last block that retention has removed, and the time of its last event.
    pub checkpoint: Option<(i64, Timestamp)>,
    /// The last block.
    pub head: Option<Head>,
    pub faults: Vec<Fault>,
    /// Faults that are not among `faults`.
    pub more_faults: u64,
}

impl Verification {
    fn add(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS { self.faults.push(fault) } else { self.more_faults += 1 }
    }
}

/// Verifies the whole trail. `noted` is a head that was noted earlier, which has to be part of it.
///
/// # Errors
/// When the database fails.
pub async fn verify(
    store: &Store,
    keys: &TrailKeys,
    noted: Option<Head>,
    now: Timestamp,
    mut report: impl FnMut(&Verification),
) -> Result<Verification, StoreError> {
    let mut pass =
        Pass { store, keys, noted, last: None, highest: i64::MIN, is_noted: false, found: Verification::default() };
    let mut unsigned_until = None;
    loop {
        let page = store.audit_blocks(FindAuditBlocks { after: pass.highest, limit: BLOCKS }).await?;
        if let Some(last) = page.last() {
            unsigned_until = Some(last.block.unsigned_until);
            let before = pass.highest;
            pass.page(&page).await?;
            // SQLite stores what is no number, too, and would give it again and again.
            if pass.highest <= before {
                return Err(StoreError::Corrupt { table: "audit_blocks", what: "the number of a block" });
            }
            report(&pass.found);
        } else if !pass.has_grown().await? {
            break;
        }
    }
    let Pass { last, is_noted, mut found, .. } = pass;
    found.head = last;
    let outside = |first, last| store.block_events(FindBlockEvents { first, last, limit: EVENTS });
    for (_, event) in outside(0, 0).await? {
        found.add(refused(&event));
    }
    let in_no_block = |event: WrittenEvent| {
        let at = Some(event.content.at());
        Fault { block: None, at, kind: FaultKind::EventInserted(event.content.id) }
    };
    for (_, event) in outside(i64::MIN, -1).await? {
        found.add(in_no_block(event));
    }
    if let Some((checkpoint, _)) = found.checkpoint {
        for (_, event) in outside(1, checkpoint.saturating_sub(1)).await? {
            found.add(in_no_block(event));
        }
    }
    let mut after = None;
    loop {
        let page = store.unsealed_events(FindUnsealed { after: after.clone(), limit: EVENTS }).await?;
        let Some(last) = page.last() else { break };
        let next = Some((last.content.at, last.content.id.clone()));
        if next <= after {
            return Err(StoreError::Corrupt { table: "audit_events", what: "the time of an event" });
        }
        after = next;
        for event in &page {
            match check_unsealed(event, unsigned_until, keys, now) {
                None => found.unsealed += 1,
                Some(fault) => found.add(fault),
            }
        }
        report(&found);
    }
    // Retention may have removed blocks that were being read.
    let oldest = store.audit_blocks(FindAuditBlocks { after: i64::MIN, limit: 1 }).await?;
    if let Some(checkpoint) = oldest.first().filter(|row| row.is_checkpoint && row.prove(keys.keyring()).is_ok())
        && found.checkpoint.is_none_or(|(known, _)| known < checkpoint.block.number)
    {
        let number = checkpoint.block.number;
        found.faults.retain(|fault| fault.block.is_none_or(|block| block < 1 || block > number));
        found.checkpoint = Some((number, checkpoint.block.last_at));
    }
    if let Some(noted) = noted.filter(|_| !is_noted) {
        let is_old = found.checkpoint.is_some_and(|(number, _)| noted.number < number);
        let kind = if is_old { FaultKind::HeadTooOld(noted) } else { FaultKind::HeadMissing(noted) };
        found.add(Fault { block: Some(noted.number), at: None, kind });
    }
    Ok(found)
}

/// A pass through the blocks, in their order.
struct Pass<'a> {
    store: &'a Store,
    keys: &'a TrailKeys,
    noted: Option<Head>,
    /// The block that was verified last.
    last: Option<Head>,
    /// The highest number that was looked at.
    highest: i64,
    /// Whether the head that was noted has come by.
    is_noted: bool,
    found: Verification,
}

impl Pass<'_> {
    /// Verifies some blocks, with as many events at once as fit.
    async fn page(&mut self, page: &[StoredBlock]) -> Result<(), StoreError> {
        let mut rest = page;
        while !rest.is_empty() {
            let (mut count, mut expected) = (0, 0);
            for stored in rest {
                let events = expected_events(stored);
                if count > 0 && expected + events > EVENTS {
                    break;
                }
                count += 1;
                expected += events;
            }
            let (now, later) = rest.split_at(count);
            rest = later;
            let mut events = self.events(now, expected + SURPLUS).await?;
            let is_cut =
                events.values().map(Vec::len).sum::<usize>() >= usize::try_from(expected + SURPLUS).unwrap_or(0);
            for stored in now {
                let of_block = match is_cut && now.len() > 1 {
                    // Somebody has put many events into one of these blocks.
                    true => {
                        let alone = std::slice::from_ref(stored);
                        self.events(alone, expected_events(stored) + SURPLUS).await?.remove(&stored.block.number)
                    }
                    false => events.remove(&stored.block.number),
                };
                self.block(stored, &of_block.unwrap_or_default());
            }
        }
        Ok(())
    }

    async fn events(&self, blocks: &[StoredBlock], limit: u32) -> Result<BTreeMap<i64, Vec<EventContent>>, StoreError> {
        let mut events: BTreeMap<i64, Vec<EventContent>> = BTreeMap::new();
        if let (Some(first), Some(last)) = (blocks.first(), blocks.last()) {
            let find = FindBlockEvents { first: first.block.number, last: last.block.number, limit };
            for (block, event) in self.store.block_events(find).await? {
                events.entry(block).or_default().push(event.content);
            }
        }
        Ok(events)
    }

    fn block(&mut self, stored: &StoredBlock, events: &[EventContent]) {
        let block = &stored.block;
        let is_first = self.highest == i64::MIN;
        let begins = is_first && stored.is_checkpoint;
        let expected = self.last.map_or(1, |last| last.number.saturating_add(1));
        let is_next = block.number == expected || begins;
        if block.number > expected && !is_next {
            let kind = FaultKind::BlocksMissing { through: block.number - 1 };
            self.found.add(Fault { block: Some(expected), at: Some(block.first_at), kind });
        }
        let before = self.last.filter(|_| is_next);
        for fault in check_block(stored, before, events, self.keys.keyring()) {
            self.found.add(fault);
        }
        if begins {
            self.found.checkpoint = Some((block.number, block.last_at));
        } else {
            self.found.blocks += 1;
            self.found.events += u64::try_from(events.len()).unwrap_or(0);
        }
        let head = block.head();
        self.is_noted |= self.noted == Some(head);
        self.highest = block.number;
        // A number that no block has makes no gap.
        if block.number > 0 {
            self.last = Some(head);
        }
    }

    /// Whether there are blocks behind the last one by now; events that name such a block without one are a fault.
    async fn has_grown(&mut self) -> Result<bool, StoreError> {
        let last = self.last.map_or(0, |last| last.number);
        let find = FindBlockEvents { first: last.saturating_add(1), last: i64::MAX, limit: 1 };
        let Some((number, event)) = self.store.block_events(find).await?.pop() else { return Ok(false) };
        if !self.store.audit_blocks(FindAuditBlocks { after: last, limit: 1 }).await?.is_empty() {
            return Ok(true);
        }
        let kind = FaultKind::BlocksMissing { through: number };
        self.found.add(Fault { block: Some(last.saturating_add(1)), at: Some(event.content.at()), kind });
        Ok(false)
    }
}

/// Events that a block says to have, within the bounds of what it can have.
fn expected_events(stored: &StoredBlock) -> u32 {
    match stored.is_checkpoint {
        true => 0,
        false => u32::try_from(stored.block.events).unwrap_or(0).min(MOST_EVENTS),
    }
}
