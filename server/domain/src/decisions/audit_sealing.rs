//! Which events of the audit trail are sealed in the next block?
//!
//! All that the server has written. An event whose MAC is wrong is not, and is put aside. One without a MAC was written by a node
//! of a version that wrote none, which may be for a day after the chain was begun on a database that such a node has used.

use crate::audit_chain::{Block, BlockHash, StoredBlock, TrailKeys, WrittenEvent};
use crate::time::Timestamp;
use std::time::Duration;

/// How long nodes of the version before may run beside those of this one: 1 day.
const UPGRADE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, PartialEq, Eq)]
pub struct AuditSealing {
    /// `None` if no event is to be sealed.
    pub block: Option<StoredBlock>,
    /// Ids of events that are put aside.
    pub refused: Vec<String>,
    /// Whether the row of the last block was changed. The next one follows it all the same, so that the trail goes on.
    pub head_was_changed: bool,
}

/// `head` is the last block, and the events are in the order of the trail.
#[must_use]
pub fn decide(head: Option<&StoredBlock>, events: Vec<WrittenEvent>, keys: &TrailKeys, now: Timestamp) -> AuditSealing {
    let head_was_changed = head.is_some_and(|head| head.prove(keys.keyring()).is_err());
    let unsigned_until = match head {
        // What it says is not to be believed.
        Some(_) if head_was_changed => now,
        Some(head) => head.block.unsigned_until,
        None if events.iter().any(|event| event.mac.is_none()) => now + UPGRADE,
        None => now,
    };
    let (mut sealed, mut refused) = (Vec::new(), Vec::new());
    for WrittenEvent { content, mac } in events {
        let is_ours = match mac {
            Some(mac) => keys.has_written(&content, &mac),
            None => now < unsigned_until,
        };
        if is_ours { sealed.push(content) } else { refused.push(content.id) }
    }
    let (number, previous) =
        head.map_or((1, BlockHash::NONE), |head| (head.block.number.saturating_add(1), head.block.hash));
    let block = Block::of(number, previous, unsigned_until, &sealed);
    let block = block.map(|block| StoredBlock::seal(block, &sealed, keys.keyring()));
    AuditSealing { block, refused, head_was_changed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit_chain::EventContent;
    use crate::decisions::fixtures::NOW;
    use crate::keyring::Keyring;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::sync::Arc;

    fn keys() -> TrailKeys {
        TrailKeys::new(Arc::new(Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1))))
    }

    fn content(number: i64) -> EventContent {
        EventContent {
            id: format!("{number:032x}"),
            at: number,
            kind: "signed-in".to_owned(),
            account_id: None,
            session_id: None,
            factor: None,
            dialect: "better-auth".to_owned(),
            ip_address: String::new(),
            api_key_id: None,
            actor: None,
            operator: None,
            request_id: None,
            trace_id: None,
        }
    }

    #[test]
    fn every_event_with_every_trail() {
        let keys = keys();
        let signed =
            |number| WrittenEvent { mac: Some(keys.event_mac(&content(number)).to_vec()), content: content(number) };
        let unsigned = |number| WrittenEvent { mac: None, content: content(number) };
        let forged = |number| WrittenEvent { mac: Some(vec![1; 32]), content: content(number) };
        let head = |unsigned_until| {
            let events = [content(1)];
            let block = Block::of(4, BlockHash::NONE, unsigned_until, &events).expect("an event");
            StoredBlock::seal(block, &events, keys.keyring())
        };
        let (fresh, upgraded) = (head(NOW - UPGRADE), head(NOW + Duration::from_millis(1)));
        let mut changed = upgraded.clone();
        changed.block.unsigned_until = NOW + UPGRADE;
        let day = NOW + UPGRADE;
        for (head, events, number, unsigned_until, count, refused) in [
            (None, vec![], None, NOW, 0, vec![]),
            (None, vec![signed(2), signed(3)], Some(1), NOW, 2, vec![]),
            (None, vec![unsigned(2), signed(3)], Some(1), day, 2, vec![]),
            (None, vec![unsigned(2), forged(3)], Some(1), day, 1, vec![3]),
            (Some(&fresh), vec![signed(2), unsigned(3), forged(4)], Some(5), NOW - UPGRADE, 1, vec![3, 4]),
            (Some(&fresh), vec![unsigned(3)], None, NOW, 0, vec![3]),
            (Some(&upgraded), vec![signed(2), unsigned(3)], Some(5), upgraded.block.unsigned_until, 2, vec![]),
            (Some(&changed), vec![signed(2), unsigned(3)], Some(5), NOW, 1, vec![3]),
        ] {
            let sealing = decide(head, events, &keys, NOW);
            let block = sealing.block.as_ref().map(|sealed| &sealed.block);
            assert_eq!(block.map(|block| block.number), number, "{sealing:?}");
            if let Some(block) = block {
                assert_eq!((block.unsigned_until, block.events), (unsigned_until, count), "{sealing:?}");
                assert_eq!(block.previous, head.map_or(BlockHash::NONE, |head| head.block.hash));
                assert_eq!(sealing.block.as_ref().map(|sealed| sealed.prove(keys.keyring())), Some(Ok(())));
            }
            let refused: Vec<String> = refused.into_iter().map(|number| content(number).id).collect();
            assert_eq!(sealing.refused, refused);
            assert_eq!(sealing.head_was_changed, head == Some(&changed));
        }
    }
}
