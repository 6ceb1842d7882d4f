//! A place in a document, which knows where it is.
//!
//! Whoever walks a document by nodes can say at each step which line of it is meant, also across a `$ref`.

use crate::document::Document;
use crate::reference;
use serde_json::Value;

/// What stands at a JSON pointer of a document.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) document: &'a Document,
    /// JSON pointer (RFC 6901) of the place.
    pub(crate) pointer: String,
    /// What stands there.
    pub(crate) value: &'a Value,
}

impl<'a> Node<'a> {
    /// The whole document.
    pub(crate) fn root(document: &'a Document) -> Self {
        Self { document, pointer: String::new(), value: document.value() }
    }

    /// The entry of an object, if there is one. References are not followed.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.as_object()?.get(key)?;
        Some(self.child(key, value))
    }

    /// The entry of an object, with its references followed.
    pub(crate) fn follow(&self, key: &str) -> Option<Self> {
        self.get(key).map(Self::resolved)
    }

    /// The entries of an object, in no order; none for anything else.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + '_ {
        let entries = self.value.as_object().into_iter().flatten();
        entries.map(|(key, value)| (key.as_str(), self.child(key, value)))
    }

    /// The entries of an array; none for anything else.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> + '_ {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(index, value)| self.child(&index.to_string(), value))
    }

    /// What a reference leads to; anything else as it is.
    pub(crate) fn resolved(mut self) -> Self {
        // In a checked document the last one leads to what `resolve` finds.
        let mut value = self.value;
        for _ in 0..reference::LONGEST_CHAIN {
            let Some(target) = reference::target(value) else { break };
            let pointer = target.trim_start_matches('#');
            self.pointer = pointer.to_owned();
            value = self.document.value().pointer(pointer).unwrap_or(&Value::Null);
        }
        Self { value: self.document.resolve(self.value), ..self }
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        let pointer = format!("{}{}", self.pointer, reference::pointer(&[key.to_owned()]));
        Self { document: self.document, pointer, value }
    }
}
