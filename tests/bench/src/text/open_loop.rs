//! Tables of requests that were sent when they were due.

use super::operations::{error_counts, first_error};
use crate::flood::Flood;
use crate::mixed::{Mixed, Share};
use crate::open_loop::Answered;
use crate::table::{number, table};

pub(super) fn mixed_table(mixed: &Mixed) -> String {
    let row = |share: &Share| {
        let latency = share.answered.latency;
        let due = mixed.per_second * f64::from(share.percent) / 100.0;
        let figures = [due, share.answered.count as f64, latency.p50_ms, latency.p95_ms, latency.p99_ms].map(number);
        let name = [share.operation.name().to_owned(), share.percent.to_string()];
        name.into_iter().chain(figures).chain([error_counts(&share.errors)]).collect()
    };
    let headings = ["operation", "%", "due/s", "count", "p50 ms", "p95 ms", "p99 ms", "errors"];
    let mut text = table(&headings, &mixed.operations.iter().map(row).collect::<Vec<_>>());
    for share in &mixed.operations {
        text.push_str(&first_error(share.operation, &share.errors));
    }
    text
}

pub(super) fn flood_table(flood: &Flood) -> String {
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
