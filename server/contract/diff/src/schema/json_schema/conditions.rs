//! Compares `if`, `then` and `else`.

use super::change::{Change, report};
use super::is_evaluated;
use crate::change::ChangeSide;
use crate::comparison::Comparison;
use crate::schema::view::View;
use countersign_contract_document::Node;

/// An `if` with its consequences.
struct Condition<'d> {
    when: Node<'d>,
    then: Option<Node<'d>>,
    otherwise: Option<Node<'d>>,
}

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let all = |view: &View<'d>| -> Vec<Condition<'d>> {
        let conditions = view
            .atoms()
            .iter()
            .filter_map(|at| Some(Condition { when: at.get("if")?, then: at.get("then"), otherwise: at.get("else") }));
        // Without a consequence, a condition has no effect.
        conditions.filter(|one| one.then.is_some() || one.otherwise.is_some()).collect()
    };
    let (mut before, mut after) = (all(old), all(new));
    let is_evaluated = is_evaluated(old, new);
    before.retain(|one| {
        let same = after.iter().position(|other| comparison.unchanged.holds(&one.when, &other.when));
        let Some(other) = same.map(|index| after.remove(index)) else { return true };
        let mut change = Change::None;
        for (one, other) in [(&one.then, &other.then), (&one.otherwise, &other.otherwise)] {
            change = change.and(match (one, other) {
                (None, None) => Change::None,
                (None, Some(_)) => Change::Narrower,
                (Some(_), None) => Change::Wider,
                (Some(one), Some(other)) => Change::between(comparison, one, other),
            });
        }
        let sides = (ChangeSide::at(&one.when), ChangeSide::at(&other.when));
        let change = change.within(is_evaluated);
        report(comparison, ("condition", "the consequence of a condition"), change, sides.0, sides.1);
        false
    });
    for (index, one) in before.iter().enumerate() {
        match after.get(index) {
            Some(other) => {
                let sides = (ChangeSide::at(&one.when), ChangeSide::at(&other.when));
                report(comparison, ("condition", "a condition"), Change::Other, sides.0, sides.1);
            }
            None if is_evaluated => {
                let sides = (ChangeSide::at(&one.when), new.side());
                report(comparison, ("condition", "a condition"), Change::Other, sides.0, sides.1);
            }
            None => comparison.report_schema_change(
                "condition-removed",
                "a condition was removed",
                ChangeSide::at(&one.when),
                new.side(),
            ),
        }
    }
    for other in after.iter().skip(before.len()) {
        if is_evaluated {
            let sides = (old.side(), ChangeSide::at(&other.when));
            report(comparison, ("condition", "a condition"), Change::Other, sides.0, sides.1);
            continue;
        }
        let message = "values must meet a further condition";
        comparison.report_schema_change("condition-added", message, old.side(), ChangeSide::at(&other.when));
    }
}
