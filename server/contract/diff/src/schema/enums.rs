//! Compares lists of values: closed ones (`enum`), and open ones (`x-extensible-enum`, or an `enum` with a sibling
//! alternative that accepts any string).

use super::view::View;
use super::{SCHEMAS, limits, patterns};
use crate::change::{ChangeSide, abbreviated_json};
use crate::comparison::Comparison;
use countersign_contract_document::{Node, is_same_value};
use serde_json::Value;

const OPEN: &str = "x-extensible-enum";

/// A list of values, and whether other values are accepted.
struct List<'d> {
    values: Vec<Node<'d>>,
    is_open: bool,
}

/// The values of a closed list, if there is one.
pub(super) fn closed_list<'d>(view: &View<'d>) -> Option<Vec<&'d Value>> {
    let list = list(view, false).filter(|list| !list.is_open)?;
    Some(list.values.into_iter().map(|at| at.value).collect())
}

fn list<'d>(view: &View<'d>, is_open: bool) -> Option<List<'d>> {
    let both = |one: Vec<Node<'d>>, other: Vec<Node<'d>>| one.into_iter().filter(|at| has(&other, at.value)).collect();
    match view.lists_of_values().into_iter().reduce(both) {
        Some(mut values) => {
            // Whether null is allowed is compared on its own.
            if values.iter().any(|at| !at.value.is_null()) {
                values.retain(|at| !at.value.is_null());
            }
            // An alternative that accepts any string only opens lists of strings.
            let is_open = is_open && values.iter().all(|at| at.value.is_string());
            Some(List { values, is_open })
        }
        None => {
            let values = view.atoms().iter().find(|at| at.get(OPEN).is_some())?.items_of(OPEN).collect();
            Some(List { values, is_open: true })
        }
    }
}

pub(super) fn compare(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>, is_open: bool) {
    let (before, after) = match (list(old, is_open), list(new, is_open)) {
        (None, None) => return,
        (None, Some(after)) if after.is_open => return added(comparison, &[], &after, old),
        (None, Some(after)) if lists_all(comparison, &after.values, old) => return,
        (None, Some(after)) => {
            let side = ChangeSide::with_value(&holder(new), in_words(&after.values));
            return comparison.report_schema_change("enum-added", "the values are now listed", old.side(), side);
        }
        (Some(before), None) if before.is_open => return removed(comparison, &before, &[], new),
        (Some(before), None) if lists_all(comparison, &before.values, new) => return,
        (Some(before), None) => {
            let side = ChangeSide::with_value(&holder(old), in_words(&before.values));
            return comparison.report_schema_change(
                "enum-removed",
                "the values are no longer listed",
                side,
                new.side(),
            );
        }
        (Some(before), Some(after)) => (before, after),
    };
    let side = |list: &List<'_>, view: &View<'_>| ChangeSide::with_value(&holder(view), in_words(&list.values));
    match (before.is_open, after.is_open) {
        (false, true) => comparison.report_schema_change(
            "enum-opened",
            "the list is now open",
            side(&before, old),
            side(&after, new),
        ),
        (true, false) => comparison.report_schema_change(
            "enum-closed",
            "the list is now closed",
            side(&before, old),
            side(&after, new),
        ),
        _ => {}
    }
    // A shared list is one finding, wherever and with whichever siblings it is referred to.
    let component = [new, old].into_iter().find_map(|view| component_of(lister(view)?));
    comparison.inside_component(component, |comparison| {
        removed(comparison, &before, &after.values, new);
        added(comparison, &before.values, &after, old);
    });
}

fn removed(comparison: &mut Comparison<'_>, before: &List<'_>, after: &[Node<'_>], new: &View<'_>) {
    let is_open = before.is_open;
    for at in before.values.iter().filter(|at| !has(after, at.value)) {
        let change = match at.pointer.contains(OPEN) {
            true => "extensible-enum-value-removed",
            false if is_open => "open-enum-value-removed",
            false => "enum-value-removed",
        };
        comparison.report_schema_change(
            change,
            format!("the value {} was removed", abbreviated_json(at.value)),
            ChangeSide::with_node_value(at),
            list_side(new),
        );
    }
}

fn added(comparison: &mut Comparison<'_>, before: &[Node<'_>], after: &List<'_>, old: &View<'_>) {
    let is_open = after.is_open;
    for at in after.values.iter().filter(|at| !has(before, at.value)) {
        let change = if is_open { "open-enum-value-added" } else { "enum-value-added" };
        comparison.report_schema_change(
            change,
            format!("the value {} was added", abbreviated_json(at.value)),
            list_side(old),
            ChangeSide::with_node_value(at),
        );
    }
}

fn has(list: &[Node<'_>], value: &Value) -> bool {
    list.iter().any(|at| is_same_value(at.value, value))
}

/// Whether a list has all values that a schema accepts: booleans, integers between two limits, or the texts that match its
/// patterns.
fn lists_all(comparison: &Comparison<'_>, list: &[Node<'_>], view: &View<'_>) -> bool {
    const MOST_INTEGERS: usize = 256;
    let Some(types) = view.types() else { return false };
    let listed = |value: Value| has(list, &value);
    match types.into_iter().collect::<Vec<_>>().as_slice() {
        ["boolean"] => listed(true.into()) && listed(false.into()),
        ["integer"] => limits::integers(view).is_some_and(|mut integers| {
            integers.clone().nth(MOST_INTEGERS).is_none() && integers.all(|integer| listed(integer.into()))
        }),
        ["string"] => patterns::are_listed(comparison, view, list.iter().filter_map(|at| at.value.as_str())),
        _ => false,
    }
}

/// JSON pointer of the list.
fn holder(view: &View<'_>) -> String {
    let at = view.keyword("enum").or_else(|| view.keyword(OPEN));
    at.map_or_else(|| view.place().to_owned(), |at| at.pointer)
}

/// The schema with the list.
fn lister<'a, 'd>(view: &'a View<'d>) -> Option<&'a Node<'d>> {
    let with = |key: &str| view.atoms().iter().find(|at| at.get(key).is_some());
    with("enum").or_else(|| with(OPEN))
}

/// The name of a schema, if it is a named one.
fn component_of<'a>(at: &'a Node<'_>) -> Option<&'a str> {
    let name = at.pointer.strip_prefix(SCHEMAS)?.strip_prefix('/')?;
    (!name.contains('/')).then_some(name)
}

/// The side of a value that only the other side's list has.
fn list_side(view: &View<'_>) -> Option<ChangeSide> {
    lister(view).map_or_else(|| view.side(), ChangeSide::at)
}

fn in_words(values: &[Node<'_>]) -> String {
    let all = values.iter().map(|at| at.value.clone()).collect::<Vec<_>>();
    Value::Array(all).to_string()
}
