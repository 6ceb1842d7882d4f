//! What the keywords of a schema say about objects, and about limits.

use countersign_contract_document::{Node, reference};
use serde_json::{Map, Value};

/// Whether a schema or a part of it has properties.
pub(super) fn has_properties(schema: &Node<'_>, seen: &mut Vec<String>) -> bool {
    let is_reference = reference::target(schema.value).is_some();
    let schema = schema.clone().resolved();
    if is_reference {
        if seen.contains(&schema.pointer) {
            return false;
        }
        seen.push(schema.pointer.clone());
    }
    let names_some = schema.value["properties"].as_object().is_some_and(|properties| !properties.is_empty());
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword));
    names_some || parts.into_iter().any(|parts| parts.items().any(|part| has_properties(&part, seen)))
}

/// Whether the schema describes the object itself and is not only a list of alternatives.
pub(super) fn stands_for_itself(keywords: &Map<String, Value>) -> bool {
    keywords.contains_key("properties") || keywords.contains_key("allOf") || is_alternated(keywords)
}

/// Whether `anyOf` or `oneOf` has siblings that describe the same object.
pub(super) fn is_alternated(keywords: &Map<String, Value>) -> bool {
    let lists = ["anyOf", "oneOf"].into_iter().filter(|keyword| keywords.contains_key(*keyword)).count();
    let others = ["properties", "allOf", "additionalProperties"];
    lists > 1 || lists == 1 && others.into_iter().any(|keyword| keywords.contains_key(keyword))
}

/// Writes a limit with a flag as an exclusive limit.
pub(super) fn exclusive(out: &mut Map<String, Value>, flag: &str, bound: &str) {
    match out.remove(flag) {
        Some(Value::Bool(true)) => {
            if let Some(value) = out.remove(bound) {
                out.insert(flag.to_owned(), value);
            }
        }
        Some(value @ Value::Number(_)) => {
            out.insert(flag.to_owned(), value);
        }
        _ => {}
    }
}
