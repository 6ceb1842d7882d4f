//! What flows need of delivery: a way to send a one-time code.

use futures::future::BoxFuture;
use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Email,
    Sms,
}

/// A one-time code on its way to a user.
#[derive(Clone)]
pub struct Message {
    pub channel: Channel,
    /// E-mail address or telephone number.
    pub to: String,
    pub code: String,
    pub app_name: String,
    /// How long the code is valid.
    pub lifetime: Duration,
}

impl fmt::Debug for Message {
    /// Leaves out address and code: neither belongs in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Message").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// Why a message was not handed over, for the log.
pub type DeliveryError = Box<dyn std::error::Error + Send + Sync>;

pub trait Delivery: Send + Sync {
    /// Hands a message over to whatever carries it.
    fn send(&self, message: Message) -> BoxFuture<'_, Result<(), DeliveryError>>;
}
