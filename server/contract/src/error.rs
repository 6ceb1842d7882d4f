//! What can be wrong with a document before anything is compared.
//!
//! Every message names the document and the place in it. A difference between contract and code is not an
//! error: see [`crate::Difference`].

use crate::position::SourceSpan;

/// A document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not YAML or JSON.
    #[error("{span}: not readable as YAML or JSON")]
    Syntax {
        /// The first offence.
        span: SourceSpan,
        /// What the parser says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The document is readable, but a part of it has the wrong shape.
    #[error("{span}: {place}: {problem}")]
    Shape {
        /// Where in the text.
        span: SourceSpan,
        /// Where, as a JSON pointer or as `METHOD /path`.
        place: String,
        /// What is wrong, and what is expected.
        problem: String,
    },
    /// A `$ref` that names nothing, only itself, or another file where none can be had.
    #[error("{span}: {place}: $ref `{reference}` {problem}")]
    Reference {
        /// Where in the text.
        span: SourceSpan,
        /// JSON pointer of the object that holds the `$ref`.
        place: String,
        /// The reference as written.
        reference: String,
        /// Why it cannot be followed.
        problem: &'static str,
    },
    /// A `$ref` to another file that cannot be read.
    #[error("{span}: {place}: $ref `{reference}` leads to a file that cannot be read")]
    File {
        /// Where in the text.
        span: SourceSpan,
        /// JSON pointer of the object that holds the `$ref`.
        place: String,
        /// The reference as written.
        reference: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Two documents that are to become one give different content for the same key.
    #[error("cannot merge documents: both define `{place}`, with different content")]
    Clash {
        /// What both define, e.g. `components/schemas/User`.
        place: String,
    },
}

impl Error {
    /// The message with its causes, on one line: what a build script prints.
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
