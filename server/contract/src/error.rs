//! What can be wrong with a document before anything is compared.
//!
//! Every message names the document and the place in it. A difference between contract and code is not an
//! error: see [`crate::Difference`].

/// A document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not YAML or JSON, or gives the same key twice.
    #[error("{document}:{line}:{column}: not readable as YAML or JSON")]
    Syntax {
        /// Name of the document.
        document: String,
        /// Line of the first offence, from 1; 0 if the parser does not say.
        line: usize,
        /// Column of the first offence, from 1; 0 if the parser does not say.
        column: usize,
        /// What the parser says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The document is readable, but a part of it has the wrong shape.
    #[error("{document}: {place}: {problem}")]
    Shape {
        /// Name of the document.
        document: String,
        /// Where, as a JSON pointer or as `METHOD /path`.
        place: String,
        /// What is wrong, and what is expected.
        problem: String,
    },
    /// A `$ref` that names nothing in the document, another document, or only itself.
    #[error("{document}: {place}: $ref `{reference}` {problem}")]
    Reference {
        /// Name of the document.
        document: String,
        /// JSON pointer of the object that holds the `$ref`.
        place: String,
        /// The reference as written.
        reference: String,
        /// Why it cannot be followed.
        problem: &'static str,
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
