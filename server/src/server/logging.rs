//! The log: to standard error, from a thread of its own, so that a slow terminal never holds up a request.

use crate::config::settings::Log;
use crate::config::values::LogFormat;
use slog::{Drain, Key, Logger, Never, OwnedKVList, Record, Serializer, o};
use std::fmt;

/// A log and what keeps its thread alive. Drop the guard last: that writes out what is still waiting.
pub(super) struct Logging {
    /// Where to log.
    pub(super) log: Logger,
    /// The writing thread.
    pub(super) _guard: slog_async::AsyncGuard,
}

/// Lines that may wait for the writing thread. Beyond that they are dropped, and a line says how many: a log that nobody
/// takes off the process's hands must not stop it.
const WAITING: usize = 16 * 1024;

/// Starts the log.
#[must_use]
pub(super) fn start(settings: &Log) -> Logging {
    let (drain, guard) = match settings.format {
        LogFormat::Json => {
            let drain = slog_json::Json::default(std::io::stderr());
            slog_async::Async::new(drain.fuse()).chan_size(WAITING).build_with_guard()
        }
        LogFormat::Text => {
            let decorator = slog_term::TermDecorator::new().stderr().build();
            let drain = slog_term::FullFormat::new(decorator).use_utc_timestamp().use_original_order().build();
            slog_async::Async::new(drain.fuse()).chan_size(WAITING).build_with_guard()
        }
    };
    let level = settings.level;
    let drain = slog::Filter::new(drain, move |record| level.accepts(record.level()));
    let log = Logger::root(drain.fuse(), o!());
    Logging { log, _guard: guard }
}

/// `log` for dropshot: warnings and worse only, since each connection is news to it; and nothing about single requests,
/// because that holds query strings, and the edge has a line of its own for each.
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

/// Looks for the field that dropshot puts on the logger of a request.
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

    #[test]
    fn what_dropshot_says_about_requests_is_left_out() {
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
