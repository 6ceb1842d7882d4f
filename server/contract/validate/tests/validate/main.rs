//! Tests of schemas and of the validation of requests and responses: one binary, a file per subject.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod headers;
mod json_schema_suite;
mod odd;
mod requests;
mod responses;
mod validate;

use countersign_contract_document::Document;

const CONTRACT: &str = include_str!("../../../tests/fixtures/contract.yaml");

/// The contract, with the name in the expected lines.
fn contract() -> Document {
    Document::load("openapi/sample.yaml", CONTRACT).unwrap()
}
