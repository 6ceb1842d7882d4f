//! Parses YAML and JSON into values with their positions in the text.
//!
//! YAML 1.2 with its core schema, which includes JSON. Keys are strings as written (`200:` is the key `200`); anchors and
//! merge keys (`<<`) are resolved. Rejected are duplicate keys, application-specific tags, numbers that JSON cannot
//! represent, nesting deeper than [`MAX_DEPTH`] and aliases that expand to more than [`MAX_VALUES`] values.
//!
//! The reader works on the events of `saphyr-parser`. `saphyr`'s tree with positions (`MarkedYaml`) is no substitute,
//! because its loader silently overwrites duplicate keys, does not resolve merge keys and expands aliases without a limit.

use crate::error::Error;
use crate::pointer;
use crate::position::{Position, SourceSpan};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// Greatest depth of nesting; the limit protects recursive functions from stack overflow.
pub const MAX_DEPTH: usize = 256;

/// Most values in all files of a document together; the limit protects from alias expansion ("billion laughs").
pub const MAX_VALUES: usize = 4_000_000;

/// Positions of a value and of all values within it. The position of a mapping's entry is that of its key.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceMap {
    position: Position,
    children: Children,
}

#[derive(Debug, Clone, Default)]
enum Children {
    #[default]
    None,
    Entries(Vec<(Box<str>, SourceMap)>),
    Items(Vec<SourceMap>),
}

impl SourceMap {
    /// Position of the value at a JSON pointer; if there is none, of its nearest existing ancestor.
    pub(crate) fn find(&self, pointer: &str) -> Position {
        let mut here = self;
        for token in pointer::tokens(pointer) {
            match here.child(&token) {
                Some(child) => here = child,
                None => break,
            }
        }
        here.position
    }

    /// Positions of the value at a JSON pointer, if there is one.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Self> {
        pointer::tokens(pointer).try_fold(self, |here, token| here.child(&token))
    }

    /// Replaces the positions at a JSON pointer. Missing ancestors get the position of the nearest existing one.
    pub(crate) fn put(&mut self, pointer: &str, source_maps: Self) {
        let mut here = self;
        for part in pointer::tokens(pointer) {
            let position = here.position;
            if matches!(here.children, Children::None) {
                here.children = Children::Entries(Vec::new());
            }
            here = match &mut here.children {
                Children::Items(items) => match part.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                    Some(item) => item,
                    None => return,
                },
                Children::Entries(entries) => {
                    let known = entries.iter().position(|(key, _)| **key == *part);
                    let index = known.unwrap_or_else(|| {
                        entries.push((part.into_boxed_str(), Self { position, children: Children::None }));
                        entries.len() - 1
                    });
                    &mut entries[index].1
                }
                Children::None => return,
            };
        }
        *here = source_maps;
    }

    /// The keys of a mapping, in the order of the text.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let entries: &[(Box<str>, Self)] = match &self.children {
            Children::Entries(entries) => entries,
            _ => &[],
        };
        entries.iter().map(|(key, _)| key.as_ref())
    }

    /// Positions of the entry with this key or index.
    pub(crate) fn child(&self, part: &str) -> Option<&Self> {
        match &self.children {
            Children::Entries(entries) => entries.iter().find(|(key, _)| key.as_ref() == part).map(|(_, child)| child),
            Children::Items(items) => items.get(part.parse::<usize>().ok()?),
            Children::None => None,
        }
    }
}

/// The values of a mapping and the positions of its entries.
type Mapping = (Map<String, Value>, Vec<(Box<str>, SourceMap)>);

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
        return document(name, text, before);
    }
    // JSON is stricter than YAML, and errors in JSON should be reported as such.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let position = position(error.line(), error.column());
        return Err(name.syntax_error(position, error.into()));
    }
    match without_surrogates(text) {
        Cow::Borrowed(text) => document(name, text, before),
        Cow::Owned(readable) => {
            let (_, source_maps) = document(name, &readable, before)?;
            let value = serde_json::from_str(text);
            let value = value.map_err(|error| name.syntax_error(Position::default(), error.into()))?;
            Ok((value, source_maps))
        }
    }
}

