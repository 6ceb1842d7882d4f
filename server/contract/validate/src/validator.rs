//! Validates responses, and requests, against a contract.
//!
//! The server uses it for its own responses, tests for those of the server, and `countersign contract check` for those of
//! any server with an OpenAPI 3.0 document. It works on the response as received (status, headers, raw body) and does no
//! I/O.
//!
//! | part of the response | rules |
//! |---|---|
//! | the status: documented by number, as a range (`4XX`) or by `default` | `status-undocumented` |
//! | headers, except standard ones that need no documentation | `header-missing`, `header-undocumented`, `header-schema` |
//! | the media type: documented exactly or as a range (`application/*`) | `content-type-missing`, `content-type-undocumented` |
//! | presence of a body | `body-missing`, `body-unexpected` |
//! | a JSON body: its syntax, its schema, undocumented properties | `body-not-json`, `body-schema`, `property-undocumented` |
//! | none: the contract's schema itself | `schema-unusable` |
//!
//! Of bodies that are not JSON or have a content encoding, only the media type is checked. Messages contain pointers, types
//! and property names but never values of the response, so that they may be logged.
//!
//! Guarantees: no loaded document and no response causes a panic; an unusable schema is reported as a deviation.

mod body;
mod header;
mod media_type;
mod request;
mod schema;
mod template;
mod text;

pub use self::header::is_standard as is_standard_header;
pub use self::media_type::is_json;
pub use self::request::{ActualRequest, REQUEST_RULES, RequestValidator};
pub use self::schema::nearest;
use self::schema::{Direction, Schemas};
use self::template::Template;
use countersign_contract_document::{Document, Located, Node};
use serde_json::Value;
use std::fmt;

/// Ids of all rules for responses.
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

/// Most deviations reported for one response, so that a long list of invalid entries does not flood the log.
const MOST_DEVIATIONS: usize = 20;

/// A violation of the contract by a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// Id of the violated rule, one of [`RULES`].
    pub rule: &'static str,
    /// Description without values of the response, in lower case and without a full stop.
    pub message: String,
    /// JSON pointer to the violated part of the OpenAPI document.
    pub pointer: String,
    /// JSON pointer to the invalid value in the body; empty for the body as a whole and for other parts of the response.
    pub instance: String,
}

impl fmt::Display for Deviation {
    /// Rule, message and both pointers on one line.
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

/// The validated parts of a response as received.
struct ActualResponse<'a> {
    /// Names in lower case and values, in the order received.
    headers: Vec<(String, &'a str)>,
    body: &'a [u8],
    /// Whether the method or status does not allow a body (RFC 9110, section 6.4.1).
    has_no_body: bool,
}

impl ActualResponse<'_> {
    /// The value of the first line of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| *value)
    }
}

/// Validates responses against one document. Schemas are compiled on first use and cached.
pub struct ResponseValidator {
    document: Document,
    /// Those with more literal segments in their path come first.
    operations: Vec<Operation>,
    schemas: Schemas,
}

/// An operation as requests are matched with it.
struct Operation {
    id: Option<String>,
    method: String,
    template: Template,
    pointer: String,
}

/// An operation of a [`ResponseValidator`]'s document.
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
    /// A validator for responses of the document's operations.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        let mut operations: Vec<Operation> =
            document.located().map(|located| Operation::read(document, &located)).collect();
        operations.sort_by_key(|operation| operation.template.openness());
        Self { document: document.clone(), operations, schemas: Schemas::new(Direction::Responses) }
    }

    /// The operation of a request, by its full path. Literal paths take precedence over those with variables. The query is
    /// ignored.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<OperationRef<'_>> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let is_match =
            |operation: &&Operation| operation.method.eq_ignore_ascii_case(method) && operation.template.fits(path);
        self.operations.iter().find(is_match).map(OperationRef)
    }

    /// The operation with this `operationId`.
    #[must_use]
    pub fn operation(&self, operation_id: &str) -> Option<OperationRef<'_>> {
        let found = self.operations.iter().find(|operation| operation.id.as_deref() == Some(operation_id));
        found.map(OperationRef)
    }

    /// Validates a response of an operation; empty if it follows the contract. `headers` are the header lines as received;
    /// `body` is empty if there was none.
    ///
    /// Of a response with an undocumented status, nothing else is validated.
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
        Self {
            id: located.operation["operationId"].as_str().map(str::to_owned),
            method: located.method.to_uppercase(),
            template: Template::new(&format!("{}{}", base_path.unwrap_or_default(), located.path)),
            pointer: located.pointer(),
        }
    }
}

/// The documented response for a status: by its number, else by its range, else `default`.
pub fn response<'a>(operation: &Node<'a>, status: u16) -> Option<Node<'a>> {
    let responses = operation.get("responses")?;
    let class = status / 100;
    let keys = [status.to_string(), format!("{class}XX"), format!("{class}xx"), "default".to_owned()];
    keys.iter().find_map(|key| responses.follow(key))
}
