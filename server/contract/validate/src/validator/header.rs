//! Validates the headers of a response: required ones are present, and present ones are documented and match their schema.

use super::schema::Schemas;
use super::text::Text;
use super::{ActualResponse, Deviation};
use countersign_contract_document::Node;
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

/// Whether a header needs no documentation. The name is in lower case.
pub fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
}

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
        if !is_standard(name) && !entries.iter().any(|(documented, _)| documented.eq_ignore_ascii_case(name)) {
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
    let text = Text { rule: "header-schema", what: &format!("the header {name}"), holder: header };
    texts.into_iter().flat_map(|value| text.deviations(schemas, value, header.is("explode"))).collect()
}