fn document(name: Name<'_>, text: &str, before: usize) -> Result<(Value, SourceMap), Error> {
    let parser = Parser::new_from_str(text);
    Reader { name, parser, anchors: HashMap::new(), path: Vec::new(), values: before }.document()
}

/// Replaces escaped surrogates (`\ud83d\ude00`), which JSON uses beyond the Basic Multilingual Plane and YAML does not
/// allow, by other escapes of the same length, so that columns stay correct.
fn without_surrogates(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        let escape = at + found;
        let is_surrogate = matches!(
            bytes.get(escape + 1..escape + 4),
            Some([b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'])
        );
        at = bytes.len().min(escape + if is_surrogate { 6 } else { 2 });
        if is_surrogate {
            out.push_str(&json[copied..escape]);
            out.push_str("\\ufffd");
            copied = at;
        }
    }
    if copied == 0 {
        return json.into();
    }
    out.push_str(&json[copied..]);
    out.into()
}

fn position(line: usize, column: usize) -> Position {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: number(line), column: number(column) }
}

fn span(name: &str, position: Position) -> SourceSpan {
    SourceSpan { document: name.to_owned(), position }
}

struct Reader<'t> {
    name: Name<'t>,
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, (Value, SourceMap)>,
    /// Keys and indices from the root to the value being read.
    path: Vec<String>,
    values: usize,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<(Value, SourceMap), Error> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok((Value::Null, SourceMap::default())),
                (event, span) => {
                    let read = self.value(event, span)?;
                    return self.end().map(|()| read);
                }
            }
        }
    }

    /// Checks that nothing follows the document.
    fn end(&mut self) -> Result<(), Error> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), span) => {
                    return Err(self.shape_error(at(span), "expected one document, found another one after it"));
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Error> {
        let event = self.parser.next_event().unwrap_or_else(|| Ok((Event::StreamEnd, Span::default())));
        event.map_err(|error: ScanError| {
            let place = position(error.marker().line(), error.marker().col() + 1);
            self.name.syntax_error(place, error.info().to_owned().into())
        })
    }

    fn shape_error(&self, position: Position, problem: &str) -> Error {
        let place = match self.name.shows_content {
            true => pointer::from_tokens(&self.path),
            false => "in this file".to_owned(),
        };
        Error::Shape { span: span(self.name.name, position), place, problem: problem.to_owned() }
    }

    fn count(&mut self, more: usize, position: Position) -> Result<(), Error> {
        self.values += more;
        match self.values > MAX_VALUES {
            true => Err(self.shape_error(position, "the document expands to too many values")),
            false => Ok(()),
        }
    }

    fn value(&mut self, event: Event<'t>, span: Span) -> Result<(Value, SourceMap), Error> {
        let position = at(span);
        self.count(1, position)?;
        if self.path.len() > MAX_DEPTH {
            return Err(self.shape_error(position, "nested too deeply"));
        }
        let (value, children, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = match tag.as_deref() {
                    Some(tag) if !tag.is_yaml_core_schema() => {
                        return Err(self.shape_error(position, "YAML tags are not used in OpenAPI"));
                    }
                    Some(tag) => tag.suffix == "str",
                    None => style != ScalarStyle::Plain,
                };
                let value = if is_text { Some(Value::from(text.as_ref())) } else { plain(&text) };
                let value = value.ok_or_else(|| self.shape_error(position, "expected a finite number"))?;
                (value, Children::None, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), position)?;
                let (items, source_maps) = self.sequence()?;
                (items.into(), Children::Items(source_maps), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), position)?;
                let (entries, source_maps) = self.mapping()?;
                (entries.into(), Children::Entries(source_maps), anchor)
            }
            Event::Alias(anchor) => {
                let Some((value, source_maps)) = self.anchors.get(&anchor) else {
                    return Err(self.shape_error(position, "expected an anchor that is complete"));
                };
                let copied = (value.clone(), source_maps.clone());
                self.count(size(&copied.0), position)?;
                return Ok(copied);
            }
            _ => return Err(self.shape_error(position, "expected a value")),
        };
        let read = (value, SourceMap { position, children });
        if anchor > 0 {
            self.anchors.insert(anchor, read.clone());
        }
        Ok(read)
    }

    fn check_tag(&self, tag: Option<&saphyr_parser::Tag>, position: Position) -> Result<(), Error> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => {
                Err(self.shape_error(position, "YAML tags are not used in OpenAPI"))
            }
            _ => Ok(()),
        }
    }

    fn sequence(&mut self) -> Result<(Vec<Value>, Vec<SourceMap>), Error> {
        let (mut values, mut source_maps) = (Vec::new(), Vec::new());
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                values.shrink_to_fit();
                source_maps.shrink_to_fit();
                return Ok((values, source_maps));
            }
            self.path.push(values.len().to_string());
            let (value, place) = self.value(event, span)?;
            self.path.pop();
            values.push(value);
            source_maps.push(place);
        }
    }

    fn mapping(&mut self) -> Result<Mapping, Error> {
        let (mut values, mut source_maps) = (Map::new(), Vec::new());
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let (key, is_merge) = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, style, ..) => (key.into_owned(), style == ScalarStyle::Plain),
                _ => return Err(self.shape_error(at(span), "expected keys that are strings")),
            };
            let (event, behind) = self.next()?;
            if key == "<<" && is_merge {
                merged.push(self.value(event, behind)?);
                continue;
            }
            self.path.push(key.clone());
            let (value, mut place) = self.value(event, behind)?;
            self.path.pop();
            place.position = at(span);
            if values.insert(key.clone(), value).is_some() {
                let key = if self.name.shows_content { format!(" `{key}`") } else { String::new() };
                return Err(self.shape_error(at(span), &format!("duplicate key{key}")));
            }
            source_maps.push((key.into_boxed_str(), place));
        }
        merged.into_iter().for_each(|(value, from)| merge(&mut values, &mut source_maps, value, from));
        source_maps.shrink_to_fit();
        Ok((values, source_maps))
    }
}

