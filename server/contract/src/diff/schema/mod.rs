//! Schemas: which values they take, and whether they take more or fewer than before.
//!
//! A schema is looked at as a whole, with the parts of its `allOf` and whatever its references lead to merged
//! ([`view`]). Where it stands in a request, taking less breaks; where it stands in an answer, taking more does.
//!
//! Those who send keep to what is documented: they send no properties that nobody told them of. Whatever such a sender
//! could send before and cannot send now gets a finding that is breaking or risky.

mod alternatives;
mod discriminators;
mod enums;
mod exclusions;
mod limits;
mod notes;
mod objects;
mod overlap;
mod types;
mod view;

use super::comparison::{Beside, Comparison, Direction, Said, SchemaPair};
use crate::document::Document;
use crate::node::Node;
use view::View;

/// Where named schemas stand.
const SCHEMAS: &str = "/components/schemas";

/// Compares what stands under a key of two holders, such as the `schema` of a parameter.
pub(super) fn compare_under<'d>(comparison: &mut Comparison<'d>, key: &str, old: &Node<'d>, new: &Node<'d>) {
    let (before, after) = (old.get(key), new.get(key));
    if before.is_some() || after.is_some() {
        compare(comparison, Parts::of(before, old), Parts::of(after, new));
        comparison.catch_up(views);
    }
}

/// Compares values that are written as text, such as those of a parameter. `repeats`: whether a list is written as the
/// same parameter several times, so that one value and a list of one are the same.
pub(super) fn compare_texts<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>, repeats: bool) {
    let list_in = |document: &'d Document, holder: &Node<'d>| {
        let view = View::of(document, &Parts::of(holder.get("schema"), holder));
        let is_list = view.types().is_some_and(|types| types.iter().eq(&["array"]));
        (is_list && repeats).then(|| view.parts_under("items"))
    };
    let before = comparison.is_text;
    comparison.is_text = true;
    match list_in(comparison.new, new).filter(|_| is_scalar(comparison.old, old)) {
        Some(items) => {
            let message = "the value may be given several times";
            comparison.tell_of_schema("type-widened", message, Said::at(old), Said::at(new));
            compare(comparison, Parts::of(old.get("schema"), old), items);
            comparison.catch_up(views);
        }
        None => compare_under(comparison, "schema", old, new),
    }
    comparison.is_text = before;
}

/// Whether what stands under `schema` is written the same however lists and objects are written.
pub(super) fn is_scalar<'d>(document: &'d Document, holder: &Node<'d>) -> bool {
    let types = View::of(document, &Parts::of(holder.get("schema"), holder)).types();
    types.is_some_and(|types| !types.contains("array") && !types.contains("object"))
}

/// Schemas that describe the same value together, as the parts of an `allOf` do. None of them takes anything.
#[derive(Debug, Clone)]
pub(super) struct Parts<'d> {
    list: Vec<Node<'d>>,
    /// Where to point if there is none.
    holder: String,
    /// Of some lists of alternatives, the one that is looked at; the lists by their pointers.
    chosen: Vec<(String, Node<'d>)>,
}

impl<'d> Parts<'d> {
    fn of(schema: Option<Node<'d>>, holder: &Node<'d>) -> Self {
        Self { list: schema.into_iter().collect(), holder: holder.pointer.clone(), chosen: Vec::new() }
    }

    /// The one schema that it is, if it is one.
    fn only(&self) -> Option<&Node<'d>> {
        match self.list.as_slice() {
            [only] if self.chosen.is_empty() => Some(only),
            _ => None,
        }
    }

    /// The schema that tells it from its neighbours.
    fn face(&self) -> Option<&Node<'d>> {
        self.chosen.last().map(|(_, at)| at).or(self.list.first())
    }

    fn pointer(&self) -> &str {
        self.face().map_or(&self.holder, |at| &at.pointer)
    }

    /// The name that generated clients give it.
    fn name(&self) -> Option<&'d str> {
        let is_one = self.list.len() == 1 || !self.chosen.is_empty();
        self.face().filter(|_| is_one)?.text("$ref")?.strip_prefix("#/components/schemas/")
    }

    /// What tells it from all others of its document.
    fn identity(&self) -> String {
        let all = self.list.iter().chain(self.chosen.iter().map(|(_, at)| at));
        all.map(|at| at.clone().resolved().pointer).collect::<Vec<_>>().join(" ")
    }
}

