//! A value of a document together with its JSON pointer, so that its position is known even after following a `$ref`.

use crate::document::Document;
use crate::pointer;
use crate::reference;
use serde_json::Value;

/// The value at a JSON pointer of a document.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The document that contains it.
    pub document: &'a Document,
    /// JSON pointer (RFC 6901) of the value.
    pub pointer: String,
    /// The value itself.
    pub value: &'a Value,
}

impl<'a> Node<'a> {
    /// The whole document.
    pub fn root(document: &'a Document) -> Self {
        Self { document, pointer: String::new(), value: document.value() }
    }

    /// The value at a JSON pointer; null if there is none.
    pub fn at(document: &'a Document, pointer: &str) -> Self {
        Self {
            document,
            pointer: pointer.to_owned(),
            value: pointer::find(document.value(), pointer).unwrap_or(&Value::Null),
        }
    }

    /// The entry of an object, if there is one. References are not followed.
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.as_object()?.get(key)?;
        Some(self.child(key, value))
    }

    /// The entry of an object, with its references followed.
    pub fn follow(&self, key: &str) -> Option<Self> {
        self.get(key).map(Self::resolved)
    }

    /// The entry of an object, if it is a string.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.value.as_object()?.get(key)?.as_str()
    }

    /// Whether an entry of the object is `true`.
    pub fn is(&self, key: &str) -> bool {
        self.value.as_object().is_some_and(|object| object.get(key) == Some(&Value::Bool(true)))
    }

    /// The entries of an object in unspecified order; none for other values.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let node = self.clone();
        let entries = self.value.as_object().into_iter().flatten();
        entries.map(move |(key, value)| (key.as_str(), node.child(key, value)))
    }

    /// The entries of the object under a key.
    pub fn entries_of(&self, key: &str) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        self.get(key).into_iter().flat_map(|node| node.entries())
    }

    /// The items of an array; none for other values.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let node = self.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| node.child(&index.to_string(), value))
    }

    /// The items of the array under a key.
    pub fn items_of(&self, key: &str) -> impl Iterator<Item = Self> + use<'a> {
        self.get(key).into_iter().flat_map(|node| node.items())
    }

    /// The target of a reference; other values unchanged.
    pub fn resolved(mut self) -> Self {
        for _ in 0..reference::LONGEST_CHAIN {
            let Some(target) = reference::target(self.value) else { return self };
            self = Self::at(self.document, target.trim_start_matches('#'));
        }
        // Loading rejects documents with longer chains.
        self
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        let mut pointer = String::with_capacity(self.pointer.len() + key.len() + 1);
        pointer.push_str(&self.pointer);
        pointer::push(&mut pointer, key);
        Self { document: self.document, pointer, value }
    }
}
