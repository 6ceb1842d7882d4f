//! Compares objects: properties, required properties, and whether others are allowed.

use super::view::{Others, View};
use super::{Parts, compare as compare_parts};
use crate::change::{ChangeSide, Direction};
use crate::comparison::Comparison;
use std::collections::BTreeSet;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let (before, after) = (old.property_names(), new.property_names());
    let (needed, needs) = (old.required(), new.required());
    let names: BTreeSet<&str> = before.iter().chain(&after).chain(needed.keys()).chain(needs.keys()).copied().collect();
    for name in names {
        let is_listed = before.contains(name) && after.contains(name);
        if is_listed && needed.contains_key(name) == needs.contains_key(name) {
            let both = old.only_property(name).zip(new.only_property(name));
            if both.is_some_and(|(old, new)| comparison.unchanged.holds_for(old, new)) {
                continue;
            }
        }
        let (old_parts, new_parts) = (old.property(name), new.property(name));
        let listed = |names: &BTreeSet<&str>, view: &View<'d>, parts| {
            let listed = names.contains(name).then(|| View::of(view.document, parts));
            // A property that no value is allowed for is not there.
            listed.filter(|view| !view.is_nothing())
        };
        let sides = Sides {
            old: listed(&before, old, &old_parts),
            new: listed(&after, new, &new_parts),
            was_forbidden: before.contains(name) && View::of(old.document, &old_parts).is_nothing(),
            is_forbidden: after.contains(name) && View::of(new.document, &new_parts).is_nothing(),
            are_described: (!old_parts.list.is_empty(), !new_parts.list.is_empty()),
            was_required: needed.get(name).cloned(),
            is_required: needs.get(name).cloned(),
        };
        comparison.inside(name, |comparison| {
            if property(comparison, &sides, old, new) {
                compare_parts(comparison, old_parts, new_parts);
            }
        });
    }
    others(comparison, old, new);
}

/// A property on both sides, if it is listed there.
struct Sides<'d> {
    old: Option<View<'d>>,
    new: Option<View<'d>>,
    /// Whether it is listed with the schema `false`.
    was_forbidden: bool,
    is_forbidden: bool,
    /// Whether any schema describes it, before and after: its own, that of a pattern or that of other properties.
    are_described: (bool, bool),
    /// JSON pointer of the requirement, if it is required.
    was_required: Option<String>,
    is_required: Option<String>,
}

/// Compares a property. Returns whether its schema has to be compared too.
fn property(comparison: &mut Comparison<'_>, sides: &Sides<'_>, old: &View<'_>, new: &View<'_>) -> bool {
    // Properties of the other direction do not exist in this one.
    let (flag, gone, back) = match comparison.direction {
        Direction::Request => ("readOnly", "property-became-read-only", "property-no-longer-read-only"),
        Direction::Response => ("writeOnly", "property-became-write-only", "property-no-longer-write-only"),
    };
    let hidden = |side: &Option<View<'_>>| side.as_ref().is_some_and(|view| view.is(flag));
    match (&sides.old, &sides.new) {
        (Some(before), Some(after)) => match (hidden(&sides.old), hidden(&sides.new)) {
            (true, true) => return false,
            (false, true) => {
                let message = format!("the property became {flag}");
                comparison.report_schema_change(gone, message, before.side(), after.side_at(flag));
                return false;
            }
            (true, false) => {
                let message = format!("the property is no longer {flag}");
                comparison.report_schema_change(back, message, before.side_at(flag), after.side());
                if let Some(at) = &sides.is_required
                    && comparison.direction == Direction::Request
                {
                    comparison.report_schema_change(
                        "property-added-required",
                        "a required property was added",
                        before.side(),
                        ChangeSide::at_pointer(at),
                    );
                }
                return false;
            }
            (false, false) => other_flag(comparison, before, after),
        },
        (None, Some(_)) if hidden(&sides.new) => return false,
        (Some(_), None) if hidden(&sides.old) => return false,
        // A required property was documented, even if it was not listed.
        (None, Some(_)) if sides.was_required.is_some() && !is_closed(old) => {}
        (Some(_), None) if sides.is_required.is_some() && !is_closed(new) => {}
        (None, Some(after)) => {
            added(comparison, sides, after, old);
            return sides.was_forbidden || sides.are_described.0;
        }
        (Some(before), None) => {
            removed(comparison, sides, before, new);
            return sides.is_forbidden || sides.are_described.1;
        }
        (None, None) => {}
    }
    let has_default = sides.new.as_ref().is_some_and(|view| view.keyword("default").is_some());
    match (&sides.was_required, &sides.is_required) {
        (None, Some(at)) => {
            let change = if has_default { "property-became-required-with-default" } else { "property-became-required" };
            let before = sides.old.as_ref().map_or_else(|| old.side(), View::side);
            comparison.report_schema_change(change, "the property became required", before, ChangeSide::at_pointer(at));
        }
        (Some(at), None) => {
            let after = sides.new.as_ref().map_or_else(|| new.side(), View::side);
            comparison.report_schema_change(
                "property-became-optional",
                "the property is no longer required",
                ChangeSide::at_pointer(at),
                after,
            );
        }
        _ => {}
    }
    // Where other properties are not allowed, one that is not listed has no schema.
    let is_absent = |is_described: bool, view: &View<'_>| !is_described && is_closed(view);
    let (was_described, is_described) = sides.are_described;
    sides.old.is_some() || sides.new.is_some() || !is_absent(was_described, old) && !is_absent(is_described, new)
}

