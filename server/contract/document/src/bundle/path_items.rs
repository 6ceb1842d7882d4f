//! Path items in other files, which become part of the document in place of the reference to them.

use super::{Bundler, PendingPart, Reference};
use crate::error::Error;
use crate::grammar::Kind;
use crate::pointer;
use crate::references;
use crate::source::{self, SourceMap};
use serde_json::Value;

impl Bundler<'_> {
    /// Replaces a reference by the path item that it leads to. Siblings of the reference are kept.
    pub(super) fn inline_path_item(
        &mut self,
        part: &PendingPart,
        reference: &Reference,
        from: (usize, &str),
    ) -> Result<(), Error> {
        /// Path items that contain each other several times would grow exponentially.
        const MOST: usize = 100_000;
        let place = &reference.place;
        let item = self.bundle.value.pointer(place).cloned().unwrap_or_default();
        if !references::references(&item, Kind::PathItem, self.version).iter().all(|found| found.holder().is_empty()) {
            return Err(self.error(reference, "has siblings with references: move them into the file that it names"));
        }
        if !self.inlined.insert((from.0, from.1.to_owned())) {
            self.copied.1 += self.library.read[from.0].value.pointer(from.1).map_or(0, source::size);
        }
        if self.copied.1 > MOST {
            return Err(self.size_error(reference));
        }
        let keys = item.as_object().into_iter().flatten().map(|(key, _)| key).filter(|key| *key != "$ref");
        let siblings: Vec<(String, Option<SourceMap>, String)> = keys
            .map(|key| {
                let pointer = format!("{place}/{}", pointer::escape(key));
                let in_file = self.bundle.origins.pointer_in_file(&pointer);
                (pointer.clone(), self.bundle.source_map.at(&pointer).map(SourceMap::from), in_file)
            })
            .collect();
        self.copy_part(reference, place, from, part.links + 1)?;
        let Some(target) = self.bundle.value.pointer_mut(place) else { return Ok(()) };
        let own: Vec<String> = target.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
        *target = merge_siblings(std::mem::take(target), &item);
        for (pointer, source_map, in_file) in siblings {
            let key = pointer::last_token(&pointer);
            if let Some(source_map) = source_map.filter(|_| !own.contains(&key)) {
                self.bundle.source_map.put(&pointer, source_map.whole());
                self.bundle.origins.add(&pointer, (&self.library.read[part.file].name, &in_file));
            }
        }
        Ok(())
    }
}

/// The target of a path item's reference, with the siblings of the reference that the target does not have itself.
pub(crate) fn merge_siblings(mut target: Value, item: &Value) -> Value {
    if let (Some(target), Some(item)) = (target.as_object_mut(), item.as_object()) {
        for (key, value) in item.iter().filter(|(key, _)| *key != "$ref") {
            target.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    target
}
