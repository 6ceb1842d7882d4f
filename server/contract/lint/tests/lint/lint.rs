//! Each rule with a document that violates it and one that violates no rule.

use countersign_contract_document::{Document, Error, Files};
use countersign_contract_finding::Finding;
use countersign_contract_lint::{OPTIONAL, RULES, lint, lint_with};
use std::collections::BTreeSet;

#[path = "lint_cases.rs"]
mod cases;
#[path = "lint_operation_cases.rs"]
mod operation_cases;
#[path = "lint_schema_cases.rs"]
mod schema_cases;
#[path = "lint_shared.rs"]
mod shared;

/// A case of a rule: a document with its findings as `line:column message`, and one without findings.
struct Case {
    rule: &'static str,
    bad: String,
    found: &'static [&'static str],
    good: String,
}

fn case(rule: &'static str, bad: impl Into<String>, found: &'static [&'static str], good: impl Into<String>) -> Case {
    Case { rule, bad: bad.into(), found, good: good.into() }
}

/// A document with this text from line 6 on.
fn document(body: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{title: t, version: 1.0.0}}\nservers: [{{url: /}}]\nsecurity: []\ntags: [{{name: a}}]\n{body}\n"
    )
}

/// A document with one operation, with this text from line 12, column 7 on, and default responses if it has none.
fn operation(inner: &str) -> String {
    document(&format!("paths:\n  /a:\n    get:{}", operation_body(inner)))
}

fn operation_body(inner: &str) -> String {
    let has = |field: &str| inner.lines().any(|line| line.trim_start().starts_with(field));
    let responses = if has("responses:") { "" } else { "\n      responses: {200: {description: d}}" };
    let own = if has("operationId:") { "" } else { "\n      operationId: a" };
    let tags = if has("tags:") { "" } else { "\n      tags: [a]" };
    let words = if has("summary:") { "" } else { "\n      summary: s" };
    let inner = if inner.is_empty() { String::new() } else { format!("\n      {inner}") };
    format!("{own}{tags}{words}{inner}{responses}")
}

/// A document with operations on paths; required fields are added unless given.
fn paths(operations: &[(&str, &str)]) -> String {
    let texts = operations.iter().enumerate().map(|(index, (path, inner))| {
        let name = format!("operationId: {}{inner}", ["one", "two", "six"][index]);
        format!("\n  {path}:\n    get:{}", operation_body(&name))
    });
    document(&format!("paths:{}", texts.collect::<String>()))
}

/// A document with a schema that an operation uses; `schemas` begins at line 16, column 5, and may have several lines.
fn schemas(schemas: &str) -> String {
    let parameter = "parameters: [{name: q, in: query, description: d, schema: {$ref: '#/components/schemas/S'}}]";
    format!("{}components:\n  schemas:\n    {schemas}\n", operation(parameter))
}

/// A document with an operation that has this response.
fn responses(responses: &str) -> String {
    operation(&format!("responses:\n        {responses}"))
}

fn parameters(parameters: &str) -> String {
    operation(&format!("parameters: [{parameters}]"))
}

fn found(text: &str) -> Vec<Finding> {
    let optional: Vec<String> = OPTIONAL.iter().map(|rule| rule.id.to_owned()).collect();
    lint_with(&document_of(text), &optional)
}

fn document_of(text: &str) -> Document {
    Document::load("d", text).unwrap_or_else(|error| panic!("{}\n{text}", error.on_one_line()))
}

fn lines(findings: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| {
        format!("{}:{} {}", finding.span.position.line, finding.span.position.column, finding.message)
    };
    findings.iter().map(line).collect()
}

#[test]
fn each_rule_finds_its_violations_and_nothing_else() {
    let mut problems = Vec::new();
    let cases: Vec<Case> = cases::all().into_iter().chain(schema_cases::all()).collect();
    for case in &cases {
        let all = found(&case.bad);
        let own: Vec<Finding> = all.into_iter().filter(|finding| finding.rule.id == case.rule).collect();
        if lines(&own) != case.found {
            problems.push(format!("{}: found {:#?} in\n{}", case.rule, lines(&own), case.bad));
        }
        let others: Vec<String> = found(&case.good)
            .iter()
            .map(|finding| format!("{} {}", finding.rule.id, lines(std::slice::from_ref(finding))[0]))
            .collect();
        if !others.is_empty() {
            problems.push(format!("{}: found {others:#?} in the good document\n{}", case.rule, case.good));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let tested: BTreeSet<&str> = cases.iter().map(|case| case.rule).collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(tested, rules);
    assert!(cases.iter().all(|case| !case.found.is_empty()));
}

#[test]
fn optional_rules_are_off_unless_they_are_named() {
    let optional: BTreeSet<&str> = OPTIONAL.iter().map(|rule| rule.id).collect();
    let cases: Vec<Case> = cases::all().into_iter().chain(schema_cases::all()).collect();
    for case in cases.iter().filter(|case| optional.contains(case.rule)) {
        assert!(
            lint(&document_of(&case.bad)).iter().all(|finding| !optional.contains(finding.rule.id)),
            "{}",
            case.rule
        );
    }
}

#[test]
fn rules_are_well_formed() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
        for words in [rule.what, rule.why] {
            assert!(words.ends_with('.') || words.ends_with(".)"), "{}: {words}", rule.id);
            assert!(!words.contains("  "), "{}: {words}", rule.id);
        }
    }
}

