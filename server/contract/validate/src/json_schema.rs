//! Translates schemas into JSON Schema 2020-12 for a validator.
//!
//! `$ref`s become definitions, `nullable` becomes an alternative, boolean exclusive bounds become numbers, write-only
//! properties are not required in responses and read-only ones not in requests, and unknown keywords are removed. To forbid undocumented
//! properties, each object schema gets `unevaluatedProperties: false`, except the parts of an `allOf`, because these
//! describe the same object together.
//!
//! Each schema contains the JSON pointer of its source ([`PLACE`]), so that an error can be traced back.

use countersign_contract_document::{Node, reference};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The keyword for the JSON pointer of a schema in its OpenAPI document. Validators ignore it.
pub const PLACE: &str = "x-place";

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

/// Whether undocumented properties are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// They are valid.
    Allowed,
    /// They are not valid.
    Forbidden,
}

/// Whether a schema describes a whole value or, as a part of `allOf` and the like, one aspect of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Whole,
    Part,
}

/// Keywords with a schema for values within the value.
const INNER: [&str; 4] = ["contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"];

/// Most definitions of a schema for an example; the validator recurses through chains of definitions.
const MOST_DEFINITIONS: usize = 200;

/// The keys and lists in some values at each depth or below. Schemas for other properties or items have no effect on the
/// value and can be left out.
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
    fn new(values: &'v [Value]) -> Self {
        let mut about = Self::default();
        values.iter().for_each(|value| about.collect(value, 0));
        // A schema that applies to an object may also apply to the objects within it.
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

/// The flag of properties that requests do not have.
pub const REQUESTS: &str = "readOnly";
/// The flag of properties that responses do not have.
const RESPONSES: &str = "writeOnly";

/// A schema translated into JSON Schema.
pub struct Translated {
    /// The schema with its definitions.
    pub schema: Value,
    /// Whether it refers to itself for the same value, so that validation would not terminate.
    pub is_endless: bool,
}

/// Translates a schema of a document, with its definitions.
pub fn json_schema(schema: &Node<'_>, extra: Extra) -> Translated {
    Writer::new(extra, RESPONSES, None).complete(std::slice::from_ref(schema))
}

/// As [`json_schema`], for values in requests.
pub fn json_schema_of_request(schema: &Node<'_>, extra: Extra) -> Translated {
    Writer::new(extra, REQUESTS, None).complete(std::slice::from_ref(schema))
}

/// Translates the part of a schema that applies to a value, which is much smaller if many schemas refer to each other.
/// `None` if it has more than `MOST_DEFINITIONS` definitions.
pub fn json_schema_for(schema: &Node<'_>, value: &Value) -> Option<Translated> {
    json_schema_of_parts(std::slice::from_ref(schema), std::slice::from_ref(value), Extra::Allowed, RESPONSES)
}

/// Translates schemas that all describe the same value, as far as they apply to some values. Properties with the flag
/// `one_way` (`readOnly` in requests, `writeOnly` in responses) are not required. `None` for more than `MOST_DEFINITIONS`
/// definitions.
pub fn json_schema_of_parts(
    parts: &[Node<'_>],
    values: &[Value],
    extra: Extra,
    one_way: &'static str,
) -> Option<Translated> {
    let mut writer = Writer::new(extra, one_way, Some(About::new(values)));
    let complete = writer.complete(parts);
    (writer.names.len() <= MOST_DEFINITIONS).then_some(complete)
}

struct Writer<'a> {
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
    fn new(extra: Extra, one_way: &'static str, about: Option<About<'a>>) -> Self {
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

    fn complete(&mut self, parts: &[Node<'a>]) -> Translated {
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
        self.about.as_ref().is_none_or(|about| about.levels.get(self.depth).is_some_and(has))
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

/// Whether a schema or a part of it has properties.
fn has_properties(schema: &Node<'_>, seen: &mut Vec<String>) -> bool {
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
fn stands_for_itself(keywords: &Map<String, Value>) -> bool {
    keywords.contains_key("properties") || keywords.contains_key("allOf") || is_alternated(keywords)
}

/// Whether `anyOf` or `oneOf` has siblings that describe the same object.
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
