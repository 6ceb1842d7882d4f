//! Positions of the values of a document.
//!
//! A document has many values, and a report needs the positions of few. They are kept in one list in the order of the text,
//! without a copy of the text or of the JSON pointers.

use crate::pointer;
use crate::position::Position;
use std::sync::Arc;

/// Positions of a value and of all values within it. The position of a mapping's entry is that of its key.
#[derive(Debug, Clone)]
pub(crate) struct SourceMap {
    /// The value, then those within it. Never empty.
    nodes: Vec<Node>,
}

/// A value, which the values within it follow.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) position: Position,
    /// The key of a mapping's entry; none for the items of a sequence. Equal keys of a text share their memory.
    pub(super) key: Option<Arc<str>>,
    /// Number of values within it.
    pub(super) inner: usize,
}

/// The positions of a part of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'m> {
    /// As in [`SourceMap`].
    nodes: &'m [Node],
}

impl Default for SourceMap {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl From<Part<'_>> for SourceMap {
    fn from(part: Part<'_>) -> Self {
        Self { nodes: part.nodes.to_vec() }
    }
}

impl SourceMap {
    /// From the values of a text in their order, the whole text being the first.
    pub(super) fn from_nodes(nodes: Vec<Node>) -> Self {
        if nodes.is_empty() { Self::default() } else { Self { nodes } }
    }

    /// The positions of the whole document.
    pub(crate) fn whole(&self) -> Part<'_> {
        Part { nodes: &self.nodes }
    }

    /// Position of the value at a JSON pointer; if there is none, of its nearest existing ancestor.
    pub(crate) fn find(&self, pointer: &str) -> Position {
        let mut here = self.whole();
        for token in pointer::tokens(pointer) {
            match here.child(&token) {
                Some(child) => here = child,
                None => break,
            }
        }
        here.position()
    }

    /// Positions of the value at a JSON pointer, if there is one.
    pub(crate) fn at(&self, pointer: &str) -> Option<Part<'_>> {
        pointer::tokens(pointer).try_fold(self.whole(), |here, token| here.child(&token))
    }

    /// Replaces the positions at a JSON pointer. Missing ancestors get the position of the nearest existing one.
    pub(crate) fn put(&mut self, pointer: &str, source_map: Self) {
        let (mut here, mut above) = (0, Vec::new());
        for token in pointer::tokens(pointer) {
            above.push(here);
            let part = Part { nodes: &self.nodes[here..=here + self.nodes[here].inner] };
            here = match part.offset(&token) {
                Some(offset) => here + offset,
                None if part.is_sequence() => return,
                None => {
                    let position = part.position();
                    let end = here + part.nodes.len();
                    self.nodes.insert(end, Node { position, key: Some(token.into()), inner: 0 });
                    above.iter().for_each(|at| self.nodes[*at].inner += 1);
                    end
                }
            };
        }
        let key = self.nodes[here].key.take();
        let (before, after) = (self.nodes[here].inner, source_map.nodes.len() - 1);
        self.nodes.splice(here..=here + before, source_map.nodes);
        self.nodes[here].key = key;
        above.into_iter().for_each(|at| self.nodes[at].inner = self.nodes[at].inner - before + after);
    }
}

impl<'m> Part<'m> {
    /// The positions of a value that is followed by the values within it.
    pub(super) fn of(nodes: &'m [Node]) -> Self {
        Self { nodes }
    }

    pub(super) fn nodes(self) -> &'m [Node] {
        self.nodes
    }

    /// Position of the value itself.
    pub(crate) fn position(self) -> Position {
        self.nodes.first().map(|node| node.position).unwrap_or_default()
    }

    /// The entries of a mapping, in the order of the text.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'m str, Self)> {
        self.children().filter_map(|(_, child)| Some((child.nodes[0].key.as_deref()?, child)))
    }

    /// The keys of a mapping, in the order of the text.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'m str> {
        self.entries().map(|(key, _)| key)
    }

    /// Positions of the entry with this key or index.
    pub(crate) fn child(self, token: &str) -> Option<Self> {
        let offset = self.offset(token)?;
        Some(Self { nodes: &self.nodes[offset..=offset + self.nodes[offset].inner] })
    }

    /// The entries or items, each with its offset.
    pub(super) fn children(self) -> impl Iterator<Item = (usize, Self)> {
        let mut next = 1;
        std::iter::from_fn(move || {
            let offset = next;
            next = offset + 1 + self.nodes.get(offset)?.inner;
            Some((offset, Self { nodes: &self.nodes[offset..next] }))
        })
    }

    fn offset(self, token: &str) -> Option<usize> {
        let mut children = self.children();
        let found = match self.is_sequence() {
            true => children.nth(token.parse().ok()?),
            false => children.find(|(_, child)| child.nodes[0].key.as_deref() == Some(token)),
        };
        found.map(|(offset, _)| offset)
    }

    fn is_sequence(self) -> bool {
        self.nodes.get(1).is_some_and(|first| first.key.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, SourceMap};
    use crate::position::Position;

    /// A map with the positions (line, 1), from the lines, keys and sizes of its values.
    fn map(nodes: &[(u32, &str, usize)]) -> SourceMap {
        let node = |&(line, key, inner): &(u32, &str, usize)| Node {
            position: Position { line, column: 1 },
            key: Some(key.into()).filter(|_| !key.is_empty()),
            inner,
        };
        SourceMap::from_nodes(nodes.iter().map(node).collect())
    }

    #[test]
    fn replaced_parts_keep_their_key_and_move_those_after_them() {
        let mut positions = map(&[(1, "", 4), (2, "a", 2), (3, "", 0), (4, "", 0), (5, "b", 0)]);
        positions.put("/a/0", map(&[(10, "", 1), (11, "x", 0)]));
        positions.put("/c/d", map(&[(20, "", 0)]));
        positions.put("/a/7", map(&[(30, "", 0)]));
        for (pointer, line) in [
            ("", 1),
            ("/a", 2),
            ("/a/0", 10),
            ("/a/0/x", 11),
            ("/a/0/y", 10),
            ("/a/1", 4),
            ("/a/7", 2),
            ("/b", 5),
            ("/c", 1),
            ("/c/d", 20),
        ] {
            assert_eq!(positions.find(pointer).line, line, "{pointer}");
        }
        assert!(positions.whole().keys().eq(["a", "b", "c"]));
    }
}
