//! The log. A separate thread writes it to standard error, so that a slow reader never delays a request.

use crate::config::settings::Log;
use crate::config::values::LogFormat;
use slog::{Drain, Key, Logger, Never, OwnedKVList, Record, Serializer, o};
use std::fmt;

/// Drop it last: that flushes the log.
pub(super) struct Logging {
    pub(super) log: Logger,
    /// Keeps the writing thread alive.
    pub(super) _guard: slog_async::AsyncGuard,
}

/// Lines that may wait for the writing thread. Further ones are dropped and counted in a later line, because a blocked
/// standard error must not stop the server.
const QUEUE_LENGTH: usize = 16 * 1024;

#[must_use]
pub(super) fn start(settings: &Log) -> Logging {
    let (drain, guard) = match settings.format {
        LogFormat::Json => {
            let drain = slog_json::Json::default(std::io::stderr());
            slog_async::Async::new(drain.fuse()).chan_size(QUEUE_LENGTH).build_with_guard()
        }
        LogFormat::Text => {
            let decorator = slog_term::TermDecorator::new().stderr().build();
            let drain = slog_term::FullFormat::new(decorator).use_utc_timestamp().use_original_order().build();
            slog_async::Async::new(drain.fuse()).chan_size(QUEUE_LENGTH).build_with_guard()
        }
    };
    let level = settings.level;
    let drain = slog::Filter::new(drain, move |record| level.accepts(record.level()));
    let log = Logger::root(drain.fuse(), o!());
    Logging { log, _guard: guard }
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
