//! Tables of classes of operations.

use crate::measure::Measurement;
use crate::round_trips::RoundTrips;
use crate::table::{number, table};
use crate::target::megabytes;
use std::fmt::Write as _;

pub(super) fn timed(measurements: &[Measurement]) -> String {
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

pub(super) fn counted(counted: &[RoundTrips]) -> String {
    let row = |counted: &RoundTrips| {
        let RoundTrips { operation, round_trips, commits } = counted;
        let figures = [round_trips, commits].map(|of| [format!("{:.2}", of.average), of.least.to_string()]);
        [operation.name().to_owned()].into_iter().chain(figures.into_iter().flatten()).collect()
    };
    let headings = ["operation", "round trips", "least", "commits", "least"];
    table(&headings, &counted.iter().map(row).collect::<Vec<_>>())
}
