//! Compares alternatives: `oneOf` and `anyOf`.
//!
//! If only one side has alternatives, the other schema is compared with each of them. If both have, the lists are compared,
//! and the rest of the schemas separately.

use super::equivalents::{accepts_everything, have_same_types, lists_types};
use super::view::{Group, View, common};
use super::{Parts, compare as compare_parts, discriminators, does_harm, overlap};
use crate::change::{ChangeSide, Direction, SchemaContext, abbreviated_json};
use crate::comparison::Comparison;
use countersign_contract_document::{Document, Node};
use std::collections::{BTreeMap, BTreeSet};

/// Compares alternatives, if there are any. Returns whether that covers the schemas completely.
pub(super) fn compare<'d>(
    comparison: &mut Comparison<'d>,
    old: &View<'d>,
    new: &View<'d>,
    outer: SchemaContext,
) -> bool {
    let (mut before, mut after) = (old.groups(), new.groups());
    if before.len() + after.len() == 1 && have_same_types(old, new) {
        before.retain(|group| !lists_types(group));
        after.retain(|group| !lists_types(group));
    }
    let (had, has) = match (before.first(), after.first()) {
        (None, None) => {
            discriminators::compare(comparison, (old, &[]), (new, &[]), &BTreeMap::new());
            return false;
        }
        (None, Some(after)) => (Alternatives::only(old), Alternatives::within(new, after)),
        (Some(before), None) => (Alternatives::within(old, before), Alternatives::only(new)),
        (Some(_), Some(_)) => {
            // Changes of `nullable` in the alternatives are ignored where they have no effect.
            let is_settled = |view: &View<'_>| matches!(view.takes_null_beside_groups(), [one, other] if one == other);
            let null = outer.null || is_settled(old) && is_settled(new);
            for (before, after) in before.iter().zip(&after) {
                let lists_of = (Alternatives::alone(before), Alternatives::alone(after));
                lists(comparison, (old, &lists_of.0), (new, &lists_of.1), null);
            }
            for group in before.iter().skip(after.len()) {
                let message = "a list of alternatives was removed";
                comparison.report_schema_change(
                    "alternatives-removed",
                    message,
                    ChangeSide::at_pointer(&group.pointer),
                    new.side(),
                );
            }
            for group in after.iter().skip(before.len()) {
                let message = "values must match a further list of alternatives";
                comparison.report_schema_change(
                    "alternatives-added",
                    message,
                    old.side(),
                    ChangeSide::at_pointer(&group.pointer),
                );
            }
            return false;
        }
    };
    lists(comparison, (old, &had), (new, &has), outer.null);
    true
}

/// A list of alternatives.
pub(super) struct Alternatives<'d> {
    /// `oneOf` or `anyOf`; `None` for a schema that is its own only alternative.
    pub(super) kind: Option<&'static str>,
    pub(super) pointer: String,
    pub(super) list: Vec<Parts<'d>>,
}

impl<'d> Alternatives<'d> {
    /// The alternatives without the rest of the schema.
    fn alone(group: &Group<'d>) -> Self {
        let one = |at: &Node<'d>| Parts { list: vec![at.clone()], holder: group.pointer.clone(), chosen: Vec::new() };
        Self { kind: Some(group.kind), pointer: group.pointer.clone(), list: group.list.iter().map(one).collect() }
    }

    /// The alternatives, each merged with the rest of the schema.
    fn within(view: &View<'d>, group: &Group<'d>) -> Self {
        let one = |at: &Node<'d>| {
            let mut parts = view.parts.clone();
            parts.chosen.push((group.pointer.clone(), at.clone()));
            parts
        };
        Self { kind: Some(group.kind), pointer: group.pointer.clone(), list: group.list.iter().map(one).collect() }
    }

    /// Whether any value matches one of the alternatives.
    fn accepts_everything(&self) -> bool {
        self.kind == Some("anyOf") && self.list.iter().any(|one| one.face().is_some_and(accepts_everything))
    }

    fn only(view: &View<'d>) -> Self {
        Self { kind: None, pointer: view.place().to_owned(), list: vec![view.parts.clone()] }
    }
}

