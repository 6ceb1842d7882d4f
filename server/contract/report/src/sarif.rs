//! Renders findings in the Static Analysis Results Interchange Format (SARIF 2.1.0, OASIS), which code scanning of GitHub,
//! Azure DevOps and editors read.
//!
//! One run; a result for each finding, the worst first, with the position as its location, the operations as logical
//! locations, and the old position as a related location. Lines and columns count from 1, columns in characters. Names of
//! files are percent-encoded and relative to `%SRCROOT%`; URLs stay URLs.
//!
//! The properties of the run have the number of accepted findings, `accepted`, and `suggestedVersions`. Accepted findings are no
//! results with `suppressions`, because code scanning of GitHub ignores these and would show them as open.

use super::sections::worst_first;
use super::{Notes, details, headline, visible};
use countersign_contract_document::SourceSpan;
use countersign_contract_finding::{Finding, Rule, UNUSABLE, Verdict};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::HashSet;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Characters of a path that are encoded; RFC 3986, section 3.3, and `:`, which a relative path cannot have everywhere.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Characters of a URL that are encoded.
const ENCODED_IN_URL: &AsciiSet = &ENCODED.remove(b':').remove(b'%');

/// Renders the findings as indented JSON.
#[must_use]
pub fn render(findings: &[Finding], notes: &Notes) -> String {
    let findings = worst_first(findings);
    let mut rules: Vec<&Rule> = Vec::new();
    for finding in &findings {
        if rules.iter().all(|rule| rule.id != finding.rule.id) {
            rules.push(finding.rule);
        }
    }
    let index = |rule: &Rule| rules.iter().position(|known| known.id == rule.id);
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, index(finding.rule))).collect();
    let is_successful = findings.iter().all(|finding| finding.rule.id != UNUSABLE.id);
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "countersign-contract",
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{"executionSuccessful": is_successful}],
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {"accepted": notes.accepted, "suggestedVersions": notes.suggested_versions},
        }],
    });
    let mut out = super::json::escaped(format!("{log:#}"));
    out.push('\n');
    out
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.what},
        "help": {"text": rule.why},
        "defaultConfiguration": {"level": level(rule.verdict)},
        "properties": {"verdict": rule.verdict},
    })
}

fn result(finding: &Finding, rule_index: Option<usize>) -> Value {
    let mut text = headline(finding);
    for (label, more) in details(finding) {
        text = format!("{text}\n{label}: {more}");
    }
    let mut location = json!({"physicalLocation": physical(&finding.span)});
    // SARIF allows no two equal ones.
    let mut seen = HashSet::new();
    let names = finding.operations.iter().map(|name| visible(name)).filter(|name| seen.insert(name.clone()));
    let names: Vec<Value> = names.map(|name| json!({"fullyQualifiedName": name})).collect();
    if !names.is_empty() {
        location["logicalLocations"] = names.into();
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": rule_index,
        "level": level(finding.verdict),
        "message": {"text": text},
        "locations": [location],
        "properties": {"verdict": finding.verdict},
    });
    if let Some(old) = finding.old.as_ref().filter(|old| old.span != finding.span) {
        result["relatedLocations"] =
            json!([{"message": {"text": "the old version"}, "physicalLocation": physical(&old.span)}]);
    }
    result
}

fn physical(span: &SourceSpan) -> Value {
    let is_url = span.document.starts_with("http://") || span.document.starts_with("https://");
    let encoded = utf8_percent_encode(&span.document, if is_url { ENCODED_IN_URL } else { ENCODED }).to_string();
    let mut location = match is_url || encoded.starts_with('/') {
        true => json!({"artifactLocation": {"uri": encoded}}),
        false => json!({"artifactLocation": {"uri": encoded, "uriBaseId": "%SRCROOT%"}}),
    };
    if span.position.line > 0 {
        location["region"] = json!({"startLine": span.position.line, "startColumn": span.position.column});
    }
    location
}

fn level(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Error | Verdict::Breaking => "error",
        Verdict::Warning | Verdict::Risky => "warning",
        Verdict::Compatible | Verdict::Documentation => "note",
    }
}
