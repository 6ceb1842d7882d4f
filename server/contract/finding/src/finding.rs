//! Findings of the tools, and the rules that they refer to.

use crate::operations::Operations;
use countersign_contract_document::SourceSpan;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
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

/// The rule of a document that cannot be examined.
pub const UNUSABLE: Rule = Rule {
    id: "document-unusable",
    verdict: Verdict::Error,
    what: "A document cannot be read, or is no OpenAPI document.",
    why: "Nothing else could be said about it. Correct what the message names, and run the tool again.",
};

/// A violation of a rule, or a change that a rule describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The verdict of the rule, unless the user of the tool chose another one for it.
    pub verdict: Verdict,
    /// Affected operations in the order of the document; empty if the finding concerns the whole
    /// document.
    pub operations: Operations,
    /// Path to the affected part of the operation or document, outermost first: `request body › password`.
    pub place: String,
    /// Description in a sentence without a full stop.
    pub message: String,
    /// The position to show first.
    pub span: SourceSpan,
    /// The old side of a change; `None` for additions and for findings about one document.
    pub old: Option<Side>,
    /// The new side of a change, or the place of a finding about one document; `None` for removals.
    pub new: Option<Side>,
    /// For breaking changes of a schema, a value that shows the change; `None` for all others.
    pub example: Option<Example>,
    /// The request that led to the finding, as a shell command; `None` for findings about documents alone.
    pub request: Option<String>,
}

/// A value that shows a breaking change: the old schema accepted it in requests and the new one rejects it, or the new one
/// accepts it in responses and the old one rejected it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Example {
    /// The value, as a validator confirmed it for both schemas.
    Value(Value),
    /// Why there is none, as a clause.
    Missing(&'static str),
}

/// One side of a change, or the place of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Position in the text.
    pub span: SourceSpan,
    /// JSON pointer (RFC 6901) into the document.
    pub pointer: String,
    /// The whole value, if the change is one of a single value: `64`, `"string"`.
    pub value: Option<String>,
}

impl Side {
    /// The value as human-readable reports show it.
    #[must_use]
    pub fn shown_value(&self) -> Option<Cow<'_, str>> {
        self.value.as_deref().map(abbreviated)
    }
}

/// A text, cut after 80 characters.
#[must_use]
pub fn abbreviated(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}
