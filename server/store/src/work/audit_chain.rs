//! Sealing, reading and removing the blocks of the audit trail.

use countersign_domain::audit_chain::{BlockMac, Head, TrailKeys};
use countersign_domain::time::Timestamp;

/// Seals events that are in no block, the oldest first.
#[derive(Clone, Debug)]
pub struct SealAuditBlock {
    pub keys: TrailKeys,
    pub now: Timestamp,
    /// The most events of the block.
    pub limit: u32,
}

/// What was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBlockSealed {
    /// The block that the new one follows; `None` if it is the first of the trail.
    pub after: Option<Head>,
    /// The new block; `None` if nothing was to be sealed but what was refused.
    pub head: Option<Head>,
    /// Events of the new block.
    pub events: u64,
    /// Ids of events that were put aside, because the server has not written them.
    pub refused: Vec<String>,
    /// Whether the row of the block before was changed.
    pub head_was_changed: bool,
    /// Whether more events may wait.
    pub has_more: bool,
}

/// Blocks in the order of their numbers.
#[derive(Clone, Copy, Debug)]
pub struct FindAuditBlocks {
    /// Only those with a higher number.
    pub after: i64,
    pub limit: u32,
}

/// Events of some blocks, in the order of the trail.
#[derive(Clone, Copy, Debug)]
pub struct FindBlockEvents {
    pub first: i64,
    pub last: i64,
    pub limit: u32,
}

/// Events that are in no block, in the order of the trail.
#[derive(Clone, Debug)]
pub struct FindUnsealed {
    /// Time in milliseconds and id of the last event of the page before; `None` for the first page.
    pub after: Option<(i64, String)>,
    pub limit: u32,
}

/// Removes the oldest blocks, and events that were refused.
#[derive(Clone, Debug)]
pub struct RemoveAuditBlocks {
    pub keys: TrailKeys,
    /// Only blocks whose events are all of this time or older.
    pub before: Timestamp,
    /// Once so many events go, no further block does.
    pub batch: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditBlocksRemoved {
    pub events: usize,
    /// Numbers of blocks that went and whose rows had been changed.
    pub changed: Vec<i64>,
    /// Whether more blocks may be old enough.
    pub has_more: bool,
}

/// A block whose MAC was made anew.
#[derive(Clone, Debug)]
pub struct ResealedBlock {
    pub number: i64,
    /// The MAC that was compared. If the row has another one by now, it stays as it is.
    pub before: Vec<u8>,
    pub mac: BlockMac,
}
