//! Generates values that match a schema.

use super::{hints, unusual};
use countersign_contract_document::Document;
use countersign_contract_validate::pattern;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Map, Number, Value, json};

/// Which of the matching values are generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Examples of the document; where there are none, all optional values whose type is known.
    Examples,
    /// All optional values.
    All,
    /// Required values only.
    Least,
    /// All optional values, with texts of unusual characters.
    Unusual,
    /// All optional values, the numbers, texts and lists as small as they may be.
    Lowest,
    /// All optional values, the numbers, texts and lists as large as they may be.
    Highest,
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

/// Greatest length of generated strings and lists that are as large as they may be.
const LARGEST_TEXT: usize = 10_000;
const LARGEST_LIST: u64 = 64;

/// The greatest integer that JSON numbers represent in every implementation (RFC 8259, section 6).
const LARGEST_INTEGER: i64 = 9_007_199_254_740_991;

pub(super) struct Samples<'d, 'r> {
    pub(super) document: &'d Document,
    pub(super) choice: Choice,
    pub(super) random: &'r mut Random,
}

impl Samples<'_, '_> {
    /// A value that matches the schema, as far as possible. A text for which the schema has no rules follows its name, which may
    /// be empty.
    pub(super) fn value(&mut self, schema: &Value, name: &str) -> Value {
        self.at_depth(schema, name, 0)
    }

