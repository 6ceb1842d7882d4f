//! How a schema within a keyword changed, and the findings about that.

use super::super::{Parts, does_harm};
use crate::change::{ChangeSide, Direction};
use crate::comparison::Comparison;
use countersign_contract_document::Node;

/// How the values that a schema accepts changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Narrower,
    Wider,
    Other,
}

impl Change {
    pub(super) fn between<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) -> Self {
        if comparison.unchanged.holds(old, new) {
            return Self::None;
        }
        if comparison.is_dry_run {
            // A dry run within a dry run might not terminate.
            return Self::Other;
        }
        let parts = |at: &Node<'d>| Parts::of(Some(at.clone()), at);
        let mut harms = |direction| does_harm(comparison, direction, &parts(old), &parts(new));
        match (harms(Direction::Request), harms(Direction::Response)) {
            (false, false) => Self::None,
            (true, false) => Self::Narrower,
            (false, true) => Self::Wider,
            (true, true) => Self::Other,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, Self::None) | (Self::None, one) => one,
            (one, other) if one == other => one,
            _ => Self::Other,
        }
    }

    /// What the change means if evaluated parts count.
    pub(super) fn within(self, is_evaluated: bool) -> Self {
        if is_evaluated && self != Self::None { Self::Other } else { self }
    }

    /// The end of the rule's id; `None` if nothing changed.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Narrower => Some("narrowed"),
            Self::Wider => Some("widened"),
            Self::Other => Some("changed"),
        }
    }
}

/// Reports a change under the rule with a name. `noun` is what changed.
pub(super) fn report<'d>(
    comparison: &mut Comparison<'d>,
    (name, noun): (&str, &str),
    change: Change,
    old: Option<ChangeSide>,
    new: Option<ChangeSide>,
) {
    if let Some(word) = change.word() {
        let message = match change {
            Change::Narrower => format!("{noun} accepts less"),
            Change::Wider => format!("{noun} accepts more"),
            _ => format!("{noun} changed"),
        };
        comparison.report_schema_change(&format!("{name}-{word}"), message, old, new);
    }
}
