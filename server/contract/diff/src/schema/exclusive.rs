//! Decides whether two schemas exclude each other, so that no value matches both.
//!
//! They do if, for each type that both accept, something is told apart: listed values, limits, texts by their patterns and
//! formats, the first item of lists, or a property that both require. A schema with alternatives does if each of them does.

use super::enums::closed_list;
use super::view::{Others, View, common};
use super::{limits, patterns};
use crate::language::{Languages, Texts};
use countersign_contract_document::is_same_value;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeSet;

/// Greatest depth of properties and items by which schemas are told apart.
const DEEPEST: usize = 4;

/// Most pairs of schemas that are looked at for one answer.
const MOST_PAIRS: usize = 400;

/// Formats of which no text is in two.
const EXCLUSIVE_FORMATS: [&str; 8] = ["date", "date-time", "duration", "email", "ipv4", "ipv6", "time", "uuid"];

/// Whether no value with only the known properties of `home` matches both schemas.
pub(super) fn exclude_each_other(
    languages: &Languages,
    other: &View<'_>,
    home: &View<'_>,
    known: &BTreeSet<&str>,
) -> bool {
    Exclusion { languages, pairs_left: Cell::new(MOST_PAIRS) }.holds(other, home, known, DEEPEST)
}

/// The types that a schema accepts, which tell most alternatives apart.
pub(super) struct Types<'d> {
    /// `None` for any type.
    named: Option<BTreeSet<&'d str>>,
    null: bool,
}

impl<'d> Types<'d> {
    pub(super) fn of(view: &View<'d>) -> Self {
        Self { named: view.types(), null: view.takes_null() }
    }

    /// Those that both schemas accept.
    fn common(&self, other: &Self) -> Self {
        let named = match (&self.named, &other.named) {
            (Some(one), Some(other)) => Some(common(one, other)),
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        Self { named, null: self.null && other.null }
    }

    /// Whether no value has a type that both schemas accept.
    pub(super) fn exclude_each_other(&self, other: &Self) -> bool {
        let common = self.common(other);
        !common.null && common.named.is_some_and(|types| types.is_empty())
    }
}

struct Exclusion<'l> {
    languages: &'l Languages,
    pairs_left: Cell<usize>,
}

impl Exclusion<'_> {
    fn holds(&self, other: &View<'_>, home: &View<'_>, known: &BTreeSet<&str>, depth: usize) -> bool {
        let Some(left) = self.pairs_left.get().checked_sub(1) else { return false };
        self.pairs_left.set(left);
        let Types { named: Some(types), null: false } = Types::of(other).common(&Types::of(home)) else { return false };
        let is_apart = |kind: &str| {
            limits::exclude_each_other(other, home, kind)
                || match kind {
                    "string" => formats_differ(other, home) || self.texts_differ(other, home),
                    "number" | "integer" => numbers_differ(other, home) || numbers_differ(home, other),
                    "array" => self.items_differ(other, home, depth),
                    "object" => self.objects_differ(other, home, known, depth),
                    _ => false,
                }
        };
        values_differ(other, home)
            || types.into_iter().all(is_apart)
            || each_alternative(other, |other| self.holds(other, home, known, depth))
            || {
                // A client that sends one alternative of `home` may send properties of the others as well.
                let known = alternatives(home).iter().fold(known.clone(), |known, one| &known | &one.property_names());
                each_alternative(home, |home| self.holds(other, home, &known, depth))
            }
    }

    fn texts_differ(&self, one: &View<'_>, other: &View<'_>) -> bool {
        let mut both = patterns::texts(one).and(patterns::texts(other));
        for list in [one, other].into_iter().filter_map(closed_list) {
            both = both.and(Texts::listed(list.into_iter().filter_map(Value::as_str)));
        }
        !both.patterns.is_empty() && self.languages.is_empty(&both)
    }

    /// Whether the first items differ, of lists with at least one.
    fn items_differ(&self, one: &View<'_>, other: &View<'_>, depth: usize) -> bool {
        let has_items =
            |view: &View<'_>| limits::tightest(view, "minItems", None, false).is_some_and(|limit| limit.value >= 1.0);
        let (first, rival) = (View::of(one.document, &one.item(0)), View::of(other.document, &other.item(0)));
        depth > 0 && (has_items(one) || has_items(other)) && self.parts_differ(&first, &rival, depth - 1)
    }

    fn objects_differ(&self, other: &View<'_>, home: &View<'_>, known: &BTreeSet<&str>, depth: usize) -> bool {
        let (needs, needed) = (other.required(), home.required());
        // Senders of `home` only send known properties, if there are any.
        let keeps_to_known = match home.others() {
            Others::Forbidden => true,
            _ => home.keyword("additionalProperties").is_none() && home.groups().is_empty() && !known.is_empty(),
        };
        let listed = other.property_names();
        // Patterns list further names, and so may alternatives, beside which `unevaluatedProperties` closes an object.
        let lists_all = other.keyword("patternProperties").is_none() && other.groups().is_empty();
        let is_closed = lists_all && matches!(other.others(), Others::Forbidden);
        keeps_to_known && needs.keys().any(|name| !known.contains(name))
            || is_closed && needed.keys().any(|name| !listed.contains(name))
            || depth > 0
                && needs.keys().filter(|name| needed.contains_key(*name)).any(|name| {
                    let one = View::of(other.document, &other.property(name));
                    let two = View::of(home.document, &home.property(name));
                    self.parts_differ(&one, &two, depth - 1)
                })
    }

    fn parts_differ(&self, one: &View<'_>, other: &View<'_>, depth: usize) -> bool {
        self.holds(one, other, &(&one.property_names() | &other.property_names()), depth)
    }
}

