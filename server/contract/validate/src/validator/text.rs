//! Validates values that are written as text: in headers, URLs and cookies.

use super::schema::Schemas;
use super::{Deviation, media_type};
use countersign_contract_document::Node;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What texts are validated against: a header or a parameter.
pub(super) struct Text<'t, 'd> {
    /// The rule about values that do not fit the schema.
    pub(super) rule: &'static str,
    /// The name in messages: `the header X-Total`.
    pub(super) what: &'t str,
    /// The header or parameter.
    pub(super) holder: &'t Node<'d>,
}

impl<'d> Text<'_, 'd> {
    /// The schema, and whether the text is JSON; `None` if nothing is known about the text.
    fn schema(&self) -> Option<(Node<'d>, bool)> {
        if let Some(schema) = self.holder.get("schema") {
            return Some((schema, false));
        }
        let (media_type, entry) = self.holder.entries_of("content").next()?;
        entry.get("schema").filter(|_| media_type::is_json(media_type)).map(|schema| (schema, true))
    }

    /// Deviations of a text (style `simple`, or a single value of style `form`), if no reading of it fits the schema.
    pub(super) fn deviations(&self, schemas: &Schemas, text: &str, explode: bool) -> Vec<Deviation> {
        let Some((schema, is_json)) = self.schema() else { return Vec::new() };
        let readings = match serde_json::from_str(text) {
            Ok(value) if is_json => vec![value],
            Err(_) if is_json => return vec![Deviation::new(self.rule, &schema, format!("{} is not JSON", self.what))],
            _ => readings(&schema, text, explode),
        };
        self.deviations_of(schemas, &schema, &readings)
    }

    /// Deviations of several texts that are the items of one list (style `form` with `explode`).
    pub(super) fn deviations_of_list(&self, schemas: &Schemas, texts: &[&str]) -> Vec<Deviation> {
        let Some((schema, _)) = self.schema() else { return Vec::new() };
        let items = schema.clone().resolved().follow("items");
        let list = texts.iter().map(|text| scalar(items.as_ref(), text)).collect();
        self.deviations_of(schemas, &schema, &[list])
    }

    /// Those of the most specific reading, unless another one fits.
    fn deviations_of(&self, schemas: &Schemas, schema: &Node<'_>, readings: &[Value]) -> Vec<Deviation> {
        let mut found = readings.iter().map(|reading| schemas.deviations(schema, self.rule, reading));
        let first = found.next().unwrap_or_default();
        if first.is_empty() || found.any(|deviations| deviations.is_empty()) {
            return Vec::new();
        }
        let named = |deviation: Deviation| Deviation {
            message: format!("{}: {}", self.what, deviation.message),
            instance: String::new(),
            ..deviation
        };
        first.into_iter().map(named).collect()
    }

    /// Whether a text that is not JSON may be of a type.
    pub(super) fn allows(&self, name: &str) -> bool {
        self.schema().is_some_and(|(schema, is_json)| !is_json && types(Some(&schema)).contains(name))
    }
}

/// Possible values of a text by its schema (style `simple`), most specific first; the last one is the text itself.
fn readings(schema: &Node<'_>, text: &str, explode: bool) -> Vec<Value> {
    let mut types = types(Some(schema));
    if types.is_empty() {
        types.extend(["boolean", "number"]);
    }
    let text = text.trim();
    let mut out = Vec::new();
    for name in types {
        let reading = match name {
            "integer" | "number" => serde_json::from_str(text).ok().filter(Value::is_number),
            "boolean" => text.parse().ok().map(Value::Bool),
            "array" if text.is_empty() => Some(Value::Array(Vec::new())),
            "array" => {
                let items = schema.follow("items");
                let read = |part: &str| scalar(items.as_ref(), part);
                Some(text.split(',').map(read).collect())
            }
            "object" => Some(object(schema, text, explode)),
            _ => None,
        };
        out.extend(reading);
    }
    out.push(text.into());
    out
}

/// The value of one entry of a list or object.
fn scalar(schema: Option<&Node<'_>>, text: &str) -> Value {
    let types = types(schema);
    let text = text.trim();
    let may_be = |value: &Value| match value {
        Value::Number(_) => types.contains("integer") || types.contains("number"),
        Value::Bool(_) => types.contains("boolean"),
        _ => false,
    };
    serde_json::from_str(text).ok().filter(may_be).unwrap_or_else(|| text.into())
}

/// `role,admin,level,3`, or exploded `role=admin,level=3`.
fn object(schema: &Node<'_>, text: &str, explode: bool) -> Value {
    let parts: Vec<&str> = text.split(',').collect();
    let pairs: Vec<(&str, &str)> = match explode {
        true => parts.iter().map(|part| part.split_once('=').unwrap_or((part, ""))).collect(),
        false => parts.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or_default())).collect(),
    };
    let properties = schema.clone().resolved().get("properties");
    let entry = |(name, text): (&str, &str)| {
        let name = name.trim();
        let schema = properties.as_ref().and_then(|properties| properties.follow(name));
        (name.to_owned(), scalar(schema.as_ref(), text))
    };
    pairs.into_iter().map(entry).collect::<Map<_, _>>().into()
}

/// The types that a schema and its parts allow.
fn types<'a>(schema: Option<&Node<'a>>) -> BTreeSet<&'a str> {
    let (mut types, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut ahead: Vec<Node<'a>> = schema.cloned().into_iter().collect();
    while let Some(schema) = ahead.pop().map(Node::resolved) {
        if !seen.insert(schema.pointer.clone()) {
            continue;
        }
        types.extend(schema.value["type"].as_str());
        for parts in ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|keyword| schema.get(keyword)) {
            ahead.extend(parts.items());
        }
    }
    types
}
