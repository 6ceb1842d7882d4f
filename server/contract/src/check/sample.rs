//! Generates values that match a schema, and values that do not.

use super::pattern;
use crate::document::Document;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Map, Number, Value, json};

/// Which optional values are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// Examples of the document; where there are none, all optional values.
    Examples,
    /// All optional values.
    All,
    /// Required values only.
    Least,
}

/// Random numbers that only depend on the seed.
#[derive(Debug, Clone)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn from_seed(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }
}

/// Depth from which optional values are omitted, because schemas may be recursive.
const DEEPEST: usize = 8;

/// Greatest length of generated strings, unless the schema requires a longer one.
const LONGEST: usize = 24;

pub(super) struct Samples<'d, 'r> {
    pub(super) document: &'d Document,
    pub(super) amount: Amount,
    pub(super) random: &'r mut Random,
}

impl Samples<'_, '_> {
    /// A value that matches the schema, as far as possible.
    pub(super) fn value(&mut self, schema: &Value) -> Value {
        self.at_depth(schema, 0)
    }

    fn at_depth(&mut self, schema: &Value, depth: usize) -> Value {
        let schema = self.document.resolve(schema);
        // Generating a match for a pattern may fail, so an example is preferred.
        if (self.amount == Amount::Examples || schema.get("pattern").is_some())
            && let Some(example) = schema.get("example")
        {
            return example.clone();
        }
        if let Some([first, ..]) = schema["examples"].as_array().map(Vec::as_slice)
            && self.amount == Amount::Examples
        {
            return first.clone();
        }
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            return values[self.random.below(values.len())].clone();
        }
        if depth > 2 * DEEPEST {
            return Value::Null;
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(list) = schema[key].as_array().filter(|list| !list.is_empty()) {
                let chosen = &list[self.random.below(list.len())];
                let mut value = self.at_depth(chosen, depth + 1);
                merge(&mut value, self.object(schema, depth));
                return value;
            }
        }
        if let Some(parts) = schema["allOf"].as_array().filter(|parts| !parts.is_empty()) {
            let mut value = self.object(schema, depth);
            for part in parts {
                let part = self.at_depth(part, depth + 1);
                if value.as_object().is_none_or(Map::is_empty) {
                    value = part;
                } else {
                    merge(&mut value, part);
                }
            }
            return value;
        }
        match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
            Some("object") => self.object(schema, depth),
            None if schema["properties"].is_object() => self.object(schema, depth),
            Some("array") => self.array(schema, depth),
            Some("boolean") => self.random.next().is_multiple_of(2).into(),
            Some("integer") => self.integer(schema),
            Some("number") => self.number(schema),
            Some("string") => self.text(schema).into(),
            Some("null") => Value::Null,
            _ => json!("any"),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let is_required =
            |name: &str| schema["required"].as_array().is_some_and(|list| list.iter().any(|one| one == name));
        let mut out = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let property_schema = self.document.resolve(property);
            if property_schema["readOnly"] == true {
                continue;
            }
            let is_wanted = self.amount != Amount::Least && depth < DEEPEST;
            if is_required(name) || is_wanted {
                out.insert(name.clone(), self.at_depth(property, depth + 1));
            }
        }
        out.into()
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let wanted = match self.amount {
            Amount::Least => least,
            _ if depth >= DEEPEST => least,
            _ => least.max(1).min(schema["maxItems"].as_u64().unwrap_or(u64::MAX)),
        };
        let prefix = schema["prefixItems"].as_array().map_or(&[][..], Vec::as_slice);
        let wanted = usize::try_from(wanted.min(16)).unwrap_or(0).max(prefix.len());
        (0..wanted).map(|index| self.at_depth(prefix.get(index).unwrap_or(&schema["items"]), depth + 1)).collect()
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let bound = |key: &str, flag: &str, step: i64| {
            let value = schema[key].as_f64()?.clamp(-9e15, 9e15);
            #[expect(clippy::cast_possible_truncation, reason = "clamped to what is exact")]
            Some(value as i64 + if schema[flag] == true { step } else { 0 })
        };
        let lowest = bound("minimum", "exclusiveMinimum", 1);
        let highest = bound("maximum", "exclusiveMaximum", -1);
        let (lowest, highest) = match (lowest, highest) {
            (Some(lowest), Some(highest)) => (lowest, highest.max(lowest)),
            (Some(lowest), None) => (lowest, lowest.saturating_add(100)),
            (None, Some(highest)) => (highest.saturating_sub(100), highest),
            (None, None) => (0, 100),
        };
        let span = highest.abs_diff(lowest).saturating_add(1);
        let offset = i64::try_from(self.random.next() % span.max(1)).unwrap_or(0);
        let chosen = lowest.saturating_add(offset);
        let Some(step) = schema["multipleOf"].as_i64().filter(|step| *step > 0) else { return chosen.into() };
        let below = chosen - chosen.rem_euclid(step);
        if below < lowest { below.saturating_add(step).into() } else { below.into() }
    }

    fn number(&mut self, schema: &Value) -> Value {
        let (lowest, highest) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        let value = match (lowest, highest) {
            (Some(lowest), Some(highest)) => f64::midpoint(lowest, highest),
            (Some(lowest), None) => lowest + 1.0,
            (None, Some(highest)) => highest - 1.0,
            (None, None) => 0.5,
        };
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }

    fn text(&mut self, schema: &Value) -> String {
        let number = self.random.next();
        match schema["format"].as_str() {
            Some("date-time") => return "2026-01-31T12:34:56.000Z".to_owned(),
            Some("date") => return "2026-01-31".to_owned(),
            Some("time") => return "12:34:56Z".to_owned(),
            Some("email") => return format!("check{number:x}@example.com"),
            Some("uuid") => {
                let (high, low) = (number, self.random.next());
                let high = (high & !0xf000) | 0x4000;
                let low = (low & !(0b11 << 62)) | (0b10 << 62);
                let all = format!("{high:016x}{low:016x}");
                return format!("{}-{}-{}-{}-{}", &all[..8], &all[8..12], &all[12..16], &all[16..20], &all[20..]);
            }
            Some("uri" | "url") => return "https://example.com/".to_owned(),
            Some("ipv4") => return "192.0.2.1".to_owned(),
            Some("ipv6") => return "2001:db8::1".to_owned(),
            Some("byte") => return "Y2hlY2s=".to_owned(),
            _ => {}
        }
        if let Some(text) = schema["pattern"].as_str().and_then(pattern::matching) {
            return text;
        }
        let length = |key: &str| schema[key].as_u64().and_then(|length| usize::try_from(length).ok());
        let least = length("minLength").unwrap_or(0);
        let most = length("maxLength").unwrap_or(LONGEST.max(least));
        let wanted = match self.amount {
            Amount::Least => least,
            _ => least.max(LONGEST.min(most)),
        };
        let alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..wanted.min(4096)).map(|_| char::from(alphabet[self.random.below(alphabet.len())])).collect()
    }
}

