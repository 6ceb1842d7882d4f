//! Renders findings as human-readable text, like a compiler.
//!
//! The first line counts the findings per verdict. The worst findings follow, those of a rule one after the other with the
//! consequences below the last of them. No line begins with text from the document, so that logs with commands
//! (`::command::` on GitHub) cannot be abused.

use super::sections::{RuleFindings, sections};
use super::{Notes, details, headline, places, subject, summary};
use countersign_contract_finding::Finding;
use std::fmt::Write;

/// Renders the findings as text.
#[must_use]
pub fn render(findings: &[Finding], title: &str, notes: &Notes) -> String {
    let mut out = summary(findings, title, notes);
    out.push('\n');
    for group in sections(findings).iter().flat_map(|section| &section.rules) {
        out.push('\n');
        write_group(&mut out, group);
    }
    out
}

/// Renders findings that are reported one after the other, each with the consequences.
#[must_use]
pub fn render_findings(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        write_group(&mut out, &RuleFindings { rule: finding.rule, findings: vec![finding] });
        out.push('\n');
    }
    out
}

fn write_group(out: &mut String, group: &RuleFindings<'_>) {
    for finding in &group.findings {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}[{}] {}", finding.verdict, group.rule.id, headline(finding));
        if !finding.place.is_empty() && !finding.operations.is_empty() {
            let _ = writeln!(out, "  in {}", subject(&finding.operations));
        }
        for (label, text) in details(finding) {
            let _ = writeln!(out, "  {label}: {text}");
        }
        let _ = writeln!(out, "  --> {}", places(finding));
    }
    let _ = writeln!(out, "  why: {}", group.rule.why);
}
