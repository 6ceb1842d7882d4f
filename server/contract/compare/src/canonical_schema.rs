//! A canonical form of schemas: equivalent schemas have equal forms.
//!
//! * `$ref`s are inlined. A cycle becomes `{"$cycle": n}`: the schema `n` levels above.
//! * Annotations are removed: title, description, example, default, deprecated, externalDocs, `x-*`. So are keywords with
//!   their default value: `nullable: false`, `additionalProperties: true`, `uniqueItems: false` and the like.
//! * `required` and `enum` are sets. `3.0` is `3`.
//! * `oneOf` is `anyOf`, whose order does not matter; `allOf`, `anyOf` and `oneOf` of one are that one.
//! * `anyOf` of string enums is one enum, because schemars generates the former if variants have doc comments.
//! * `allOf` of plain objects is one object, because schemars generates the former for a flattened struct.
//! * The schema of null alone is `{"enum": [null]}`, because dropshot gives it the type string.
//!
//! All other keywords are kept, including unknown ones.

use countersign_contract_document::{Document, plain_number, reference};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The canonical form of a schema of the document.
#[must_use]
pub fn canonical_schema(document: &Document, schema: &Value) -> Value {
    Walk { document, inlining: Vec::new(), depth: 0 }.schema(schema)
}

struct Walk<'a> {
    document: &'a Document,
    /// References being inlined, each with its depth.
    inlining: Vec<(String, usize)>,
    /// Levels of properties, items and alternatives above. References do not count, so that it does not matter
    /// which schemas have names.
    depth: usize,
}

impl Walk<'_> {
    fn schema(&mut self, schema: &Value) -> Value {
        if let Some(reference) = reference::target(schema) {
            if let Some((_, depth)) = self.inlining.iter().find(|(open, _)| open == reference) {
                return json!({"$cycle": self.depth - depth});
            }
            self.inlining.push((reference.to_owned(), self.depth));
            // One step at a time, so that each reference of a chain is recorded.
            let step = reference.strip_prefix('#').and_then(|pointer| self.document.value().pointer(pointer));
            let inlined = self.schema(step.unwrap_or(&Value::Null));
            self.inlining.pop();
            return inlined;
        }
        match schema {
            Value::Object(keywords) => self.keywords(keywords).into(),
            Value::Bool(false) => json!({"not": {}}),
            // Any other value stands for a missing schema, which allows everything.
            _ => json!({}),
        }
    }

    fn below(&mut self, schema: &Value) -> Value {
        self.depth += 1;
        let schema = self.schema(schema);
        self.depth -= 1;
        schema
    }

    fn keywords(&mut self, keywords: &Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (keyword, value) in keywords.iter().filter(|(keyword, value)| !says_nothing(keyword, value)) {
            let value = match keyword.as_str() {
                "required" | "enum" => sorted(value),
                "properties" => self.properties(value),
                "items" | "not" | "contains" | "propertyNames" | "if" | "then" | "else" | "contentSchema" => {
                    self.below(value)
                }
                "patternProperties" | "dependentSchemas" => self.properties(value),
                "prefixItems" => value.as_array().into_iter().flatten().map(|item| self.below(item)).collect(),
                "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" if value.is_object() => {
                    self.below(value)
                }
                "allOf" | "anyOf" | "oneOf" => continue,
                _ => plain_number(value),
            };
            out.insert(keyword.clone(), value);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            if let Some(list) = keywords.get(keyword).and_then(Value::as_array) {
                self.alternatives(keyword, list, &mut out);
            }
        }
        if out.get("enum") == Some(&json!([null])) {
            return json_object(json!({"enum": [null]}));
        }
        out
    }

    fn properties(&mut self, value: &Value) -> Value {
        let properties = value.as_object().into_iter().flatten();
        properties.map(|(name, schema)| (name.clone(), self.below(schema))).collect::<Map<_, _>>().into()
    }

    fn alternatives(&mut self, keyword: &str, list: &[Value], out: &mut Map<String, Value>) {
        if let [only] = list {
            let only = self.schema(only);
            if let Some(only) = only.as_object().filter(|only| can_join(out, only)) {
                // A part cannot allow null if the type next to it does not.
                let refuses_null = out.contains_key("type") && !out.contains_key("nullable");
                out.extend(only.clone());
                if refuses_null {
                    out.remove("nullable");
                }
                return;
            }
        }
        let mut list: Vec<Value> = list.iter().map(|schema| self.below(schema)).collect();
        list.sort_by_key(Value::to_string);
        list.dedup();
        let keyword = if keyword == "oneOf" && !out.contains_key("anyOf") { "anyOf" } else { keyword };
        let joined = match keyword {
            "allOf" => one_object(out, &list),
            _ => one_enum(&list).filter(|one| can_join(out, one)),
        };
        match joined {
            Some(joined) => out.extend(joined),
            None => {
                out.insert(keyword.to_owned(), list.into());
            }
        }
    }
}

fn says_nothing(keyword: &str, value: &Value) -> bool {
    match keyword {
        "title" | "description" | "example" | "examples" | "default" | "deprecated" | "externalDocs" => true,
        "$id" | "$schema" | "$anchor" | "$dynamicAnchor" | "$comment" | "$defs" | "definitions" => true,
        "nullable" | "uniqueItems" | "exclusiveMinimum" | "exclusiveMaximum" | "readOnly" | "writeOnly" => {
            *value == false
        }
        "additionalProperties" => *value == true || *value == json!({}),
        "required" => value.as_array().is_some_and(Vec::is_empty),
        "properties" => value.as_object().is_some_and(Map::is_empty),
        _ => keyword.starts_with("x-"),
    }
}

