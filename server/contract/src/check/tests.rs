//! Requests are valid or invalid as their purpose says.

use super::{Check, Probe, Purpose, Wanted};
use crate::document::Document;
use crate::json_schema::{Extra, json_schema};
use crate::node::Node;
use crate::pointer;
use std::collections::{BTreeMap, BTreeSet};

fn documents() -> Vec<Document> {
    let contracts = [
        ("better-auth", include_str!("../../../../openapi/better-auth.yaml")),
        ("fusionauth", include_str!("../../../../openapi/fusionauth.yaml")),
        ("sample", include_str!("../../tests/fixtures/contract.yaml")),
    ];
    contracts.into_iter().map(|(name, text)| Document::load(name, text).unwrap()).collect()
}

fn first_probes(check: &Check, seed: u64, number: usize) -> Vec<Probe> {
    check.probes(Wanted { only_safe: false, seed }).take(number).collect()
}

/// Whether the body matches its schema; `None` if the operation has no JSON body.
fn body_fits(document: &Document, probe: &Probe) -> Option<bool> {
    let operation = Node::root(document).get("paths");
    let path = pointer::tokens(&probe.pointer).nth(1).unwrap();
    let operation = operation?.get(&path)?.follow(&probe.method.to_ascii_lowercase())?;
    let schema = operation.follow("requestBody")?.get("content")?.get("application/json")?.get("schema")?;
    let schema = json_schema(&schema, Extra::Allowed).schema;
    let body: serde_json::Value = serde_json::from_slice(&probe.body).ok()?;
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    Some(validator.is_valid(&body))
}

#[test]
fn bodies_match_their_purpose() {
    // One example of the sample intentionally does not match its schema.
    for document in documents().into_iter().filter(|document| document.name() != "sample") {
        let check = Check::new(&document);
        let mut seen = BTreeMap::<bool, usize>::new();
        for probe in first_probes(&check, 7, 3_000) {
            let Some(fits) = body_fits(&document, &probe) else { continue };
            let about_the_body = match &probe.purpose {
                Purpose::Forbidden { what, .. } => what.starts_with("the body is wrong") || what.contains("property"),
                _ => false,
            };
            if let Purpose::Documented(_) = probe.purpose {
                assert!(fits, "{}: {}: {:?}", document.name(), probe.operation, String::from_utf8_lossy(&probe.body));
            }
            if about_the_body {
                assert!(!fits, "{:?}: {:?}", probe.purpose, String::from_utf8_lossy(&probe.body));
            }
            *seen.entry(fits).or_default() += 1;
        }
        assert!(seen.len() == 2, "{}: {seen:?}", document.name());
    }
}

#[test]
fn few_requests_reach_all_operations_and_a_seed_repeats_itself() {
    for document in documents() {
        let check = Check::new(&document);
        let operations = check.operations(Wanted::default());
        let first = first_probes(&check, 1, operations);
        let reached: BTreeSet<&str> = first.iter().map(|probe| probe.operation.as_str()).collect();
        assert_eq!(reached.len(), operations);
        let bytes = |seed| {
            first_probes(&check, seed, 500).into_iter().map(|probe| (probe.target, probe.body)).collect::<Vec<_>>()
        };
        assert_eq!(bytes(3), bytes(3));
        let safe = check.probes(Wanted { only_safe: true, seed: 1 }).take(100);
        assert!(safe.into_iter().all(|probe| probe.method == "GET"));
    }
}

#[test]
fn urls_are_percent_encoded() {
    for document in documents() {
        for probe in first_probes(&Check::new(&document), 5, 2_000) {
            let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/?&=".contains(&byte);
            assert!(probe.target.bytes().all(is_unreserved) && !probe.target.contains('{'), "{}", probe.target);
            for (name, value) in &probe.headers {
                assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value}");
            }
        }
    }
}

#[test]
fn documents_without_operations_have_nothing_to_send() {
    let document = Document::load("d", "openapi: 3.0.3\npaths: {}\n").unwrap();
    assert_eq!(Check::new(&document).probes(Wanted::default()).count(), 0);
}
