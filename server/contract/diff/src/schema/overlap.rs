//! Finds values that match several alternatives of a `oneOf`, which rejects them.
//!
//! An alternative that accepts more values may overlap with another one, so that the `oneOf` accepts fewer; one that
//! accepts fewer may have the opposite effect. With a discriminator, or if alternatives exclude each other, there is no
//! overlap.

use super::alternatives::Alternatives;
use super::does_harm;
use super::exclusive::{Types, exclude_each_other};
use super::view::View;
use crate::change::{ChangeSide, Direction};
use crate::comparison::Comparison;
use crate::language::Languages;
use std::collections::BTreeMap;

pub(super) fn compare<'d>(
    comparison: &mut Comparison<'d>,
    old: (&View<'d>, &Alternatives<'d>),
    new: (&View<'d>, &Alternatives<'d>),
    pairs: &BTreeMap<usize, usize>,
) {
    let back: BTreeMap<usize, usize> = pairs.iter().map(|(from, to)| (*to, *from)).collect();
    let ((old, had), (new, has)) = (old, new);
    let has_discriminator = |view: &View<'_>| view.keyword("discriminator").is_some();
    let side = (ChangeSide::at_pointer(&had.pointer), ChangeSide::at_pointer(&has.pointer));
    // A change between `anyOf` and `oneOf` is reported as such.
    if has.kind == Some("oneOf") && had.kind != Some("anyOf") && !has_discriminator(new) {
        let sides = Sides { lists: (has, had), pairs: &back, views: (new, old) };
        let grows = |comparison: &mut Comparison<'d>, after: usize, before: usize| {
            does_harm(comparison, Direction::Response, &had.list[before], &has.list[after])
        };
        if sides.overlap(comparison, grows) {
            let message = "values that match several alternatives are rejected, and more values may do so now";
            comparison.report_schema_change("one-of-overlap-grew", message, side.0.clone(), side.1.clone());
        }
    }
    if had.kind == Some("oneOf") && has.kind != Some("anyOf") && !has_discriminator(old) {
        let sides = Sides { lists: (had, has), pairs, views: (old, new) };
        let shrinks = |comparison: &mut Comparison<'d>, before: usize, after: usize| {
            does_harm(comparison, Direction::Request, &had.list[before], &has.list[after])
        };
        if sides.overlap(comparison, shrinks) {
            let message = "values that match several alternatives are rejected, and fewer values may do so now";
            comparison.report_schema_change("one-of-overlap-shrank", message, side.0, side.1);
        }
    }
}

/// Whether a value may match several of these alternatives.
pub(super) fn is_possible<'d>(languages: &Languages, view: &View<'d>, alternatives: &Alternatives<'d>) -> bool {
    let views: Vec<_> = alternatives.list.iter().map(|parts| View::of(view.document, parts)).collect();
    (0..views.len()).any(|index| {
        let mut others = (0..views.len()).filter(|other| *other != index);
        others.any(|home| !exclude_each_other(languages, &views[index], &views[home], &views[home].property_names()))
    })
}

/// The side whose alternatives may overlap, then the other one.
struct Sides<'a, 'd> {
    lists: (&'a Alternatives<'d>, &'a Alternatives<'d>),
    /// Indices of the second side's alternatives by those of the first.
    pairs: &'a BTreeMap<usize, usize>,
    views: (&'a View<'d>, &'a View<'d>),
}

impl<'d> Sides<'_, 'd> {
    /// Whether an alternative that is new or accepts other values than its counterpart may overlap with another one.
    fn overlap(
        &self,
        comparison: &mut Comparison<'d>,
        mut is_changed: impl FnMut(&mut Comparison<'d>, usize, usize) -> bool,
    ) -> bool {
        let documents = (self.views.0.document, self.views.1.document);
        let views: Vec<_> = self.lists.0.list.iter().map(|parts| View::of(documents.0, parts)).collect();
        let others = |index: usize| (0..views.len()).filter(move |other| *other != index);
        let types: Vec<_> = views.iter().map(Types::of).collect();
        let meets_another = |index: &usize| others(*index).any(|home| !types[*index].exclude_each_other(&types[home]));
        let meeting: Vec<usize> = (0..views.len()).filter(meets_another).collect();
        if meeting.is_empty() {
            return false;
        }
        let known: Vec<_> = views
            .iter()
            .enumerate()
            .map(|(index, view)| {
                let other = self.pairs.get(&index).map(|other| View::of(documents.1, &self.lists.1.list[*other]));
                let names = |view: &View<'d>| view.property_names();
                &names(view) | &other.as_ref().map(names).unwrap_or_default()
            })
            .collect();
        meeting.into_iter().any(|index| {
            // Asked first, because telling languages of patterns apart takes from a budget of the whole comparison.
            let may_differ =
                match self.pairs.get(&index).filter(|_| self.lists.1.kind.is_some() && !comparison.is_dry_run) {
                    Some(other) => is_changed(comparison, index, *other),
                    None => true,
                };
            may_differ
                && others(index)
                    .any(|home| !exclude_each_other(&comparison.languages, &views[index], &views[home], &known[home]))
        })
    }
}
