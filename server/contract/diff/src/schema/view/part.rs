//! What one part of a schema says, without the parts beside it.

use countersign_contract_document::Node;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn is_closed(at: &Node<'_>) -> bool {
    at.get("additionalProperties").is_some_and(|at| *at.value == Value::Bool(false) || *at.value == json!({"not": {}}))
}

/// Whether a schema for other properties has any keyword.
pub(super) fn describes(at: &Node<'_>) -> bool {
    at.value.as_object().is_some_and(|schema| !schema.is_empty())
}

/// The schemas of a part for a property: its own, and those of patterns that match its name.
pub(super) fn own_properties<'d>(at: &Node<'d>, name: &str) -> Vec<Node<'d>> {
    let matches = |(pattern, _): &(&str, Node<'d>)| {
        regress::Regex::with_flags(pattern, "u").is_ok_and(|pattern| pattern.find(name).is_some())
    };
    let patterns = at.entries_of("patternProperties").filter(matches).map(|(_, at)| at);
    at.get("properties").and_then(|at| at.get(name)).into_iter().chain(patterns).collect()
}

/// The schema of a part for properties that it does not list.
pub(super) fn other_properties<'d>(at: &Node<'d>) -> Option<Node<'d>> {
    at.get("additionalProperties").or_else(|| at.get("unevaluatedProperties")).filter(describes)
}

/// The schema of a part for items without one of their own.
pub(super) fn other_items<'d>(at: &Node<'d>) -> Option<Node<'d>> {
    at.get("items").or_else(|| at.get("unevaluatedItems"))
}

/// Its types but null, explicit or implied by listed values or by keywords for objects or arrays.
pub(super) fn own_types<'d>(at: &Node<'d>) -> Option<BTreeSet<&'d str>> {
    let has = |key: &str| at.value.get(key).is_some();
    match at.value.get("type") {
        Some(Value::String(name)) => Some(Some(name.as_str()).filter(|name| *name != "null").into_iter().collect()),
        Some(Value::Array(names)) => {
            Some(names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect())
        }
        _ if at.value.get("enum").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) => {
            at.value["enum"].as_array().map(|list| list.iter().filter_map(type_of).collect())
        }
        _ if has("properties") || has("additionalProperties") => Some(BTreeSet::from(["object"])),
        _ if has("items") || has("prefixItems") => Some(BTreeSet::from(["array"])),
        _ => None,
    }
}

/// The narrowest type of a value; `None` for null.
pub(in super::super) fn type_of(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}

/// The intersection of two sets of types, where integers are numbers.
pub(in super::super) fn common<'d>(one: &BTreeSet<&'d str>, other: &BTreeSet<&'d str>) -> BTreeSet<&'d str> {
    let is_in = |set: &BTreeSet<&str>, name: &str| set.contains(name) || name == "integer" && set.contains("number");
    let both = one.iter().filter(|name| is_in(other, name)).chain(other.iter().filter(|name| is_in(one, name)));
    both.copied().collect()
}
