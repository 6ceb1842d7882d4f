//! Values that match a schema, or nearly do.

use super::{Choices, PROPERTIES, TEXTS};
use serde_json::{Map, Value, json};

/// A value that matches or nearly matches a schema.
pub(crate) fn instance(choices: &mut Choices<'_>, schemas: &Value, schema: &Value, depth: usize) -> Value {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => &schemas[reference.rsplit('/').next().unwrap()],
        None => schema,
    };
    if depth == 0 || choices.below(16) == 15 {
        return anything(choices);
    }
    if schema["nullable"] == true && choices.rarely() {
        return Value::Null;
    }
    if let Some(list) = schema["enum"].as_array() {
        return choices.one(list);
    }
    let mut out = match schema["type"].as_str() {
        Some("string") => choices.one(&TEXTS).into(),
        Some("integer") => choices.one(&[json!(0), json!(1), json!(2), json!(3), json!(-1), json!(6)]),
        Some("number") => choices.one(&[json!(0), json!(1.5), json!(2), json!(0.5), json!(-3), json!(6)]),
        Some("boolean") => choices.one(&[true, false]).into(),
        Some("array") => {
            let count = choices.below(4);
            (0..count).map(|_| instance(choices, schemas, &schema["items"], depth - 1)).collect()
        }
        Some("object") => fields(choices, schemas, schema, depth),
        _ => Value::Null,
    };
    for key in ["allOf", "anyOf", "oneOf"] {
        let Some(list) = schema[key].as_array().filter(|list| !list.is_empty()) else { continue };
        let parts = if key == "allOf" { list.clone() } else { vec![choices.one(list)] };
        for part in parts {
            // Objects of an `allOf` are merged; of other values, the last one is used.
            match (&mut out, instance(choices, schemas, &part, depth - 1)) {
                (Value::Object(known), Value::Object(more)) => known.extend(more),
                (known, other) => *known = other,
            }
        }
    }
    if out.is_null() && schema["type"].is_null() && ["allOf", "anyOf", "oneOf"].iter().all(|key| schema[*key].is_null())
    {
        return anything(choices);
    }
    out
}

fn fields(choices: &mut Choices<'_>, schemas: &Value, schema: &Value, depth: usize) -> Value {
    let mut out = Map::new();
    for name in PROPERTIES {
        let is_required = schema["required"].as_array().is_some_and(|list| list.contains(&name.into()));
        let described = match &schema["properties"][name] {
            Value::Null => &schema["additionalProperties"],
            listed => listed,
        };
        if is_required || described.is_object() && choices.below(3) != 2 {
            out.insert(name.to_owned(), instance(choices, schemas, described, depth - 1));
        }
    }
    out.into()
}

pub(crate) fn anything(choices: &mut Choices<'_>) -> Value {
    let all = [
        json!(null),
        json!("a"),
        json!(1),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!({"a": "a"}),
        json!([1, 1]),
    ];
    choices.one(&all)
}
