//! Tests of lint: each rule by examples, and any document.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod lint;
mod lint_any;

use countersign_contract_document::Document;

const CONTRACT: &str = include_str!("../../../tests/fixtures/contract.yaml");

/// The contract, with the name in the expected lines.
fn contract() -> Document {
    Document::load("openapi/sample.yaml", CONTRACT).unwrap()
}