/// Whether properties that are not listed are forbidden.
fn is_closed(view: &View<'_>) -> bool {
    matches!(view.others(), Others::Forbidden)
}

/// Compares the flag that hides the property in the other direction.
fn other_flag(comparison: &mut Comparison<'_>, before: &View<'_>, after: &View<'_>) {
    let (flag, set, unset) = match comparison.direction {
        Direction::Request => ("writeOnly", "property-became-write-only", "property-no-longer-write-only"),
        Direction::Response => ("readOnly", "property-became-read-only", "property-no-longer-read-only"),
    };
    match (before.is(flag), after.is(flag)) {
        (false, true) => comparison.report_schema_change(
            set,
            format!("the property became {flag}"),
            before.side(),
            after.side_at(flag),
        ),
        (true, false) => comparison.report_schema_change(
            unset,
            format!("the property is no longer {flag}"),
            before.side_at(flag),
            after.side(),
        ),
        _ => {}
    }
}

fn added(comparison: &mut Comparison<'_>, sides: &Sides<'_>, after: &View<'_>, old: &View<'_>) {
    let has_default = after.keyword("default").is_some();
    let is_closed = is_closed(old);
    let (change, message) = match sides.is_required {
        _ if is_closed && comparison.direction == Direction::Response => {
            ("property-added-to-closed-object", "a property was added")
        }
        Some(_) if has_default => {
            ("property-added-required-with-default", "a required property with a default was added")
        }
        Some(_) => ("property-added-required", "a required property was added"),
        None if is_closed => ("property-added-to-closed-object", "a property was added"),
        None => ("property-added-optional", "an optional property was added"),
    };
    comparison.report_schema_change(change, message, old.side(), after.side());
}

fn removed(comparison: &mut Comparison<'_>, sides: &Sides<'_>, before: &View<'_>, new: &View<'_>) {
    let is_closed = is_closed(new) && comparison.direction == Direction::Request;
    let change = match sides.was_required {
        _ if is_closed => "property-removed-from-closed-object",
        Some(_) => "property-removed",
        None => "optional-property-removed",
    };
    comparison.report_schema_change(change, "the property was removed", before.side(), new.side());
}

fn others<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let key = "additionalProperties";
    let nothing = |view: &View<'d>| Parts {
        list: Vec::new(),
        holder: view.keyword(key).map_or_else(|| view.place().to_owned(), |at| at.pointer),
        chosen: Vec::new(),
    };
    comparison.inside("other properties", |comparison| match (old.others(), new.others()) {
        (Others::Allowed, Others::Allowed) | (Others::Forbidden, Others::Forbidden) => {}
        (_, Others::Forbidden) => {
            comparison.report_schema_change(
                "additional-properties-forbidden",
                "other properties are no longer allowed",
                old.side_at(key),
                new.side_at(key),
            );
        }
        (Others::Forbidden, _) => {
            comparison.report_schema_change(
                "additional-properties-allowed",
                "other properties are allowed",
                old.side_at(key),
                new.side_at(key),
            );
        }
        (Others::Described(before), Others::Described(after)) => compare_parts(comparison, before, after),
        (Others::Allowed, Others::Described(after)) => compare_parts(comparison, nothing(old), after),
        (Others::Described(before), Others::Allowed) => compare_parts(comparison, before, nothing(new)),
    });
}
