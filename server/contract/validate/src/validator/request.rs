//! Validates requests: their parameters and their body.
//!
//! | part of the request | rules |
//! |---|---|
//! | parameters of the path, the query, headers and cookies, with the default style | `request-parameter-missing`, `request-parameter-schema` |
//! | the names in the query | `request-parameter-undocumented` |
//! | presence of a body | `request-body-missing`, `request-body-unexpected` |
//! | the media type | `request-content-type-undocumented` |
//! | a JSON body: its syntax, its schema, undocumented properties | `request-body-not-json`, `request-body-schema`, `request-property-undocumented` |
//!
//! Credentials are not examined, and other headers and cookies than those of the document are always allowed.

use super::schema::{Direction, Schemas};
use super::text::Text;
use super::{Deviation, MOST_DEVIATIONS, OperationRef, media_type};
use countersign_contract_document::Document;
use countersign_contract_document::Node;
use countersign_contract_document::pointer;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::borrow::Cow;

/// Ids of all rules for requests.
pub const REQUEST_RULES: [&str; 9] = [
    "request-body-missing",
    "request-body-not-json",
    "request-body-schema",
    "request-body-unexpected",
    "request-content-type-undocumented",
    "request-parameter-missing",
    "request-parameter-schema",
    "request-parameter-undocumented",
    "request-property-undocumented",
];

/// Headers that are no parameters, whatever the document says (OpenAPI 3.1.1, Parameter Object).
const NO_PARAMETERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// A request as sent.
#[derive(Debug, Clone, Copy)]
pub struct ActualRequest<'a> {
    /// Path with the base path of the document, in percent-encoding.
    pub path: &'a str,
    /// The query without the question mark; empty if there is none.
    pub query: &'a str,
    /// Name and value of each header line.
    pub headers: &'a [(String, String)],
    /// The body, empty if there was none; `None` if it is not known.
    pub body: Option<&'a [u8]>,
}

impl<'a> ActualRequest<'a> {
    fn lines(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let lines = self.headers.iter().filter(move |(given, _)| given.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_str())
    }

    fn has_content_encoding(&self) -> bool {
        self.lines("content-encoding").any(|encoding| !encoding.eq_ignore_ascii_case("identity"))
    }
}

/// Validates requests against one document. Schemas are compiled on first use and cached.
pub struct RequestValidator {
    document: Document,
    schemas: Schemas,
}

