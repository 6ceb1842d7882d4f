//! Renders findings for people, like a compiler.
//!
//! Findings about the whole document come first, then those of each group of operations in the order of the findings. No
//! line begins with text from the document, so that logs with commands (`::command::` on GitHub) cannot be abused.

use super::{VERDICTS, count, places, subject, values, visible};
use crate::finding::Finding;
use std::collections::HashMap;
use std::fmt::Write;

/// Renders the findings as text. The last line counts them per verdict.
#[must_use]
pub fn render(findings: &[Finding], title: &str) -> String {
    let mut out = String::new();
    for group in groups(findings) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "In {}:", subject(&group[0].operations));
        group.iter().for_each(|finding| write_finding(&mut out, finding));
        out.push('\n');
    }
    out.push_str(&last_line(findings));
    if !title.is_empty() {
        let _ = write!(out, " in {}", visible(title));
    }
    out.push_str(&counts(findings));
    out.push('\n');
    out
}

/// Groups findings by their operations; those about the document come first.
fn groups(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut known: HashMap<&[String], usize> = HashMap::new();
    let (general, particular): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.operations.is_empty());
    for finding in general.into_iter().chain(particular) {
        let index = *known.entry(&finding.operations).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn write_finding(out: &mut String, finding: &Finding) {
    let rule = finding.rule;
    let place = match finding.place.as_str() {
        "" => String::new(),
        place => format!(" {}:", visible(place)),
    };
    let _ = writeln!(out, "  {}[{}]{place} {}", finding.verdict, rule.id, visible(&finding.message));
    if let Some(values) = values(finding) {
        let _ = writeln!(out, "    changed: {values}");
    }
    let _ = writeln!(out, "    --> {}", places(finding));
    let _ = writeln!(out, "    why: {}", rule.why);
}

fn last_line(findings: &[Finding]) -> String {
    match findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    }
}

fn counts(findings: &[Finding]) -> String {
    let counts =
        VERDICTS.into_iter().map(|verdict| (verdict, count(findings, verdict))).filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(verdict, count)| format!("{count} {verdict}")).collect();
    if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) }
}
