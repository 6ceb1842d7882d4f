//! Web origins whose pages may send requests with a user's cookies.
//!
//! The same list decides which pages get CORS headers, which `Origin` headers pass the cross-site check, and where a
//! callback URL may lead, because these must never disagree. It always contains the base URL's origin.
//!
//! Three places ask it: `edge/cors.rs` (`Origin`, for CORS headers and the cookies of the FusionAuth dialect),
//! `http/better_auth/origin.rs` (`Origin`, `expo-origin`, `Referer`, and callback URLs in bodies and queries) and
//! `http/better_auth/links.rs` (callback URLs of links). Headers are compared as they are, since browsers send ASCII; patterns of
//! the setting and callback URLs, which users write, in the ASCII form.
//!
//! Parsing is stricter than a browser's. Text that a browser would repair (spaces, backslashes, credentials in the
//! authority, missing slashes) is not an origin, so that the repaired URL cannot lead elsewhere.

use percent_encoding::{AsciiSet, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt;

/// Scheme, host and port of a URL; the default ports of http and https are left out, as browsers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Reads `scheme://host[:port]` without a path, as in an `Origin` header.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (origin, rest) = split(text)?;
        rest.is_empty().then_some(origin)
    }

    /// The origin of an absolute URL.
    #[must_use]
    pub fn of_url(url: &str) -> Option<Self> {
        split(url).map(|(origin, _)| origin)
    }

    /// In lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// In lower case, without port; an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `None` for the scheme's default.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether no browser has it as the origin of a page: that of an address to listen on, not to connect to.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        ["0.0.0.0", "[::]"].contains(&self.host.as_str())
    }

    fn host_and_port(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.host_and_port())
    }
}

/// Splits a URL into its origin and the rest after the authority.
fn split(url: &str) -> Option<(Origin, &str)> {
    if url.bytes().any(|byte| byte <= b' ' || byte == b'\\' || byte == 0x7f) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let mut letters = scheme.bytes();
    let starts_well = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if !starts_well || !letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (host, port) = split_authority(authority)?;
    let default_port = match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    // Custom schemes of apps (`example-app:///done`) need no host; http and https do.
    if host.is_empty() && (default_port.is_some() || port.is_some()) {
        return None;
    }
    let origin =
        Origin { scheme, host: host.to_ascii_lowercase(), port: port.filter(|port| Some(*port) != default_port) };
    Some((origin, rest))
}

fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let (host, port) = authority.split_at(end);
        let address = &host[1..end - 1];
        address.parse::<std::net::Ipv6Addr>().ok()?;
        (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
    } else {
        let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
        if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
            return None;
        }
        (host, port)
    };
    match port {
        None => Some((host, None)),
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host, Some(digits.parse().ok()?)))
        }
        Some(_) => None,
    }
}

/// A URL, an origin or a pattern for one, as somebody writes it, with its host as browsers send it: in ASCII (`xn--…`), for
/// which letters of other scripts are encoded (UTS 46). `None` if the host cannot be encoded.
#[must_use]
pub fn with_ascii_host(text: &str) -> Option<Cow<'_, str>> {
    if text.is_ascii() {
        return Some(Cow::Borrowed(text));
    }
    let start = text.find("://").map_or(0, |at| at + "://".len());
    let end = text[start..].find([':', '/', '?', '#']).map_or(text.len(), |at| start + at);
    let host = &text[start..end];
    // A wildcard would be encoded together with the letters beside it, and match nothing.
    let is_mixed = |label: &str| !label.is_ascii() && label.contains(['*', '?']);
    if host.split('.').any(is_mixed) {
        return None;
    }
    let ascii = idna::domain_to_ascii_cow(host.as_bytes(), idna::AsciiDenyList::URL).ok()?;
    Some(Cow::Owned(format!("{}{ascii}{}", &text[..start], &text[end..])))
}

/// A URL in ASCII, as browsers follow it: the host as `xn--…`, and what comes after it percent-encoded (WHATWG URL, 3.3 and 4.4).
/// `None` if the host cannot be encoded.
#[must_use]
pub fn ascii_url(url: &str) -> Option<Cow<'_, str>> {
    Some(match with_ascii_host(url)? {
        url if url.is_ascii() => url,
        // Encodes what is not ASCII, and nothing else.
        url => Cow::Owned(utf8_percent_encode(&url, &AsciiSet::EMPTY).collect()),
    })
}

/// One entry of the configured list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPattern {
    /// This origin only.
    Exact(Origin),
    /// Any URL of this scheme, for apps: `example-app://`.
    Scheme(String),
    /// An origin, with wildcards: `https://*.example.com`.
    OriginGlob(String),
    /// A host, and a port other than the default, with any scheme; may contain wildcards: `*.example.com`.
    HostGlob(String),
}

