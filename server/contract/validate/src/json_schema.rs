//! Translates schemas into JSON Schema 2020-12 for a validator.
//!
//! `$ref`s become definitions, `nullable` becomes an alternative, boolean exclusive bounds become numbers, write-only
//! properties are not required in responses and read-only ones not in requests, and unknown keywords are removed. To forbid undocumented
//! properties, each object schema gets `unevaluatedProperties: false`, except the parts of an `allOf`, because these
//! describe the same object together.
//!
//! Each schema contains the JSON pointer of its source ([`PLACE`]), so that an error can be traced back.

mod about;
mod objects;
mod writer;

use about::About;
use countersign_contract_document::Node;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use writer::Writer;

/// The keyword for the JSON pointer of a schema in its OpenAPI document. Validators ignore it.
pub const PLACE: &str = "x-place";

/// Whether undocumented properties are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extra {
    /// They are valid.
    Allowed,
    /// They are not valid.
    Forbidden,
}

/// Most definitions of a schema for an example; the validator recurses through chains of definitions.
const MOST_DEFINITIONS: usize = 200;

/// The flag of properties that requests do not have.
pub const REQUESTS: &str = "readOnly";
/// The flag of properties that responses do not have.
const RESPONSES: &str = "writeOnly";

/// A schema translated into JSON Schema.
pub struct Translated {
    /// The schema with its definitions.
    pub schema: Value,
    /// Whether it refers to itself for the same value, so that validation would not terminate.
    pub is_endless: bool,
}

/// Translates a schema of a document, with its definitions.
pub fn json_schema(schema: &Node<'_>, extra: Extra) -> Translated {
    Writer::new(extra, RESPONSES, None).complete(std::slice::from_ref(schema))
}

/// As [`json_schema`], for values in requests.
pub fn json_schema_of_request(schema: &Node<'_>, extra: Extra) -> Translated {
    Writer::new(extra, REQUESTS, None).complete(std::slice::from_ref(schema))
}

/// Translates the part of a schema that applies to a value, which is much smaller if many schemas refer to each other.
/// `None` if it has more than `MOST_DEFINITIONS` definitions.
pub fn json_schema_for(schema: &Node<'_>, value: &Value) -> Option<Translated> {
    json_schema_of_parts(std::slice::from_ref(schema), std::slice::from_ref(value), Extra::Allowed, RESPONSES)
}

/// Translates schemas that all describe the same value, as far as they apply to some values. Properties with the flag
/// `one_way` (`readOnly` in requests, `writeOnly` in responses) are not required. `None` for more than `MOST_DEFINITIONS`
/// definitions.
pub fn json_schema_of_parts(
    parts: &[Node<'_>],
    values: &[Value],
    extra: Extra,
    one_way: &'static str,
) -> Option<Translated> {
    let mut writer = Writer::new(extra, one_way, Some(About::new(values)));
    let complete = writer.complete(parts);
    (writer.definitions() <= MOST_DEFINITIONS).then_some(complete)
}

/// A validator for a JSON Schema, which also validates formats.
///
/// All crates have it from here: the library is generic, and each crate that calls it directly gets a copy of its code.
///
/// # Errors
/// Why the schema cannot be used.
pub fn compile(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options().should_validate_formats(true).build(schema)
}

/// The same; the format `byte` is Base64, which other schemas may leave to their readers.
///
/// # Errors
/// Why the schema cannot be used.
pub fn compile_with_base64(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let options = jsonschema::options().should_validate_formats(true);
    options.with_format("byte", crate::formats::is_base64).build(schema)
}
