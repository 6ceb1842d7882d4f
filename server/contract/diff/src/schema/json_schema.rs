//! Compares the keywords that only JSON Schema 2020-12 has: conditions, dependencies, `contains`, patterns of property names,
//! and the content of strings.
//!
//! Most of them apply a schema to a value in a place where accepting less means accepting fewer values, so that the
//! comparison of these schemas decides. Where they can have either effect, the change is risky.

mod change;
mod conditions;
mod dependencies;

use super::compare as compare_parts;
use super::equivalents::accepts_everything;
use super::view::{Others, View};
use crate::comparison::Comparison;
use change::{Change, report};
use countersign_contract_document::Node;
use std::collections::BTreeSet;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    contains(comparison, old, new);
    dependencies::dependent_required(comparison, old, new);
    dependencies::dependent_schemas(comparison, old, new);
    conditions::compare(comparison, old, new);
    patterns(comparison, old, new);
    property_names(comparison, old, new);
    content(comparison, old, new);
    evaluated_names(comparison, old, new);
}

/// Compares `contains` with its limits, which are 1 and none (JSON Schema Validation 2020-12, section 6.4).
fn contains<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    const KEY: &str = "contains";
    let count = |view: &View<'_>, key: &str| view.keyword(key).and_then(|at| at.value.as_f64());
    let least = |view: &View<'_>| count(view, "minContains").unwrap_or(1.0);
    let most = |view: &View<'_>| count(view, "maxContains");
    let has_effect = |view: &View<'_>| least(view) > 0.0 || most(view).is_some();
    // If every item counts, it limits the number of items.
    let schema = |view: &View<'d>| view.keyword(KEY).filter(|at| has_effect(view) && !accepts_everything(at));
    let (before, after) = (schema(old), schema(new));
    match (&before, &after) {
        (None, None) => {}
        (None, Some(_)) => comparison.report_schema_change(
            "contains-added",
            "an item of a certain kind is required",
            old.side(),
            new.side_at(KEY),
        ),
        (Some(_), None) => comparison.report_schema_change(
            "contains-removed",
            "no item of a certain kind is required any more",
            old.side_at(KEY),
            new.side(),
        ),
        (Some(before), Some(after)) => {
            let by_count = |order: Option<std::cmp::Ordering>| match order {
                Some(std::cmp::Ordering::Less) => Change::Narrower,
                Some(std::cmp::Ordering::Greater) => Change::Wider,
                _ => Change::None,
            };
            let lower = by_count(least(old).partial_cmp(&least(new)));
            let infinite = f64::INFINITY;
            let upper = by_count(most(new).unwrap_or(infinite).partial_cmp(&most(old).unwrap_or(infinite)));
            let items = match Change::between(comparison, before, after) {
                change if most(old).or(most(new)).is_none() => change,
                // Items that no longer match count neither for the lower limit nor for the upper one.
                Change::None => Change::None,
                _ => Change::Other,
            };
            let change = items.and(lower).and(upper);
            report(comparison, ("contains", "contains"), change, old.side_at(KEY), new.side_at(KEY));
        }
    }
}

/// Whether a schema that applies to the same value may have another effect besides its own: what it describes counts as
/// evaluated.
fn is_evaluated(old: &View<'_>, new: &View<'_>) -> bool {
    ["unevaluatedProperties", "unevaluatedItems"].iter().any(|key| old.keyword(key).or(new.keyword(key)).is_some())
}

fn pattern_names<'d>(view: &View<'d>) -> BTreeSet<&'d str> {
    view.keywords("patternProperties").flat_map(|at| at.entries().map(|(name, _)| name).collect::<Vec<_>>()).collect()
}

/// Reports listed properties and patterns that changed where a condition may have evaluated the same properties before, so
/// that they were allowed in spite of `unevaluatedProperties`.
fn evaluated_names<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let names = |view: &View<'d>| -> BTreeSet<&'d str> {
        let listed = view.keywords("properties").flat_map(|at| at.entries().map(|(name, _)| name).collect::<Vec<_>>());
        listed.chain(pattern_names(view)).collect()
    };
    let is_conditional = |view: &View<'_>| ["if", "dependentSchemas"].iter().any(|key| view.keyword(key).is_some());
    if is_evaluated(old, new) && (is_conditional(old) || is_conditional(new)) && names(old) != names(new) {
        let noun = "which properties a condition evaluates";
        report(comparison, ("condition", noun), Change::Other, old.side(), new.side());
    }
}

/// Compares `patternProperties`. Where one side has a pattern that the other lacks, it is compared with the schema for
/// other properties there.
fn patterns<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let (before, after) = (pattern_names(old), pattern_names(new));
    for pattern in before.union(&after).copied() {
        let (had, has) = (before.contains(pattern), after.contains(pattern));
        comparison.inside(format!("properties that match {pattern}"), |comparison| {
            match (old.others(), new.others()) {
                (Others::Forbidden, _) if !had => {
                    let message = "properties that match the pattern are allowed";
                    comparison.report_schema_change("pattern-properties-allowed", message, old.side(), new.side());
                }
                (_, Others::Forbidden) if !has => {
                    let message = "properties that match the pattern are no longer allowed";
                    comparison.report_schema_change("pattern-properties-forbidden", message, old.side(), new.side());
                }
                _ => compare_parts(comparison, old.pattern_property(pattern), new.pattern_property(pattern)),
            }
        });
    }
}

fn property_names<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    // Names are strings in any case.
    let says_more = |at: &Node<'d>| at.entries().any(|(key, at)| key != "type" || *at.value != "string");
    let (mut before, mut after) = (old.parts_under("propertyNames"), new.parts_under("propertyNames"));
    before.list.retain(says_more);
    after.list.retain(says_more);
    if !before.list.is_empty() || !after.list.is_empty() {
        comparison.inside("property names", |comparison| compare_parts(comparison, before, after));
    }
}

/// Compares the content of strings. `contentEncoding: base64` is `format: byte`, and is compared as a format.
fn content<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let text = |view: &View<'d>, key: &str| {
        let value = view.keyword(key)?.value.as_str()?.to_ascii_lowercase();
        let is_format = key == "contentEncoding" && value == "base64"
            || key == "contentMediaType" && value == "application/octet-stream";
        (!is_format).then_some(value)
    };
    for (key, change) in
        [("contentEncoding", "content-encoding-changed"), ("contentMediaType", "content-media-type-changed")]
    {
        if text(old, key) != text(new, key) {
            comparison.report_schema_change(change, format!("{key} changed"), old.side_at(key), new.side_at(key));
        }
    }
    let (before, after) = (old.parts_under("contentSchema"), new.parts_under("contentSchema"));
    if !before.list.is_empty() || !after.list.is_empty() {
        comparison.inside("content", |comparison| compare_parts(comparison, before, after));
    }
}