impl OriginPattern {
    /// # Errors
    /// Says what is wrong with `text`, as the continuation of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_suffix('/').filter(|rest| !rest.ends_with('/')).unwrap_or(text);
        let ascii = with_ascii_host(text).filter(|text| text.is_ascii());
        let text = ascii.ok_or_else(|| format!("`{text}` has no host name that can be written in ASCII (xn--…)"))?;
        let text = text.to_ascii_lowercase();
        if text.bytes().any(|byte| byte <= b' ' || b"\\@%#,".contains(&byte)) {
            return Err(format!("`{text}` is neither an origin nor a pattern for one"));
        }
        let is_glob = text.contains(['*', '?']);
        match text.split_once("://") {
            Some((scheme, "")) if !is_glob && !["http", "https"].contains(&scheme) => {
                Ok(Self::Scheme(scheme.to_owned()))
            }
            Some((_, rest)) if is_glob && !rest.contains('/') => Ok(Self::OriginGlob(text)),
            Some(_) => Origin::parse(&text).map(Self::Exact).ok_or_else(|| {
                format!("`{text}` is not an origin: write scheme://host or scheme://host:port, without a path")
            }),
            None if text.contains('/') || text.is_empty() => {
                Err(format!("`{text}` is not a host: write https://{text} or a host name, without a path"))
            }
            None => Ok(Self::HostGlob(text)),
        }
    }

    fn matches(&self, origin: &Origin) -> bool {
        match self {
            Self::Exact(exact) => exact == origin,
            Self::Scheme(scheme) => *scheme == origin.scheme,
            Self::OriginGlob(glob) => glob_matches(glob, &origin.to_string()),
            Self::HostGlob(glob) => glob_matches(glob, &origin.host_and_port()),
        }
    }
}

/// Whether `text` matches `glob`, where `*` stands for any characters and `?` for exactly one.
fn glob_matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut at_glob, mut at_text) = (0, 0);
    // Position of the latest star, and of the end of the text that it matches so far.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match glob.get(at_glob) {
            Some(b'*') => {
                star = Some((at_glob, at_text));
                at_glob += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[at_text] => {
                at_glob += 1;
                at_text += 1;
            }
            _ => match star {
                Some((position, matched)) => {
                    star = Some((position, matched + 1));
                    at_glob = position + 1;
                    at_text = matched + 1;
                }
                None => return false,
            },
        }
    }
    glob[at_glob..].iter().all(|byte| *byte == b'*')
}

#[derive(Clone, Debug)]
pub struct TrustedOrigins {
    patterns: Vec<OriginPattern>,
}

impl TrustedOrigins {
    #[must_use]
    pub fn new(base: Origin, configured: impl IntoIterator<Item = OriginPattern>) -> Self {
        Self { patterns: std::iter::once(OriginPattern::Exact(base)).chain(configured).collect() }
    }

    /// Whether the value of an `Origin` header is trusted.
    #[must_use]
    pub fn trusts_origin(&self, origin: &str) -> bool {
        Origin::parse(origin).is_some_and(|origin| self.trusts(&origin))
    }

    /// Whether an absolute URL (a `Referer`, a callback) leads to a trusted origin.
    #[must_use]
    pub fn trusts_url(&self, url: &str) -> bool {
        Origin::of_url(url).is_some_and(|origin| self.trusts(&origin))
    }

    fn trusts(&self, origin: &Origin) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(patterns: &[&str]) -> TrustedOrigins {
        let base = Origin::parse("http://localhost:3000").expect("an origin");
        TrustedOrigins::new(base, patterns.iter().map(|text| OriginPattern::parse(text).expect("a pattern")))
    }

    #[test]
    fn origins_are_exact() {
        let list = trusted(&["https://app.example.com"]);
        for yes in ["http://localhost:3000", "https://app.example.com", "https://APP.example.com:443"] {
            assert!(list.trusts_origin(yes), "{yes}");
        }
        for no in [
            "http://127.0.0.1:3000",
            "https://localhost:3000",
            "http://localhost",
            "http://localhost:3001",
            "http://app.example.com",
            "https://app.example.com.evil.example",
            "https://evilapp.example.com",
            "https://app.example.com/",
            "https://app.example.com@evil.example",
            "null",
            "",
            "app.example.com",
            "https://app.example.com:",
            "https://app.example.com:99999",
            "https:/app.example.com",
        ] {
            assert!(!list.trusts_origin(no), "{no}");
        }
    }

