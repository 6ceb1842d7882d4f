//! Address and credentials of a mail server.
//!
//! Beyond loopback, `smtp://` requires STARTTLS, because a code that crosses a network in clear text is no second
//! factor. `?tls=opportunistic` is the opt-out for relays without TLS.

use super::origin::with_ascii_host;
use lettre::message::Mailbox;
use lettre::transport::smtp::{AsyncSmtpTransport, AsyncSmtpTransportBuilder, Error};
use lettre::{Address, Tokio1Executor};
use std::fmt;

/// Mail server and sender.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    pub url: SmtpUrl,
    /// Sender of every mail.
    pub from: Mailbox,
    /// How the server is greeted, if that is configured.
    pub hello: Option<HelloName>,
}

impl SmtpServer {
    /// The name after `EHLO`: as configured, else as the URL has it, else the sender's domain. The machine's own name, which in
    /// a container means nothing to anybody else, is a reason for servers to refuse mail.
    #[must_use]
    pub fn hello_name(&self) -> String {
        match (&self.hello, self.url.path()) {
            (Some(HelloName(name)), _) => name.clone(),
            (None, "") => self.sender_domain().to_owned(),
            (None, path) => path.to_owned(),
        }
    }

    /// The domain of the sender.
    #[must_use]
    pub fn sender_domain(&self) -> &str {
        self.from.email.domain()
    }
}

/// Reads the sender of mails. Its domain is kept in ASCII (`xn--…`), which every mail server takes.
///
/// # Errors
/// Says what is wrong.
pub fn parse_sender(text: &str) -> Result<Mailbox, String> {
    let problem = || format!("`{text}` is not a mailbox");
    let Mailbox { name, email } = text.parse().map_err(|_| problem())?;
    let domain = with_ascii_host(email.domain()).ok_or_else(problem)?;
    Address::new(email.user(), domain).map(|email| Mailbox::new(name, email)).map_err(|_| problem())
}

/// A name to greet a mail server with: a host name, or an address in brackets (RFC 5321, 4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloName(String);

impl HelloName {
    /// Reads a name.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_literal = text.starts_with('[') && text.ends_with(']');
        let is_fine =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte) || (is_literal && b"[]:".contains(&byte));
        match text.bytes().all(is_fine) && !text.is_empty() {
            true => Ok(Self(text.to_owned())),
            false => Err(format!("`{text}` is not a host name, such as mail.example.com")),
        }
    }
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

    /// What stands between host and query, where lettre expects the name after `EHLO`.
    fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        rest.split_once('/').map_or("", |(_, path)| path.trim_matches('/'))
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
    fn the_server_is_greeted_with_a_name_that_is_known_outside() {
        let greeted = |url: &str, from: &str, hello: Option<&str>| {
            let hello = hello.map(|name| HelloName::parse(name).expect("a name"));
            let (url, from) = (SmtpUrl::parse(url).expect("a URL"), parse_sender(from).expect("a mailbox"));
            SmtpServer { url, from, hello }.hello_name()
        };
        for url in ["smtps://u:p@mail.example:465", "smtp://mail.example/", "smtp://mail.example?tls=required"] {
            assert_eq!(greeted(url, "Two <two@example.com>", None), "example.com", "{url}");
        }
        assert_eq!(greeted("smtp://mail.example", "two@почта.рф", None), "xn--80a1acny.xn--p1ai");
        let with_path = "smtps://u:p%2F@mail.example/out.example?tls=required";
        assert_eq!(greeted(with_path, "two@example.com", None), "out.example");
        assert_eq!(greeted(with_path, "two@example.com", Some("a-1.example")), "a-1.example");
        for literal in ["[192.0.2.1]", "[IPv6:2001:db8::1]"] {
            assert_eq!(greeted("smtp://mail.example", "two@example.com", Some(literal)), literal);
        }
        for name in ["", "a b", "a\r\nMAIL", "é.example", "192.0.2.1:25", "<a>"] {
            assert!(HelloName::parse(name).is_err(), "{name}");
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
