//! Everything that was measured.

use crate::flood::Flood;
use crate::growth::Grown;
use crate::limits::Limit;
use crate::measure::Measurement;
use crate::mixed::Mixed;
use crate::place::Kind;
use crate::round_trips::RoundTrips;
use crate::target::Target;
use serde::Serialize;

/// A run of this program.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The machine.
    pub(crate) machine: Machine,
    /// How the operations were timed.
    pub(crate) settings: Settings,
    /// What came of it on each database.
    pub(crate) databases: Vec<OnDatabase>,
    /// What the figures are held against.
    pub(crate) targets: Vec<Target>,
}

/// The machine, and what it was doing.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// Cores.
    pub(crate) cores: usize,
    /// Processes that wanted to run in the minute before, on average.
    pub(crate) load_before: Option<f64>,
    /// Whether this program was compiled without optimisation; then its figures mean nothing.
    pub(crate) is_debug_build: bool,
}

/// How the operations were timed.
#[derive(Debug, Serialize)]
pub(crate) struct Settings {
    /// Users enrolled over HTTP.
    pub(crate) users: u32,
    /// Connections that sent at once.
    pub(crate) connections: u32,
    /// Seconds for each class.
    pub(crate) seconds: u32,
    /// Settings of the server that differ from its defaults.
    pub(crate) server: Vec<(String, String)>,
}

/// What came of a run on one database.
#[derive(Debug, Serialize)]
pub(crate) struct OnDatabase {
    /// The database.
    pub(crate) database: Kind,
    /// Why commits may be cheaper than they should be.
    pub(crate) doubts: Vec<String>,
    /// Argon2id hashes on all cores, around sign-in.
    pub(crate) argon2: Option<Limit>,
    /// Commits of one row, around verify-totp.
    pub(crate) commits: Option<Limit>,
    /// Requests to a dropshot server with nothing behind it, around get-session.
    pub(crate) plain: Option<Limit>,
    /// That server's CPU time for a request.
    pub(crate) plain_cpu_ms: Option<f64>,
    /// The server's memory before its first request.
    pub(crate) idle_bytes: u64,
    /// The most memory it held in any class of operations.
    pub(crate) peak_bytes: u64,
    /// The operations.
    pub(crate) operations: Vec<Measurement>,
    /// All kinds of requests at once, if that was asked for.
    pub(crate) mixed: Option<Mixed>,
    /// What others notice of a flood, if there was one.
    pub(crate) flood: Option<Flood>,
    /// How often each class waits for the database; none on SQLite, which is part of the server.
    pub(crate) round_trips: Vec<RoundTrips>,
    /// The operations among more and more users.
    pub(crate) growth: Vec<Grown>,
    /// Phases that failed after the operations were timed.
    pub(crate) failures: Vec<String>,
}

impl Report {
    /// Requests that were not answered as they should be, and phases that failed.
    pub(crate) fn errors(&self) -> u64 {
        let of_floods = self.databases.iter().filter_map(|run| run.flood.as_ref());
        let of_floods: usize = of_floods.map(|flood| flood.others_failed + flood.failed).sum();
        let of_mixed = self.databases.iter().filter_map(|run| run.mixed.as_ref()).flat_map(|mixed| &mixed.operations);
        let of_mixed: u64 = of_mixed.map(|share| share.errors.count()).sum();
        let failures: usize = self.databases.iter().map(|run| run.failures.len()).sum();
        let timed: u64 = self.measurements().map(|measurement| measurement.errors.count()).sum();
        timed + of_mixed + u64::try_from(of_floods + failures).unwrap_or(u64::MAX)
    }

    fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        let ordinary = self.databases.iter().flat_map(|run| &run.operations);
        let grown = self.databases.iter().flat_map(|run| &run.growth).flat_map(|grown| &grown.operations);
        ordinary.chain(grown)
    }
}
