//! Compares `x-stability-level`, which says what clients of an operation can rely on.

use super::annotations::report_if_changed;
use super::change::ChangeSide;
use super::comparison::Comparison;
use super::options::StabilityLevel;
use countersign_contract_document::Node;

/// The extension of an operation that holds its level.
pub(super) const KEY: &str = "x-stability-level";

/// The level of an operation; `None` for an unknown word.
pub(super) fn level(operation: &Node<'_>) -> Option<StabilityLevel> {
    match operation.get(KEY).map(|level| level.value.as_str()) {
        None | Some(Some("stable")) => Some(StabilityLevel::Stable),
        Some(Some("beta")) => Some(StabilityLevel::Beta),
        Some(Some("alpha")) => Some(StabilityLevel::Alpha),
        Some(Some("draft")) => Some(StabilityLevel::Draft),
        Some(_) => None,
    }
}

/// Reports a change of the level of an operation.
pub(super) fn compare(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let (rule, message) = match (level(old), level(new)) {
        (Some(before), Some(after)) if after < before => ("stability-level-lowered", "the stability level was lowered"),
        (Some(before), Some(after)) if after > before => ("stability-level-raised", "the stability level was raised"),
        (Some(_), Some(_)) => return,
        _ => return report_if_changed(comparison, "extension-changed", KEY, old, new),
    };
    let side = |at: &Node<'_>| match at.get(KEY) {
        Some(level) => ChangeSide::with_node_value(&level),
        None => ChangeSide::at(at),
    };
    comparison.report(rule, message, side(old), side(new));
}
