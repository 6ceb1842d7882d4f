//! Messages that wait to be delivered.

use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::ids::{AccountId, MessageId};
use countersign_domain::message::TakenUse;
use countersign_domain::time::Timestamp;

/// Takes messages to deliver them: no other node does before the lease ends.
#[derive(Clone, Debug)]
pub struct TakeMessages {
    pub which: WhichMessages,
    /// The process that takes them, by a name of its own.
    pub owner: String,
    pub now: Timestamp,
    pub lease_ends_at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub enum WhichMessages {
    /// A message that the process has just stored, unless somebody else was faster.
    Stored(MessageId),
    /// Those that are due, the newest first: somebody waits for a code that was just asked for.
    Due {
        /// At most so many.
        limit: u32,
    },
}

/// The end of an attempt to deliver a message.
#[derive(Clone, Debug)]
pub struct FinishMessage {
    pub id: MessageId,
    pub account_id: AccountId,
    /// As in [`TakeMessages`]; after its lease the message may be another process's.
    pub owner: String,
    pub decision: Redelivery,
    /// Given back if the message has died undelivered.
    pub taken: Vec<TakenUse>,
    pub now: Timestamp,
}

/// What waits to be delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageQueue {
    /// Messages that are neither delivered nor dead.
    pub waiting: u64,
    /// When the oldest of them was stored.
    pub oldest: Option<Timestamp>,
    /// When the next one is due.
    pub next_due_at: Option<Timestamp>,
}
