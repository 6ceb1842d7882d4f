//! Address and credentials of a mail server.
//!
//! Beyond loopback, `smtp://` requires STARTTLS, because a code that crosses a network in clear text is no second
//! factor. `?tls=opportunistic` is the opt-out for relays without TLS.

use lettre::Tokio1Executor;
use lettre::message::Mailbox;
use lettre::transport::smtp::{AsyncSmtpTransport, AsyncSmtpTransportBuilder, Error};
use std::fmt;

/// Mail server and sender.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    pub url: SmtpUrl,
    /// Sender of every mail.
    pub from: Mailbox,
}

/// `smtp://` or `smtps://`, with credentials; `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(String);

impl SmtpUrl {
    /// Checks `text` and adds the encryption that it leaves open.
    ///
    /// # Errors
    /// Says what was expected, without repeating the text: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with("smtp://") && !text.starts_with("smtps://") {
            return Err("expected smtp://host or smtps://user:password@host".to_owned());
        }
        let url = Self(with_encryption(text));
        match url.transport() {
            Ok(_) => Ok(url),
            Err(_) => Err("is not a usable URL; percent-encode reserved characters in user and password".to_owned()),
        }
    }

    /// A transport to the server; it has not connected yet.
    ///
    /// # Errors
    /// None for a URL that was parsed.
    pub fn transport(&self) -> Result<AsyncSmtpTransportBuilder, Error> {
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.0)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Adds `tls=required` where `url` says nothing about encryption and its host is not this machine.
fn with_encryption(url: &str) -> String {
    let Some(rest) = url.strip_prefix("smtp://") else { return url.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_local = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    match (is_local || url.contains("tls="), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&tls=required"),
        (false, false) => format!("{url}?tls=required"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_off_this_machine_is_encrypted() {
        for (given, used) in [
            ("smtp://mail.example", "smtp://mail.example?tls=required"),
            ("smtp://u:p@mail.example:587/name", "smtp://u:p@mail.example:587/name?tls=required"),
            ("smtp://mail.example?tls=opportunistic", "smtp://mail.example?tls=opportunistic"),
            ("smtp://localhost.evil.example", "smtp://localhost.evil.example?tls=required"),
            ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:2525"),
            ("smtps://mail.example", "smtps://mail.example"),
        ] {
            assert_eq!(with_encryption(given), used);
        }
    }

    #[test]
    fn urls_are_checked_without_being_repeated() {
        let url = SmtpUrl::parse("smtps://u:hunter2@mail.example:465").expect("a usable URL");
        assert_eq!(format!("{url:?}"), "[redacted]");
        for text in ["http://hunter2", "smtp://", "smtp://mail?tls=hunter2"] {
            let problem = SmtpUrl::parse(text).expect_err(text);
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
