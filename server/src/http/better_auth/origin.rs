//! Better Auth's rules against cross-site request forgery (wire reference, §4).
//!
//! Browsers attach cookies to requests of any page, so a request with a cookie must come from a trusted one. A sign-in can be
//! forged without a cookie (login CSRF signs the victim into the attacker's account), so it has a rule of its own. A
//! callback URL must not lead to an untrusted page (open redirect).

use crate::edge::headers;
use crate::net::origin::{TrustedOrigins, ascii_url};
use countersign_api::ParsedBody;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;
use std::borrow::Cow;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginRefusal {
    /// A cookie, and no `Origin`, `expo-origin` or `Referer`.
    #[error("Missing or null Origin")]
    MissingOrigin,
    /// The page is not trusted.
    #[error("Invalid origin")]
    InvalidOrigin,
    /// A sign-in by navigation from another site.
    #[error("Cross-site navigation login blocked. This request appears to be a CSRF attack.")]
    CrossSiteNavigation,
    /// A callback URL leads to a page that is not trusted.
    #[error("Invalid {}", field.label())]
    UntrustedUrl { field: CallbackField, url: String },
    /// A callback URL is not a string.
    #[error("Invalid {}", .0.label())]
    NotText(CallbackField),
}

impl OriginRefusal {
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotText(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// The error code, if there is one. The message is the error's `Display`.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::MissingOrigin => Some("MISSING_OR_NULL_ORIGIN"),
            Self::InvalidOrigin => Some("INVALID_ORIGIN"),
            Self::CrossSiteNavigation => Some("CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"),
            Self::UntrustedUrl { field, .. } => Some(field.code()),
            Self::NotText(_) => None,
        }
    }
}

/// Fields that hold a callback URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackField {
    /// `callbackURL`
    Callback,
    /// `redirectTo`
    Redirect,
    /// `errorCallbackURL`
    ErrorCallback,
    /// `newUserCallbackURL`
    NewUserCallback,
}

impl CallbackField {
    const ALL: [Self; 4] = [Self::Callback, Self::Redirect, Self::ErrorCallback, Self::NewUserCallback];

    /// The name in requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Callback => "callbackURL",
            Self::Redirect => "redirectTo",
            Self::ErrorCallback => "errorCallbackURL",
            Self::NewUserCallback => "newUserCallbackURL",
        }
    }

    /// The name in messages of the real server.
    fn label(self) -> &'static str {
        match self {
            Self::Redirect => "redirectURL",
            other => other.name(),
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Callback => "INVALID_CALLBACK_URL",
            Self::Redirect => "INVALID_REDIRECT_URL",
            Self::ErrorCallback => "INVALID_ERROR_CALLBACK_URL",
            Self::NewUserCallback => "INVALID_NEW_USER_CALLBACK_URL",
        }
    }
}

/// Rules 1 and 3: for every request, before its body is validated.
///
/// # Errors
/// Why the request is refused.
pub fn check_request(trusted: &TrustedOrigins, request: &Parts, body: &ParsedBody) -> Result<(), OriginRefusal> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(&request.method) {
        return Ok(());
    }
    if request.headers.contains_key(header::COOKIE) {
        check_source(trusted, &request.headers)?;
    }
    check_callbacks(trusted, request.uri.query().unwrap_or_default(), body)
}

/// Rule 2: for sign-in and sign-up, after their body is validated. A request with a cookie has passed rule 1 already.
///
/// # Errors
/// Why the request is refused.
pub fn check_login(trusted: &TrustedOrigins, headers: &HeaderMap) -> Result<(), OriginRefusal> {
    if headers.contains_key(header::COOKIE) {
        return Ok(());
    }
    let [site, mode] = ["sec-fetch-site", "sec-fetch-mode"].map(|name| text(headers, name));
    if site.as_deref() == Some("cross-site") && mode.as_deref() == Some("navigate") {
        return Err(OriginRefusal::CrossSiteNavigation);
    }
    // A browser that sends fetch metadata sends the site with it (W3C Fetch Metadata §2); Node's own fetch sends the mode alone.
    if site.is_none() && source(headers).is_none() {
        return Ok(());
    }
    check_source(trusted, headers)
}

