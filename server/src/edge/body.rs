//! Reads and parses bodies, before any handler sees the request. This is the only place that does: handlers take the
//! [`ParsedBody`], validated against its type in `api/src/body.rs`, so that a byte order mark, a form, or a type with odd parameters
//! is the same for every operation of each dialect.

use super::dialect::{Bodies, Refusal};
use super::headers;
use countersign_api::ParsedBody;
use dropshot::Body;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Map, Value};

/// Reads at most `limit` bytes.
///
/// # Errors
/// [`Refusal::BodyTooLarge`]; [`Refusal::InvalidJson`] when the stream ends early or has invalid chunks.
pub(super) async fn read(head: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let declared = head.get(header::CONTENT_LENGTH).and_then(|length| headers::text(length).parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(Refusal::BodyTooLarge { limit });
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Refusal::BodyTooLarge { limit }),
        Err(_) => Err(Refusal::InvalidJson),
    }
}

/// What editors and some clients put before UTF-8 text. Parsers may ignore it (RFC 8259, 8.1), and those of the real
/// servers do.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses a body by its declared type.
///
/// A body without a declared type counts as absent, as in the real server (wire reference, §1).
///
/// # Errors
/// [`Refusal::UnsupportedMediaType`], [`Refusal::InvalidJson`].
pub(super) fn parse(headers: &HeaderMap, bytes: &[u8], bodies: Bodies) -> Result<ParsedBody, Refusal> {
    let sent = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let sent = String::from_utf8_lossy(sent);
    if bytes.is_empty() || sent.trim().is_empty() {
        return Ok(ParsedBody::Absent);
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let media_type = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" => serde_json::from_slice(bytes).map(ParsedBody::Json).map_err(|_| Refusal::InvalidJson),
        "application/x-www-form-urlencoded" if bodies == Bodies::JsonOrForm => {
            let fields = form_urlencoded::parse(bytes);
            let fields: Map<String, Value> =
                fields.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
            Ok(ParsedBody::Json(Value::Object(fields)))
        }
        _ if bodies == Bodies::JsonOrNothing => Ok(ParsedBody::Absent),
        _ => {
            let takes_forms = bodies == Bodies::JsonOrForm;
            Err(Refusal::UnsupportedMediaType { sent: sent.into_owned(), takes_forms })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use serde_json::json;

    fn parsed(content_type: Option<&'static str>, bytes: &[u8], bodies: Bodies) -> Result<Option<Value>, Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        parse(&headers, bytes, bodies).map(|body| match body {
            ParsedBody::Absent => None,
            ParsedBody::Json(value) => Some(value),
        })
    }

    #[test]
    fn json_is_known_by_its_media_type_alone() {
        for content_type in ["application/json", "Application/JSON; charset=utf-8", " application/json ;x"] {
            assert_eq!(
                parsed(Some(content_type), b"{\"a\":1}", Bodies::Json),
                Ok(Some(json!({"a": 1}))),
                "{content_type}"
            );
        }
    }

    #[test]
    fn a_body_of_no_type_or_no_bytes_is_absent() {
        assert_eq!(parsed(None, b"{\"a\":1}", Bodies::Json), Ok(None));
        assert_eq!(parsed(Some(""), b"{\"a\":1}", Bodies::Json), Ok(None));
        assert_eq!(parsed(Some("application/json"), b"", Bodies::Json), Ok(None));
        assert_eq!(parsed(Some("text/plain"), b"", Bodies::Json), Ok(None));
    }

    #[test]
    fn other_types_are_named_as_sent() {
        for sent in [
            "text/plain;charset=UTF-8",
            "application/problem+json",
            "Multipart/Form-Data",
            "application/x-www-form-urlencoded",
        ] {
            assert_eq!(
                parsed(Some(sent), b"x", Bodies::Json),
                Err(Refusal::UnsupportedMediaType { sent: sent.to_owned(), takes_forms: false })
            );
        }
    }

    #[test]
    fn where_only_json_counts_other_types_are_absent() {
        assert_eq!(parsed(Some("text/plain"), b"x", Bodies::JsonOrNothing), Ok(None));
        assert_eq!(parsed(Some("application/json"), b"1", Bodies::JsonOrNothing), Ok(Some(json!(1))));
    }

    #[test]
    fn broken_json_is_refused() {
        let deep = "[".repeat(100_000);
        for bytes in [&b"{"[..], b" ", b"{\"a\":}", b"\xff", b"{}{}", b"1e999", b"NaN", deep.as_bytes()] {
            assert_eq!(parsed(Some("application/json"), bytes, Bodies::Json), Err(Refusal::InvalidJson));
        }
    }

    #[test]
    fn forms_become_objects_of_strings_where_they_are_accepted() {
        let body = parsed(
            Some("application/x-www-form-urlencoded"),
            b"email=a%40b.c&name=A+B&email=last%40b.c",
            Bodies::JsonOrForm,
        );
        assert_eq!(body, Ok(Some(json!({"email": "last@b.c", "name": "A B"}))));
    }

    #[test]
    fn a_byte_order_mark_before_a_body_is_skipped() {
        let json = b"\xef\xbb\xbf{\"a\":\"\xef\xbb\xbf\"}";
        assert_eq!(parsed(Some("application/json"), json, Bodies::Json), Ok(Some(json!({"a": "\u{feff}"}))));
        let form = parsed(Some("application/x-www-form-urlencoded"), b"\xef\xbb\xbfa=b", Bodies::JsonOrForm);
        assert_eq!(form, Ok(Some(json!({"a": "b"}))));
        for bytes in [&b"\xef\xbb\xbf"[..], b"\xef\xbb\xbf\xef\xbb\xbf{}", b"\xef\xbb{}", b"\xff\xfe{\0}\0"] {
            assert_eq!(parsed(Some("application/json"), bytes, Bodies::Json), Err(Refusal::InvalidJson), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn bodies_are_bounded_by_declaration_and_in_fact() {
        let mut headers = HeaderMap::new();
        let too_large = Err(Refusal::BodyTooLarge { limit: 4 });
        assert_eq!(read(&headers, Body::from("1234"), 4).await, Ok(b"1234".to_vec()));
        assert_eq!(read(&headers, Body::from("12345"), 4).await, too_large);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("5"));
        assert_eq!(read(&headers, Body::from("1"), 4).await, too_large);
    }
}
