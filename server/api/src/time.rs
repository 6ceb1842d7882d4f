//! Times on the wire, for dialects that write them as text.

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A time on the wire: RFC 3339 in UTC, with exactly three fractional digits and `Z`.
///
/// Three, because clients of Better Auth read the fraction as a number of milliseconds, however many digits it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WireTime(i64);

impl WireTime {
    /// 0000-01-01T00:00:00.000Z: earlier years have a sign, which the format does not allow.
    const FIRST: i64 = -62_167_219_200_000;
    /// 9999-12-31T23:59:59.999Z: later years have five digits, which the format does not allow.
    const LAST: i64 = 253_402_300_799_999;

    /// The time this many milliseconds after 1970-01-01T00:00:00Z. Times that the format cannot express become the
    /// nearest that it can.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::FIRST, Self::LAST))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }
}

impl fmt::Display for WireTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(self.0).expect("clamped to what can be written");
        formatter.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(de::Error::custom)?;
        Ok(Self::from_millis(time.timestamp_millis()))
    }
}

impl JsonSchema for WireTime {
    fn schema_name() -> String {
        "WireTime".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let format = Some("date-time".to_owned());
        SchemaObject { instance_type: Some(InstanceType::String.into()), format, ..SchemaObject::default() }.into()
    }
}

/// A required, nullable time. The derived schema of an `Option` would be optional instead.
pub(crate) fn nullable_time(generator: &mut SchemaGenerator) -> Schema {
    Option::<WireTime>::json_schema(generator)
}

#[cfg(test)]
mod tests {
    use super::WireTime;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn times_have_three_digits_whatever_they_are() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_167_000_120, "2026-11-20T09:30:00.120Z"),
            (WireTime::FIRST, "0000-01-01T00:00:00.000Z"),
            (WireTime::LAST, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            let time = WireTime::from_millis(millis);
            assert_eq!(to_value(time).expect("text"), json!(text));
            assert_eq!(from_value::<WireTime>(json!(text)).expect("a time"), time);
        }
    }
}
