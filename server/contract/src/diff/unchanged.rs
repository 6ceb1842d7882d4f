//! Which references lead to the same on both sides, however deep one looks.
//!
//! Most of a contract does not change between two versions, and most operations share their schemas. What is known to be
//! equal is not walked again for each of them.

use super::at::At;
use crate::document::Document;
use crate::reference;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

#[derive(Debug, Default)]
pub(super) struct Unchanged {
    /// References as written (`#/components/schemas/User`).
    references: HashSet<String>,
}

impl Unchanged {
    pub(super) fn between(old: &Document, new: &Document) -> Self {
        // What stands behind each reference, and which references stand in it.
        let (mut within, mut pending) = (HashMap::<String, Vec<String>>::new(), Vec::new());
        collect(new.value(), &mut pending);
        let (mut references, mut changed) = (HashSet::new(), Vec::new());
        while let Some(reference) = pending.pop() {
            if within.contains_key(&reference) {
                continue;
            }
            let (before, after) = (target(old, &reference), target(new, &reference));
            let mut inner = Vec::new();
            match before == after {
                true => after.into_iter().for_each(|value| collect(value, &mut inner)),
                false => changed.push(reference.clone()),
            }
            if let (false, Some(value)) = (before == after, after) {
                collect(value, &mut pending);
            }
            pending.extend(inner.iter().cloned());
            within.insert(reference.clone(), inner);
            references.insert(reference);
        }
        // What holds something that changed has changed, too.
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

    /// Whether two values mean the same, down to the last reference.
    pub(super) fn holds(&self, old: &At<'_>, new: &At<'_>) -> bool {
        old.value == new.value && self.is_untouched(new.value)
    }

    fn is_untouched(&self, value: &Value) -> bool {
        match value {
            Value::Object(map) => map.iter().all(|(key, child)| match (key.as_str(), child) {
                ("$ref", Value::String(reference)) => self.references.contains(reference),
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

/// Whatever looks like a reference. In examples none is meant, and one too many does no harm.
fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            out.extend(reference::target(value).map(str::to_owned));
            map.values().for_each(|child| collect(child, out));
        }
        Value::Array(list) => list.iter().for_each(|child| collect(child, out)),
        _ => {}
    }
}
