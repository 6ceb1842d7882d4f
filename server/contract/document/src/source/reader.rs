//! Builds values and their positions from the events of a YAML or JSON text.

use super::json::JsonEvents;
use super::keys::{Key, Keys};
use super::map::{Node, Part, SourceMap};
use super::scalar::plain;
use super::{MAX_DEPTH, MAX_VALUES, Name, position, size, span};
use crate::error::Error;
use crate::pointer;
use crate::position::Position;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::map::Entry;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Where events come from.
pub(super) enum Events<'t> {
    Yaml(Box<Parser<'t, StrInput<'t>>>),
    /// The text is known to be JSON.
    Json(JsonEvents<'t>),
}

impl<'t> Events<'t> {
    fn next(&mut self, name: Name<'_>) -> Result<(Event<'t>, Position), Error> {
        match self {
            Self::Yaml(parser) => {
                let event = parser.next_event().unwrap_or_else(|| Ok((Event::StreamEnd, Span::default())));
                event.map(|(event, span)| (event, position(span.start.line(), span.start.col() + 1))).map_err(
                    |error: ScanError| {
                        let place = position(error.marker().line(), error.marker().col() + 1);
                        name.syntax_error(place, error.info().to_owned().into())
                    },
                )
            }
            Self::Json(events) => {
                let (event, position) = events.next();
                event.map(|event| (event, position)).map_err(|error| name.syntax_error(position, error.into()))
            }
        }
    }
}

/// A key or index on the way from the root to a value.
enum Step {
    Key(Option<Key>),
    Index(usize),
}

pub(super) struct Reader<'t> {
    name: Name<'t>,
    events: Events<'t>,
    /// Values with anchors, and their positions.
    anchors: HashMap<usize, (Value, Vec<Node>)>,
    /// From the root to the value being read.
    path: Vec<Step>,
    /// Number of values read, with those of other files.
    values: usize,
    /// Positions of the values read.
    nodes: Vec<Node>,
    keys: Keys,
}

impl<'t> Reader<'t> {
    pub(super) fn new(name: Name<'t>, events: Events<'t>, before: usize) -> Self {
        let (anchors, keys) = (HashMap::new(), Keys::default());
        Self { name, events, anchors, path: Vec::new(), values: before, nodes: Vec::new(), keys }
    }

    pub(super) fn document(mut self) -> Result<(Value, SourceMap), Error> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok((Value::Null, SourceMap::default())),
                (event, position) => {
                    let value = self.value(event, position)?;
                    self.end()?;
                    self.nodes.shrink_to_fit();
                    return Ok((value, SourceMap::new(self.nodes, self.keys)));
                }
            }
        }
    }

    /// Checks that nothing follows the document.
    fn end(&mut self) -> Result<(), Error> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), position) => {
                    return Err(self.shape_error(position, "expected one document, found another one after it"));
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Position), Error> {
        self.events.next(self.name)
    }

    fn shape_error(&self, position: Position, problem: &str) -> Error {
        let token = |step: &Step| match step {
            Step::Key(key) => key.map_or_else(String::new, |key| self.keys.name(key).to_owned()),
            Step::Index(index) => index.to_string(),
        };
        let place = match self.name.shows_content {
            true => pointer::from_tokens(self.path.iter().map(token)),
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

    /// Reads the value that begins with an event. Its positions are added to the others.
    fn value(&mut self, event: Event<'t>, position: Position) -> Result<Value, Error> {
        self.count(1, position)?;
        if self.path.len() > MAX_DEPTH {
            return Err(self.shape_error(position, "nested too deeply"));
        }
        let begin = self.nodes.len();
        self.nodes.push(Node { position, ..Node::default() });
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = match tag.as_deref() {
                    Some(tag) if !tag.is_yaml_core_schema() => {
                        return Err(self.shape_error(position, "YAML tags are not used in OpenAPI"));
                    }
                    Some(tag) => tag.suffix == "str",
                    None => style != ScalarStyle::Plain,
                };
                let value = if is_text { Some(Value::String(text.into_owned())) } else { plain(&text) };
                (value.ok_or_else(|| self.shape_error(position, "expected a finite number"))?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), position)?;
                (self.sequence()?.into(), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), position)?;
                (self.mapping()?.into(), anchor)
            }
            Event::Alias(anchor) => {
                let Some((value, nodes)) = self.anchors.get(&anchor) else {
                    return Err(self.shape_error(position, "expected an anchor that is complete"));
                };
                let value = value.clone();
                self.nodes.pop();
                self.nodes.extend_from_slice(nodes);
                self.count(size(&value), position)?;
                return Ok(value);
            }
            _ => return Err(self.shape_error(position, "expected a value")),
        };
        // No more than `MAX_VALUES`, and so are the keys.
        self.nodes[begin].inner = u32::try_from(self.nodes.len() - begin - 1).unwrap_or(u32::MAX);
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.nodes[begin..].to_vec()));
        }
        Ok(value)
    }

    fn check_tag(&self, tag: Option<&Tag>, position: Position) -> Result<(), Error> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => {
                Err(self.shape_error(position, "YAML tags are not used in OpenAPI"))
            }
            _ => Ok(()),
        }
    }

    fn sequence(&mut self) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        loop {
            let (event, position) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                values.shrink_to_fit();
                return Ok(values);
            }
            self.path.push(Step::Index(values.len()));
            values.push(self.value(event, position)?);
            self.path.pop();
        }
    }

    fn mapping(&mut self) -> Result<Map<String, Value>, Error> {
        let (mut values, mut merged) = (Map::new(), Vec::new());
        loop {
            let (event, position) = self.next()?;
            let (key, is_merge) = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, style, ..) => (key, style == ScalarStyle::Plain),
                _ => return Err(self.shape_error(position, "expected keys that are strings")),
            };
            let (event, behind) = self.next()?;
            let begin = self.nodes.len();
            if key == "<<" && is_merge {
                let value = self.value(event, behind)?;
                merged.push((value, self.nodes.split_off(begin)));
                continue;
            }
            let number = self.keys.number(&key);
            self.path.push(Step::Key(number));
            let value = self.value(event, behind)?;
            self.path.pop();
            let node = &mut self.nodes[begin];
            (node.position, node.key) = (position, number);
            match values.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(entry) => {
                    let key = if self.name.shows_content { format!(" `{}`", entry.key()) } else { String::new() };
                    return Err(self.shape_error(position, &format!("duplicate key{key}")));
                }
            }
        }
        for (value, from) in merged {
            merge(&mut values, &mut self.nodes, value, Part::of(&from, &self.keys));
        }
        Ok(values)
    }
}

/// Adds the entries of a merge key (`<<`) that the mapping does not have itself.
fn merge(into: &mut Map<String, Value>, nodes: &mut Vec<Node>, value: Value, from: Part<'_>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if !into.contains_key(&key) {
                    nodes.extend_from_slice(from.child(&key).map(Part::nodes).unwrap_or_default());
                    into.insert(key, value);
                }
            }
        }
        Value::Array(items) => {
            items.into_iter().zip(from.children()).for_each(|(item, (_, from))| merge(into, nodes, item, from));
        }
        _ => {}
    }
}