    fn at_depth(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        let schema = self.document.resolve(schema);
        // Generating a match for a pattern may fail, so an example is preferred.
        if (self.choice == Choice::Examples || schema.get("pattern").is_some())
            && let Some(example) = schema.get("example")
        {
            return example.clone();
        }
        if let Some([first, ..]) = schema["examples"].as_array().map(Vec::as_slice)
            && self.choice == Choice::Examples
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
                let mut value = self.at_depth(chosen, name, depth + 1);
                merge(&mut value, self.object(schema, depth));
                return value;
            }
        }
        if let Some(parts) = schema["allOf"].as_array().filter(|parts| !parts.is_empty()) {
            let mut value = self.object(schema, depth);
            for part in parts {
                let part = self.at_depth(part, name, depth + 1);
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
            Some("array") => self.array(schema, name, depth),
            Some("boolean") => self.random.next().is_multiple_of(2).into(),
            Some("integer") => self.integer(schema),
            Some("number") => self.number(schema),
            Some("string") => self.text(schema, name).into(),
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
            let is_wanted = match self.choice {
                Choice::Least => false,
                Choice::Examples => has_rules(property_schema),
                _ => true,
            };
            if is_required(name) || is_wanted && depth < DEEPEST {
                out.insert(name.clone(), self.at_depth(property, name, depth + 1));
            }
        }
        out.into()
    }

    fn array(&mut self, schema: &Value, name: &str, depth: usize) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64();
        let wanted = match self.choice {
            Choice::Least | Choice::Lowest => least,
            _ if depth >= DEEPEST => least,
            Choice::Highest => least.max(most.filter(|most| *most <= LARGEST_LIST).unwrap_or(1)),
            _ => least.max(1).min(most.unwrap_or(u64::MAX)),
        };
        let prefix = schema["prefixItems"].as_array().map_or(&[][..], Vec::as_slice);
        let wanted = usize::try_from(wanted.min(LARGEST_LIST)).unwrap_or(0).max(prefix.len());
        let schema = |index: usize| prefix.get(index).unwrap_or(&schema["items"]);
        (0..wanted).map(|index| self.at_depth(schema(index), name, depth + 1)).collect()
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let bound = |key: &str, flag: &str, step: i64| {
            let value = schema[key].as_f64()?.clamp(-9e15, 9e15);
            #[expect(clippy::cast_possible_truncation, reason = "clamped to what is exact")]
            Some(value as i64 + if schema[flag] == true { step } else { 0 })
        };
        let lowest = bound("minimum", "exclusiveMinimum", 1);
        let highest = bound("maximum", "exclusiveMaximum", -1);
        let chosen = match self.choice {
            Choice::Lowest => lowest.unwrap_or_else(|| highest.unwrap_or(0).min(0)),
            Choice::Highest => highest.unwrap_or_else(|| largest_integer(schema).max(lowest.unwrap_or(0))),
            _ => self.between(lowest, highest),
        };
        let Some(step) = schema["multipleOf"].as_i64().filter(|step| *step > 0) else { return chosen.into() };
        let below = chosen - chosen.rem_euclid(step);
        let is_too_low = lowest.is_some_and(|lowest| below < lowest);
        if is_too_low { below.saturating_add(step).into() } else { below.into() }
    }

    /// A random integer between two bounds, near the only one, or near zero.
    fn between(&mut self, lowest: Option<i64>, highest: Option<i64>) -> i64 {
        let (lowest, highest) = match (lowest, highest) {
            (Some(lowest), Some(highest)) => (lowest, highest.max(lowest)),
            (Some(lowest), None) => (lowest, lowest.saturating_add(100)),
            (None, Some(highest)) => (highest.saturating_sub(100), highest),
            (None, None) => (0, 100),
        };
        let span = highest.abs_diff(lowest).saturating_add(1);
        lowest.saturating_add(i64::try_from(self.random.next() % span.max(1)).unwrap_or(0))
    }

    fn number(&self, schema: &Value) -> Value {
        let (lowest, highest) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        let between = match (lowest, highest) {
            (Some(lowest), Some(highest)) => f64::midpoint(lowest, highest),
            (Some(lowest), None) => lowest + 1.0,
            (None, Some(highest)) => highest - 1.0,
            (None, None) => 0.5,
        };
        let inclusive = |bound: Option<f64>, flag: &str| bound.filter(|_| schema[flag] != true);
        let value = match self.choice {
            Choice::Lowest if lowest.is_none() && highest.is_none_or(|highest| highest > 0.0) => 0.0,
            Choice::Lowest => inclusive(lowest, "exclusiveMinimum").unwrap_or(between),
            Choice::Highest if highest.is_none() => 1e15,
            Choice::Highest => inclusive(highest, "exclusiveMaximum").unwrap_or(between),
            _ => between,
        };
        let step = schema["multipleOf"].as_f64().filter(|step| *step > 0.0);
        let value = step.map_or(value, |step| (value / step).floor() * step);
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }

    fn text(&mut self, schema: &Value, name: &str) -> String {
        let number = self.random.next();
        match schema["format"].as_str() {
            Some("date-time") => return "2026-01-31T12:34:56.000Z".to_owned(),
            Some("date") => return "2026-01-31".to_owned(),
            Some("time") => return "12:34:56Z".to_owned(),
            Some("email") => return format!("check{number:x}@example.com"),
            Some("uuid") => return hints::uuid(number, self.random.next()),
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
        let least = length("minLength").unwrap_or(0).min(LARGEST_TEXT);
        let most = length("maxLength").unwrap_or(LONGEST.max(least));
        let hint = hints::text(name, number).filter(|hint| {
            let fits = (least..=length("maxLength").unwrap_or(usize::MAX)).contains(&hint.len());
            fits && matches!(self.choice, Choice::Examples | Choice::All | Choice::Least)
        });
        if let Some(hint) = hint {
            return hint;
        }
        let wanted = match self.choice {
            Choice::Unusual => {
                let most = length("maxLength").unwrap_or(usize::MAX);
                return unusual::text(least, most, self.random.below(most));
            }
            Choice::Least | Choice::Lowest => least,
            Choice::Highest => most.min(LARGEST_TEXT),
            _ => least.max(LONGEST.min(most)),
        };
        let alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..wanted).map(|_| char::from(alphabet[self.random.below(alphabet.len())])).collect()
    }
}

/// Whether a schema says anything about its values.
fn has_rules(schema: &Value) -> bool {
    let keywords = ["type", "enum", "properties", "allOf", "anyOf", "oneOf", "example", "examples"];
    keywords.iter().any(|keyword| schema.get(keyword).is_some())
}

fn largest_integer(schema: &Value) -> i64 {
    match schema["format"].as_str() {
        Some("int32") => i32::MAX.into(),
        Some("int64") => i64::MAX,
        _ => LARGEST_INTEGER,
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
