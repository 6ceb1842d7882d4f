//! Patterns of JSON pointers, which select values of a document.
//!
//! A pattern is a JSON pointer (RFC 6901) whose segments may be `*` for any key or index, `**` for any number of segments,
//! and alternatives joined by `|`: `/paths/*/get|put/operationId`.

use countersign_contract_document::{Node, pointer};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pattern(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Any,
    AnyDepth,
    OneOf(Vec<String>),
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(format!("expected a pattern that begins with a slash, such as `/paths/*/get`, found `{text}`"));
        }
        let segment = |text: &str| match text {
            "*" => Segment::Any,
            "**" => Segment::AnyDepth,
            names => Segment::OneOf(names.split('|').map(pointer::unescape).collect()),
        };
        Ok(Self(text.split('/').skip(1).map(segment).collect()))
    }
}

impl Pattern {
    /// The values that match, in the order of their pointers.
    pub(super) fn select<'d>(&self, root: Node<'d>) -> Vec<Node<'d>> {
        let mut found = BTreeMap::new();
        select(&self.0, root, &mut found);
        found.into_values().collect()
    }
}

fn select<'d>(pattern: &[Segment], at: Node<'d>, found: &mut BTreeMap<String, Node<'d>>) {
    let Some((first, rest)) = pattern.split_first() else {
        found.insert(at.pointer.clone(), at);
        return;
    };
    match first {
        Segment::Any => below(&at).for_each(|child| select(rest, child, found)),
        Segment::AnyDepth => {
            below(&at).for_each(|child| select(pattern, child, found));
            select(rest, at, found);
        }
        Segment::OneOf(names) => {
            let children = names.iter().filter_map(|name| child(&at, name));
            children.for_each(|child| select(rest, child, found));
        }
    }
}

/// The entries of an object or the items of an array.
fn below<'d>(at: &Node<'d>) -> impl Iterator<Item = Node<'d>> + use<'d> {
    at.entries().map(|(_, child)| child).chain(at.items())
}

fn child<'d>(at: &Node<'d>, name: &str) -> Option<Node<'d>> {
    at.get(name).or_else(|| at.items().nth(name.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use countersign_contract_document::{Document, Node};

    #[test]
    fn patterns_select_what_they_say() {
        let text = "openapi: 3.0.3\ninfo: {title: t}\npaths:\n  /a/b:\n    get: {tags: [x, y]}\n    put: {tags: [z]}\n    summary: s\n";
        let document = Document::load("a.yaml", text).expect("a document");
        for (pattern, expected) in [
            ("", &[""][..]),
            ("/info", &["/info"]),
            ("/none", &[]),
            ("/paths/*/get|put", &["/paths/~1a~1b/get", "/paths/~1a~1b/put"]),
            ("/paths/~1a~1b/*/tags/0", &["/paths/~1a~1b/get/tags/0", "/paths/~1a~1b/put/tags/0"]),
            ("/**/tags", &["/paths/~1a~1b/get/tags", "/paths/~1a~1b/put/tags"]),
            ("/paths/**/get/tags/*", &["/paths/~1a~1b/get/tags/0", "/paths/~1a~1b/get/tags/1"]),
        ] {
            let selected = Pattern::try_from(pattern.to_owned()).expect("a pattern").select(Node::root(&document));
            assert!(selected.iter().map(|node| node.pointer.as_str()).eq(expected.iter().copied()), "{pattern}");
        }
        assert!(Pattern::try_from("paths".to_owned()).is_err());
    }
}
