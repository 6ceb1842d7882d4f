//! Infers the schema of JSON values.

use super::texts::Formats;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Depth of values below which nothing is said.
const DEEPEST: usize = 24;

/// What values have in common. Holds none of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    count: usize,
    has_null: bool,
    has_boolean: bool,
    has_integer: bool,
    has_fraction: bool,
    /// The formats that all texts are in, if there are texts.
    texts: Option<Vec<&'static str>>,
    /// The items of all lists, if there are lists.
    items: Option<Box<Shape>>,
    object: Option<Object>,
    /// Whether some values are too deep to be looked at.
    is_open: bool,
}

#[derive(Debug, Clone, Default)]
struct Object {
    count: usize,
    properties: BTreeMap<String, Shape>,
}

impl Shape {
    pub(super) fn add(&mut self, value: &Value, formats: &Formats) {
        self.add_at(value, formats, 0);
    }

    fn add_at(&mut self, value: &Value, formats: &Formats, depth: usize) {
        self.count += 1;
        self.is_open |= depth > DEEPEST;
        match value {
            _ if depth > DEEPEST => {}
            Value::Null => self.has_null = true,
            Value::Bool(_) => self.has_boolean = true,
            Value::Number(number) if number.is_i64() || number.is_u64() => self.has_integer = true,
            Value::Number(_) => self.has_fraction = true,
            Value::String(text) => self.add_text(formats.of(text)),
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.add_at(item, formats, depth + 1));
            }
            Value::Object(entries) => {
                let object = self.object.get_or_insert_default();
                object.count += 1;
                for (name, value) in entries {
                    object.properties.entry(name.clone()).or_default().add_at(value, formats, depth + 1);
                }
            }
        }
    }

    fn add_text(&mut self, formats: Vec<&'static str>) {
        match &mut self.texts {
            Some(known) => known.retain(|format| formats.contains(format)),
            None => self.texts = Some(formats),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.has_null |= other.has_null;
        self.has_boolean |= other.has_boolean;
        self.has_integer |= other.has_integer;
        self.has_fraction |= other.has_fraction;
        self.is_open |= other.is_open;
        if let Some(formats) = &other.texts {
            self.add_text(formats.clone());
        }
        if let Some(items) = &other.items {
            self.items.get_or_insert_default().merge(items);
        }
        if let Some(other) = &other.object {
            let object = self.object.get_or_insert_default();
            object.count += other.count;
            for (name, shape) in &other.properties {
                object.properties.entry(name.clone()).or_default().merge(shape);
            }
        }
    }

    /// The narrowest schema of the kind that is written by hand: types, formats, properties, and which of them are always there.
    pub(super) fn schema(&self, formats: &Formats) -> Value {
        let mut out = Map::new();
        let types = [
            ("boolean", self.has_boolean),
            ("integer", self.has_integer && !self.has_fraction),
            ("number", self.has_fraction),
            ("string", self.texts.is_some()),
            ("array", self.items.is_some()),
            ("object", self.object.is_some()),
            ("null", self.has_null),
        ];
        let types: Vec<&str> = types.into_iter().filter(|(_, is_one)| *is_one).map(|(name, _)| name).collect();
        match types.as_slice() {
            _ if self.is_open => return json!({}),
            [] => return json!({}),
            [one] => out.insert("type".to_owned(), json!(one)),
            several => out.insert("type".to_owned(), json!(several)),
        };
        if let Some(format) = self.texts.iter().flatten().next() {
            out.insert("format".to_owned(), json!(format));
        }
        if let Some(items) = &self.items {
            out.insert("items".to_owned(), items.schema(formats));
        }
        if let Some(object) = &self.object {
            out.extend(object.keywords(formats));
        }
        out.into()
    }
}

impl Object {
    /// An object whose keys are ids or the like is a map.
    fn keywords(&self, formats: &Formats) -> Map<String, Value> {
        let mut out = Map::new();
        if self.properties.is_empty() {
            return out;
        }
        if self.properties.keys().all(|name| formats.is_value(name)) {
            let mut all = Shape::default();
            self.properties.values().for_each(|shape| all.merge(shape));
            out.insert("additionalProperties".to_owned(), all.schema(formats));
            return out;
        }
        let required = self.properties.iter().filter(|(_, shape)| shape.count == self.count);
        let required: Vec<&String> = required.map(|(name, _)| name).collect();
        if !required.is_empty() {
            out.insert("required".to_owned(), json!(required));
        }
        let properties = self.properties.iter().map(|(name, shape)| (name.clone(), shape.schema(formats)));
        out.insert("properties".to_owned(), properties.collect::<Map<_, _>>().into());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use crate::learn::texts::Formats;
    use serde_json::{Value, json};

    fn schema(values: &[Value]) -> Value {
        let (mut shape, formats) = (Shape::default(), Formats::new());
        values.iter().for_each(|value| shape.add(value, &formats));
        shape.schema(&formats)
    }

    #[test]
    fn a_schema_says_what_all_values_have_in_common() {
        for (values, expected) in [
            (vec![json!(1), json!(2)], json!({"type": "integer"})),
            (vec![json!(1), json!(2.5)], json!({"type": "number"})),
            (vec![json!(null), json!("a")], json!({"type": ["string", "null"]})),
            (vec![json!("2026-01-31T00:00:00Z")], json!({"type": "string", "format": "date-time"})),
            (vec![json!("2026-01-31T00:00:00Z"), json!("soon")], json!({"type": "string"})),
            (vec![json!([])], json!({"type": "array", "items": {}})),
            (vec![json!([]), json!([1, "a"])], json!({"type": "array", "items": {"type": ["integer", "string"]}})),
            (
                vec![json!({"a": 1, "b": true}), json!({"a": 2})],
                json!({"type": "object", "required": ["a"],
                       "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}}),
            ),
            (vec![json!({})], json!({"type": "object"})),
            (
                vec![json!({"7": {"a": 1}, "8": {}})],
                json!({"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "integer"}}}}),
            ),
        ] {
            assert_eq!(schema(&values), expected, "{values:?}");
        }
    }
}