/// Compares two schemas, and whatever is in them.
fn compare<'d>(comparison: &mut Comparison<'d>, old: Parts<'d>, new: Parts<'d>) {
    let beside = std::mem::take(&mut comparison.beside);
    if let (Some(before), Some(after)) = (old.only(), new.only()) {
        if comparison.unchanged.holds(before, after) {
            return;
        }
        renamed(comparison, &old, &new);
    }
    if comparison.is_decided() {
        return;
    }
    let is_shared = |parts: &Parts<'d>| {
        let mut all = parts.list.iter().chain(parts.chosen.iter().map(|(_, at)| at));
        all.any(|at| at.get("$ref").is_some() || at.pointer.rsplit_once('/').is_some_and(|(room, _)| room == SCHEMAS))
    };
    let is_shared = is_shared(&old) || is_shared(&new);
    let pair = SchemaPair { old, new, beside };
    if is_shared {
        let identities = (pair.old.identity(), pair.new.identity());
        comparison.put_off(identities, pair);
    } else {
        views(comparison, pair);
    }
}

fn views<'d>(comparison: &mut Comparison<'d>, pair: SchemaPair<'d>) {
    let name = pair.new.name().or(pair.old.name());
    comparison.inside_component(name, |comparison| {
        let old = View::of(comparison.old, &pair.old);
        let new = View::of(comparison.new, &pair.new);
        all_of_it(comparison, &old, &new, pair.beside);
    });
}

fn all_of_it<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>, beside: Beside) {
    notes::compare(comparison, old, new);
    exclusions::compare(comparison, old, new);
    if alternatives::compare(comparison, old, new, beside) || !types::compare(comparison, old, new, beside) {
        return;
    }
    limits::compare(comparison, old, new);
    enums::compare(comparison, old, new, beside.any_text);
    objects::compare(comparison, old, new);
    items(comparison, old, new);
}

/// Whether comparing two schemas would find something that hurts in a direction. Nothing is reported.
fn does_harm<'d>(comparison: &mut Comparison<'d>, direction: Direction, old: &Parts<'d>, new: &Parts<'d>) -> bool {
    let identities = (old.identity(), new.identity());
    comparison.does_harm(direction, identities, |comparison| {
        compare(comparison, old.clone(), new.clone());
        comparison.catch_up(views);
    })
}

/// Tells of another name: once, if the old name is gone; otherwise of each place that has another one.
fn renamed<'d>(comparison: &mut Comparison<'d>, old: &Parts<'d>, new: &Parts<'d>) {
    let (Some(before), Some(after)) = (old.name(), new.name()) else { return };
    let definition = |name: &str| format!("{SCHEMAS}/{name}");
    let is_made_up =
        comparison.old.is_name_made_up(&definition(before)) || comparison.new.is_name_made_up(&definition(after));
    if before == after || is_made_up {
        return;
    }
    let is_gone = comparison.new.value().pointer(&definition(before)).is_none()
        && comparison.old.value().pointer(&definition(after)).is_none();
    let (from, to) = match is_gone {
        true => {
            comparison.renamed_schemas.insert((before.to_owned(), after.to_owned()));
            (definition(before), definition(after))
        }
        false => (old.pointer().to_owned(), new.pointer().to_owned()),
    };
    let message = format!("the schema {before} is called {after}");
    comparison.tell("schema-renamed", message, Said::value(&from, before), Said::value(&to, after));
}

fn items<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let (before, after) = (old.parts_under("items"), new.parts_under("items"));
    if !before.list.is_empty() || !after.list.is_empty() {
        comparison.inside("items", |comparison| compare(comparison, before, after));
    }
}
