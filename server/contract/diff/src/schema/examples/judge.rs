//! Lets a validator of another make decide which value shows a change.

use super::effort::evaluations;
use super::subject::Subject;
use crate::change::Direction;
use crate::comparison::Origin;
use crate::schema::Parts;
use countersign_contract_validate::json_schema::{self, Extra, json_schema_of_parts};
use countersign_contract_validate::{formats, nearest};
use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Value, json};

const EXHAUSTED: &str = "none was looked for, because there are very many findings";
const ENDLESS: &str = "the schema refers to itself for the same value";
const LARGE: &str = "the schema refers to very many others";
const TANGLED: &str = "the alternatives of the schema lead to others in very many ways";
const UNUSABLE: &str = "the validator cannot read the schema";
const IMPOSSIBLE: &str = "no value that was tried is valid by the schema that accepts more";

/// Most schemas that a validator may have to apply to one value.
const MOST_EVALUATIONS: u64 = 20_000;

/// The first value that shows the change best; `None` if no value does.
///
/// Senders are assumed to send documented properties only, unless `extra` is allowed.
pub(super) fn best(
    origin: &Origin<'_>,
    values: &[Value],
    subject: &Subject,
    extra: Extra,
    keywords_left: &mut usize,
) -> Result<Option<Value>, &'static str> {
    let schemas = &origin.schemas.whole;
    let (accepting, rejecting, one_way) = match origin.direction {
        Direction::Request => (&schemas.old, &schemas.new, "readOnly"),
        Direction::Response => (&schemas.new, &schemas.old, "writeOnly"),
    };
    let mut compile = |parts: &Parts<'_>, extra| compile(parts, values, extra, one_way, keywords_left);
    let (accepting_side, rejecting_side) = (compile(accepting, Extra::Allowed)?, compile(rejecting, Extra::Allowed)?);
    let is_rejected = |value: &Value| readings(value, origin.is_text).iter().all(|one| !rejecting_side.is_valid(one));
    let shows = |value: &&Value| subject.suits(value) && accepting_side.is_valid(value) && is_rejected(value);
    let mut ranked: Vec<(usize, &Value)> = values
        .iter()
        .filter(shows)
        .filter_map(|value| {
            let readings = readings(value, origin.is_text);
            Some((readings.iter().find_map(|one| other_errors(&rejecting_side, one, subject))?, value))
        })
        .collect();
    if ranked.is_empty() {
        let is_possible = values.iter().any(|value| accepting_side.is_valid(value));
        return if is_possible { Ok(None) } else { Err(IMPOSSIBLE) };
    }
    ranked.sort_by_key(|(others, _)| *others);
    let strict = compile(accepting, extra)?;
    Ok(ranked.into_iter().map(|(_, value)| value).find(|value| strict.is_valid(value)).cloned())
}

fn compile(
    parts: &Parts<'_>,
    values: &[Value],
    extra: Extra,
    one_way: &'static str,
    keywords_left: &mut usize,
) -> Result<Validator, &'static str> {
    let mut translated = json_schema_of_parts(&parts.list, values, extra, one_way).ok_or(LARGE)?;
    if translated.is_endless {
        return Err(ENDLESS);
    }
    if evaluations(&translated.schema) > MOST_EVALUATIONS {
        return Err(TANGLED);
    }
    *keywords_left = keywords_left.checked_sub(keywords(&translated.schema)).ok_or(EXHAUSTED)?;
    assert_formats(&mut translated.schema);
    json_schema::compile_with_base64(&translated.schema).map_err(|_| UNUSABLE)
}

/// Adds what validators ignore: the limits that the formats of integers stand for, and that text in Base64 has to be that.
fn assert_formats(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            entries.values_mut().for_each(assert_formats);
            let text = |key: &str| entries.get(key).and_then(Value::as_str);
            let limits = text("format").and_then(formats::range);
            let limits = limits.map(|(least, most)| json!({"minimum": least, "maximum": most}));
            let is_base64 = text("contentEncoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"));
            let added: Vec<Value> = limits.into_iter().chain(is_base64.then(|| json!({"format": "byte"}))).collect();
            if !added.is_empty()
                && let Some(parts) = entries.entry("allOf").or_insert_with(|| json!([])).as_array_mut()
            {
                parts.extend(added);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(assert_formats),
        _ => {}
    }
}

/// Number of keywords and values in a schema, as a measure of what compiling it takes.
fn keywords(schema: &Value) -> usize {
    match schema {
        Value::Object(entries) => entries.values().map(keywords).sum::<usize>() + entries.len(),
        Value::Array(items) => items.iter().map(keywords).sum(),
        _ => 1,
    }
}

/// How a recipient may read a value. As text, `"1"` and `1` are the same, and null has no form.
fn readings(value: &Value, is_text: bool) -> Vec<Value> {
    let mut out = vec![value.clone()];
    match value {
        _ if !is_text => {}
        Value::String(text) => {
            out.extend(
                serde_json::from_str::<Value>(text).ok().filter(|other| !other.is_array() && !other.is_object()),
            );
        }
        Value::Number(_) | Value::Bool(_) => out.push(value.to_string().into()),
        _ => {}
    }
    out
}

/// Number of errors about other changes; `None` if no error is about the one to show.
fn other_errors(validator: &Validator, value: &Value, subject: &Subject) -> Option<usize> {
    let errors: Vec<ValidationError<'_>> = validator.iter_errors(value).collect();
    let errors: Vec<&ValidationError<'_>> = errors.iter().flat_map(nearest).collect();
    let shown = errors.iter().filter(|error| is_shown(subject, error)).count();
    (shown > 0).then(|| errors.len() - shown)
}

fn is_shown(subject: &Subject, error: &ValidationError<'_>) -> bool {
    let missing = match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str(),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            return context.iter().flatten().any(|inner| is_shown(subject, inner));
        }
        _ => None,
    };
    subject.is_shown_by(error.kind().keyword(), missing)
}
