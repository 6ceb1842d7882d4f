//! A one-time code to be delivered to a user.

use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Email,
    Sms,
}

#[derive(Clone)]
pub struct Message {
    pub channel: Channel,
    /// E-mail address or telephone number, depending on `channel`.
    pub to: String,
    pub code: String,
    /// Name of the service, as the recipient knows it.
    pub app_name: String,
    /// How long the code can be used.
    pub lifetime: Duration,
}

impl fmt::Debug for Message {
    /// Leaves out address and code: neither belongs in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Message").field("channel", &self.channel).finish_non_exhaustive()
    }
}