#[test]
fn findings_name_operations_and_paths() {
    let text = document(
        "paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: a, tags: [a], summary: s, responses: {200: {$ref: '#/components/responses/R'}}}
    put:
      operationId: b
      tags: [a]
      summary: s
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}
      responses: {200: {$ref: '#/components/responses/R'}}
  /b:
    get:
      operationId: c
      tags: [a]
      summary: s
      parameters: [{name: q, in: query, description: d, schema: {type: array}}]
      responses: {200: {description: d}}
components:
  responses:
    R: {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}}
  schemas:
    S: {properties: {x: {$ref: '#/components/schemas/T'}}}
    T: {properties: {y: {description: d, anyOf: [{maximum: 1, minimum: 2}]}}}
x: {type: array}",
    );
    let about: Vec<String> = found(&text)
        .iter()
        .map(|finding| format!("{} | {} | {}", finding.rule.id, finding.operations.join(", "), finding.place))
        .collect();
    assert_eq!(
        about,
        [
            "parameter-description-missing | GET /a/{id}, PUT /a/{id} | path /a/{id} › path id",
            "array-without-items | GET /b | query q › type",
            "bounds-contradict | GET /a/{id}, PUT /a/{id} | schema T › y › anyOf 1 › minimum",
            "unknown-field |  | x",
        ]
    );
}

#[test]
fn data_is_not_openapi() {
    let text = schemas(
        "S:
      type: object
      example: {$ref: '#/nowhere', type: array, requird: 1}
      default: {$ref: '#/nowhere', type: array}
      enum: [{$ref: '#/nowhere', type: array}, {type: array, $ref: 1}]
      x-odd: {$ref: '#/components/schemas/S', type: array, operationId: a}
      properties: {$ref: {type: object, description: d}, type: {type: object, description: d}, example: {description: d}}",
    );
    let text = text.replace("default: {$ref: '#/nowhere', type: array}", "x-default: {type: array}");
    let ids: Vec<&str> = found(&text).iter().map(|finding| finding.rule.id).collect();
    // The examples violate the schema by their values; they are not examined as OpenAPI.
    assert_eq!(ids, ["example-invalid", "enum-value-invalid", "enum-value-invalid"]);
}

#[test]
fn findings_come_in_the_order_of_the_text() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/contract.yaml")).unwrap();
    let positions: Vec<_> = found(&text).iter().map(|finding| finding.span.position).collect();
    assert!(positions.len() > 5 && positions.is_sorted(), "{positions:?}");
}

#[test]
fn our_own_contracts_are_clean() {
    for name in ["better-auth.yaml", "fusionauth.yaml"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../openapi").join(name);
        let mut findings = found(&std::fs::read_to_string(path).unwrap());
        findings.retain(|finding| finding.rule.id != "enum-value-shared");
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| {
                let at = finding.span.position;
                format!("{name}:{}:{} {} {} {}", at.line, at.column, finding.rule.id, finding.place, finding.message)
            })
            .collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
}

#[test]
fn broken_references_are_findings_beside_all_others() {
    let text = "\
openapi: 3.0.3
info: {title: t, version: '1'}
servers: [{url: /}]
security: []
paths:
  /a: {get: {$ref: '#/components/responses/R'}}
  /b: {$ref: '#/nowhere'}
  /c:
    get:
      operationId: c
      summary: s
      tags: [undeclared]
      parameters: [{$ref: '#/components/parameters/Missing'}]
      responses: {200: {description: d, content: {$ref: '#/components/responses/R'}}}
      requestBody: 3
    put: 5
components:
  responses: {R: {description: d}}
  schemas: {S: {$ref: '#/components/schemas/S'}}
";
    let files = Files { own: "api.yaml", read: &|_| Err("there are no files".into()) };
    let error = Document::load_with("api.yaml", text, files).unwrap_err();
    assert!(matches!(error, Error::Reference { .. }), "{error}");
    let document = Document::load_for_lint("api.yaml", text, files).unwrap();
    let found: Vec<String> = lint(&document)
        .iter()
        .filter(|finding| ["reference-broken", "tag-undeclared", "field-type"].contains(&finding.rule.id))
        .map(|finding| format!("{} {} {}", finding.span.position.line, finding.rule.id, finding.message))
        .collect();
    assert_eq!(
        found,
        [
            "6 reference-broken the reference `#/components/responses/R` is where OpenAPI allows no reference",
            "7 reference-broken the reference `#/nowhere` cannot be resolved",
            "12 tag-undeclared the tag `undeclared` is not declared",
            "13 reference-broken the reference `#/components/parameters/Missing` cannot be resolved",
            "14 reference-broken the reference `#/components/responses/R` is where OpenAPI allows no reference",
            "15 field-type expected a request body, found `3`",
            "16 field-type expected an operation, found `5`",
            "19 reference-broken the reference `#/components/schemas/S` leads back to itself",
        ]
    );
}
