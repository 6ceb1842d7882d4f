//! A record of the log as one line of text or JSON.
//!
//! Control characters are escaped, because some of what is logged comes from clients and other servers, and terminals show it.
//! Times are in UTC, with year and zone, and levels are words, so that lines of several machines can be put together and found.

use crate::clock::utc_text;
use crate::terminal::printable;
use anstyle::{AnsiColor, Style};
use countersign_domain::time::Timestamp;
use serde::Serialize;
use slog::{KV, Key, Level, OwnedKVList, Record, Serializer};
use std::fmt::{self, Write as _};
use std::io::Write as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `2026-01-31T12:00:00.000Z INFO message, key: value`. The level is coloured for a terminal.
    Text { is_coloured: bool },
    /// An object with `ts`, `level`, `msg` and the keys of the record.
    Json,
}

/// Writes lines, and keeps its buffers from one to the next.
#[derive(Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    fields: Fields,
}

/// Keys and values as the format has them, separators included.
#[derive(Default)]
struct Fields {
    written: Vec<u8>,
    /// Where each begins.
    starts: Vec<usize>,
    /// The value that is being written.
    value: String,
}

impl Lines {
    /// The line, with its end. Values of the logger come before those of the record, the outermost first.
    pub(super) fn line(&mut self, format: Format, now: Timestamp, record: &Record<'_>, values: &OwnedKVList) -> &[u8] {
        self.line.clear();
        self.begin(format, now, record);
        self.fields.starts.clear();
        self.fields.written.clear();
        let mut serializer = FieldSerializer { format, fields: &mut self.fields };
        // Neither fails: a value that cannot be written is left out.
        let _ = record.kv().serialize(record, &mut serializer);
        let _ = values.serialize(record, &mut serializer);
        // slog names the last one first.
        let mut end = self.fields.written.len();
        for start in self.fields.starts.iter().rev() {
            self.line.extend_from_slice(&self.fields.written[*start..end]);
            end = *start;
        }
        self.line.extend_from_slice(if format == Format::Json { b"}\n" } else { b"\n" });
        &self.line
    }

    fn begin(&mut self, format: Format, now: Timestamp, record: &Record<'_>) {
        let (time, level) = (utc_text(now), word(record.level()));
        self.fields.value.clear();
        let _ = write!(self.fields.value, "{}", record.msg());
        let message = printable(&self.fields.value);
        // Writing to memory does not fail.
        let _ = match format {
            Format::Text { is_coloured } => {
                let style = if is_coloured { style(record.level()) } else { Style::new() };
                write!(self.line, "{time} {style}{level}{style:#} {message}")
            }
            Format::Json => {
                let begin = write!(self.line, r#"{{"ts":"{time}","level":"{level}","msg":"#);
                write_json(&mut self.line, &message);
                begin
            }
        };
    }
}

struct FieldSerializer<'a> {
    format: Format,
    fields: &'a mut Fields,
}

impl FieldSerializer<'_> {
    fn key(&mut self, key: &Key) {
        let key: &str = key.as_ref();
        let written = &mut self.fields.written;
        self.fields.starts.push(written.len());
        match self.format {
            Format::Text { .. } => {
                written.extend_from_slice(b", ");
                written.extend_from_slice(key.as_bytes());
                written.extend_from_slice(b": ");
            }
            Format::Json => {
                written.push(b',');
                write_json(written, key);
                written.push(b':');
            }
        }
    }

    fn text(&mut self, key: &Key, text: &str) {
        self.key(key);
        let text = printable(text);
        match self.format {
            Format::Text { .. } => self.fields.written.extend_from_slice(text.as_bytes()),
            Format::Json => write_json(&mut self.fields.written, &text),
        }
    }

    fn number(&mut self, key: &Key, number: impl fmt::Display) -> slog::Result {
        self.key(key);
        write!(self.fields.written, "{number}").map_err(Into::into)
    }
}

impl Serializer for FieldSerializer<'_> {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        if let Some(text) = value.as_str() {
            return self.emit_str(key, text);
        }
        let mut text = std::mem::take(&mut self.fields.value);
        text.clear();
        if text.write_fmt(*value).is_ok() {
            self.text(&key, &text);
        }
        self.fields.value = text;
        Ok(())
    }

    fn emit_str(&mut self, key: Key, value: &str) -> slog::Result {
        self.text(&key, value);
        Ok(())
    }

    fn emit_u16(&mut self, key: Key, value: u16) -> slog::Result {
        self.number(&key, value)
    }

    fn emit_u32(&mut self, key: Key, value: u32) -> slog::Result {
        self.number(&key, value)
    }

    fn emit_u64(&mut self, key: Key, value: u64) -> slog::Result {
        self.number(&key, value)
    }

    fn emit_usize(&mut self, key: Key, value: usize) -> slog::Result {
        self.number(&key, value)
    }

    fn emit_i32(&mut self, key: Key, value: i32) -> slog::Result {
        self.number(&key, value)
    }

    fn emit_i64(&mut self, key: Key, value: i64) -> slog::Result {
        self.number(&key, value)
    }
}

