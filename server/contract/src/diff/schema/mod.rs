//! Schemas: which values they take, and whether they take more or fewer than before.
//!
//! A schema is looked at as a whole, with the parts of its `allOf` and whatever its references lead to merged
//! ([`view`]). Where it stands in a request, taking less breaks; where it stands in an answer, taking more does.

mod alternatives;
mod enums;
mod limits;
mod objects;
mod types;
mod view;

use super::at::At;
use super::comparison::{Comparison, Said};
use super::whole;
use view::View;

/// Compares what stands under a key of two holders, such as the `schema` of a parameter.
pub(super) fn compare_under<'d>(comparison: &mut Comparison<'d>, key: &str, old: &At<'d>, new: &At<'d>) {
    let (before, after) = (old.get(key), new.get(key));
    if before.is_some() || after.is_some() {
        compare(comparison, Parts::of(before, old), Parts::of(after, new));
    }
}

/// Schemas that describe the same value together, as the parts of an `allOf` do. None of them takes anything.
#[derive(Debug, Clone)]
pub(super) struct Parts<'d> {
    list: Vec<At<'d>>,
    /// Where to point if there is none.
    holder: String,
}

impl<'d> Parts<'d> {
    fn of(schema: Option<At<'d>>, holder: &At<'d>) -> Self {
        Self { list: schema.into_iter().collect(), holder: holder.pointer.clone() }
    }

    fn pointer(&self) -> &str {
        self.list.first().map_or(&self.holder, |at| &at.pointer)
    }

    /// The name that generated clients give it.
    fn name(&self) -> Option<&'d str> {
        match self.list.as_slice() {
            [only] => only.text("$ref")?.strip_prefix("#/components/schemas/"),
            _ => None,
        }
    }
}

/// Compares two schemas, and whatever is in them.
fn compare<'d>(comparison: &mut Comparison<'d>, old: Parts<'d>, new: Parts<'d>) {
    let is_list_open = std::mem::take(&mut comparison.is_list_open);
    if let ([before], [after]) = (old.list.as_slice(), new.list.as_slice())
        && comparison.unchanged.holds(before, after)
    {
        return;
    }
    if let (Some(before), Some(after)) = (old.name(), new.name())
        && before != after
    {
        let message = format!("the schema {before} is called {after}");
        comparison.tell(
            "schema-renamed",
            message,
            Said::value(old.pointer(), before),
            Said::value(new.pointer(), after),
        );
    }
    let is_by_reference = old.list.iter().chain(&new.list).any(At::is_reference);
    if is_by_reference && !comparison.visited.insert((identity(&old, comparison.old), identity(&new, comparison.new))) {
        return;
    }
    let name = new.name().or(old.name());
    comparison.inside_component(name, |comparison| {
        let old = View::of(comparison.old, &old);
        let new = View::of(comparison.new, &new);
        compare_views(comparison, &old, &new, is_list_open);
    });
}

/// What tells a schema from all others of its document.
fn identity(parts: &Parts<'_>, document: &crate::document::Document) -> String {
    let pointers = parts.list.iter().map(|at| at.clone().resolved(document).pointer);
    pointers.collect::<Vec<_>>().join(" ")
}

fn compare_views<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>, is_list_open: bool) {
    notes(comparison, old, new);
    if alternatives::compare(comparison, old, new) || !types::compare(comparison, old, new) {
        return;
    }
    types::formats(comparison, old, new);
    limits::compare(comparison, old, new);
    enums::compare(comparison, old, new, is_list_open);
    objects::compare(comparison, old, new);
    items(comparison, old, new);
}

/// What is said beside the values.
fn notes<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    for (before, after) in old.outer().into_iter().zip(new.outer()) {
        whole::documentation(comparison, before, after);
        whole::extensions(comparison, before, after);
    }
    match (old.is("deprecated"), new.is("deprecated")) {
        (false, true) => {
            comparison.tell_of_schema("property-deprecated", "it is deprecated", old.said(), new.said_at("deprecated"))
        }
        (true, false) => comparison.tell_of_schema(
            "property-undeprecated",
            "it is no longer deprecated",
            old.said_at("deprecated"),
            new.said(),
        ),
        _ => {}
    }
    let (before, after) = (old.keyword("default"), new.keyword("default"));
    let change = match (&before, &after) {
        (Some(before), Some(after)) if before.value != after.value => Some(("default-changed", "the default changed")),
        (Some(_), None) => Some(("default-removed", "the default is gone")),
        (None, Some(_)) => Some(("default-added", "a default was added")),
        _ => None,
    };
    if let Some((change, message)) = change {
        comparison.tell_of_schema(
            change,
            message,
            before.as_ref().map_or_else(|| old.said(), Said::whole),
            after.as_ref().map_or_else(|| new.said(), Said::whole),
        );
    }
    if old.keyword("xml").map(|at| at.value) != new.keyword("xml").map(|at| at.value) {
        comparison.tell_of_schema("xml-changed", "xml changed", old.said_at("xml"), new.said_at("xml"));
    }
    let (before, after) = (old.keyword("not"), new.keyword("not"));
    match (&before, &after) {
        (None, Some(after)) => {
            comparison.tell_of_schema("not-added", "values were excluded", old.said(), Said::whole(after))
        }
        (Some(before), None) => {
            comparison.tell_of_schema("not-removed", "values are no longer excluded", Said::whole(before), new.said())
        }
        (Some(before), Some(after)) if !comparison.unchanged.holds(before, after) => {
            comparison.tell_of_schema(
                "not-changed",
                "the excluded values changed",
                Said::whole(before),
                Said::whole(after),
            );
        }
        _ => {}
    }
}

fn items<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let (before, after) = (old.parts_under("items"), new.parts_under("items"));
    if !before.list.is_empty() || !after.list.is_empty() {
        comparison.inside("items", |comparison| compare(comparison, before, after));
    }
}
