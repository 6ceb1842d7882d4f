//! `$ref`: where it may stand, where it leads, and whether it leads anywhere.
//!
//! References are checked once, when a document is loaded; afterwards following one cannot fail. Only
//! references into the same document are followed: what stands in other files is in the document by then.

use crate::error::{Error, Spot};
use crate::grammar::Kind;
use crate::tree::{self, Tree};
use serde_json::Value;
use std::collections::HashSet;

/// References that are followed one after the other, at most: what is checked has no circle, but an example is not
/// checked, and somebody may refer into one.
pub(crate) const LONGEST_CHAIN: usize = 256;

/// Follows `$ref` in `document` until something else stands there. A reference that leads nowhere gives null, as does
/// a longer chain; in a checked document neither is met outside of examples.
#[must_use]
pub fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..LONGEST_CHAIN {
        let Some(reference) = target(value) else { return value };
        value = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).unwrap_or(&Value::Null);
    }
    if target(value).is_some() { &Value::Null } else { value }
}

/// What the object refers to, if it is a reference object.
#[must_use]
pub fn target(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// A reference in a part of a document.
pub(crate) struct Found {
    /// JSON pointer of the object that holds the `$ref`, from the part on.
    pub(crate) pointer: String,
    /// What is expected there.
    pub(crate) kind: Kind,
    /// The reference as written.
    pub(crate) text: String,
    /// Whether OpenAPI has references there.
    pub(crate) is_allowed: bool,
}

/// The references in a part of a document that is an object of that kind. What is data, an extension or unknown to OpenAPI
/// has none, nor has what stands beside a `$ref`.
pub(crate) fn references(part: &Value, kind: Kind) -> Vec<Found> {
    let tree = Tree::of_part(part, kind);
    let nodes = tree.ids().filter_map(|id| {
        let node = tree.node(id);
        let text = target(node.value)?.to_owned();
        let is_allowed = node.reference.is_some() || node.kind == Kind::PathItem;
        Some(Found { pointer: tree.pointer(id), kind: node.kind, text, is_allowed })
    });
    // Where an object or a list of objects is expected, and a reference stands instead.
    let misfits = tree.misfits.iter().filter_map(|misfit| {
        let (text, inner) = match (misfit.value, misfit.inner.split_last()) {
            (Value::String(text), Some((last, inner))) if last == "$ref" => (text.clone(), inner),
            (other, _) => (target(other)?.to_owned(), misfit.inner.as_slice()),
        };
        let pointer = format!("{}{}", tree.pointer(misfit.node), pointer(inner));
        Some(Found { pointer, kind: tree.node(misfit.node).kind, text, is_allowed: false })
    });
    nodes.chain(misfits.collect::<Vec<_>>()).collect()
}

/// Checks that every `$ref` leads to something in the document. `origin` tells where a JSON pointer leads in the text, and
/// the pointer there.
///
/// # Errors
/// [`Error::Reference`] for the first that does not.
pub(crate) fn check(document: &Value, origin: &dyn Fn(&str) -> (Spot, String)) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let mut open = vec![(String::new(), Kind::Document)];
    while let Some((part, kind)) = open.pop() {
        let Some(value) = document.pointer(&part) else { continue };
        for found in references(value, kind) {
            // That an example is missing hurts nobody but its readers: lint tells them.
            if found.kind == Kind::Example && found.is_allowed {
                continue;
            }
            let place = format!("{part}{}", found.pointer);
            let problem = if found.is_allowed { problem(document, &found.text) } else { Some(MISPLACED) };
            if let Some(problem) = problem {
                let ((spot, _), (_, place)) = (origin(&format!("{place}/$ref")), origin(&place));
                return Err(Error::Reference { spot, place, reference: found.text, problem });
            }
            // What is no OpenAPI by itself (an extension, say) is OpenAPI as soon as something refers to it.
            let target = found.text.trim_start_matches('#');
            if !tree::reaches(document, target) && seen.insert(target.to_owned()) {
                open.push((target.to_owned(), found.kind));
            }
        }
    }
    Ok(())
}

/// What is wrong with a reference where OpenAPI has none.
pub(crate) const MISPLACED: &str = "stands where OpenAPI has no references";

fn problem(document: &Value, reference: &str) -> Option<&'static str> {
    let mut seen = vec![reference];
    loop {
        let Some(pointer) = seen.last().and_then(|reference| reference.strip_prefix('#')) else {
            return Some("leads out of the document: make one file of several first (tools call it bundling)");
        };
        let Some(value) = document.pointer(pointer) else {
            return Some("leads nowhere");
        };
        let next = target(value)?;
        if seen.contains(&next) {
            return Some("leads back to itself");
        }
        if seen.len() == LONGEST_CHAIN {
            return Some("leads through too many others");
        }
        seen.push(next);
    }
}

/// A JSON pointer (RFC 6901) from its unescaped parts.
#[must_use]
pub fn pointer<S: AsRef<str>>(parts: impl IntoIterator<Item = S>) -> String {
    parts.into_iter().map(|part| format!("/{}", escaped(part.as_ref()))).collect()
}

/// One part of a JSON pointer, as it is written in one.
#[must_use]
pub fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// One part of a JSON pointer, as it is meant.
#[must_use]
pub fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}
