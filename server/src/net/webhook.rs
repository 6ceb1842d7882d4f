//! URLs of receivers of webhooks.

use super::client::is_local;
use super::origin::Origin;
use super::public::is_public;
use std::fmt;
use std::net::IpAddr;

/// `https://…`, or `http://…`. `Debug` does not print it, because some receivers have a key in it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(reqwest::Url);

impl WebhookUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// Says what was expected, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_web = Origin::of_url(text).is_some_and(|origin| ["http", "https"].contains(&origin.scheme()));
        match reqwest::Url::parse(text) {
            Ok(url) if is_web => Ok(Self(url)),
            _ => Err("expected https://host/path".to_owned()),
        }
    }

    #[must_use]
    pub fn url(&self) -> &reqwest::Url {
        &self.0
    }

    /// Whether what is sent there can be read on the way.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.0.scheme() == "http" && !is_local(self.0.as_str())
    }

    /// The host, if it is an address and no name. Numbers that browsers take for an address (`http://2130706433`) are one here, too.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.0.host_str()?.trim_matches(['[', ']']).parse().ok()
    }

    /// Whether it leads to this machine or to a network that is not public, as far as can be said before a name is resolved.
    #[must_use]
    pub fn is_private(&self) -> bool {
        is_local(self.0.as_str()) || self.address().is_some_and(|address| !is_public(address))
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_without_being_repeated() {
        for (text, is_readable, is_private) in [
            ("https://crm.example/events?key=hunter2", false, false),
            ("http://crm.example/events", true, false),
            ("http://127.0.0.1:8080/", false, true),
            ("http://localhost/", false, true),
            ("https://10.0.0.1/", false, true),
            ("http://10.0.0.1/", true, true),
            ("https://169.254.169.254/latest/meta-data", false, true),
            ("https://2130706433/", false, true),
            ("https://0x7f.1/", false, true),
            ("https://[::ffff:127.0.0.1]/", false, true),
            ("https://[fd00:ec2::254]/", false, true),
            ("https://1.1.1.1/", false, false),
        ] {
            let url = WebhookUrl::parse(text).expect(text);
            assert_eq!((url.is_readable(), url.is_private()), (is_readable, is_private), "{text}");
            assert_eq!(format!("{url:?}"), "[redacted]");
        }
        for text in ["ftp://hunter2", "hunter2", "https://", "https://u:hunter2@crm.example/", ""] {
            let problem = WebhookUrl::parse(text).expect_err(text);
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
