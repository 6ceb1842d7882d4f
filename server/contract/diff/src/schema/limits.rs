//! Compares limits of numbers, lengths and counts.

use super::enums::closed_list;
use super::equivalents::{accepts_everything, has_no_further_items, possible_types};
use super::patterns::limits_have_effect;
use super::view::{Others, View};
use crate::change::ChangeSide;
use crate::comparison::Comparison;
use countersign_contract_document::Node;
use serde_json::Value;
use std::cmp::Ordering;

/// Keyword, stem of its rule ids, and whether it is an upper limit. A lower limit of zero is no limit.
const LIMITS: [(&str, &str, bool); 6] = [
    ("minLength", "min-length", false),
    ("maxLength", "max-length", true),
    ("minItems", "min-items", false),
    ("maxItems", "max-items", true),
    ("minProperties", "min-properties", false),
    ("maxProperties", "max-properties", true),
];

/// A limit with its JSON pointer.
pub(super) struct Limit {
    pub(super) value: f64,
    /// Whether the value itself is excluded.
    is_exclusive: bool,
    pointer: String,
    words: String,
}

pub(super) fn compare(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    if is_settled_by_lists(old, new) {
        return;
    }
    for (keyword, name, is_upper) in LIMITS {
        let kinds: &[&str] = match keyword {
            "minLength" | "maxLength" => &["string"],
            "minItems" | "maxItems" => &["array"],
            _ => &["object"],
        };
        let limit = |view: &View<'_>| {
            let limit = tightest(view, keyword, None, is_upper).filter(|_| may_be(view, kinds));
            limit.filter(|limit| has_effect((old, new), keyword, limit.value))
        };
        let limits = (limit(old), limit(new));
        let is_length = kinds == ["string"];
        if !is_length || limits_have_effect(comparison, (old, new), is_upper) {
            changed(comparison, name, is_upper, limits, (old, new));
        }
    }
    for (keyword, exclusive, is_upper) in
        [("minimum", "exclusiveMinimum", false), ("maximum", "exclusiveMaximum", true)]
    {
        let limit = |view: &View<'_>| {
            tightest(view, keyword, Some(exclusive), is_upper).filter(|_| may_be(view, &["number", "integer"]))
        };
        changed(comparison, keyword, is_upper, (limit(old), limit(new)), (old, new));
    }
    multiples(comparison, old, new);
    // Lists of one item have no equal ones.
    let has_several = |view: &View<'_>| tightest(view, "maxItems", None, true).is_none_or(|limit| limit.value > 1.0);
    match (old.is("uniqueItems"), new.is("uniqueItems")) {
        (false, true) if has_several(old) => comparison.report_schema_change(
            "unique-items-added",
            "items must differ",
            old.side(),
            new.side_at("uniqueItems"),
        ),
        (true, false) if has_several(new) => comparison.report_schema_change(
            "unique-items-removed",
            "items may be equal",
            old.side_at("uniqueItems"),
            new.side(),
        ),
        _ => {}
    }
}

/// Whether a limit can forbid anything that the other keywords allow on both sides.
fn has_effect(views: (&View<'_>, &View<'_>), keyword: &str, limit: f64) -> bool {
    let views = [views.0, views.1];
    #[expect(clippy::cast_precision_loss, reason = "properties in a document are few")]
    let is_count = |order: Ordering, count: usize| limit.partial_cmp(&(count as f64)) == Some(order);
    match keyword {
        "minLength" | "minItems" => limit > 0.0,
        "minProperties" => views.iter().all(|view| is_count(Ordering::Greater, always_there(view))),
        "maxProperties" => {
            let closed = views.iter().filter(|view| matches!(view.others(), Others::Forbidden));
            let mut closed = closed.filter(|view| view.keyword("patternProperties").is_none());
            closed.all(|view| is_count(Ordering::Less, view.property_names().len()))
        }
        "maxItems" => {
            let mut closed = views.iter().filter(|view| has_no_further_items(view));
            closed.all(|view| is_count(Ordering::Less, view.prefix_length()))
        }
        _ => true,
    }
}

/// Number of properties that all objects have, in requests and in responses.
fn always_there(view: &View<'_>) -> usize {
    let is_there = |name: &&str| {
        let property = View::of(view.document, &view.property(name));
        !property.is("readOnly") && !property.is("writeOnly")
    };
    view.required().into_keys().filter(is_there).count()
}