/// Adds the entries of a merge key (`<<`) that the mapping does not have itself.
fn merge(into: &mut Map<String, Value>, source_maps: &mut Vec<(Box<str>, SourceMap)>, value: Value, from: SourceMap) {
    match (value, from.children) {
        (Value::Object(entries), Children::Entries(positions)) => {
            let positions: HashMap<_, _> = positions.into_iter().collect();
            for (key, value) in entries.into_iter().filter(|(key, _)| !into.contains_key(key)).collect::<Vec<_>>() {
                let place = positions.get(key.as_str()).cloned().unwrap_or_default();
                source_maps.push((key.clone().into_boxed_str(), place));
                into.insert(key, value);
            }
        }
        (Value::Array(items), Children::Items(positions)) => {
            items.into_iter().zip(positions).for_each(|(item, from)| merge(into, source_maps, item, from));
        }
        _ => {}
    }
}

fn at(span: Span) -> Position {
    position(span.start.line(), span.start.col() + 1)
}

/// Number of values in a value, including itself.
pub(crate) fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.values().map(size).sum(),
        _ => 0,
    }
}

/// Resolves a plain scalar by the core schema (YAML 1.2.2, section 10.3.2); `None` for a number that JSON cannot represent.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(true.into()),
        "false" | "False" | "FALSE" => return Some(false.into()),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return u64::from_str_radix(digits, 16).ok().map(Into::into).or_else(|| Some(text.into()));
    }
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return u64::from_str_radix(digits, 8).ok().map(Into::into).or_else(|| Some(text.into()));
    }
    let is_number = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && unsigned.bytes().any(|byte| byte.is_ascii_digit());
    if !is_number {
        return Some(text.into());
    }
    let integer = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = integer.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = integer.parse::<u64>() {
        return Some(number.into());
    }
    match text.parse::<f64>() {
        Ok(number) => Number::from_f64(number).map(Value::Number),
        // `1.2.3` and `2026-01-01` are strings.
        Err(_) => Some(text.into()),
    }
}
