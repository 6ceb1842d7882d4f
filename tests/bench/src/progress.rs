//! What the terminal shows while nothing is printed: one line on standard error for each thing that takes long.

use crate::clock::Stopwatch;
use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// Says what is being done.
pub(crate) fn say(text: &str) {
    // Nobody may be looking.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Least time between two lines where standard error is not a terminal.
const INTERVAL: Duration = Duration::from_secs(10);

/// How far something is.
pub(crate) struct Progress {
    what: &'static str,
    total: u64,
    done: Cell<u64>,
    /// The last percentage that was shown, and when.
    shown: Cell<(u64, Stopwatch)>,
    begun: Stopwatch,
}

impl Progress {
    /// Nothing of `total` is done yet.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        let begun = Stopwatch::start();
        Self { what, total, done: Cell::new(0), shown: Cell::new((0, begun)), begun }
    }

    /// So much more is done.
    pub(crate) fn add(&self, count: u64) {
        self.done.set(self.done.get() + count);
        let (done, (shown, since)) = (self.done.get(), self.shown.get());
        let mut errors = std::io::stderr();
        // ECMA-48: what was there before is erased to the end of the line.
        let (start, end) = if errors.is_terminal() { ("\r\x1b[K", "") } else { ("", "\n") };
        if done >= self.total {
            let _ = writeln!(errors, "{start}{}: {} done", self.what, self.total);
            return;
        }
        let percent = done * 100 / self.total;
        if percent > shown && (errors.is_terminal() || since.elapsed() > INTERVAL) {
            let left = self.begun.elapsed().as_secs_f64() * (self.total as f64 / done as f64 - 1.0);
            let _ = write!(errors, "{start}{}: {percent} %, {left:.0} s left{end}", self.what);
            self.shown.set((percent, Stopwatch::start()));
        }
    }
}
