//! All report formats: golden files, and hostile documents that try to break the format.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

#[path = "report/hostile.rs"]
mod hostile;

use countersign_contract_document::{Position, SourceSpan};
use countersign_contract_finding::{Example, Finding, Rule, Side, Verdict};
use countersign_contract_report::{Format, Notes, SuggestedVersion, markdown, render, render_with, summary};
use hostile::hostile;
use serde_json::{Value, json};

/// Compares with a file under `tests/fixtures`. `UPDATE_GOLDEN=1` writes the file instead; review its diff.
fn assert_golden(file: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "{} differs, UPDATE_GOLDEN=1 rewrites it; found:\n{found}", path.display());
}

const FORMATS: [(Format, &str); 7] = [
    (Format::Text, "txt"),
    (Format::Json, "json"),
    (Format::JUnit, "xml"),
    (Format::GitHub, "github"),
    (Format::Markdown, "md"),
    (Format::Html, "html"),
    (Format::Sarif, "sarif"),
];

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
        example: None,
        request: None,
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
    removed.example = Some(Example::Value(json!({"id": 1})));
    let mut tighter = finding(&TIGHTER, &user, "query q", "the longest value taken is shorter", span(new, 12, 11));
    tighter.old = side(span(old, 12, 11), "/paths/~1users~1{id}/get/parameters/0/schema/maxLength", Some("128"));
    tighter.new = side(span(new, 12, 11), "/paths/~1users~1{id}/get/parameters/0/schema/maxLength", Some("64"));
    tighter.example = Some(Example::Missing("the schema is odd"));
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

#[test]
fn the_summary_of_a_step_says_how_many_findings_do_not_fit() {
    let whole = markdown::render_up_to(&sample(), "t", &Notes::default(), usize::MAX);
    assert_eq!(whole, render(&sample(), Format::Markdown, "t", Verdict::Breaking));
    for most in 0..=whole.len() {
        let text = markdown::render_up_to(&sample(), "t", &Notes::default(), most);
        let shown = text.lines().filter(|line| line.starts_with("- ")).count();
        let rest = 6 - shown;
        assert_eq!(text.contains(&format!("{rest} more findings do not fit here.")), rest > 0, "{text}");
        assert!(text.len() <= most + 200, "{} of {most}", text.len());
    }
}

#[test]
fn a_message_names_what_it_is_about_in_every_format() {
    for (format, _) in FORMATS {
        let text = render(&sample(), format, "t", Verdict::Breaking);
        for name in ["email", "GET /health"] {
            assert!(text.contains(name), "{format:?} does not name {name}:\n{text}");
        }
    }
}

/// The schema is the one that OASIS publishes for SARIF 2.1.0.
#[test]
#[ignore = "needs the schema: tests/json-schema/run"]
fn sarif_has_the_form_that_its_schema_demands() {
    let path = std::env::var_os("COUNTERSIGN_SARIF_SCHEMA").expect("tests/json-schema/run sets the path");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // The pattern of languages has a bracket too many, which is no regular expression for ECMA-262 in Unicode mode.
    for holder in ["run", "toolComponent"] {
        let language = schema["definitions"][holder]["properties"]["language"].as_object_mut().unwrap();
        assert!(language.remove("pattern").is_some());
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0", "runs": [{"results": []}]})));
    for findings in [sample(), hostile(), Vec::new()] {
        let log: Value = serde_json::from_str(&render(&findings, Format::Sarif, "t", Verdict::Breaking)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new());
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), findings.len());
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        }
    }
}

#[test]
fn names_of_files_are_uris_in_sarif() {
    for (name, uri, base) in [
        ("openapi/api v1.yaml", "openapi/api%20v1.yaml", Some("%SRCROOT%")),
        ("HEAD:a.yaml", "HEAD%3Aa.yaml", Some("%SRCROOT%")),
        ("/srv/a.yaml", "/srv/a.yaml", None),
        ("https://example.com/a%20b.yaml", "https://example.com/a%20b.yaml", None),
    ] {
        let finding = finding(&NO_SERVER, &[], "", "the document has no server", span(name, 1, 1));
        let log: Value = serde_json::from_str(&render(&[finding], Format::Sarif, "t", Verdict::Error)).unwrap();
        let location = log.pointer("/runs/0/results/0/locations/0/physicalLocation/artifactLocation").unwrap();
        assert_eq!((location["uri"].as_str(), location["uriBaseId"].as_str()), (Some(uri), base));
    }
}

#[test]
fn formats_for_ci_have_the_number_of_accepted_findings() {
    let notes = Notes { accepted: 3, ..Notes::default() };
    let of = |format| render_with(&sample(), format, "a.yaml", Verdict::Breaking, &notes);
    let junit = quick_junit::Report::deserialize_from_str(&of(Format::JUnit)).unwrap();
    let output = junit.test_suites[0].system_out.as_ref().unwrap();
    assert!(output.as_str().ends_with("; 3 accepted"), "{output:?}");
    let commands = of(Format::GitHub);
    let last = commands.lines().last().unwrap();
    assert!(last.starts_with("::notice title=accepted findings::") && last.ends_with("; 3 accepted"), "{last}");
}

#[test]
fn sarif_has_the_accepted_findings_as_a_number_and_no_results() {
    let suggested = SuggestedVersion { document: None, version: "2.0.0".to_owned() };
    let notes = Notes { accepted: 3, suggested_versions: vec![suggested] };
    let text = render_with(&sample(), Format::Sarif, "a.yaml", Verdict::Breaking, &notes);
    let log: Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["properties"]["accepted"], 3);
    assert_eq!(run["properties"]["suggestedVersions"][0]["version"], "2.0.0");
    assert_eq!(run["results"].as_array().map(Vec::len), Some(sample().len()));
}

#[test]
fn each_of_several_documents_has_its_suggested_version() {
    let suggested = |document: &str, version: &str| SuggestedVersion {
        document: Some(document.to_owned()),
        version: version.to_owned(),
    };
    let of = |suggested_versions| Notes { accepted: 0, suggested_versions };
    let summary = |notes: &Notes| summary(&[], "v1 → v2", notes);
    // Of several documents, one that alone has changed is named, too.
    let one = of(vec![suggested("a.yaml", "2.0.0")]);
    assert_eq!(summary(&one), "no findings in v1 → v2; suggested versions: 2.0.0 for a.yaml");
    let two = of(vec![suggested("a.yaml", "2.0.0"), suggested("b/c.yaml", "1.3.0")]);
    assert_eq!(summary(&two), "no findings in v1 → v2; suggested versions: 2.0.0 for a.yaml, 1.3.0 for b/c.yaml");
    let many = of((0..12).map(|number| suggested(&format!("{number}.yaml"), "1.0.1")).collect());
    assert!(summary(&many).ends_with("1.0.1 for 9.yaml, and 2 more"), "{}", summary(&many));
    let json: Value = serde_json::from_str(&render_with(&[], Format::Json, "t", Verdict::Breaking, &two)).unwrap();
    assert_eq!(json["summary"]["suggested_version"], Value::Null);
    assert_eq!(json["summary"]["suggested_versions"][1]["document"], "b/c.yaml");
}
