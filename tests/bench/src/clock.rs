//! Where time and randomness come from: the only module that asks the machine for either.

use countersign_domain::time::Timestamp;
use rand_core::CryptoRng;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time of day, as codes and rows are made with it.
#[expect(clippy::disallowed_methods, reason = "codes have to be right in the server's time, which is the machine's")]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// How late timers of the runtime go off by design.
const TIMER_RESOLUTION: Duration = Duration::from_millis(1);

/// Measures how long something takes, unmoved by corrections of the machine's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts one.
    #[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// One for what a timer was to begin at `due`: it runs since then, apart from the timer's own resolution.
    #[expect(clippy::disallowed_methods, reason = "measuring time is what this program is for")]
    pub(crate) fn since(due: tokio::time::Instant) -> Self {
        Self(Instant::now().min(due.into_std() + TIMER_RESOLUTION))
    }

    /// How long it has been running.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Lends the operating system's randomness, through a generator that is seeded from it.
#[expect(clippy::disallowed_methods, reason = "tokens and secrets have to look like the server's own")]
pub(crate) fn with_random<T>(use_it: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
    use_it(&mut rand::rng())
}
