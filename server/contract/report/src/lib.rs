//! Renders findings as human-readable text and for programs.
//!
//! The output depends on the findings and their order alone (no clock, no random ids), so that two runs over the same
//! documents give the same bytes. Text from a document cannot break the format: control characters, line ends and the
//! special characters of each format are escaped (`visible`, and each format's own escapes).
//!
//! | format | for |
//! |---|---|
//! | [`mod@text`] | a terminal |
//! | [`mod@json`] | programs; the stable schema is documented there |
//! | [`mod@junit`] | CI systems that show test results |
//! | [`mod@github`] | GitHub workflows, which annotate the line of each finding |
//! | [`mod@markdown`] | a changelog, or the summary of a CI run |
//! | [`mod@html`] | a browser |
//! | [`mod@sarif`] | code scanning and editors |

mod details;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;
mod sections;
pub mod text;

use self::details::details;
use countersign_contract_document::{SourceSpan, is_hidden, visible};
use countersign_contract_finding::{Finding, Verdict};
use serde::Serialize;
use std::fmt::Write;
use std::sync::Arc;

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Human-readable text, the worst first.
    Text,
    /// JSON for programs.
    Json,
    /// JUnit XML with a test case for each finding.
    JUnit,
    /// Workflow commands that GitHub shows as annotations.
    GitHub,
    /// Markdown with a section for each verdict.
    Markdown,
    /// One HTML file.
    Html,
    /// SARIF 2.1.0.
    Sarif,
}

/// What a report says besides its findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Number of findings that are not reported because they are accepted.
    pub accepted: usize,
    /// The versions that the changes of the documents ask for.
    pub suggested_versions: Vec<SuggestedVersion>,
}

/// The version that the changes of a document ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedVersion {
    /// Its path within the directory that was compared; `None` if only one document was.
    pub document: Option<String>,
    /// The version, as in `2.0.0`.
    pub version: String,
}

/// Renders the findings in a format. `title` names what was examined; `fails_from` is the mildest verdict that is a
/// failure, in formats with failures. Output that is not empty ends with a line break.
#[must_use]
pub fn render(findings: &[Finding], format: Format, title: &str, fails_from: Verdict) -> String {
    render_with(findings, format, title, fails_from, &Notes::default())
}

/// As [`render`], with notes.
#[must_use]
pub fn render_with(findings: &[Finding], format: Format, title: &str, fails_from: Verdict, notes: &Notes) -> String {
    match format {
        Format::Text => text::render(findings, title, notes),
        Format::Json => json::render(findings, title, fails_from, notes),
        Format::JUnit => junit::render(findings, title, fails_from, notes),
        Format::GitHub => github::render(findings, title, notes),
        Format::Markdown => markdown::render(findings, title, notes),
        Format::Html => html::render(findings, title, notes),
        Format::Sarif => sarif::render(findings, notes),
    }
}

/// Verdicts in the order in which reports list them: the worst first.
const VERDICTS: [Verdict; 6] =
    [Verdict::Error, Verdict::Breaking, Verdict::Warning, Verdict::Risky, Verdict::Compatible, Verdict::Documentation];

/// The number of findings, in total and per verdict, and the notes, in one line without a line break. `title` names what was
/// examined.
#[must_use]
pub fn summary(findings: &[Finding], title: &str, notes: &Notes) -> String {
    let mut out = match findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    if !title.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(out, " in {}", visible(title));
    }
    let counts = VERDICTS.map(|verdict| (verdict, count(findings, verdict)));
    let counts: Vec<String> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(verdict, count)| format!("{count} {verdict}")).collect();
    if !counts.is_empty() {
        let _ = write!(out, ": {}", counts.join(", "));
    }
    if notes.accepted > 0 {
        let _ = write!(out, "; {} accepted", notes.accepted);
    }
    match notes.suggested_versions.as_slice() {
        [] => {}
        [SuggestedVersion { document: None, version }] => {
            let _ = write!(out, "; suggested version: {}", visible(version));
        }
        several => {
            let _ = write!(out, "; suggested versions: {}", versions(several));
        }
    }
    out
}

fn versions(several: &[SuggestedVersion]) -> String {
    let one = |SuggestedVersion { document, version }: &SuggestedVersion| match document {
        Some(document) => format!("{} for {}", visible(version), visible(document)),
        None => visible(version).into_owned(),
    };
    let mut shown: Vec<String> = several.iter().take(MOST_VERSIONS).map(one).collect();
    if several.len() > MOST_VERSIONS {
        shown.push(format!("and {} more", several.len() - MOST_VERSIONS));
    }
    shown.join(", ")
}

/// Most documents whose suggested versions the summary lists; the others are counted.
const MOST_VERSIONS: usize = 10;

fn count(findings: &[Finding], verdict: Verdict) -> usize {
    findings.iter().filter(|finding| finding.verdict == verdict).count()
}

/// Most operations that are listed; the others are counted.
const MOST_OPERATIONS: usize = 3;

/// The affected operations as text, or "the document".
fn subject(operations: &[Arc<str>]) -> String {
    if operations.is_empty() {
        return "the document".to_owned();
    }
    let mut out = operations.iter().take(MOST_OPERATIONS).map(|name| visible(name)).collect::<Vec<_>>().join(", ");
    if operations.len() > MOST_OPERATIONS {
        // Writing to a String cannot fail.
        let _ = write!(out, " and {} more", operations.len() - MOST_OPERATIONS);
    }
    out
}

/// The message after the name of what it is about: the place, or else the operations. A message about the whole document
/// stands alone.
fn headline(finding: &Finding) -> String {
    let message = visible(&finding.message);
    match (finding.place.as_str(), &*finding.operations) {
        ("", []) => message.into_owned(),
        ("", operations) => format!("{}: {message}", subject(operations)),
        (place, _) => format!("{}: {message}", visible(place)),
    }
}

/// The values before and after, if either side has one.
fn values(finding: &Finding) -> Option<String> {
    let sides = [finding.old.as_ref(), finding.new.as_ref()];
    if sides.iter().flatten().all(|side| side.value.is_none()) {
        return None;
    }
    let words = sides.map(|side| match side {
        None => "(nothing)".to_owned(),
        Some(side) => side.shown_value().map_or_else(|| "…".to_owned(), |value| visible(&value).into_owned()),
    });
    Some(words.join(" → "))
}

/// The position, and the old one if it differs.
fn places_of(finding: &Finding) -> (String, Option<String>) {
    let shown = |span: &SourceSpan| visible(&span.to_string()).into_owned();
    let old = finding.old.as_ref().filter(|old| old.span != finding.span);
    (shown(&finding.span), old.map(|old| shown(&old.span)))
}

/// The same as text.
fn places(finding: &Finding) -> String {
    match places_of(finding) {
        (here, Some(before)) => format!("{here}, was at {before}"),
        (here, None) => here,
    }
}
