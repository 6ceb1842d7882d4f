//! Finding all references of a document, and those that cannot be resolved.

use crate::grammar::Kind;
use crate::pointer;
use crate::reference::{LONGEST_CHAIN, target};
use crate::tree::{self, Tree};
use crate::version::Version;
use serde_json::Value;
use std::collections::HashSet;

/// A reference in a part of a document.
pub(crate) struct Found {
    /// JSON pointer of the object that contains the `$ref`, relative to the part.
    pub(crate) pointer: String,
    /// Kind of the object that is expected there.
    pub(crate) kind: Kind,
    /// The reference as written.
    pub(crate) text: String,
    /// Whether OpenAPI allows a reference there.
    pub(crate) is_allowed: bool,
}

/// The references in a part of a document, given the kind of the part. Data, extensions, unknown fields and the siblings
/// of a `$ref` are not searched.
pub(crate) fn references(part: &Value, kind: Kind, version: Version) -> Vec<Found> {
    let tree = Tree::new(part, kind, version);
    let nodes = tree.ids().filter_map(|id| {
        let node = tree.node(id);
        let text = target(node.value)?.to_owned();
        let is_allowed = node.reference.is_some() || node.kind == Kind::PathItem;
        Some(Found { pointer: tree.pointer(id), kind: node.kind, text, is_allowed })
    });
    // References in place of an object or of a list of objects.
    let misfits = tree.misfits.iter().filter_map(|misfit| {
        let (text, inner) = match (misfit.value, misfit.inner.split_last()) {
            (Value::String(text), Some((last, inner))) if last == "$ref" => (text.clone(), inner),
            (other, _) => (target(other)?.to_owned(), misfit.inner.as_slice()),
        };
        let pointer = format!("{}{}", tree.pointer(misfit.node), pointer::from_tokens(inner));
        Some(Found { pointer, kind: tree.node(misfit.node).kind, text, is_allowed: false })
    });
    nodes.chain(misfits.collect::<Vec<_>>()).collect()
}

/// A reference that cannot be resolved within its document.
#[derive(Debug, Clone)]
pub struct Broken {
    /// JSON pointer of the object that contains the `$ref`.
    pub pointer: String,
    /// The reference as written.
    pub text: String,
    /// Why not, as a predicate: `leads to nothing`.
    pub problem: &'static str,
}

/// The references that cannot be resolved within the document, or are where OpenAPI allows none.
pub(crate) fn broken(document: &Value) -> Vec<Broken> {
    let version = Version::of(document).unwrap_or(Version::V3_0);
    let mut broken = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![(String::new(), Kind::Document)];
    while let Some((part, kind)) = open.pop() {
        let Some(value) = document.pointer(&part) else { continue };
        for found in references(value, kind, version) {
            // A missing example does not make the document unusable; lint reports it.
            if found.kind == Kind::Example && found.is_allowed {
                continue;
            }
            let problem = if found.is_allowed { problem(document, &found.text) } else { Some(MISPLACED) };
            if let Some(problem) = problem {
                broken.push(Broken { pointer: format!("{part}{}", found.pointer), text: found.text, problem });
                continue;
            }
            // The target of a reference is OpenAPI wherever it is, even in an extension.
            let target = found.text.trim_start_matches('#');
            if !tree::reaches(document, target) && seen.insert(target.to_owned()) {
                open.push((target.to_owned(), found.kind));
            }
        }
    }
    broken
}

/// The problem of a reference where OpenAPI allows none.
pub(crate) const MISPLACED: &str = "is where OpenAPI allows no reference";

fn problem(document: &Value, reference: &str) -> Option<&'static str> {
    let mut seen = vec![reference];
    loop {
        let Some(pointer) = seen.last().and_then(|reference| reference.strip_prefix('#')) else {
            return Some("leads out of the document: bundle its files into one first");
        };
        let Some(value) = document.pointer(pointer) else {
            return Some("cannot be resolved");
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
