//! Renders findings as one HTML file, without scripts and without anything from elsewhere.

use super::sections::{RuleFindings, heading, sections};
use super::{Notes, details, headline, places, subject, summary, visible};
use countersign_contract_finding::Finding;
use std::fmt::Write;

/// Text colours have a contrast of at least 4.5 to 1 on both backgrounds.
const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;overflow-wrap:anywhere}h2{margin-top:2.5rem}h3{font-size:1rem;margin-bottom:0}
ul{padding-left:1.2rem}li{margin:.6rem 0;overflow-wrap:anywhere}
code{font:.875em ui-monospace,monospace}p{margin:.2rem 0}.at{opacity:.8}
";

/// Renders the findings as an HTML document.
#[must_use]
pub fn render(findings: &[Finding], title: &str, notes: &Notes) -> String {
    let heading_of_page = if title.is_empty() { "Findings".to_owned() } else { escaped(title) };
    // The policy allows nothing but the style above, in case that a browser finds more in this file.
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{heading_of_page}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{heading_of_page}</h1>\n<p>{}</p>\n",
        escaped(&summary(findings, "", notes))
    );
    for section in sections(findings) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "<h2>{}</h2>", heading(section.verdict));
        section.rules.iter().for_each(|group| write_group(&mut out, group));
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn write_group(out: &mut String, group: &RuleFindings<'_>) {
    let rule = group.rule;
    let _ = writeln!(out, "<h3>{} <code>{}</code></h3>", escaped(rule.what), escaped(rule.id));
    let _ = writeln!(out, "<p>{}</p>\n<ul>", escaped(rule.why));
    for finding in &group.findings {
        let _ = write!(out, "<li>{}", escaped(&headline(finding)));
        for (label, text) in details(finding) {
            let _ = write!(out, "<br>{label}: <code>{}</code>", escaped(&text));
        }
        if !finding.place.is_empty() && !finding.operations.is_empty() {
            let _ = write!(out, "<p class=\"at\">{}</p>", escaped(&subject(&finding.operations)));
        }
        let _ = writeln!(out, "<p class=\"at\"><code>{}</code></p></li>", escaped(&places(finding)));
    }
    out.push_str("</ul>\n");
}

/// Escapes text for elements and quoted attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}
