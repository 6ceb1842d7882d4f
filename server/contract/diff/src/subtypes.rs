//! Subtypes of schemas with a discriminator.
//!
//! A schema with a discriminator and without alternatives stands for all schemas that have it in their `allOf`. It does not
//! refer to them, so they have to be searched.

use countersign_contract_document::{Document, reference};
use serde_json::Value;

const SCHEMAS: &str = "#/components/schemas/";

/// Names of the subtypes of the schema at a JSON pointer.
pub(super) fn of<'d>(document: &'d Document, pointer: &str) -> Vec<&'d str> {
    let base = format!("#{pointer}");
    let schemas = document.value().pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    schemas.filter(|(_, schema)| bases(schema).any(|known| known == base)).map(|(name, _)| name.as_str()).collect()
}

/// References to the base schemas of a schema.
pub(super) fn bases(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("allOf").and_then(Value::as_array).into_iter().flatten().filter_map(reference::target)
}

/// The name of the schema in an entry of a mapping, which is a name or a reference.
pub(super) fn schema_name(target: &str) -> &str {
    target.strip_prefix(SCHEMAS).unwrap_or(target)
}

/// References to the schemas in the mapping of a schema's discriminator.
pub(super) fn mapped(schema: &Value) -> impl Iterator<Item = String> {
    let mapping = schema.get("discriminator").and_then(|at| at.get("mapping")).and_then(Value::as_object);
    let targets = mapping.into_iter().flatten().filter_map(|(_, target)| target.as_str());
    targets.map(|target| format!("{SCHEMAS}{}", schema_name(target)))
}
