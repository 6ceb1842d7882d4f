//! Generates values that do not match a schema.

use countersign_contract_document::Document;
use countersign_contract_validate::pattern;
use serde_json::{Value, json};

/// A value that does not match a schema.
#[derive(Debug, Clone)]
pub(super) struct Wrong {
    pub(super) value: Value,
    /// Why it does not match, as a clause that follows the name of the value.
    pub(super) why: String,
    /// Whether it is also invalid as text, as in a URL or header.
    pub(super) is_wrong_as_text: bool,
    /// Whether it is of another type.
    pub(super) is_of_other_type: bool,
}

/// Longest text that is generated to exceed a limit.
const LONGEST: usize = 100_000;

/// Values that do not match the schema. Empty for schemas with alternatives, because another one may accept the value.
pub(super) fn values(document: &Document, schema: &Value) -> Vec<Wrong> {
    let schema = document.resolve(schema);
    let has_alternatives = ["oneOf", "anyOf", "allOf"].iter().any(|key| schema.get(key).is_some());
    let Some(kind) = schema["type"].as_str().filter(|_| !has_alternatives) else { return Vec::new() };
    let mut out = of_other_types(kind, schema["nullable"] == true);
    match kind {
        "string" => out.extend(texts(schema)),
        "integer" | "number" => out.extend(numbers(schema)),
        "array" => {
            if let Some(least) = length(schema, "minItems").filter(|least| *least > 0) {
                out.push(wrong(Vec::<Value>::new(), format!("it has less than {least} items"), false));
            }
        }
        _ => {}
    }
    if schema["enum"].is_array() && kind == "string" {
        out.push(wrong(json!("none-of-these-values"), "it is none of the listed values", true));
    }
    out
}

fn wrong(value: impl Into<Value>, why: impl Into<String>, is_wrong_as_text: bool) -> Wrong {
    Wrong { value: value.into(), why: why.into(), is_wrong_as_text, is_of_other_type: false }
}

fn of_other_types(kind: &str, is_nullable: bool) -> Vec<Wrong> {
    let others = [
        ("string", json!("text")),
        ("number", json!(1.5)),
        ("boolean", json!(true)),
        ("array", json!([[]])),
        ("object", json!({"x": {}})),
    ];
    let others = others.into_iter().filter(|(other, _)| *other != kind);
    let mut out: Vec<Wrong> = others
        .map(|(other, value)| {
            // Other text is neither a number nor a boolean in any serialization.
            let is_wrong_as_text = other == "string" && matches!(kind, "integer" | "number" | "boolean")
                || other == "number" && kind == "integer";
            wrong(value, format!("it is of type {other}, not {kind}"), is_wrong_as_text)
        })
        .collect();
    if !is_nullable && kind != "null" {
        out.push(wrong(Value::Null, "it is null", false));
    }
    out.into_iter().map(|wrong| Wrong { is_of_other_type: true, ..wrong }).collect()
}

fn length(schema: &Value, key: &str) -> Option<usize> {
    schema[key].as_u64().and_then(|length| usize::try_from(length).ok())
}

fn texts(schema: &Value) -> Vec<Wrong> {
    let mut out = Vec::new();
    if let Some(most) = length(schema, "maxLength").filter(|most| *most < LONGEST) {
        out.push(wrong("x".repeat(most + 1), format!("it is longer than {most}"), true));
        // A character beyond the Basic Multilingual Plane counts once (JSON Schema Validation, section 6.3).
        out.push(wrong("😀".repeat(most + 1), format!("it is longer than {most}"), true));
    }
    if let Some(least) = length(schema, "minLength").filter(|least| (1..LONGEST).contains(least)) {
        // An empty value in a URL counts as missing.
        out.push(wrong("x".repeat(least - 1), format!("it is shorter than {least}"), least > 1));
    }
    if let Some(text) = schema["pattern"].as_str().and_then(pattern::not_matching) {
        out.push(wrong(text, "it does not match the pattern", true));
    }
    // Other formats, such as `email`, are interpreted differently by those who validate them.
    if let Some(format) = schema["format"].as_str().filter(|format| ["date", "date-time", "uuid"].contains(format)) {
        out.push(wrong("2026-02-30", format!("it is not in the format {format}"), true));
    }
    out
}

fn numbers(schema: &Value) -> Vec<Wrong> {
    let mut out = Vec::new();
    if let Some(most) = schema["maximum"].as_i64() {
        match schema["exclusiveMaximum"] == true {
            true => out.push(wrong(most, format!("it is not less than {most}"), true)),
            false => out.push(wrong(most.saturating_add(1), format!("it is more than {most}"), true)),
        }
    }
    if let Some(least) = schema["minimum"].as_i64() {
        match schema["exclusiveMinimum"] == true {
            true => out.push(wrong(least, format!("it is not more than {least}"), true)),
            false => out.push(wrong(least.saturating_sub(1), format!("it is less than {least}"), true)),
        }
    }
    out
}
