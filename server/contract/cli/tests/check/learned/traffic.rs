//! Random traffic.

use super::lines;
use countersign_contract_check::exchange::{Exchange, Request, Response};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Texts of which some are in a format, and names that mean something in a document.
fn any_text() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "2026-01-31",
        "2026-01-31T12:00:00Z",
        "a@example.com",
        "6f1c5b0e-1f7e-4b7e-9c55-0d6f5d1d2f11",
        "https://example.com/",
        "192.0.2.1",
        "::1",
        "",
        "7",
        "007",
        "-0",
        "1e5",
        "true",
        "null",
        "$ref",
        "$id",
        "$defs",
        "type",
        "properties",
        "required",
        "items",
        "nullable",
        "enum",
        "const",
        "example",
        "additionalProperties",
        "a/b",
        "a~1b",
        "x-a",
        "{x}",
    ];
    prop_oneof![proptest::sample::select(KNOWN).prop_map(str::to_owned), ".{0,6}"]
}

fn any_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-9i8..9).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((any_text(), inner), 0..4)
                .prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// A segment, a query or the value of a header in percent-encoding.
fn any_segment() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "users",
        "orders",
        "7",
        "8",
        "me",
        "a.b",
        "v1",
        "6f1c5b0e-1f7e-4b7e-9c55-0d6f5d1d2f11",
        "a%2Fb",
        "%7Bx%7D",
        "A-b_c",
        "2026-01-31",
    ];
    prop_oneof![8 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "[a-z0-9%]{1,14}"]
}

fn any_query() -> impl Strategy<Value = String> {
    let field = ("(a|b|limit|tags\\[\\]|%24)", proptest::option::of("[a-z0-9.+%-]{0,5}"));
    let field = field.prop_map(|(name, value)| value.map_or_else(|| name.clone(), |value| format!("{name}={value}")));
    proptest::collection::vec(field, 0..4).prop_map(|fields| fields.join("&"))
}

/// Whether a response has a body follows from the status, because no document can say that it may or may not have one.
pub(super) fn any_exchange() -> impl Strategy<Value = Exchange> {
    const STATUSES: &[u16] = &[200, 201, 204, 303, 400, 404, 418, 422];
    const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
    const MEDIA_TYPES: &[&str] = &[
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json",
        "Application/JSON",
        "text/plain",
    ];
    let target = (proptest::collection::vec(any_segment(), 1..4), any_query());
    let sent = proptest::option::of((any_body(), proptest::sample::select(MEDIA_TYPES)));
    let received = (proptest::sample::select(STATUSES), any_body(), proptest::sample::select(MEDIA_TYPES));
    let header = proptest::option::of(("(x-total|X-Trace|set-cookie|location)", "[ -~]{0,6}"));
    (proptest::sample::select(METHODS), target, sent, received, header).prop_map(
        |(method, (segments, query), sent, (status, body, media_type), header)| {
            let target = format!("/{}{}{query}", segments.join("/"), if query.is_empty() { "" } else { "?" });
            let mut request =
                Request { method: method.to_owned(), target, headers: Vec::new(), body: Some(Vec::new()) };
            if let Some((body, media_type)) = sent {
                request.headers = lines(&[("Content-Type", media_type)]);
                request.body = Some(body.to_string().into_bytes());
            }
            let has_body = method != "HEAD" && ![204, 303].contains(&status);
            let mut response = Response { status, headers: Vec::new(), body: Some(Vec::new()) };
            if has_body {
                response.headers = lines(&[("content-type", media_type)]);
                response.body = Some(body.to_string().into_bytes());
            }
            response.headers.extend(header);
            Exchange { request, response }
        },
    )
}
