//! What the values to be validated consist of.

use serde_json::Value;
use std::collections::HashSet;

/// The keys and lists in some values at each depth or below. Schemas for other properties or items have no effect on the
/// value and can be left out.
#[derive(Default)]
pub(super) struct About<'v> {
    levels: Vec<Level<'v>>,
}

#[derive(Default, Clone)]
pub(super) struct Level<'v> {
    pub(super) keys: HashSet<&'v str>,
    pub(super) has_items: bool,
}

impl<'v> About<'v> {
    pub(super) fn new(values: &'v [Value]) -> Self {
        let mut about = Self::default();
        values.iter().for_each(|value| about.collect(value, 0));
        // A schema that applies to an object may also apply to the objects within it.
        for depth in (1..about.levels.len()).rev() {
            let below = about.levels[depth].clone();
            about.levels[depth - 1].keys.extend(below.keys);
            about.levels[depth - 1].has_items |= below.has_items;
        }
        about
    }

    /// Whether there are certain keys or lists at a depth or below.
    pub(super) fn meets(&self, depth: usize, has: impl Fn(&Level<'_>) -> bool) -> bool {
        self.levels.get(depth).is_some_and(has)
    }

    fn collect(&mut self, value: &'v Value, depth: usize) {
        if self.levels.len() == depth {
            self.levels.push(Level::default());
        }
        match value {
            Value::Array(items) => {
                self.levels[depth].has_items |= !items.is_empty();
                items.iter().for_each(|item| self.collect(item, depth + 1));
            }
            Value::Object(entries) => {
                self.levels[depth].keys.extend(entries.keys().map(String::as_str));
                entries.values().for_each(|value| self.collect(value, depth + 1));
            }
            _ => {}
        }
    }
}
