//! Rewrites a document as OpenAPI 3.0, and lists what that version cannot say.
//!
//! Loading has read all schemas into the form of OpenAPI 3.0 with further keywords (`normalise`). What is left to do
//! is to move definitions within schemas to `components`, and to remove the fields that OpenAPI 3.0 does not have. Values that were
//! invalid may be valid afterwards, but not the reverse, except where an item of the list says more.

mod logic;

use crate::document::Document;
use crate::edit::Edit;
use crate::grammar::{Kind, grammar};
use crate::pointer;
use crate::position::SourceSpan;
use crate::reference;
use crate::version::Version;
use serde_json::Value;
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
    walk.walk(&mut value, Kind::Document);
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

impl Edit for Walk {
    fn version(&self) -> Version {
        Version::V3_0
    }

    fn at(&mut self) -> &mut String {
        &mut self.at
    }

    fn change(&mut self, value: &mut Value, kind: Kind) {
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
    }
}

impl Walk {
    fn lose(&mut self, keyword: &str) {
        self.lost.push(format!("{}/{}", self.at, pointer::escape(keyword)));
    }
}
