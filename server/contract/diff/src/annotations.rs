//! Compares titles, descriptions, examples and extensions, which do not define behaviour.

use super::change::ChangeSide;
use super::comparison::Comparison;
use countersign_contract_document::Node;
use std::collections::BTreeSet;

/// Reports a key if its value changed.
pub(super) fn report_if_changed(
    comparison: &mut Comparison<'_>,
    rule: &str,
    key: &str,
    old: &Node<'_>,
    new: &Node<'_>,
) {
    let (before, after) = (old.get(key), new.get(key));
    if before.as_ref().map(|at| at.value) != after.as_ref().map(|at| at.value) {
        let side = |at: Option<Node<'_>>, holder: &Node<'_>| {
            at.as_ref().map_or_else(|| ChangeSide::at_pointer(&holder.pointer), ChangeSide::with_node_value)
        };
        comparison.report(rule, format!("{key} changed"), side(before, old), side(after, new));
    }
}

/// Reports each key with text for people whose value changed.
pub(super) fn documentation(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    for key in ["title", "summary", "description", "example", "examples", "externalDocs"] {
        report_if_changed(comparison, "documentation-changed", key, old, new);
    }
    // A comment of JSON Schema is for readers of the document alone and not compared.
}

/// Reports changed extensions, except those with rules of their own.
pub(super) fn extensions(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    extensions_except(comparison, old, new, &[]);
}

/// Reports changed extensions, except those with rules of their own and the given ones.
pub(super) fn extensions_except(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>, others: &[&str]) {
    const KNOWN: [&str; 2] = ["x-sunset", "x-extensible-enum"];
    let keys: BTreeSet<&str> =
        old.entries().chain(new.entries()).map(|(key, _)| key).filter(|key| key.starts_with("x-")).collect();
    for key in keys.into_iter().filter(|key| !KNOWN.contains(key) && !others.contains(key)) {
        report_if_changed(comparison, "extension-changed", key, old, new);
    }
}
