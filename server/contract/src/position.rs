//! Where something stands in the text of a document.

use std::fmt;

/// Where something stands in a text: line and column, both from 1, columns in characters. Zeros where there is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A place in the text of a document, as compilers write it: `openapi/a.yaml:12:5`. Of a document that was never text,
/// only the name is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceSpan {
    /// Name of the document.
    pub document: String,
    /// Line and column.
    pub position: Position,
}

impl fmt::Display for SourceSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.document)?;
        match self.position {
            Position { line: 0, .. } => Ok(()),
            Position { line, column } => write!(formatter, ":{line}:{column}"),
        }
    }
}
