//! Delivery of one-time codes: e-mail through a mail server, everything else to the outbox file.
//!
//! A message counts as sent when the mail server has accepted it or its line is in the outbox. Nothing here retries:
//! the user can ask for another code, and the caller decides whether a failure shows in the response.

pub mod outbox;
pub mod smtp;
mod wording;

pub use countersign_flows::delivery::{Channel, Message};

use crate::clock::Clock;
use crate::net::smtp::SmtpServer;
use countersign_flows::random::Randomness;
use futures::future::BoxFuture;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error("failed to write to the outbox")]
    Outbox(#[source] std::io::Error),
    #[error("the recipient is not an e-mail address")]
    Recipient(#[source] lettre::address::AddressError),
    #[error("failed to compose the mail")]
    Mail(#[source] lettre::error::Error),
    /// The server rejected the mail or could not be reached.
    #[error("the mail server did not accept the mail")]
    Smtp(#[source] lettre::transport::smtp::Error),
    #[error("the mail server did not respond within {} s", smtp::TIMEOUT.as_secs())]
    SmtpTimeout,
}

/// Sends one-time codes. Clones share the connections to the mail server.
#[derive(Clone)]
pub struct Delivery {
    outbox: outbox::Outbox,
    smtp: Option<smtp::Smtp>,
}

impl Delivery {
    /// Without a mail server, e-mail goes to `outbox`, as text messages always do.
    ///
    /// # Errors
    /// When the mail server's URL cannot be used.
    pub fn new(
        server: Option<SmtpServer>,
        outbox: PathBuf,
        clock: Arc<dyn Clock>,
        random: Randomness,
    ) -> Result<Self, DeliveryError> {
        let smtp = server.map(|server| smtp::Smtp::new(server, Arc::clone(&clock), random)).transpose()?;
        Ok(Self { outbox: outbox::Outbox::new(outbox, clock), smtp })
    }

    /// Returns once the mail server has accepted the message or the outbox holds it.
    ///
    /// # Errors
    /// When neither happened; a mail that timed out may still arrive.
    pub async fn send(&self, message: Message) -> Result<(), DeliveryError> {
        match (message.channel, &self.smtp) {
            (Channel::Email, Some(smtp)) => smtp.send(message).await,
            (Channel::Email, None) | (Channel::Sms, _) => self.outbox.append(message).await,
        }
    }
}

impl countersign_flows::delivery::Delivery for Delivery {
    fn send(&self, message: Message) -> BoxFuture<'_, Result<(), countersign_flows::delivery::DeliveryError>> {
        Box::pin(async move { Ok(Self::send(self, message).await?) })
    }
}
