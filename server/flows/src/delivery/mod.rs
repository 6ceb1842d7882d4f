//! Delivery of messages: what flows need of a mail server or a gateway for text messages, and the queue in front of it.
//!
//! A message is stored in the transaction of what it is about. Each process takes messages that are due ([`queue`]), with a
//! lease, and hands them to the [`Carrier`]. What failed is tried again with growing pauses until it is of no use any more.
//!
//! A message is delivered once, except where nobody can know: a process that dies, or loses the connection, after the next
//! server has taken a message and before that is noted, leaves the message to be sent again. So at most
//! [`queue::AT_ONCE`] messages are sent twice for each death of a process. Both copies have the same id.

pub mod queue;

pub use countersign_domain::language::Languages;
pub use countersign_domain::message::{Channel, Message};
pub use queue::{DeliveryQueue, FirstAttempt, Worker};

use countersign_domain::address::Address;
use countersign_domain::ids::MessageId;
use countersign_domain::time::Timestamp;
use futures::future::BoxFuture;

/// A message on its way to a user. `Debug` prints neither code nor link nor address.
#[derive(Clone)]
pub struct Outgoing {
    /// The same at each attempt.
    pub id: MessageId,
    pub to: Address,
    pub message: Message,
    /// Languages that its reader wants.
    pub languages: Languages,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.message.kind();
        formatter.debug_struct("Outgoing").field("id", &self.id).field("kind", &kind).finish_non_exhaustive()
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a message was not handed over, for the log.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The other side will never take it.
    #[error("the message was refused for good")]
    Refused(#[source] Cause),
    /// It may be taken later.
    #[error("the message was not taken")]
    Failed(#[source] Cause),
}

pub trait Carrier: Send + Sync {
    /// Hands a message over to the next server. Success means that it has taken charge of the message.
    fn carry(&self, message: Outgoing) -> BoxFuture<'_, Result<(), CarryError>>;
}
