//! Address and credentials of a gateway for text messages.

use super::client::is_local;
use super::origin::Origin;
use std::fmt;

/// How a gateway is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsProvider {
    /// A signed request in the form of Standard Webhooks.
    Webhook,
    /// The API of Twilio, and of others that have the same.
    Twilio,
}

impl SmsProvider {
    /// Reads the name of a provider.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "webhook" => Ok(Self::Webhook),
            "twilio" => Ok(Self::Twilio),
            _ => Err(format!("`{text}` is neither webhook nor twilio")),
        }
    }
}

/// `https://…`, or `http://…` on this machine. `Debug` does not print it, because some gateways have a key in it.
#[derive(Clone, PartialEq, Eq)]
pub struct SmsUrl(String);

impl SmsUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// Says what was expected, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        match Origin::of_url(text) {
            Some(origin) if ["http", "https"].contains(&origin.scheme()) => {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err("expected https://host/path".to_owned()),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent there can be read on the way.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.0.starts_with("http://") && !is_local(&self.0)
    }
}

impl fmt::Debug for SmsUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// A gateway, with what it needs to know its client.
#[derive(Clone)]
pub enum SmsGateway {
    Webhook {
        url: SmsUrl,
        /// Key of the signature.
        secret: Vec<u8>,
    },
    Twilio {
        /// Without the version and what follows it.
        url: SmsUrl,
        /// The account's SID.
        account: String,
        token: String,
        /// Sender: a number, or the SID of a messaging service.
        from: String,
    },
}

impl fmt::Debug for SmsGateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Webhook { .. } => "Webhook([redacted])",
            Self::Twilio { .. } => "Twilio([redacted])",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_without_being_repeated() {
        for (text, is_readable) in [
            ("https://sms.example/send?key=hunter2", false),
            ("http://127.0.0.1:8080/send/", false),
            ("http://localhost/send", false),
            ("http://sms.example/send", true),
            ("http://localhost.evil.example/send", true),
        ] {
            let url = SmsUrl::parse(text).expect("a URL");
            assert_eq!((url.is_readable(), format!("{url:?}").as_str()), (is_readable, "[redacted]"), "{text}");
        }
        for text in ["ftp://hunter2", "hunter2", "https://", ""] {
            let problem = SmsUrl::parse(text).expect_err(text);
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
