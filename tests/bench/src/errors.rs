//! Requests that went wrong, by what was answered.

use serde::Serialize;
use std::collections::BTreeMap;

/// Requests that were not answered as they should be.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Errors {
    /// How many, by status; zero stands for no response, 200 for one that was not what was asked for.
    pub(crate) by_status: BTreeMap<u16, u64>,
    /// What the first one was.
    pub(crate) first: Option<String>,
}

impl Errors {
    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.by_status.values().sum()
    }

    /// Adds one.
    pub(crate) fn add(&mut self, status: u16, text: impl FnOnce() -> String) {
        *self.by_status.entry(status).or_default() += 1;
        self.first.get_or_insert_with(text);
    }

    /// Adds all of another.
    pub(crate) fn append(&mut self, other: Self) {
        for (status, count) in other.by_status {
            *self.by_status.entry(status).or_default() += count;
        }
        self.first = self.first.take().or(other.first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_by_status_and_the_first_is_kept() {
        let (mut errors, mut more) = (Errors::default(), Errors::default());
        more.add(429, || "too many".to_owned());
        more.add(429, || "never told".to_owned());
        more.add(0, || "never told".to_owned());
        errors.append(more);
        assert_eq!(errors.count(), 3);
        assert_eq!(errors.by_status, [(0, 1), (429, 2)].into());
        assert_eq!(errors.first.as_deref(), Some("too many"));
    }
}
