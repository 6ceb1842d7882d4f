//! `countersign send-test-mail`.

use crate::clock::{Clock as _, SystemClock};
use crate::config::Settings;
use crate::delivery::DeliveryError;
use crate::delivery::smtp::Smtp;
use crate::delivery::templates::Mail;
use countersign_domain::ids::MessageId;
use lettre::transport::smtp::Error;

#[derive(Debug, thiserror::Error)]
pub enum TestMailError {
    #[error("no mail server is configured: set smtp.url and smtp.from")]
    NoServer,
    #[error("failed to send a mail to {to} by {host} ({hint})")]
    Failed {
        to: String,
        host: String,
        hint: &'static str,
        #[source]
        source: DeliveryError,
    },
}

/// Sends a mail, and says so.
///
/// # Errors
/// When no mail server is configured, or it does not take the mail.
pub(super) async fn send(settings: &Settings, to: &str) -> Result<String, TestMailError> {
    let server = settings.smtp.clone().ok_or(TestMailError::NoServer)?;
    let (host, from) = (server.url.host().to_owned(), server.from.to_string());
    let now = SystemClock.now();
    let id = crate::random::system().draw(|random| MessageId::generate(now, random));
    let sent = match Smtp::new(server) {
        Ok(smtp) => smtp.send(id, to, mail(&settings.app_name), now).await,
        Err(error) => Err(error),
    };
    match sent {
        Ok(()) => Ok(format!("{host} has taken a mail from {from} to {to}. Its Message-ID begins with {id}.\n")),
        Err(source) => Err(TestMailError::Failed { to: to.to_owned(), host, hint: hint(&source), source }),
    }
}

fn mail(app_name: &str) -> Mail {
    let text = format!("This is a test mail of {app_name}: its mail server is set up.\n");
    // Names are not escaped by hand: the plain text says it all.
    let html = "<!doctype html>\n<html lang=\"en\"><body><p>This is a test mail: the mail server is set up.</p></body></html>\n";
    Mail { subject: format!("Test mail of {app_name}"), text, html: html.to_owned() }
}

/// What to look at.
fn hint(error: &DeliveryError) -> &'static str {
    let DeliveryError::Smtp(error) = error else { return "look at the address" };
    match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => "look at user and password in smtp.url",
        Some(550..=559) => "the server refuses this sender or recipient",
        Some(_) => "the server has a problem of its own",
        None => hint_without_status(error),
    }
}

fn hint_without_status(error: &Error) -> &'static str {
    match error {
        error if error.is_tls() || is_about_encryption(error) => {
            "look at smtp.tls, smtp.ca and the server's certificate"
        }
        error if error.is_timeout() => "no response: look at host and port in smtp.url, and at firewalls",
        error if error.is_client() => "the server does not offer what is needed: look at smtp.tls, user and password",
        _ => "look at host and port in smtp.url, and at smtp.tls",
    }
}

/// rustls reports what it does not like as data that is not valid.
fn is_about_encryption(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = error.source();
    }
    false
}
