//! Positions in the text of a document.

use std::fmt;

/// Line and column, both from 1. Both are 0 for a document that was not read from text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Where a value begins in the text of a document. Displayed as compilers do: `openapi/a.yaml:12:5`, or only the name of a
/// document that was not read from text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceSpan {
    /// Name of the document.
    pub document: String,
    /// Line and column in it.
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
