//! Compares `dependentRequired` and `dependentSchemas`.

use super::change::{Change, report};
use super::is_evaluated;
use crate::change::ChangeSide;
use crate::comparison::Comparison;
use crate::schema::view::View;
use countersign_contract_document::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Compares `dependentRequired`: pairs of a property and another one that it requires.
pub(super) fn dependent_required(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    const KEY: &str = "dependentRequired";
    // What a schema of `dependentSchemas` requires counts where the other side has it in `dependentRequired`.
    let in_schemas = |view: &View<'_>| -> BTreeSet<(String, String)> {
        let entries = view.keywords("dependentSchemas").flat_map(|at| at.entries().collect::<Vec<_>>());
        entries.filter_map(|(name, at)| requirements(&at).map(|needs| dependencies(name, needs))).flatten().collect()
    };
    let (before, after) = (required_pairs(old), required_pairs(new));
    let (needed, needs) = (old.required(), new.required());
    let (had, has) = (&before | &in_schemas(old), &after | &in_schemas(new));
    for (name, other) in after.difference(&had).filter(|(_, other)| !needed.contains_key(other.as_str())) {
        let message = format!("an object with {name} needs {other}");
        comparison.report_schema_change("dependent-required-added", message, old.side_at(KEY), new.side_at(KEY));
    }
    for (name, other) in before.difference(&has).filter(|(_, other)| !needs.contains_key(other.as_str())) {
        let message = format!("an object with {name} no longer needs {other}");
        comparison.report_schema_change("dependent-required-removed", message, old.side_at(KEY), new.side_at(KEY));
    }
}

/// Pairs of `dependentRequired`: a property and another one that it requires.
fn required_pairs(view: &View<'_>) -> BTreeSet<(String, String)> {
    let required = view.required();
    let entries = view.keywords("dependentRequired").flat_map(|at| at.entries().collect::<Vec<_>>());
    let pairs = entries.flat_map(|(name, needs)| dependencies(name, needs));
    // What is required anyway adds nothing.
    pairs.filter(|(name, other)| name != other && !required.contains_key(other.as_str())).collect()
}

fn dependencies(name: &str, needs: Node<'_>) -> Vec<(String, String)> {
    let needs = needs.items().filter_map(|at| at.value.as_str());
    needs.map(|other| (name.to_owned(), other.to_owned())).collect()
}

/// The names that a schema requires, if it does nothing else.
fn requirements<'d>(at: &Node<'d>) -> Option<Node<'d>> {
    let at = at.clone().resolved();
    at.get("required").filter(|_| at.entries().count() == 1)
}

pub(super) fn dependent_schemas<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let all = |view: &View<'d>| -> BTreeMap<&'d str, Node<'d>> {
        view.keywords("dependentSchemas").flat_map(|at| at.entries().collect::<Vec<_>>()).collect()
    };
    let (before, after) = (all(old), all(new));
    let pairs = (required_pairs(old), required_pairs(new));
    let is_evaluated = is_evaluated(old, new);
    for name in before.keys().chain(after.keys()).copied().collect::<BTreeSet<_>>() {
        let sides = (before.get(name), after.get(name));
        let is_in_pairs = |at: &Node<'d>, pairs: &BTreeSet<(String, String)>, view: &View<'d>| {
            let needed = view.required();
            requirements(at).is_some_and(|needs| {
                let mut needs = dependencies(name, needs).into_iter();
                needs.all(|pair| pair.0 == pair.1 || needed.contains_key(pair.1.as_str()) || pairs.contains(&pair))
            })
        };
        match sides {
            (None, Some(at)) if is_in_pairs(at, &pairs.0, old) => {}
            (Some(at), None) if is_in_pairs(at, &pairs.1, new) => {}
            (None, Some(at)) | (Some(at), None) if is_evaluated => {
                let noun = format!("the schema of objects with {name}");
                let sides = if before.contains_key(name) {
                    (ChangeSide::at(at), new.side())
                } else {
                    (old.side(), ChangeSide::at(at))
                };
                report(comparison, ("dependent-schema", &noun), Change::Other, sides.0, sides.1);
            }
            (None, Some(at)) => comparison.report_schema_change(
                "dependent-schema-added",
                format!("objects with {name} must match a further schema"),
                old.side(),
                ChangeSide::at(at),
            ),
            (Some(at), None) => comparison.report_schema_change(
                "dependent-schema-removed",
                format!("objects with {name} need not match a further schema any more"),
                ChangeSide::at(at),
                new.side(),
            ),
            (Some(one), Some(other)) => {
                let change = Change::between(comparison, one, other).within(is_evaluated);
                let noun = format!("the schema of objects with {name}");
                let sides = (ChangeSide::at(one), ChangeSide::at(other));
                report(comparison, ("dependent-schema", &noun), change, sides.0, sides.1);
            }
            (None, None) => {}
        }
    }
}
