//! Schemas that build on another one and that its discriminator tells apart.
//!
//! A schema with a discriminator and without alternatives stands for all those that have it in their `allOf`. Nothing
//! refers to them from it: they have to be looked for.

use crate::document::Document;
use crate::reference;
use serde_json::Value;

const SCHEMAS: &str = "#/components/schemas/";

/// Names of the schemas that build on the one at a JSON pointer.
pub(super) fn of<'d>(document: &'d Document, pointer: &str) -> Vec<&'d str> {
    let base = format!("#{pointer}");
    let schemas = document.value().pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    schemas.filter(|(_, schema)| bases(schema).any(|known| known == base)).map(|(name, _)| name.as_str()).collect()
}

/// What a schema builds on.
pub(super) fn bases(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("allOf").and_then(Value::as_array).into_iter().flatten().filter_map(reference::target)
}

/// The name of a schema that a mapping leads to: it says a reference or a name.
pub(super) fn schema_name(target: &str) -> &str {
    target.strip_prefix(SCHEMAS).unwrap_or(target)
}

/// The references that the mapping of a schema's discriminator stands for.
pub(super) fn mapped(schema: &Value) -> impl Iterator<Item = String> {
    let mapping = schema.get("discriminator").and_then(|at| at.get("mapping")).and_then(Value::as_object);
    let targets = mapping.into_iter().flatten().filter_map(|(_, target)| target.as_str());
    targets.map(|target| format!("{SCHEMAS}{}", schema_name(target)))
}
