//! Which blocks of the audit trail are old enough to go?
//!
//! Whole blocks, the oldest first, whose last event is old enough. What a block says of its age counts only if its MAC is right;
//! else the block, or what is missing, stays until a right one behind it is old enough, so that nothing can be made to go early.

use crate::audit_chain::StoredBlock;
use crate::keyring::Keyring;
use crate::time::Timestamp;

#[derive(Debug, PartialEq, Eq)]
pub struct AuditRemoval {
    /// The last block whose events go: it becomes the checkpoint.
    pub checkpoint: StoredBlock,
    /// Blocks that go and whose rows were changed.
    pub changed: Vec<i64>,
}

/// The oldest blocks, in their order; one that holds the last of `most` events is the last to go. `None` if nothing is old enough.
#[must_use]
pub fn decide(blocks: &[StoredBlock], keyring: &Keyring, before: Timestamp, most: i64) -> Option<AuditRemoval> {
    let (mut last, mut changed, mut passed, mut events) = (None, Vec::new(), Vec::new(), 0);
    for stored in blocks {
        if stored.prove(keyring).is_err() {
            passed.push(stored.block.number);
            continue;
        }
        if stored.is_checkpoint {
            continue;
        }
        if stored.block.last_at > before {
            break;
        }
        last = Some(stored);
        changed.append(&mut passed);
        events += stored.block.events;
        if events >= most {
            break;
        }
    }
    Some(AuditRemoval { checkpoint: last?.clone().checkpoint(keyring), changed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit_chain::{Block, BlockHash};
    use crate::decisions::fixtures::NOW;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use std::time::Duration;

    #[test]
    fn every_block_at_every_age() {
        let keyring = Keyring::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let block = |number: i64, last_at: Timestamp| {
            let block = Block {
                number,
                previous: BlockHash::NONE,
                events: 10,
                first_at: last_at,
                last_at,
                unsigned_until: NOW,
                hash: BlockHash::NONE,
            };
            StoredBlock::seal(block, &[], &keyring)
        };
        let old = |number| block(number, NOW);
        let young = |number| block(number, NOW + Duration::from_millis(1));
        let checkpoint = |number| old(number).checkpoint(&keyring);
        let changed = |number| {
            let mut row = young(number);
            row.block.last_at = NOW;
            row
        };
        for (blocks, last, found) in [
            (vec![], None, vec![]),
            (vec![young(1)], None, vec![]),
            (vec![old(1)], Some(1), vec![]),
            (vec![old(1), old(2), young(3), old(4)], Some(2), vec![]),
            // Twenty events are enough for once.
            (vec![old(1), old(2), old(3)], Some(2), vec![]),
            (vec![checkpoint(4), young(5)], None, vec![]),
            (vec![checkpoint(4), old(5), young(6)], Some(5), vec![]),
            (vec![checkpoint(4)], None, vec![]),
            // A row that says of itself that it is old.
            (vec![changed(1), young(2)], None, vec![]),
            (vec![changed(1), old(2)], Some(2), vec![1]),
            (vec![old(1), changed(2), young(3)], Some(1), vec![]),
        ] {
            let decision = decide(&blocks, &keyring, NOW, 20);
            assert_eq!(decision.as_ref().map(|removal| removal.checkpoint.block.number), last, "{blocks:?}");
            if let Some(removal) = decision {
                assert_eq!((removal.checkpoint.prove(&keyring), removal.checkpoint.is_checkpoint), (Ok(()), true));
                assert_eq!(removal.changed, found, "{blocks:?}");
            }
        }
    }
}
