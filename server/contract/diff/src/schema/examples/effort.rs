//! How much work it is to validate a value.

use serde_json::Value;
use std::collections::HashMap;

/// Number of schemas that a validator applies to the value itself, each as often as references and alternatives lead to it:
/// if alternatives share others, which share others again, there are far more ways than schemas. The schema must not refer
/// to itself for the same value.
pub(super) fn evaluations(schema: &Value) -> u64 {
    Count { root: schema, known: HashMap::new() }.of(schema)
}

struct Count<'s> {
    root: &'s Value,
    /// Results by reference.
    known: HashMap<&'s str, u64>,
}

impl<'s> Count<'s> {
    fn of(&mut self, schema: &'s Value) -> u64 {
        let mut count = 1_u64;
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            let inner = match (keyword.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => self.sum(parts),
                ("dependentSchemas", Value::Object(parts)) => self.sum(parts.values()),
                ("not" | "if" | "then" | "else", part) => self.of(part),
                ("$ref", Value::String(reference)) => self.target(reference),
                _ => 0,
            };
            count = count.saturating_add(inner);
        }
        count
    }

    fn sum(&mut self, schemas: impl IntoIterator<Item = &'s Value>) -> u64 {
        schemas.into_iter().fold(0, |sum, schema| sum.saturating_add(self.of(schema)))
    }

    fn target(&mut self, reference: &'s str) -> u64 {
        if let Some(known) = self.known.get(reference) {
            return *known;
        }
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let count = target.map_or(0, |target| self.of(target));
        self.known.insert(reference, count);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::evaluations;
    use serde_json::{Map, Value, json};

    #[test]
    fn every_way_to_a_schema_counts() {
        let schema = json!({
            "properties": {"x": {"$ref": "#/$defs/a"}},
            "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}],
            "$defs": {"a": {"not": {"type": "string"}}},
        });
        // The schema, its two parts, and twice the definition with what is in its `not`.
        assert_eq!(evaluations(&schema), 1 + 2 + 2 * 2);
    }

    #[test]
    fn ways_are_counted_without_being_walked() {
        let level = |index: usize| {
            let next = json!({"$ref": format!("#/$defs/{}", index + 1)});
            (index.to_string(), json!({"oneOf": [next, next]}))
        };
        let definitions: Map<String, Value> = (0..80).map(level).collect();
        assert_eq!(evaluations(&json!({"$ref": "#/$defs/0", "$defs": definitions})), u64::MAX);
    }
}
