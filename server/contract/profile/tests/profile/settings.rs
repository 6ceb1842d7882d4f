//! The configuration: severities, assertions, and what is wrong with it. The example of the README.

use countersign_contract_diff::rules::rule;
use countersign_contract_diff::{StabilityLevel, diff};
use countersign_contract_document::Document;
use countersign_contract_finding::{Severity, Verdict};
use countersign_contract_profile::{FailOn, LintFailOn, Profile};

const README: &str = include_str!("../../../README.md");

/// The first block of the README in TOML below a heading.
fn example(heading: &str) -> &'static str {
    let section = README.split(heading).nth(1).unwrap();
    section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()
}

fn document(paths: &str) -> Document {
    let text = format!(
        "openapi: 3.0.3\ninfo: {{title: t, version: 1.0.0}}\nservers: [{{url: /}}]\nsecurity: []\ntags: [{{name: a}}]\npaths:\n{paths}\n"
    );
    Document::load("a.yaml", &text).unwrap()
}

const OPERATION: &str = "  /a: {get: {operationId: a, tags: [a], summary: s, responses: {200: {description: d, content: {application/json: {schema: \
     {type: object, properties: {x: {type: string}}}}}}}}}";

/// Verdict, rule, operations, place and message of what lint finds with a configuration.
fn linted(profile: &str, document: &Document) -> Vec<String> {
    let profile = Profile::parse("contract.toml", profile).unwrap();
    let findings = profile.lint.lint(document).into_iter();
    let line = |finding: countersign_contract_finding::Finding| {
        let operations = finding.operations.join(", ");
        format!("{} {} [{operations}] {}: {}", finding.verdict, finding.rule.id, finding.place, finding.message)
    };
    findings.map(line).collect()
}

#[test]
fn the_example_of_the_readme_is_a_configuration() {
    let profile = Profile::parse("contract.toml", example("## Configuration")).unwrap();
    let Profile { diff, lint } = profile;
    assert_eq!((diff.fail_on, lint.fail_on), (Some(FailOn::Breaking), Some(LintFailOn::Error)));
    assert!(diff.enums_may_grow && diff.check_version);
    assert_eq!(diff.notice_days, Some(180));
    assert_eq!(diff.may_break, [StabilityLevel::Draft, StabilityLevel::Alpha, StabilityLevel::Beta]);
    let tag_removed = rule("operation-tag-removed").unwrap();
    assert_eq!(diff.severity.get(tag_removed), Some(Severity::As(Verdict::Breaking)));

    let found = linted(
        example("## Configuration"),
        &document(
            "  /Users: {get: {operationId: a, tags: [a], summary: s, x-internal: true, responses: {200: {description: d}}}}",
        ),
    );
    assert_eq!(
        found,
        [
            "error assertion-failed [GET /Users] : operations-have-an-owner: `x-owner` is missing: add the name of a team",
            "warning assertion-failed [GET /Users] x-internal: nothing-internal: `x-internal` is not allowed",
            "warning assertion-failed [] paths › /Users: paths-in-lower-case: the key `/Users` does not match `^(/(\\{[a-zA-Z]+\\}|[a-z0-9.-]+))+$`",
        ]
    );
}

#[test]
fn an_empty_configuration_changes_nothing() {
    let profile = Profile::parse("contract.toml", "").unwrap();
    assert_eq!((profile.diff.fail_on, profile.lint.fail_on), (None, None));
    let document = document(OPERATION);
    assert_eq!(profile.lint.lint(&document), countersign_contract_lint::lint(&document));
}

#[test]
fn severities_of_lint_switch_rules_on_and_off() {
    let document = document(&OPERATION.replace("operationId: a, ", ""));
    let missing = "operation-id-missing [GET /a] : it has no `operationId`";
    assert_eq!(linted("", &document).len(), 1, "{:?}", linted("", &document));
    assert!(linted("", &document)[0].ends_with(missing), "{:?}", linted("", &document));
    assert_eq!(linted("[lint.severity]\noperation-id-missing = 'off'", &document), [""; 0]);
    let found = linted("[lint.severity]\noperation-id-missing = 'error'\ninline-object = 'error'", &document);
    let place = "response 200 › application/json › properties";
    let expected =
        [format!("error {missing}"), format!("error inline-object [GET /a] {place}: an object without a name")];
    assert_eq!(found, expected);
}

