//! Values as they stand in an address, a header or a form.

use std::fmt::Write as _;

/// Everything but the unreserved characters (RFC 3986, section 2.3) as `%XX`.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A header's value can hold neither line ends nor anything beyond ASCII.
pub(super) fn for_header(text: &str) -> String {
    text.chars().filter(|character| (' '..='~').contains(character)).collect()
}
