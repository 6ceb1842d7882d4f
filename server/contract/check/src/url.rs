//! Serializes values for a URL, a header or a form.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes all but the unreserved characters.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A value as a segment of a path.
pub(super) fn segment(value: &Value) -> String {
    match plain(value).as_str() {
        // An empty segment would be another path, and these two would be resolved.
        "" => "%20".to_owned(),
        "." | ".." => "%2E%20".to_owned(),
        text => encoded(text),
    }
}

/// A value as fields of a query or form: one for each item of a list.
pub(super) fn fields(name: &str, value: &Value) -> Vec<String> {
    let field = |value: &Value| format!("{}={}", encoded(name), encoded(&plain(value)));
    match value {
        Value::Array(items) => items.iter().map(field).collect(),
        value => vec![field(value)],
    }
}

/// Removes characters that a header cannot contain: line breaks and everything beyond ASCII.
pub(super) fn for_header(text: &str) -> String {
    text.chars().filter(|character| (' '..='~').contains(character)).collect::<String>().trim().to_owned()
}

/// Whether a header can contain a text as it is.
pub(super) fn fits_header(text: &str) -> bool {
    !text.is_empty() && for_header(text) == text
}

/// A value as text, strings without quotation marks.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
