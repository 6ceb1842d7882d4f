//! Cookies on the wire: reading `Cookie`, writing `Set-Cookie`.
//!
//! The crate `cookie` parses. It does not render, because it fixes the order of attributes (`HttpOnly` first) and each
//! dialect has another order.

use crate::edge::headers;
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
    Path,
    HttpOnly,
    Secure,
    SameSite,
}

/// A cookie to set, for all paths of this host and no script.
#[derive(Clone, Copy, Debug)]
pub struct SetCookie<'a> {
    pub name: &'a str,
    /// Encoded already.
    pub value: &'a str,
    /// `None` lasts as long as the browser runs.
    pub max_age: Option<Duration>,
    pub is_secure: bool,
}

impl SetCookie<'_> {
    /// The value of a `Set-Cookie` header, with its attributes in this order.
    ///
    /// # Errors
    /// When name or value hold what a header cannot.
    pub fn to_header(self, order: [Attribute; 5]) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut text = format!("{}={}", self.name, self.value);
        for attribute in order {
            match (attribute, self.max_age) {
                (Attribute::MaxAge, Some(age)) => text += &format!("; Max-Age={}", age.as_secs()),
                (Attribute::Path, _) => text += "; Path=/",
                (Attribute::HttpOnly, _) => text += "; HttpOnly",
                (Attribute::Secure, _) if self.is_secure => text += "; Secure",
                (Attribute::SameSite, _) => text += "; SameSite=Lax",
                (Attribute::MaxAge | Attribute::Secure, _) => {}
            }
        }
        HeaderValue::try_from(text)
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
