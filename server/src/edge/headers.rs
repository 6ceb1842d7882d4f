//! Header values as text.
//!
//! HTTP lets any byte above 127 into a value (RFC 9110, 5.5), so one odd byte must not hide the rest of a header:
//! a client cannot know which other cookies or proxies add to it.

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
