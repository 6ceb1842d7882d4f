//! Everything that was measured, and how it is told.

use crate::flood::{Answered, Flood};
use crate::limits::Limit;
use crate::measure::Measurement;
use crate::place::Kind;
use crate::table::{number, table};
use crate::target::{Side, Target, Unit, megabytes};
use serde::Serialize;
use std::fmt::Write as _;

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
    /// What others notice of a flood, if there was one.
    pub(crate) flood: Option<Flood>,
    /// The operations among more and more users.
    pub(crate) growth: Vec<Grown>,
}

/// The operations among so many users.
#[derive(Debug, Serialize)]
pub(crate) struct Grown {
    /// Users in the database.
    pub(crate) users: u64,
    /// The operations.
    pub(crate) operations: Vec<Measurement>,
}

impl Report {
    /// Requests that were not answered as they should be.
    pub(crate) fn errors(&self) -> u64 {
        let of_floods = self.databases.iter().filter_map(|run| run.flood.as_ref());
        let of_floods: usize = of_floods.map(|flood| flood.others_failed + flood.failed).sum();
        let timed: u64 = self.measurements().map(|measurement| measurement.errors.count()).sum();
        timed + u64::try_from(of_floods).unwrap_or(u64::MAX)
    }

    fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        let ordinary = self.databases.iter().flat_map(|run| &run.operations);
        let grown = self.databases.iter().flat_map(|run| &run.growth).flat_map(|grown| &grown.operations);
        ordinary.chain(grown)
    }

    /// All of it, as text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = self.head();
        for run in &self.databases {
            let title = format!("{}, {} users enrolled over HTTP", run.database, self.settings.users);
            text.push_str(&section(&title, &operations(&run.operations)));
            if let Some(flood) = &run.flood {
                let title =
                    format!("{}, {} sign-ins of strangers arrive in a second", run.database, number(flood.per_second));
                text.push_str(&section(&title, &flooded(flood)));
            }
            for grown in &run.growth {
                let title = format!("{}, {} users in the database", run.database, number_of(grown.users));
                text.push_str(&section(&title, &operations(&grown.operations)));
            }
        }
        text.push_str(&section("Limits of this machine", &self.limits()));
        text.push_str(&section("Targets", &targets(&self.targets)));
        let missed = self.targets.iter().filter(|target| !target.is_met).count();
        let (of, errors) = (self.targets.len(), self.errors());
        let unsteady = self.targets.iter().filter(|target| !target.is_steady).count();
        if unsteady > 0 {
            text.push_str(
                "  NOTE: the machine did more or less from one minute to the next; UNSTEADY verdicts prove nothing\n",
            );
        }
        text.push_str(&format!(
            "\n{} of {of} targets met, {missed} missed, {unsteady} of these verdicts unsteady, {errors} requests failed\n",
            of - missed
        ));
        text
    }

    fn head(&self) -> String {
        let Machine { cores, load_before, is_debug_build, .. } = &self.machine;
        let Settings { connections, seconds, server, .. } = &self.settings;
        let mut text = format!("{cores} cores, {connections} connections, {seconds} s for each class\n");
        for (name, value) in server {
            text.push_str(&format!("{name}={value}\n"));
        }
        if let Some(load) = load_before.filter(|load| *load > 0.5) {
            text.push_str(&format!("NOTE: the machine was busy before (load {load:.2}); figures are too low\n"));
        }
        if *is_debug_build {
            text.push_str("NOTE: this is a debug build; figures mean nothing\n");
        }
        text
    }

    fn limits(&self) -> String {
        let mut rows = Vec::new();
        for run in &self.databases {
            let limits = [
                ("argon2id hashes on all cores, around sign-in", run.argon2),
                ("commits of one changed row, around verify-totp", run.commits),
                ("requests to plain dropshot, around get-session", run.plain),
            ];
            for (name, limit) in limits {
                let Some(limit) = limit else { continue };
                let steady = if limit.is_steady() { "" } else { "UNSTEADY" };
                let figures = [number(limit.mean), number(limit.least), number(limit.most), steady.to_owned()];
                rows.push([name.to_owned(), run.database.to_string()].into_iter().chain(figures).collect());
            }
        }
        let mut text = table(&["limit", "database", "/s", "least", "most", ""], &rows);
        for cpu in self.databases.iter().filter_map(|run| run.plain_cpu_ms) {
            text.push_str(&format!("  CPU of a request to plain dropshot: {cpu:.3} ms\n"));
        }
        for run in &self.databases {
            for doubt in &run.doubts {
                text.push_str(&format!("  NOTE: on {}, {doubt}; figures about writing are too good\n", run.database));
            }
        }
        text
    }
}

