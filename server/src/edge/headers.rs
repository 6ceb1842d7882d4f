//! Header values as text.
//!
//! HTTP lets any byte above 127 into a value (RFC 9110, 5.5), so one odd byte must not hide the rest of a header:
//! a client cannot know which other cookies or proxies add to it. `HeaderValue::to_str` hides it, and is not used for requests.
//!
//! Read in this way: `Content-Type` and `Content-Length` (`body`), `Origin` and what a preflight asks for
//! (`cors`, `dialect`), `Origin`, `expo-origin`, `Referer` and `Sec-Fetch-*` (`http/better_auth/origin.rs`),
//! cookies, `Authorization`, `Accept-Language` and `User-Agent` (`http/shared/`), `Accept-Encoding` and
//! `If-None-Match` (`http/docs/files.rs`), `Accept` (`http/ops.rs`), `traceparent` here. `X-Forwarded-For` (`client_ip`) and `X-FusionAuth-TenantId`
//! (`api/src/fusionauth/tenant.rs`) are parsed from their bytes.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;

/// A value as text. Bytes that are not UTF-8 become U+FFFD, which is part of no name, token or signature.
#[must_use]
pub fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// The comma-separated items in all lines of a header, without the blanks around them.
pub fn items(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> {
    headers.get_all(name).iter().flat_map(|line| {
        let items: Vec<String> = text(line).split(',').map(|item| item.trim().to_owned()).collect();
        items
    })
}

/// The id of the trace that the client names.
#[must_use]
pub fn trace_id(headers: &HeaderMap) -> Option<String> {
    countersign_domain::audit::trace_id(&text(headers.get("traceparent")?)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_item_spoils_only_itself() {
        let line = HeaderValue::from_bytes(b"gzip, \xff\xfe,br").expect("a header");
        let headers = HeaderMap::from_iter([(http::header::ACCEPT_ENCODING, line)]);
        let items: Vec<String> = items(&headers, &http::header::ACCEPT_ENCODING).collect();
        assert_eq!(items, ["gzip", "\u{fffd}\u{fffd}", "br"]);
    }
}
