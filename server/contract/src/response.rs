//! What a contract promises about one answer: the schema of its body.
//!
//! For tests that validate raw answers. An operation, status or media type that the contract does not document gives
//! `None` or nothing; there is no falling back to another status.

use crate::document::Document;
use crate::json_schema::{Extra, json_schema};
use crate::node::Node;
use serde_json::Value;

/// The schema of an answer as JSON Schema (draft 2019-09), complete in itself. Properties that the contract does not
/// name are allowed. `None` if the contract does not document such an answer, or one without content.
#[must_use]
pub fn response_schema(document: &Document, operation_id: &str, status: u16, media_type: &str) -> Option<Value> {
    Some(json_schema(&content(document, operation_id, status, media_type)?, Extra::Allowed).schema)
}

/// As [`response_schema`], but each object may have only the properties that the contract names for it, unless the
/// contract names none or speaks of `additionalProperties`.
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
