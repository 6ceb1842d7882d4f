//! The log. A separate thread writes it to standard error, so that a slow reader never delays a request. Control characters
//! in it are escaped, because some of it comes from clients and other servers, and terminals show it.
//!
//! Times are in UTC, with year and zone, and levels are words, so that lines of several machines can be put together and found.

use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::settings::Log;
use crate::config::values::LogFormat;
use crate::terminal::printable;
use slog::{
    BorrowedKV, Drain, FilterLevel, FnValue, KV, Key, Logger, Never, OwnedKV, OwnedKVList, Record, RecordStatic,
    Serializer, o,
};
use slog_term::{RecordDecorator, ThreadSafeTimestampFn};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Drop it last: that flushes the log.
pub(super) struct Logging {
    pub(super) log: Logger,
    level: Level,
    /// Keeps the writing thread alive.
    pub(super) _guard: slog_async::AsyncGuard,
}

impl Logging {
    /// Logs lines of this level and above from now on.
    pub(super) fn set_level(&self, level: FilterLevel) {
        self.level.0.store(level.as_usize(), Ordering::Relaxed);
    }
}

/// The level of lines that are logged, which may change.
#[derive(Clone)]
struct Level(Arc<AtomicUsize>);

impl Level {
    fn new(level: FilterLevel) -> Self {
        Self(Arc::new(AtomicUsize::new(level.as_usize())))
    }

    fn accepts(&self, level: slog::Level) -> bool {
        FilterLevel::from_usize(self.0.load(Ordering::Relaxed)).is_none_or(|least| least.accepts(level))
    }
}

/// Lines that may wait for the writing thread. Further ones are dropped and counted in a later line, because a blocked
/// standard error must not stop the server.
const QUEUE_LENGTH: usize = 16 * 1024;

#[must_use]
pub(super) fn start(settings: &Log) -> Logging {
    let (drain, guard) = match settings.format {
        LogFormat::Json => {
            let drain = json(io::stderr());
            slog_async::Async::new(Printable(drain).fuse()).chan_size(QUEUE_LENGTH).build_with_guard()
        }
        LogFormat::Text => {
            let drain = text(slog_term::TermDecorator::new().stderr().build());
            slog_async::Async::new(Printable(drain).fuse()).chan_size(QUEUE_LENGTH).build_with_guard()
        }
    };
    let level = Level::new(settings.level);
    let filter = level.clone();
    let drain = slog::Filter::new(drain, move |record| filter.accepts(record.level()));
    let log = Logger::root(drain.fuse(), o!());
    Logging { log, level, _guard: guard }
}

