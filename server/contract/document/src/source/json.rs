//! Reads JSON as the events that `saphyr-parser` makes of YAML, so that both have one reader.
//!
//! It only splits the text into tokens, much faster than YAML can be: that the text is JSON was checked by `serde_json`.

use super::position;
use crate::position::Position;
use saphyr_parser::{Event, ScalarStyle};
use std::borrow::Cow;

pub(super) struct JsonEvents<'t> {
    text: &'t str,
    /// Offset of the next byte.
    at: usize,
    /// Line of the next byte, from 1.
    line: usize,
    /// A byte on this line, and the number of characters before it.
    column: (usize, usize),
    /// Whether each byte of the text is a character.
    is_ascii: bool,
}

impl<'t> JsonEvents<'t> {
    /// The events of a text that is JSON.
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, at: 0, line: 1, column: (0, 0), is_ascii: text.is_ascii() }
    }

    /// The next event and its position.
    ///
    /// # Errors
    /// A string with an escape that is no character, as half of a surrogate pair.
    pub(super) fn next(&mut self) -> (Result<Event<'t>, serde_json::Error>, Position) {
        self.skip_separators();
        let position = self.position();
        let rest = &self.text[self.at..];
        let (length, event) = match rest.as_bytes().first() {
            None => (0, Ok(Event::StreamEnd)),
            Some(b'{') => (1, Ok(Event::MappingStart(0, None))),
            Some(b'}') => (1, Ok(Event::MappingEnd)),
            Some(b'[') => (1, Ok(Event::SequenceStart(0, None))),
            Some(b']') => (1, Ok(Event::SequenceEnd)),
            Some(b'"') => {
                let (length, text) = string(rest);
                (length, text.map(|text| Event::Scalar(text, ScalarStyle::DoubleQuoted, 0, None)))
            }
            Some(_) => {
                let length = rest.bytes().position(|byte| b",]} \t\r\n".contains(&byte)).unwrap_or(rest.len());
                (length, Ok(Event::Scalar(rest[..length].into(), ScalarStyle::Plain, 0, None)))
            }
        };
        self.at += length;
        (event, position)
    }

    /// Skips whitespace, commas and colons.
    fn skip_separators(&mut self) {
        let mut at = self.at;
        for byte in self.text[at..].bytes() {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.column = (at + 1, 0);
                }
                b' ' | b'\t' | b'\r' | b',' | b':' => {}
                _ => break,
            }
            at += 1;
        }
        self.at = at;
    }

    /// Position of the next byte. Counts on from the last one, because all of a document may be on one line.
    fn position(&mut self) -> Position {
        let (from, before) = self.column;
        let characters = match self.is_ascii {
            true => self.at - from,
            false => self.text[from..self.at].chars().count(),
        };
        self.column = (self.at, before + characters);
        position(self.line, before + characters + 1)
    }
}

/// The length of a JSON string with its quotes, and its value.
fn string(text: &str) -> (usize, Result<Cow<'_, str>, serde_json::Error>) {
    let (mut end, mut has_escapes) = (1, false);
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\');
    while let Some(plain) = text.as_bytes().get(end..).and_then(|rest| rest.iter().position(is_special)) {
        end += plain;
        if text.as_bytes()[end] == b'"' {
            break;
        }
        has_escapes = true;
        end += 2;
    }
    match has_escapes {
        true => (end + 1, serde_json::from_str(&text[..=end]).map(Cow::Owned)),
        false => (end + 1, Ok(Cow::Borrowed(&text[1..end]))),
    }
}

#[cfg(test)]
mod tests {
    use super::JsonEvents;
    use saphyr_parser::Event;

    #[test]
    fn tokens_have_their_values_and_positions() {
        let text = "{\"é\": [1e3,true],\r\n \"a\\n\\ud83d\\ude00\\\"\\\\\":{} }";
        let mut events = JsonEvents::of(text);
        let mut next = || {
            let (event, position) = events.next();
            let shown = match event.unwrap() {
                Event::Scalar(text, ..) => text.into_owned(),
                Event::MappingStart(..) => "{".to_owned(),
                Event::MappingEnd => "}".to_owned(),
                Event::SequenceStart(..) => "[".to_owned(),
                Event::SequenceEnd => "]".to_owned(),
                other => format!("{other:?}"),
            };
            (position.line, position.column, shown)
        };
        for (line, column, shown) in [
            (1, 1, "{"),
            (1, 2, "é"),
            (1, 7, "["),
            (1, 8, "1e3"),
            (1, 12, "true"),
            (1, 16, "]"),
            (2, 2, "a\n😀\"\\"),
            (2, 24, "{"),
            (2, 25, "}"),
            (2, 27, "}"),
            (2, 28, "StreamEnd"),
        ] {
            assert_eq!(next(), (line, column, shown.to_owned()));
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_an_error() {
        let mut events = JsonEvents::of(r#"{"a": "\ud83d"}"#);
        let found: Vec<bool> = std::iter::repeat_with(|| events.next().0.is_err()).take(4).collect();
        assert_eq!(found, [false, false, true, false]);
    }
}
