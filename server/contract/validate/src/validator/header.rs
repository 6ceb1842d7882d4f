//! Validates the headers of a response: required ones are present, and present ones are documented and match their schema.

use super::schema::Schemas;
use super::{ActualResponse, Deviation, media_type};
use countersign_contract_document::Node;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Headers that need no documentation, in lower case, because servers and proxies add them independently of the operation.
/// They concern the message or its connection (RFC 9110, RFC 9112), caches (RFC 9111), the permissions of pages in browsers
/// (CORS and similar standards), or tracing. Headers that clients act on, such as `location`, `set-cookie` or
/// `retry-after`, are not included.
const STANDARD: [&str; 53] = [
    // The message and its connection.
    "accept-ranges",
    "allow",
    "alt-svc",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "keep-alive",
    "server",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-powered-by",
    // Caches.
    "age",
    "cache-control",
    "etag",
    "expires",
    "last-modified",
    "pragma",
    "vary",
    "warning",
    // Browsers.
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "content-security-policy",
    "content-security-policy-report-only",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "expect-ct",
    "nel",
    "origin-agent-cluster",
    "permissions-policy",
    "referrer-policy",
    "report-to",
    "reporting-endpoints",
    "strict-transport-security",
    "timing-allow-origin",
    "x-content-type-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-xss-protection",
    // Tracing.
    "server-timing",
    "traceparent",
    "tracestate",
    "x-correlation-id",
    "x-request-id",
];

pub(super) fn deviations(schemas: &Schemas, response: &Node<'_>, actual: &ActualResponse<'_>) -> Vec<Deviation> {
    let documented = response.get("headers");
    let entries = documented.iter().flat_map(Node::entries);
    // A documented Content-Type is ignored (OpenAPI 3.0.3, Response Object).
    let entries: Vec<(&str, Node<'_>)> =
        entries.filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")).collect();
    let mut out = Vec::new();
    for (name, entry) in &entries {
        let header = entry.clone().resolved();
        let lines: Vec<&str> = actual.lines(name).collect();
        if !lines.is_empty() {
            out.extend(value(schemas, name, &header, &lines));
        } else if header.value["required"] == true {
            out.push(Deviation::new("header-missing", entry, format!("the header {name} is missing")));
        }
    }
    let place = documented.as_ref().unwrap_or(response);
    let names: BTreeSet<&str> = actual.headers.iter().map(|(name, _)| name.as_str()).collect();
    for name in names {
        if !STANDARD.contains(&name) && !entries.iter().any(|(documented, _)| documented.eq_ignore_ascii_case(name)) {
            out.push(Deviation::new("header-undocumented", place, format!("the header {name} is not documented")));
        }
    }
    out
}

impl ActualResponse<'_> {
    fn lines(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Validates the value of a header.
fn value(schemas: &Schemas, name: &str, header: &Node<'_>, lines: &[&str]) -> Vec<Deviation> {
    // Several lines form one list, except for cookies (RFC 9110, section 5.3).
    let joined = lines.join(", ");
    let texts = if name.eq_ignore_ascii_case("set-cookie") { lines.to_vec() } else { vec![joined.as_str()] };
    let (schema, is_json) = match (header.get("schema"), header.get("content")) {
        (Some(schema), _) => (schema, false),
        (None, Some(content)) => {
            let Some((media_type, entry)) = content.entries().next() else { return Vec::new() };
            match entry.get("schema") {
                Some(schema) if media_type::is_json(media_type) => (schema, true),
                _ => return Vec::new(),
            }
        }
        (None, None) => return Vec::new(),
    };
    let explode = header.value["explode"] == true;
    let mut out = Vec::new();
    for text in texts {
        let readings = match serde_json::from_str(text) {
            Ok(value) if is_json => vec![value],
            Err(_) if is_json => {
                out.push(Deviation::new("header-schema", &schema, format!("the header {name} is not JSON")));
                continue;
            }
            _ => readings(&schema, text, explode),
        };
        let mut found = readings.iter().map(|reading| schemas.deviations(&schema, "header-schema", reading));
        let first = found.next().unwrap_or_default();
        if first.is_empty() || found.any(|deviations| deviations.is_empty()) {
            continue;
        }
        out.extend(first.into_iter().map(|deviation| Deviation {
            message: format!("the header {name}: {}", deviation.message),
            instance: String::new(),
            ..deviation
        }));
    }
    out
}

/// Possible values of a text by its schema (style `simple`), most specific first; the last one is the text itself.
fn readings(schema: &Node<'_>, text: &str, explode: bool) -> Vec<Value> {
    let mut types = types(Some(schema));
    if types.is_empty() {
        types.extend(["boolean", "number"]);
    }
    let text = text.trim();
    let mut out = Vec::new();
    for name in types {
        let reading = match name {
            "integer" | "number" => serde_json::from_str(text).ok().filter(Value::is_number),
            "boolean" => text.parse().ok().map(Value::Bool),
            "array" if text.is_empty() => Some(Value::Array(Vec::new())),
            "array" => {
                let items = schema.follow("items");
                let read = |part: &str| scalar(items.as_ref(), part);
                Some(text.split(',').map(read).collect())
            }
            "object" => Some(object(schema, text, explode)),
            _ => None,
        };
        out.extend(reading);
    }
    out.push(text.into());
    out
}

/// The value of one entry of a list or object.
fn scalar(schema: Option<&Node<'_>>, text: &str) -> Value {
    let types = types(schema);
    let text = text.trim();
    let may_be = |value: &Value| match value {
        Value::Number(_) => types.contains("integer") || types.contains("number"),
        Value::Bool(_) => types.contains("boolean"),
        _ => false,
    };
    serde_json::from_str(text).ok().filter(may_be).unwrap_or_else(|| text.into())
}

/// `role,admin,level,3`, or exploded `role=admin,level=3`.
fn object(schema: &Node<'_>, text: &str, explode: bool) -> Value {
    let parts: Vec<&str> = text.split(',').collect();
    let pairs: Vec<(&str, &str)> = match explode {
        true => parts.iter().map(|part| part.split_once('=').unwrap_or((part, ""))).collect(),
        false => parts.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or_default())).collect(),
    };
    let properties = schema.clone().resolved().get("properties");
    let entry = |(name, text): (&str, &str)| {
        let name = name.trim();
        let schema = properties.as_ref().and_then(|properties| properties.follow(name));
        (name.to_owned(), scalar(schema.as_ref(), text))
    };
    pairs.into_iter().map(entry).collect::<Map<_, _>>().into()
}

/// The types that a schema and its parts allow.
fn types<'a>(schema: Option<&Node<'a>>) -> BTreeSet<&'a str> {
    let (mut types, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut ahead: Vec<Node<'a>> = schema.cloned().into_iter().collect();
    while let Some(schema) = ahead.pop().map(Node::resolved) {
        if !seen.insert(schema.pointer.clone()) {
            continue;
        }
        types.extend(schema.value["type"].as_str());
        for parts in ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword)) {
            ahead.extend(parts.items());
        }
    }
    types
}
