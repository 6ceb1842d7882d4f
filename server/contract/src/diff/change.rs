//! Data that all parts of the comparison share: the direction of a schema, its context, and one side of a change.

use crate::node::Node;
use serde_json::Value;

/// Which way a schema's values travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Request,
    Response,
}

impl Direction {
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// One side of a change: where, and the value in words if one value says it.
#[derive(Debug, Clone)]
pub(super) struct ChangeSide {
    pub(super) pointer: String,
    pub(super) value: Option<String>,
}

impl ChangeSide {
    pub(super) fn at_pointer(pointer: &str) -> Option<Self> {
        Some(Self { pointer: pointer.to_owned(), value: None })
    }

    pub(super) fn with_value(pointer: &str, value: impl Into<String>) -> Option<Self> {
        Some(Self { pointer: pointer.to_owned(), value: Some(value.into()) })
    }

    pub(super) fn at(at: &Node<'_>) -> Option<Self> {
        Self::at_pointer(&at.pointer)
    }

    pub(super) fn with_node_value(at: &Node<'_>) -> Option<Self> {
        Self::with_value(&at.pointer, abbreviated_json(at.value))
    }
}

/// What stands around a schema and changes what it means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct SchemaContext {
    /// Whether an alternative next to it takes any text, so that a list of texts is an open one.
    pub(super) any_text: bool,
    /// Whether it does not matter what the schema says about `null`.
    pub(super) null: bool,
}

/// A value in words: short ones as JSON, long ones cut.
pub(super) fn abbreviated_json(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
