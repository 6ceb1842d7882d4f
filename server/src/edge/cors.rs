//! CORS for trusted origins, with credentials.
//!
//! The real server leaves this to the application around it. An origin that is not trusted gets no CORS header, so browsers
//! block it, and all untrusted origins get equal responses.

use crate::net::origin::TrustedOrigins;
use dropshot::Body;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};

/// Headers that scripts may read besides the safelisted ones (Fetch, CORS-safelisted response-header name).
const EXPOSED: [&str; 4] = ["set-auth-token", "retry-after", "x-retry-after", "www-authenticate"];
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// Seconds that a browser may cache a preflight. Chromium caches two hours at most.
const MAX_AGE: &str = "600";

/// The page that sent a request, by its `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// No `Origin`.
    None,
    /// Not trusted.
    Untrusted,
    /// A trusted origin.
    Trusted(HeaderValue),
}

impl Page {
    /// Reads the `Origin` header.
    pub(super) fn of(headers: &HeaderMap, trusted: &TrustedOrigins) -> Self {
        match headers.get(header::ORIGIN) {
            None => Self::None,
            Some(origin) if trusted.trusts_origin(&super::headers::text(origin)) => Self::Trusted(origin.clone()),
            Some(_) => Self::Untrusted,
        }
    }
}

/// Whether the request is a CORS preflight.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The response to a preflight from a trusted origin. [`add_headers`] adds the rest.
///
/// Whatever headers the page asks for are allowed: it may send credentials already, and which headers tracing tools add to
/// its requests cannot be known here.
pub(super) fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allowed = response.headers_mut();
    allowed.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    allowed.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    allowed.append(
        header::VARY,
        HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    let mut wanted = names(headers, &header::ACCESS_CONTROL_REQUEST_HEADERS);
    wanted.retain(|name| HeaderName::from_bytes(name.as_bytes()).is_ok());
    if let Ok(value) = HeaderValue::from_str(&wanted.join(", "))
        && !wanted.is_empty()
    {
        allowed.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
    }
    response
}

/// Adds `Vary` to every response of a dialect, and CORS headers for a trusted origin.
pub(super) fn add_headers(response: &mut HeaderMap, page: &Page) {
    response.append(header::VARY, HeaderValue::from_static("Origin"));
    match page {
        Page::None => {}
        // Handlers set this header without knowing the origin.
        Page::Untrusted => {
            response.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        }
        Page::Trusted(origin) => {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            let mut exposed = names(response, &header::ACCESS_CONTROL_EXPOSE_HEADERS);
            for name in EXPOSED {
                if !exposed.iter().any(|other| other == name) {
                    exposed.push(name.to_owned());
                }
            }
            if let Ok(value) = HeaderValue::from_str(&exposed.join(", ")) {
                response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, value);
            }
        }
    }
}

/// The names in all lines of a header, in lower case.
fn names(headers: &HeaderMap, header: &HeaderName) -> Vec<String> {
    let names = super::headers::items(headers, header).map(|name| name.to_ascii_lowercase());
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::origin::Origin;

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn only_trusted_origins_are_echoed() {
        let trusted = TrustedOrigins::new(Origin::parse("https://id.example").expect("an origin"), []);
        let own = Page::of(&request(&[("origin", "https://id.example")]), &trusted);
        assert_eq!(own, Page::Trusted(HeaderValue::from_static("https://id.example")));
        for origin in ["https://evil.example", "null", "https://id.example.evil.example", "*"] {
            assert_eq!(Page::of(&request(&[("origin", origin)]), &trusted), Page::Untrusted);
        }
        assert_eq!(Page::of(&request(&[]), &trusted), Page::None);
    }

    #[test]
    fn a_preflight_allows_the_headers_that_are_asked_for() {
        let headers = request(&[
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "Content-Type, sentry-trace,baggage"),
            ("access-control-request-headers", "traceparent, , not a name"),
        ]);
        assert!(is_preflight(&Method::OPTIONS, &headers) && !is_preflight(&Method::POST, &headers));
        let response = preflight(&headers);
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let allowed = &response.headers()["access-control-allow-headers"];
        assert_eq!(allowed, "content-type, sentry-trace, baggage, traceparent");
        let none = preflight(&request(&[("access-control-request-method", "POST")]));
        assert!(!none.headers().contains_key("access-control-allow-headers"));
    }

    #[test]
    fn exposed_headers_are_merged_with_the_handlers() {
        let mut response = request(&[("access-control-expose-headers", "Set-Auth-Token, x-own")]);
        add_headers(&mut response, &Page::Trusted(HeaderValue::from_static("https://id.example")));
        assert_eq!(
            response["access-control-expose-headers"],
            "set-auth-token, x-own, retry-after, x-retry-after, www-authenticate"
        );
        assert_eq!(response["access-control-allow-origin"], "https://id.example");
        assert_eq!(response["access-control-allow-credentials"], "true");
        assert_eq!(response["vary"], "Origin");
    }

    #[test]
    fn untrusted_origins_get_only_vary() {
        let mut response = request(&[("access-control-expose-headers", "set-auth-token")]);
        add_headers(&mut response, &Page::Untrusted);
        assert_eq!(response.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["vary"]);
    }
}
