//! Parses YAML and JSON into values with their positions in the text.
//!
//! YAML 1.2 with its core schema, which includes JSON. Keys are strings as written (`200:` is the key `200`); anchors and
//! merge keys (`<<`) are resolved. Rejected are duplicate keys, application-specific tags, numbers that JSON cannot
//! represent, nesting deeper than [`MAX_DEPTH`] and aliases that expand to more than [`MAX_VALUES`] values.
//!
//! | task | modules |
//! |---|---|
//! | the events of a text | `saphyr-parser` for YAML, `json` |
//! | build values from events | `reader`, `scalar` |
//! | keep positions, find them | `map`, `keys`, `positions` |
//!
//! `saphyr`'s tree with positions (`MarkedYaml`) is no substitute, because its loader silently overwrites duplicate keys,
//! does not resolve merge keys and expands aliases without a limit.

mod json;
mod keys;
mod map;
mod positions;
mod reader;
mod scalar;

use crate::error::Error;
use crate::position::{Position, SourceSpan};
use json::JsonEvents;
use reader::{Events, Reader};
use saphyr_parser::Parser;
use serde_json::Value;

pub(crate) use map::{Part, SourceMap};
pub(crate) use positions::Positions;

/// Greatest depth of nesting; the limit protects recursive functions from stack overflow.
pub const MAX_DEPTH: usize = 256;

/// Most values in all files of a document together; the limit protects from alias expansion ("billion laughs").
pub const MAX_VALUES: usize = 4_000_000;

/// Parses a text that need not be OpenAPI.
///
/// # Errors
/// [`Error::Syntax`] if it is neither YAML nor JSON; [`Error::Shape`] for what this module rejects.
pub fn value(name: &str, text: &str) -> Result<Value, Error> {
    read(name, text).map(|(value, _)| value)
}

/// Parses the text of a document into its value and positions.
pub(crate) fn read(name: &str, text: &str) -> Result<(Value, SourceMap), Error> {
    // A path may lead to another file than its user expects. Messages show nothing of one that is no contract.
    let is_contract = text.contains("openapi") || text.contains("swagger");
    let name = Name { name, shows_content: is_contract };
    parse(name, text, 0)
}

/// Parses the text of a file that a document refers to. `before` is the number of values in the files of the document read
/// so far. Errors show the position and the kind of the problem, and nothing of the text: the file may be any file.
pub(crate) fn read_part(name: &str, text: &str, before: usize) -> Result<(Value, SourceMap), Error> {
    parse(Name { name, shows_content: false }, text, before)
}

/// How messages call a text.
#[derive(Clone, Copy)]
struct Name<'t> {
    name: &'t str,
    /// Whether messages may show parts of the text, such as the keys that lead to the problem.
    shows_content: bool,
}

impl Name<'_> {
    fn syntax_error(self, position: Position, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
        let source = if self.shows_content { source } else { "it has a syntax error at this position".into() };
        Error::Syntax { span: span(self.name, position), source }
    }
}

fn parse(name: Name<'_>, text: &str, before: usize) -> Result<(Value, SourceMap), Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // YAML may begin with a brace too, but rarely with a quoted key after it.
    let is_json = text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
    if !is_json {
        return Reader::new(name, Events::Yaml(Box::new(Parser::new_from_str(text))), before).document();
    }
    // JSON is stricter than YAML, and errors in JSON should be reported as such.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let position = position(error.line(), error.column());
        return Err(name.syntax_error(position, error.into()));
    }
    Reader::new(name, Events::Json(JsonEvents::of(text)), before).document()
}

fn position(line: usize, column: usize) -> Position {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: number(line), column: number(column) }
}

fn span(name: &str, position: Position) -> SourceSpan {
    SourceSpan { document: name.to_owned(), position }
}

/// Number of values in a value, including itself.
pub(crate) fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.values().map(size).sum(),
        _ => 0,
    }
}
