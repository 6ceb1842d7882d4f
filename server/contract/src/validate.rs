//! Does this response keep the contract?
//!
//! One judgement for everybody who asks: the server about its own responses, the tests about the server's, a command
//! about those of any server with an OpenAPI 3.0 document. It works on what came over the wire (status, headers, raw
//! body) and does no I/O.
//!
//! | what is looked at | rules |
//! |---|---|
//! | the status: documented by number, as a range (`4XX`) or by `default` | `status-undocumented` |
//! | each header that means something | `header-missing`, `header-undocumented`, `header-schema` |
//! | the media type: documented exactly or as a range (`application/*`) | `content-type-missing`, `content-type-undocumented` |
//! | whether there is a body where there should be one | `body-missing`, `body-unexpected` |
//! | a JSON body: its syntax, its schema, properties that nobody documents | `body-not-json`, `body-schema`, `property-undocumented` |
//! | the contract itself | `schema-unusable` |
//!
//! Bodies that are not JSON, and those with a content encoding, are held against the media type alone. Messages name
//! places, types and properties, never values of the response, so they may be logged.
//!
//! Promises: no document that loads and no response makes it panic; a schema that no validator takes is a deviation.

mod body;
mod header;
mod media_type;
mod schema;
mod template;

use self::schema::Schemas;
use self::template::Template;
use crate::document::{Document, Located};
use crate::node::Node;
use crate::pointer;
use serde_json::Value;
use std::fmt;

/// Every rule that a [`Deviation`] can name.
pub const RULES: [&str; 12] = [
    "body-missing",
    "body-not-json",
    "body-schema",
    "body-unexpected",
    "content-type-missing",
    "content-type-undocumented",
    "header-missing",
    "header-schema",
    "header-undocumented",
    "property-undocumented",
    "schema-unusable",
    "status-undocumented",
];

/// Deviations that are told of one response; a long list of wrong entries is wrong a few times only.
const MOST_DEVIATIONS: usize = 20;

/// One point in which a response does not keep its contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// Which rule is broken, one of [`RULES`].
    pub rule: &'static str,
    /// What is wrong, without values of the response. It reads on from "the response breaks the contract: ".
    pub message: String,
    /// JSON pointer, into the OpenAPI document, of the place that the response does not keep.
    pub pointer: String,
    /// JSON pointer, into the body, of what is wrong there; empty where it is the body as a whole, or no body.
    pub instance: String,
}

impl fmt::Display for Deviation {
    /// Rule, message and both places, on one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, message, pointer, instance } = self;
        match instance.as_str() {
            "" => write!(formatter, "{rule}: {message} ({pointer})"),
            _ => write!(formatter, "{rule}: {instance}: {message} ({pointer})"),
        }
    }
}

impl Deviation {
    fn new(rule: &'static str, at: &Node<'_>, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), pointer: at.pointer.clone(), instance: String::new() }
    }
}

/// What came over the wire, as far as it is judged.
struct ActualResponse<'a> {
    /// Names in lower case, in the order of the wire.
    headers: Vec<(String, &'a str)>,
    body: &'a [u8],
    /// Whether the request or the status rules a body out, whatever is documented (RFC 9110, 6.4.1).
    has_no_body: bool,
}

impl ActualResponse<'_> {
    /// The first line of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| *value)
    }
}

/// Holds responses against one document. Schemas are compiled when they are first needed and kept.
pub struct ResponseValidator {
    document: Document,
    /// Those with more literal paths first.
    operations: Vec<Operation>,
    schemas: Schemas,
}

/// An operation, as responses are matched with it.
struct Operation {
    id: Option<String>,
    method: String,
    template: Template,
    pointer: String,
}

/// An operation of the document that a [`Judge`] was made from.
#[derive(Clone, Copy)]
pub struct OperationRef<'a>(&'a Operation);

impl<'a> OperationRef<'a> {
    /// Its `operationId`, if it has one.
    #[must_use]
    pub fn id(self) -> Option<&'a str> {
        self.0.id.as_deref()
    }

    /// Method in upper case.
    #[must_use]
    pub fn method(self) -> &'a str {
        &self.0.method
    }

    /// Path with the base path; variables in braces.
    #[must_use]
    pub fn path(self) -> &'a str {
        self.0.template.text()
    }

    /// JSON pointer of the operation in the document.
    #[must_use]
    pub fn pointer(self) -> &'a str {
        &self.0.pointer
    }
}

impl fmt::Debug for OperationRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method(), self.path())
    }
}

impl ResponseValidator {
    /// A judge of responses to the document's operations.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        let mut operations: Vec<Operation> =
            document.located().map(|located| Operation::read(document, &located)).collect();
        operations.sort_by_key(|operation| operation.template.openness());
        Self { document: document.clone(), operations, schemas: Schemas::default() }
    }

    /// The operation that a request asks for, by its whole path. A literal path goes before one with variables.
    /// What follows a `?` is ignored.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<OperationRef<'_>> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let asked =
            |operation: &&Operation| operation.method.eq_ignore_ascii_case(method) && operation.template.fits(path);
        self.operations.iter().find(asked).map(OperationRef)
    }

    /// The operation of that name.
    #[must_use]
    pub fn operation(&self, operation_id: &str) -> Option<OperationRef<'_>> {
        let found = self.operations.iter().find(|operation| operation.id.as_deref() == Some(operation_id));
        found.map(OperationRef)
    }

    /// In what a response to that operation does not keep the contract; nothing if it does. `headers` are the lines as
    /// they came, one for each; `body` is empty if there was none.
    ///
    /// A response whose status is not documented is not looked at any further.
    #[must_use]
    pub fn validate<'h>(
        &self,
        operation: OperationRef<'_>,
        status: u16,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
        body: &[u8],
    ) -> Vec<Deviation> {
        let node = Node { document: &self.document, pointer: operation.0.pointer.clone(), value: &Value::Null };
        let value = self.document.value().pointer(&node.pointer).unwrap_or(&Value::Null);
        let node = Node { value, ..node };
        let Some(response) = response(&node, status) else {
            let responses = node.get("responses").unwrap_or(node);
            return vec![Deviation::new(
                "status-undocumented",
                &responses,
                format!("status {status} is not documented"),
            )];
        };
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let has_no_body = operation.method() == "HEAD" || status < 200 || status == 204 || status == 304;
        let actual = ActualResponse { headers, body, has_no_body };
        let mut deviations = header::deviations(&self.schemas, &response, &actual);
        deviations.extend(body::deviations(&self.schemas, &response, &actual));
        deviations.truncate(MOST_DEVIATIONS);
        deviations
    }
}

impl Operation {
    fn read(document: &Document, located: &Located<'_>) -> Self {
        let servers = [located.operation, located.item, document.value()].into_iter().map(|holder| &holder["servers"]);
        let base_path = servers.into_iter().find(|servers| servers.is_array()).map(template::base_path);
        let parts = ["paths", located.path, located.method].map(str::to_owned);
        Self {
            id: located.operation["operationId"].as_str().map(str::to_owned),
            method: located.method.to_uppercase(),
            template: Template::new(&format!("{}{}", base_path.unwrap_or_default(), located.path)),
            pointer: pointer::from_tokens(&parts),
        }
    }
}

/// What is documented for a status: by its number, else by its range, else by default.
fn response<'a>(operation: &Node<'a>, status: u16) -> Option<Node<'a>> {
    let responses = operation.get("responses")?;
    let class = status / 100;
    let keys = [status.to_string(), format!("{class}XX"), format!("{class}xx"), "default".to_owned()];
    keys.iter().find_map(|key| responses.follow(key))
}
