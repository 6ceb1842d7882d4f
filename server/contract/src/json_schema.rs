//! OpenAPI 3.0 schemas as JSON Schema draft 2019-09, which a validator understands.
//!
//! `$ref`s become definitions, `nullable` becomes an alternative, boolean exclusive bounds become numbers. To forbid
//! properties that nobody documents, each place that holds an object gets `unevaluatedProperties: false`. The parts of
//! an `allOf` do not get it: they describe the same object together.

use crate::document::Document;
use crate::reference;
use serde_json::{Map, Value, json};

/// What to do about properties that the schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    Allowed,
    Forbidden,
}

/// Whether a schema describes a whole value or, as a part of `allOf` and the like, one aspect of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Whole,
    Part,
}

/// A schema of the document, complete in itself.
pub(crate) fn json_schema(document: &Document, schema: &Value, extra: Extra) -> Value {
    let mut writer = Writer { document, extra, definitions: Map::new() };
    let root = writer.schema(schema, Role::Whole);
    json!({
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "allOf": [root],
        "definitions": writer.definitions,
    })
}

struct Writer<'a> {
    document: &'a Document,
    extra: Extra,
    definitions: Map<String, Value>,
}

impl Writer<'_> {
    fn schema(&mut self, schema: &Value, role: Role) -> Value {
        if let Some(reference) = reference::target(schema) {
            return self.reference(reference, schema, role);
        }
        let Some(keywords) = schema.as_object() else {
            return if *schema == false { json!(false) } else { json!(true) };
        };
        let mut out = Map::new();
        let is_whole_object = role == Role::Whole && self.has_properties(schema, &mut Vec::new());
        for (keyword, value) in keywords {
            let value = match keyword.as_str() {
                "nullable" | "example" | "discriminator" | "xml" | "externalDocs" => continue,
                keyword if keyword.starts_with("x-") => continue,
                "properties" => self.properties(value),
                "items" => self.schema(value, Role::Whole),
                "additionalProperties" if value.is_object() => self.schema(value, Role::Whole),
                "not" => self.schema(value, Role::Part),
                "allOf" | "anyOf" | "oneOf" => {
                    // Alternatives that stand alone are wholes, so that an open one among them stays open.
                    let role = if keyword == "allOf" || is_alternated(keywords) { Role::Part } else { role };
                    value.as_array().into_iter().flatten().map(|part| self.schema(part, role)).collect()
                }
                _ => value.clone(),
            };
            out.insert(keyword.clone(), value);
        }
        if self.extra == Extra::Forbidden && is_whole_object && stands_for_itself(keywords) {
            out.insert("unevaluatedProperties".to_owned(), false.into());
        }
        exclusive(&mut out, "exclusiveMinimum", "minimum");
        exclusive(&mut out, "exclusiveMaximum", "maximum");
        if keywords.get("nullable") == Some(&Value::Bool(true)) {
            return json!({"anyOf": [out, {"type": "null"}]});
        }
        out.into()
    }

    fn properties(&mut self, properties: &Value) -> Value {
        let properties = properties.as_object().into_iter().flatten();
        properties.map(|(name, schema)| (name.clone(), self.schema(schema, Role::Whole))).collect::<Map<_, _>>().into()
    }

    /// A definition for each schema and role that is needed. It is entered before it is written, so that a schema
    /// may refer to itself.
    fn reference(&mut self, reference: &str, schema: &Value, role: Role) -> Value {
        let name = reference.trim_start_matches("#/components/schemas/").replace(['/', '~', '#'], "_");
        let name = if self.extra == Extra::Forbidden && role == Role::Part { format!("{name}.part") } else { name };
        if !self.definitions.contains_key(&name) {
            self.definitions.insert(name.clone(), json!({}));
            let target = self.schema(self.document.resolve(schema), role);
            self.definitions.insert(name.clone(), target);
        }
        json!({"$ref": format!("#/definitions/{name}")})
    }

    /// Whether the schema, or a part of it, names properties.
    fn has_properties(&self, schema: &Value, seen: &mut Vec<String>) -> bool {
        if let Some(reference) = reference::target(schema) {
            if seen.iter().any(|seen| seen == reference) {
                return false;
            }
            seen.push(reference.to_owned());
        }
        let schema = self.document.resolve(schema);
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|keyword| schema[keyword].as_array()).flatten();
        let names_some = schema["properties"].as_object().is_some_and(|properties| !properties.is_empty());
        names_some || parts.into_iter().any(|part| self.has_properties(part, seen))
    }
}

/// Whether the schema itself describes the object, and does not only list alternatives that each describe it.
fn stands_for_itself(keywords: &Map<String, Value>) -> bool {
    keywords.contains_key("properties") || keywords.contains_key("allOf") || is_alternated(keywords)
}

/// Whether `anyOf` or `oneOf` stands beside something that describes the same object.
fn is_alternated(keywords: &Map<String, Value>) -> bool {
    let lists = ["anyOf", "oneOf"].into_iter().filter(|keyword| keywords.contains_key(*keyword)).count();
    let others = ["properties", "allOf", "additionalProperties"];
    lists > 1 || lists == 1 && others.into_iter().any(|keyword| keywords.contains_key(keyword))
}

fn exclusive(out: &mut Map<String, Value>, flag: &str, bound: &str) {
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
