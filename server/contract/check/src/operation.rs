//! Reads what requests to an operation consist of.

use super::broken::{self, Way};
use super::names;
use countersign_contract_document::{Document, Located, Node, pointer};
use countersign_contract_validate::is_json;
use countersign_contract_validate::json_schema::{Extra, compile, json_schema_of_request};
use jsonschema::Validator;
use serde_json::Value;

/// An operation with all that requests are generated from.
pub(super) struct Operation<'d> {
    pub(super) document: &'d Document,
    /// As in findings: `GET /users/{id}`.
    pub(super) name: String,
    /// Method in lower case.
    pub(super) method: &'d str,
    /// Path as in the document, without the base path.
    pub(super) path: &'d str,
    pub(super) pointer: String,
    pub(super) parameters: Vec<Parameter<'d>>,
    pub(super) body: Option<Body<'d>>,
    /// Whether a request without credentials is rejected.
    pub(super) has_security: bool,
    /// Whether a success may end what other requests need, such as a resource, a session or the account itself.
    pub(super) is_ending: bool,
    pub(super) ways_to_break: Vec<Way>,
}

pub(super) struct Parameter<'d> {
    /// `path`, `query`, `header` or `cookie`.
    pub(super) place: &'d str,
    pub(super) name: &'d str,
    pub(super) is_required: bool,
    pub(super) schema: RequestSchema<'d>,
    pub(super) example: Option<&'d Value>,
    pub(super) pointer: String,
    /// Under which names responses may contain its value; the most specific one first.
    pub(super) names: Vec<String>,
}

pub(super) struct Body<'d> {
    pub(super) is_required: bool,
    pub(super) media_type: &'d str,
    /// Whether a media type that the document does not list is forbidden.
    pub(super) is_other_media_type_forbidden: bool,
    pub(super) schema: RequestSchema<'d>,
    pub(super) example: Option<&'d Value>,
    pub(super) pointer: String,
}

/// A schema of a value in requests.
pub(super) struct RequestSchema<'d> {
    pub(super) value: &'d Value,
    /// `None` for a schema that cannot be used.
    validator: Option<Validator>,
}

impl<'d> RequestSchema<'d> {
    fn read(holder: &Node<'d>) -> Self {
        let Some(schema) = holder.get("schema") else { return Self { value: &Value::Null, validator: None } };
        let translated = json_schema_of_request(&schema, Extra::Allowed);
        let validator = (!translated.is_endless).then(|| compile(&translated.schema).ok()).flatten();
        Self { value: schema.value, validator }
    }

    /// Whether the schema is known to accept a value.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        self.validator.as_ref().is_some_and(|validator| validator.is_valid(value))
    }

    /// Whether the schema is known to reject a value.
    pub(super) fn rejects(&self, value: &Value) -> bool {
        self.validator.as_ref().is_some_and(|validator| !validator.is_valid(value))
    }
}

impl<'d> Operation<'d> {
    pub(super) fn read(document: &'d Document, located: &Located<'d>) -> Self {
        let pointer = located.pointer();
        let node = Node::at(document, &pointer);
        let parameters = parameters(document, located.path, &node);
        let body = body(&node);
        let security = located.operation.get("security").or_else(|| document.value().get("security"));
        let alternatives: Vec<&Value> = security.and_then(Value::as_array).into_iter().flatten().collect();
        let is_open = |one: &&Value| one.as_object().is_none_or(serde_json::Map::is_empty);
        let id = located.operation["operationId"].as_str().unwrap_or_default();
        Self {
            document,
            name: format!("{} {}", located.method.to_uppercase(), located.path),
            method: located.method,
            path: located.path,
            has_security: !alternatives.is_empty() && !alternatives.iter().any(is_open),
            is_ending: located.method == "delete" || names::are_of_an_end(located.path) || names::are_of_an_end(id),
            ways_to_break: broken::ways(document, &parameters, body.as_ref()),
            pointer,
            parameters,
            body,
        }
    }

    pub(super) fn variables(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.place == "path").count()
    }
}

fn parameters<'d>(document: &'d Document, path: &str, operation: &Node<'d>) -> Vec<Parameter<'d>> {
    let item = Node::at(document, &pointer::from_tokens(["paths", path]));
    let mut out: Vec<Parameter<'d>> = Vec::new();
    for listed in item.items_of("parameters").chain(operation.items_of("parameters")) {
        let pointer = listed.pointer.clone();
        let parameter = listed.resolved();
        let (Some(place), Some(name)) = (parameter.text("in"), parameter.text("name")) else { continue };
        let content = parameter.entries_of("content").next().map(|(_, entry)| entry);
        out.retain(|known| known.place != place || known.name != name);
        out.push(Parameter {
            place,
            name,
            is_required: parameter.is("required") || place == "path",
            schema: RequestSchema::read(content.as_ref().unwrap_or(&parameter)),
            example: example(&parameter),
            pointer,
            names: if place == "path" { names::of_variable(path, name) } else { names::of_value(name) },
        });
    }
    out
}

fn example<'d>(holder: &Node<'d>) -> Option<&'d Value> {
    let example = holder.get("example").map(|example| example.value);
    example.or_else(|| {
        let mut examples = holder.entries_of("examples");
        examples.find_map(|(_, example)| Some(example.resolved().get("value")?.value))
    })
}

fn body<'d>(operation: &Node<'d>) -> Option<Body<'d>> {
    let body = operation.follow("requestBody")?;
    let entries: Vec<(&str, Node<'d>)> = body.entries_of("content").collect();
    let (media_type, entry) = entries.iter().find(|(media_type, _)| is_json(media_type)).or_else(|| entries.first())?;
    Some(Body {
        is_required: body.is("required"),
        media_type,
        is_other_media_type_forbidden: !entries.iter().any(|(media_type, _)| media_type.contains('*')),
        schema: RequestSchema::read(entry),
        example: example(entry),
        pointer: format!("{}/requestBody", operation.pointer),
    })
}
