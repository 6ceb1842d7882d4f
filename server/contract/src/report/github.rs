//! Renders findings as workflow commands, which GitHub shows as annotations of the lines.
//!
//! `::error file=…,line=…,col=…,title=…::message`, one line each. Escapes are those of the runner's toolkit: `%`, carriage
//! return and line feed everywhere, `:` and `,` in properties too. Other control characters are escaped as in other
//! formats.

use super::{subject, values, visible};
use crate::finding::{Finding, Verdict};
use std::fmt::Write;

/// Renders the findings as workflow commands; empty without findings.
#[must_use]
pub fn render(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let level = match finding.verdict {
            Verdict::Error | Verdict::Breaking => "error",
            Verdict::Warning | Verdict::Risky => "warning",
            Verdict::Compatible | Verdict::Documentation => "notice",
        };
        let position = finding.span.position;
        // Writing to a String cannot fail.
        let _ = write!(out, "::{level} file={},", property(&finding.span.document));
        if position.line > 0 {
            let _ = write!(out, "line={},col={},", position.line, position.column);
        }
        let title = format!("{}: {}", finding.verdict, finding.rule.id);
        let _ = writeln!(out, "title={}::{}", property(&title), data(&message(finding)));
    }
    out
}

/// The lines below the title.
fn message(finding: &Finding) -> String {
    let mut first = subject(&finding.operations);
    if !finding.place.is_empty() {
        first = format!("{first}: {}", visible(&finding.place));
    }
    let mut lines = vec![first, visible(&finding.message).into_owned()];
    lines.extend(values(finding));
    lines.push(finding.rule.why.to_owned());
    lines.join("\n")
}

/// Escapes of a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes of a property's value.
fn property(text: &str) -> String {
    data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}
