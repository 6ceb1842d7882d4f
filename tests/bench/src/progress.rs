//! What the terminal shows while nothing is printed: one line on standard error for each thing that takes long.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};

/// Says what is being done.
pub(crate) fn say(text: &str) {
    // Nobody may be looking.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// How far something is.
pub(crate) struct Progress {
    what: &'static str,
    total: u64,
    done: Cell<u64>,
    shown: Cell<u64>,
}

impl Progress {
    /// Nothing of `total` is done yet.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, done: Cell::new(0), shown: Cell::new(0) }
    }

    /// So much more is done.
    pub(crate) fn add(&self, count: u64) {
        self.done.set(self.done.get() + count);
        let (percent, is_done) = (self.done.get() * 100 / self.total.max(1), self.done.get() >= self.total);
        let mut errors = std::io::stderr();
        if errors.is_terminal() && percent > self.shown.replace(percent) && !is_done {
            let _ = write!(errors, "\r{}: {percent} %", self.what);
        }
        if is_done {
            let start = if errors.is_terminal() { "\r" } else { "" };
            let _ = writeln!(errors, "{start}{}: {} done", self.what, self.total);
        }
    }
}
