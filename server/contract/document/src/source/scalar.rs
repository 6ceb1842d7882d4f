//! Plain scalars of YAML.

use serde_json::{Number, Value};

/// Resolves a plain scalar by the core schema (YAML 1.2.2, section 10.3.2); `None` for a number that JSON cannot represent.
pub(super) fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(true.into()),
        "false" | "False" | "FALSE" => return Some(false.into()),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return u64::from_str_radix(digits, 16).ok().map(Into::into).or_else(|| Some(text.into()));
    }
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
        return u64::from_str_radix(digits, 8).ok().map(Into::into).or_else(|| Some(text.into()));
    }
    let is_number = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && unsigned.bytes().any(|byte| byte.is_ascii_digit());
    if !is_number {
        return Some(text.into());
    }
    let integer = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = integer.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = integer.parse::<u64>() {
        return Some(number.into());
    }
    match text.parse::<f64>() {
        Ok(number) => Number::from_f64(number).map(Value::Number),
        // `1.2.3` and `2026-01-01` are strings.
        Err(_) => Some(text.into()),
    }
}
