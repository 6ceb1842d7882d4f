//! Serializes values for a URL, a header or a form.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes all but the unreserved characters.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Removes characters that a header cannot contain: line breaks and everything beyond ASCII.
pub(super) fn for_header(text: &str) -> String {
    text.chars().filter(|character| (' '..='~').contains(character)).collect()
}
