//! A value together with where it stands.

use crate::document::Document;
use crate::reference;
use serde_json::Value;

/// A value in a document, and the JSON pointer that leads there.
#[derive(Debug, Clone)]
pub(super) struct At<'d> {
    pub(super) pointer: String,
    pub(super) value: &'d Value,
}

impl<'d> At<'d> {
    pub(super) fn new(document: &'d Document, pointer: &str) -> Self {
        Self { pointer: pointer.to_owned(), value: document.value().pointer(pointer).unwrap_or(&Value::Null) }
    }

    /// What stands under a key, if something does.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.as_object()?.get(key)?;
        Some(Self { pointer: format!("{}/{}", self.pointer, reference::escaped(key)), value })
    }

    /// The text under a key.
    pub(super) fn text(&self, key: &str) -> Option<&'d str> {
        self.value.as_object()?.get(key)?.as_str()
    }

    /// Whether `true` stands under a key.
    pub(super) fn is(&self, key: &str) -> bool {
        self.value.as_object().is_some_and(|object| object.get(key) == Some(&Value::Bool(true)))
    }

    /// The entries of a mapping.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'d str, Self)> + use<'d> {
        let pointer = self.pointer.clone();
        self.value.as_object().into_iter().flatten().map(move |(key, value)| {
            (key.as_str(), Self { pointer: format!("{pointer}/{}", reference::escaped(key)), value })
        })
    }

    /// The entries of the mapping under a key.
    pub(super) fn entries_of(&self, key: &str) -> impl Iterator<Item = (&'d str, Self)> + use<'d> {
        self.get(key).into_iter().flat_map(|at| at.entries())
    }

    /// The items of the list under a key.
    pub(super) fn items_of(&self, key: &str) -> Vec<Self> {
        let Some(list) = self.get(key) else { return Vec::new() };
        let items = list.value.as_array().into_iter().flatten().enumerate();
        items.map(|(index, value)| Self { pointer: format!("{}/{index}", list.pointer), value }).collect()
    }

    /// What a reference leads to; itself if it is none.
    pub(super) fn resolved(self, document: &'d Document) -> Self {
        let mut at = self;
        while let Some(pointer) = reference::target(at.value).and_then(|reference| reference.strip_prefix('#')) {
            at = Self::new(document, pointer);
        }
        at
    }
}

/// A value in words: short ones as JSON, long ones cut.
pub(super) fn words(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
