//! Types, `null` and formats.

use super::view::View;
use crate::diff::at::At;
use crate::diff::comparison::{Comparison, Said};
use std::collections::BTreeSet;

/// Whether the comparison of what is in them makes sense.
pub(super) fn compare(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) -> bool {
    let (before, after) = (old.types(), new.types());
    let said = |view: &View<'_>, types: &Option<BTreeSet<&str>>| {
        let at = view.keyword("type").map(|at| at.pointer);
        at.map_or_else(|| view.said(), |at| Said::value(&at, in_words(types)))
    };
    if before != after {
        let (change, message) = match (fits(&before, &after), fits(&after, &before)) {
            (true, _) => ("type-widened", "more types are allowed"),
            (_, true) => ("type-narrowed", "fewer types are allowed"),
            _ => ("type-changed", "the type changed"),
        };
        let message = format!("{message}: {} → {}", in_words(&before), in_words(&after));
        comparison.tell_of_schema(change, message, said(old, &before), said(new, &after));
        if change == "type-changed" || before.is_none() || after.is_none() {
            return false;
        }
    }
    if before.is_some() || after.is_some() {
        match (old.is_nullable(), new.is_nullable()) {
            (false, true) => {
                comparison.tell_of_schema("became-nullable", "null is allowed", old.said(), new.said_at("nullable"))
            }
            (true, false) => comparison.tell_of_schema(
                "became-not-nullable",
                "null is no longer allowed",
                old.said_at("nullable"),
                new.said(),
            ),
            _ => {}
        }
    }
    true
}

fn in_words(types: &Option<BTreeSet<&str>>) -> String {
    match types {
        None => "any".to_owned(),
        Some(types) if types.is_empty() => "none".to_owned(),
        Some(types) => types.iter().copied().collect::<Vec<_>>().join(" or "),
    }
}

/// Whether whatever is of one of these types is of one of those.
fn fits(these: &Option<BTreeSet<&str>>, those: &Option<BTreeSet<&str>>) -> bool {
    match (these, those) {
        (_, None) => true,
        (None, _) => false,
        (Some(these), Some(those)) => {
            these.iter().all(|one| those.contains(one) || *one == "integer" && those.contains("number"))
        }
    }
}

/// Formats that hold all values of another one.
const WIDER: [(&str, &str); 2] = [("int32", "int64"), ("float", "double")];

/// Formats that say how to show a value, not which values there are.
const HINTS: [&str; 1] = ["password"];

fn format<'d>(view: &View<'d>) -> Option<At<'d>> {
    view.keyword("format").filter(|at| at.value.as_str().is_some_and(|text| !HINTS.contains(&text)))
}

pub(super) fn formats(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let (before, after) = (format(old), format(new));
    match (&before, &after) {
        (None, Some(after)) => {
            comparison.tell_of_schema("format-added", "a format was added", old.said(), Said::whole(after))
        }
        (Some(before), None) => {
            comparison.tell_of_schema("format-removed", "the format is gone", Said::whole(before), new.said())
        }
        (Some(before), Some(after)) if before.value != after.value => {
            let pair = (before.value.as_str().unwrap_or_default(), after.value.as_str().unwrap_or_default());
            let change = match () {
                () if WIDER.contains(&pair) => "format-widened",
                () if WIDER.contains(&(pair.1, pair.0)) => "format-narrowed",
                () => "format-changed",
            };
            comparison.tell_of_schema(change, "the format changed", Said::whole(before), Said::whole(after));
        }
        _ => {}
    }
}