fn sorted(value: &Value) -> Value {
    let mut list: Vec<Value> = value.as_array().into_iter().flatten().map(plain_number).collect();
    list.sort_by_key(Value::to_string);
    list.dedup();
    list.into()
}

fn json_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Whether two schemas of an `allOf` can be merged because they have no keyword in common.
fn can_join(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    other.iter().all(|(keyword, value)| one.get(keyword).is_none_or(|known| known == value))
}

/// Merges alternatives that are enums of the same type.
fn one_enum(list: &[Value]) -> Option<Map<String, Value>> {
    let mut values = BTreeSet::new();
    let mut out = Vec::new();
    let name = list.first()?.get("type")?;
    for schema in list {
        let schema = schema.as_object().filter(|schema| schema.len() == 2 && schema.get("type") == Some(name))?;
        for value in schema.get("enum")?.as_array()? {
            if values.insert(value.to_string()) {
                out.push(value.clone());
            }
        }
    }
    Some(json_object(json!({"type": name, "enum": sorted(&out.into())})))
}

/// Merges the parts of an `allOf` that only have properties, unless these contradict each other. `siblings` are the
/// keywords next to `allOf`.
fn one_object(siblings: &Map<String, Value>, list: &[Value]) -> Option<Map<String, Value>> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let parts = list.iter().map(Value::as_object).chain([Some(siblings)]);
    for part in parts {
        let part = part?;
        let is_beside = std::ptr::eq(part, siblings);
        let is_plain = part.keys().all(|keyword| match keyword.as_str() {
            "type" | "properties" | "required" => true,
            "nullable" => is_beside,
            _ => false,
        });
        let names_object = part.get("type").is_some_and(|name| name == "object");
        if !is_plain || !(names_object || is_beside && !part.contains_key("type")) {
            return None;
        }
        for (name, schema) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if properties.insert(name.clone(), schema.clone()).is_some_and(|known| known != *schema) {
                return None;
            }
        }
        required.extend(part.get("required").and_then(Value::as_array).into_iter().flatten().cloned());
    }
    let mut out = json_object(json!({"type": "object"}));
    for (keyword, value) in [("properties", properties.into()), ("required", sorted(&required.into()))] {
        if !says_nothing(keyword, &value) {
            out.insert(keyword.to_owned(), value);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::canonical_schema;
    use countersign_contract_document::Document;
    use serde_json::{Value, json};

    fn canonical(schema: &Value) -> Value {
        let name = json!({"type": "string", "description": "A name."});
        let document = json!({"openapi": "3.0.3", "paths": {}, "components": {"schemas": {"Name": name}}});
        canonical_schema(&Document::from_value("d", document).expect("a document"), schema)
    }

    #[test]
    fn spellings_of_the_same() {
        let name = json!({"$ref": "#/components/schemas/Name"});
        let object = |property: &str| json!({"type": "object", "required": [property], "properties": {property: name}});
        let both = json!({"type": "object", "required": ["b", "a"], "properties": {"a": name, "b": name}});
        for (one, other) in [
            (name.clone(), json!({"type": "string", "nullable": false, "x-note": 1, "title": "Name"})),
            (json!({"nullable": true, "allOf": [name]}), json!({"type": "string", "nullable": true})),
            (json!({"oneOf": [name, {"type": "integer"}]}), json!({"anyOf": [{"type": "integer"}, name]})),
            (
                json!({"type": "string", "enum": ["b", "a"]}),
                json!({"oneOf": [{"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["b"]}]}),
            ),
            (json!({"allOf": [object("a"), object("b")]}), both.clone()),
            (json!({"type": "object", "properties": {"a": name}, "required": ["a"], "allOf": [object("b")]}), both),
            (json!({"type": "string", "enum": [null]}), json!({"nullable": true, "enum": [null]})),
            (json!({"minimum": 3.0}), json!({"minimum": 3})),
            (json!({"type": "object", "additionalProperties": true}), json!({"type": "object", "required": []})),
            (json!({"items": true}), json!({"items": {}})),
        ] {
            assert_eq!(canonical(&one), canonical(&other), "{one} and {other}");
        }
    }

    #[test]
    fn what_is_not_the_same() {
        let closed = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false});
        let open = json!({"type": "object", "properties": {"b": {}}});
        for (one, other) in [
            (json!({"type": "string"}), json!({"type": "string", "nullable": true})),
            (json!({"minimum": 3.5}), json!({"minimum": 3})),
            (json!({"minimum": 3, "exclusiveMinimum": true}), json!({"minimum": 3})),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
                json!({"allOf": [{"type": "string"}, {"type": "integer"}]}),
            ),
            (
                json!({"anyOf": [{"type": "string", "enum": ["1"]}, {"type": "integer", "enum": [1]}]}),
                json!({"type": "string", "enum": ["1", 1]}),
            ),
            (
                json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "string"}]}),
                json!({"type": "string", "enum": ["a"]}),
            ),
            (
                json!({"allOf": [closed, open]}),
                json!({"type": "object", "properties": {"a": {}, "b": {}}, "additionalProperties": false}),
            ),
            (
                json!({"allOf": [open, {"type": "object", "properties": {"b": {"type": "string"}}}]}),
                json!({"type": "object", "properties": {"b": {"type": "string"}}}),
            ),
            (json!({"maxLength": 3, "allOf": [{"maxLength": 5}]}), json!({"maxLength": 5})),
            (
                json!({"type": "string", "allOf": [{"type": "string", "nullable": true}]}),
                json!({"type": "string", "nullable": true}),
            ),
        ] {
            assert_ne!(canonical(&one), canonical(&other), "{one} and {other}");
        }
    }
}
