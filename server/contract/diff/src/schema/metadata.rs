//! Compares keywords that do not restrict values: annotations, deprecation, defaults, XML.

use super::view::View;
use crate::annotations;
use crate::change::{ChangeSide, Direction};
use crate::comparison::Comparison;
use crate::deprecation::sunset;
use countersign_contract_document::is_same_value;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    // If the parts do not correspond, only the outermost is compared, because it is the one that documentation shows.
    let count = if old.atoms().len() == new.atoms().len() { old.atoms().len() } else { 1 };
    for (before, after) in old.atoms().iter().zip(new.atoms()).take(count) {
        annotations::documentation(comparison, before, after);
        annotations::extensions(comparison, before, after);
    }
    match (old.is("deprecated"), new.is("deprecated")) {
        (false, true) => comparison.report_schema_change(
            "property-deprecated",
            "it is deprecated",
            old.side(),
            new.side_at("deprecated"),
        ),
        (true, false) => comparison.report_schema_change(
            "property-undeprecated",
            "it is no longer deprecated",
            old.side_at("deprecated"),
            new.side(),
        ),
        _ => {}
    }
    sunset(comparison, (old.keyword("x-sunset"), new.keyword("x-sunset")), (old.side(), new.side()));
    defaults(comparison, old, new);
    if old.keyword("xml").map(|at| at.value) != new.keyword("xml").map(|at| at.value) {
        comparison.report_schema_change("xml-changed", "xml changed", old.side_at("xml"), new.side_at("xml"));
    }
}

fn defaults(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let (before, after) = (old.keyword("default"), new.keyword("default"));
    let (change, message) = match (&before, &after) {
        (Some(before), Some(after)) if !is_same_value(before.value, after.value) => {
            ("default-changed", "the default changed")
        }
        (Some(_), None) => ("default-removed", "the default was removed"),
        (None, Some(_)) => ("default-added", "a default was added"),
        _ => return,
    };
    let id = match (comparison.is_text, comparison.direction) {
        (true, Direction::Request) => format!("parameter-{change}"),
        (_, direction) => format!("{}-{change}", direction.prefix()),
    };
    comparison.report(
        &id,
        message,
        before.as_ref().map_or_else(|| old.side(), ChangeSide::with_node_value),
        after.as_ref().map_or_else(|| new.side(), ChangeSide::with_node_value),
    );
}
