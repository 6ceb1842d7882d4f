//! All report formats: golden files, and hostile documents that try to break the format.

use super::assert_golden;
use countersign_contract::finding::Side;
use countersign_contract::position::Position;
use countersign_contract::report::render;
use countersign_contract::{Finding, Format, Rule, SourceSpan, Verdict};
use serde_json::Value;

const FORMATS: [(Format, &str); 4] =
    [(Format::Text, "txt"), (Format::Json, "json"), (Format::JUnit, "xml"), (Format::GitHub, "github")];

static REMOVED: Rule = Rule {
    id: "response-property-removed",
    verdict: Verdict::Breaking,
    what: "A property of a response is gone.",
    why: "Clients that read it find nothing. Keep it, or raise the major version.",
};
static TIGHTER: Rule = Rule {
    id: "request-limit-tighter",
    verdict: Verdict::Risky,
    what: "A request may hold less than before.",
    why: "Values that were right are refused.",
};
static ADDED: Rule = Rule {
    id: "operation-added",
    verdict: Verdict::Compatible,
    what: "There is a new operation.",
    why: "Nobody calls it yet.",
};
static WORDS: Rule = Rule {
    id: "description-changed",
    verdict: Verdict::Documentation,
    what: "A description has other words.",
    why: "No program reads it.",
};
static UNDECLARED: Rule = Rule {
    id: "tag-undeclared",
    verdict: Verdict::Warning,
    what: "An operation has a tag that the document does not declare.",
    why: "It has no description. Add it to `tags`.",
};
static NO_SERVER: Rule = Rule {
    id: "server-missing",
    verdict: Verdict::Error,
    what: "The document has no server.",
    why: "Clients do not know where to call.",
};

fn span(document: &str, line: u32, column: u32) -> SourceSpan {
    SourceSpan { document: document.to_owned(), position: Position { line, column } }
}

fn finding(rule: &'static Rule, operations: &[&str], place: &str, message: &str, span: SourceSpan) -> Finding {
    let operations = operations.iter().map(|&name| name.to_owned()).collect();
    Finding {
        rule,
        verdict: rule.verdict,
        operations,
        place: place.to_owned(),
        message: message.to_owned(),
        span,
        old: None,
        new: None,
    }
}

fn side(span: SourceSpan, pointer: &str, value: Option<&str>) -> Option<Side> {
    Some(Side { span, pointer: pointer.to_owned(), value: value.map(str::to_owned) })
}

/// One finding of each kind.
fn sample() -> Vec<Finding> {
    let (old, new) = ("v1.yaml", "openapi/v2.yaml");
    let user = ["GET /users/{id}"];
    let several = ["GET /users/{id}", "PUT /users/{id}", "POST /users", "GET /me", "PUT /me"];
    let mut removed = finding(&REMOVED, &several, "response 200 › email", "the property is gone", span(new, 40, 7));
    removed.old = side(span(old, 44, 9), "/components/schemas/User/properties/email", None);
    let mut tighter = finding(&TIGHTER, &user, "query q", "the longest value taken is shorter", span(new, 12, 11));
    tighter.old = side(span(old, 12, 11), "/paths/~1users~1{id}/get/parameters/0/schema/maxLength", Some("128"));
    tighter.new = side(span(new, 12, 11), "/paths/~1users~1{id}/get/parameters/0/schema/maxLength", Some("64"));
    let mut default = finding(&WORDS, &user, "query q", "the words changed, at 100%", span(new, 13, 11));
    default.new = side(span(new, 13, 11), "/paths/~1users~1{id}/get/parameters/0/description", Some("\"Search\""));
    vec![
        removed,
        tighter,
        finding(&UNDECLARED, &["POST /users"], "tags", "the tag `People` is not declared", span(new, 20, 14)),
        finding(&NO_SERVER, &[], "", "the document has no server", span(new, 1, 1)),
        default,
        finding(&ADDED, &["GET /health"], "", "the operation is new", span("what the code prints", 0, 0)),
    ]
}

#[test]
fn golden_files() {
    for (format, extension) in FORMATS {
        let found = render(&sample(), format, "v1.yaml → openapi/v2.yaml", Verdict::Breaking);
        assert_golden(&format!("report.{extension}"), &found);
        assert_eq!(found, render(&sample(), format, "v1.yaml → openapi/v2.yaml", Verdict::Breaking));
    }
}

#[test]
fn without_findings() {
    let of = |format| render(&[], format, "openapi/sample.yaml", Verdict::Error);
    assert_eq!(of(Format::Text), "no findings in openapi/sample.yaml\n");
    assert_eq!(of(Format::GitHub), "");
    let json: Value = serde_json::from_str(&of(Format::Json)).unwrap();
    assert_eq!((&json["summary"]["total"], json["findings"].as_array().map(Vec::len)), (&Value::from(0), Some(0)));
    let xml = of(Format::JUnit);
    assert!(xml.contains(r#"tests="1""#) && xml.contains(r#"<testcase name="no findings""#), "{xml}");
}

#[test]
fn the_threshold_decides_what_fails() {
    for (fails_from, failing) in [
        (Verdict::Documentation, 6),
        (Verdict::Compatible, 5),
        (Verdict::Risky, 4),
        (Verdict::Breaking, 3),
        (Verdict::Warning, 2),
        (Verdict::Error, 1),
    ] {
        let json: Value = serde_json::from_str(&render(&sample(), Format::Json, "t", fails_from)).unwrap();
        assert_eq!(json["summary"]["failing"], failing, "{fails_from}");
        let listed = json["findings"].as_array().into_iter().flatten().filter(|finding| finding["fails"] == true);
        assert_eq!(listed.count(), failing);
        let xml = render(&sample(), Format::JUnit, "t", fails_from);
        assert!(xml.contains(&format!(r#"<testsuites name="t" tests="6" skipped="0" failures="{failing}""#)), "{xml}");
        assert_eq!(xml.matches("<failure ").count(), failing);
    }
}

/// Text with which a document might break a format.
const HOSTILE: &str = "\n::error file=x::forged\r\n##[error]forged\u{1b}[2J\u{9b}2J\0%0A::stop-commands::x,y:z\
    ]]></failure></testcase><forged a='\"&amp;\u{202e}\u{ffff}\u{2028}In the document:";

fn hostile() -> Vec<Finding> {
    let mut all = Vec::new();
    for rule in [&REMOVED, &UNDECLARED] {
        let mut finding = finding(rule, &[HOSTILE, HOSTILE], HOSTILE, HOSTILE, span(HOSTILE, 3, 4));
        finding.old = side(span(HOSTILE, 1, 2), HOSTILE, Some(HOSTILE));
        finding.new = side(span(HOSTILE, 3, 4), HOSTILE, Some(HOSTILE));
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
    let begins = ["In ", "  breaking[", "  warning[", "    changed: ", "    --> ", "    why: ", "2 findings in "];
    for line in text.lines().filter(|line| !line.is_empty()) {
        assert!(begins.iter().any(|begin| line.starts_with(begin)), "{line}");
    }
    assert_eq!(text.lines().count(), 11);

    let json: Value = serde_json::from_str(&of(Format::Json)).unwrap();
    for value in ["/title", "/findings/0/message", "/findings/1/old/value", "/findings/0/operations/1"] {
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
        assert_eq!(message.matches("%0A").count(), 3, "{message}");
    }
}
