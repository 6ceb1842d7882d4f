//! Writes schemas with their definitions.

use super::about::{About, Level};
use super::objects::{exclusive, has_properties, is_alternated, stands_for_itself};
use super::{Extra, MOST_DEFINITIONS, PLACE, Translated};
use countersign_contract_document::{Node, reference};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Keywords with the same meaning in documents and JSON Schema that contain no schemas.
const SHARED: [&str; 19] = [
    "dependentRequired",
    "maxContains",
    "minContains",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "type",
    "uniqueItems",
];

/// Keywords with a schema for values within the value.
const INNER: [&str; 4] = ["contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"];

/// Whether a schema describes a whole value or, as a part of `allOf` and the like, one aspect of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Whole,
    Part,
}

/// Writes a schema, and the definitions that it refers to.
pub(super) struct Writer<'a> {
    extra: Extra,
    /// The flag of properties that only exist in the other direction.
    one_way: &'static str,
    /// The values to be validated, if they are known.
    about: Option<About<'a>>,
    definitions: Map<String, Value>,
    /// Names of definitions by pointer of their source and role.
    names: BTreeMap<(String, Role), String>,
    /// The definition that applies to the same value as the schema being written; `None` below `properties` and `items`.
    same_value: Option<String>,
    /// For each definition, those that it applies to the same value.
    refers: BTreeMap<String, BTreeSet<String>>,
    /// Depth within the value to which the schema being written applies.
    depth: usize,
    /// Definitions to be written, by depth. A queue instead of recursion, because chains of references may be long.
    pending: BTreeMap<(usize, String), (Node<'a>, Role)>,
    /// Definitions that are written, or being written.
    written: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(extra: Extra, one_way: &'static str, about: Option<About<'a>>) -> Self {
        Self {
            extra,
            one_way,
            about,
            definitions: Map::new(),
            names: BTreeMap::new(),
            same_value: Some(String::new()),
            refers: BTreeMap::new(),
            depth: 0,
            pending: BTreeMap::new(),
            written: BTreeSet::new(),
        }
    }

    pub(super) fn complete(&mut self, parts: &[Node<'a>]) -> Translated {
        let role = if parts.len() > 1 { Role::Part } else { Role::Whole };
        let all: Vec<Value> = parts.iter().map(|part| self.schema(part, role)).collect();
        let is_closed = self.extra == Extra::Forbidden
            && role == Role::Part
            && parts.iter().any(|part| has_properties(part, &mut Vec::new()));
        while let Some(((depth, name), (target, role))) = self.pending.pop_first() {
            // A definition written for a lesser depth includes all that a greater depth needs.
            if !self.written.insert(name.clone()) {
                continue;
            }
            self.depth = depth;
            self.same_value = Some(name.clone());
            let written = self.schema(&target, role);
            self.definitions.insert(name, written);
        }
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": if all.is_empty() { vec![json!(true)] } else { all },
            "definitions": std::mem::take(&mut self.definitions),
        });
        if is_closed {
            schema["unevaluatedProperties"] = false.into();
        }
        Translated { is_endless: self.has_circle(), schema }
    }

    /// Number of definitions that references led to.
    pub(super) fn definitions(&self) -> usize {
        self.names.len()
    }

    fn schema(&mut self, schema: &Node<'a>, role: Role) -> Value {
        if reference::target(schema.value).is_some() {
            return self.reference(schema, role);
        }
        let Some(keywords) = schema.value.as_object() else {
            return json!(*schema.value != false);
        };
        let mut out = Map::new();
        let is_closed = self.extra == Extra::Forbidden && role == Role::Whole;
        let is_closed = is_closed && stands_for_itself(keywords) && has_properties(schema, &mut Vec::new());
        for (keyword, child) in schema.entries() {
            let value = match keyword {
                "required" => self.required(schema, &child),
                "properties" => self.properties(&child),
                "items" if !self.meets(|level| level.has_items) => json!(true),
                "items" => self.inside(|writer| writer.schema(&child, Role::Whole)),
                "additionalProperties" if child.value.is_object() && !self.meets(|level| !level.keys.is_empty()) => {
                    json!(true)
                }
                "additionalProperties" if child.value.is_object() => {
                    self.inside(|writer| writer.schema(&child, Role::Whole))
                }
                "additionalProperties" => child.value.clone(),
                keyword if INNER.contains(&keyword) && child.value.is_object() => {
                    self.inside(|writer| writer.schema(&child, Role::Whole))
                }
                "unevaluatedItems" | "unevaluatedProperties" => child.value.clone(),
                "prefixItems" => {
                    self.inside(|writer| child.items().map(|item| writer.schema(&item, Role::Whole)).collect())
                }
                "patternProperties" => self.inside(|writer| {
                    child
                        .entries()
                        .map(|(name, schema)| (name.to_owned(), writer.schema(&schema, Role::Whole)))
                        .collect()
                }),
                "dependentSchemas" => {
                    child.entries().map(|(name, schema)| (name.to_owned(), self.schema(&schema, Role::Part))).collect()
                }
                "not" | "if" | "then" | "else" => self.schema(&child, Role::Part),
                "allOf" | "anyOf" | "oneOf" => {
                    // Alternatives without siblings are wholes, so that an open one among them stays open.
                    let role = if keyword == "allOf" || is_alternated(keywords) { Role::Part } else { role };
                    child.items().map(|part| self.schema(&part, role)).collect()
                }
                keyword if SHARED.contains(&keyword) => child.value.clone(),
                _ => continue,
            };
            out.insert(keyword.to_owned(), value);
        }
        if is_closed {
            out.entry("unevaluatedProperties").or_insert_with(|| false.into());
        }
        exclusive(&mut out, "exclusiveMinimum", "minimum");
        exclusive(&mut out, "exclusiveMaximum", "maximum");
        out.insert(PLACE.to_owned(), schema.pointer.as_str().into());
        if keywords.get("nullable") == Some(&Value::Bool(true)) {
            return json!({"anyOf": [out, {"type": "null"}], PLACE: schema.pointer});
        }
        out.into()
    }

    /// Writes schemas of values within the current one.
    fn inside<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let outside = self.same_value.take();
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        self.same_value = outside;
        written
    }

    /// Whether a value to be validated, if they are known, has certain keys or lists at this depth or below.
    fn meets(&self, has: impl Fn(&Level<'_>) -> bool) -> bool {
        self.about.as_ref().is_none_or(|about| about.meets(self.depth, has))
    }

    fn properties(&mut self, properties: &Node<'a>) -> Value {
        let properties =
            properties.entries().map(|(name, schema)| match self.meets(|level| level.keys.contains(name)) {
                true => (name.to_owned(), self.inside(|writer| writer.schema(&schema, Role::Whole))),
                false => (name.to_owned(), json!(true)),
            });
        properties.collect()
    }

    /// Read-only properties are required in responses only, write-only ones in requests only (OpenAPI 3.0.3, Schema Object).
    fn required(&mut self, schema: &Node<'_>, required: &Node<'_>) -> Value {
        let Some(names) = required.value.as_array() else { return required.value.clone() };
        let is_one_way = |name: &Value| {
            let property = name.as_str().and_then(|name| schema.get("properties")?.follow(name));
            property.is_some_and(|property| property.is(self.one_way))
        };
        names.iter().filter(|name| !is_one_way(name)).cloned().collect()
    }

    /// Refers to the definition of a schema in a role. It is registered before it is written, so that schemas may be
    /// recursive.
    fn reference(&mut self, schema: &Node<'a>, role: Role) -> Value {
        // Beyond the limit the result is not used, so the rest need not be written.
        if self.about.is_some() && self.definitions.len() > MOST_DEFINITIONS {
            return json!(true);
        }
        let role = if self.extra == Extra::Forbidden { role } else { Role::Whole };
        let target = schema.clone().resolved();
        let key = (target.pointer.clone(), role);
        let known = self.names.get(&key).cloned();
        let name = known.unwrap_or_else(|| self.new_name(key));
        if let Some(same_value) = &self.same_value {
            self.refers.entry(same_value.clone()).or_default().insert(name.clone());
        }
        if !self.written.contains(&name) {
            self.pending.insert((self.depth, name.clone()), (target, role));
        }
        json!({"$ref": format!("#/definitions/{name}")})
    }

    /// A new name of a definition, which needs no escaping in a pointer.
    fn new_name(&mut self, key: (String, Role)) -> String {
        let word = key.0.trim_start_matches("/components/schemas/");
        let is_plain = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
        let mut name: String =
            word.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
        if key.1 == Role::Part {
            name.push_str(".part");
        }
        while self.definitions.contains_key(&name) {
            name.push('_');
        }
        self.definitions.insert(name.clone(), json!({}));
        self.names.insert(key, name.clone());
        name
    }

    /// Whether a definition applies itself to the same value, directly or through others.
    fn has_circle(&self) -> bool {
        self.refers.keys().any(|start| {
            let mut seen = BTreeSet::new();
            let mut ahead: Vec<&String> = self.refers[start].iter().collect();
            while let Some(name) = ahead.pop() {
                if name == start {
                    return true;
                }
                if seen.insert(name) {
                    ahead.extend(self.refers.get(name).into_iter().flatten());
                }
            }
            false
        })
    }
}
