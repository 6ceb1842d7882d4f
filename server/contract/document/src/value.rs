//! JSON values by what they mean.

use serde_json::Value;

/// Whether two values are equal, comparing numbers by value.
#[must_use]
pub fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_in = |(key, value)| other.get(key).is_some_and(|other| is_same_value(value, other));
            one.len() == other.len() && one.iter().all(is_in)
        }
        _ => plain_number(one) == plain_number(other),
    }
}

/// Whole numbers without a fraction, because schemars writes `3.0` for `3`.
#[must_use]
pub fn plain_number(value: &Value) -> Value {
    // Below this, f64 represents every whole number exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() <= EXACT => {
            format!("{number:.0}").parse::<i64>().map_or_else(|_| value.clone(), Value::from)
        }
        _ => value.clone(),
    }
}
