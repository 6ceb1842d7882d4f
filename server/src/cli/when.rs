//! Points in time on the command line.

use chrono::{DateTime, NaiveDate};
use countersign_domain::time::Timestamp;
use std::time::Duration;

const SECOND: u64 = 1;
const DAY: u64 = 24 * 60 * 60;

/// An instant as it is written: absolute, or so long before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    Ago(Duration),
}

impl When {
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Ago(duration) => now - duration,
        }
    }
}

/// Reads `2026-03-01T12:00:00Z` (RFC 3339), `2026-03-01` (its begin in UTC) or `36h` (so long ago).
pub(super) fn parse(text: &str) -> Result<When, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::At(Timestamp::from_millis(instant.timestamp_millis())));
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
        return Ok(When::At(Timestamp::from_millis(midnight.timestamp_millis())));
    }
    let units = [("s", SECOND), ("m", 60), ("h", 60 * 60), ("d", DAY), ("w", 7 * DAY)];
    let ago = units.into_iter().find_map(|(unit, seconds)| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_secs(count.checked_mul(seconds)?))
    });
    ago.map(When::Ago).ok_or_else(|| {
        "expected a time such as 2026-03-01T12:00:00Z, a day such as 2026-03-01, or 36h for so long ago".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_relative_times() {
        let at = |millis| Ok(When::At(Timestamp::from_millis(millis)));
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), at(1_500));
        assert_eq!(parse("1970-01-01T01:00:00+01:00"), at(0));
        assert_eq!(parse("1970-01-02"), at(86_400_000));
        assert_eq!(parse("90m"), Ok(When::Ago(Duration::from_secs(5_400))));
        assert_eq!(
            parse("2w").map(|when| when.at(Timestamp::from_millis(1_209_600_001))),
            Ok(Timestamp::from_millis(1))
        );
        for bad in ["", "h", "-1h", "1.5h", "1970-13-01", "yesterday", "99999999999999999w"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
