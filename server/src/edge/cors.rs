//! CORS for trusted origins, with credentials.
//!
//! The real server leaves this to the application around it. Origins that are not trusted get no CORS header at all,
//! so that a browser refuses, and no answer tells them apart.

use crate::net::origin::TrustedOrigins;
use dropshot::Body;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};

/// What scripts may read beyond the simple headers.
const EXPOSED: [&str; 3] = ["set-auth-token", "retry-after", "x-retry-after"];
/// What scripts may send beyond the simple headers.
const ALLOWED: [&str; 6] =
    ["accept", "accept-language", "authorization", "content-type", "x-fusionauth-tenantid", "x-requested-with"];
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// Seconds a browser may remember a preflight; what Chromium remembers at most is two hours.
const MAX_AGE: &str = "600";

/// The page behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// There is none: the request has no `Origin`.
    None,
    /// One of an origin that is not trusted.
    Stranger,
    /// One of this trusted origin.
    Trusted(HeaderValue),
}

impl Page {
    /// Reads the `Origin` header.
    pub(super) fn of(headers: &HeaderMap, trusted: &TrustedOrigins) -> Self {
        match headers.get(header::ORIGIN) {
            None => Self::None,
            Some(origin) if origin.to_str().is_ok_and(|origin| trusted.trusts_origin(origin)) => {
                Self::Trusted(origin.clone())
            }
            Some(_) => Self::Stranger,
        }
    }
}

/// Whether a browser asks if it may make another request.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight from a trusted origin. [`decorate`] adds the rest.
pub(super) fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    answer.append(
        header::VARY,
        HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    let wanted: Vec<String> = names(headers, &header::ACCESS_CONTROL_REQUEST_HEADERS)
        .into_iter()
        .filter(|name| ALLOWED.contains(&name.as_str()))
        .collect();
    if let Ok(value) = HeaderValue::from_str(&wanted.join(", "))
        && !wanted.is_empty()
    {
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
    }
    response
}

/// Adds what every answer of a dialect carries: `Vary` always, the rest for a trusted origin.
pub(super) fn decorate(response: &mut HeaderMap, page: &Page) {
    response.append(header::VARY, HeaderValue::from_static("Origin"));
    match page {
        Page::None => {}
        // A handler names headers to expose without knowing who asks.
        Page::Stranger => {
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
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_trusted_origins_are_echoed() {
        let trusted = TrustedOrigins::new(Origin::parse("https://id.example").expect("an origin"), []);
        let own = Page::of(&request(&[("origin", "https://id.example")]), &trusted);
        assert_eq!(own, Page::Trusted(HeaderValue::from_static("https://id.example")));
        for origin in ["https://evil.example", "null", "https://id.example.evil.example", "*"] {
            assert_eq!(Page::of(&request(&[("origin", origin)]), &trusted), Page::Stranger);
        }
        assert_eq!(Page::of(&request(&[]), &trusted), Page::None);
    }

    #[test]
    fn a_preflight_allows_known_headers_only() {
        let headers = request(&[
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "Content-Type, X-Evil,authorization"),
        ]);
        assert!(is_preflight(&Method::OPTIONS, &headers) && !is_preflight(&Method::POST, &headers));
        let response = preflight(&headers);
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()["access-control-allow-headers"], "content-type, authorization");
        let none = preflight(&request(&[("access-control-request-headers", "x-evil")]));
        assert!(!none.headers().contains_key("access-control-allow-headers"));
    }

    #[test]
    fn exposed_headers_are_merged_with_the_handlers() {
        let mut response = request(&[("access-control-expose-headers", "Set-Auth-Token, x-own")]);
        decorate(&mut response, &Page::Trusted(HeaderValue::from_static("https://id.example")));
        assert_eq!(response["access-control-expose-headers"], "set-auth-token, x-own, retry-after, x-retry-after");
        assert_eq!(response["access-control-allow-origin"], "https://id.example");
        assert_eq!(response["access-control-allow-credentials"], "true");
        assert_eq!(response["vary"], "Origin");
    }

    #[test]
    fn strangers_get_nothing_but_vary() {
        let mut response = request(&[("access-control-expose-headers", "set-auth-token")]);
        decorate(&mut response, &Page::Stranger);
        assert_eq!(response.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["vary"]);
    }
}
