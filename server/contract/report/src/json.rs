//! Renders findings as one JSON object for programs.
//!
//! ```text
//! {
//!   "title": string,
//!   "summary": {"total": n, "failing": n, "error": n, "warning": n, "breaking": n, "risky": n, "compatible": n,
//!               "documentation": n, "accepted": n, "suggested_version": string or null,
//!               "suggested_versions": [{"document": string or null, "version": string}, …]},
//!   "findings": [{
//!     "rule": string, "verdict": string, "fails": boolean, "what": string, "why": string,
//!     "operations": ["GET /users/{id}", …], "place": string, "message": string,
//!     "file": string, "line": n or null, "column": n or null,
//!     "old": side or null, "new": side or null,
//!     "example": {"value": any value}, {"missing": string} or null,
//!     "request": string or null
//!   }, …]
//! }
//! ```
//!
//! A side is `{"file", "line", "column", "pointer", "value"}`: `pointer` is a JSON pointer, `value` a string or null. Lines
//! and columns count from 1 and are null for a document that was not read from text. `request` is a shell command. All keys are
//! always present; later versions may add keys. The findings with the worst verdict come first. Accepted findings are counted and not
//! listed. `suggested_version` is null if directories were compared. `new` of a finding about one document is its place.
//!
//! Breaking changes of schemas have an example: a value that the old schema accepted in requests and the new one rejects, or
//! that the new one accepts in responses and the old one rejected; or, as `missing`, why there is none.

use super::sections::worst_first;
use super::{Notes, SuggestedVersion, count, is_hidden};
use countersign_contract_document::SourceSpan;
use countersign_contract_finding::{Example, Finding, Operations, Side, Verdict};
use serde::Serialize;
use std::fmt::Write;

/// Renders the findings as indented JSON.
#[must_use]
pub fn render(findings: &[Finding], title: &str, fails_from: Verdict, notes: &Notes) -> String {
    let fails = |finding: &&Finding| finding.verdict >= fails_from;
    let report = Report {
        title,
        summary: Summary {
            total: findings.len(),
            failing: findings.iter().filter(fails).count(),
            error: count(findings, Verdict::Error),
            warning: count(findings, Verdict::Warning),
            breaking: count(findings, Verdict::Breaking),
            risky: count(findings, Verdict::Risky),
            compatible: count(findings, Verdict::Compatible),
            documentation: count(findings, Verdict::Documentation),
            accepted: notes.accepted,
            suggested_version: match notes.suggested_versions.as_slice() {
                [SuggestedVersion { document: None, version }] => Some(version),
                _ => None,
            },
            suggested_versions: &notes.suggested_versions,
        },
        findings: worst_first(findings).into_iter().map(|finding| Entry::new(finding, fails(&finding))).collect(),
    };
    let mut out = escaped(serde_json::to_string_pretty(&report).expect("texts and numbers are JSON"));
    out.push('\n');
    out
}

/// Escapes characters that a terminal or a log would interpret. They only occur within strings.
pub(super) fn escaped(json: String) -> String {
    let is_plain = |character: char| matches!(character, ' '..='~' | '\n');
    let hidden = |(_, character): &(usize, char)| !is_plain(*character) && is_hidden(*character);
    let mut hidden = json.char_indices().filter(hidden).peekable();
    if hidden.peek().is_none() && !json.contains(COMMAND) {
        return json;
    }
    let (mut out, mut copied) = (String::with_capacity(json.len() + 1), 0);
    for (at, character) in hidden {
        out.push_str(&json[copied..at]);
        // Writing to a String cannot fail. All these characters are in the Basic Multilingual Plane: four digits suffice.
        let _ = write!(out, "\\u{:04x}", u32::from(character));
        copied = at + character.len_utf8();
    }
    out.push_str(&json[copied..]);
    out.replace(COMMAND, "#\\u0023[")
}

/// The beginning of a command in a log of GitHub Actions.
const COMMAND: &str = "##[";

#[derive(Serialize)]
struct Report<'a> {
    title: &'a str,
    summary: Summary<'a>,
    findings: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    total: usize,
    failing: usize,
    error: usize,
    warning: usize,
    breaking: usize,
    risky: usize,
    compatible: usize,
    documentation: usize,
    accepted: usize,
    suggested_version: Option<&'a str>,
    suggested_versions: &'a [SuggestedVersion],
}

#[derive(Serialize)]
struct Entry<'a> {
    rule: &'a str,
    verdict: Verdict,
    fails: bool,
    what: &'a str,
    why: &'a str,
    operations: &'a Operations,
    place: &'a str,
    message: &'a str,
    #[serde(flatten)]
    at: At<'a>,
    old: Option<Change<'a>>,
    new: Option<Change<'a>>,
    example: Option<&'a Example>,
    request: Option<&'a str>,
}

impl<'a> Entry<'a> {
    fn new(finding: &'a Finding, fails: bool) -> Self {
        Self {
            rule: finding.rule.id,
            verdict: finding.verdict,
            fails,
            what: finding.rule.what,
            why: finding.rule.why,
            operations: &finding.operations,
            place: &finding.place,
            message: &finding.message,
            at: At::new(&finding.span),
            old: finding.old.as_ref().map(Change::new),
            new: finding.new.as_ref().map(Change::new),
            example: finding.example.as_ref(),
            request: finding.request.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct At<'a> {
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
}

impl<'a> At<'a> {
    fn new(span: &'a SourceSpan) -> Self {
        let known = Some(span.position).filter(|position| position.line > 0);
        Self {
            file: &span.document,
            line: known.map(|position| position.line),
            column: known.map(|position| position.column),
        }
    }
}

#[derive(Serialize)]
struct Change<'a> {
    #[serde(flatten)]
    at: At<'a>,
    pointer: &'a str,
    value: Option<&'a str>,
}

impl<'a> Change<'a> {
    fn new(side: &'a Side) -> Self {
        Self { at: At::new(&side.span), pointer: &side.pointer, value: side.value.as_deref() }
    }
}
