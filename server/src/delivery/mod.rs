//! Getting codes to people: by mail and by SMS, or into the outbox file for whichever of them no provider is configured.
//!
//! A message counts as sent when the mail server has accepted it, or when its line is in the file. Nothing here
//! retries: the person asks for another code, and the caller decides what a failure means to the answer.

pub mod message;
pub mod outbox;
pub mod smtp;

pub use message::{Channel, Message};

use crate::clock::Clock;
use crate::config::Settings;
use std::sync::Arc;

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The outbox file could not be written.
    #[error("writing to the outbox failed")]
    Outbox(#[source] std::io::Error),
    /// The recipient's address is not one that mail can be sent to.
    #[error("the recipient's address is not a mail address")]
    Recipient(#[source] lettre::address::AddressError),
    /// The mail could not be put together.
    #[error("the mail could not be put together")]
    Mail(#[source] lettre::error::Error),
    /// The mail server refused, or could not be reached.
    #[error("the mail server did not take the mail")]
    Smtp(#[source] lettre::transport::smtp::Error),
    /// The mail server took too long.
    #[error("the mail server did not answer within {} s", smtp::TIMEOUT.as_secs())]
    SmtpTimeout,
}

/// Sends messages.
#[derive(Clone)]
pub struct Delivery {
    outbox: outbox::Outbox,
    smtp: Option<smtp::Smtp>,
}

impl Delivery {
    /// Mails by mail if a mail server is configured, all else into the outbox.
    ///
    /// # Errors
    /// When the mail server's URL is unusable.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, DeliveryError> {
        let smtp = settings.smtp.as_ref().map(smtp::Smtp::new).transpose()?;
        Ok(Self { outbox: outbox::Outbox::new(settings.outbox.clone(), clock), smtp })
    }

    /// Sends one message; returns when it is out of our hands.
    ///
    /// # Errors
    /// When it is not.
    pub async fn send(&self, message: Message) -> Result<(), DeliveryError> {
        match (message.channel, &self.smtp) {
            (Channel::Email, Some(smtp)) => smtp.send(message).await,
            (Channel::Email, None) | (Channel::Sms, _) => self.outbox.append(message).await,
        }
    }
}
