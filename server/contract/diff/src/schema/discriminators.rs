//! Compares discriminators.
//!
//! Their values are those of the mapping and the names of the other alternatives (OpenAPI 3.0.3, Discriminator Object).
//! Renaming a schema therefore changes a value on the wire, unless the mapping contains it.

use super::view::View;
use super::{Parts, SCHEMAS, compare as compare_parts};
use crate::change::ChangeSide;
use crate::comparison::Comparison;
use crate::subtypes;
use countersign_contract_document::{Document, Node};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "discriminator";

/// Compares discriminators. `pairs` has the indices of new alternatives by old ones.
pub(super) fn compare<'d>(
    comparison: &mut Comparison<'d>,
    (old, had): (&View<'d>, &[Parts<'d>]),
    (new, has): (&View<'d>, &[Parts<'d>]),
    pairs: &BTreeMap<usize, usize>,
) {
    let (before, after) = match (old.keyword(KEY), new.keyword(KEY)) {
        (None, None) => return,
        (None, Some(_)) => {
            let message = "a discriminator was added";
            return comparison.report_schema_change("discriminator-added", message, old.side(), new.side_at(KEY));
        }
        (Some(_), None) => {
            let message = "the discriminator was removed";
            return comparison.report_schema_change("discriminator-removed", message, old.side_at(KEY), new.side());
        }
        (Some(before), Some(after)) => (before, after),
    };
    // A subtype inherits the discriminator of its base schema, but does not stand for the other subtypes.
    if had.is_empty() && is_subtype(old, &before) && is_subtype(new, &after) {
        return;
    }
    if before.text("propertyName") != after.text("propertyName") {
        let side = |at: &Node<'_>| {
            at.get("propertyName").as_ref().map_or_else(|| ChangeSide::at(at), ChangeSide::with_node_value)
        };
        let message = "the discriminator is another property";
        comparison.report_schema_change("discriminator-property-changed", message, side(&before), side(&after));
    }
    let (from, to) = (Kinds::of(old, &before, had), Kinds::of(new, &after, has));
    // Added and removed alternatives are reported as such.
    let (kept, keeps): (BTreeSet<_>, BTreeSet<_>) =
        (pairs.keys().copied().collect(), pairs.values().copied().collect());
    let is_same = |one: &Target, other: &Target| match (one.index, other.index) {
        (Some(one), Some(other)) => pairs.get(&one) == Some(&other),
        _ => one.name == other.name,
    };
    for (value, target) in &from.values {
        let side = ChangeSide::with_value(&target.pointer, Value::from(target.name.as_str()).to_string());
        match to.values.get(value) {
            Some(other) if is_same(target, other) => {}
            Some(other) => {
                let message = format!("the value {value} selects another schema");
                let now = ChangeSide::with_value(&other.pointer, Value::from(other.name.as_str()).to_string());
                comparison.report_schema_change("discriminator-mapping-changed", message, side, now);
            }
            None if target.index.is_none_or(|index| kept.contains(&index)) => {
                let message = format!("the value {value} was removed");
                comparison.report_schema_change("discriminator-mapping-removed", message, side, ChangeSide::at(&after));
            }
            None => {}
        }
    }
    for (value, target) in to.values.iter().filter(|(value, _)| !from.values.contains_key(*value)) {
        if target.index.is_none_or(|index| keeps.contains(&index)) {
            let side = ChangeSide::with_value(&target.pointer, Value::from(target.name.as_str()).to_string());
            let message = format!("the value {value} was added");
            comparison.report_schema_change("discriminator-mapping-added", message, ChangeSide::at(&before), side);
        }
    }
    // Subtypes are not compared elsewhere, because nothing refers to them.
    let kinds = from.values.iter().filter(|(_, target)| target.index.is_none());
    for (value, target) in kinds {
        if let Some(other) = to.values.get(value).filter(|other| other.index.is_none())
            && let (Some(before), Some(after)) =
                (definition(comparison.old, &target.name), definition(comparison.new, &other.name))
        {
            let parts = |at: Node<'d>| Parts { holder: at.pointer.clone(), list: vec![at], chosen: Vec::new() };
            let (before, after) = (parts(before), parts(after));
            comparison.inside(value.clone(), |comparison| {
                comparison.inside_component(Some(&other.name), |comparison| compare_parts(comparison, before, after));
            });
        }
    }
}

fn is_subtype(view: &View<'_>, discriminator: &Node<'_>) -> bool {
    let base = discriminator.pointer.strip_suffix("/discriminator").unwrap_or_default();
    let own = view.parts.identity();
    subtypes::of(view.document, base).into_iter().any(|name| own == format!("{SCHEMAS}/{name}"))
}

/// The schemas that the values of a discriminator select.
struct Kinds {
    values: BTreeMap<String, Target>,
}

struct Target {
    /// Name of the schema.
    name: String,
    /// Index among the alternatives, if it is one.
    index: Option<usize>,
    pointer: String,
}

impl Kinds {
    fn of(view: &View<'_>, discriminator: &Node<'_>, alternatives: &[Parts<'_>]) -> Self {
        let mut values = BTreeMap::new();
        let index = |name: &str| alternatives.iter().position(|one| one.name() == Some(name));
        for (value, at) in discriminator.entries_of("mapping") {
            let name = at.value.as_str().map(subtypes::schema_name).unwrap_or_default().to_owned();
            values.insert(value.to_owned(), Target { index: index(&name), name, pointer: at.pointer });
        }
        // The names of mapped schemas remain valid values, but are not used in practice.
        let is_mapped =
            |values: &BTreeMap<String, Target>, name: &str| values.values().any(|target| target.name == name);
        let own = alternatives.iter().filter_map(|one| Some((one.name()?.to_owned(), one.pointer().to_owned())));
        let subtypes = match alternatives.is_empty() {
            true => {
                subtypes::of(view.document, discriminator.pointer.strip_suffix("/discriminator").unwrap_or_default())
            }
            false => Vec::new(),
        };
        let subtypes = subtypes.into_iter().map(|name| (name.to_owned(), format!("{SCHEMAS}/{name}")));
        for (name, pointer) in own.chain(subtypes) {
            if !is_mapped(&values, &name) && !values.contains_key(&name) {
                values.insert(name.clone(), Target { index: index(&name), name, pointer });
            }
        }
        Self { values }
    }
}

fn definition<'d>(document: &'d Document, name: &str) -> Option<Node<'d>> {
    Some(Node::at(document, &format!("{SCHEMAS}/{name}"))).filter(|at| !at.value.is_null())
}
