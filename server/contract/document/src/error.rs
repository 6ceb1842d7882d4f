//! Errors of loading a document.
//!
//! Every message names the document and the position in it. Control characters of the document are escaped, as in reports.

use crate::position::SourceSpan;
use crate::visible::visible;

/// A document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not YAML or JSON.
    #[error("{}: not readable as YAML or JSON", visible(&span.to_string()))]
    Syntax {
        /// Position of the first error.
        span: SourceSpan,
        /// The parser's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The document can be parsed, but a part of it has the wrong type or value.
    #[error("{}", visible(&format!("{span}: {}: {problem}", shown(place))))]
    Shape {
        /// Position in the text.
        span: SourceSpan,
        /// JSON pointer or `METHOD /path`.
        place: String,
        /// What was found and what is expected.
        problem: String,
    },
    /// A `$ref` to nothing, to itself, or to another file where files cannot be read.
    #[error("{}", visible(&format!("{span}: {}: $ref `{reference}` {problem}", shown(place))))]
    Reference {
        /// Position in the text.
        span: SourceSpan,
        /// JSON pointer of the object that holds the `$ref`.
        place: String,
        /// The reference as written.
        reference: String,
        /// Why it cannot be resolved.
        problem: String,
    },
    /// A `$ref` to another file that cannot be read.
    #[error(
        "{}",
        visible(&format!("{span}: {}: $ref `{reference}` leads to a file that cannot be read", shown(place)))
    )]
    File {
        /// Position in the text.
        span: SourceSpan,
        /// JSON pointer of the object that holds the `$ref`.
        place: String,
        /// The reference as written.
        reference: String,
        /// Why it cannot be read.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two documents to be merged define the same key differently.
    #[error("cannot merge documents: both define `{place}`, with different content")]
    Clash {
        /// The key, e.g. `components/schemas/User`.
        place: String,
    },
}

/// The JSON pointer of the root is empty.
fn shown(place: &str) -> &str {
    if place.is_empty() { "the document" } else { place }
}

impl Error {
    /// Where the problem is, if it is in one document.
    #[must_use]
    pub fn span(&self) -> Option<&SourceSpan> {
        match self {
            Self::Syntax { span, .. }
            | Self::Shape { span, .. }
            | Self::Reference { span, .. }
            | Self::File { span, .. } => Some(span),
            Self::Clash { .. } => None,
        }
    }

    /// The message and its causes on one line, as a build script prints it.
    #[must_use]
    pub fn on_one_line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string().replace('\n', " "));
            cause = error.source();
        }
        line
    }
}
