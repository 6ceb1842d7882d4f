//! Renders findings as workflow commands, which GitHub shows as annotations of the lines.
//!
//! `::error file=…,line=…,col=…,title=…::message`, one line each. Escapes are those of the runner's toolkit: `%`, carriage
//! return and line feed everywhere, `:` and `,` in properties too. Other control characters are escaped as in other
//! formats. The worst come first, because GitHub shows only the first annotations of a step.

use super::sections::worst_first;
use super::{details, headline, subject, visible};
use countersign_contract_finding::{Finding, Verdict};
use std::fmt::Write;

/// Renders the findings as workflow commands; empty without findings.
#[must_use]
pub fn render(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in worst_first(findings) {
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

/// The lines below the title. Each annotation is read alone, at its line, and so has the consequences of its rule.
fn message(finding: &Finding) -> String {
    let mut lines = vec![headline(finding)];
    if !finding.place.is_empty() && !finding.operations.is_empty() {
        lines.push(format!("in {}", subject(&finding.operations)));
    }
    lines.extend(details(finding).into_iter().map(|(label, text)| format!("{label}: {text}")));
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
