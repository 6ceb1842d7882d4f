//! Says in the words of OpenAPI 3.0 what keywords of JSON Schema mean.
//!
//! | JSON Schema 2020-12 | OpenAPI 3.0 |
//! |---|---|
//! | several types | `anyOf` |
//! | `if`, `then`, `else` | `anyOf` of the consequence and what the condition excludes |
//! | `dependentRequired`, `dependentSchemas` | `anyOf` of the consequence and objects without the property |
//! | `contains` | `not` a list of items that do not match; a limit of the number of items if all match |
//! | `contentEncoding: base64`, `contentMediaType: application/octet-stream` | `format: byte`, `format: binary` |
//!
//! Of others, a part is kept, and the keyword is lost: of `prefixItems` and `patternProperties`, that each item or property
//! matches one of the schemas, and of `minContains` and `maxContains`, that there is a match.

use super::Walk;
use crate::edit::Edit as _;
use crate::grammar::Kind;
use serde_json::{Map, Value, json};

/// The schema that accepts nothing, as normalised.
fn is_nothing(schema: &Value) -> bool {
    *schema == json!({"not": {}})
}

/// Adds a schema that applies to the same value.
fn add_part(schema: &mut Map<String, Value>, part: Value) {
    if let Value::Array(parts) = schema.entry("allOf").or_insert_with(|| json!([])) {
        parts.push(part);
    }
}

/// A schema for values that match one of these.
fn any_of(mut list: Vec<Value>) -> Value {
    match list.len() {
        1 => list.remove(0),
        _ => json!({"anyOf": list}),
    }
}

impl Walk {
    /// Says in the words of OpenAPI 3.0 what it can say.
    pub(super) fn schema(&mut self, schema: &mut Map<String, Value>) {
        self.types(schema);
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
        self.conditions(schema);
        self.dependencies(schema);
        self.contains(schema);
        self.first_items(schema);
        self.patterns(schema);
        if schema.get("type").is_some_and(|name| name == "array") {
            schema.entry("items").or_insert_with(|| json!({}));
        }
    }

    /// Removes a schema, and rewrites it at its place.
    fn take(&mut self, schema: &mut Map<String, Value>, key: &str) -> Option<Value> {
        let mut taken = schema.remove(key).filter(Value::is_object)?;
        self.below(key, |walk| walk.walk(&mut taken, Kind::Schema));
        Some(taken)
    }

    /// Removes named schemas, and rewrites them at their places.
    fn take_named(&mut self, schema: &mut Map<String, Value>, key: &str) -> Vec<(String, Value)> {
        let Some(Value::Object(mut named)) = schema.remove(key) else { return Vec::new() };
        self.below(key, |walk| {
            for (name, one) in &mut named {
                walk.below(name, |walk| walk.walk(one, Kind::Schema));
            }
        });
        named.into_iter().collect()
    }

    fn types(&mut self, schema: &mut Map<String, Value>) {
        let Some(Value::Array(names)) = schema.get("type") else { return };
        let takes_null = names.iter().any(|name| name == "null");
        let one = |name: &Value| match takes_null {
            true => json!({"type": name, "nullable": true}),
            false => json!({"type": name}),
        };
        let all: Vec<Value> = names.iter().filter(|name| *name != "null").map(one).collect();
        schema.remove("type");
        // Next to other keywords about the same value, readers of `nullable` disagree.
        match all.is_empty() {
            true => self.lose("type"),
            false => add_part(schema, any_of(all)),
        }
    }

    fn conditions(&mut self, schema: &mut Map<String, Value>) {
        let [when, then, otherwise] = ["if", "then", "else"].map(|key| self.take(schema, key));
        let Some(when) = when else { return };
        match (then, otherwise) {
            (None, None) => {}
            (Some(then), None) => add_part(schema, json!({"anyOf": [{"not": when}, then]})),
            (None, Some(otherwise)) => add_part(schema, json!({"anyOf": [when, otherwise]})),
            (Some(then), Some(otherwise)) => {
                let sides = json!([{"allOf": [when, then]}, {"allOf": [{"not": when}, otherwise]}]);
                add_part(schema, json!({"anyOf": sides}));
            }
        }
    }

    fn dependencies(&mut self, schema: &mut Map<String, Value>) {
        let needs = match schema.remove("dependentRequired") {
            Some(Value::Object(needs)) => needs,
            _ => Map::new(),
        };
        let needs = needs.into_iter().filter(|(_, names)| names.as_array().is_some_and(|names| !names.is_empty()));
        let needs: Vec<_> = needs.map(|(name, names)| (name, json!({"required": names}))).collect();
        for (name, consequence) in needs.into_iter().chain(self.take_named(schema, "dependentSchemas")) {
            let absent = json!({"not": {"type": "object", "required": [name]}});
            add_part(schema, json!({"anyOf": [absent, consequence]}));
        }
    }

    fn contains(&mut self, schema: &mut Map<String, Value>) {
        let Some(item) = self.take(schema, "contains") else { return };
        let [least, most] = ["minContains", "maxContains"].map(|key| schema.get(key).and_then(Value::as_u64));
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
        let (shortest, longest) = (limit("minItems"), limit("maxItems"));
        if item == json!({}) {
            schema.insert("minItems".to_owned(), least.unwrap_or(1).max(shortest.unwrap_or(0)).into());
            if let Some(most) = most {
                schema.insert("maxItems".to_owned(), longest.map_or(most, |longest| longest.min(most)).into());
            }
        } else {
            if least != Some(0) {
                add_part(schema, json!({"not": {"type": "array", "items": {"not": item}}}));
            }
            if least.is_some_and(|least| least > 1) {
                self.lose("minContains");
            }
            if most.is_some() {
                self.lose("maxContains");
            }
        }
        schema.remove("minContains");
        schema.remove("maxContains");
    }

    /// The items of the prefix would be held against the schema of the others.
    fn first_items(&mut self, schema: &mut Map<String, Value>) {
        let Some(Value::Array(mut all)) = schema.remove("prefixItems") else { return };
        self.lose("prefixItems");
        self.below("prefixItems", |walk| {
            for (index, item) in all.iter_mut().enumerate() {
                walk.below(&index.to_string(), |walk| walk.walk(item, Kind::Schema));
            }
        });
        match self.take(schema, "items") {
            Some(others) if is_nothing(&others) => {
                let longest = schema.get("maxItems").and_then(Value::as_u64).unwrap_or(u64::MAX);
                schema.insert("maxItems".to_owned(), longest.min(all.len() as u64).into());
            }
            Some(others) => all.push(others),
            None => return,
        }
        schema.insert("items".to_owned(), any_of(all));
    }

    /// Properties that match a pattern would be held against the schema of the others.
    fn patterns(&mut self, schema: &mut Map<String, Value>) {
        if !schema.contains_key("patternProperties") {
            return;
        }
        self.lose("patternProperties");
        let mut all: Vec<Value> =
            self.take_named(schema, "patternProperties").into_iter().map(|(_, one)| one).collect();
        match schema.get("additionalProperties") {
            None | Some(Value::Bool(true)) => return,
            Some(Value::Bool(false)) => {}
            Some(_) => all.extend(self.take(schema, "additionalProperties")),
        }
        if !all.is_empty() {
            schema.insert("additionalProperties".to_owned(), any_of(all));
        }
    }
}
