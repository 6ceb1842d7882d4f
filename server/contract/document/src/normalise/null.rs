//! Null as an alternative of other schemas.

use super::Walk;
use crate::pointer;
use serde_json::{Map, Value, json};

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

impl Walk {
    /// `anyOf: [S, {type: null}]` is S with `nullable`, and of several alternatives, that of null is one flag.
    pub(super) fn null_alternative(&mut self, schema: &mut Map<String, Value>) {
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
