//! The dialect's cookies: tokens, unencoded and unsigned, hidden from scripts (`HttpOnly`).

use crate::app::App;
use crate::http::shared::cookies::{Attribute, SetCookie, values};
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// The access token; a session cookie.
pub(super) const ACCESS_TOKEN: &str = "access_token";
pub(super) const REFRESH_TOKEN: &str = "refresh_token";
/// The trust token of this device.
pub(super) const TRUST: &str = "fusionauth.trust";

const ORDER: [Attribute; 6] = [
    Attribute::Path,
    Attribute::Domain,
    Attribute::MaxAge,
    Attribute::HttpOnly,
    Attribute::SameSite,
    Attribute::Secure,
];

/// The `Set-Cookie` values that set a cookie. Without `lifetime`, it lasts until the browser closes. Tokens consist of
/// letters, digits and `._-`, so they need no encoding.
pub(super) fn set(app: &App, name: &str, value: &str, lifetime: Option<Duration>) -> Option<Vec<HeaderValue>> {
    SetCookie { name, value, max_age: lifetime, scope: &app.cookie_scope }.to_headers(ORDER).ok()
}

/// The value of a cookie; of several of that name, the first that is not empty.
pub(super) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    values(headers, name).find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::cookie_scope::{CookieDomain, CookieScope, SameSite};
    use http::header::COOKIE;

    fn read_line(line: &[u8]) -> Option<String> {
        let value = HeaderValue::from_bytes(line).expect("a header");
        read(&HeaderMap::from_iter([(COOKIE, value)]), ACCESS_TOKEN)
    }

    #[test]
    fn attributes_stand_in_the_dialects_order() {
        let set = |max_age, is_secure, same_site, domain: Option<&str>| {
            let domain = domain.map(|name| CookieDomain::parse(name).expect("a domain"));
            let scope = CookieScope { is_secure, same_site, domain };
            SetCookie { name: TRUST, value: "a.b", max_age, scope: &scope }.to_headers(ORDER).expect("plain")
        };
        let week = Some(Duration::from_secs(604_800));
        let whole = "fusionauth.trust=a.b; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set(week, true, SameSite::Lax, None), [whole]);
        assert_eq!(
            set(None, false, SameSite::Strict, None),
            ["fusionauth.trust=a.b; Path=/; HttpOnly; SameSite=Strict"]
        );
        let of_domain = [
            "fusionauth.trust=; Path=/; Max-Age=0; HttpOnly; SameSite=None; Secure",
            "fusionauth.trust=a.b; Path=/; Domain=example.com; HttpOnly; SameSite=None; Secure",
        ];
        assert_eq!(set(None, true, SameSite::None, Some("example.com")), of_domain);
    }

    #[test]
    fn the_first_value_counts_that_is_not_empty() {
        assert_eq!(read_line(b"access_token=; access_token=a.b; access_token=c").as_deref(), Some("a.b"));
        assert_eq!(read_line(b"xaccess_token=a; refresh_token=b"), None);
    }

    #[test]
    fn an_odd_cookie_of_somebody_else_hides_no_token() {
        assert_eq!(read_line(b"theme=\xe4\xff; access_token=a.b").as_deref(), Some("a.b"));
        assert_eq!(read_line(b"access_token=a.\xff").as_deref(), Some("a.\u{fffd}"), "present, and no token");
    }
}
