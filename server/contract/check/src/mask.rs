//! Hides secrets in requests that reports show.

use super::exchange::line;
use super::names;
use countersign_contract_document::Document;
use countersign_contract_validate::is_json;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::borrow::Cow;

/// What is shown in the place of a secret.
pub const MASK: &str = "[masked]";

/// Headers with credentials, in lower case.
const HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Parts of the names of secrets, without separators.
const PARTS: [&str; 12] = [
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "token",
];

/// Words in the names of secrets, too short to be looked for within others.
const WORDS: [&str; 8] = ["auth", "code", "key", "otp", "pin", "pwd", "sid", "ticket"];

/// What is a secret; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    /// Names of headers, in lower case.
    headers: Vec<String>,
    /// Whether values are hidden that have the name of a secret.
    by_name: bool,
    /// Texts that are hidden with all that contains them.
    values: Vec<String>,
}

impl Mask {
    /// Hides these values.
    #[must_use]
    pub fn of_values<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let values = values.into_iter().filter(|value| !value.is_empty()).map(str::to_owned).collect();
        Self { values, ..Self::default() }
    }

    /// Hides headers with credentials, and all values whose name is that of a secret, such as `password`.
    #[must_use]
    pub fn of_recordings(document: &Document) -> Self {
        let schemes = document.value().pointer("/components/securitySchemes").and_then(Value::as_object);
        let named = schemes.into_iter().flatten().filter_map(|(_, scheme)| scheme["name"].as_str());
        let headers = named.chain(HEADERS).map(str::to_ascii_lowercase).collect();
        Self { headers, by_name: true, values: Vec::new() }
    }

    fn is_secret_name(&self, name: &str) -> bool {
        let plain = names::plain(name);
        let is_secret = || {
            PARTS.iter().any(|part| plain.contains(part))
                || names::words(name).iter().any(|word| WORDS.contains(&word.as_str()))
        };
        self.headers.contains(&name.to_ascii_lowercase()) || self.by_name && is_secret()
    }

    fn is_secret_value(&self, text: &str) -> bool {
        self.values.iter().any(|value| text.contains(value.as_str()))
    }

    /// The value of a header.
    pub(super) fn header<'v>(&self, name: &str, value: &'v str) -> &'v str {
        let decoded = percent_decode_str(value).decode_utf8_lossy();
        let is_secret = self.is_secret_name(name) || self.is_secret_value(value) || self.is_secret_value(&decoded);
        if is_secret { MASK } else { value }
    }

    /// Path and query. A segment that follows the name of a secret is one.
    pub(super) fn target(&self, target: &str) -> String {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut before = "";
        let segments = path.split('/').map(|segment| {
            let name = std::mem::replace(&mut before, segment);
            let is_secret =
                !segment.is_empty() && (self.is_secret_name(name) || self.is_secret_value(&decoded(segment)));
            if is_secret { MASK } else { segment }
        });
        let path = segments.collect::<Vec<_>>().join("/");
        query.map_or_else(|| path.clone(), |query| format!("{path}?{}", self.form(query)))
    }

    /// The fields of a query or form.
    fn form(&self, text: &str) -> String {
        let fields = text.split('&').map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            match self.is_secret_name(&decoded(name)) || self.is_secret_value(&decoded(value)) {
                true => format!("{name}={MASK}"),
                false => field.to_owned(),
            }
        });
        fields.collect::<Vec<_>>().join("&")
    }

    /// A body. One that cannot be read is hidden as a whole, if secrets are known by their names, or if it contains one.
    pub(super) fn body<'b>(&self, headers: &[(String, String)], body: &'b [u8]) -> Cow<'b, [u8]> {
        let media_type = line(headers, "content-type").unwrap_or_default();
        let hides_nothing = self.headers.is_empty() && self.values.is_empty() && !self.by_name;
        if body.is_empty() || hides_nothing {
            return Cow::Borrowed(body);
        }
        if let Some(mut value) = serde_json::from_slice::<Value>(body).ok().filter(|_| is_json(media_type)) {
            return if self.hide(&mut value) { value.to_string().into_bytes().into() } else { Cow::Borrowed(body) };
        }
        match std::str::from_utf8(body) {
            Ok(text) if media_type.starts_with("application/x-www-form-urlencoded") => {
                self.form(text).into_bytes().into()
            }
            Ok(text) if !self.by_name && !self.is_secret_value(text) => Cow::Borrowed(body),
            Err(_) if !self.by_name => Cow::Borrowed(body),
            _ => Cow::Borrowed(MASK.as_bytes()),
        }
    }

    /// Hides the secrets in a value. Returns whether there were any.
    fn hide(&self, value: &mut Value) -> bool {
        let mut has_some = false;
        match value {
            Value::Object(entries) => {
                for (name, value) in entries {
                    if self.is_secret_name(name) && !value.is_null() {
                        *value = MASK.into();
                        has_some = true;
                    } else {
                        has_some |= self.hide(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| has_some |= self.hide(item)),
            Value::String(_) | Value::Number(_) if self.is_secret_value(&super::url::plain(value)) => {
                *value = MASK.into();
                has_some = true;
            }
            _ => {}
        }
        has_some
    }
}

/// The text of a field or segment.
fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::Mask;
    use countersign_contract_document::Document;

    fn body(mask: &Mask, media_type: &str, body: &str) -> String {
        let headers = [("Content-Type".to_owned(), media_type.to_owned())];
        String::from_utf8(mask.body(&headers, body.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn given_values_are_hidden_wherever_they_are() {
        let mask = Mask::of_values(["5ecret word", ""]);
        assert_eq!(mask.target("/a/5ecret%20word/b?x=1&y=5ecret+word"), "/a/[masked]/b?x=1&y=[masked]");
        assert_eq!(mask.header("x-key", "it is 5ecret word"), "[masked]");
        assert_eq!(mask.header("x-key", "none"), "none");
        for (media_type, given, expected) in [
            ("application/json", r#"{"a":["5ecret word, longer",1]}"#, r#"{"a":["[masked]",1]}"#),
            ("application/json", r#"{"a" : 1}"#, r#"{"a" : 1}"#),
            ("application/json", r#"{"a" : "5ecret word"#, "[masked]"),
            ("text/plain", "the 5ecret word", "[masked]"),
            ("text/plain", "none", "none"),
            ("application/x-www-form-urlencoded", "a=5ecret+word&b=2", "a=[masked]&b=2"),
        ] {
            assert_eq!(body(&mask, media_type, given), expected, "{given}");
        }
    }

    #[test]
    fn recorded_values_with_the_name_of_a_secret_are_hidden() {
        let document = "openapi: 3.0.3\npaths: {}\ncomponents:\n  securitySchemes:\n    k: {type: apiKey, in: header, name: X-Entry}\n";
        let mask = Mask::of_recordings(&Document::load("d", document).unwrap());
        for name in ["Authorization", "cookie", "x-entry", "X-Api-Key", "x-csrf-token"] {
            assert_eq!(mask.header(name, "v"), "[masked]", "{name}");
        }
        assert_eq!(mask.header("accept", "v"), "v");
        assert_eq!(
            mask.target("/reset-token/abc/keyboards/1?code=1&encoded=2"),
            "/reset-token/[masked]/keyboards/1?code=[masked]&encoded=2"
        );
        for (media_type, given, expected) in [
            (
                "application/json",
                r#"{"newPassword":"x","user":{"otp":1,"name":"a"}}"#,
                r#"{"newPassword":"[masked]","user":{"name":"a","otp":"[masked]"}}"#,
            ),
            ("application/json", r#"{"token":null}"#, r#"{"token":null}"#),
            ("multipart/form-data; boundary=a", "--a", "[masked]"),
        ] {
            assert_eq!(body(&mask, media_type, given), expected, "{given}");
        }
    }
}
