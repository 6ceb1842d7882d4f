//! The JSON Schema of a response body, for tests that validate raw responses.
//!
//! There is no fallback to a range or `default`: an undocumented status has no schema.

use crate::json_schema::{Extra, json_schema};
use countersign_contract_document::{Document, Node};
use serde_json::Value;

/// The schema of a response as self-contained JSON Schema (draft 2019-09). Undocumented properties are allowed. `None` if
/// the contract does not document such a response, or documents no content for it.
#[must_use]
pub fn response_schema(document: &Document, operation_id: &str, status: u16, media_type: &str) -> Option<Value> {
    Some(json_schema(&content(document, operation_id, status, media_type)?, Extra::Allowed).schema)
}

/// As [`response_schema`], but objects may only have documented properties, unless the contract documents none for them or
/// has `additionalProperties`.
#[must_use]
pub fn strict_response_schema(document: &Document, operation_id: &str, status: u16, media_type: &str) -> Option<Value> {
    Some(json_schema(&content(document, operation_id, status, media_type)?, Extra::Forbidden).schema)
}

fn response<'a>(document: &'a Document, operation_id: &str, status: u16) -> Option<Node<'a>> {
    let located = document.located().find(|located| located.operation["operationId"] == operation_id)?;
    let operation = Node::root(document).get("paths")?.get(located.path)?.get(located.method)?;
    operation.get("responses")?.follow(&status.to_string())
}

fn content<'a>(document: &'a Document, operation_id: &str, status: u16, media_type: &str) -> Option<Node<'a>> {
    response(document, operation_id, status)?.get("content")?.get(media_type)?.get("schema")
}
