//! What is said beside the values: words, extensions, deprecation, defaults, the form in XML.

use super::view::View;
use crate::canonical_schema::is_same_value;
use crate::diff::comparison::{Comparison, Said};
use crate::diff::deprecation::sunset;
use crate::diff::whole;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    // Of parts that do not correspond, only the outermost is what people read.
    let count = if old.atoms().len() == new.atoms().len() { old.atoms().len() } else { 1 };
    for (before, after) in old.atoms().iter().zip(new.atoms()).take(count) {
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
    sunset(comparison, (old.keyword("x-sunset"), new.keyword("x-sunset")), (old.said(), new.said()));
    defaults(comparison, old, new);
    if old.keyword("xml").map(|at| at.value) != new.keyword("xml").map(|at| at.value) {
        comparison.tell_of_schema("xml-changed", "xml changed", old.said_at("xml"), new.said_at("xml"));
    }
}

fn defaults(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let (before, after) = (old.keyword("default"), new.keyword("default"));
    let (change, message) = match (&before, &after) {
        (Some(before), Some(after)) if !is_same_value(before.value, after.value) => {
            ("default-changed", "the default changed")
        }
        (Some(_), None) => ("default-removed", "the default is gone"),
        (None, Some(_)) => ("default-added", "a default was added"),
        _ => return,
    };
    comparison.tell_of_schema(
        change,
        message,
        before.as_ref().map_or_else(|| old.said(), Said::whole),
        after.as_ref().map_or_else(|| new.said(), Said::whole),
    );
}
