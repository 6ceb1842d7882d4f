//! Address and credentials of a mail server.
//!
//! Beyond loopback, `smtp://` requires STARTTLS, because a code that crosses a network in clear text is no second
//! factor. `?tls=opportunistic` is the opt-out for relays without TLS.

use super::origin::with_ascii_host;
use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
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
    /// Certificates (PEM) that the server's has to come from; `None` for the operating system's.
    pub ca: Option<Vec<u8>>,
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

    /// A transport to the server; it has not connected yet.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    pub fn transport(&self) -> Result<AsyncSmtpTransportBuilder, Error> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.url.0)?;
        let builder = builder.hello_name(ClientId::Domain(self.hello_name()));
        let Some(ca) = &self.ca else { return Ok(builder) };
        let parameters = TlsParameters::builder(self.url.host().to_owned()).certificate_store(CertificateStore::None);
        let parameters = parameters.add_root_certificate(Certificate::from_pem(ca)?).build()?;
        Ok(match self.url.encryption() {
            Some(SmtpTls::Implicit) => builder.tls(Tls::Wrapper(parameters)),
            Some(SmtpTls::Required) => builder.tls(Tls::Required(parameters)),
            Some(SmtpTls::Opportunistic) => builder.tls(Tls::Opportunistic(parameters)),
            Some(SmtpTls::Off) | None => builder,
        })
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

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// By STARTTLS, and no mail is sent without.
    Required,
    /// By STARTTLS if the server offers it. Somebody on the way can take the offer out.
    Opportunistic,
    /// From the beginning.
    Implicit,
    Off,
}

impl SmtpTls {
    /// Reads the name of a mode.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "required" => Ok(Self::Required),
            "opportunistic" => Ok(Self::Opportunistic),
            "implicit" => Ok(Self::Implicit),
            "off" => Ok(Self::Off),
            _ => Err(format!("`{text}` is none of required, opportunistic, implicit and off")),
        }
    }
}

/// Reads a recipient, with its domain in ASCII.
///
/// # Errors
/// When it is not an e-mail address, or its domain has no form in ASCII.
pub fn parse_recipient(text: &str) -> Result<Address, AddressError> {
    let (user, domain) = text.rsplit_once('@').ok_or(AddressError::MissingParts)?;
    Address::new(user, with_ascii_host(domain).ok_or(AddressError::InvalidDomain)?)
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
        match AsyncSmtpTransport::<Tokio1Executor>::from_url(&url.0) {
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

    /// The name or address of the server.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = authority(&self.0).rsplit('@').next().unwrap_or_default();
        match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => host.split(':').next().unwrap_or_default(),
        }
    }

    /// How the connection is encrypted; `None` if the URL does not say so.
    #[must_use]
    pub fn encryption(&self) -> Option<SmtpTls> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        match self.0.starts_with("smtps://") {
            true => Some(SmtpTls::Implicit),
            false if query.contains("tls=required") => Some(SmtpTls::Required),
            false if query.contains("tls=opportunistic") => Some(SmtpTls::Opportunistic),
            false => None,
        }
    }

    /// The same server with this encryption.
    ///
    /// # Errors
    /// When the URL says something else, or a password would cross a network readably.
    pub fn encrypted(&self, tls: SmtpTls) -> Result<Self, &'static str> {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let place = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        let is_implicit = self.0.starts_with("smtps://");
        Ok(Self(match tls {
            SmtpTls::Implicit => format!("smtps://{place}"),
            _ if is_implicit => return Err("`smtp.url` begins with smtps://, which is `implicit`"),
            SmtpTls::Required => format!("smtp://{place}?tls=required"),
            SmtpTls::Opportunistic => format!("smtp://{place}?tls=opportunistic"),
            SmtpTls::Off if authority(&self.0).contains('@') && !is_local(&self.0) => {
                return Err("would send the password in `smtp.url` readably; take `required` or `implicit`");
            }
            SmtpTls::Off => format!("smtp://{place}"),
        }))
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Adds `tls=required` where `url` says nothing about encryption and its host is not this machine.
fn with_encryption(url: &str) -> String {
    if !url.starts_with("smtp://") {
        return url.to_owned();
    }
    match (is_local(url) || url.contains("tls="), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&tls=required"),
        (false, false) => format!("{url}?tls=required"),
    }
}

/// Credentials, host and port.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]
}

/// Whether the host is this machine.
fn is_local(url: &str) -> bool {
    let host = authority(url).rsplit('@').next().unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|port| port.is_empty() || port.starts_with(':')))
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
            SmtpServer { url, from, hello, ca: None }.hello_name()
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
    fn a_setting_says_how_the_connection_is_encrypted() {
        let url = |text: &str| SmtpUrl::parse(text).expect("a URL");
        let encrypted = |text: &str, mode: &str| url(text).encrypted(SmtpTls::parse(mode).expect("a mode"));
        for (given, mode, used) in [
            ("smtp://u:p@mail.example:587/name", "required", Some("smtp://u:p@mail.example:587/name?tls=required")),
            ("smtp://mail.example?tls=required", "opportunistic", Some("smtp://mail.example?tls=opportunistic")),
            ("smtp://mail.example", "off", Some("smtp://mail.example")),
            ("smtp://mail.example", "implicit", Some("smtps://mail.example")),
            ("smtps://mail.example", "implicit", Some("smtps://mail.example")),
            ("smtp://127.0.0.1:25", "required", Some("smtp://127.0.0.1:25?tls=required")),
            ("smtp://u:p@127.0.0.1:25", "off", Some("smtp://u:p@127.0.0.1:25")),
            ("smtp://u:p@mail.example", "off", None),
            ("smtps://mail.example", "required", None),
        ] {
            assert_eq!(encrypted(given, mode).ok().map(|url| url.0), used.map(str::to_owned), "{given} {mode}");
        }
        assert!(SmtpTls::parse("on").is_err());
        for (text, host, encryption) in [
            ("smtp://u:p%40@mail.example:587/x", "mail.example", Some(SmtpTls::Required)),
            ("smtp://[::1]:25", "::1", None),
            ("smtps://mail.example", "mail.example", Some(SmtpTls::Implicit)),
        ] {
            assert_eq!((url(text).host(), url(text).encryption()), (host, encryption), "{text}");
        }
    }

    #[test]
    fn recipients_have_their_domains_in_ascii() {
        let read = |text: &str| parse_recipient(text).map(|address| address.to_string());
        assert_eq!(read("ada@почта.рф").expect("an address"), "ada@xn--80a1acny.xn--p1ai");
        assert_eq!(read("ada@example.org").expect("an address"), "ada@example.org");
        for text in ["ada", "@example.org", "ada@", "ada@exa mple"] {
            assert!(read(text).is_err(), "{text}");
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
