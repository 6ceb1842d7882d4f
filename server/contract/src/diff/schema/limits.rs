//! Limits: of numbers, lengths, counts, and patterns.

use super::view::View;
use crate::diff::comparison::{Comparison, Said};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Keyword, the name of its rules, and whether more of it takes more. Lower limits of zero are none.
const LIMITS: [(&str, &str, bool); 6] = [
    ("minLength", "min-length", false),
    ("maxLength", "max-length", true),
    ("minItems", "min-items", false),
    ("maxItems", "max-items", true),
    ("minProperties", "min-properties", false),
    ("maxProperties", "max-properties", true),
];

/// A limit, and where it is said.
struct Limit {
    value: f64,
    /// Whether the value itself is beyond it.
    is_exclusive: bool,
    pointer: String,
    words: String,
}

pub(super) fn compare(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    for (keyword, name, is_upper) in LIMITS {
        let limit =
            |view: &View<'_>| tightest(view, keyword, None, is_upper).filter(|limit| is_upper || limit.value > 0.0);
        changed(comparison, name, is_upper, (limit(old), limit(new)), (old, new));
    }
    for (keyword, exclusive, is_upper) in
        [("minimum", "exclusiveMinimum", false), ("maximum", "exclusiveMaximum", true)]
    {
        let limit = |view: &View<'_>| tightest(view, keyword, Some(exclusive), is_upper);
        changed(comparison, keyword, is_upper, (limit(old), limit(new)), (old, new));
    }
    multiples(comparison, old, new);
    patterns(comparison, old, new);
    match (old.is("uniqueItems"), new.is("uniqueItems")) {
        (false, true) => {
            comparison.tell_of_schema("unique-items-added", "items must differ", old.said(), new.said_at("uniqueItems"))
        }
        (true, false) => comparison.tell_of_schema(
            "unique-items-removed",
            "items may be equal",
            old.said_at("uniqueItems"),
            new.said(),
        ),
        _ => {}
    }
}

fn tightest(view: &View<'_>, keyword: &str, exclusive: Option<&str>, is_upper: bool) -> Option<Limit> {
    let limits = view.atoms().iter().filter_map(|at| {
        let found = at.get(keyword)?;
        let value = found.value.as_f64()?;
        let is_exclusive = exclusive.is_some_and(|key| at.is(key));
        let words = format!("{}{}", found.value, if is_exclusive { " (exclusive)" } else { "" });
        Some(Limit { value, is_exclusive, pointer: found.pointer, words })
    });
    limits.reduce(|one, other| if tightness(&other, &one, is_upper) == Ordering::Greater { other } else { one })
}

/// Which of two limits takes less; greater is tighter.
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
    let said = |limit: &Option<Limit>, view: &View<'_>| match limit {
        Some(limit) => Said::value(&limit.pointer, &limit.words),
        None => view.said(),
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
            "removed" => "is gone",
            other => other,
        }
    );
    comparison.tell_of_schema(&format!("{name}-{what}"), message, said(&limits.0, views.0), said(&limits.1, views.1));
}

fn multiples(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let of = |view: &View<'_>| view.keyword("multipleOf").and_then(|at| at.value.as_f64());
    let is_multiple = |one: f64, other: f64| other != 0.0 && (one / other - (one / other).round()).abs() < 1e-9;
    let change = match (of(old), of(new)) {
        (None, Some(_)) => "multiple-of-added",
        (Some(_), None) => "multiple-of-removed",
        (Some(before), Some(after)) if before.total_cmp(&after) == Ordering::Equal => return,
        (Some(before), Some(after)) if is_multiple(after, before) => "multiple-of-added",
        (Some(before), Some(after)) if is_multiple(before, after) => "multiple-of-removed",
        (Some(_), Some(_)) => "multiple-of-changed",
        (None, None) => return,
    };
    comparison.tell_of_schema(change, "multipleOf changed", old.said_at("multipleOf"), new.said_at("multipleOf"));
}

fn patterns(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let of = |view: &View<'_>| {
        view.keywords("pattern").filter_map(|at| at.value.as_str().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let (before, after) = (of(old), of(new));
    let change = match () {
        () if before == after => return,
        () if before.is_subset(&after) => "pattern-added",
        () if after.is_subset(&before) => "pattern-removed",
        () => "pattern-changed",
    };
    let said = |view: &View<'_>, patterns: &BTreeSet<String>| {
        let all =
            patterns.iter().map(|pattern| Value::from(pattern.as_str()).to_string()).collect::<Vec<_>>().join(" and ");
        view.keyword("pattern").map_or_else(|| view.said(), |at| Said::value(&at.pointer, all))
    };
    comparison.tell_of_schema(change, "the pattern changed", said(old, &before), said(new, &after));
}
