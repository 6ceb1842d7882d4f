//! Compares patterns, by the texts that match them.
//!
//! Where automata decide which side accepts more ([`mod@crate::language`]), the limits of length count, too: those
//! that a pattern implies, and patterns that the limits imply, have no effect.

use super::limits::{is_settled_by_lists, may_be, tightest};
use super::view::View;
use crate::change::ChangeSide;
use crate::comparison::Comparison;
use crate::language::{Difference, Texts};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn compare(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    let (before, after) = (patterns(old), patterns(new));
    if before == after || is_settled_by_lists(old, new) {
        return;
    }
    let matching = |patterns: &BTreeSet<&str>| Texts { patterns: owned(patterns), ..Texts::default() };
    let lost = comparison.languages.difference(&texts(old), &matching(&after));
    let gained = comparison.languages.difference(&texts(new), &matching(&before));
    let (change, message) = match (lost, gained) {
        (Difference::None, Difference::None) => return,
        _ if before.is_subset(&after) => ("pattern-added", "a pattern was added"),
        _ if after.is_subset(&before) => ("pattern-removed", "a pattern was removed"),
        (Difference::Text(_), Difference::None) => ("pattern-narrowed", "fewer texts match the pattern"),
        (Difference::None, Difference::Text(_)) => ("pattern-widened", "more texts match the pattern"),
        (Difference::Text(_), Difference::Text(_)) => ("pattern-replaced", "other texts match the pattern"),
        (Difference::Undecided, _) | (_, Difference::Undecided) => {
            ("pattern-changed", "the pattern changed, and which of the two matches more was not decided")
        }
    };
    let side = |view: &View<'_>, patterns: &BTreeSet<&str>| {
        let all = patterns.iter().map(|pattern| Value::from(*pattern).to_string()).collect::<Vec<_>>().join(" and ");
        view.keyword("pattern").map_or_else(|| view.side(), |at| ChangeSide::with_value(&at.pointer, all))
    };
    comparison.report_schema_change(change, message, side(old, &before), side(new, &after));
}

/// Whether the limits of length on either side exclude any text that its patterns and the other side accept.
pub(super) fn limits_have_effect(comparison: &Comparison<'_>, views: (&View<'_>, &View<'_>), is_upper: bool) -> bool {
    let sides = [texts(views.0), texts(views.1)];
    if sides.iter().all(|side| side.patterns.is_empty()) {
        return true;
    }
    let has_effect = |own: &Texts, other: &Texts| {
        let limit = match is_upper {
            true => Texts { most: own.most, ..Texts::default() },
            false => Texts { least: own.least, ..Texts::default() },
        };
        let mut without = own.clone();
        match is_upper {
            true => without.most = None,
            false => without.least = 0,
        }
        let exceeds = |texts: &Texts| comparison.languages.difference(texts, &limit) != Difference::None;
        limit != Texts::default() && exceeds(&without) && exceeds(other)
    };
    has_effect(&sides[0], &sides[1]) || has_effect(&sides[1], &sides[0])
}

/// Whether a list has all texts that a schema of strings accepts.
pub(super) fn are_listed<'t>(
    comparison: &Comparison<'_>,
    view: &View<'_>,
    list: impl IntoIterator<Item = &'t str>,
) -> bool {
    let texts = texts(view);
    texts != Texts::default() && comparison.languages.difference(&texts, &Texts::listed(list)) == Difference::None
}

/// The texts that patterns and limits of length accept.
pub(super) fn texts(view: &View<'_>) -> Texts {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the limit is a count")]
    let limit = |keyword, is_upper| tightest(view, keyword, None, is_upper).map(|limit| limit.value.max(0.0) as usize);
    Texts {
        patterns: owned(&patterns(view)),
        least: limit("minLength", false).unwrap_or(0),
        most: limit("maxLength", true),
    }
}

fn owned(patterns: &BTreeSet<&str>) -> Vec<String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
}

/// The patterns of a schema that may accept strings.
fn patterns<'d>(view: &View<'d>) -> BTreeSet<&'d str> {
    let all = view.keywords("pattern").filter_map(|at| at.value.as_str()).collect();
    if may_be(view, &["string"]) { all } else { BTreeSet::new() }
}
