//! Where the parts of a bundled document come from.

use crate::moved::Moved;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Origins of the parts of a document that come from other files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    /// Name of the file and JSON pointer in it, by JSON pointer in the document.
    parts: HashMap<String, (Arc<str>, String)>,
    /// The names of the files.
    names: HashSet<Arc<str>>,
    /// JSON pointers of components with a generated name, because the natural one was in use.
    pub(crate) generated_names: HashSet<String>,
    /// Values that reading the schemas moved.
    pub(crate) moved: Moved,
}

impl Origins {
    /// Records that the value at a JSON pointer comes from a file and a pointer in it.
    pub(super) fn add(&mut self, pointer: &str, (file, in_file): (&str, &str)) {
        let name = self.names.get(file).cloned().unwrap_or_else(|| file.into());
        self.names.insert(Arc::clone(&name));
        self.parts.insert(pointer.to_owned(), (name, in_file.to_owned()));
    }

    /// The file that the value at a JSON pointer comes from, and the pointer in it; `None` for the document's own file.
    pub(crate) fn of(&self, pointer: &str) -> Option<(&str, String)> {
        let ends = pointer.rmatch_indices('/').map(|(end, _)| end);
        let (part, end) =
            std::iter::once(pointer.len()).chain(ends).find_map(|end| Some((self.parts.get(&pointer[..end])?, end)))?;
        Some((&part.0, format!("{}{}", part.1, &pointer[end..])))
    }

    /// Translates a JSON pointer of the document into one of the file that the value comes from.
    pub(crate) fn pointer_in_file(&self, pointer: &str) -> String {
        let pointer = self.moved.written(pointer);
        self.of(&pointer).map_or_else(|| pointer.to_string(), |(_, pointer)| pointer)
    }
}
