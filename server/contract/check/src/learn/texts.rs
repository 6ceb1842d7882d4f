//! Recognises what texts are: numbers, formats, and values in the place of a fixed name.

use countersign_contract_validate::json_schema::compile;
use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Formats that are recognised, those with the fewest texts first.
const FORMATS: [&str; 7] = ["uuid", "date-time", "date", "ipv4", "ipv6", "email", "uri"];

/// Formats of ids in paths.
const OF_IDS: [&str; 3] = ["uuid", "date", "email"];

/// Recognises formats as those who validate do.
pub(super) struct Formats(Vec<(&'static str, Validator)>);

impl Formats {
    pub(super) fn new() -> Self {
        let validator = |format| Some((format, compile(&json!({"format": format})).ok()?));
        Self(FORMATS.into_iter().filter_map(validator).collect())
    }

    /// The formats that a text is in.
    pub(super) fn of(&self, text: &str) -> Vec<&'static str> {
        let value = Value::from(text);
        let fits = |format: &str, validator: &Validator| {
            // Any word before a colon is a scheme.
            let is_usual = format != "uri" || text.starts_with("https://") || text.starts_with("http://");
            is_usual && validator.is_valid(&value)
        };
        let found = self.0.iter().filter(|(format, validator)| fits(format, validator));
        found.map(|(format, _)| *format).collect()
    }

    /// Whether a segment of a path, or a key, is a value rather than a fixed name: a number, an id, an address, a date, or a long
    /// random text.
    pub(super) fn is_value(&self, text: &str) -> bool {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        let is_number = !decoded.is_empty() && decoded.bytes().all(|byte| byte.is_ascii_digit());
        is_number
            || is_random(&decoded)
            || decoded.contains(['{', '}'])
            || self.of(&decoded).iter().any(|format| OF_IDS.contains(format))
    }
}

/// Whether a text looks as if it was drawn at random: letters and digits in no order.
fn is_random(text: &str) -> bool {
    const SHORTEST_PART: usize = 12;
    const SHORTEST: usize = 20;
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let has = |text: &str, is_it: fn(&char) -> bool| text.chars().any(|character| is_it(&character));
    let is_mixed = |part: &str| {
        has(part, char::is_ascii_alphabetic)
            && (digits(part) > 1
                || digits(part) == 1 && has(part, char::is_ascii_lowercase) && has(part, char::is_ascii_uppercase))
    };
    let mut parts = text.split(|character: char| !character.is_ascii_alphanumeric());
    parts.any(|part| part.len() >= SHORTEST_PART && is_mixed(part))
        || text.len() >= SHORTEST && digits(text) > 2 && is_mixed(text)
}

/// The schema of values that are written as text, as in a URL or a header.
pub(super) fn schema<'t>(texts: impl Iterator<Item = &'t str> + Clone, formats: &Formats) -> Value {
    let are = |is_it: fn(&str) -> bool| texts.clone().next().is_some() && texts.clone().all(is_it);
    if are(|text| text.parse::<i64>().is_ok_and(|number| number.to_string() == text)) {
        return json!({"type": "integer"});
    }
    if are(|text| serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_number())) {
        return json!({"type": "number"});
    }
    if are(|text| matches!(text, "true" | "false")) {
        return json!({"type": "boolean"});
    }
    let mut shape = super::shape::Shape::default();
    texts.for_each(|text| shape.add(&text.into(), formats));
    shape.schema(formats)
}

#[cfg(test)]
mod tests {
    use super::{Formats, schema};
    use serde_json::json;

    #[test]
    fn ids_are_told_from_names() {
        let formats = Formats::new();
        for text in [
            "7",
            "007",
            "6f1c5b0e-1f7e-4b7e-9c55-0d6f5d1d2f11",
            "ada@example.com",
            "ada%40example.com",
            "2026-01-31",
            "cus_NffrFeUfNV2Hib",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "f3T0RnpDWP-FtufG9gbemqN0Gx-vAeyt6dj_h_I7",
            "{x}",
        ] {
            assert!(formats.is_value(text), "{text}");
        }
        for text in
            ["", "users", "v1", "me", "oauth2-authorization-server", "openapi.json", "two-factor", "getUserById"]
        {
            assert!(!formats.is_value(text), "{text}");
        }
    }

    #[test]
    fn texts_have_the_type_that_all_of_them_have() {
        for (texts, expected) in [
            (&["1", "-20"][..], json!({"type": "integer"})),
            (&["1", "2.5"], json!({"type": "number"})),
            (&["true", "false"], json!({"type": "boolean"})),
            (&["007"], json!({"type": "string"})),
            (&["1", "true"], json!({"type": "string"})),
            (&["2026-01-31", "2026-02-01"], json!({"type": "string", "format": "date"})),
            (&["a:b"], json!({"type": "string"})),
        ] {
            assert_eq!(schema(texts.iter().copied(), &Formats::new()), expected, "{texts:?}");
        }
    }
}
