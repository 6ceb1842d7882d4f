//! OpenAPI 3.0 schemas as JSON Schema draft 2019-09, which a validator understands.
//!
//! `$ref`s become definitions, `nullable` becomes an alternative, boolean exclusive bounds become numbers. To forbid
//! properties that nobody documents, each place that holds an object gets `unevaluatedProperties: false`. The parts of
//! an `allOf` do not get it: they describe the same object together.

use crate::document::Document;
use crate::reference;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};

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
    Writer::new(document, extra, None).complete(schema)
}

/// As much of a schema as this value can meet: the same for the value, and much smaller where schemas lead to each other.
/// Nothing if even that needs more than [`MOST_DEFINITIONS`].
pub(crate) fn json_schema_for(document: &Document, schema: &Value, value: &Value) -> Option<Value> {
    let mut writer = Writer::new(document, Extra::Allowed, Some(About::new(value)));
    let complete = writer.complete(schema);
    (writer.definitions.len() <= MOST_DEFINITIONS).then_some(complete)
}

/// A chain of definitions costs a validator as much stack as it is long.
const MOST_DEFINITIONS: usize = 200;

/// What there is in a value, from each depth on: a schema of a property that no object there has says nothing about it,
/// and so on.
#[derive(Default)]
struct About<'v> {
    levels: Vec<Level<'v>>,
}

#[derive(Default, Clone)]
struct Level<'v> {
    keys: HashSet<&'v str>,
    has_items: bool,
}

impl<'v> About<'v> {
    fn new(value: &'v Value) -> Self {
        let mut about = Self::default();
        about.collect(value, 0);
        // A schema that holds for an object may hold for those inside of it, too.
        for depth in (1..about.levels.len()).rev() {
            let below = about.levels[depth].clone();
            about.levels[depth - 1].keys.extend(below.keys);
            about.levels[depth - 1].has_items |= below.has_items;
        }
        about
    }

    fn collect(&mut self, value: &'v Value, depth: usize) {
        if self.levels.len() == depth {
            self.levels.push(Level::default());
        }
        match value {
            Value::Array(items) => {
                self.levels[depth].has_items |= !items.is_empty();
                items.iter().for_each(|item| self.collect(item, depth + 1));
            }
            Value::Object(entries) => {
                self.levels[depth].keys.extend(entries.keys().map(String::as_str));
                entries.values().for_each(|value| self.collect(value, depth + 1));
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
    /// How deep in the value that is which the schema speaks of that is being written.
    depth: usize,
    definitions: Map<String, Value>,
    /// Definitions that are named and not yet written, by the depth at which they are first met. Schemas may refer to each
    /// other in a chain of any length, which is therefore not followed by recursion.
    pending: BTreeMap<(usize, String), (&'a Value, Role)>,
}

impl<'a> Writer<'a> {
    fn new(document: &'a Document, extra: Extra, about: Option<About<'a>>) -> Self {
        Self { document, extra, about, depth: 0, definitions: Map::new(), pending: BTreeMap::new() }
    }

    fn complete(&mut self, schema: &'a Value) -> Value {
        let root = self.schema(schema, Role::Whole);
        while let Some(((depth, name), (target, role))) = self.pending.pop_first() {
            // A definition that was met again, deeper, has been written for the lesser depth, which says more.
            if self.definitions.get(&name).is_some_and(|written| !written.is_null()) {
                continue;
            }
            self.depth = depth;
            // It may be met again while it is written.
            self.definitions.insert(name.clone(), json!({}));
            let target = self.schema(target, role);
            self.definitions.insert(name, target);
        }
        json!({
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "allOf": [root],
            "definitions": self.definitions,
        })
    }

    /// A schema of what is inside of the value.
    fn inner(&mut self, schema: &'a Value) -> Value {
        self.depth += 1;
        let schema = self.schema(schema, Role::Whole);
        self.depth -= 1;
        schema
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
                "items" if !self.meets(|level| level.has_items) => json!(true),
                "additionalProperties" if value.is_object() && !self.meets(|level| !level.keys.is_empty()) => {
                    json!(true)
                }
                "items" => self.inner(value),
                "additionalProperties" if value.is_object() => self.inner(value),
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

    /// Whether the value that is to be validated has something, at this depth or below, that a schema may speak of. Any
    /// value might.
    fn meets(&self, has: impl Fn(&Level<'_>) -> bool) -> bool {
        self.about.as_ref().is_none_or(|about| about.levels.get(self.depth).is_some_and(has))
    }

    fn properties(&mut self, properties: &'a Value) -> Value {
        let properties = properties.as_object().into_iter().flatten();
        let properties =
            properties.map(|(name, schema)| match self.meets(|level| level.keys.contains(name.as_str())) {
                true => (name.clone(), self.inner(schema)),
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
        if self.definitions.get(&name).is_none_or(Value::is_null) {
            self.definitions.insert(name.clone(), Value::Null);
            self.pending.insert((self.depth, name.clone()), (self.document.resolve(schema), role));
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