fn lists<'d>(
    comparison: &mut Comparison<'d>,
    (old, had): (&View<'d>, &Alternatives<'d>),
    (new, has): (&View<'d>, &Alternatives<'d>),
    null: bool,
) {
    if let (Some(before), Some(after)) = (had.kind, has.kind)
        && before != after
        && [(old, had), (new, has)].iter().any(|(view, list)| overlap::is_possible(&comparison.languages, view, list))
    {
        let change = if after == "anyOf" { "one-of-became-any-of" } else { "any-of-became-one-of" };
        let message = format!("{before} became {after}");
        comparison.report_schema_change(
            change,
            message,
            ChangeSide::with_value(&had.pointer, before),
            ChangeSide::with_value(&has.pointer, after),
        );
    }
    let pairs = pairs(comparison, had, has);
    discriminators::compare(comparison, (old, &had.list), (new, &has.list), &pairs);
    overlap::compare(comparison, (old, had), (new, has), &pairs);
    let is_open =
        |alternatives: &Alternatives<'d>, document| alternatives.list.iter().any(|one| takes_any_text(document, one));
    let any_text = is_open(had, comparison.old) && is_open(has, comparison.new);
    for (_, one) in had.list.iter().enumerate().filter(|(index, _)| !pairs.contains_key(index)) {
        let is_redundant = has.kind != Some("oneOf")
            && !comparison.is_dry_run
            && has.list.iter().any(|other| !does_harm(comparison, Direction::Request, one, other));
        let change = if is_redundant { "redundant-alternative-removed" } else { "alternative-removed" };
        let message = format!("the alternative {} was removed", name(one));
        comparison.report_schema_change(
            change,
            message,
            ChangeSide::with_value(one.pointer(), name(one)),
            ChangeSide::at_pointer(&has.pointer),
        );
    }
    let known: BTreeSet<usize> = pairs.values().copied().collect();
    for (_, one) in has.list.iter().enumerate().filter(|(index, _)| !known.contains(index)) {
        let is_redundant = had.kind != Some("oneOf")
            && !comparison.is_dry_run
            && had.list.iter().any(|other| !does_harm(comparison, Direction::Response, other, one));
        let change = if is_redundant { "redundant-alternative-added" } else { "alternative-added" };
        let message = format!("the alternative {} was added", name(one));
        comparison.report_schema_change(
            change,
            message,
            ChangeSide::at_pointer(&had.pointer),
            ChangeSide::with_value(one.pointer(), name(one)),
        );
    }
    // Beside an alternative that accepts everything, the others decide nothing.
    let is_settled = has.accepts_everything() && had.accepts_everything();
    for (from, to) in pairs.into_iter().filter(|_| !is_settled) {
        let (before, after) = (had.list[from].clone(), has.list[to].clone());
        comparison.inside(name(&after), |comparison| {
            comparison.context = SchemaContext { any_text, null };
            comparison.is_alternative = true;
            compare_parts(comparison, before, after);
        });
    }
}

/// The name of an alternative in messages: that of its schema, its title, or its type.
fn name(parts: &Parts<'_>) -> String {
    let face = parts.face();
    let own = |key: &str| face.and_then(|at| at.text(key));
    parts
        .name()
        .or_else(|| own("title"))
        .or_else(|| own("type"))
        .map_or_else(|| face.map_or_else(String::new, |at| abbreviated_json(at.value)), str::to_owned)
}

/// Pairs old and new alternatives, the most similar ones first.
fn pairs<'d>(comparison: &Comparison<'d>, old: &Alternatives<'d>, new: &Alternatives<'d>) -> BTreeMap<usize, usize> {
    let is_same = |(before, after): (&Parts<'d>, &Parts<'d>)| {
        before.face().zip(after.face()).is_some_and(|(before, after)| before.value == after.value)
    };
    // Those that are written in the same words need no search, however many there are.
    if old.list.len() == new.list.len() && old.list.iter().zip(&new.list).all(is_same) {
        return (0..old.list.len()).map(|index| (index, index)).collect();
    }
    let mut scores = Vec::new();
    for (from, before) in old.list.iter().enumerate() {
        for (to, after) in new.list.iter().enumerate() {
            let score = likeness(comparison, before, after);
            if score > 0 {
                scores.push((std::cmp::Reverse(score), from.abs_diff(to), from, to));
            }
        }
    }
    scores.sort();
    let (mut out, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (.., from, to) in scores {
        if !out.contains_key(&from) && !taken.contains(&to) {
            taken.insert(to);
            out.insert(from, to);
        }
    }
    out
}

fn likeness<'d>(comparison: &Comparison<'d>, old: &Parts<'d>, new: &Parts<'d>) -> usize {
    if let (Some(before), Some(after)) = (old.face(), new.face()) {
        if comparison.unchanged.holds(before, after) {
            return 1_000;
        }
        if old.name().is_some() && old.name() == new.name() {
            return 900;
        }
        if let (Some(before), Some(after)) = (before.text("title"), after.text("title"))
            && before == after
        {
            return 800;
        }
    }
    let (before, after) = (View::of(comparison.old, old), View::of(comparison.new, new));
    let by_type = match (before.types(), after.types()) {
        (one, other) if one == other => 100,
        // Integers may have become numbers.
        (Some(one), Some(other)) if !common(&one, &other).is_empty() => 50,
        _ => return 0,
    };
    let names = |view: &View<'d>| -> BTreeSet<&'d str> {
        view.property_names().into_iter().chain(view.required().into_keys()).collect()
    };
    let (had, has) = (names(&before), names(&after));
    let (common, all) = (had.intersection(&has).count(), had.union(&has).count());
    match all {
        // Of several strings, those with an enum belong together.
        0 => {
            by_type + if before.lists_of_values().is_empty() == after.lists_of_values().is_empty() { 300 } else { 200 }
        }
        // Objects without a common property do not belong together.
        _ if common == 0 => 0,
        _ => by_type + common * 300 / all,
    }
}

/// Whether an alternative accepts any string, so that sibling enums are open.
fn takes_any_text<'d>(document: &'d Document, parts: &Parts<'d>) -> bool {
    let view = View::of(document, parts);
    let bounds = ["pattern", "format", "minLength", "maxLength", "not"];
    view.types().is_some_and(|types| types.contains("string"))
        && view.lists_of_values().is_empty()
        && view.groups().is_empty()
        && bounds.iter().all(|key| view.keyword(key).is_none())
}