impl RequestValidator {
    /// A validator for requests to the document's operations.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        Self { document: document.clone(), schemas: Schemas::new(Direction::Requests) }
    }

    /// Validates a request to an operation; empty if it follows the contract. Messages contain no values of the request.
    #[must_use]
    pub fn validate(&self, operation: OperationRef<'_>, request: &ActualRequest<'_>) -> Vec<Deviation> {
        let node = Node::at(&self.document, operation.pointer());
        let texts = Texts::read(operation, request);
        let mut out = Vec::new();
        let parameters = self.parameters(&node);
        for parameter in &parameters {
            out.extend(self.of_parameter(parameter, &texts));
        }
        let names: Vec<&str> = parameters.iter().flat_map(|parameter| documented_query(parameter)).collect();
        let is_documented = |name: &str| {
            let starts = |documented: &str| name.strip_prefix(documented).is_some_and(|rest| rest.starts_with('['));
            names.iter().any(|documented| *documented == name || *documented == ANY || starts(documented))
        };
        let mut undocumented: Vec<&str> = texts.query.iter().map(|(name, _)| name.as_ref()).collect();
        undocumented.retain(|name| !is_documented(name));
        undocumented.dedup();
        out.extend(undocumented.into_iter().map(|name| {
            Deviation::new(
                "request-parameter-undocumented",
                &node,
                format!("the query parameter {name} is not documented"),
            )
        }));
        out.extend(self.of_body(&node, request));
        out.truncate(MOST_DEVIATIONS);
        out
    }

    /// The parameters of an operation and, unless it has the same, of its path.
    fn parameters<'d>(&'d self, operation: &Node<'d>) -> Vec<Node<'d>> {
        let path: Vec<String> = pointer::tokens(&operation.pointer).take(2).collect();
        let item = Node::at(&self.document, &pointer::from_tokens(path));
        let mut out: Vec<Node<'d>> = Vec::new();
        for parameter in item.items_of("parameters").chain(operation.items_of("parameters")).map(Node::resolved) {
            let is_same = |known: &Node<'_>| ["in", "name"].iter().all(|key| known.text(key) == parameter.text(key));
            out.retain(|known| !is_same(known));
            out.push(parameter);
        }
        out
    }

    fn of_parameter(&self, parameter: &Node<'_>, texts: &Texts<'_>) -> Vec<Deviation> {
        let (Some(place), Some(name)) = (parameter.text("in"), parameter.text("name")) else { return Vec::new() };
        let what = format!("the {place} parameter {name}");
        let text = Text { rule: "request-parameter-schema", what: &what, holder: parameter };
        let is_object = !has_content(parameter) && (text.allows("object") || !has_default_style(parameter));
        let given: Vec<&str> = match place {
            "header" if NO_PARAMETERS.iter().any(|other| name.eq_ignore_ascii_case(other)) => return Vec::new(),
            // An object may be written as parameters of other names.
            "query" | "cookie" if is_object => return Vec::new(),
            "path" if !has_default_style(parameter) => return Vec::new(),
            "path" => texts.path.iter().filter(|(given, _)| *given == name).map(|(_, text)| text.as_ref()).collect(),
            "query" => texts.query.iter().filter(|(given, _)| given == name).map(|(_, text)| text.as_ref()).collect(),
            "cookie" => {
                texts.cookies.iter().filter(|(given, _)| *given == name).map(|(_, text)| text.as_ref()).collect()
            }
            "header" => texts.request.lines(name).collect(),
            _ => return Vec::new(),
        };
        let explode = parameter.value["explode"].as_bool().unwrap_or(matches!(place, "query" | "cookie"));
        match (place, given.as_slice()) {
            (_, []) if parameter.is("required") => {
                vec![Deviation::new("request-parameter-missing", parameter, format!("{what} is missing"))]
            }
            (_, []) => Vec::new(),
            ("query", [""]) if parameter.is("allowEmptyValue") => Vec::new(),
            ("query", texts) if explode && text.allows("array") => text.deviations_of_list(&self.schemas, texts),
            ("header", lines) => text.deviations(&self.schemas, &lines.join(", "), explode),
            (_, texts) => texts.iter().flat_map(|one| text.deviations(&self.schemas, one, explode)).collect(),
        }
    }

    fn of_body(&self, operation: &Node<'_>, request: &ActualRequest<'_>) -> Vec<Deviation> {
        let one = |rule, at: &Node<'_>, message: &str| vec![Deviation::new(rule, at, message)];
        let is_empty = request.body.is_some_and(<[u8]>::is_empty);
        let Some(body) = operation.follow("requestBody") else {
            let is_unexpected = request.body.is_some() && !is_empty;
            let message = "the request has a body, and none is documented";
            return if is_unexpected { one("request-body-unexpected", operation, message) } else { Vec::new() };
        };
        if is_empty {
            let message = "the required body is missing";
            return if body.is("required") { one("request-body-missing", &body, message) } else { Vec::new() };
        }
        let (Some(content), given) = (body.get("content"), request.lines("content-type").next()) else {
            return Vec::new();
        };
        let Some((given, media_type)) = given.and_then(|given| Some((given, media_type::find(&content, given)?)))
        else {
            let documented: Vec<&str> = content.entries().map(|(name, _)| name).collect();
            let message =
                format!("the content type of the request is none of those documented: {}", documented.join(", "));
            return one("request-content-type-undocumented", &content, &message);
        };
        let Some(bytes) = request.body.filter(|_| media_type::is_json(given) && !request.has_content_encoding()) else {
            return Vec::new();
        };
        match serde_json::from_slice::<Value>(bytes) {
            Err(error) => one("request-body-not-json", &media_type, &format!("the body is not JSON: {error}")),
            Ok(value) => {
                let schema = media_type.get("schema");
                schema.map(|schema| self.schemas.deviations(&schema, "request-body-schema", &value)).unwrap_or_default()
            }
        }
    }
}

/// The texts of parameters in a request, decoded.
struct Texts<'a> {
    path: Vec<(&'a str, Cow<'a, str>)>,
    query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    cookies: Vec<(&'a str, Cow<'a, str>)>,
    request: ActualRequest<'a>,
}

impl<'a> Texts<'a> {
    fn read(operation: OperationRef<'a>, request: &ActualRequest<'a>) -> Self {
        let decoded = |text: &'a str| percent_decode_str(text).decode_utf8_lossy();
        let path = operation.0.template.variables(request.path).unwrap_or_default();
        let cookies = request.lines("cookie").flat_map(|line| line.split(';'));
        let cookies = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        Self {
            path: path.into_iter().map(|(name, text)| (name, decoded(text))).collect(),
            query: form_urlencoded::parse(request.query.as_bytes()).collect(),
            cookies: cookies.map(|(name, text)| (name, decoded(text))).collect(),
            request: *request,
        }
    }
}

/// Stands for every name in a query.
const ANY: &str = "*";

/// The names in a query that a parameter documents.
fn documented_query<'d>(parameter: &Node<'d>) -> Option<&'d str> {
    let name = parameter.text("name")?;
    let text = Text { rule: "request-parameter-schema", what: "", holder: parameter };
    match parameter.text("in")? {
        // The properties of an object are parameters of their own.
        "query" if !has_content(parameter) && text.allows("object") && has_default_style(parameter) => Some(ANY),
        "query" => Some(name),
        "querystring" => Some(ANY),
        _ => None,
    }
}

/// Whether a parameter is a text of a media type, so that it has no style.
fn has_content(parameter: &Node<'_>) -> bool {
    parameter.get("content").is_some()
}

/// Whether a parameter is written in the style that its place has by default.
fn has_default_style(parameter: &Node<'_>) -> bool {
    let usual = if matches!(parameter.text("in"), Some("query" | "cookie")) { "form" } else { "simple" };
    parameter.text("style").is_none_or(|style| style == usual)
}
