//! Data that all parts of the comparison share: the direction of a schema, its context, and one side of a change.

use countersign_contract_document::Node;
use countersign_contract_finding::abbreviated;
use serde_json::Value;

/// Whether values of a schema are sent in requests or in responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Request,
    Response,
}

impl Direction {
    /// Prefix of the ids of rules about schemas.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// One side of a change: its JSON pointer, and its value if the change is one of a single value.
///
/// The constructors return an `Option` because that is what reports take: `None` means that the side does not exist.
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
        Self::with_value(&at.pointer, at.value.to_string())
    }
}

/// Surroundings of a schema that affect its comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct SchemaContext {
    /// Whether a sibling alternative accepts any string, so that an enum of strings is an open one.
    pub(super) any_text: bool,
    /// Whether to ignore changes of `nullable`, because they have no effect here.
    pub(super) null: bool,
}

/// A value as JSON, cut after 80 characters, for a message.
pub(super) fn abbreviated_json(value: &Value) -> String {
    abbreviated(&value.to_string()).into_owned()
}
