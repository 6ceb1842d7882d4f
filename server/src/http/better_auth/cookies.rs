//! The dialect's cookies: names, attributes, signatures (wire reference §2).
//!
//! A signed value is `value.signature`; the signature is an HMAC-SHA-256 in base64. Each cookie has a key of its own, so a
//! value moved to another cookie fails the signature check.

use crate::http::shared::cookies::{Attribute, SetCookie, values};
use crate::net::cookie_scope::CookieScope;
use countersign_domain::keyring::{Keyring, Purpose};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::sync::Arc;
use std::time::Duration;

/// The characters that JavaScript's `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

const ORDER: [Attribute; 6] = [
    Attribute::MaxAge,
    Attribute::Domain,
    Attribute::Path,
    Attribute::HttpOnly,
    Attribute::Secure,
    Attribute::SameSite,
];

/// Length of 32 bytes in padded base64.
const SIGNATURE_LENGTH: usize = 44;

/// A cookie of the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Opens the session.
    Session,
    /// Better Auth's client-side cache of the session. Never set here, only cleared.
    SessionData,
    /// Continues a sign-in.
    Challenge,
    /// Marks a trusted device.
    Trust,
    /// Carries `rememberMe: false` across a challenge.
    DontRemember,
    /// Ties the response of a passkey ceremony to its options.
    Passkey,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "better-auth.session_token",
            Self::SessionData => "better-auth.session_data",
            Self::Challenge => "better-auth.two_factor",
            Self::Trust => "better-auth.trust_device",
            Self::DontRemember => "better-auth.dont_remember",
            Self::Passkey => "better-auth.better-auth-passkey",
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::Session | Self::SessionData => Purpose::SessionCookie,
            Self::Challenge => Purpose::ChallengeCookie,
            Self::Trust => Purpose::TrustCookie,
            Self::DontRemember => Purpose::DontRememberCookie,
            Self::Passkey => Purpose::PasskeyCookie,
        }
    }
}

/// Reads and writes the cookies of one deployment.
pub struct Cookies {
    keyring: Arc<Keyring>,
    scope: CookieScope,
}

impl Cookies {
    /// Cookies signed with keys of `keyring`.
    #[must_use]
    pub fn new(keyring: Arc<Keyring>, scope: CookieScope) -> Self {
        Self { keyring, scope }
    }

    /// The value with its signature, not encoded, as bearer clients hold it.
    #[must_use]
    pub fn sign(&self, cookie: Cookie, value: &str) -> String {
        format!("{value}.{}", BASE64.encode(&self.keyring.mac(cookie.purpose(), value.as_bytes())))
    }

    /// The value of a signed text, if the signature is valid.
    #[must_use]
    pub fn verify(&self, cookie: Cookie, signed: &str) -> Option<String> {
        let (value, signature) = signed.rsplit_once('.')?;
        if signature.len() != SIGNATURE_LENGTH || !signature.ends_with('=') {
            return None;
        }
        let tag = BASE64.decode(signature.as_bytes()).ok()?;
        self.keyring.verify(cookie.purpose(), value.as_bytes(), &tag).then(|| value.to_owned())
    }

    /// The `Set-Cookie` values that set a cookie. Without `max_age`, it lasts until the browser closes.
    #[must_use]
    pub fn set(&self, cookie: Cookie, value: &str, max_age: Option<Duration>) -> Vec<HeaderValue> {
        let signed = self.sign(cookie, value);
        let encoded = utf8_percent_encode(&signed, COMPONENT).to_string();
        self.render(cookie, &encoded, max_age)
    }

    /// The `Set-Cookie` values that delete a cookie.
    #[must_use]
    pub fn delete(&self, cookie: Cookie) -> Vec<HeaderValue> {
        self.render(cookie, "", Some(Duration::ZERO))
    }

    /// The `Set-Cookie` values that delete all cookies of a session.
    #[must_use]
    pub fn delete_session(&self) -> [Vec<HeaderValue>; 3] {
        [Cookie::Session, Cookie::SessionData, Cookie::DontRemember].map(|cookie| self.delete(cookie))
    }

    fn render(&self, cookie: Cookie, value: &str, max_age: Option<Duration>) -> Vec<HeaderValue> {
        let name = &self.full_name(cookie);
        let set = SetCookie { name, value, max_age, scope: &self.scope };
        set.to_headers(ORDER).expect("names are ASCII and values percent-encoded")
    }

    fn full_name(&self, cookie: Cookie) -> String {
        // `__Host-` would forbid a domain (RFC 6265bis, 4.1.3), and the dialect's clients look for this prefix.
        format!("{}{}", if self.scope.is_secure { "__Secure-" } else { "" }, cookie.name())
    }

    /// The request's cookie; of several of that name, the first.
    #[must_use]
    pub fn read_signed(&self, headers: &HeaderMap, cookie: Cookie) -> Presented {
        let Some(value) = values(headers, &self.full_name(cookie)).next() else { return Presented::Absent };
        self.verify(cookie, &decoded(&value)).map_or(Presented::Forged, Presented::Signed)
    }
}

/// The state of a signed cookie in a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Presented {
    /// No such cookie.
    Absent,
    /// Present, without a valid signature.
    Forged,
    /// Present with a valid signature: the value.
    Signed(String),
}

