//! Detects whether pipelined statements were sent in order.
//!
//! A statement is sent when its future is first polled, unless the connection has to prepare it: then only the request to prepare it is
//! sent, and statements that are polled after it are executed before it. Units of work tolerate that, because their updates filter by
//! what they depend on. A `COMMIT` does not: it has to be sent last.

use diesel::connection::{Instrumentation, InstrumentationEvent, get_default_instrumentation};
use std::cell::Cell;

thread_local! {
    /// Misses of the statement caches of all connections, in polls on this thread.
    static MISSES: Cell<u64> = const { Cell::new(0) };
}

/// Counts the misses of a connection's statement cache, and passes all events on to the default instrumentation.
pub(crate) struct CountMisses {
    next: Option<Box<dyn Instrumentation>>,
}

impl CountMisses {
    pub(crate) fn new() -> Self {
        Self { next: get_default_instrumentation() }
    }
}

impl Instrumentation for CountMisses {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::CacheQuery { .. } = event {
            MISSES.set(MISSES.get() + 1);
        }
        if let Some(next) = &mut self.next {
            next.on_connection_event(event);
        }
    }
}

/// The number of misses on this thread. If it has not changed during a poll, all statements that were first polled in it were sent.
pub(crate) fn misses() -> u64 {
    MISSES.get()
}
