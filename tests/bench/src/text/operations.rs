//! Tables of classes of operations.

use crate::errors::Errors;
use crate::measure::Measurement;
use crate::operation::Operation;
use crate::round_trips::RoundTrips;
use crate::table::{number, table};
use crate::target::megabytes;

pub(super) fn timing_table(measurements: &[Measurement]) -> String {
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
            error_counts(&measurement.errors),
        ]
    };
    let mut text = table(&headings, &measurements.iter().map(row).collect::<Vec<_>>());
    for measurement in measurements {
        text.push_str(&first_error(measurement.operation, &measurement.errors));
    }
    text
}

/// A line about the first error of a class, if there is one.
pub(super) fn first_error(operation: Operation, errors: &Errors) -> String {
    let line = |first: &String| format!("  first error of {}: {first}\n", operation.name());
    errors.first.as_ref().map(line).unwrap_or_default()
}

/// Such as `0` or `3×429 1×none`.
pub(super) fn error_counts(errors: &Errors) -> String {
    let each = errors.by_status.iter().map(|(status, count)| match status {
        0 => format!("{count}×none"),
        status => format!("{count}×{status}"),
    });
    let text = each.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "0".to_owned() } else { text }
}

pub(super) fn round_trip_table(counted: &[RoundTrips]) -> String {
    let row = |counted: &RoundTrips| {
        let RoundTrips { operation, round_trips, commits } = counted;
        let figures = [round_trips, commits].map(|of| [format!("{:.2}", of.average), of.least.to_string()]);
        [operation.name().to_owned()].into_iter().chain(figures.into_iter().flatten()).collect()
    };
    let headings = ["operation", "round trips", "least", "commits", "least"];
    table(&headings, &counted.iter().map(row).collect::<Vec<_>>())
}