/// The integers between the limits of a schema of integers.
pub(super) fn integers(view: &View<'_>) -> Option<std::ops::RangeInclusive<i64>> {
    let limit = |keyword, exclusive, is_upper| {
        let value = tightest(view, keyword, Some(exclusive), is_upper)?.value;
        #[expect(clippy::cast_possible_truncation, reason = "the limit is an integer that is small enough")]
        (value.abs() < 1e15).then_some(value as i64)
    };
    Some(limit("minimum", "exclusiveMinimum", false)?..=limit("maximum", "exclusiveMaximum", true)?)
}

/// Whether a value may be of one of these types. Limits have no effect on values of others.
pub(super) fn may_be(view: &View<'_>, kinds: &[&str]) -> bool {
    view.types().is_none_or(|types| kinds.iter().any(|kind| types.contains(kind)))
}

/// The tightest of several limits.
pub(super) fn tightest(view: &View<'_>, keyword: &str, exclusive: Option<&str>, is_upper: bool) -> Option<Limit> {
    // Asked for only where there is a limit, because most schemas have none.
    let only_integers = || view.types().is_some_and(|types| types.iter().eq(&["integer"]));
    let limits = view.atoms().iter().flat_map(|at| {
        let own = at.get(keyword).and_then(|found| Some((found.value.as_f64()?, found)));
        own.into_iter().chain(count_of_any_item(at, keyword)).map(move |limit| (at, limit))
    });
    let limits = limits.map(|(at, (value, found))| {
        let is_exclusive = exclusive.is_some_and(|key| at.is(key));
        let written = Some(found.value).filter(|at| at.is_number()).map(Value::to_string);
        let words = written.unwrap_or_else(|| value.to_string()) + if is_exclusive { " (exclusive)" } else { "" };
        let pointer = found.pointer;
        // For integers, an exclusive minimum of 5 is a minimum of 6.
        let (value, is_exclusive) = match (only_integers(), is_upper) {
            (false, _) => (value, is_exclusive),
            (true, false) => (if is_exclusive { value.floor() + 1.0 } else { value.ceil() }, false),
            (true, true) => (if is_exclusive { value.ceil() - 1.0 } else { value.floor() }, false),
        };
        Limit { value, is_exclusive, pointer, words }
    });
    limits.reduce(|one, other| if tightness(&other, &one, is_upper) == Ordering::Greater { other } else { one })
}

/// The limit of the number of items that `contains` is if every item counts.
fn count_of_any_item<'d>(at: &Node<'d>, keyword: &str) -> Option<(f64, Node<'d>)> {
    let contains = at.get("contains").filter(accepts_everything)?;
    let limit = |key: &str| at.get(key).and_then(|found| Some((found.value.as_f64()?, found)));
    match keyword {
        "minItems" => limit("minContains").or(Some((1.0, contains))),
        "maxItems" => limit("maxContains"),
        _ => None,
    }
}

/// Whether the limits exclude each other for values of a type: one ends below the beginning of the other.
pub(super) fn exclude_each_other(one: &View<'_>, other: &View<'_>, kind: &str) -> bool {
    let (lower, upper, is_number) = match kind {
        "string" => ("minLength", "maxLength", false),
        "array" => ("minItems", "maxItems", false),
        "object" => ("minProperties", "maxProperties", false),
        "number" | "integer" => ("minimum", "maximum", true),
        _ => return false,
    };
    let exclusive = |key| Some(key).filter(|_| is_number);
    let ends_before = |one: &View<'_>, other: &View<'_>| {
        let end = tightest(one, upper, exclusive("exclusiveMaximum"), true);
        let begin = tightest(other, lower, exclusive("exclusiveMinimum"), false);
        end.zip(begin).is_some_and(|(end, begin)| {
            end.value < begin.value || end.value == begin.value && (end.is_exclusive || begin.is_exclusive)
        })
    };
    ends_before(one, other) || ends_before(other, one)
}

/// Compares limits by tightness; greater is tighter.
fn tightness(one: &Limit, other: &Limit, is_upper: bool) -> Ordering {
    let by_value = one.value.total_cmp(&other.value);
    let by_value = if is_upper { by_value.reverse() } else { by_value };
    by_value.then(one.is_exclusive.cmp(&other.is_exclusive))
}