#[test]
fn severities_of_diff_replace_verdicts() {
    let (old, new) = (document(OPERATION), document(&OPERATION.replace("tags: [a], ", "")));
    let verdicts = |profile: &str| {
        let profile = Profile::parse("contract.toml", profile).unwrap();
        let findings = diff(&old, &new, &profile.diff.options("2027-01-31"));
        findings.into_iter().map(|finding| finding.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(""), [Verdict::Risky]);
    assert_eq!(verdicts("[diff.severity]\noperation-tag-removed = 'breaking'"), [Verdict::Breaking]);
    assert_eq!(verdicts("[diff.severity]\noperation-tag-removed = 'off'"), []);
}

#[test]
fn each_kind_of_assertion_finds_what_violates_it() {
    let document = document(
        "  /a: {get: {operationId: getA, tags: [a], summary: s, responses: {200: {description: d}}}}\n  \
           /b_c: {put: {operationId: put_b, tags: [a], summary: 'TODO s', x-old: 1, responses: {200: {description: d}}}}",
    );
    for (at, condition, expected) in [
        ("/paths/*/get|put", "must-have = 'x-old'", &["[GET /a] : n: `x-old` is missing"][..]),
        ("/paths/*/get|put", "must-not-have = 'x-old'", &["[PUT /b_c] x-old: n: `x-old` is not allowed"]),
        (
            "/paths/*/*/operationId",
            "must-match = '^[a-z]+[A-Z][a-zA-Z]*$'",
            &["[PUT /b_c] operationId: n: `put_b` does not match `^[a-z]+[A-Z][a-zA-Z]*$`"],
        ),
        ("/**/summary", "must-not-match = 'TODO'", &["[PUT /b_c] summary: n: `TODO s` matches `TODO`"]),
        ("/paths", "keys-must-match = '^[/a-z]+$'", &["[] paths › /b_c: n: the key `/b_c` does not match `^[/a-z]+$`"]),
        ("/paths", "keys-must-not-match = '_'", &["[] paths › /b_c: n: the key `/b_c` matches `_`"]),
        ("/info/version", "must-match = '^1'", &[]),
        ("/info", "must-have = 'license'", &["[] info: n: `license` is missing"]),
        ("/nowhere", "must-have = 'x'", &[]),
    ] {
        let profile = format!("[[lint.assertions]]\nname = 'n'\nat = '{at}'\n{condition}\n");
        let expected: Vec<String> = expected.iter().map(|line| format!("warning assertion-failed {line}")).collect();
        assert_eq!(linted(&profile, &document), expected, "{profile}");
    }
}

#[test]
fn mistakes_have_a_position_and_a_hint() {
    for (text, expected) in [
        ("[dif]", "contract.toml:1:2: unknown field `dif`, expected `diff` or `lint`; did you mean `diff`?"),
        ("[diff]\nenum-may-grow = true", "; did you mean `enums-may-grow`?"),
        ("[diff]\nfail-on = 'breakin'", "contract.toml:2:11: unknown variant `breakin`"),
        ("[diff]\nmay-break = ['betta']", "; did you mean `beta`?"),
        (
            "[diff.severity]\noperation-tag-remove = 'off'",
            "there is no rule `operation-tag-remove` here; did you mean `operation-tag-removed`?",
        ),
        ("[lint.severity]\noperation-tag-removed = 'off'", "there is no rule `operation-tag-removed` here"),
        ("[lint.severity]\ninline-object = 'breaking'", "unknown variant `breaking`"),
        ("[[lint.assertions]]\nname = 'n'\nat = '/info'", "`n` needs exactly one of must-have, "),
        ("[[lint.assertions]]\nname = 'n'\nat = '/info'\nmust-have = 'a'\nmust-match = 'a'", "exactly one of"),
        ("[[lint.assertions]]\nname = 'n'\nat = 'info'\nmust-have = 'a'", "begins with a slash"),
        ("[[lint.assertions]]\nname = 'n'\nat = '/info'\nmust-match = '('", "unclosed group"),
        ("[[lint.assertions]]\nname = 'n'\nat = '/info'\nmust_have = 'a'", "; did you mean `must-have`?"),
        ("diff = ", "contract.toml:1:"),
    ] {
        let error = Profile::parse("contract.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("contract.toml:") && error.contains(expected), "{text}\n{error}");
    }
}
