//! Finds positions in a document that does not change any more.

use super::keys::Key;
use super::map::{Part, SourceMap};
use crate::pointer;
use crate::position::Position;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Most entries of a value among which one is searched from the first on. Others have an index, because reports look up very
/// many values of the same large mapping, such as `components/schemas`.
const MOST_SEARCHED: usize = 32;

/// The positions of all values of a document.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    map: SourceMap,
    /// The values with many entries, by their offset. Made on first use, because most documents have no findings.
    large: OnceLock<HashMap<usize, Entries>>,
    /// Number of entries that were passed in searches.
    #[cfg(test)]
    passed: std::sync::atomic::AtomicUsize,
}

/// Offsets of the entries of a value.
#[derive(Debug)]
enum Entries {
    Mapping(HashMap<Key, usize>),
    Sequence(Vec<usize>),
}

impl From<SourceMap> for Positions {
    fn from(map: SourceMap) -> Self {
        Self { map, ..Self::default() }
    }
}

impl Positions {
    /// Position of the value at a JSON pointer; if there is none, of its nearest existing ancestor.
    pub(crate) fn find(&self, pointer: &str) -> Position {
        let mut offset = 0;
        for token in pointer::tokens(pointer) {
            match self.entry(offset, &token) {
                Some(entry) => offset = entry,
                None => break,
            }
        }
        self.map.whole().part(offset).position()
    }

    fn entry(&self, offset: usize, token: &str) -> Option<usize> {
        let whole = self.map.whole();
        match self.large.get_or_init(|| large(whole)).get(&offset) {
            Some(Entries::Mapping(entries)) => entries.get(&whole.key_of(token)?).copied(),
            Some(Entries::Sequence(items)) => items.get(token.parse::<usize>().ok()?).copied(),
            None => {
                let found = whole.part(offset).offset(token)?;
                #[cfg(test)]
                self.passed.fetch_add(whole.part(offset).children().count(), std::sync::atomic::Ordering::Relaxed);
                Some(offset + found)
            }
        }
    }
}

fn large(whole: Part<'_>) -> HashMap<usize, Entries> {
    let is_large = |offset: &usize| whole.part(*offset).children().nth(MOST_SEARCHED).is_some();
    let entries = |offset: usize| {
        let part = whole.part(offset);
        let inner = part.children().map(|(inner, _)| offset + inner);
        match part.is_sequence() {
            true => Entries::Sequence(inner.collect()),
            false => Entries::Mapping(inner.filter_map(|inner| Some((whole.part(inner).key()?, inner))).collect()),
        }
    };
    (0..whole.nodes().len()).filter(is_large).map(|offset| (offset, entries(offset))).collect()
}

#[cfg(test)]
mod tests {
    use super::{MOST_SEARCHED, Positions};
    use crate::source::read;
    use std::sync::atomic::Ordering;

    /// A document of a size, and the pointers of its innermost values with their lines.
    fn document(count: usize) -> (Positions, Vec<(String, u32)>) {
        let entries: String =
            (0..count).map(|index| format!("  k{index}: {{a: 1}}\n  \"k{index}~/\": [1, 2]\n")).collect();
        let items: String = (0..count).map(|index| format!("- {index}\n")).collect();
        let (_, map) = read("d", &format!("large:\n{entries}items:\n{items}")).unwrap_or_default();
        let line = |line: usize| u32::try_from(line).unwrap_or_default();
        let inner = (0..count).flat_map(|index| {
            let own = line(2 + 2 * index);
            [
                (format!("/large/k{index}/a"), own),
                (format!("/large/k{index}~0~1/1"), own + 1),
                (format!("/large/k{index}/missing"), own),
                (format!("/items/{index}"), line(3 + 2 * count + index)),
            ]
        });
        (map.into(), inner.collect())
    }

    #[test]
    fn values_of_large_and_small_parts_have_their_positions() {
        for count in [1, MOST_SEARCHED / 2, MOST_SEARCHED, 3 * MOST_SEARCHED] {
            let (positions, inner) = document(count);
            for (pointer, line) in inner {
                assert_eq!(positions.find(&pointer).line, line, "{pointer} of {count}");
            }
            assert_eq!(positions.find("/large/none").line, 1);
        }
    }

    #[test]
    fn a_search_takes_no_longer_in_a_larger_document() {
        let passed = |count| {
            let (positions, inner) = document(count);
            assert!(inner.iter().all(|(pointer, line)| positions.find(pointer).line == *line));
            positions.passed.load(Ordering::Relaxed) / inner.len()
        };
        let (few, many) = (passed(100), passed(10_000));
        assert!(few > 0 && many <= few, "{few} entries for each of 400 values, {many} for each of 40,000");
    }
}
