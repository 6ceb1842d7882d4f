//! Which requests browsers attach our cookies to.

use super::origin::{Origin, with_ascii_host};
use std::net::IpAddr;

/// Whether browsers attach a cookie to requests that pages of other sites make (RFC 6265bis, 5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Not at all, not even when a link leads here.
    Strict,
    /// When a link leads here.
    Lax,
    /// Always. Browsers take it from https only, and most leave such cookies out as third-party cookies nevertheless.
    None,
}

impl SameSite {
    /// Reads the name of an attribute's value in lower case.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "strict" => Ok(Self::Strict),
            "lax" => Ok(Self::Lax),
            "none" => Ok(Self::None),
            _ => Err(format!("`{text}` is none of lax, strict and none")),
        }
    }

    /// The attribute's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// A domain that all hosts below it share cookies in, in ASCII and lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain(String);

impl CookieDomain {
    /// Reads `example.com`; a leading dot is ignored, as browsers do (RFC 6265, 5.2.3).
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix('.').unwrap_or(text);
        let is_name = |name: &str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            name.parse::<IpAddr>().is_err()
                && name.contains('.')
                && name.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter))
        };
        let ascii = with_ascii_host(name).map(|name| name.to_ascii_lowercase()).filter(|name| is_name(name));
        ascii.map(Self).ok_or_else(|| format!("`{text}` is not a domain, such as example.com"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether pages of this origin may set cookies for the domain (RFC 6265, 5.1.3).
    #[must_use]
    pub fn covers(&self, origin: &Origin) -> bool {
        origin.host().strip_suffix(&self.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// The attributes of every cookie that say where it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieScope {
    /// Only over https.
    pub is_secure: bool,
    pub same_site: SameSite,
    /// `None` for the host that sets it, and no other.
    pub domain: Option<CookieDomain>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_name_with_a_dot_and_covers_itself_and_what_is_below_it() {
        for (text, name) in [
            ("example.com", "example.com"),
            (".Example.com", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("a-b.c.d", "a-b.c.d"),
        ] {
            assert_eq!(CookieDomain::parse(text).as_ref().map(CookieDomain::as_str), Ok(name));
        }
        for text in [
            "",
            ".",
            "com",
            "localhost",
            "..a.b",
            "a..b",
            "a.b.",
            "127.0.0.1",
            "::1",
            "a.b/c",
            "a b.c",
            "a.b;c",
            "a_b.c",
            "*.a.b",
        ] {
            assert!(CookieDomain::parse(text).is_err(), "{text}");
        }
        let domain = CookieDomain::parse("example.com").expect("a domain");
        let covers = |url| domain.covers(&Origin::parse(url).expect("an origin"));
        assert!(covers("https://example.com") && covers("https://id.example.com:8443"));
        assert!(!covers("https://notexample.com") && !covers("https://example.com.evil.example"));
        assert!(!covers("http://localhost") && !covers("https://com"));
    }
}
