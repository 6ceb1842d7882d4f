//! What the code may print although the contract does not say it.
//!
//! Each function is one thing that dropshot or schemars prints whatever the types say. There is no list of known
//! differences and none is to be added: a difference that is not one of these is fixed in the contract or in
//! the code. `tests/tolerance.rs` shows for each that it applies, and that its neighbours do not.
//!
//! Two more things are forced and are cured elsewhere: media types and optional bodies are said in extensions
//! ([`crate::replies`]), and security is not printed at all and so not compared.

use serde_json::{Map, Value};

/// Whether a value may be left out: an optional property or parameter, or anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The value is always there, or it is not a property or parameter.
    Required,
    /// A property or parameter that neither contract nor code requires.
    Optional,
}

/// Drops `4XX` and `5XX`, which dropshot prints for the error type of every operation. Only for operations
/// whose `x-replies` list the real statuses.
#[must_use]
pub fn without_error_ranges(mut responses: Map<String, Value>) -> Map<String, Value> {
    responses.remove("4XX");
    responses.remove("5XX");
    responses
}

/// Drops `nullable` from what the code prints for an optional property or parameter, if the contract does not
/// allow null: schemars prints every `Option<T>` as nullable.
pub fn nullable_option(contract: &Map<String, Value>, code: &mut Map<String, Value>, presence: Presence) {
    if presence == Presence::Optional && !contract.contains_key("nullable") {
        code.remove("nullable");
    }
}

/// Drops `minimum: 0` from what the code prints for an unsigned integer, if the contract gives neither a minimum
/// nor a format: schemars prints it for every `u8`, `u32` and so on.
pub fn unsigned_minimum(contract: &Map<String, Value>, code: &mut Map<String, Value>) {
    let is_unsigned = code.get("format").and_then(Value::as_str).is_some_and(|format| UNSIGNED.contains(&format));
    let is_open = !contract.contains_key("minimum") && !contract.contains_key("format");
    if is_number(contract) && is_unsigned && is_open && code.get("minimum") == Some(&Value::from(0)) {
        code.remove("minimum");
    }
}

/// Drops the `format` that schemars prints for every Rust number, if the contract gives no format.
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
