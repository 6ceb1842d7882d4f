//! A canonical form of operations: equivalent operations have equal forms.
//!
//! The form contains operationId, tags, parameters, request body, and responses with their media types, schemas and header
//! names. It omits prose, security (dropshot generates none) and the schemas of response headers (the code only has their
//! names). For schemas, see [`crate::canonical_schema`].

use crate::canonical_schema::canonical_schema;
use countersign_contract_document::{Document, Located};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Method and path of an operation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Path with the base path, e.g. `/api/auth/sign-out`.
    pub path: String,
    /// Method in upper case.
    pub method: String,
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}

/// One operation in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalOperation {
    /// The `operationId`, if there is one.
    pub operation_id: Option<String>,
    /// Tags; their order has no meaning.
    pub tags: BTreeSet<String>,
    /// Parameters by `in name`, e.g. `query code`; names of header parameters in lower case.
    pub parameters: BTreeMap<String, CanonicalParameter>,
    /// The request body, if the operation has one.
    pub body: Option<CanonicalBody>,
    /// Responses by status, range (`4XX`) or `default`.
    pub responses: BTreeMap<String, CanonicalResponse>,
}

/// One parameter in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalParameter {
    /// Whether a request without it is rejected.
    pub is_required: bool,
    /// Canonical schema.
    pub schema: Value,
}

/// A request body in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalBody {
    /// Whether a request without it is rejected.
    pub is_required: bool,
    /// Canonical schema by media type.
    pub content: BTreeMap<String, Value>,
}

/// One response in canonical form.
#[derive(Debug, Clone, PartialEq)]
pub struct CanonicalResponse {
    /// Canonical schema by media type; empty for a response without content.
    pub content: BTreeMap<String, Value>,
    /// Names of headers in lower case.
    pub headers: BTreeSet<String>,
}

/// Every operation of the document, with `base_path` before each path.
#[must_use]
pub fn canonical(document: &Document, base_path: &str) -> BTreeMap<Key, CanonicalOperation> {
    let operations = document.located().map(|located| {
        let key = Key { path: format!("{base_path}{}", located.path), method: located.method.to_uppercase() };
        (key, canonical_operation(document, &located))
    });
    operations.collect()
}

fn canonical_operation(document: &Document, located: &Located<'_>) -> CanonicalOperation {
    let operation = located.operation;
    let tags = operation["tags"].as_array().into_iter().flatten();
    CanonicalOperation {
        operation_id: operation["operationId"].as_str().map(str::to_owned),
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        parameters: parameters(document, located),
        body: operation.get("requestBody").map(|body| {
            let body = document.resolve(body);
            CanonicalBody { is_required: body["required"] == true, content: content(document, body) }
        }),
        responses: responses(document, operation),
    }
}

/// Parameters of an operation, including those of its path item that it does not override.
fn parameters(document: &Document, located: &Located<'_>) -> BTreeMap<String, CanonicalParameter> {
    let lists = [&located.item["parameters"], &located.operation["parameters"]];
    let parameters = lists.into_iter().filter_map(Value::as_array).flatten().map(|parameter| {
        let parameter = document.resolve(parameter);
        let place = parameter["in"].as_str().unwrap_or_default();
        let name = parameter["name"].as_str().unwrap_or_default();
        let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
        let schema = canonical_schema(document, &parameter["schema"]);
        (format!("{place} {name}"), CanonicalParameter { is_required: parameter["required"] == true, schema })
    });
    parameters.collect()
}

fn responses(document: &Document, operation: &Value) -> BTreeMap<String, CanonicalResponse> {
    let responses = operation["responses"].as_object().into_iter().flatten().map(|(status, response)| {
        let response = document.resolve(response);
        let headers = response["headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(name, _)| name.to_ascii_lowercase()).collect();
        (status.clone(), CanonicalResponse { content: content(document, response), headers })
    });
    responses.collect()
}

fn content(document: &Document, holder: &Value) -> BTreeMap<String, Value> {
    let content = holder["content"].as_object().into_iter().flatten();
    content.map(|(media_type, entry)| (media_type.clone(), canonical_schema(document, &entry["schema"]))).collect()
}
