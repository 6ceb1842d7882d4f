//! Renders findings as Markdown (GitHub's), as a changelog for a release or the summary of a CI run.
//!
//! A section for each verdict, the worst first; in it, what each rule means, once, and a list of its findings. Text from a
//! document is in code spans or escaped: it makes no link, mention, HTML or formatting, except that an even number of
//! backticks in a message quotes what is between them.

use super::sections::{RuleFindings, heading, sections};
use super::{MOST_OPERATIONS, Notes, details, places_of, summary, visible};
use countersign_contract_finding::Finding;
use std::fmt::Write;

/// Renders the findings as Markdown.
#[must_use]
pub fn render(findings: &[Finding], title: &str, notes: &Notes) -> String {
    render_up_to(findings, title, notes, usize::MAX)
}

/// As [`render`], with no more than about `most` bytes: the mildest findings are left out then, and counted.
#[must_use]
pub fn render_up_to(findings: &[Finding], title: &str, notes: &Notes, most: usize) -> String {
    let mut out = String::new();
    if !title.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "## {}\n", code(title));
    }
    let _ = writeln!(out, "{}", escaped(&summary(findings, "", notes)));
    let mut shown = 0;
    for section in sections(findings) {
        let mut text = format!("\n### {}\n", heading(section.verdict));
        for group in &section.rules {
            let _ =
                writeln!(text, "\n{} {} ({})\n", bold(group.rule.what), escaped(group.rule.why), code(group.rule.id));
            for item in items(group) {
                if out.len() + text.len() + item.len() > most {
                    let _ = writeln!(out, "\n{} more findings do not fit here.", findings.len() - shown);
                    return out;
                }
                text.push_str(&item);
                out.push_str(&std::mem::take(&mut text));
                shown += 1;
            }
        }
    }
    out
}

fn items(group: &RuleFindings<'_>) -> impl Iterator<Item = String> {
    group.findings.iter().map(|finding| {
        let mut item = String::from("- ");
        let mut subject: Vec<String> = finding.operations.iter().take(MOST_OPERATIONS).map(|name| code(name)).collect();
        if let Some(more) = finding.operations.len().checked_sub(MOST_OPERATIONS).filter(|more| *more > 0) {
            subject.push(format!("{more} more"));
        }
        let place = Some(finding.place.as_str()).filter(|place| !place.is_empty()).map(code);
        for part in [Some(subject.join(", ")).filter(|subject| !subject.is_empty()), place].into_iter().flatten() {
            let _ = write!(item, "{part}: ");
        }
        item.push_str(&escaped(&visible(&finding.message)));
        let (here, before) = places_of(finding);
        let _ = write!(item, " ({}", code(&here));
        if let Some(before) = before {
            let _ = write!(item, ", was at {}", code(&before));
        }
        item.push_str(")\n");
        for (label, text) in details(finding) {
            let _ = writeln!(item, "  - {label}: {}", code(&text));
        }
        item
    })
}

fn bold(text: &str) -> String {
    format!("**{}**", escaped(text))
}

/// A code span, which shows its content as it is. Its delimiters are longer than any run of backticks in it.
fn code(text: &str) -> String {
    let text = visible(text);
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let delimiter = "`".repeat(longest + 1);
    // A space on both sides is removed by readers, and keeps a backtick apart from the delimiter.
    let needs_space = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) || text.is_empty();
    let space = if needs_space { " " } else { "" };
    format!("{delimiter}{space}{text}{space}{delimiter}")
}

/// Escapes a text in which pairs of backticks quote something.
fn escaped(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An even number of parts has an odd number of backticks: one of them has no partner.
    let quotes = parts.len() % 2 == 1 && parts.iter().skip(1).step_by(2).all(|part| !part.is_empty());
    if !quotes {
        return plain(text);
    }
    let part = |(index, part): (usize, &&str)| if index % 2 == 1 { code(part) } else { plain(part) };
    parts.iter().enumerate().map(part).collect()
}

/// Escapes what Markdown and GitHub would interpret within a line.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, character) in text.char_indices() {
        let rest = &text[at..];
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', character]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // GitHub looks for mentions, numbers of issues and addresses after Markdown is read.
            '@' | '#' => {
                out.push(character);
                out.push_str("<!-- -->");
            }
            ':' if rest.starts_with("://") => out.push_str("\\:"),
            '.' if text[..at].ends_with("www") => out.push_str("\\."),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{code, escaped};

    #[test]
    fn quoted_parts_become_code_and_everything_else_is_escaped() {
        for (text, expected) in [
            ("the tag `a_b` is new", "the tag `a_b` is new"),
            ("a_b *c* [d](e) <b> & |", "a\\_b \\*c\\* \\[d\\](e) &lt;b&gt; &amp; \\|"),
            ("one ` alone", "one \\` alone"),
            ("`` empty", "\\`\\` empty"),
            ("@user, #1, https://a.b, www.a.b", "@<!-- -->user, #<!-- -->1, https\\://a.b, www\\.a.b"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn code_spans_hold_any_text() {
        for (text, expected) in [
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("", "`  `"),
            ("a\nb", "`a\\nb`"),
            (" a", "`  a `"),
        ] {
            assert_eq!(code(text), expected);
        }
    }
}
