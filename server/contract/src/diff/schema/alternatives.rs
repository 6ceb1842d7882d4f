//! Alternatives: `oneOf` and `anyOf`, and the discriminator that tells them apart.

use super::view::View;
use super::{Parts, compare as compare_parts};
use crate::diff::at::{At, words};
use crate::diff::comparison::{Comparison, Said};
use crate::document::Document;
use std::collections::{BTreeMap, BTreeSet};

/// Compares alternatives, where there are some; whether that says all there is to say about the two.
pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) -> bool {
    let (before, after) = (Alternatives::of(old), Alternatives::of(new));
    let (had, has) = match (before, after) {
        (None, None) => return false,
        // What was the only one is one of several now, or the other way round.
        (None, Some(after)) => (Alternatives::only(old), after),
        (Some(before), None) => (before, Alternatives::only(new)),
        (Some(before), Some(after)) => (before, after),
    };
    if let (Some(before), Some(after)) = (had.kind, has.kind)
        && before != after
    {
        let change = if after == "anyOf" { "one-of-became-any-of" } else { "any-of-became-one-of" };
        let message = format!("{before} became {after}");
        comparison.tell_of_schema(change, message, Said::value(&had.pointer, before), Said::value(&has.pointer, after));
    }
    discriminators(comparison, old, new);
    let pairs = pairs(comparison, &had, &has);
    let is_open =
        |alternatives: &Alternatives<'d>, document| alternatives.list.iter().any(|one| takes_any_text(document, one));
    let lists_are_open = is_open(&had, comparison.old) && is_open(&has, comparison.new);
    for (_, one) in had.list.iter().enumerate().filter(|(index, _)| !pairs.contains_key(index)) {
        let said = Said::value(one.pointer(), name(one));
        let message = format!("the alternative {} is gone", name(one));
        comparison.tell_of_schema("alternative-removed", message, said, Said::place(&has.pointer));
    }
    let known: BTreeSet<usize> = pairs.values().copied().collect();
    for (_, one) in has.list.iter().enumerate().filter(|(index, _)| !known.contains(index)) {
        let said = Said::value(one.pointer(), name(one));
        let message = format!("the alternative {} was added", name(one));
        comparison.tell_of_schema("alternative-added", message, Said::place(&had.pointer), said);
    }
    for (from, to) in pairs {
        let (before, after) = (had.list[from].clone(), has.list[to].clone());
        comparison.inside(name(&after), |comparison| {
            comparison.is_list_open = lists_are_open;
            compare_parts(comparison, before, after);
        });
    }
    // Beside the alternatives there may be more: properties, limits.
    had.kind.is_none() || has.kind.is_none()
}

struct Alternatives<'d> {
    /// `oneOf` or `anyOf`; `None` for a schema that is its own only alternative.
    kind: Option<&'static str>,
    pointer: String,
    list: Vec<Parts<'d>>,
}

impl<'d> Alternatives<'d> {
    fn of(view: &View<'d>) -> Option<Self> {
        let kinds = ["oneOf", "anyOf"].into_iter();
        kinds.filter_map(|kind| Some((kind, view.keyword(kind)?))).find_map(|(kind, at)| {
            let holder = view.atoms().iter().find(|atom| atom.get(kind).is_some())?;
            let list: Vec<_> = holder
                .items_of(kind)
                .into_iter()
                .map(|one| Parts { list: vec![one], holder: at.pointer.clone() })
                .collect();
            (!list.is_empty()).then_some(Self { kind: Some(kind), pointer: at.pointer, list })
        })
    }

    fn only(view: &View<'d>) -> Self {
        let parts = Parts { list: view.atoms().to_vec(), holder: view.place().to_owned() };
        Self { kind: None, pointer: view.place().to_owned(), list: vec![parts] }
    }
}

/// What people call an alternative: the name of its schema, its title, or its type.
fn name(parts: &Parts<'_>) -> String {
    let first = parts.list.first();
    let own = |key: &str| first.and_then(|at| at.text(key));
    parts
        .name()
        .or_else(|| own("title"))
        .or_else(|| own("type"))
        .map_or_else(|| first.map_or_else(String::new, |at| words(at.value)), str::to_owned)
}

/// Which alternative became which: the most alike first.
fn pairs<'d>(comparison: &Comparison<'d>, old: &Alternatives<'d>, new: &Alternatives<'d>) -> BTreeMap<usize, usize> {
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
        if !out.contains_key(&from) && taken.insert(to) {
            out.insert(from, to);
        }
    }
    out
}

fn likeness<'d>(comparison: &Comparison<'d>, old: &Parts<'d>, new: &Parts<'d>) -> u32 {
    if let ([before], [after]) = (old.list.as_slice(), new.list.as_slice()) {
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
    if before.types() != after.types() {
        return 0;
    }
    let names = |view: &View<'d>| view.properties().into_keys().collect::<BTreeSet<_>>();
    let (had, has) = (names(&before), names(&after));
    let (common, all) = (had.intersection(&has).count(), had.union(&has).count());
    match all {
        0 => 400,
        // Objects that have nothing in common are not the same thing.
        _ if common == 0 => 0,
        _ => 100 + u32::try_from(common * 300 / all).unwrap_or(0),
    }
}

/// Whether an alternative takes any text: then a list of values beside it is an open one.
fn takes_any_text<'d>(document: &'d Document, parts: &Parts<'d>) -> bool {
    let view = View::of(document, parts);
    let bounds = ["enum", "pattern", "format", "minLength", "maxLength"];
    view.types().is_some_and(|types| types == BTreeSet::from(["string"]))
        && bounds.iter().all(|key| view.keyword(key).is_none())
}

fn discriminators(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let key = "discriminator";
    let (before, after) = match (old.keyword(key), new.keyword(key)) {
        (None, None) => return,
        (None, Some(_)) => {
            return comparison.tell_of_schema(
                "discriminator-added",
                "a discriminator was added",
                old.said(),
                new.said_at(key),
            );
        }
        (Some(_), None) => {
            return comparison.tell_of_schema(
                "discriminator-removed",
                "the discriminator is gone",
                old.said_at(key),
                new.said(),
            );
        }
        (Some(before), Some(after)) => (before, after),
    };
    if before.text("propertyName") != after.text("propertyName") {
        let said = |at: &At<'_>| at.get("propertyName").as_ref().map_or_else(|| Said::at(at), Said::whole);
        comparison.tell_of_schema(
            "discriminator-property-changed",
            "the discriminator is another property",
            said(&before),
            said(&after),
        );
    }
    let mapping = |at: &At<'_>| {
        at.entries_of("mapping")
            .map(|(value, at)| (value.to_owned(), (at.value.clone(), at.pointer)))
            .collect::<BTreeMap<_, _>>()
    };
    let (had, has) = (mapping(&before), mapping(&after));
    for (value, (target, pointer)) in &had {
        let said = Said::value(pointer, words(target));
        match has.get(value) {
            None => comparison.tell_of_schema(
                "discriminator-mapping-removed",
                format!("the value {value} is gone"),
                said,
                Said::at(&after),
            ),
            Some((other, place)) if other != target => {
                comparison.tell_of_schema(
                    "discriminator-mapping-changed",
                    format!("the value {value} stands for another schema"),
                    said,
                    Said::value(place, words(other)),
                );
            }
            Some(_) => {}
        }
    }
    for (value, (target, pointer)) in has.iter().filter(|(value, _)| !had.contains_key(*value)) {
        comparison.tell_of_schema(
            "discriminator-mapping-added",
            format!("the value {value} was added"),
            Said::at(&before),
            Said::value(pointer, words(target)),
        );
    }
}
