//! Values as they stand in an address, a header or a form.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Everything but the unreserved characters as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A header's value can hold neither line ends nor anything beyond ASCII.
pub(super) fn for_header(text: &str) -> String {
    text.chars().filter(|character| (' '..='~').contains(character)).collect()
}
