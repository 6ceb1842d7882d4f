//! Rewrites a document as OpenAPI 3.0, and lists what that version cannot say.
//!
//! Loading has read all schemas into the form of OpenAPI 3.0 with further keywords (`normalise`). What is left to do
//! is to move definitions within schemas to `components`, and to remove the fields that OpenAPI 3.0 does not have. Values that were
//! invalid may be valid afterwards, but not the reverse, except where an item of the list says more.

use crate::document::Document;
use crate::grammar::{Kind, Shape, grammar};
use crate::pointer;
use crate::position::SourceSpan;
use crate::reference;
use crate::version::Version;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The last version of OpenAPI 3.0.
const VERSION: &str = "3.0.4";

/// A document as OpenAPI 3.0.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The document.
    pub value: Value,
    /// What was left out, in the order of the text.
    pub lost: Vec<Lost>,
}

/// A field that was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// Position in the text.
    pub span: SourceSpan,
    /// JSON pointer in the file that it comes from.
    pub pointer: String,
}

/// Rewrites a document of any version as OpenAPI 3.0.
#[must_use]
pub fn to_3_0(document: &Document) -> Converted {
    let mut value = document.value().clone();
    value["openapi"] = VERSION.into();
    move_definitions(&mut value);
    let mut walk = Walk { at: String::new(), lost: Vec::new() };
    walk.object(&mut value, Kind::Document);
    let of = |pointer: &String| Lost { span: document.span(pointer), pointer: document.pointer_in_file(pointer) };
    let mut lost: Vec<Lost> = walk.lost.iter().map(of).collect();
    lost.sort();
    lost.dedup();
    Converted { value, lost }
}

/// Moves schemas that references find below other schemas' `$defs` and the like to `components`.
fn move_definitions(document: &mut Value) {
    let mut targets = BTreeMap::new();
    collect_definitions(document, &mut targets);
    let definitions: Vec<(String, Value)> = targets
        .into_keys()
        .filter_map(|target: String| Some((target.clone(), document.pointer(&target)?.clone())))
        .collect();
    let mut names = BTreeMap::new();
    let components = &document["components"];
    let has_place = |value: &Value| value.is_null() || value.is_object();
    if !has_place(components) || !has_place(&components["schemas"]) {
        return;
    }
    for (target, schema) in definitions {
        let wanted = pointer::last_token(&target);
        let schemas = &document["components"]["schemas"];
        let is_free = |name: &String| schemas.get(name).is_none();
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let Some(name) = std::iter::once(wanted.clone()).chain(numbered).find(is_free) else { continue };
        document["components"]["schemas"][&name] = schema;
        names.insert(format!("#{target}"), format!("#/components/schemas/{}", pointer::escape(&name)));
    }
    redirect(document, &names);
}

/// Whether a JSON pointer leads to a definition within a schema.
fn is_definition(target: &str) -> bool {
    target.rsplit('/').nth(1).is_some_and(|holder| ["$defs", "definitions"].contains(&holder))
}

fn collect_definitions(value: &Value, out: &mut BTreeMap<String, ()>) {
    match value {
        Value::Object(entries) => {
            if let Some(target) = reference::target(value).and_then(|target| target.strip_prefix('#'))
                && is_definition(target)
            {
                out.insert(target.to_owned(), ());
            }
            entries.values().for_each(|value| collect_definitions(value, out));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_definitions(item, out)),
        _ => {}
    }
}

fn redirect(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => {
            if let Some(Value::String(target)) = entries.get_mut("$ref")
                && let Some(name) = names.get(target)
            {
                target.clone_from(name);
            }
            entries.values_mut().for_each(|value| redirect(value, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, names)),
        _ => {}
    }
}

struct Walk {
    at: String,
    lost: Vec<String>,
}

impl Walk {
    fn below(&mut self, token: &str, work: impl FnOnce(&mut Self)) {
        let length = self.at.len();
        self.at.push('/');
        self.at.push_str(&pointer::escape(token));
        work(self);
        self.at.truncate(length);
    }

