//! What the tools say about documents: a rule, where it applies, and what was found there.

use crate::position::SourceSpan;
use serde::Serialize;
use std::fmt;

/// What a finding means for those who rely on the document. From harmless to harmful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Words changed, and nothing that a program reads.
    Documentation,
    /// Nothing that worked stops working.
    Compatible,
    /// Some that worked may stop working: it depends on how they were written or generated.
    Risky,
    /// Something that kept to the document stops working.
    Breaking,
    /// The document is usable, but somebody will be surprised.
    Warning,
    /// The document contradicts itself, OpenAPI, or what was seen.
    Error,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Documentation => "documentation",
            Self::Compatible => "compatible",
            Self::Risky => "risky",
            Self::Breaking => "breaking",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A rule that findings cite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name, for machines and for `countersign contract explain`: lower case, words joined by hyphens.
    pub id: &'static str,
    /// What a finding of it means.
    pub verdict: Verdict,
    /// What it finds, in one sentence.
    pub what: &'static str,
    /// Whom that hurts or why it does not, and what to do instead, where there is something to do.
    pub why: &'static str,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// The verdict of the rule, unless the user of the tool chose another one for it.
    pub verdict: Verdict,
    /// The operations that it is about, as `GET /users/{id}`, in the order of the document; empty if it is about the
    /// document as a whole.
    pub operations: Vec<String>,
    /// What in the operation or the document it is about, in words, from the outside in: `request body › password`.
    pub place: String,
    /// What is the matter, in a sentence without a full stop.
    pub message: String,
    /// Where to look first.
    pub span: SourceSpan,
    /// What was there before, for findings about a change; `None` for something new.
    pub old: Option<Side>,
    /// What is there now; `None` for something that is gone.
    pub new: Option<Side>,
}

/// One side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Where it stands.
    pub span: SourceSpan,
    /// JSON pointer (RFC 6901) into the document.
    pub pointer: String,
    /// The value there, if one value says it: `64`, `"string"`.
    pub value: Option<String>,
}
