//! The operations of a contract, as tests and the generated table list them.

use countersign_contract_document::{Document, Error, Located};
use serde_json::Value;
use std::collections::BTreeSet;

/// One operation of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Method in upper case.
    pub method: String,
    /// Path with the base path, e.g. `/api/auth/sign-in/email`.
    pub path: String,
    /// Name, unique in the document.
    pub operation_id: String,
    /// Tags, in the order of the text.
    pub tags: Vec<String>,
    /// Alternatives, each a set of security schemes that are required together; the document's, unless the operation has
    /// its own. Without alternatives, or with an empty one, no credentials are required.
    pub security: Vec<BTreeSet<String>>,
    /// Whether the operation has a request body.
    pub has_body: bool,
    /// Whether a request without a body is rejected.
    pub body_required: bool,
    /// Media types of the request body, in the order of the text.
    pub media_types: Vec<String>,
    /// Every documented status, ascending.
    pub statuses: Vec<u16>,
}

impl Operation {
    /// Whether a request without credentials is rejected.
    #[must_use]
    pub fn requires_credentials(&self) -> bool {
        !self.security.is_empty() && self.security.iter().all(|schemes| !schemes.is_empty())
    }
}

/// Every operation of the document, in the order of the text, with `base_path` before each path.
///
/// # Errors
/// [`Error::Shape`] for an operation without an operationId or with a duplicate one, without responses, with a status that
/// is not a number, or with an undefined security scheme.
pub fn operations(document: &Document, base_path: &str) -> Result<Vec<Operation>, Error> {
    let mut taken = BTreeSet::new();
    let mut out = Vec::new();
    for located in document.located() {
        let operation = read(document, base_path, &located)?;
        if !taken.insert(operation.operation_id.clone()) {
            let problem = format!("another operation is called `{}` as well", operation.operation_id);
            return Err(shape(document, &located, problem));
        }
        out.push(operation);
    }
    Ok(out)
}

fn shape(document: &Document, located: &Located<'_>, problem: String) -> Error {
    let place = format!("{} {}", located.method.to_uppercase(), located.path);
    let pointer = located.pointer();
    Error::Shape { span: document.span(&pointer), place, problem }
}

fn read(document: &Document, base_path: &str, located: &Located<'_>) -> Result<Operation, Error> {
    let shape_error = |problem: String| shape(document, located, problem);
    let operation = located.operation;
    let operation_id = operation["operationId"].as_str().ok_or_else(|| shape_error("has no operationId".to_owned()))?;
    let tags = operation["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let body = operation.get("requestBody").map(|body| document.resolve(body));
    Ok(Operation {
        method: located.method.to_uppercase(),
        path: format!("{base_path}{}", located.path),
        operation_id: operation_id.to_owned(),
        tags: tags.map(str::to_owned).collect(),
        security: security(document, operation).map_err(shape_error)?,
        has_body: body.is_some(),
        body_required: body.is_some_and(|body| body["required"] == true),
        media_types: body
            .and_then(|body| body["content"].as_object())
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect(),
        statuses: statuses(operation).map_err(shape_error)?,
    })
}

fn security(document: &Document, operation: &Value) -> Result<Vec<BTreeSet<String>>, String> {
    let security = operation.get("security").or_else(|| document.value().get("security"));
    let defined = &document.value()["components"]["securitySchemes"];
    let mut out = Vec::new();
    for alternative in security.and_then(Value::as_array).into_iter().flatten() {
        let schemes = alternative.as_object().ok_or("expected an object for each alternative of security")?;
        if let Some(unknown) = schemes.keys().find(|name| defined.get(name.as_str()).is_none()) {
            return Err(format!("security scheme `{unknown}` is not defined in components"));
        }
        out.push(schemes.keys().cloned().collect());
    }
    Ok(out)
}

fn statuses(operation: &Value) -> Result<Vec<u16>, String> {
    let responses = operation["responses"].as_object().filter(|responses| !responses.is_empty());
    let responses = responses.ok_or("has no responses")?;
    let mut out = Vec::with_capacity(responses.len());
    for status in responses.keys() {
        let number = status.parse().ok().filter(|status| (100..600).contains(status));
        out.push(number.ok_or_else(|| format!("status `{status}` is not a number, expected each status by itself"))?);
    }
    out.sort_unstable();
    Ok(out)
}
