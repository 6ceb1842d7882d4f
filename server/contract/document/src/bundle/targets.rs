//! The references of a part, and where they lead.

use super::library::Missing;
use super::{Bundler, PendingPart, Reference};
use crate::error::Error;
use crate::grammar;
use crate::reference;
use crate::references::{self, Found, is_path, unresolved};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::borrow::Cow;

impl Bundler<'_> {
    /// The references in a part. Those that are where OpenAPI allows none are left as they are.
    pub(super) fn references(&self, part: &PendingPart) -> Vec<Reference> {
        let Some(value) = self.bundle.value.pointer(&part.place) else { return Vec::new() };
        let is_name = |text: &str| self.bundle.value["components"]["schemas"].get(text).is_some();
        let is_reference = |found: &Found| match found.is_mapped {
            true => is_path(&found.text) && !is_name(&found.text),
            false => found.is_allowed,
        };
        let found = references::references(value, part.kind, self.version).into_iter().filter(is_reference);
        let reference = |found: Found| Reference {
            text_at: format!("{}{}", part.place, found.pointer),
            place: format!("{}{}", part.place, found.holder()),
            kind: found.kind,
            text: found.text,
        };
        found.map(reference).collect()
    }

    /// Index of the file and JSON pointer in it that a reference leads to.
    pub(super) fn locate(&mut self, part: &PendingPart, reference: &Reference) -> Result<(usize, String), Error> {
        let (path, fragment) = reference.text.split_once('#').unwrap_or((&reference.text, ""));
        let file = if path.is_empty() { part.file } else { self.file(part.file, path, reference)? };
        let value = &self.library.read[file].value;
        let holds = |pointer: &str| value.pointer(pointer).is_some();
        let decoded = || percent_decode_str(fragment).decode_utf8().ok().map(Cow::into_owned);
        let pointer = Some(fragment.to_owned()).filter(|pointer| holds(pointer)).or_else(decoded);
        // A pointer through another reference can only be checked when that one has been replaced.
        match pointer.filter(|pointer| holds(pointer) || file == 0 && passes_a_reference(value, pointer)) {
            Some(pointer)
                if file == 0
                    || value.pointer(&pointer).is_some_and(|part| grammar::resembles(part, reference.kind)) =>
            {
                Ok((file, pointer))
            }
            Some(_) => Err(self.error(reference, "leads to something else than an OpenAPI object of this kind")),
            None => Err(self.error(reference, unresolved(fragment))),
        }
    }

    fn file(&mut self, from: usize, path: &str, reference: &Reference) -> Result<usize, Error> {
        self.library.find(from, path).map_err(|missing| match missing {
            Missing::NoPath(problem) => self.error(reference, problem),
            Missing::Unreadable(source) => {
                let (span, place) = self.origin(reference);
                Error::File { span, place, reference: reference.text.clone(), source }
            }
            Missing::Unusable(error) => error,
        })
    }
}

/// Whether a JSON pointer leads through a reference.
fn passes_a_reference(value: &Value, pointer: &str) -> bool {
    let ends = pointer.match_indices('/').map(|(end, _)| end).skip(1);
    ends.filter_map(|end| value.pointer(&pointer[..end])).any(|value| reference::target(value).is_some())
}
