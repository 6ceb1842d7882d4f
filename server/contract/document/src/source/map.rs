//! Positions of the values of a document.
//!
//! A document has many values, and a report needs the positions of few. They are kept in one list in the order of the text,
//! without a copy of the text or of the JSON pointers.

use super::keys::{Key, Keys};
use crate::pointer;
use crate::position::Position;

/// Positions of a value and of all values within it. The position of a mapping's entry is that of its key.
#[derive(Debug, Clone)]
pub(crate) struct SourceMap {
    /// The value, then those within it. Never empty.
    nodes: Vec<Node>,
    keys: Keys,
}

/// A value, which the values within it follow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    pub(super) position: Position,
    /// The key of a mapping's entry; none for the items of a sequence.
    pub(super) key: Option<Key>,
    /// Number of values within it.
    pub(super) inner: u32,
}

impl Node {
    /// Number of values in it, including itself.
    pub(super) fn length(self) -> usize {
        self.inner as usize + 1
    }
}

/// The positions of a part of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'m> {
    /// As in [`SourceMap`].
    nodes: &'m [Node],
    keys: &'m Keys,
}

impl Default for SourceMap {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], keys: Keys::default() }
    }
}

impl From<Part<'_>> for SourceMap {
    fn from(part: Part<'_>) -> Self {
        let mut map = Self::default();
        map.put("", part);
        map
    }
}

impl SourceMap {
    /// From the values of a text in their order, the whole text being the first.
    pub(super) fn new(nodes: Vec<Node>, keys: Keys) -> Self {
        if nodes.is_empty() { Self::default() } else { Self { nodes, keys } }
    }

    /// The positions of the whole document.
    pub(crate) fn whole(&self) -> Part<'_> {
        Part { nodes: &self.nodes, keys: &self.keys }
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
    pub(crate) fn put(&mut self, pointer: &str, source: Part<'_>) {
        let (mut here, mut above) = (0, Vec::new());
        for token in pointer::tokens(pointer) {
            above.push(here);
            let part = self.whole().part(here);
            here = match part.offset(&token) {
                Some(offset) => here + offset,
                None if part.is_sequence() => return,
                None => {
                    let (position, end) = (part.position(), here + part.nodes.len());
                    let key = self.keys.number(&token);
                    self.nodes.insert(end, Node { position, key, inner: 0 });
                    above.iter().for_each(|at| self.nodes[*at].inner += 1);
                    end
                }
            };
        }
        let Node { key, inner: before, .. } = self.nodes[here];
        let keys = &mut self.keys;
        let own = |node: &Node| Node { key: node.key.and_then(|key| keys.number(source.keys.name(key))), ..*node };
        let nodes: Vec<Node> = source.nodes.iter().map(own).collect();
        self.nodes.splice(here..=here + before as usize, nodes);
        self.nodes[here].key = key;
        let after = self.nodes[here].inner;
        above.into_iter().for_each(|at| self.nodes[at].inner = self.nodes[at].inner - before + after);
    }
}

impl<'m> Part<'m> {
    /// The positions of a value that is followed by the values within it.
    pub(super) fn of(nodes: &'m [Node], keys: &'m Keys) -> Self {
        Self { nodes, keys }
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
        self.children().filter_map(move |(_, child)| Some((self.keys.name(child.key()?), child)))
    }

    /// The keys of a mapping, in the order of the text.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'m str> {
        self.entries().map(|(key, _)| key)
    }

    /// Positions of the entry with this key or index.
    pub(crate) fn child(self, token: &str) -> Option<Self> {
        self.offset(token).map(|offset| self.part(offset))
    }

    /// The entries or items, each with its offset.
    pub(super) fn children(self) -> impl Iterator<Item = (usize, Self)> {
        let mut next = 1;
        std::iter::from_fn(move || {
            let offset = next;
            next = offset + self.nodes.get(offset)?.length();
            Some((offset, Self { nodes: &self.nodes[offset..next], ..self }))
        })
    }

    /// The value at an offset, which is in this part.
    pub(super) fn part(self, offset: usize) -> Self {
        Self { nodes: &self.nodes[offset..offset + self.nodes[offset].length()], ..self }
    }

    /// The number of a key, if it occurs in the document.
    pub(super) fn key_of(self, name: &str) -> Option<Key> {
        self.keys.find(name)
    }

    pub(super) fn key(self) -> Option<Key> {
        self.nodes.first().and_then(|node| node.key)
    }

    /// Offset of the entry with this key or index.
    pub(super) fn offset(self, token: &str) -> Option<usize> {
        let mut children = self.children();
        let found = if self.is_sequence() {
            children.nth(token.parse().ok()?)
        } else {
            let key = self.keys.find(token)?;
            children.find(|(_, child)| child.key() == Some(key))
        };
        found.map(|(offset, _)| offset)
    }

    pub(super) fn is_sequence(self) -> bool {
        self.nodes.get(1).is_some_and(|first| first.key.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, Node, SourceMap};
    use crate::position::Position;

    /// A map with the positions (line, 1), from the lines, keys and sizes of its values.
    fn map(nodes: &[(u32, &str, u32)]) -> SourceMap {
        let mut keys = Keys::default();
        let node = |&(line, key, inner): &(u32, &str, u32)| Node {
            position: Position { line, column: 1 },
            key: Some(key).filter(|key| !key.is_empty()).and_then(|key| keys.number(key)),
            inner,
        };
        SourceMap::new(nodes.iter().map(node).collect(), keys)
    }

    #[test]
    fn replaced_parts_keep_their_key_and_move_those_after_them() {
        let mut positions = map(&[(1, "", 4), (2, "a", 2), (3, "", 0), (4, "", 0), (5, "b", 0)]);
        positions.put("/a/0", map(&[(10, "", 1), (11, "x", 0)]).whole());
        positions.put("/c/d", map(&[(20, "", 0)]).whole());
        positions.put("/a/7", map(&[(30, "", 0)]).whole());
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
        let part = SourceMap::from(positions.at("/a").unwrap());
        assert_eq!((part.find("").line, part.find("/0/x").line), (2, 11));
    }
}
