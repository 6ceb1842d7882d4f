//! What a long command does, for who watches it: on a terminal only.

use crate::clock::{Clock as _, SystemClock};
use countersign_domain::time::Timestamp;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

/// Time between two numbers on the terminal.
const OFTEN: Duration = Duration::from_millis(200);

/// Shows the steps of a command on standard error, each on one line with the part that is done.
pub struct Progress {
    is_shown: bool,
    step: &'static str,
    shown_at: Option<Timestamp>,
}

impl Progress {
    /// Shows nothing if standard error is no terminal.
    #[must_use]
    pub fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal(), step: "", shown_at: None }
    }

    /// Begins a step, which ends the one before.
    pub(super) fn step(&mut self, step: &'static str) {
        self.end();
        (self.step, self.shown_at) = (step, None);
        self.show("");
    }

    /// Says how much of the step is done.
    pub(super) fn at(&mut self, done: u64, all: u64) {
        let now = SystemClock.now();
        if self.is_shown && self.shown_at.is_none_or(|at| at.until(now) >= OFTEN) {
            self.shown_at = Some(now);
            let percent = (done.saturating_mul(100) / all.max(1)).min(99);
            self.show(&format!(" {percent} %"));
        }
    }

    fn show(&self, done: &str) {
        if self.is_shown {
            // A terminal that is gone is no reason to stop.
            let _ = write!(io::stderr(), "\r{}{done} ", self.step).and_then(|()| io::stderr().flush());
        }
    }

    /// Ends the last step.
    pub fn end(&mut self) {
        if self.is_shown && !self.step.is_empty() {
            let _ = writeln!(io::stderr(), "\r{} done ", self.step);
        }
        self.step = "";
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