/// A schema with each of its alternatives chosen, of the first group that it has.
fn alternatives<'d>(view: &View<'d>) -> Vec<View<'d>> {
    let group = view.groups().into_iter().next();
    let chosen = group.map(|group| group.list.into_iter().map(|one| view.with_choice(&group.pointer, one)).collect());
    chosen.unwrap_or_default()
}

/// Whether something holds for each of the alternatives of a schema, if it has some.
fn each_alternative<'d>(view: &View<'d>, holds: impl Fn(&View<'d>) -> bool) -> bool {
    let alternatives = alternatives(view);
    !alternatives.is_empty() && alternatives.iter().all(holds)
}

fn values_differ(one: &View<'_>, other: &View<'_>) -> bool {
    let lists = closed_list(one).zip(closed_list(other));
    lists.is_some_and(|(one, other)| !one.iter().any(|value| other.iter().any(|known| is_same_value(value, known))))
}

/// Whether the numbers that one side lists are beyond the limits of the other.
fn numbers_differ(one: &View<'_>, other: &View<'_>) -> bool {
    let is_beyond = |value: &&Value| !value.is_number() || !limits::accepts(other, value);
    closed_list(one).is_some_and(|list| list.iter().all(is_beyond))
}

fn formats_differ(one: &View<'_>, other: &View<'_>) -> bool {
    let formats = |view: &View<'_>| -> BTreeSet<&'static str> {
        let named = view.keywords("format").filter_map(|at| at.value.as_str());
        named.filter_map(|name| EXCLUSIVE_FORMATS.into_iter().find(|known| *known == name)).collect()
    };
    formats(one).iter().any(|format| formats(other).iter().any(|known| known != format))
}

#[cfg(test)]
mod tests {
    use super::EXCLUSIVE_FORMATS;
    use countersign_contract_validate::formats::examples;
    use countersign_contract_validate::json_schema::compile;
    use serde_json::json;

    #[test]
    fn no_text_is_in_two_of_the_exclusive_formats() {
        for format in EXCLUSIVE_FORMATS {
            let validator = compile(&json!({"format": format})).expect("a schema");
            for other in EXCLUSIVE_FORMATS {
                assert!(!examples(other).is_empty(), "{other}");
                for text in examples(other) {
                    assert_eq!(validator.is_valid(&json!(text)), format == other, "{text} as {format}");
                }
            }
        }
    }
}