fn json<W: io::Write>(output: W) -> slog_json::Json<W> {
    let keys = o!(
        "ts" => FnValue(|_: &Record<'_>| utc_text(SystemClock.now())),
        "level" => FnValue(|record: &Record<'_>| word(record.level())),
        "msg" => FnValue(|record: &Record<'_>| record.msg().to_string()),
    );
    slog_json::Json::new(output).add_key_value(keys).build()
}

fn text<D: slog_term::Decorator>(decorator: D) -> slog_term::FullFormat<D> {
    let format = slog_term::FullFormat::new(decorator).use_custom_timestamp(write_time);
    format.use_custom_header_print(write_header).use_original_order().build()
}

/// The level as most programs spell it.
fn word(level: slog::Level) -> &'static str {
    match level {
        slog::Level::Warning => "WARN",
        other => other.as_str(),
    }
}

fn write_time(output: &mut dyn io::Write) -> io::Result<()> {
    output.write_all(utc_text(SystemClock.now()).as_bytes())
}

/// Writes time, level and message; says whether there is a message.
fn write_header(
    write_time: &dyn ThreadSafeTimestampFn<Output = io::Result<()>>,
    mut output: &mut dyn RecordDecorator,
    record: &Record<'_>,
    _shows_location: bool,
) -> io::Result<bool> {
    output.start_timestamp()?;
    write_time(&mut output)?;
    output.start_whitespace()?;
    write!(output, " ")?;
    output.start_level()?;
    write!(output, "{}", word(record.level()))?;
    output.start_whitespace()?;
    write!(output, " ")?;
    output.start_msg()?;
    let message = record.msg().to_string();
    write!(output, "{message}")?;
    Ok(!message.is_empty())
}

/// Passes records on with the texts in them escaped.
struct Printable<D>(D);

impl<D: Drain> Drain for Printable<D> {
    type Ok = D::Ok;
    type Err = D::Err;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<D::Ok, D::Err> {
        let (own, inherited) = (Values::of(&record.kv(), record), Values::of(values, record));
        let message = record.msg().to_string();
        let record_static = RecordStatic { location: record.location(), tag: record.tag(), level: record.level() };
        let values = OwnedKVList::from(OwnedKV(inherited));
        let escaped = &printable(&message);
        self.0.log(&Record::new(&record_static, &format_args!("{escaped}"), BorrowedKV(&own)), &values)
    }
}

/// Keys and values of a record, in their order.
#[derive(Default)]
struct Values(Vec<(Key, Value)>);

enum Value {
    Text(String),
    Signed(i64),
    Unsigned(u64),
}

impl Values {
    fn of(values: &dyn KV, record: &Record<'_>) -> Self {
        let mut collected = Self::default();
        // Collecting does not fail; a value that cannot be written is left out.
        let _ = values.serialize(record, &mut collected);
        collected
    }
}

impl Serializer for Values {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        self.0.push((key, Value::Text(printable(&value.to_string()).into_owned())));
        Ok(())
    }

    fn emit_u16(&mut self, key: Key, value: u16) -> slog::Result {
        self.emit_u64(key, value.into())
    }

    fn emit_u32(&mut self, key: Key, value: u32) -> slog::Result {
        self.emit_u64(key, value.into())
    }

    fn emit_u64(&mut self, key: Key, value: u64) -> slog::Result {
        self.0.push((key, Value::Unsigned(value)));
        Ok(())
    }

    fn emit_usize(&mut self, key: Key, value: usize) -> slog::Result {
        self.emit_u64(key, u64::try_from(value).unwrap_or(u64::MAX))
    }

    fn emit_i64(&mut self, key: Key, value: i64) -> slog::Result {
        self.0.push((key, Value::Signed(value)));
        Ok(())
    }
}

impl KV for Values {
    fn serialize(&self, _: &Record<'_>, serializer: &mut dyn Serializer) -> slog::Result {
        self.0.iter().try_for_each(|(key, value)| {
            let key = Key::clone(key);
            match value {
                Value::Text(text) => serializer.emit_str(key, text),
                Value::Signed(number) => serializer.emit_i64(key, *number),
                Value::Unsigned(number) => serializer.emit_u64(key, *number),
            }
        })
    }
}

/// `log` for dropshot, limited to warnings, because dropshot reports every connection, and without lines about requests,
/// because they contain query strings. The edge logs requests.
pub(super) fn for_dropshot(log: Logger) -> Logger {
    Logger::root(ForDropshot(log), o!())
}

struct ForDropshot(Logger);

impl Drain for ForDropshot {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        if !record.level().is_at_least(slog::Level::Warning) {
            return Ok(());
        }
        let mut search = UriSearch { has_uri: false };
        let searched = slog::KV::serialize(values, record, &mut search);
        match search.has_uri || searched.is_err() {
            true => Ok(()),
            false => Drain::log(&self.0, record, values),
        }
    }
}

/// Looks for `uri`, which dropshot sets on the logger of a request.
struct UriSearch {
    has_uri: bool,
}

