//! For whom passkeys are: a domain, and the origins of pages that may ask for them.

use std::fmt;
use std::net::IpAddr;

/// A relying-party id: a domain in lower case, as browsers compare it. A passkey can only be used by pages of its domain and of those
/// below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RelyingPartyId(String);

/// Why a text is no relying-party id. Its text continues a sentence of which the relying-party id is the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelyingPartyIdError {
    #[error("is an IP address; browsers take domain names only")]
    IpAddress,
    #[error("has one label; of such names, browsers take `localhost` only")]
    OneLabel,
    #[error("is no domain name: letters of ASCII, digits and hyphens between dots, without scheme and port")]
    NotADomain,
}

impl RelyingPartyId {
    /// In characters (RFC 1035 §2.3.4).
    const LONGEST: usize = 253;
    const LONGEST_LABEL: usize = 63;

    /// Reads a domain name; other scripts in the form that browsers send (`xn--…`). Public suffixes are for the caller to refuse.
    ///
    /// # Errors
    /// If browsers would take it for no relying-party id.
    pub fn parse(text: &str) -> Result<Self, RelyingPartyIdError> {
        let text = text.to_ascii_lowercase();
        let is_address = text.parse::<IpAddr>().is_ok() || text.starts_with('[');
        let is_label = |label: &str| {
            (1..=Self::LONGEST_LABEL).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if is_address {
            Err(RelyingPartyIdError::IpAddress)
        } else if text.len() > Self::LONGEST || !text.split('.').all(is_label) {
            Err(RelyingPartyIdError::NotADomain)
        } else if !text.contains('.') && text != "localhost" {
            Err(RelyingPartyIdError::OneLabel)
        } else if text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
            // Browsers read `1.2.3` as an IP address (URL standard, "ends in a number").
            Err(RelyingPartyIdError::IpAddress)
        } else {
            Ok(Self(text))
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether pages of a host may use its passkeys: the host is the domain, or below it.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        host.strip_suffix(&self.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Whether pages of this origin, as browsers write it, may use its passkeys. Its scheme has to be `https:`, or its host
    /// `localhost`, to which no network is in between.
    #[must_use]
    pub fn fits(&self, origin: &str) -> bool {
        let Some((scheme, rest)) = origin.split_once("://") else { return false };
        let host = rest.rsplit_once(':').map_or(rest, |(host, port)| {
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { rest }
        });
        let is_local = host == "localhost" || host.ends_with(".localhost");
        (scheme == "https" || (scheme == "http" && is_local)) && self.covers(host)
    }
}

impl fmt::Display for RelyingPartyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What is asked about the authenticator of a new passkey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attestation {
    #[default]
    None,
    /// What it says of itself is recorded, and not checked.
    Direct,
}

impl Attestation {
    pub const ALL: [Self; 2] = [Self::None, Self::Direct];

    /// Name on the wire and in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Direct => "direct",
        }
    }
}

/// The relying party of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    pub id: RelyingPartyId,
    /// What authenticators show.
    pub name: String,
    /// The pages that may ask for passkeys, as browsers write their origins.
    pub origins: Vec<String>,
    pub attestation: Attestation,
    /// Whether a passkey that signs in has to verify its user. Without it, one that does not is a first factor.
    pub demands_verification: bool,
}

impl RelyingParty {
    /// Whether a page of this origin may ask for passkeys.
    #[must_use]
    pub fn takes(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relying_party_id_is_a_domain_name_of_several_labels_or_localhost() {
        use RelyingPartyIdError::{IpAddress, NotADomain, OneLabel};
        let long = format!("{}.org", "x".repeat(64));
        for (text, outcome) in [
            ("example.org", Ok("example.org")),
            ("Login.Example.ORG", Ok("login.example.org")),
            ("localhost", Ok("localhost")),
            ("app.localhost", Ok("app.localhost")),
            ("xn--bcher-kva.example", Ok("xn--bcher-kva.example")),
            ("127.0.0.1", Err(IpAddress)),
            ("::1", Err(IpAddress)),
            ("[::1]", Err(IpAddress)),
            ("10.1", Err(IpAddress)),
            ("intranet", Err(OneLabel)),
            ("", Err(NotADomain)),
            (".example.org", Err(NotADomain)),
            ("example.org.", Err(NotADomain)),
            ("example..org", Err(NotADomain)),
            ("-example.org", Err(NotADomain)),
            ("example.org:443", Err(NotADomain)),
            ("https://example.org", Err(NotADomain)),
            ("bücher.example", Err(NotADomain)),
            (&long, Err(NotADomain)),
        ] {
            let parsed = RelyingPartyId::parse(text);
            assert_eq!(parsed.as_ref().map(RelyingPartyId::as_str).map_err(|error| *error), outcome, "{text}");
        }
    }

    #[test]
    fn an_origin_fits_below_the_domain_with_tls_or_on_this_machine_47() {
        let example = RelyingPartyId::parse("example.org").expect("a domain");
        let localhost = RelyingPartyId::parse("localhost").expect("a domain");
        for (id, origin, fits) in [
            (&example, "https://example.org", true),
            (&example, "https://example.org:8443", true),
            (&example, "https://login.example.org", true),
            (&example, "http://example.org", false),
            (&example, "https://evil-example.org", false),
            (&example, "https://example.org.evil.net", false),
            (&example, "https://org", false),
            (&example, "https://example.org:", false),
            (&example, "example.org", false),
            (&example, "android:apk-key-hash:x", false),
            (&localhost, "http://localhost:3000", true),
            (&localhost, "https://localhost", true),
            (&localhost, "http://127.0.0.1:3000", false),
            (&localhost, "http://notlocalhost", false),
        ] {
            assert_eq!(id.fits(origin), fits, "{id} {origin}");
        }
    }
}
