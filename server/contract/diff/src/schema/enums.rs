//! Compares lists of values: closed ones (`enum`), and open ones (`x-extensible-enum`, or an `enum` with a sibling
//! alternative that accepts any string).

use super::limits;
use super::view::View;
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
        (None, Some(after)) if lists_all(&after.values, old) => return,
        (None, Some(after)) => {
            let side = ChangeSide::with_value(&holder(new), in_words(&after.values));
            return comparison.report_schema_change("enum-added", "the values are now listed", old.side(), side);
        }
        (Some(before), None) if before.is_open => return removed(comparison, &before, &[], new),
        (Some(before), None) if lists_all(&before.values, new) => return,
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
    removed(comparison, &before, &after.values, new);
    added(comparison, &before.values, &after, old);
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
            new.side(),
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
            old.side(),
            ChangeSide::with_node_value(at),
        );
    }
}

fn has(list: &[Node<'_>], value: &Value) -> bool {
    list.iter().any(|at| is_same_value(at.value, value))
}

/// Whether a list has all values that a schema accepts: booleans, integers between two limits, or the empty string.
fn lists_all(list: &[Node<'_>], view: &View<'_>) -> bool {
    const MOST_INTEGERS: usize = 256;
    let Some(types) = view.types() else { return false };
    let listed = |value: Value| has(list, &value);
    match types.into_iter().collect::<Vec<_>>().as_slice() {
        ["boolean"] => listed(true.into()) && listed(false.into()),
        ["integer"] => limits::integers(view).is_some_and(|mut integers| {
            integers.clone().nth(MOST_INTEGERS).is_none() && integers.all(|integer| listed(integer.into()))
        }),
        ["string"] => limits::is_empty_string(view) && listed("".into()),
        _ => false,
    }
}

/// JSON pointer of the list.
fn holder(view: &View<'_>) -> String {
    let at = view.keyword("enum").or_else(|| view.keyword(OPEN));
    at.map_or_else(|| view.place().to_owned(), |at| at.pointer)
}

fn in_words(values: &[Node<'_>]) -> String {
    let all = values.iter().map(|at| at.value.clone()).collect::<Vec<_>>();
    Value::Array(all).to_string()
}
