//! Reads the schemas of OpenAPI 3.1 and 3.2 (JSON Schema 2020-12) into the form that the rest of the crate works on.
//!
//! That form is the one of OpenAPI 3.0 with the keywords that only JSON Schema has. Documents of different versions thus
//! compare by meaning, and no other module asks for a version, except for the fields that the grammar allows.
//!
//! | JSON Schema 2020-12 | here |
//! |---|---|
//! | `type: [T, "null"]`; `anyOf` or `oneOf` with `type: "null"` | `nullable: true` |
//! | `type` with several names | an `anyOf` with one alternative per type, each with the keywords that apply to it |
//! | `const: v`, `type: "null"` | `enum: [v]`, `enum: [null]` |
//! | numeric `exclusiveMinimum`, `exclusiveMaximum` | `minimum`, `maximum` and the flag |
//! | `$ref` with siblings | the reference as the last part of `allOf` |
//! | `examples` with one value | `example` |
//! | `true`, `false` in place of a schema | `{}`, `{not: {}}` |
//!
//! Each rewriting keeps the set of valid values. Where a reference leads into a part that would move, the part is left as
//! it is. `nullable` and boolean exclusive limits have no meaning in JSON Schema: they are removed and listed for lint.

use crate::grammar::{Kind, Shape, TYPES, grammar};
use crate::moved::Moved;
use crate::pointer;
use crate::reference;
use crate::version::Version;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What reading the schemas of a document changed.
#[derive(Debug, Default)]
pub(crate) struct Normalised {
    pub(crate) moved: Moved,
    /// JSON pointers of keywords of OpenAPI 3.0 that have no meaning in this version and were removed.
    pub(crate) ignored: Vec<String>,
}

/// Rewrites the schemas of a document. Nothing changes in a document of OpenAPI 3.0.
pub(crate) fn normalise(document: &mut Value) -> Normalised {
    let Some(version) = Version::of(document).filter(|version| version.has_json_schema()) else {
        return Normalised::default();
    };
    if let Some(root) = document.as_object_mut() {
        root.entry("paths").or_insert_with(|| json!({}));
    }
    let mut targets = BTreeSet::new();
    collect_targets(document, &mut targets);
    let mut walk = Walk { version, targets, at: String::new(), out: Normalised::default() };
    walk.object(document, Kind::Document);
    walk.out
}

/// JSON pointers that references lead to.
fn collect_targets(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            out.extend(reference::target(value).and_then(|target| target.strip_prefix('#')).map(str::to_owned));
            entries.values().for_each(|value| collect_targets(value, out));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_targets(item, out)),
        _ => {}
    }
}

/// Keywords that apply schemas to the same value.
const SAME_VALUE: [&str; 6] = ["allOf", "anyOf", "oneOf", "not", "if", "$ref"];

/// Keywords that say nothing about the value.
const ANNOTATIONS: [&str; 15] = [
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "externalDocs",
    "readOnly",
    "writeOnly",
    "xml",
    "$comment",
    "$defs",
    "$id",
    "$anchor",
    "nullable",
];

