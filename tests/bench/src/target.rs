//! What the figures are held against.

use crate::measure::Measurement;
use crate::operation::Operation;
use crate::place::Kind;
use crate::report::OnDatabase;
use serde::Serialize;

const MEGABYTE: f64 = 1_000_000.0;
/// The connections that rates per second are promised for.
const PROMISED_AT: u32 = 16;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Parts of a hundred.
    Percent,
    /// Millions of bytes.
    Megabytes,
    /// In a second.
    PerSecond,
    /// Thousandths of a second.
    Milliseconds,
    /// Things.
    Count,
}

/// On which side of the limit a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Side {
    /// Not below.
    AtLeast,
    /// Not above.
    AtMost,
}

/// A figure and what it should be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Target {
    /// The database.
    pub(crate) database: Kind,
    /// The figure's name.
    pub(crate) figure: String,
    /// What it counts.
    pub(crate) unit: Unit,
    /// What it is.
    pub(crate) measured: f64,
    /// On which side of the limit it should be.
    pub(crate) side: Side,
    /// The limit.
    pub(crate) limit: f64,
    /// Whether it is there.
    pub(crate) is_met: bool,
    /// Whether the machine did the same while the figure's parts were measured; if not, the verdict proves nothing.
    pub(crate) is_steady: bool,
}

impl Target {
    fn new(database: Kind, figure: impl Into<String>, unit: Unit, measured: f64, side: Side, limit: f64) -> Self {
        let is_met = match side {
            Side::AtLeast => measured >= limit,
            Side::AtMost => measured <= limit,
        };
        Self { database, figure: figure.into(), unit, measured, side, limit, is_met, is_steady: true }
    }

    fn while_steady(self, is_steady: bool) -> Self {
        Self { is_steady, ..self }
    }
}

/// The targets of a run; those whose figures were not measured are left out.
pub(crate) fn of(run: &OnDatabase, connections: u32) -> Vec<Target> {
    let target =
        |figure: &str, unit, measured, side, limit| Target::new(run.database, figure, unit, measured, side, limit);
    let rate = |operation| find(&run.operations, operation).map(|found| found.per_second);
    let mut targets = Vec::new();
    // PostgreSQL shares the cores.
    let of_hashes = if run.database == Kind::Sqlite { 95.0 } else { 90.0 };
    let ratios = [
        (Operation::SignIn, "sign-in / argon2id limit of all cores", run.argon2, 1.0, of_hashes),
        (Operation::VerifyTotp, "verify-totp / commit limit of its transaction", run.commits, 1.0, 50.0),
        (Operation::GetSession, "get-session / plain dropshot", run.plain, 1.0, 50.0),
    ];
    for (operation, figure, best, uses, limit) in ratios {
        targets.extend(rate(operation).zip(best).map(|(rate, best)| {
            let ratio = rate * uses / best.mean * 100.0;
            target(figure, Unit::Percent, ratio, Side::AtLeast, limit).while_steady(best.is_steady())
        }));
    }
    if run.database == Kind::Postgres && connections == PROMISED_AT {
        for (operation, limit) in [(Operation::VerifyTotp, 1_850.0), (Operation::GetSession, 8_655.0)] {
            let at = |rate| target(operation.name(), Unit::PerSecond, rate, Side::AtLeast, limit);
            targets.extend(rate(operation).map(at));
        }
    }
    if let Some(flood) = &run.flood {
        let limits = [
            ("get-session", flood.get_session, 20.0),
            ("verify-totp", flood.verify_totp, 20.0),
            ("a sign-in that is shed", flood.shed, 50.0),
        ];
        targets.extend(limits.map(|(name, answered, limit)| {
            let measured = if answered.count > 0 { answered.latency.p99_ms } else { f64::NAN };
            target(&format!("{name} in a flood, p99"), Unit::Milliseconds, measured, Side::AtMost, limit)
        }));
        let without = flood.without_retry_after as f64;
        targets.push(target("shed without a time to try again", Unit::Count, without, Side::AtMost, 0.0));
    }
    targets.push(target("idle memory", Unit::Megabytes, megabytes(run.idle_bytes), Side::AtMost, 20.0));
    targets.push(target("loaded memory, at its peak", Unit::Megabytes, megabytes(run.peak_bytes), Side::AtMost, 90.0));
    targets.extend(growth(run));
    targets
}

/// What each operation costs more in the last size than in the first.
fn growth(run: &OnDatabase) -> Vec<Target> {
    let [first, .., last] = run.growth.as_slice() else { return Vec::new() };
    let grown = first.operations.iter().filter_map(|small| {
        let large = find(&last.operations, small.operation)?;
        let percent = (small.per_second / large.per_second - 1.0) * 100.0;
        let figure = format!("{}: cost of {} to {} users", small.operation.name(), first.users, last.users);
        Some(Target::new(run.database, figure, Unit::Percent, percent, Side::AtMost, 20.0))
    });
    grown.collect()
}

fn find(measurements: &[Measurement], operation: Operation) -> Option<&Measurement> {
    measurements.iter().find(|measurement| measurement.operation == operation && measurement.requests > 0)
}

/// Memory in units that are easy to read.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEGABYTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_on_its_limit_meets_it() {
        let is_met = |measured, side| Target::new(Kind::Sqlite, "x", Unit::Percent, measured, side, 50.0).is_met;
        assert!(is_met(50.0, Side::AtLeast) && is_met(50.0, Side::AtMost));
        assert!(!is_met(49.9, Side::AtLeast) && !is_met(50.1, Side::AtMost));
        assert!(!is_met(f64::NAN, Side::AtLeast), "what cannot be told is not met");
    }
}