fn check_source(trusted: &TrustedOrigins, headers: &HeaderMap) -> Result<(), OriginRefusal> {
    match source(headers).as_deref() {
        None | Some("null") => Err(OriginRefusal::MissingOrigin),
        Some(url) if trusted.trusts_url(url) => Ok(()),
        Some(_) => Err(OriginRefusal::InvalidOrigin),
    }
}

/// Where a request comes from: `Origin`, else `expo-origin`, by which native apps name their scheme, since they have no
/// origin, else `Referer`. An empty header counts as absent.
///
/// A page cannot pass for an app: browsers add `Origin` to what is checked here, and `expo-origin` needs a preflight.
#[must_use]
pub fn source(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    ["origin", "expo-origin", "referer"].into_iter().find_map(|name| text(headers, name))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    headers.get(name).map(headers::text).filter(|value| !value.is_empty())
}

fn check_callbacks(trusted: &TrustedOrigins, query: &str, body: &ParsedBody) -> Result<(), OriginRefusal> {
    for field in CallbackField::ALL {
        if let ParsedBody::Json(Value::Object(fields)) = body {
            match fields.get(field.name()) {
                Some(Value::String(url)) => check_url(trusted, url, field)?,
                // Falsy values are left to the validation of the body, as in the real server.
                None | Some(Value::Null | Value::Bool(false)) => {}
                Some(_) => return Err(OriginRefusal::NotText(field)),
            }
        }
        for (_, url) in form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == field.name()) {
            check_url(trusted, &url, field)?;
        }
    }
    Ok(())
}

/// Whether a browser may be sent there. The URL is compared as a browser follows it, with its host in ASCII.
///
/// # Errors
/// [`OriginRefusal::UntrustedUrl`] if the URL leads to a page that is not trusted.
pub fn check_url(trusted: &TrustedOrigins, url: &str, field: CallbackField) -> Result<(), OriginRefusal> {
    if url.is_empty() || is_relative_path(url) {
        return Ok(());
    }
    match ascii_url(url) {
        Some(url) if trusted.trusts_url(&url) => Ok(()),
        ascii => {
            let url = ascii.map_or_else(|| url.to_owned(), Cow::into_owned);
            Err(OriginRefusal::UntrustedUrl { field, url })
        }
    }
}