fn section(title: &str, content: &str) -> String {
    format!("\n{title}\n\n{content}")
}

fn flooded(flood: &Flood) -> String {
    let row = |name: &str, answered: Answered| {
        let latency = answered.latency;
        let figures = [latency.p50_ms, latency.p95_ms, latency.p99_ms].map(number);
        [name.to_owned(), number(answered.count as f64)].into_iter().chain(figures).collect()
    };
    let rows = [
        row("get-session of others", flood.get_session),
        row("verify-totp of others", flood.verify_totp),
        row("sign-ins that were shed", flood.shed),
        row("sign-ins that were judged", flood.judged),
    ];
    let mut text = table(&["requests", "count", "p50 ms", "p95 ms", "p99 ms"], &rows);
    let Flood { others_failed, failed, without_retry_after, .. } = flood;
    text.push_str(&format!(
        "  failed: {others_failed} of others, {failed} sign-ins; {without_retry_after} were shed without a time to try again\n"
    ));
    text
}

fn operations(measurements: &[Measurement]) -> String {
    let headings = [
        "operation",
        "/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "server CPU ms",
        "database CPU ms",
        "client CPU %",
        "RSS MB",
        "peak MB",
        "errors",
    ];
    let row = |measurement: &Measurement| {
        let latency = measurement.latency;
        vec![
            measurement.operation.name().to_owned(),
            number(measurement.per_second),
            number(latency.p50_ms),
            number(latency.p95_ms),
            number(latency.p99_ms),
            format!("{:.3}", measurement.server_cpu_ms),
            measurement.database_cpu_ms.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.3}")),
            format!("{:.0}", measurement.client_cpu_share * 100.0),
            number(megabytes(measurement.resident_bytes)),
            number(megabytes(measurement.peak_bytes)),
            errors(measurement),
        ]
    };
    let mut text = table(&headings, &measurements.iter().map(row).collect::<Vec<_>>());
    for measurement in measurements {
        if let Some(first) = &measurement.errors.first {
            writeln!(text, "  first error of {}: {first}", measurement.operation.name())
                .expect("writing to a string cannot fail");
        }
    }
    text
}

/// Such as `0` or `3×429 1×none`.
fn errors(measurement: &Measurement) -> String {
    let each = measurement.errors.by_status.iter().map(|(status, count)| match status {
        0 => format!("{count}×none"),
        status => format!("{count}×{status}"),
    });
    let text = each.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "0".to_owned() } else { text }
}

fn targets(targets: &[Target]) -> String {
    let row = |target: &Target| {
        let unit = match target.unit {
            Unit::Percent => " %",
            Unit::Megabytes => " MB",
            Unit::PerSecond => "/s",
            Unit::Milliseconds => " ms",
            Unit::Count => "",
        };
        let side = match target.side {
            Side::AtLeast => "≥",
            Side::AtMost => "≤",
        };
        vec![
            target.figure.clone(),
            target.database.to_string(),
            format!("{}{unit}", number(target.measured)),
            format!("{side} {}{unit}", plain_number(target.limit)),
            format!(
                "{}{}",
                if target.is_met { "met" } else { "MISSED" },
                if target.is_steady { "" } else { ", UNSTEADY" }
            ),
        ]
    };
    table(&["figure", "database", "measured", "target", ""], &targets.iter().map(row).collect::<Vec<_>>())
}

/// Targets are whole numbers.
fn plain_number(value: f64) -> String {
    if value < 100.0 { format!("{value:.0}") } else { number(value) }
}

fn number_of(users: u64) -> String {
    number(users as f64)
}
