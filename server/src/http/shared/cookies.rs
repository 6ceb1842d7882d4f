//! Cookies on the wire: reading `Cookie`, writing `Set-Cookie`.
//!
//! The crate `cookie` parses. It does not render, because it fixes the order of attributes (`HttpOnly` first) and each
//! dialect has another order.

use crate::edge::headers;
use crate::net::cookie_scope::CookieScope;
use cookie::Cookie;
use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// The values of all cookies called `name`, in the order of the request, without quotes around them. A pair with bytes
/// that are not UTF-8 spoils only itself.
pub fn values(headers: &HeaderMap, name: &str) -> impl Iterator<Item = String> {
    headers.get_all(COOKIE).iter().flat_map(move |line| {
        let line = headers::text(line);
        let cookies = Cookie::split_parse(&*line).flatten().filter(|cookie| cookie.name() == name);
        cookies.map(|cookie| cookie.value_trimmed().to_owned()).collect::<Vec<_>>()
    })
}

/// What can follow name and value of a cookie.
#[derive(Clone, Copy, Debug)]
pub enum Attribute {
    MaxAge,
    Domain,
    Path,
    HttpOnly,
    Secure,
    SameSite,
}

/// A cookie to set, for all paths and no script.
#[derive(Clone, Copy, Debug)]
pub struct SetCookie<'a> {
    pub name: &'a str,
    /// Encoded already.
    pub value: &'a str,
    /// `None` lasts as long as the browser runs.
    pub max_age: Option<Duration>,
    pub scope: &'a CookieScope,
}

impl SetCookie<'_> {
    /// The values of `Set-Cookie` headers, with their attributes in this order.
    ///
    /// A cookie for a domain comes second. The first deletes one of that name that is for this host alone, from before the
    /// domain was configured: browsers would send both, and after a deletion still the other one.
    ///
    /// # Errors
    /// When name or value hold what a header cannot.
    pub fn to_headers(self, order: [Attribute; 6]) -> Result<Vec<HeaderValue>, InvalidHeaderValue> {
        let host_scope = CookieScope { domain: None, ..self.scope.clone() };
        let of_host = SetCookie { value: "", max_age: Some(Duration::ZERO), scope: &host_scope, ..self };
        let lines = self.scope.domain.iter().map(|_| of_host).chain([self]);
        lines.map(|cookie| HeaderValue::try_from(cookie.line(order))).collect()
    }

    fn line(self, order: [Attribute; 6]) -> String {
        let mut text = format!("{}={}", self.name, self.value);
        for attribute in order {
            match (attribute, self.max_age, &self.scope.domain) {
                (Attribute::MaxAge, Some(age), _) => text += &format!("; Max-Age={}", age.as_secs()),
                (Attribute::Domain, _, Some(domain)) => text += &format!("; Domain={}", domain.as_str()),
                (Attribute::Path, _, _) => text += "; Path=/",
                (Attribute::HttpOnly, _, _) => text += "; HttpOnly",
                (Attribute::Secure, _, _) if self.scope.is_secure => text += "; Secure",
                (Attribute::SameSite, _, _) => text += &format!("; SameSite={}", self.scope.same_site.as_str()),
                (Attribute::MaxAge | Attribute::Domain | Attribute::Secure, _, _) => {}
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&[u8]]) -> Vec<String> {
        let line = |line: &&[u8]| (COOKIE, HeaderValue::from_bytes(line).expect("a header"));
        values(&lines.iter().map(line).collect(), "a").collect()
    }

    #[test]
    fn all_values_of_a_name_in_their_order() {
        assert_eq!(read(&[b"a=1; b=2;a=\"3\"", b" a = 4 ;; c; =5;a="]), ["1", "3", "4", ""]);
        assert_eq!(read(&[b"A=1; xa=2; b=a=3"]), [""; 0]);
        assert_eq!(read(&[]), [""; 0]);
    }

    #[test]
    fn an_odd_pair_spoils_only_itself() {
        assert_eq!(read(&[b"b=\xff; a=1; \xc3=2", b"a=\xe4", b"a=\xc3;a=2"]), ["1", "\u{fffd}", "\u{fffd}", "2"]);
    }
}
