//! What the names of formats mean.

/// Short texts in a format; none for a format that is not known. Of formats that include another one, the last text is not
/// in that one.
pub fn examples(format: &str) -> &'static [&'static str] {
    match format {
        "date-time" => &["2000-01-01T00:00:00Z"],
        "date" => &["2000-01-01"],
        "time" => &["00:00:00Z"],
        "duration" => &["P1D"],
        "email" => &["a@example.com"],
        "idn-email" => &["a@example.com", "ä@example.com"],
        "hostname" => &["example.com"],
        "idn-hostname" => &["example.com", "ä.example"],
        "ipv4" => &["192.0.2.1"],
        "ipv6" => &["2001:db8::1"],
        "uri" => &["https://example.com/"],
        "uri-reference" => &["https://example.com/", "a"],
        "iri" => &["https://example.com/", "https://example.com/ä"],
        "iri-reference" => &["https://example.com/", "a", "ä"],
        "uri-template" => &["a"],
        "uuid" => &["00000000-0000-4000-8000-000000000000"],
        "json-pointer" => &["/a"],
        "relative-json-pointer" => &["0"],
        "regex" => &["a"],
        "byte" => &["YQ=="],
        _ => &[],
    }
}

/// The least and the greatest number in a format of integers (OpenAPI Format Registry), except those that a float cannot
/// tell from its neighbours.
pub fn range(format: &str) -> Option<(f64, f64)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "uint8" => (0.0, u8::MAX.into()),
        "uint16" => (0.0, u16::MAX.into()),
        "uint32" => (0.0, u32::MAX.into()),
        _ => return None,
    })
}

/// Whether a text is in the format `byte`: Base64 with padding (RFC 4648, section 4).
#[must_use]
pub fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::is_base64;

    #[test]
    fn base64_has_padding_and_no_other_characters() {
        for text in ["", "YQ==", "YWI=", "YWJj", "+/+/"] {
            assert!(is_base64(text), "{text}");
        }
        for text in ["YQ", "YQ=", "Y===", "YQ==YQ==", "YW-_", "YW\n="] {
            assert!(!is_base64(text), "{text}");
        }
    }
}
