//! OpenAPI 3.0 schemas as JSON Schema draft 2019-09, which a validator understands.
//!
//! `$ref`s become definitions, `nullable` becomes an alternative, boolean exclusive bounds become numbers. To forbid
//! properties that nobody documents, each place that holds an object gets `unevaluatedProperties: false`. The parts of
//! an `allOf` do not get it: they describe the same object together.

use crate::document::Document;
use crate::reference;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

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
    Writer { document, extra, about: None, definitions: Map::new(), pending: Vec::new() }.complete(schema)
}

/// As much of a schema as this value can meet: the same for the value, and much smaller where schemas lead to each other.
/// Nothing if even that needs more than [`MOST_DEFINITIONS`].
pub(crate) fn json_schema_for(document: &Document, schema: &Value, value: &Value) -> Option<Value> {
    let mut about = About::default();
    about.collect(value);
    let mut writer =
        Writer { document, extra: Extra::Allowed, about: Some(about), definitions: Map::new(), pending: Vec::new() };
    let complete = writer.complete(schema);
    (writer.definitions.len() <= MOST_DEFINITIONS).then_some(complete)
}

/// A chain of definitions costs a validator as much stack as it is long.
const MOST_DEFINITIONS: usize = 200;

/// What there is in a value: a schema of a property that no object in it has says nothing about it, and so on.
#[derive(Default)]
struct About<'v> {
    keys: HashSet<&'v str>,
    has_items: bool,
}

impl<'v> About<'v> {
    fn collect(&mut self, value: &'v Value) {
        match value {
            Value::Array(items) => {
                self.has_items |= !items.is_empty();
                items.iter().for_each(|item| self.collect(item));
            }
            Value::Object(entries) => {
                self.keys.extend(entries.keys().map(String::as_str));
                entries.values().for_each(|value| self.collect(value));
            }
            _ => {}
        }
    }
}

struct Writer<'a> {
    document: &'a Document,
    extra: Extra,
    /// The value that is to be validated, if it is one.
    about: Option<About<'a>>,
    definitions: Map<String, Value>,
    /// Definitions that are named and not yet written. Schemas may refer to each other in a chain of any length, which is
    /// therefore not followed by recursion.
    pending: Vec<(String, &'a Value, Role)>,
}

impl<'a> Writer<'a> {
    fn complete(&mut self, schema: &'a Value) -> Value {
        let root = self.schema(schema, Role::Whole);
        while let Some((name, target, role)) = self.pending.pop() {
            let target = self.schema(target, role);
            self.definitions.insert(name, target);
        }
        json!({
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "allOf": [root],
            "definitions": self.definitions,
        })
    }

    fn schema(&mut self, schema: &'a Value, role: Role) -> Value {
        if let Some(reference) = reference::target(schema) {
            return self.reference(reference, schema, role);
        }
        let Some(keywords) = schema.as_object() else {
            return if *schema == false { json!(false) } else { json!(true) };
        };
        let mut out = Map::new();
        let is_closed = self.extra == Extra::Forbidden && role == Role::Whole;
        let is_closed = is_closed && stands_for_itself(keywords) && self.has_properties(schema, &mut Vec::new());
        for (keyword, value) in keywords {
            let value = match keyword.as_str() {
                "nullable" | "example" | "discriminator" | "xml" | "externalDocs" => continue,
                keyword if keyword.starts_with("x-") => continue,
                "properties" => self.properties(value),
                "items" if !self.meets(|about| about.has_items) => json!(true),
                "additionalProperties" if value.is_object() && !self.meets(|about| !about.keys.is_empty()) => {
                    json!(true)
                }
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
        if is_closed {
            out.insert("unevaluatedProperties".to_owned(), false.into());
        }
        exclusive(&mut out, "exclusiveMinimum", "minimum");
        exclusive(&mut out, "exclusiveMaximum", "maximum");
        if keywords.get("nullable") == Some(&Value::Bool(true)) {
            return json!({"anyOf": [out, {"type": "null"}]});
        }
        out.into()
    }

    /// Whether the value that is to be validated has something that a schema may speak of. Any value might.
    fn meets(&self, has: impl Fn(&About<'_>) -> bool) -> bool {
        self.about.as_ref().is_none_or(has)
    }

    fn properties(&mut self, properties: &'a Value) -> Value {
        let properties = properties.as_object().into_iter().flatten();
        let properties =
            properties.map(|(name, schema)| match self.meets(|about| about.keys.contains(name.as_str())) {
                true => (name.clone(), self.schema(schema, Role::Whole)),
                false => (name.clone(), json!(true)),
            });
        properties.collect::<Map<_, _>>().into()
    }

    /// A definition for each schema and role that is needed. It is entered before it is written, so that a schema
    /// may refer to itself.
    fn reference(&mut self, reference: &str, schema: &'a Value, role: Role) -> Value {
        // Somebody who sets a limit does not want what is beyond it.
        if self.about.is_some() && self.definitions.len() > MOST_DEFINITIONS {
            return json!(true);
        }
        let name = reference.trim_start_matches("#/components/schemas/").replace(['/', '~', '#'], "_");
        let name = if self.extra == Extra::Forbidden && role == Role::Part { format!("{name}.part") } else { name };
        if !self.definitions.contains_key(&name) {
            self.definitions.insert(name.clone(), json!({}));
            self.pending.push((name.clone(), self.document.resolve(schema), role));
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
