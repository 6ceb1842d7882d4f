//! What the grammar has at a place of a document.

use super::{Kind, Shape, grammar};
use crate::pointer;
use crate::reference;
use crate::version::Version;
use serde_json::Value;

/// A key or an index on the way to a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

/// The JSON pointer of a way.
pub(crate) fn pointer(way: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in way {
        match step {
            Step::Key(key) => pointer::push(&mut out, key),
            Step::Index(index) => pointer::push(&mut out, &index.to_string()),
        }
    }
    out
}

/// What the grammar has at the end of a way through an object of a kind, and the kind of the innermost object on the way that
/// contains it. `None` where nothing is OpenAPI: in data, extensions and unknown fields, and beside a reference.
pub(crate) fn expected<'t>(
    object: &Value,
    kind: Kind,
    version: Version,
    way: impl IntoIterator<Item = Step<'t>>,
) -> Option<(Shape, Kind)> {
    let (mut value, mut shape, mut holder) = (object, Shape::One(kind), kind);
    for step in way {
        let kind = match shape {
            Shape::One(kind) => Some(kind),
            Shape::FlagOrSchema => Some(Kind::Schema),
            _ => None,
        };
        (shape, value) = match (shape, kind, step) {
            (_, Some(kind), Step::Key(key)) => {
                holder = kind;
                let grammar = grammar(kind);
                if grammar.is_referable(version) && reference::target(value).is_some() {
                    return None;
                }
                let field = grammar.field(key, version).map(|field| field.shape);
                (field.or_else(|| grammar.others.filter(|_| !key.starts_with("x-")))?, value.as_object()?.get(key)?)
            }
            (Shape::Map(kind), _, Step::Key(key)) => (Shape::One(kind), value.as_object()?.get(key)?),
            (Shape::List(kind), _, Step::Index(index)) => (Shape::One(kind), value.as_array()?.get(index)?),
            _ => return None,
        };
    }
    Some((shape, holder))
}

/// Whether the tree of a whole document has a node at a JSON pointer.
pub(crate) fn reaches(document: &Value, pointer: &str) -> bool {
    let version = Version::of(document).unwrap_or(Version::V3_0);
    let tokens: Vec<String> = pointer::tokens(pointer).collect();
    let mut value = Some(document);
    let steps: Vec<Step<'_>> = tokens
        .iter()
        .map(|token| {
            let index = value.and_then(Value::as_array).and_then(|_| token.parse().ok());
            value = value.and_then(|value| index.map_or_else(|| value.get(token), |index: usize| value.get(index)));
            index.map_or(Step::Key(token), Step::Index)
        })
        .collect();
    let expected = expected(document, Kind::Document, version, steps);
    value.is_some_and(Value::is_object) && matches!(expected, Some((Shape::One(_) | Shape::FlagOrSchema, _)))
}