impl Serializer for UriSearch {
    fn emit_arguments(&mut self, key: Key, _: &fmt::Arguments<'_>) -> slog::Result {
        self.has_uri |= AsRef::<str>::as_ref(&key) == "uri";
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slog::{info, warn};
    use std::sync::{Arc, Mutex};

    struct Memory(Arc<Mutex<Vec<String>>>);

    impl Drain for Memory {
        type Ok = ();
        type Err = Never;

        fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), Never> {
            self.0.lock().expect("not poisoned").push(record.msg().to_string());
            Ok(())
        }
    }

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Buffer {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
        }
    }

    fn log_something(log: &Logger) {
        let log = log.new(o!("inherited" => "a\u{1b}[2J", "second" => 2_u16));
        warn!(log, "message of {}", "\u{9b}31m\n"; "own" => format!("{}\u{202e}", "x"), "number" => 503_u16);
    }

    #[test]
    fn control_characters_are_escaped_and_all_else_is_kept() {
        let buffer = Buffer::default();
        let drain = json(buffer.clone());
        log_something(&Logger::root(Printable(Mutex::new(drain)).fuse(), o!()));
        let json = buffer.text();
        assert!(json.contains(r#""inherited":"a\\u{1b}[2J""#) && json.contains(r#""own":"x\\u{202e}""#), "{json}");
        assert!(json.contains(r#""number":503"#) && json.contains(r#""second":2"#), "{json}");

        let buffer = Buffer::default();
        let drain = text(slog_term::PlainSyncDecorator::new(buffer.clone()));
        log_something(&Logger::root(Printable(drain).fuse(), o!()));
        let text = buffer.text();
        assert_eq!(text.trim_end_matches('\n').chars().find(|character| character.is_control()), None, "{text:?}");
        assert!(
            text.contains("message of \\u{9b}31m\\n") && text.contains("inherited: a\\u{1b}[2J, second: 2"),
            "{text}"
        );
    }

    #[test]
    fn lines_begin_with_a_time_that_has_year_and_zone_and_with_a_word_for_the_level() {
        let is_time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z');
        let buffer = Buffer::default();
        let log = Logger::root(text(slog_term::PlainSyncDecorator::new(buffer.clone())).fuse(), o!());
        slog::crit!(log, "first"; "key" => 1);
        slog::error!(log, "second");
        warn!(log, "third");
        slog::debug!(log, "fourth");
        let lines = buffer.text();
        let expected = [("CRITICAL", "first, key: 1"), ("ERROR", "second"), ("WARN", "third"), ("DEBUG", "fourth")];
        for (line, (level, rest)) in lines.lines().zip(expected) {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            assert!(is_time(words[0]) && words[1..] == [level, rest], "{lines}");
        }

        let buffer = Buffer::default();
        let log = Logger::root(Mutex::new(json(buffer.clone())).fuse(), o!());
        slog::error!(log, "message"; "key" => 1);
        let line: serde_json::Value = serde_json::from_str(&buffer.text()).expect("JSON");
        assert!(line["ts"].as_str().is_some_and(is_time), "{line}");
        assert_eq!((&line["level"], &line["msg"], &line["key"]), (&"ERROR".into(), &"message".into(), &1.into()));
    }

    #[test]
    fn the_level_can_be_changed() {
        let level = Level::new(FilterLevel::Warning);
        assert!(level.accepts(slog::Level::Error) && !level.accepts(slog::Level::Info));
        level.clone().0.store(FilterLevel::Debug.as_usize(), Ordering::Relaxed);
        assert!(level.accepts(slog::Level::Debug) && !level.accepts(slog::Level::Trace));
        level.0.store(FilterLevel::Off.as_usize(), Ordering::Relaxed);
        assert!(!level.accepts(slog::Level::Critical));
    }

    #[test]
    fn lines_of_dropshot_about_requests_are_dropped() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = for_dropshot(Logger::root(Memory(Arc::clone(&lines)), o!("name" => "x")));
        info!(log, "accepted connection");
        warn!(log, "accept failed"; "local_addr" => "127.0.0.1:1");
        let request = log.new(o!("method" => "GET", "uri" => "/api?token=secret".to_owned()));
        info!(request, "request completed");
        warn!(request.new(o!()), "request handling cancelled");
        assert_eq!(*lines.lock().expect("not poisoned"), ["accept failed"]);
    }
}