    fn lose(&mut self, keyword: &str) {
        self.lost.push(format!("{}/{}", self.at, pointer::escape(keyword)));
    }

    fn object(&mut self, value: &mut Value, kind: Kind) {
        let grammar = grammar(kind);
        if grammar.is_referable(Version::V3_0) && reference::target(value).is_some() {
            return;
        }
        let Some(fields) = value.as_object_mut() else { return };
        match kind {
            Kind::Schema => self.schema(fields),
            Kind::SecurityScheme if fields.get("type").is_some_and(|name| name == "mutualTLS") => self.lose("type"),
            Kind::Parameter if fields.get("in").is_some_and(|place| place == "querystring") => self.lose("in"),
            _ => {}
        }
        let is_known = |name: &str| name.starts_with("x-") || grammar.field(name, Version::V3_0).is_some();
        let removed: Vec<String> =
            fields.keys().filter(|name| grammar.others.is_none() && !is_known(name)).cloned().collect();
        for name in removed {
            fields.remove(&name);
            // Definitions that are used have moved; identifiers and comments say nothing about values.
            if !["$defs", "definitions", "$id", "$anchor", "$dynamicAnchor", "$schema", "$comment"]
                .contains(&name.as_str())
            {
                self.lose(&name);
            }
        }
        for (name, inner) in fields.iter_mut().filter(|(name, _)| !name.starts_with("x-")) {
            let shape = grammar.field(name, Version::V3_0).map(|field| field.shape).or(grammar.others);
            if let Some(shape) = shape {
                self.below(name, |walk| walk.shape(inner, shape));
            }
        }
    }

    fn shape(&mut self, value: &mut Value, shape: Shape) {
        match (shape, value) {
            (Shape::One(kind), value) => self.object(value, kind),
            (Shape::FlagOrSchema, value @ Value::Object(_)) => self.object(value, Kind::Schema),
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

    /// Says in the words of OpenAPI 3.0 what it can say.
    fn schema(&mut self, schema: &mut Map<String, Value>) {
        if let Some(Value::Array(names)) = schema.get("type") {
            let others: Vec<Value> = names.iter().filter(|name| *name != "null").cloned().collect();
            match <[Value; 1]>::try_from(others) {
                Ok([only]) => {
                    schema.insert("type".to_owned(), only);
                    schema.insert("nullable".to_owned(), true.into());
                }
                Err(_) => {
                    schema.remove("type");
                    self.lose("type");
                }
            }
        }
        if let Some(Value::Array(examples)) = schema.remove("examples") {
            if examples.len() > 1 {
                self.lose("examples");
            }
            if let Some(first) = examples.into_iter().next() {
                schema.entry("example").or_insert(first);
            }
        }
        let says = |key: &str, word: &str, schema: &Map<String, Value>| {
            schema.get(key).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(word))
        };
        for (key, word, format) in
            [("contentEncoding", "base64", "byte"), ("contentMediaType", "application/octet-stream", "binary")]
        {
            if says(key, word, schema) && !schema.contains_key("format") {
                schema.remove(key);
                schema.insert("format".to_owned(), format.into());
            }
        }
        if schema.get("unevaluatedProperties") == Some(&Value::Bool(false))
            && !["allOf", "anyOf", "oneOf", "if", "dependentSchemas", "additionalProperties", "patternProperties"]
                .iter()
                .any(|key| schema.contains_key(*key))
        {
            schema.remove("unevaluatedProperties");
            schema.insert("additionalProperties".to_owned(), false.into());
        }
        if schema.get("type").is_some_and(|name| name == "array") {
            if schema.contains_key("prefixItems") {
                // The items of the prefix would be held against the schema of the others.
                if schema.remove("items").is_some() {
                    self.lose("items");
                }
            }
            schema.entry("items").or_insert_with(|| json!({}));
        }
        if schema.contains_key("patternProperties") && schema.remove("additionalProperties").is_some() {
            self.lose("additionalProperties");
        }
    }
}
