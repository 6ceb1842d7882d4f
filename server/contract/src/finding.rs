//! Findings of the tools, and the rules that they refer to.

use crate::position::SourceSpan;
use serde::Serialize;
use std::fmt;

/// What a finding means for users of the document, from harmless to harmful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Only text for people changed.
    Documentation,
    /// Existing clients keep working.
    Compatible,
    /// Some existing clients may stop working, depending on how they were written or generated.
    Risky,
    /// Clients that follow the document stop working.
    Breaking,
    /// The document is usable but likely to cause problems.
    Warning,
    /// The document contradicts itself, OpenAPI, or the server that was checked.
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

/// A rule, as findings refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Stable id, e.g. for `countersign contract explain`: lower-case words joined by hyphens.
    pub id: &'static str,
    /// Verdict of its findings.
    pub verdict: Verdict,
    /// What the rule finds, in one sentence.
    pub what: &'static str,
    /// What the consequences are, and what to do about it.
    pub why: &'static str,
}

/// A violation of a rule, or a change that a rule describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The verdict of the rule, unless the user of the tool chose another one for it.
    pub verdict: Verdict,
    /// Affected operations, as `GET /users/{id}`, in the order of the document; empty if the finding concerns the whole
    /// document.
    pub operations: Vec<String>,
    /// Path to the affected part of the operation or document, outermost first: `request body › password`.
    pub place: String,
    /// Description in a sentence without a full stop.
    pub message: String,
    /// The position to show first.
    pub span: SourceSpan,
    /// The old side of a change; `None` for additions and for findings about one document.
    pub old: Option<Side>,
    /// The new side of a change; `None` for removals.
    pub new: Option<Side>,
}

/// One side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Position in the text.
    pub span: SourceSpan,
    /// JSON pointer (RFC 6901) into the document.
    pub pointer: String,
    /// The value, if the change is one of a single value: `64`, `"string"`.
    pub value: Option<String>,
}