impl Presented {
    /// The value, if its signature is valid.
    #[must_use]
    pub fn signed(&self) -> Option<&str> {
        match self {
            Self::Signed(value) => Some(value),
            Self::Absent | Self::Forged => None,
        }
    }
}

/// Removes percent-encoding. Text that does not decode to UTF-8 is returned unchanged.
pub(super) fn decoded(text: &str) -> String {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) if text.contains('%') => decoded.into_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::cookie_scope::{CookieDomain, SameSite};
    use http::header::COOKIE;
    use rand::SeedableRng as _;

    fn cookies(is_secure: bool) -> Cookies {
        let keyring = Keyring::generate(&mut rand::rngs::StdRng::seed_from_u64(1));
        let scope = CookieScope { is_secure, same_site: SameSite::Lax, domain: None };
        Cookies::new(Arc::new(keyring), scope)
    }

    fn text(values: Vec<HeaderValue>) -> String {
        let lines = values.iter().map(|value| value.to_str().expect("ASCII"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn request(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).expect("a header"))])
    }

    #[test]
    fn attributes_stand_in_the_order_of_the_wire_reference() {
        let plain = text(cookies(false).set(Cookie::Session, "abc", Some(Duration::from_secs(604_800))));
        assert!(plain.starts_with("better-auth.session_token=abc."), "{plain}");
        assert!(plain.ends_with("%3D; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"), "{plain}");
        let secure = text(cookies(true).set(Cookie::Trust, "mac!id", None));
        assert!(secure.starts_with("__Secure-better-auth.trust_device=mac!id."), "{secure}");
        assert!(secure.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"), "{secure}");
        assert_eq!(
            text(cookies(false).delete(Cookie::Challenge)),
            "better-auth.two_factor=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_cookie_of_a_domain_replaces_that_of_the_host_alone() {
        let mut cookies = cookies(true);
        cookies.scope.domain = Some(CookieDomain::parse("example.com").expect("a domain"));
        cookies.scope.same_site = SameSite::None;
        let set = text(cookies.set(Cookie::DontRemember, "true", None));
        let (of_host, of_domain) = set.split_once('\n').expect("two lines");
        let name = "__Secure-better-auth.dont_remember";
        assert_eq!(of_host, format!("{name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=None"));
        assert!(of_domain.starts_with(&format!("{name}=true.")), "{of_domain}");
        assert!(of_domain.ends_with("; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=None"), "{of_domain}");
        let deleted = text(cookies.delete(Cookie::DontRemember));
        let domain = format!("{name}=; Max-Age=0; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=None");
        assert_eq!(deleted, format!("{of_host}\n{domain}"));
    }

    #[test]
    fn a_cookie_reads_back_encoded_decoded_quoted_and_among_others() {
        let cookies = cookies(false);
        let signed = cookies.sign(Cookie::Session, "abc");
        let encoded = utf8_percent_encode(&signed, COMPONENT).to_string();
        for header in [
            format!("better-auth.session_token={encoded}"),
            format!("a=b;better-auth.session_token={signed} ; c=d"),
            format!("better-auth.session_token=\"{signed}\""),
            format!("better-auth.session_token={signed}; better-auth.session_token=other"),
        ] {
            assert_eq!(cookies.read_signed(&request(&header), Cookie::Session).signed(), Some("abc"), "{header}");
        }
    }

    #[test]
    fn an_odd_cookie_of_somebody_else_hides_no_session() {
        let cookies = cookies(false);
        let signed = cookies.sign(Cookie::Session, "abc");
        let read = |before: &[u8], after: &[u8]| {
            let pair = format!("better-auth.session_token={signed}");
            let line = [before, pair.as_bytes(), after].concat();
            let value = HeaderValue::from_bytes(&line).expect("a header");
            cookies.read_signed(&HeaderMap::from_iter([(COOKIE, value)]), Cookie::Session)
        };
        for (before, after) in [(&b"theme=\xe4; "[..], &b""[..]), (b"\xff\xfe=1;", b"; x=\xc3"), (b"\xc3;", b"")] {
            assert_eq!(read(before, after).signed(), Some("abc"), "{before:?} {after:?}");
        }
        assert!(read(b"", b"\xff") == Presented::Forged, "its own bytes are odd");
    }

    #[test]
    fn a_value_that_is_not_signed_for_this_cookie_is_rejected_38() {
        let cookies = cookies(false);
        let signed = cookies.sign(Cookie::Session, "abc");
        let moved = format!("better-auth.two_factor={signed}");
        assert!(cookies.read_signed(&request(&moved), Cookie::Challenge) == Presented::Forged);
        for value in ["abc", "abc.", "abc.x=", &signed[1..], &signed.replace('=', ""), "%ZZ", ""] {
            let header = format!("better-auth.session_token={value}");
            assert!(cookies.read_signed(&request(&header), Cookie::Session) == Presented::Forged, "{value}");
        }
        let secure_name = format!("__Secure-better-auth.session_token={signed}");
        assert!(cookies.read_signed(&request(&secure_name), Cookie::Session) == Presented::Absent);
    }
}
