//! Compares types, `nullable` and formats.

use super::enums::closed_list;
use super::equivalents::have_same_types;
use super::view::{View, common, type_of};
use crate::change::{ChangeSide, SchemaContext};
use crate::comparison::Comparison;
use serde_json::Value;
use std::collections::BTreeSet;

type Types<'d> = Option<BTreeSet<&'d str>>;

/// Compares types. Returns whether comparing the other keywords makes sense.
pub(super) fn compare(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>, context: SchemaContext) -> bool {
    let (before, after) = (old.types(), new.types());
    // Of two lists of values, one may leave out the type.
    let is_listed = || {
        let has_type = |view: &View<'_>| view.keyword("type").is_some();
        (!has_type(old) || !has_type(new)) && lists_own_types(old) && lists_own_types(new)
    };
    if before == after || old.own_types() == new.own_types() || is_listed() || have_same_types(old, new) {
        // Other differences are reported for the alternatives.
        null(comparison, old, new, context);
        formats(comparison, old, new, |_| true);
        return true;
    }
    let side = |view: &View<'_>, types: &Types<'_>| {
        let at = view.keyword("type").map(|at| at.pointer);
        at.map_or_else(|| view.side(), |at| ChangeSide::with_value(&at, in_words(types)))
    };
    let is_text = comparison.is_text;
    let (change, message) = match (fits(&before, &after, is_text), fits(&after, &before, is_text)) {
        (true, _) => ("type-widened", "more types are allowed"),
        (_, true) => ("type-narrowed", "fewer types are allowed"),
        _ => ("type-changed", "the type changed"),
    };
    let message = format!("{message}: {} → {}", in_words(&before), in_words(&after));
    comparison.report_schema_change(change, message, side(old, &before), side(new, &after));
    match (before, after) {
        _ if change == "type-changed" => false,
        (Some(_), Some(_)) => {
            // Formats of numbers are not compared, because those of integers do not apply to numbers.
            null(comparison, old, new, context);
            if comparison.is_text {
                formats(comparison, old, new, |format| !is_numeric(format));
            }
            true
        }
        // Compared with a schema without a type, all keywords of the other one are new.
        (None, _) => says_more_than_type(old),
        (_, None) => says_more_than_type(new),
    }
}

/// Whether all values are listed, and are of its types.
fn lists_own_types(view: &View<'_>) -> bool {
    let types = view.types();
    let fits = |value: &Value| {
        let (Some(types), Some(own)) = (&types, type_of(value)) else { return true };
        types.contains(own) || own == "integer" && types.contains("number")
    };
    closed_list(view).is_some_and(|values| values.into_iter().all(fits))
}

fn says_more_than_type(view: &View<'_>) -> bool {
    const BOUNDS: [&str; 14] = [
        "enum",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "required",
    ];
    BOUNDS.iter().any(|key| view.keyword(key).is_some())
}

fn null(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>, context: SchemaContext) {
    let has_groups = !old.groups().is_empty() || !new.groups().is_empty();
    if context.null || has_groups && old.takes_null_beside_groups() == new.takes_null_beside_groups() {
        // A difference, if any, is reported for the alternatives.
        return;
    }
    match (old.takes_null(), new.takes_null()) {
        (false, true) => {
            comparison.report_schema_change("became-nullable", "null is allowed", old.side(), new.side_at("nullable"));
        }
        (true, false) => {
            let message = "null is no longer allowed";
            comparison.report_schema_change("became-not-nullable", message, old.side_at("nullable"), new.side());
        }
        _ => {}
    }
}

fn in_words(types: &Types<'_>) -> String {
    match types {
        None => "any".to_owned(),
        Some(types) if types.is_empty() => "none".to_owned(),
        Some(types) => types.iter().copied().collect::<Vec<_>>().join(" or "),
    }
}

/// Whether every value of these types has one of those types. Numbers and booleans serialized as text are strings.
fn fits(these: &Types<'_>, those: &Types<'_>, is_text: bool) -> bool {
    match (these, those) {
        (_, None) => true,
        (None, _) => false,
        (Some(these), Some(those)) if is_text && those.contains("string") => {
            these.iter().all(|one| those.contains(one) || ["integer", "number", "boolean"].contains(one))
        }
        (Some(these), Some(those)) => common(these, those).is_superset(these),
    }
}

/// Formats in ascending order: each includes all values of those before it in its line.
const WIDER: [&[&str]; 7] = [
    &["int8", "int16", "int32", "int64"],
    &["uint8", "uint16", "uint32", "uint64"],
    &["float", "double"],
    &["email", "idn-email"],
    &["hostname", "idn-hostname"],
    &["uri", "uri-reference", "iri-reference"],
    &["uri", "iri", "iri-reference"],
];

/// Formats that do not restrict values.
const HINTS: [&str; 1] = ["password"];

/// Whether a format is one of numbers.
fn is_numeric(format: &str) -> bool {
    ["int", "uint", "float", "double"].iter().any(|start| format.starts_with(start))
}

/// Compares the formats that `counts` accepts.
fn formats(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>, counts: impl Fn(&str) -> bool) {
    let of = |view: &View<'_>| -> BTreeSet<String> {
        let texts = view.keywords("format").filter_map(|at| at.value.as_str().map(str::to_owned));
        let content = |key: &str, value: &str, format: &str| {
            let is_set =
                view.keywords(key).any(|at| at.value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(value)));
            is_set.then(|| format.to_owned())
        };
        let encoded = content("contentEncoding", "base64", "byte");
        let binary = content("contentMediaType", "application/octet-stream", "binary").filter(|_| encoded.is_none());
        let texts = texts.filter(|text| !HINTS.contains(&text.as_str()));
        texts.chain(encoded).chain(binary).filter(|format| counts(format)).collect()
    };
    let (before, after) = (of(old), of(new));
    let is_wider = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        let at = |line: &[&str], set: &BTreeSet<String>| line.iter().position(|known| set.iter().eq([*known]));
        WIDER.iter().any(|line| at(line, one).zip(at(line, other)).is_some_and(|(one, other)| one > other))
    };
    let (change, message) = match () {
        () if before == after => return,
        () if before.is_empty() && after.iter().all(|format| is_numeric(format)) => {
            ("number-format-added", "a format of numbers was added")
        }
        () if before.is_subset(&after) => ("format-added", "a format was added"),
        () if after.is_subset(&before) => ("format-removed", "the format was removed"),
        () if is_wider(&after, &before) => ("format-widened", "the format changed"),
        () if is_wider(&before, &after) => ("format-narrowed", "the format changed"),
        () => ("format-changed", "the format changed"),
    };
    let side = |view: &View<'_>, formats: &BTreeSet<String>| {
        let shown = formats.iter().map(|text| Value::from(text.as_str()).to_string()).collect::<Vec<_>>().join(" and ");
        let at = view.keyword("format").filter(|_| !formats.is_empty());
        at.map_or_else(|| view.side(), |at| ChangeSide::with_value(&at.pointer, shown))
    };
    comparison.report_schema_change(change, message, side(old, &before), side(new, &after));
}
