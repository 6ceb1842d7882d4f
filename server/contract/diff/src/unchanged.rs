//! References whose targets are equal on both sides, including everything that these refer to.
//!
//! Most of a contract does not change between two versions, and operations share schemas. Equal parts are not compared
//! again for each operation.

use super::subtypes;
use countersign_contract_document::{Document, Node, pointer};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

#[derive(Debug, Default)]
pub(super) struct Unchanged {
    /// References as written (`#/components/schemas/User`).
    references: HashSet<String>,
}

impl Unchanged {
    pub(super) fn between(old: &Document, new: &Document) -> Self {
        let (old_subtypes, new_subtypes) = (subtypes_by_base(old), subtypes_by_base(new));
        // For each reference, the references in its target.
        let (mut within, mut pending) = (HashMap::<String, Vec<String>>::new(), Vec::new());
        collect(new.value(), &mut pending);
        let (mut references, mut changed) = (HashSet::new(), Vec::new());
        while let Some(reference) = pending.pop() {
            if within.contains_key(&reference) {
                continue;
            }
            let (before, after) = (target(old, &reference), target(new, &reference));
            let mut inner = Vec::new();
            after.into_iter().for_each(|value| collect(value, &mut inner));
            if after.is_some_and(|value| value.get("discriminator").is_some()) {
                let subtypes = (old_subtypes.get(reference.as_str()), new_subtypes.get(reference.as_str()));
                if subtypes.0 != subtypes.1 {
                    changed.push(reference.clone());
                }
                inner.extend(subtypes.1.into_iter().flatten().cloned());
            }
            if before != after {
                changed.push(reference.clone());
            }
            pending.extend(inner.iter().cloned());
            within.insert(reference.clone(), inner);
            references.insert(reference);
        }
        // A part that contains a changed one has changed too.
        let mut holders = HashMap::<&str, Vec<&str>>::new();
        for (holder, inner) in &within {
            inner.iter().for_each(|reference| holders.entry(reference).or_default().push(holder));
        }
        while let Some(reference) = changed.pop() {
            if references.remove(&reference) {
                let above = holders.get(reference.as_str()).into_iter().flatten();
                changed.extend(above.map(|holder| (*holder).to_owned()));
            }
        }
        Self { references }
    }

    /// Whether the values of two nodes are equal, including everything that they refer to.
    pub(super) fn holds(&self, old: &Node<'_>, new: &Node<'_>) -> bool {
        self.holds_for(old.value, new.value)
    }

    /// Whether two values are equal, including everything that they refer to.
    pub(super) fn holds_for(&self, old: &Value, new: &Value) -> bool {
        old == new && self.is_untouched(new)
    }

    fn is_untouched(&self, value: &Value) -> bool {
        match value {
            Value::Object(map) => map.iter().all(|(key, child)| match (key.as_str(), child) {
                ("$ref", Value::String(reference)) => self.references.contains(reference),
                // A discriminator, or a property of that name.
                ("discriminator", _) => {
                    let is_known = |reference| self.references.contains(&reference);
                    self.is_untouched(child) && subtypes::mapped(value).all(is_known)
                }
                _ => self.is_untouched(child),
            }),
            Value::Array(list) => list.iter().all(|child| self.is_untouched(child)),
            _ => true,
        }
    }
}

fn target<'d>(document: &'d Document, reference: &str) -> Option<&'d Value> {
    document.value().pointer(reference.strip_prefix('#')?)
}

/// References to subtypes, by reference to their base schema.
fn subtypes_by_base(document: &Document) -> HashMap<&str, Vec<String>> {
    let mut out = HashMap::<_, Vec<String>>::new();
    let schemas = document.value().pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
    for (name, schema) in schemas {
        for base in subtypes::bases(schema) {
            out.entry(base).or_default().push(format!("#{}", pointer::from_tokens(["components", "schemas", name])));
        }
    }
    out
}

/// Collects everything that looks like a reference. Those in examples are not meant as such, but do no harm.
fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, child) in map {
                match (key.as_str(), child) {
                    ("$ref", Value::String(reference)) => out.push(reference.clone()),
                    ("discriminator", _) => out.extend(subtypes::mapped(value)),
                    _ => {}
                }
                collect(child, out);
            }
        }
        Value::Array(list) => list.iter().for_each(|child| collect(child, out)),
        _ => {}
    }
}
