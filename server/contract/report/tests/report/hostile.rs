//! Documents whose text tries to break the format.

use super::{FORMATS, REMOVED, UNDECLARED, finding, side, span};
use countersign_contract_finding::{Example, Finding, Verdict};
use countersign_contract_report::{Format, render};
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};

/// Text with which a document might break a format.
const HOSTILE: &str = "\n::error file=x::forged\r\n##[error]forged\u{1b}[2J\u{9b}2J\0%0A::stop-commands::x,y:z\
    ]]></failure></testcase><forged a='\"&amp;\u{202e}\u{ffff}\u{2028}In the document: <!-- --> </style><script>\
    ``` `x` *b* _i_ # h | t [l](https://example.com) ![i](https://example.com) https://example.com @user \\";

pub(super) fn hostile() -> Vec<Finding> {
    let mut all = Vec::new();
    for rule in [&REMOVED, &UNDECLARED] {
        let mut finding = finding(rule, &[HOSTILE, HOSTILE], HOSTILE, HOSTILE, span(HOSTILE, 3, 4));
        finding.old = side(span(HOSTILE, 1, 2), HOSTILE, Some(HOSTILE));
        finding.new = side(span(HOSTILE, 3, 4), HOSTILE, Some(HOSTILE));
        finding.example = Some(Example::Value(json!({HOSTILE: [HOSTILE]})));
        finding.request = Some(HOSTILE.to_owned());
        all.push(finding);
    }
    all
}

#[test]
fn hostile_text_stays_text() {
    for (format, _) in FORMATS {
        let found = render(&hostile(), format, HOSTILE, Verdict::Breaking);
        let is_obeyed = |character: char| character.is_control() && character != '\n';
        assert!(!found.contains(is_obeyed), "{format:?}: {found:?}");
        assert!(!found.contains(['\u{202e}', '\u{2028}', '\u{ffff}']), "{format:?}: {found:?}");
        assert!(!found.contains("##["), "{format:?}: {found:?}");
    }
    let of = |format| render(&hostile(), format, HOSTILE, Verdict::Breaking);

    let text = of(Format::Text);
    let begins = [
        "2 findings in ",
        "breaking[",
        "warning[",
        "  in ",
        "  changed: ",
        "  example: ",
        "  request: ",
        "  --> ",
        "  why: ",
    ];
    for line in text.lines().filter(|line| !line.is_empty()) {
        assert!(begins.iter().any(|begin| line.starts_with(begin)), "{line}");
    }
    assert_eq!(text.lines().count(), 17);

    let html = of(Format::Html);
    let tags =
        ["!doctype", "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "ul", "li", "br", "code"];
    for tag in html.split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
        assert!(tags.contains(&name), "<{tag}");
    }
    assert_eq!((html.matches("<li>").count(), html.matches("<style>").count()), (2, 1));
    assert!(!html.contains("<script") && !html.contains("a='"), "{html}");

    let json: Value = serde_json::from_str(&of(Format::Json)).unwrap();
    for value in
        ["/title", "/findings/0/message", "/findings/1/old/value", "/findings/0/operations/1", "/findings/0/request"]
    {
        assert_eq!(json.pointer(value).unwrap(), HOSTILE);
    }

    let xml = of(Format::JUnit);
    assert!(!xml.contains("<forged") && !xml.contains("]]>"), "{xml}");
    assert_eq!((xml.matches("<testcase ").count(), xml.matches("</failure>").count()), (2, 2));
    let parsed = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!(parsed.test_suites[0].test_cases.len(), 2);

    let commands = of(Format::GitHub);
    assert_eq!(commands.lines().count(), 2);
    for (line, level) in commands.lines().zip(["error", "warning"]) {
        let rest = line.strip_prefix(&format!("::{level} file=")).unwrap();
        let (properties, message) = rest.split_once("::").unwrap();
        assert_eq!(properties.matches('=').count(), 3 + HOSTILE.matches('=').count());
        assert_eq!(properties.split(',').count(), 4, "{properties}");
        assert!(message.contains("%250A::stop-commands::x,y:z"), "a percent sign that was there stays one: {message}");
        assert_eq!(message.matches("%0A").count(), 5, "{message}");
    }
}

/// What Markdown makes of it: nothing but headings, lists, bold text and code that the report itself wrote.
#[test]
fn hostile_text_makes_no_markdown() {
    let text = render(&hostile(), Format::Markdown, HOSTILE, Verdict::Breaking);
    let mut counts = std::collections::BTreeMap::new();
    for event in Parser::new_ext(&text, Options::all()) {
        let name = match event {
            Event::Start(Tag::Heading { .. }) => "heading",
            Event::Start(Tag::Strong) => "bold",
            Event::Start(Tag::Item) => "item",
            Event::Start(Tag::List(_) | Tag::Paragraph) | Event::End(_) | Event::Text(_) | Event::SoftBreak => continue,
            Event::Code(_) => "code",
            Event::InlineHtml(html) if &*html == "<!-- -->" => continue,
            other => panic!("{other:?} in\n{text}"),
        };
        *counts.entry(name).or_insert(0) += 1;
    }
    // Code: the title, what a rule quotes, and per finding its rule, two operations, the place, the values, the example, the request
    // and two positions.
    assert_eq!(counts, [("bold", 2), ("code", 20), ("heading", 3), ("item", 8)].into(), "{text}");
}
