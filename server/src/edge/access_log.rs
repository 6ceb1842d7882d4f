//! One log line per request.
//!
//! The line has a fixed list of fields: method, route, operation, status, duration, client, request id, trace id if the client names
//! one, for a service the id of its API key, and the id of the account that the request is proven to be for. Bodies, other
//! headers, query strings and the values of path variables are never logged, since they carry codes and tokens.

use super::dispatch::Operation;
use super::noted::Noted;
use super::path::masked;
use crate::clock::Stopwatch;
use countersign_api::ErrorCause;
use http::{Extensions, Method, StatusCode, Uri};
use slog::{KV, Logger, Record, Serializer, debug, error, info, warn};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Chooses, evenly, how many of a hundred successful requests are logged.
pub struct SuccessSample {
    percent: u64,
    seen: AtomicU64,
}

impl SuccessSample {
    #[must_use]
    pub fn new(percent: u64) -> Self {
        Self { percent, seen: AtomicU64::new(0) }
    }

    fn takes_next(&self) -> bool {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) % 100;
        (seen + 1) * self.percent / 100 > seen * self.percent / 100
    }
}

/// A request as it will be logged.
pub(super) struct Entry {
    stopwatch: Stopwatch,
    method: Method,
    uri: Uri,
    operation: Option<Arc<Operation>>,
    client: IpAddr,
    noted: Noted,
}

impl Entry {
    /// Starts the clock.
    pub(super) fn new(method: Method, uri: Uri, client: IpAddr) -> Self {
        Self { stopwatch: Stopwatch::start(), method, uri, operation: None, client, noted: Noted::default() }
    }

    /// Sets the operation, whose path template is logged in place of the path.
    pub(super) fn routed(&mut self, operation: &Arc<Operation>) {
        self.operation = Some(Arc::clone(operation));
    }

    /// Sets what the handler found out.
    pub(super) fn noted(&mut self, noted: Noted) {
        self.noted = noted;
    }

    /// The operation, if there is one at the path.
    pub(super) fn operation(&self) -> Option<&Operation> {
        self.operation.as_deref()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.stopwatch.elapsed()
    }

    /// Writes the line. `log` carries the request id; `extensions` are the response's, which hold the cause of an error.
    pub(super) fn finish(
        self,
        log: &Logger,
        status: StatusCode,
        extensions: &Extensions,
        is_routine: bool,
        successes: &SuccessSample,
    ) {
        let cause = extensions.get::<ErrorCause>().map(|cause| cause.0.as_str());
        let took = self.stopwatch.elapsed();
        let fields = Fields { entry: &self, status, took, cause };
        match (cause, status) {
            (_, StatusCode::SERVICE_UNAVAILABLE) if cause.is_none() => warn!(log, "request shed"; fields),
            (_, status) if status.is_server_error() => error!(log, "request failed"; fields),
            (None, _) if is_routine => debug!(log, "request"; fields),
            (_, status) if status.is_client_error() || successes.takes_next() => info!(log, "request"; fields),
            _ => {}
        }
    }
}

/// The fields of the line.
struct Fields<'a> {
    entry: &'a Entry,
    status: StatusCode,
    took: Duration,
    cause: Option<&'a str>,
}

impl KV for Fields<'_> {
    /// The last one first, as slog has it.
    fn serialize(&self, _: &Record<'_>, serializer: &mut dyn Serializer) -> slog::Result {
        let Entry { method, uri, operation, client, noted, .. } = self.entry;
        let (operation, path) = match operation {
            Some(operation) => (operation.id.as_str(), Cow::Borrowed(operation.template.as_str())),
            None => ("", Cow::Owned(masked(uri.path()))),
        };
        if let Some(cause) = self.cause {
            serializer.emit_str("cause".into(), cause)?;
        }
        if let Some(id) = noted.account {
            serializer.emit_arguments("account".into(), &format_args!("{}", id.to_hyphenated()))?;
        }
        if let Some(id) = noted.api_key {
            serializer.emit_arguments("api_key".into(), &format_args!("{}", id.to_hyphenated()))?;
        }
        serializer.emit_arguments("client".into(), &format_args!("{client}"))?;
        serializer.emit_u64("ms".into(), u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX))?;
        serializer.emit_u16("status".into(), self.status.as_u16())?;
        serializer.emit_str("operation".into(), operation)?;
        serializer.emit_str("path".into(), &path)?;
        serializer.emit_str("method".into(), method.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slog::{Drain, Level, Never, OwnedKVList, o};
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<Level>>>);

    impl Drain for Lines {
        type Ok = ();
        type Err = Never;

        fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), Never> {
            self.0.lock().expect("not poisoned").push(record.level());
            Ok(())
        }
    }

    /// The levels of the lines that a response leads to.
    fn levels(status: u16, cause: Option<&str>, is_routine: bool, percent: u64) -> Vec<Level> {
        let lines = Lines::default();
        let mut extensions = Extensions::new();
        if let Some(cause) = cause {
            extensions.insert(ErrorCause(cause.to_owned()));
        }
        let entry = Entry::new(Method::GET, Uri::from_static("/x"), IpAddr::from([192, 0, 2, 1]));
        let status = StatusCode::from_u16(status).expect("a status");
        let log = Logger::root(lines.clone(), o!());
        entry.finish(&log, status, &extensions, is_routine, &SuccessSample::new(percent));
        let levels = lines.0.lock().expect("not poisoned");
        levels.clone()
    }

    #[test]
    fn only_lines_of_successes_are_left_out() {
        for (status, cause, percent, expected) in [
            (200, None, 100, vec![Level::Info]),
            (302, None, 100, vec![Level::Info]),
            (200, None, 0, vec![]),
            (302, None, 0, vec![]),
            (401, None, 0, vec![Level::Info]),
            (400, Some("why"), 0, vec![Level::Info]),
            (500, None, 0, vec![Level::Error]),
            (503, Some("why"), 0, vec![Level::Error]),
            (503, None, 0, vec![Level::Warning]),
        ] {
            assert_eq!(levels(status, cause, false, percent), expected, "{status} {cause:?} {percent}");
        }
        assert_eq!(levels(200, None, true, 0), [Level::Debug], "a health check is no success to be sampled");
        assert_eq!(levels(404, None, true, 0), [Level::Debug]);
        assert_eq!(levels(503, None, true, 0), [Level::Warning]);
    }

    #[test]
    fn a_share_of_the_successful_requests_is_logged() {
        for percent in [0, 1, 33, 50, 99, 100] {
            let sample = SuccessSample::new(percent);
            let taken = (0..1_000).filter(|_| sample.takes_next()).count();
            assert_eq!(taken as u64, percent * 10);
        }
        let half = SuccessSample::new(50);
        let chosen: Vec<bool> = (0..6).map(|_| half.takes_next()).collect();
        assert_eq!(chosen, [false, true, false, true, false, true]);
    }
}
