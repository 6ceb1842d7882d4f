//! Translates schemas that schemars generates into OpenAPI 3.0.
//!
//! dropshot translates its own schemas but copies extensions unchanged. A schema in `x-replies` is therefore JSON Schema as
//! schemars 0.8 generates it: `$ref` with siblings, `true` and `false`, `type: "null"`, numeric exclusive bounds, `const`.

use serde_json::{Map, Value, json};

/// Translates a schema and all schemas in it.
pub(crate) fn to_openapi(schema: &Value) -> Value {
    let Some(schema) = schema.as_object() else {
        return match schema {
            Value::Bool(false) => json!({"not": {}}),
            Value::Bool(true) => json!({}),
            other => other.clone(),
        };
    };
    let mut out = Map::new();
    for (key, value) in schema {
        translate(key, value, &mut out);
    }
    if out.len() > 1
        && let Some(reference) = out.remove("$ref")
    {
        let mut parts = vec![json!({"$ref": reference})];
        if let Some(Value::Array(others)) = out.remove("allOf") {
            parts.extend(others);
        }
        out.insert("allOf".to_owned(), parts.into());
    }
    out.into()
}

fn translate(key: &str, value: &Value, out: &mut Map<String, Value>) {
    let mut set = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    match (key, value) {
        ("properties", Value::Object(properties)) => {
            let properties = properties.iter().map(|(name, schema)| (name.clone(), to_openapi(schema)));
            set(key, properties.collect::<Map<_, _>>().into());
        }
        ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => set(key, list.iter().map(to_openapi).collect()),
        ("items" | "not", schema) => set(key, to_openapi(schema)),
        ("additionalProperties", Value::Object(_)) => set(key, to_openapi(value)),
        ("const", value) => set("enum", json!([value])),
        ("type", Value::String(name)) if name == "null" => set("enum", json!([null])),
        ("type", Value::Array(names)) => {
            let (nulls, mut others): (Vec<_>, Vec<_>) = names.iter().cloned().partition(|name| name == "null");
            if !nulls.is_empty() {
                set("nullable", true.into());
            }
            match others.len() {
                0 => set("enum", json!([null])),
                1 => set("type", others.remove(0)),
                _ => set("anyOf", others.into_iter().map(|name| json!({"type": name})).collect()),
            }
        }
        ("exclusiveMinimum", Value::Number(_)) => {
            set("minimum", value.clone());
            set(key, true.into());
        }
        ("exclusiveMaximum", Value::Number(_)) => {
            set("maximum", value.clone());
            set(key, true.into());
        }
        _ => set(key, value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::to_openapi;
    use serde_json::json;

    #[test]
    fn what_dropshot_would_have_translated() {
        for (printed, expected) in [
            (json!(true), json!({})),
            (json!(false), json!({"not": {}})),
            (json!({"$ref": "#/a"}), json!({"$ref": "#/a"})),
            (json!({"$ref": "#/a", "nullable": true}), json!({"allOf": [{"$ref": "#/a"}], "nullable": true})),
            (json!({"type": "null"}), json!({"enum": [null]})),
            (json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true})),
            (json!({"exclusiveMinimum": 1.0}), json!({"minimum": 1.0, "exclusiveMinimum": true})),
            (json!({"const": "a"}), json!({"enum": ["a"]})),
            (json!({"properties": {"const": {"items": true}}}), json!({"properties": {"const": {"items": {}}}})),
        ] {
            assert_eq!(to_openapi(&printed), expected, "{printed}");
        }
    }
}
