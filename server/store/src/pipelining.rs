//! Whether statements were sent when they were first polled, as pipelining takes for granted.
//!
//! A statement that its connection has not prepared yet is sent later, when the server has prepared it. A statement that is polled after
//! it may then be executed before it. Within a unit of work that is tolerable, because updates look at what they depend on; a
//! commit has to be the last one.

use diesel::connection::{Instrumentation, InstrumentationEvent, get_default_instrumentation};
use std::cell::Cell;

thread_local! {
    /// Statements that were about to be prepared, on any connection, when this thread polled them.
    static MISSES: Cell<u64> = const { Cell::new(0) };
}

/// Counts misses of a connection's cache of prepared statements, besides what the program does with all events.
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

/// Misses on this thread. If it is the same before and after some statements were polled within one poll of their task, all of them
/// were sent.
pub(crate) fn misses() -> u64 {
    MISSES.get()
}
