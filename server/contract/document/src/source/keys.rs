//! The different keys of a document, by number.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

/// A document repeats most of its keys, so that positions refer to them by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, Key>,
}

/// The number of a key, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(NonZeroU32);

impl Keys {
    /// The number of a key, which is a new one if the key is. `None` if there are no numbers left.
    pub(super) fn number(&mut self, name: &str) -> Option<Key> {
        if let Some(known) = self.numbers.get(name) {
            return Some(*known);
        }
        let number = Key(u32::try_from(self.names.len() + 1).ok().and_then(NonZeroU32::new)?);
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        Some(number)
    }

    /// The key with a number of this table.
    pub(super) fn name(&self, key: Key) -> &str {
        self.names.get(key.0.get() as usize - 1).map(AsRef::as_ref).unwrap_or_default()
    }

    /// The number of a key, if it has one.
    pub(super) fn find(&self, name: &str) -> Option<Key> {
        self.numbers.get(name).copied()
    }
}
