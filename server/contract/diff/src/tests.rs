//! Documents whose schemas refer to each other so often that repeated work would show.

use super::comparison::Comparison;
use super::options::Options;
use super::{diff, operations};
use countersign_contract_document::Document;
use countersign_contract_finding::{Example, Finding};
use serde_json::{Map, Value, json};

/// A document with these schemas, one of which requests and responses consist of.
fn document(schemas: Map<String, Value>, root: &str) -> Document {
    let content = json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{root}")}}});
    let operation = json!({"requestBody": {"content": content}, "responses": {"200": {"content": content}}});
    let document = json!({
        "openapi": "3.0.3", "paths": {"/a": {"post": operation}}, "components": {"schemas": schemas},
    });
    Document::from_value("d", document).unwrap()
}

/// A chain of schemas: each is made from the index and a reference to the next one, and the last one is given.
fn chain(length: usize, link: impl Fn(usize, Value) -> Value, last: Value) -> Map<String, Value> {
    let link = |index: usize| {
        let next = json!({"$ref": format!("#/components/schemas/S{}", index + 1)});
        (format!("S{index}"), link(index, next))
    };
    (0..length).map(link).chain([(format!("S{length}"), last)]).collect()
}

/// Number of pairs of schemas that are compared, each time that they are.
fn compared_pairs(old: &Document, new: &Document) -> usize {
    let mut comparison = Comparison::new(old, new, &Options::default());
    operations::compare(&mut comparison);
    comparison.deferred_runs
}

fn messages(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.message.as_str()).collect()
}

fn text(most: usize) -> Value {
    json!({"type": "string", "maxLength": most})
}

/// Alternatives that may overlap, so that a change of one matters for the other.
fn union(_: usize, next: Value) -> Value {
    json!({"oneOf": [
        {"type": "object", "properties": {"a": next}},
        {"type": "object", "required": ["b"], "properties": {"b": next}},
    ]})
}

#[test]
fn a_chain_of_unions_takes_work_in_proportion_to_its_length() {
    for (before, after) in [(9, 5), (5, 9)] {
        let pairs = |length: usize| {
            let of = |most| document(chain(length, union, text(most)), "S0");
            compared_pairs(&of(before), &of(after))
        };
        let (short, long) = (pairs(50), pairs(500));
        assert!(short >= 100, "each pair is compared in both directions, but {short} were");
        assert!(long <= 11 * short, "{short} comparisons of 50 pairs, {long} of 500");
    }
}

#[test]
fn alternatives_of_different_types_are_compared_once() {
    let of_types = |_: usize, next: Value| json!({"oneOf": [{"type": "string"}, {"type": "array", "items": next}]});
    let of = |most| document(chain(50, of_types, text(most)), "S0");
    assert_eq!(compared_pairs(&of(9), &of(5)), 2 * 51);
}

#[test]
fn a_change_behind_thousands_of_schemas_is_found() {
    let object = |_, next| json!({"type": "object", "properties": {"next": next}});
    let of = |most| document(chain(5_000, object, text(most)), "S0");
    let (old, new) = (of(9), of(5));
    assert_eq!(compared_pairs(&old, &new), 2 * 5_001);
    let findings = diff(&old, &new, &Options::default());
    assert_eq!(messages(&findings), ["max length decreased"; 2]);
}

#[test]
fn nested_unions_that_share_their_alternatives_are_compared() {
    let level = |index: usize| {
        let next = |letter: &str| json!({"$ref": format!("#/components/schemas/{letter}{}", index + 1)});
        let schema = json!({"oneOf": [next("A"), next("B")]});
        ["A", "B"].map(|letter| (format!("{letter}{index}"), schema.clone()))
    };
    let object = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
    let mut schemas: Map<String, Value> = (0..30).flat_map(level).collect();
    schemas.extend([("A30".to_owned(), object("a")), ("B30".to_owned(), object("b"))]);
    let old = document([("X".to_owned(), object("a"))].into_iter().collect(), "X");
    let findings = diff(&old, &document(schemas, "A0"), &Options::default());
    let tangled = "the alternatives of the schema lead to others in very many ways";
    assert!(findings.iter().any(|finding| finding.example == Some(Example::Missing(tangled))));
}

#[test]
fn a_schema_in_the_same_words_is_compared_only_where_it_refers_to_something_else() {
    let schemas = |most: usize, description: &str| {
        let schemas = json!({
            "Name": text(most),
            "User": {
                "type": "object",
                "required": ["name"],
                "minProperties": 1,
                "properties": {"name": {"$ref": "#/components/schemas/Name"}, "id": {"type": "integer", "minimum": 1}},
                "additionalProperties": {"$ref": "#/components/schemas/Name"},
                "description": description,
            },
            "Users": {"type": "array", "maxItems": 9, "items": {"$ref": "#/components/schemas/User"}},
        });
        schemas.as_object().cloned().unwrap()
    };
    let found = |old: &str, new: &str| {
        let findings =
            diff(&document(schemas(9, old), "Users"), &document(schemas(5, new), "Users"), &Options::default());
        findings.iter().map(|finding| (finding.rule.id, finding.place.clone())).collect::<Vec<_>>()
    };
    let (same, other) = (found("d", "d"), found("d", "e"));
    assert_eq!(
        same,
        [
            ("request-max-length-decreased", "request body › application/json › items › name".to_owned()),
            ("response-max-length-decreased", "response 200 › application/json › items › name".to_owned()),
        ]
    );
    // What is found within does not depend on whether the rest is compared, too.
    let others: Vec<_> = other.iter().filter(|(rule, _)| *rule != "documentation-changed").cloned().collect();
    assert_eq!((others, other.len()), (same, 3));
}
