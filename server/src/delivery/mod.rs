//! What carries messages: a mail server, a gateway for text messages, or the outbox file.
//!
//! | module | holds |
//! |---|---|
//! | [`templates`] | the words |
//! | [`smtp`] | mail |
//! | [`sms`] | text messages |
//! | [`outbox`] | the file for development and tests, which takes what no server is configured for |
//!
//! A message counts as delivered when the next server has taken charge of it, or its line is in the outbox. What is tried
//! again, and when, is decided by the queue in front of this ([`countersign_flows::delivery`]).

pub mod outbox;
pub mod sms;
pub mod smtp;
pub mod templates;

use crate::clock::Clock;
use countersign_domain::message::Channel;
use countersign_flows::delivery::{Carrier, CarryError, Outgoing};
use futures::future::BoxFuture;
use outbox::Outbox;
use sms::{Sms, SmsError, TextMessage};
use smtp::Smtp;
use std::sync::{Arc, PoisonError, RwLock};
use templates::{Catalogue, Moment, TemplateError};

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
    #[error(transparent)]
    Sms(#[from] SmsError),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl From<DeliveryError> for CarryError {
    fn from(error: DeliveryError) -> Self {
        match &error {
            DeliveryError::Smtp(smtp) if smtp::is_refused(smtp) => Self::Refused(error.into()),
            DeliveryError::Sms(sms) if sms.is_refusal() => Self::Refused(error.into()),
            DeliveryError::Recipient(_) | DeliveryError::Mail(_) => Self::Refused(error.into()),
            DeliveryError::Outbox(_) | DeliveryError::Smtp(_) | DeliveryError::Sms(_) | DeliveryError::Template(_) => {
                Self::Failed(error.into())
            }
        }
    }
}

/// Sends messages.
pub struct Delivery {
    /// Replaced as a whole when templates are read again.
    catalogue: RwLock<Arc<Catalogue>>,
    /// Without a mail server, mails go to the outbox. Replaced as a whole when certificates are read again.
    smtp: RwLock<Option<Smtp>>,
    /// Without a gateway, text messages go to the outbox.
    sms: Option<Sms>,
    outbox: Outbox,
    clock: Arc<dyn Clock>,
}

impl Delivery {
    #[must_use]
    pub fn new(
        catalogue: Catalogue,
        smtp: Option<Smtp>,
        sms: Option<Sms>,
        outbox: Outbox,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { catalogue: RwLock::new(Arc::new(catalogue)), smtp: RwLock::new(smtp), sms, outbox, clock }
    }

    /// Words messages in this way from now on.
    pub fn replace_words(&self, catalogue: Catalogue) {
        *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }

    /// Sends mail in this way from now on. What is under way ends as it began.
    pub fn replace_smtp(&self, smtp: Option<Smtp>) {
        *self.smtp.write().unwrap_or_else(PoisonError::into_inner) = smtp;
    }

    /// Returns once the next server has taken the message or the outbox holds it.
    ///
    /// # Errors
    /// When neither happened; a mail that timed out may still arrive.
    pub async fn send(&self, message: Outgoing) -> Result<(), DeliveryError> {
        let moment = Moment { created_at: message.created_at, now: self.clock.now() };
        let catalogue = Arc::clone(&self.catalogue.read().unwrap_or_else(PoisonError::into_inner));
        let templates = catalogue.in_one_of(&message.languages);
        let smtp = self.smtp.read().unwrap_or_else(PoisonError::into_inner).clone();
        match (Channel::from(&message.to), &smtp, &self.sms) {
            (Channel::Email, Some(smtp), _) => {
                let mail = templates.mail(&message.message, moment)?;
                smtp.send(message.id, message.to.as_str(), mail, moment.created_at).await
            }
            (Channel::Email, None, _) => {
                let subject = templates.mail(&message.message, moment)?.subject;
                self.outbox.append(&message, &subject, moment.now).await
            }
            (Channel::Sms, _, sms) => {
                let text = templates.text_message(&message.message, moment)?;
                let Some(sms) = sms else { return self.outbox.append(&message, &text, moment.now).await };
                let (kind, to) = (message.message.kind().name(), message.to.as_str());
                Ok(sms.send(TextMessage { id: message.id, kind, to, text: &text }, moment.now).await?)
            }
        }
    }
}

impl Carrier for Delivery {
    fn carry(&self, message: Outgoing) -> BoxFuture<'_, Result<(), CarryError>> {
        Box::pin(async move { Ok(Self::send(self, message).await?) })
    }
}