/// Whether a URL is a path on this origin that no browser reads as another origin: one slash, then characters without a
/// meaning before a host, then optionally a query of such characters.
fn is_relative_path(url: &str) -> bool {
    let Some(rest) = url.strip_prefix('/') else { return false };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !path.starts_with('/')
        && path.bytes().all(|byte| is_word(byte) || b"-.+/@".contains(&byte))
        && query.bytes().all(|byte| is_word(byte) || b"-.+/=&%@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::origin::{Origin, OriginPattern};
    use http::Request;
    use serde_json::json;

    fn untrusted(field: CallbackField, url: &str) -> OriginRefusal {
        OriginRefusal::UntrustedUrl { field, url: url.to_owned() }
    }

    fn trusted() -> TrustedOrigins {
        let base = Origin::parse("http://localhost:3000").expect("an origin");
        TrustedOrigins::new(base, [OriginPattern::parse("https://*.example.com").expect("a pattern")])
    }

    fn parts(method: Method, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let builder = headers.iter().fold(Request::builder(), |builder, (name, value)| builder.header(*name, *value));
        builder.method(method).uri(uri).body(()).expect("a request").into_parts().0
    }

    fn post(headers: &[(&str, &str)]) -> Result<(), OriginRefusal> {
        check_request(&trusted(), &parts(Method::POST, "/api/auth/sign-out", headers), &ParsedBody::Absent)
    }

    #[test]
    fn a_cookie_needs_a_trusted_page() {
        let cookie = ("cookie", "unrelated=1");
        assert_eq!(post(&[]), Ok(()));
        assert_eq!(post(&[("origin", "https://evil.example")]), Ok(()), "no cookie, no rule");
        assert_eq!(post(&[cookie]), Err(OriginRefusal::MissingOrigin));
        assert_eq!(post(&[cookie, ("origin", "null")]), Err(OriginRefusal::MissingOrigin));
        assert_eq!(
            post(&[cookie, ("origin", "null"), ("referer", "http://localhost:3000/x")]),
            Err(OriginRefusal::MissingOrigin)
        );
        assert_eq!(post(&[cookie, ("origin", "https://evil.example")]), Err(OriginRefusal::InvalidOrigin));
        assert_eq!(post(&[cookie, ("origin", "http://127.0.0.1:3000")]), Err(OriginRefusal::InvalidOrigin));
        assert_eq!(post(&[cookie, ("origin", "http://localhost:3000")]), Ok(()));
        assert_eq!(post(&[cookie, ("origin", "https://app.example.com")]), Ok(()));
        assert_eq!(post(&[cookie, ("referer", "https://app.example.com/a/b?c")]), Ok(()));
        assert_eq!(
            post(&[cookie, ("referer", "https://evil.example/?https://app.example.com")]),
            Err(OriginRefusal::InvalidOrigin)
        );
        assert_eq!(
            post(&[cookie, ("origin", "https://evil.example"), ("referer", "http://localhost:3000/")]),
            Err(OriginRefusal::InvalidOrigin)
        );
    }

    #[test]
    fn an_app_without_an_origin_names_its_scheme_and_must_be_trusted() {
        let base = Origin::parse("http://localhost:3000").expect("an origin");
        let app = TrustedOrigins::new(base, [OriginPattern::parse("myapp://").expect("a pattern")]);
        let post = |headers: &[(&str, &str)]| {
            let request = parts(Method::POST, "/api/auth/sign-out", headers);
            check_request(&app, &request, &ParsedBody::Absent)
        };
        let cookie = ("cookie", "unrelated=1");
        for scheme in ["myapp://", "myapp:///", "myapp://signed-in", "MyApp://"] {
            assert_eq!(post(&[cookie, ("expo-origin", scheme)]), Ok(()), "{scheme}");
        }
        for scheme in ["other://", "myapp", "myapps://", "null-app://", "https://evil.example"] {
            assert_eq!(post(&[cookie, ("expo-origin", scheme)]), Err(OriginRefusal::InvalidOrigin), "{scheme}");
        }
        assert_eq!(post(&[cookie, ("expo-origin", "")]), Err(OriginRefusal::MissingOrigin));
        let (evil, expo) = (("origin", "https://evil.example"), ("expo-origin", "myapp://"));
        assert_eq!(post(&[cookie, evil, expo]), Err(OriginRefusal::InvalidOrigin), "an origin goes before it");
        assert_eq!(post(&[cookie, ("origin", "null"), expo]), Err(OriginRefusal::MissingOrigin));
        assert_eq!(post(&[cookie, ("origin", ""), expo]), Ok(()), "an empty one is none");
        assert_eq!(post(&[cookie, expo, ("referer", "https://evil.example/")]), Ok(()), "it goes before a referrer");
        let sign_in = |headers: &[(&str, &str)]| check_login(&app, &parts(Method::POST, "/", headers).headers);
        assert_eq!(sign_in(&[expo]), Ok(()));
        assert_eq!(sign_in(&[("expo-origin", "other://")]), Err(OriginRefusal::InvalidOrigin));
    }

    #[test]
    fn odd_bytes_behind_an_origin_change_nothing_and_in_it_match_nothing() {
        let odd = |name: &'static str, value: &[u8]| {
            let mut request = parts(Method::POST, "/api/auth/sign-out", &[("cookie", "unrelated=1")]);
            request.headers.insert(name, http::HeaderValue::from_bytes(value).expect("a header"));
            check_request(&trusted(), &request, &ParsedBody::Absent)
        };
        assert_eq!(odd("referer", b"https://app.example.com/caf\xe9?\xff"), Ok(()));
        assert_eq!(odd("referer", "https://app.example.com/café".as_bytes()), Ok(()));
        for value in [&b"https://app\xff.example.com"[..], b"https://app.example.com\xe9/", b"\xff"] {
            assert_eq!(odd("referer", value), Err(OriginRefusal::InvalidOrigin), "{value:?}");
            assert_eq!(odd("origin", value), Err(OriginRefusal::InvalidOrigin), "{value:?}");
        }
    }

    #[test]
    fn reading_methods_are_free() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let request = parts(method, "/api/auth/get-session?callbackURL=https://evil.example", &[("cookie", "a=1")]);
            assert_eq!(check_request(&trusted(), &request, &ParsedBody::Absent), Ok(()));
        }
    }

    #[test]
    fn a_sign_in_without_cookies_is_checked_when_a_browser_makes_it() {
        let login = |headers: &[(&str, &str)]| check_login(&trusted(), &parts(Method::POST, "/", headers).headers);
        assert_eq!(login(&[]), Ok(()), "curl, mobile apps");
        assert_eq!(login(&[("cookie", "a=1")]), Ok(()), "rule 1 has decided");
        assert_eq!(login(&[("sec-fetch-mode", "cors")]), Ok(()), "Node's own fetch");
        assert_eq!(login(&[("sec-fetch-mode", "cors"), ("origin", "null")]), Err(OriginRefusal::MissingOrigin));
        for site in ["same-origin", "same-site", "cross-site", "none"] {
            let browser = [("sec-fetch-site", site), ("sec-fetch-mode", "cors")];
            assert_eq!(login(&browser), Err(OriginRefusal::MissingOrigin), "{site}");
        }
        assert_eq!(login(&[("sec-fetch-mode", "cors"), ("origin", "https://app.example.com")]), Ok(()));
        assert_eq!(login(&[("origin", "https://evil.example")]), Err(OriginRefusal::InvalidOrigin));
        assert_eq!(login(&[("origin", "null")]), Err(OriginRefusal::MissingOrigin));
        assert_eq!(login(&[("referer", "http://localhost:3000/sign-in")]), Ok(()));
        assert_eq!(
            login(&[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("origin", "http://localhost:3000")
            ]),
            Err(OriginRefusal::CrossSiteNavigation)
        );
    }

    #[test]
    fn callbacks_lead_to_this_origin_or_to_a_trusted_page() {
        let call = |query: &str, body: Value| {
            let request = parts(Method::POST, &format!("/api/auth/sign-in/email{query}"), &[]);
            check_request(&trusted(), &request, &ParsedBody::Json(body))
        };
        for url in
            ["/", "/dashboard", "/a/b.c?x=1&y=%20", "/@me", "https://app.example.com/x", "http://localhost:3000", ""]
        {
            assert_eq!(call("", json!({"callbackURL": url})), Ok(()), "{url}");
        }
        for url in [
            "//evil.example",
            "/\\evil.example",
            "/%2fevil.example",
            "/%5cevil.example",
            "https://evil.example",
            "evil.example",
            "/a b",
            "/a#b",
            "/a?b?c",
            "javascript:alert(1)",
            "https://app.example.com@evil.example",
            "/\tevil",
            "///evil.example",
        ] {
            assert_eq!(call("", json!({"callbackURL": url})), Err(untrusted(CallbackField::Callback, url)), "{url}");
        }
        for field in CallbackField::ALL {
            let refused = Err(untrusted(field, "https://evil.example"));
            assert_eq!(call("", json!({field.name(): "https://evil.example"})), refused);
            assert_eq!(call(&format!("?{}=https%3A%2F%2Fevil.example", field.name()), json!({})), refused);
            assert_eq!(call("", json!({field.name(): 7})), Err(OriginRefusal::NotText(field)));
            assert_eq!(call("", json!({field.name(): null})), Ok(()));
        }
    }

    #[test]
    fn refusals_have_the_real_servers_words() {
        for (refusal, status, code, message) in [
            (OriginRefusal::MissingOrigin, 403, Some("MISSING_OR_NULL_ORIGIN"), "Missing or null Origin"),
            (OriginRefusal::InvalidOrigin, 403, Some("INVALID_ORIGIN"), "Invalid origin"),
            (
                OriginRefusal::CrossSiteNavigation,
                403,
                Some("CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"),
                "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
            ),
            (
                untrusted(CallbackField::Callback, "https://evil.example"),
                403,
                Some("INVALID_CALLBACK_URL"),
                "Invalid callbackURL",
            ),
            (
                untrusted(CallbackField::Redirect, "https://evil.example"),
                403,
                Some("INVALID_REDIRECT_URL"),
                "Invalid redirectURL",
            ),
            (
                untrusted(CallbackField::ErrorCallback, "https://evil.example"),
                403,
                Some("INVALID_ERROR_CALLBACK_URL"),
                "Invalid errorCallbackURL",
            ),
            (
                untrusted(CallbackField::NewUserCallback, "https://evil.example"),
                403,
                Some("INVALID_NEW_USER_CALLBACK_URL"),
                "Invalid newUserCallbackURL",
            ),
            (OriginRefusal::NotText(CallbackField::Callback), 400, None, "Invalid callbackURL"),
        ] {
            assert_eq!(
                (refusal.status().as_u16(), refusal.code(), refusal.to_string().as_str()),
                (status, code, message)
            );
        }
    }
}
