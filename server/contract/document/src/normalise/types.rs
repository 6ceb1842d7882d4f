//! Schemas of several types.

use super::Walk;
use crate::grammar::{TYPES, TYPES_WITH_NULL};
use serde_json::{Map, Value, json};

/// Keywords that apply schemas to the same value.
const SAME_VALUE: [&str; 6] = ["allOf", "anyOf", "oneOf", "not", "if", "$ref"];

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

impl Walk {
    /// `not` with nothing but types, beside keywords that only apply to values of some types, is a list of the other types.
    pub(super) fn excluded_types(&mut self, schema: &mut Map<String, Value>) {
        let excluded = schema.get("not").and_then(Value::as_object).filter(|not| not.len() == 1);
        let excluded: Vec<&str> = match excluded.and_then(|not| not.get("type")) {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        let is_by_type = |keyword: &String| BY_TYPE.iter().any(|(_, keywords)| keywords.contains(&keyword.as_str()));
        let excludes_part_of_a_type = excluded.contains(&"integer") && !excluded.contains(&"number");
        if excludes_part_of_a_type
            || schema.contains_key("type")
            || !schema.keys().any(is_by_type)
            || self.is_target("not")
        {
            return;
        }
        let is_left = |name: &&&str| **name != "integer" && !excluded.contains(*name);
        let left: Vec<&str> = TYPES_WITH_NULL.iter().filter(is_left).copied().collect();
        if left.is_empty() {
            return;
        }
        let pairs: Vec<_> = (0..left.len()).map(|index| (format!("/type/{index}"), "/not/type".to_owned())).collect();
        schema.insert("type".to_owned(), left.into());
        schema.remove("not");
        self.moves(pairs);
    }

    pub(super) fn types(&mut self, schema: &mut Map<String, Value>) {
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
}

/// Whether a format is one of numbers.
fn is_numeric(format: &str) -> bool {
    ["int", "uint", "float", "double", "decimal"].iter().any(|start| format.starts_with(start))
}