fn changed(
    comparison: &mut Comparison<'_>,
    name: &str,
    is_upper: bool,
    limits: (Option<Limit>, Option<Limit>),
    views: (&View<'_>, &View<'_>),
) {
    let side = |limit: &Option<Limit>, view: &View<'_>| match limit {
        Some(limit) => ChangeSide::with_value(&limit.pointer, &limit.words),
        None => view.side(),
    };
    let (tighter, looser) = if is_upper { ("decreased", "increased") } else { ("increased", "decreased") };
    let what = match &limits {
        (None, Some(_)) => "added",
        (Some(_), None) => "removed",
        (Some(before), Some(after)) => match tightness(after, before, is_upper) {
            Ordering::Greater => tighter,
            Ordering::Less => looser,
            Ordering::Equal => return,
        },
        (None, None) => return,
    };
    let message = format!(
        "{} {}",
        name.replace('-', " "),
        match what {
            "added" => "was added",
            "removed" => "was removed",
            other => other,
        }
    );
    comparison.report_schema_change(
        &format!("{name}-{what}"),
        message,
        side(&limits.0, views.0),
        side(&limits.1, views.1),
    );
}

fn multiples(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let are_integers = |view: &View<'_>| possible_types(view).is_some_and(|types| types.iter().eq(&["integer"]));
    let only_integers = are_integers(old) && are_integers(new);
    let is_multiple = |one: f64, other: f64| other != 0.0 && (one / other - (one / other).round()).abs() < 1e-9;
    let of = |view: &View<'_>| -> Vec<f64> {
        let only_integers = only_integers || view.types().is_some_and(|types| types.iter().eq(&["integer"]));
        let numbers = view.keywords("multipleOf").filter_map(|at| at.value.as_f64()).collect::<Vec<_>>();
        numbers.into_iter().filter(|number| !(only_integers && is_multiple(1.0, *number))).collect()
    };
    let (before, after) = (of(old), of(new));
    let follows =
        |these: &[f64], from: &[f64]| these.iter().all(|number| from.iter().any(|other| is_multiple(*other, *number)));
    let change = match (follows(&after, &before), follows(&before, &after)) {
        (true, true) => return,
        (false, true) => "multiple-of-added",
        (true, false) => "multiple-of-removed",
        (false, false) => "multiple-of-changed",
    };
    comparison.report_schema_change(change, "multipleOf changed", old.side_at("multipleOf"), new.side_at("multipleOf"));
}

/// Whether a value is within the limits and patterns of a view.
pub(super) fn accepts(view: &View<'_>, value: &Value) -> bool {
    let count = |length: usize, least: &str, most: &str| {
        #[expect(clippy::cast_precision_loss, reason = "lengths of values in a document are small")]
        let length = length as f64;
        tightest(view, least, None, false).is_none_or(|limit| length >= limit.value)
            && tightest(view, most, None, true).is_none_or(|limit| length <= limit.value)
    };
    match value {
        Value::String(text) => {
            let matches = |at: &Value| {
                let pattern = at.as_str().and_then(|pattern| regress::Regex::with_flags(pattern, "u").ok());
                pattern.is_some_and(|pattern| pattern.find(text).is_some())
            };
            count(text.chars().count(), "minLength", "maxLength")
                && view.keywords("pattern").all(|at| matches(at.value))
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            let is_multiple = |step: f64| ((number / step) - (number / step).round()).abs() < 1e-9;
            tightest(view, "minimum", Some("exclusiveMinimum"), false)
                .is_none_or(|limit| number > limit.value || number == limit.value && !limit.is_exclusive)
                && tightest(view, "maximum", Some("exclusiveMaximum"), true)
                    .is_none_or(|limit| number < limit.value || number == limit.value && !limit.is_exclusive)
                && view.keywords("multipleOf").filter_map(|at| at.value.as_f64()).all(is_multiple)
        }
        Value::Array(items) => count(items.len(), "minItems", "maxItems") && !view.is("uniqueItems"),
        Value::Object(entries) => count(entries.len(), "minProperties", "maxProperties"),
        Value::Null | Value::Bool(_) => true,
    }
}

/// Whether a side lists its values and the limits of both sides accept all of them, so that the limits have no effect.
pub(super) fn is_settled_by_lists(old: &View<'_>, new: &View<'_>) -> bool {
    let lists = [closed_list(old), closed_list(new)];
    lists.iter().any(Option::is_some)
        && lists.into_iter().flatten().flatten().all(|value| accepts(old, value) && accepts(new, value))
}