/// Adds the properties of one object to another, unless it already has them.
fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (name, value) in from {
            into.entry(name).or_insert(value);
        }
    }
}

/// A value that does not match a schema.
#[derive(Debug, Clone)]
pub(super) struct Wrong {
    pub(super) value: Value,
    /// Why it does not match, as a clause that follows the name of the value.
    pub(super) why: String,
    /// Whether it is also invalid as text, as in a URL or header.
    pub(super) is_wrong_as_text: bool,
}

/// Values that do not match the schema. Empty for schemas with alternatives, because another one may accept the value.
pub(super) fn wrong_values(document: &Document, schema: &Value) -> Vec<Wrong> {
    let schema = document.resolve(schema);
    let has_alternatives = ["oneOf", "anyOf", "allOf"].iter().any(|key| schema.get(key).is_some());
    let Some(kind) = schema["type"].as_str().filter(|_| !has_alternatives) else { return Vec::new() };
    let mut out = Vec::new();
    let mut wrong =
        |value: Value, why: String, is_wrong_as_text: bool| out.push(Wrong { value, why, is_wrong_as_text });
    let others = [
        ("string", json!("text")),
        ("number", json!(1.5)),
        ("boolean", json!(true)),
        ("array", json!([[]])),
        ("object", json!({"x": {}})),
    ];
    for (other, value) in others.into_iter().filter(|(other, _)| *other != kind) {
        // Other text is neither a number nor a boolean in any serialization.
        let is_wrong_as_text = other == "string" && matches!(kind, "integer" | "number" | "boolean");
        wrong(value, format!("it is of type {other}, not {kind}"), is_wrong_as_text);
    }
    if schema["nullable"] != true && kind != "null" {
        wrong(Value::Null, "it is null".to_owned(), false);
    }
    let length = |key: &str| schema[key].as_u64().and_then(|length| usize::try_from(length).ok());
    if kind == "string" {
        if let Some(most) = length("maxLength").filter(|most| *most < 100_000) {
            wrong("x".repeat(most + 1).into(), format!("it is longer than {most}"), true);
        }
        if let Some(least) = length("minLength").filter(|least| (1..100_000).contains(least)) {
            // An empty value in a URL counts as missing.
            wrong("x".repeat(least - 1).into(), format!("it is shorter than {least}"), least > 1);
        }
        if schema["enum"].is_array() {
            wrong(json!("none-of-these-values"), "it is none of the listed values".to_owned(), true);
        }
    }
    if let Some(most) = schema["maximum"].as_i64() {
        wrong(most.saturating_add(1).into(), format!("it is more than {most}"), true);
    }
    if let Some(least) = schema["minimum"].as_i64() {
        wrong(least.saturating_sub(1).into(), format!("it is less than {least}"), true);
    }
    out
}
