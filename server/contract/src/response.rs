//! What a contract promises about one answer: the schema of its body, the names of its headers.
//!
//! For tests that validate raw answers. An operation, status or media type that the contract does not document gives
//! `None` or nothing; there is no falling back to another status.

use crate::document::Document;
use crate::json_schema::{Extra, json_schema};
use serde_json::Value;

/// The schema of an answer as JSON Schema (draft 2019-09), complete in itself. Properties that the contract does not
/// name are allowed. `None` if the contract does not document such an answer, or one without content.
#[must_use]
pub fn response_schema(document: &Document, operation_id: &str, status: u16, media_type: &str) -> Option<Value> {
    Some(json_schema(document, content(document, operation_id, status, media_type)?, Extra::Allowed))
}

/// As [`response_schema`], but each object may have only the properties that the contract names for it, unless the
/// contract names none or speaks of `additionalProperties`.
#[must_use]
pub fn strict_response_schema(document: &Document, operation_id: &str, status: u16, media_type: &str) -> Option<Value> {
    Some(json_schema(document, content(document, operation_id, status, media_type)?, Extra::Forbidden))
}

/// The headers that the contract documents for an answer: name in lower case, and whether every such answer has it.
#[must_use]
pub fn response_headers(document: &Document, operation_id: &str, status: u16) -> Vec<(String, bool)> {
    let Some(response) = response(document, operation_id, status) else { return Vec::new() };
    let headers = response["headers"].as_object().into_iter().flatten();
    headers.map(|(name, header)| (name.to_ascii_lowercase(), document.resolve(header)["required"] == true)).collect()
}

fn response<'a>(document: &'a Document, operation_id: &str, status: u16) -> Option<&'a Value> {
    let operation = document.find(operation_id)?;
    operation["responses"].get(status.to_string()).map(|response| document.resolve(response))
}

fn content<'a>(document: &'a Document, operation_id: &str, status: u16, media_type: &str) -> Option<&'a Value> {
    response(document, operation_id, status)?["content"].get(media_type)?.get("schema")
}