/// Keywords that only apply to values of some types.
const BY_TYPE: [(&str, &[&str]); 5] = [
    ("string", &["pattern", "minLength", "maxLength", "contentEncoding", "contentMediaType", "contentSchema"]),
    ("integer", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    (
        "array",
        &[
            "items",
            "prefixItems",
            "contains",
            "minContains",
            "maxContains",
            "minItems",
            "maxItems",
            "uniqueItems",
            "unevaluatedItems",
        ],
    ),
    (
        "object",
        &[
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "dependentRequired",
            "dependentSchemas",
            "unevaluatedProperties",
            "discriminator",
        ],
    ),
];

struct Walk {
    version: Version,
    targets: BTreeSet<String>,
    /// JSON pointer of the value being read.
    at: String,
    out: Normalised,
}

impl Walk {
    fn below<T>(&mut self, token: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(&pointer::escape(token));
        let result = work(self);
        self.at.truncate(length);
        result
    }

    fn object(&mut self, value: &mut Value, kind: Kind) {
        if kind == Kind::Schema {
            self.schema(value);
        }
        let grammar = grammar(kind);
        if !value.is_object() || grammar.is_referable(self.version) && reference::target(value).is_some() {
            return;
        }
        for field in grammar.fields(self.version) {
            if let Some(inner) = value.get_mut(field.name) {
                self.below(field.name, |walk| walk.shape(inner, field.shape));
            }
        }
        let Some(shape) = grammar.others else { return };
        for (name, inner) in value.as_object_mut().into_iter().flatten() {
            if grammar.field(name, self.version).is_none() && !name.starts_with("x-") {
                self.below(name, |walk| walk.shape(inner, shape));
            }
        }
    }

    fn shape(&mut self, value: &mut Value, shape: Shape) {
        match (shape, value) {
            (Shape::FlagOrSchema, Value::Bool(_)) => {}
            (Shape::One(kind), value) => self.object(value, kind),
            (Shape::FlagOrSchema, value) => self.object(value, Kind::Schema),
            (Shape::List(kind), Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.below(&index.to_string(), |walk| walk.object(item, kind));
                }
            }
            (Shape::Map(kind), Value::Object(entries)) => {
                for (name, entry) in entries {
                    self.below(name, |walk| walk.object(entry, kind));
                }
            }
            _ => {}
        }
    }

    fn schema(&mut self, value: &mut Value) {
        match value {
            Value::Bool(true) => *value = json!({}),
            Value::Bool(false) => *value = json!({"not": {}}),
            Value::Object(schema) => {
                self.remove_keywords_of_3_0(schema);
                self.null_alternative(schema);
                self.constant(schema);
                self.types(schema);
                self.limit(schema, "minimum", "exclusiveMinimum", |exclusive, limit| exclusive >= limit);
                self.limit(schema, "maximum", "exclusiveMaximum", |exclusive, limit| exclusive <= limit);
                self.only_example(schema);
                self.siblings_of_reference(schema);
            }
            _ => {}
        }
    }

    /// Whether a reference leads to a keyword of the current schema or below it.
    fn is_target(&self, keyword: &str) -> bool {
        let place = format!("{}/{}", self.at, pointer::escape(keyword));
        let mut near = self.targets.range(place.clone()..);
        near.next().is_some_and(|target| *target == place || target.starts_with(&format!("{place}/")))
    }

    /// Records moves within the current schema, as relative pointers after and before.
    fn moves(&mut self, pairs: impl IntoIterator<Item = (String, String)>) {
        let at = &self.at;
        let pairs = pairs.into_iter().map(|(now, before)| (format!("{at}{now}"), format!("{at}{before}"))).collect();
        self.out.moved.record(pairs);
    }

    /// Adds a part to `allOf`. Returns its relative pointer.
    fn add_part(schema: &mut Map<String, Value>, part: Value) -> Option<String> {
        let parts = schema.entry("allOf").or_insert_with(|| json!([])).as_array_mut()?;
        parts.push(part);
        Some(format!("/allOf/{}", parts.len() - 1))
    }

    fn remove_keywords_of_3_0(&mut self, schema: &mut Map<String, Value>) {
        let flags = ["exclusiveMinimum", "exclusiveMaximum"];
        let flags = flags.into_iter().filter(|flag| schema.get(*flag).is_some_and(Value::is_boolean));
        for keyword in flags.chain(schema.contains_key("nullable").then_some("nullable")).collect::<Vec<_>>() {
            schema.remove(keyword);
            self.out.ignored.push(format!("{}/{keyword}", self.at));
        }
    }

    /// `anyOf: [S, {type: null}]` is S with `nullable`, and of several alternatives, that of null is one flag.
    fn null_alternative(&mut self, schema: &mut Map<String, Value>) {
        let is_alone = |keyword: &str, kind: &str| {
            keyword == kind || ANNOTATIONS.contains(&keyword) || keyword == "discriminator" || keyword.starts_with("x-")
        };
        for kind in ["anyOf", "oneOf"] {
            let Some(list) = schema.get(kind).and_then(Value::as_array) else { continue };
            let nulls = list.iter().filter(|one| is_null(one)).count();
            let may_be_null_twice = kind == "oneOf" && list.iter().any(|one| !is_null(one) && takes_null(one));
            if nulls != 1
                || list.len() < 2
                || may_be_null_twice
                || !schema.keys().all(|keyword| is_alone(keyword, kind))
                || self.is_target(kind)
            {
                continue;
            }
            let kept: Vec<(usize, Value)> = list.iter().cloned().enumerate().filter(|(_, one)| !is_null(one)).collect();
            schema.insert("nullable".to_owned(), true.into());
            schema.remove(kind);
            match <[_; 1]>::try_from(kept) {
                Ok([(index, only)]) => self.inline(schema, kind, index, only),
                Err(kept) => {
                    self.moves(
                        kept.iter()
                            .enumerate()
                            .map(|(now, (before, _))| (format!("/{kind}/{now}"), format!("/{kind}/{before}"))),
                    );
                    schema.insert(kind.to_owned(), kept.into_iter().map(|(_, one)| one).collect());
                }
            }
            return;
        }
    }

    /// Merges the only alternative besides null into the schema, unless both have the same keyword.
    fn inline(&mut self, schema: &mut Map<String, Value>, kind: &str, index: usize, only: Value) {
        let from = format!("/{kind}/{index}");
        match only {
            Value::Object(keywords)
                if !keywords.contains_key("$ref") && !keywords.keys().any(|keyword| schema.contains_key(keyword)) =>
            {
                self.moves(keywords.keys().map(|keyword| {
                    let keyword = pointer::escape(keyword);
                    (format!("/{keyword}"), format!("{from}/{keyword}"))
                }));
                schema.extend(keywords);
            }
            other => {
                self.moves([("/allOf/0".to_owned(), from)]);
                schema.insert("allOf".to_owned(), vec![other].into());
            }
        }
    }

    fn constant(&mut self, schema: &mut Map<String, Value>) {
        let Some(value) = schema.remove("const") else { return };
        if schema.contains_key("enum") {
            if let Some(part) = Self::add_part(schema, json!({"enum": [value]})) {
                self.moves([(part.clone(), "/const".to_owned()), (format!("{part}/enum/0"), "/const".to_owned())]);
            }
        } else {
            schema.insert("enum".to_owned(), vec![value].into());
            self.moves(["/enum", "/enum/0"].map(|now| (now.to_owned(), "/const".to_owned())));
        }
    }

    fn types(&mut self, schema: &mut Map<String, Value>) {
        let names: Vec<String> = match schema.get("type") {
            Some(Value::String(name)) if name == "null" => vec![name.clone()],
            Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => return,
        };
        let has = |name: &str| names.iter().any(|one| one == name);
        let mut others: Vec<(usize, &String)> = names.iter().enumerate().filter(|(_, one)| *one != "null").collect();
        others.retain(|(index, one)| {
            !(*one == "integer" && has("number")) && names.iter().position(|known| known == *one) == Some(*index)
        });
        let same_value = SAME_VALUE.iter().any(|keyword| schema.contains_key(*keyword));
        match others.as_slice() {
            [] => {
                schema.insert("type".to_owned(), "null".into());
                if !schema.contains_key("enum") {
                    schema.remove("type");
                    schema.insert("enum".to_owned(), json!([null]));
                    self.moves(["/enum", "/enum/0"].map(|now| (now.to_owned(), "/type".to_owned())));
                }
            }
            [(_, name)] if !has("null") => {
                schema.insert("type".to_owned(), (*name).clone().into());
            }
            [(_, name)] if !same_value => {
                let lists_null =
                    schema.get("enum").and_then(Value::as_array).is_none_or(|list| list.contains(&Value::Null));
                if lists_null {
                    schema.insert("nullable".to_owned(), true.into());
                }
                schema.insert("type".to_owned(), (*name).clone().into());
            }
            [(_, name)] => {
                schema.insert("type".to_owned(), json!([name, "null"]));
            }
            _ if TYPES.iter().all(|name| has(name) || *name == "integer") => {
                schema.remove("type");
                if !has("null") {
                    let not_null = json!({"not": {"type": "null"}});
                    Self::add_part(schema, not_null);
                }
            }
            _ => self.distribute(schema, &others, has("null"), same_value),
        }
    }

    /// Writes several types as alternatives.
    fn distribute(
        &mut self,
        schema: &mut Map<String, Value>,
        types: &[(usize, &String)],
        with_null: bool,
        same_value: bool,
    ) {
        let moving = BY_TYPE.iter().filter(|(name, _)| types.iter().any(|(_, one)| one == name));
        let moving: Vec<&str> = moving.flat_map(|(_, keywords)| *keywords).copied().collect();
        if schema.keys().any(|keyword| moving.contains(&keyword.as_str()) && self.is_target(keyword)) {
            return;
        }
        let group = if schema.contains_key("anyOf") { None } else { Some("/anyOf".to_owned()) };
        let group_at = group.unwrap_or_else(|| {
            let next = schema.get("allOf").and_then(Value::as_array).map_or(0, Vec::len);
            format!("/allOf/{next}/anyOf")
        });
        let (mut list, mut pairs) = (Vec::new(), Vec::new());
        for (index, name) in types {
            let mut one = Map::new();
            one.insert("type".to_owned(), (*name).clone().into());
            let place = format!("{group_at}/{}", list.len());
            pairs.push((place.clone(), format!("/type/{index}")));
            let keywords = BY_TYPE.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, keywords)| keywords);
            let numeric = ["integer", "number"].contains(&name.as_str());
            let format = schema.get("format").and_then(Value::as_str);
            let takes_format = format.is_some_and(|format| is_numeric(format) == numeric);
            let own = keywords.iter().copied().filter(|keyword| schema.contains_key(*keyword));
            for keyword in own.chain(takes_format.then_some("format")) {
                one.insert(keyword.to_owned(), schema[keyword].clone());
                pairs.push((format!("{place}/{keyword}"), format!("/{keyword}")));
            }
            list.push(Value::from(one));
        }
        for keyword in moving {
            schema.remove(keyword);
        }
        schema.remove("format");
        schema.remove("type");
        let lists_null = schema.get("enum").and_then(Value::as_array).is_none_or(|list| list.contains(&Value::Null));
        if with_null && !same_value && lists_null {
            schema.insert("nullable".to_owned(), true.into());
        } else if with_null && lists_null {
            list.push(json!({"type": "null"}));
        }
        match group_at.as_str() {
            "/anyOf" => drop(schema.insert("anyOf".to_owned(), list.into())),
            _ => drop(Self::add_part(schema, json!({"anyOf": list}))),
        }
        self.moves(pairs);
    }

    /// A numeric exclusive limit becomes the limit, if it is the tighter one.
    fn limit(
        &mut self,
        schema: &mut Map<String, Value>,
        limit: &str,
        exclusive: &str,
        is_tighter: impl Fn(f64, f64) -> bool,
    ) {
        let Some(value) = schema.get(exclusive).filter(|value| value.is_number()).cloned() else { return };
        let known = schema.get(limit).and_then(Value::as_f64);
        if known.is_none_or(|known| value.as_f64().is_some_and(|value| is_tighter(value, known))) {
            schema.insert(limit.to_owned(), value);
            schema.insert(exclusive.to_owned(), true.into());
            self.moves([(format!("/{limit}"), format!("/{exclusive}"))]);
        } else {
            schema.remove(exclusive);
        }
    }

    fn only_example(&mut self, schema: &mut Map<String, Value>) {
        let Some([only]) = schema.get("examples").and_then(Value::as_array).map(Vec::as_slice) else { return };
        if !schema.contains_key("example") {
            let only = only.clone();
            schema.remove("examples");
            schema.insert("example".to_owned(), only);
            self.moves([("/example".to_owned(), "/examples/0".to_owned())]);
        }
    }

    fn siblings_of_reference(&mut self, schema: &mut Map<String, Value>) {
        if schema.len() > 1
            && schema.get("$ref").is_some_and(Value::is_string)
            && let Some(reference) = schema.remove("$ref")
            && let Some(part) = Self::add_part(schema, json!({"$ref": reference}))
        {
            self.moves([(part, String::new())]);
        }
    }
}

/// Whether a format is one of numbers.
fn is_numeric(format: &str) -> bool {
    ["int", "uint", "float", "double", "decimal"].iter().any(|start| format.starts_with(start))
}

/// Whether a schema accepts null and nothing else, and says no more.
fn is_null(schema: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return false };
    let says_null = |(keyword, value): (&String, &Value)| match keyword.as_str() {
        "type" => *value == "null" || *value == json!(["null"]),
        "const" => value.is_null(),
        "enum" => *value == json!([null]),
        _ => false,
    };
    keywords.iter().any(says_null)
        && keywords.iter().all(|entry| says_null(entry) || ANNOTATIONS.contains(&entry.0.as_str()))
}

/// Whether a schema, as written, names null among its types.
fn takes_null(schema: &Value) -> bool {
    let names = &schema["type"];
    names.as_array().is_some_and(|names| names.iter().any(|name| name == "null"))
        || schema.as_object().is_some_and(|keywords| {
            !["type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf", "not"]
                .iter()
                .any(|key| keywords.contains_key(*key))
        })
}
