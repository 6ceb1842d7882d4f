//! Compares excluded values: `not`.

use super::equivalents::{DEEPEST, have_same_types, only_types};
use super::view::View;
use super::{Parts, does_harm};
use crate::change::{ChangeSide, Direction};
use crate::comparison::Comparison;
use countersign_contract_document::Node;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let (mut before, mut after): (Vec<_>, Vec<_>) = (old.keywords("not").collect(), new.keywords("not").collect());
    before.retain(|one| match after.iter().position(|other| is_same(comparison, one, other)) {
        Some(index) => {
            after.remove(index);
            false
        }
        None => true,
    });
    if have_same_types(old, new) {
        // Whether null is allowed is compared with the types.
        let says_more = |at: &Node<'d>| only_types(at, DEEPEST).is_none();
        before.retain(says_more);
        after.retain(says_more);
    }
    match (before.first(), after.first()) {
        (None, Some(after)) => {
            comparison.report_schema_change(
                "not-added",
                "values were excluded",
                old.side(),
                ChangeSide::with_node_value(after),
            );
        }
        (Some(before), None) => {
            comparison.report_schema_change(
                "not-removed",
                "values are no longer excluded",
                ChangeSide::with_node_value(before),
                new.side(),
            );
        }
        (Some(before), Some(after)) => {
            let message = "the excluded values changed";
            comparison.report_schema_change(
                "not-changed",
                message,
                ChangeSide::with_node_value(before),
                ChangeSide::with_node_value(after),
            );
        }
        (None, None) => {}
    }
}

/// Whether two schemas accept the same values.
fn is_same<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) -> bool {
    let parts = |at: &Node<'d>| Parts::of(Some(at.clone()), at);
    // A dry run within a dry run might not terminate.
    comparison.unchanged.holds(old, new)
        || !comparison.is_dry_run
            && [Direction::Request, Direction::Response]
                .into_iter()
                .all(|direction| !does_harm(comparison, direction, &parts(old), &parts(new)))
}
