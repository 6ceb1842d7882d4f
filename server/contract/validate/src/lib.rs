//! What is valid by a document: its schemas as JSON Schema, and requests and responses held to them.
//!
//! | task | modules |
//! |---|---|
//! | validate a request or a response | `validator` |
//! | get the schema of a response as JSON Schema | `response`, [`mod@json_schema`] |
//! | values that are valid or not | [`mod@formats`], [`mod@pattern`] |
#![warn(missing_docs)]

pub mod formats;
pub mod json_schema;
pub mod pattern;
mod response;
mod validator;

pub use response::{response_schema, strict_response_schema};
pub use validator::{
    ActualRequest, Deviation, OperationRef, REQUEST_RULES, RULES, RequestValidator, ResponseValidator, is_json,
    is_standard_header, nearest, response,
};