fn write_json(output: &mut Vec<u8>, text: &str) {
    let mut serializer = serde_json::Serializer::new(output);
    // Writing text to memory does not fail.
    let _ = text.serialize(&mut serializer);
}

/// The level as most programs spell it.
fn word(level: Level) -> &'static str {
    match level {
        Level::Warning => "WARN",
        other => other.as_str(),
    }
}

fn style(level: Level) -> Style {
    let colour = match level {
        Level::Critical | Level::Error => AnsiColor::Red,
        Level::Warning => AnsiColor::Yellow,
        Level::Info => AnsiColor::Green,
        Level::Debug | Level::Trace => AnsiColor::Cyan,
    };
    colour.on_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, ManualClock};
    use slog::{Drain, Logger, Never, o, warn};
    use std::sync::{Arc, Mutex};

    const TEXT: Format = Format::Text { is_coloured: false };

    struct Memory {
        format: Format,
        clock: ManualClock,
        lines: Arc<Mutex<(Lines, String)>>,
    }

    impl Drain for Memory {
        type Ok = ();
        type Err = Never;

        fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
            let (lines, written) = &mut *self.lines.lock().expect("not poisoned");
            let line = lines.line(self.format, self.clock.now(), record, values);
            written.push_str(std::str::from_utf8(line).expect("UTF-8"));
            Ok(())
        }
    }

    /// What `log` writes in this format on 2024-02-29.
    fn written(format: Format, log: impl FnOnce(&Logger)) -> String {
        let lines = Arc::new(Mutex::new((Lines::default(), String::new())));
        let clock = ManualClock::at(Timestamp::from_millis(1_709_164_800_001));
        log(&Logger::root(Memory { format, clock, lines: Arc::clone(&lines) }, o!()));
        let (_, written) = &*lines.lock().expect("not poisoned");
        written.clone()
    }

    fn log_something(log: &Logger) {
        let log = log.new(o!("inherited" => "a\u{1b}[2J", "second" => 2_u16));
        let log = log.new(o!("third" => -3));
        warn!(log, "message of {}", "\u{9b}31m\n"; "own" => format!("{}\u{202e}", "x\"y"), "number" => 503_u16);
    }

    #[test]
    fn control_characters_are_escaped_and_all_else_is_kept_in_its_order() {
        assert_eq!(
            written(TEXT, log_something),
            "2024-02-29T00:00:00.001Z WARN message of \\u{9b}31m\\n, inherited: a\\u{1b}[2J, second: 2, third: -3, \
             own: x\"y\\u{202e}, number: 503\n"
        );
        assert_eq!(
            written(Format::Json, log_something),
            concat!(
                r#"{"ts":"2024-02-29T00:00:00.001Z","level":"WARN","msg":"message of \\u{9b}31m\\n","#,
                r#""inherited":"a\\u{1b}[2J","second":2,"third":-3,"own":"x\"y\\u{202e}","number":503}"#,
                "\n"
            )
        );
    }

    #[test]
    fn lines_follow_each_other_with_a_word_for_the_level() {
        let log = |log: &Logger| {
            slog::crit!(log, "first"; "key" => 1);
            slog::error!(log, "second");
            warn!(log, "third"; "key" => "");
            slog::debug!(log, "fourth"; "key" => true);
        };
        let time = "2024-02-29T00:00:00.001Z";
        assert_eq!(
            written(TEXT, log),
            format!(
                "{time} CRITICAL first, key: 1\n{time} ERROR second\n{time} WARN third, key: \n{time} DEBUG fourth, key: true\n"
            )
        );
    }

    #[test]
    fn a_terminal_gets_the_level_in_colour_and_nothing_else() {
        let line = written(Format::Text { is_coloured: true }, |log| slog::error!(log, "m"; "key" => "\u{1b}[0m"));
        assert_eq!(line, "2024-02-29T00:00:00.001Z \u{1b}[31mERROR\u{1b}[0m m, key: \\u{1b}[0m\n");
    }

    #[test]
    fn a_value_that_cannot_be_written_is_left_out() {
        struct Broken;
        impl fmt::Display for Broken {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        let line = written(Format::Json, |log| {
            slog::error!(log.new(o!("outer" => 1)), "m"; "before" => 2, "broken" => %Broken, "after" => 3);
        });
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(
            (&line["outer"], &line["before"], line.get("broken"), &line["after"]),
            (&1.into(), &2.into(), None, &3.into()),
            "{line}"
        );
    }
}
