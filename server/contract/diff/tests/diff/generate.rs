//! Generates small schemas, changes of them, and values that nearly match them, from a list of choices.
//!
//! The result only depends on the choices, and fewer or smaller choices give simpler results, so that counterexamples
//! shrink.

mod values;

use countersign_contract_document::Document;
use serde_json::{Map, Value, json};

pub(crate) use values::{anything, instance};

/// Choices that are used one by one; after the last one, every choice is 0.
pub(crate) struct Choices<'c>(pub(crate) &'c [u16]);

impl Choices<'_> {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % end
    }

    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Between one and `more` + 1 distinct values.
    fn some(&mut self, of: &[Value], more: usize) -> Value {
        let mut out = Vec::new();
        for _ in 0..=self.below(more) {
            let value = self.one(of);
            if !out.contains(&value) {
                out.push(value);
            }
        }
        out.into()
    }

    pub(crate) fn is_one_of_two(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn one_of_two<T>(&mut self, one: T, other: T) -> T {
        if self.is_one_of_two() { other } else { one }
    }

    pub(crate) fn rarely(&mut self) -> bool {
        self.below(4) == 3
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Named schemas that others may refer to.
const NAMES: [&str; 2] = ["One", "Two"];
const PROPERTIES: [&str; 3] = ["a", "b", "c"];
const TEXTS: [&str; 6] = ["", "a", "ab", "b", "abc", "cab"];

/// Named schemas, which may refer to each other, and one called `Root`.
pub(crate) fn schemas(choices: &mut Choices<'_>) -> Value {
    let mut out = Map::new();
    out.insert("Root".to_owned(), schema(choices, 3));
    for name in NAMES {
        out.insert(name.to_owned(), whole(choices, 1));
    }
    out.into()
}

fn schema(choices: &mut Choices<'_>, depth: usize) -> Value {
    match choices.below(9) {
        7 if depth > 0 => json!({"$ref": format!("#/components/schemas/{}", choices.one(&NAMES))}),
        8 => json!({}),
        _ => whole(choices, depth),
    }
}

/// A schema of a text or a number.
pub(crate) fn scalar(choices: &mut Choices<'_>) -> Value {
    whole(choices, 0)
}

/// A schema that is not a reference, so that chains of references end.
fn whole(choices: &mut Choices<'_>, depth: usize) -> Value {
    let mut out = match choices.below(if depth == 0 { 4 } else { 10 }) {
        0 => text(choices),
        1 => number(choices, "integer"),
        2 => number(choices, "number"),
        3 => json!({"type": "boolean"}),
        4 => list(choices, depth - 1),
        5 | 6 => object(choices, depth - 1),
        7 => json!({"allOf": several(choices, depth - 1)}),
        8 => json!({"anyOf": several(choices, depth - 1)}),
        _ => json!({"oneOf": several(choices, depth - 1)}),
    };
    if choices.rarely() {
        out["nullable"] = true.into();
    }
    if depth > 0 && choices.below(12) == 11 {
        out["not"] = whole(choices, 0);
    }
    if depth > 1 && out.get("type").is_some() && choices.below(10) == 9 {
        out[choices.one(&["anyOf", "oneOf", "allOf"])] = several(choices, depth - 2);
    }
    out
}

fn several(choices: &mut Choices<'_>, depth: usize) -> Value {
    (0..=choices.below(3)).map(|_| schema(choices, depth)).collect()
}

fn text(choices: &mut Choices<'_>) -> Value {
    let mut out = json!({"type": "string"});
    for key in ["minLength", "maxLength"] {
        if choices.rarely() {
            out[key] = choices.below(4).into();
        }
    }
    if choices.rarely() {
        out["enum"] = choices.some(&TEXTS.map(Value::from), 3);
    }
    if choices.rarely() {
        out["pattern"] = choices.one(&["^a", "b$", "c"]).into();
    }
    out
}

fn number(choices: &mut Choices<'_>, name: &str) -> Value {
    let mut out = json!({"type": name});
    for (key, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if choices.rarely() {
            out[key] = choices.one(&[json!(0), json!(2), json!(-1), json!(1.5), json!(3)]);
            if choices.rarely() {
                out[exclusive] = true.into();
            }
        }
    }
    if choices.rarely() {
        out["multipleOf"] = choices.one(&[json!(2), json!(1), json!(3), json!(0.5)]);
    }
    if choices.rarely() {
        out["enum"] = choices.some(&[json!(0), json!(1), json!(2), json!(1.5)], 3);
    }
    out
}

fn list(choices: &mut Choices<'_>, depth: usize) -> Value {
    let mut out = json!({"type": "array", "items": schema(choices, depth)});
    for key in ["minItems", "maxItems"] {
        if choices.rarely() {
            out[key] = choices.below(3).into();
        }
    }
    if choices.rarely() {
        out["uniqueItems"] = true.into();
    }
    out
}

fn object(choices: &mut Choices<'_>, depth: usize) -> Value {
    let mut out = json!({"type": "object"});
    for _ in 0..=choices.below(2) {
        out["properties"][choices.one(&PROPERTIES)] = schema(choices, depth);
    }
    if choices.rarely() {
        out["required"] = choices.some(&PROPERTIES.map(Value::from), 2);
    }
    match choices.below(6) {
        4 => out["additionalProperties"] = false.into(),
        5 => out["additionalProperties"] = whole(choices, 0),
        _ => {}
    }
    for key in ["minProperties", "maxProperties"] {
        if choices.below(8) == 7 {
            out[key] = choices.below(3).into();
        }
    }
    out
}

/// The schemas with some changes.
pub(crate) fn changed(choices: &mut Choices<'_>, schemas: &Value) -> Value {
    let mut out = schemas.clone();
    for _ in 0..=choices.below(2) {
        let mut places = Vec::new();
        for (name, schema) in out.as_object().unwrap() {
            collect(schema, &format!("/{name}"), &mut places);
        }
        let pointer = choices.one(&places);
        let is_root = pointer.matches('/').count() == 1;
        let place = out.pointer_mut(&pointer).unwrap();
        change(choices, place, is_root);
    }
    out
}

/// Pointers of all schemas in a schema.
fn collect(schema: &Value, pointer: &str, out: &mut Vec<String>) {
    out.push(pointer.to_owned());
    for key in ["items", "not", "additionalProperties"] {
        if schema[key].is_object() {
            collect(&schema[key], &format!("{pointer}/{key}"), out);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        collect(property, &format!("{pointer}/properties/{name}"), out);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for (index, part) in schema[key].as_array().into_iter().flatten().enumerate() {
            collect(part, &format!("{pointer}/{key}/{index}"), out);
        }
    }
}

fn change(choices: &mut Choices<'_>, place: &mut Value, is_root: bool) {
    let keys: Vec<String> = place.as_object().unwrap().keys().cloned().collect();
    match choices.below(7) {
        // Remove a keyword, unless the object would become free-form.
        0 | 1 if !keys.is_empty() => {
            let key = choices.one(&keys);
            if !["type", "items", "properties", "$ref"].contains(&key.as_str()) {
                place.as_object_mut().unwrap().remove(&key);
            }
        }
        // Add keywords of another schema of the type.
        2 | 3 => {
            let other = match place["type"].as_str() {
                Some("string") => text(choices),
                Some("integer") => number(choices, "integer"),
                Some("number") => number(choices, "number"),
                Some("object") => object(choices, 1),
                Some("array") => list(choices, 1),
                _ => json!({}),
            };
            place.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        }
        4 => {
            let kind = choices.one(&["anyOf", "oneOf", "allOf"]);
            if let Some(list) = place.get_mut(kind).and_then(Value::as_array_mut) {
                let index = choices.below(list.len() + 1);
                if index == list.len() || list.len() == 1 {
                    list.push(schema(choices, 1));
                } else {
                    list.remove(index);
                }
            } else if !is_root {
                let inner = place.take();
                *place = json!({kind: [inner, schema(choices, 1)]});
            }
        }
        5 => place["nullable"] = true.into(),
        _ if is_root => *place = whole(choices, 2),
        _ => *place = schema(choices, 1),
    }
}

/// Whether a schema accepts any object and lists no properties, so that senders may send properties of other schemas.
pub(crate) fn is_free_form(schemas: &Value) -> bool {
    match schemas {
        Value::Object(map) => {
            let is_object = map.get("type").is_some_and(|name| name == "object");
            let says = |key: &str| map.get(key).is_some_and(|value| *value != json!({}));
            is_object && !says("properties") && !says("additionalProperties") || map.values().any(is_free_form)
        }
        Value::Array(list) => list.iter().any(is_free_form),
        _ => false,
    }
}

/// A document whose operation `a` responds with `Root`.
pub(crate) fn document(name: &str, schemas: &Value) -> Document {
    document_of("3.0.3", name, schemas)
}

/// The same in a version of OpenAPI.
pub(crate) fn document_of(version: &str, name: &str, schemas: &Value) -> Document {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Root"}}});
    let value = json!({
        "openapi": version,
        "info": {"title": "A case", "version": "1"},
        "paths": {"/a": {"post": {
            "operationId": "a",
            "requestBody": {"content": content},
            "responses": {"200": {"description": "Done.", "content": content}},
        }}},
        "components": {"schemas": schemas},
    });
    Document::from_value(name, value).unwrap()
}
