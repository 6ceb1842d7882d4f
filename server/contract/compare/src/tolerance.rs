//! Differences between contract and code that are ignored because dropshot or schemars makes them unavoidable.
//!
//! Each function removes one thing that dropshot or schemars generates whatever the types are. There is no list of known
//! differences: any other difference is fixed in the contract or in the code. `tests/compare/tolerance.rs` shows for
//! each that it is ignored, and that similar differences are not.
//!
//! Two more limits of dropshot are handled elsewhere: extensions carry media types and optional bodies
//! (`replies`), and security is not compared because dropshot generates none.

use serde_json::{Map, Value};

/// Whether a value is an optional property or parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// A required property or parameter, or another kind of value.
    Required,
    /// A property or parameter that neither contract nor code requires.
    Optional,
}

/// Removes `4XX` and `5XX`, which dropshot generates from the error type of every operation. Only for operations
/// whose `x-replies` list the actual statuses.
#[must_use]
pub fn without_error_ranges(mut responses: Map<String, Value>) -> Map<String, Value> {
    responses.remove("4XX");
    responses.remove("5XX");
    responses
}

/// Removes `nullable` from the code's schema of an optional property or parameter if the contract does not allow null,
/// because schemars makes every `Option<T>` nullable.
pub fn nullable_option(contract: &Map<String, Value>, code: &mut Map<String, Value>, presence: Presence) {
    if presence == Presence::Optional && !contract.contains_key("nullable") {
        code.remove("nullable");
    }
}

/// Removes `minimum: 0` from the code's schema of an unsigned integer if the contract has neither a minimum nor a
/// format, because schemars generates it for every `u8`, `u32` and so on.
pub fn unsigned_minimum(contract: &Map<String, Value>, code: &mut Map<String, Value>) {
    let is_unsigned = code.get("format").and_then(Value::as_str).is_some_and(|format| UNSIGNED.contains(&format));
    let is_open = !contract.contains_key("minimum") && !contract.contains_key("format");
    if is_number(contract) && is_unsigned && is_open && code.get("minimum") == Some(&Value::from(0)) {
        code.remove("minimum");
    }
}

/// Removes the `format` that schemars generates for every Rust number, if the contract has none.
pub fn number_format(contract: &Map<String, Value>, code: &mut Map<String, Value>) {
    let format = code.get("format").and_then(Value::as_str);
    let is_rust = format.is_some_and(|format| UNSIGNED.contains(&format) || SIGNED_AND_FLOAT.contains(&format));
    if is_number(contract) && is_rust && !contract.contains_key("format") {
        code.remove("format");
    }
}

/// The formats that schemars 0.8 gives unsigned integers.
const UNSIGNED: [&str; 6] = ["uint", "uint8", "uint16", "uint32", "uint64", "uint128"];

/// The formats that schemars 0.8 gives the other numbers.
const SIGNED_AND_FLOAT: [&str; 8] = ["int", "int8", "int16", "int32", "int64", "int128", "float", "double"];

fn is_number(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|name| name == "integer" || name == "number")
}
