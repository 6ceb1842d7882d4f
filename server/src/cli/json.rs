//! Values as the command line prints them: ids with hyphens, times as RFC 3339 text.

use crate::clock::utc_text;
use countersign_domain::time::Timestamp;
use serde_json::Value;

pub(super) fn time(instant: Timestamp) -> Value {
    Value::String(utc_text(instant))
}

pub(super) fn maybe_time(instant: Option<Timestamp>) -> Value {
    instant.map_or(Value::Null, time)
}
