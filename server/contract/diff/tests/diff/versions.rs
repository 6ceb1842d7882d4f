//! Pairs of schemas of OpenAPI 3.1 and 3.2 with the expected findings: `versions.yaml`, a group for each pair of versions.
//!
//! A row is `[old, new, expected…]`. Each schema is in a request body and in a response. Expected is, with the rule's id
//! without its direction:
//!
//! | | in requests | in responses |
//! |---|---|---|
//! | `< rule` (fewer values) | breaking | compatible |
//! | `> rule` (more values) | compatible | breaking |
//! | `! rule` | breaking | breaking |
//! | `? rule` | risky | risky |
//! | anything else | the finding itself, as `verdict rule` | |
//!
//! The change of version is expected where there is one, and not written.

use crate::case::{Case, told};
use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::convert::to_3_0;
use countersign_contract_document::{Document, source};
use countersign_contract_finding::Verdict;
use countersign_contract_lint::lint;
use serde_json::{Value, json};

const TABLE: &str = include_str!("versions.yaml");

/// Fewest pairs that the table is to have.
const LEAST: usize = 150;

pub(crate) fn cases() -> Vec<Case> {
    let table = source::value("versions.yaml", TABLE).unwrap_or_else(|error| panic!("{}", error.on_one_line()));
    let groups = table["groups"].as_object().unwrap();
    let mut out = Vec::new();
    for (versions, rows) in groups {
        let (old, new) = versions.split_once(" to ").unwrap();
        for row in rows.as_array().unwrap() {
            let row = row.as_array().unwrap_or_else(|| panic!("{versions}: a row is a list, not {row}"));
            let [before, after, expected @ ..] = row.as_slice() else { panic!("{versions}: {row:?}") };
            let mut expected: Vec<Value> =
                expected.iter().flat_map(|one| findings(one.as_str().unwrap())).map(Value::from).collect();
            if old != new {
                expected.push("documentation openapi-version-changed".into());
            }
            let case = json!({
                "name": format!("{versions}: {before} → {after}"),
                "kind": "json schema",
                "old openapi": format!("{old}.0"),
                "new openapi": format!("{new}.0"),
                "schemas": table["schemas"],
                "old": before,
                "new": after,
                "expect": expected,
            });
            out.push(Case::new("versions.yaml", &case));
        }
    }
    out
}

fn findings(expected: &str) -> Vec<String> {
    let Some((sign, rule)) = expected.split_once(' ') else { panic!("{expected}: expected a sign and a rule") };
    let (request, response) = match sign {
        "<" => ("breaking", "compatible"),
        ">" => ("compatible", "breaking"),
        "!" => ("breaking", "breaking"),
        "?" => ("risky", "risky"),
        _ => return vec![expected.to_owned()],
    };
    vec![format!("{request} request-{rule}"), format!("{response} response-{rule}")]
}

#[test]
fn each_pair_of_versions_gives_exactly_the_expected_findings() {
    let cases = cases();
    assert!(cases.len() >= LEAST, "the table has only {} pairs", cases.len());
    let mut complaints = Vec::new();
    for case in &cases {
        let findings = case.findings();
        let mut found: Vec<_> = findings.iter().map(told).collect();
        found.sort();
        let expected = case.expected();
        if found != expected {
            let messages: Vec<_> =
                findings.iter().map(|finding| format!("{}: {}", told(finding), finding.message)).collect();
            complaints.push(format!("{}\n  expected {expected:#?}\n  found {messages:#?}", case.name));
        }
        let complaint = case.complaints(&findings);
        if !complaint.is_empty() {
            complaints.push(format!("{}\n{complaint}", case.name));
        }
    }
    assert!(complaints.is_empty(), "{} of {} pairs:\n{}", complaints.len(), cases.len(), complaints.join("\n"));
}

/// What is converted to OpenAPI 3.0 is valid there, and where nothing is left out, it means the same.
#[test]
fn documents_are_converted_to_openapi_3_0() {
    for case in cases() {
        for document in [case.old(), case.new_document()] {
            let converted = to_3_0(&document);
            let after = Document::from_value("converted", converted.value.clone())
                .unwrap_or_else(|error| panic!("{}: {}", case.name, error.on_one_line()));
            let wrong: Vec<_> = lint(&after)
                .into_iter()
                .filter(|finding| ["unknown-field", "field-type", "field-value"].contains(&finding.rule.id))
                .map(|finding| finding.message)
                .collect();
            assert!(wrong.is_empty(), "{}: {wrong:#?}\n{}", case.name, converted.value);
            let harm: Vec<_> = diff(&document, &after, &DiffOptions::default())
                .into_iter()
                .filter(|finding| finding.verdict >= Verdict::Risky)
                .map(|finding| told(&finding))
                .collect();
            assert!(!converted.lost.is_empty() || harm.is_empty(), "{}: {harm:#?}\n{}", case.name, converted.value);
        }
    }
}

#[test]
fn what_a_conversion_leaves_out_is_listed() {
    let document = Document::load(
        "api.yaml",
        "openapi: 3.1.0\n\
         info: {title: t, version: '1'}\n\
         webhooks: {a: {}}\n\
         components:\n  \
           schemas:\n    \
             A: {type: object, patternProperties: {a: {}}, properties: {x: {$ref: '#/components/schemas/A/$defs/D'}}, $defs: {D: {const: 1}}}\n",
    )
    .unwrap();
    let converted = to_3_0(&document);
    let lost: Vec<_> = converted.lost.iter().map(|lost| lost.pointer.as_str()).collect();
    assert_eq!(lost, ["/webhooks", "/components/schemas/A/patternProperties"]);
    let schemas = json!({
        "A": {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/D"}}},
        "D": {"enum": [1]},
    });
    assert_eq!(converted.value["components"]["schemas"], schemas);
    assert_eq!(converted.value["openapi"], "3.0.4");
}

#[test]
fn no_document_of_the_table_differs_from_itself() {
    for case in cases() {
        for document in [case.old(), case.new_document()] {
            assert_eq!(diff(&document, &document, &DiffOptions::default()), [], "{}", case.name);
        }
    }
}