    #[test]
    fn urls_are_trusted_as_a_browser_would_read_them() {
        let list = trusted(&["https://app.example.com"]);
        for yes in ["https://app.example.com/a?b=https://evil.example", "https://app.example.com#x"] {
            assert!(list.trusts_url(yes), "{yes}");
        }
        for no in [
            "https://evil.example\\@app.example.com/",
            "https://app.example.com\\.evil.example/",
            "https://app.example.com:pw@evil.example/",
            "https:///app.example.com/",
            "//app.example.com/",
            "https://app.example.com .evil.example",
            "java\tscript://app.example.com",
            "javascript:alert(1)",
            "https://app.example.com%2eevil.example/",
            "data://",
            " https://app.example.com",
        ] {
            assert!(!list.trusts_url(no), "{no}");
        }
    }

    #[test]
    fn wildcards_match_origin_or_host() {
        let list = trusted(&["https://*.example.com", "*.test:8080", "http://10.0.0.?"]);
        for yes in [
            "https://a.example.com",
            "https://a.b.example.com",
            "http://x.test:8080",
            "ftp://x.test:8080",
            "http://10.0.0.7",
        ] {
            assert!(list.trusts_origin(yes), "{yes}");
        }
        for no in [
            "https://example.com",
            "http://a.example.com",
            "https://a.example.com:8443",
            "http://x.test",
            "http://10.0.0.77",
        ] {
            assert!(!list.trusts_origin(no), "{no}");
        }
    }

    #[test]
    fn schemes_of_apps_can_be_trusted() {
        let list = trusted(&["example-app://", "capacitor://localhost"]);
        assert!(list.trusts_url("example-app://signed-in?x=1") && list.trusts_url("example-app:///signed-in"));
        assert!(list.trusts_origin("capacitor://localhost"));
        assert!(!list.trusts_url("example-apps://x") && !list.trusts_url("capacitor://other"));
    }

    #[test]
    fn hosts_of_other_scripts_are_compared_as_browsers_send_them() {
        let list = trusted(&["https://bücher.example", "https://*.почта.рф:8443", "*.bücher.example"]);
        for yes in [
            "https://xn--bcher-kva.example",
            "https://XN--BCHER-KVA.example",
            "https://app.xn--80a1acny.xn--p1ai:8443",
            "http://app.xn--bcher-kva.example",
        ] {
            assert!(list.trusts_origin(yes), "{yes}");
        }
        for no in ["https://bücher.example", "https://bucher.example", "https://xn--80a1acny.xn--p1ai:8443"] {
            assert!(!list.trusts_origin(no), "{no}");
        }
        assert!(OriginPattern::parse("https://BÜCHER.example/").is_ok_and(|pattern| {
            pattern == OriginPattern::Exact(Origin::parse("https://xn--bcher-kva.example").expect("an origin"))
        }));
        for text in ["https://büch*.example", "https://bücher.example/é", "b?cher.рф/x", "https://\u{feff}"] {
            assert!(OriginPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn urls_in_other_scripts_are_led_to_as_browsers_do() {
        for (url, ascii) in [
            ("https://app.example.com/%C3%A9", "https://app.example.com/%C3%A9"),
            ("https://app.example.com/é", "https://app.example.com/%C3%A9"),
            ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
            ("https://bücher。example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(ascii_url(url).as_deref(), Some(ascii), "{url}");
        }
        let list = trusted(&["https://bücher.example"]);
        let trusts = |url: &str| ascii_url(url).is_some_and(|url| list.trusts_url(&url));
        assert!(trusts("https://bücher.example/x") && trusts("https://xn--bcher-kva.example/x"));
        for no in [
            "https://bücher.example.evil.example/",
            "https://evil.example\\@bücher.example/",
            "https://bücher.example@evil.example/",
            "https://evil.example/bücher.example",
            "https://evil.example／bücher.example",
            "https://evil.example？.bücher.example",
            "https://evil.example＠bücher.example",
            "https://evil.example\u{200b}#bücher.example",
            "//bücher.example/x",
            "https://b\u{fffd}cher.example",
        ] {
            assert!(!trusts(no), "{no}: {:?}", ascii_url(no));
        }
    }

    #[test]
    fn patterns_that_cannot_match_are_refused() {
        for text in [
            "https://",
            "https://a.example/path",
            "a.example/path",
            "https://a b",
            "",
            "https://*.example.com/x",
            "https://u@a",
        ] {
            assert!(OriginPattern::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            OriginPattern::parse("https://a.example/").expect("one slash is forgiven"),
            OriginPattern::Exact(Origin::parse("https://a.example").expect("an origin"))
        );
        assert_eq!(OriginPattern::parse("example-app://"), Ok(OriginPattern::Scheme("example-app".to_owned())));
    }

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*b*", "abc", true),
            ("?", "", false),
            ("a**", "a", true),
        ] {
            assert_eq!(glob_matches(glob, text), expected, "{glob} {text}");
        }
    }
}
