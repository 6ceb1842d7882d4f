//! The log: one line per record on standard error.

mod line;
mod writer;

use crate::clock::{Clock as _, SystemClock};
use crate::config::settings::Log;
use crate::config::values::LogFormat;
use line::{Format, Lines};
use slog::{Drain, FilterLevel, Key, Logger, Never, OwnedKVList, Record, Serializer, o};
use std::cell::RefCell;
use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use writer::{Queue, Writer};

/// Drop it last: that flushes the log.
pub(super) struct Logging {
    pub(super) log: Logger,
    level: Level,
    /// Keeps the writing thread alive.
    _writer: Writer,
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

/// Starts the writing thread.
///
/// # Errors
/// When the system has no thread.
pub(super) fn start(settings: &Log) -> io::Result<Logging> {
    let format = match settings.format {
        LogFormat::Json => Format::Json,
        LogFormat::Text => Format::Text { is_coloured: takes_colours() },
    };
    let writer = Writer::start(io::stderr(), Box::new(move |count| drop_notice(format, count)))?;
    let level = Level::new(settings.level);
    let drain = LineDrain { format, queue: writer.queue(), level: level.clone() };
    Ok(Logging { log: Logger::root(drain, o!()), level, _writer: writer })
}

/// Whether standard error is a terminal that may be coloured (<https://no-color.org>).
fn takes_colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn drop_notice(format: Format, count: u64) -> Vec<u8> {
    let values = OwnedKVList::from(slog::OwnedKV(()));
    let place = slog::record_static!(slog::Level::Error, "");
    let message = format_args!("lines of the log were dropped, because standard error was not read");
    let fields = slog::kv!("count" => count);
    let record = Record::new(&place, &message, slog::BorrowedKV(&fields));
    Lines::default().line(format, SystemClock.now(), &record, &values).to_vec()
}

/// Makes lines on the thread that logs, and hands them to the writing thread.
struct LineDrain {
    format: Format,
    queue: Queue,
    level: Level,
}

thread_local! {
    static LINES: RefCell<Lines> = RefCell::default();
}

impl Drain for LineDrain {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        if self.level.accepts(record.level()) {
            // Taken out, because a value that is written may log itself.
            let mut lines = LINES.take();
            self.queue.add(lines.line(self.format, SystemClock.now(), record, values));
            LINES.set(lines);
        }
        Ok(())
    }

    fn is_enabled(&self, level: slog::Level) -> bool {
        self.level.accepts(level)
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
    use std::sync::Mutex;

    struct Memory(Arc<Mutex<Vec<String>>>);

    impl Drain for Memory {
        type Ok = ();
        type Err = Never;

        fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), Never> {
            self.0.lock().expect("not poisoned").push(record.msg().to_string());
            Ok(())
        }
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

    #[test]
    fn dropped_lines_are_told_in_the_format_of_the_log() {
        let line = drop_notice(Format::Json, 3);
        let line: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!((&line["level"], &line["count"]), (&"ERROR".into(), &3.into()), "{line}");
        let text = String::from_utf8(drop_notice(Format::Text { is_coloured: false }, 3)).expect("UTF-8");
        assert!(text.ends_with(", count: 3\n"), "{text}");
    }
}
