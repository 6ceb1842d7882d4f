//! Findings of selected operations.

use countersign_contract_diff::{Options as DiffOptions, PathPrefix, diff};
use countersign_contract_document::Document;
use countersign_contract_profile::selection::{Regex, Selection};

fn document(text: &str) -> Document {
    Document::load("a.yaml", &format!("openapi: 3.0.3\ninfo: {{title: t, version: 1.0.0}}\npaths:\n{text}")).unwrap()
}

const OLD: &str = "  /v1/users: {get: {operationId: users, tags: [user], responses: {200: {description: d}}}}
  /v1/pets: {get: {operationId: pets, tags: [pet, user], responses: {200: {description: d}}}}
  /v1/pets/{id}: {get: {operationId: pet, tags: [pet], responses: {200: {description: d}}}}
";

fn selection(paths: &[&str], tags: &[&str], operation_ids: &[&str]) -> Selection {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let paths = paths.iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
    Selection { paths, tags: owned(tags), operation_ids: owned(operation_ids) }
}

#[test]
fn findings_of_other_operations_are_left_out() {
    let (old, new) = (document(OLD), document(&OLD.replace("description: d", "description: e")));
    for (selection, expected) in [
        (selection(&[], &[], &[]), &["GET /v1/pets", "GET /v1/pets/{id}", "GET /v1/users"][..]),
        (selection(&["^/v1/pets"], &[], &[]), &["GET /v1/pets", "GET /v1/pets/{id}"]),
        (selection(&["users$", "id"], &[], &[]), &["GET /v1/pets/{id}", "GET /v1/users"]),
        (selection(&[], &["user"], &[]), &["GET /v1/pets", "GET /v1/users"]),
        (selection(&[], &[], &["pet", "users"]), &["GET /v1/pets/{id}", "GET /v1/users"]),
        (selection(&["pets"], &["user"], &[]), &["GET /v1/pets"]),
        (selection(&["pets"], &["none"], &[]), &[]),
    ] {
        let mut findings = diff(&old, &new, &DiffOptions::default());
        selection.apply(&[&old, &new], &mut findings);
        let mut operations: Vec<_> =
            findings.iter().flat_map(|finding| finding.operations.iter().map(AsRef::as_ref)).collect();
        operations.sort();
        assert_eq!(operations, expected, "{selection:?}");
    }
}

#[test]
fn removed_operations_are_selected_in_the_old_document_and_findings_about_the_document_stay() {
    let (old, new) = (document(OLD), document("  /v2: {}\n"));
    let mut findings = diff(&old, &new, &DiffOptions::default());
    selection(&["users"], &[], &[]).apply(&[&old, &new], &mut findings);
    let found: Vec<_> = findings.iter().map(|finding| (finding.rule.id, finding.operations.join(", "))).collect();
    assert_eq!(found, [("operation-removed", "GET /v1/users".to_owned())]);

    let new = document(&format!("{OLD}\nservers: [{{url: /api}}]\n"));
    let mut findings = diff(&old, &new, &DiffOptions::default());
    selection(&["none"], &[], &[]).apply(&[&old, &new], &mut findings);
    assert!(findings.iter().any(|finding| finding.rule.id == "base-path-changed"), "{findings:#?}");
}

#[test]
fn prefixes_match_operations_that_moved() {
    let (old, new) =
        (document(OLD), document(&OLD.replace("/v1", "/api/v2").replace("operationId: ", "operationId: new")));
    let prefix = |strip: &str, add: &str| PathPrefix { strip: strip.to_owned(), add: add.to_owned() };
    let rules = |options: &DiffOptions| {
        let findings = diff(&old, &new, options).into_iter();
        findings.map(|finding| finding.rule.id).collect::<std::collections::BTreeSet<_>>()
    };
    let expected = ["operation-id-changed"].into();
    assert_eq!(rules(&DiffOptions::default()), ["operation-added", "operation-removed"].into());
    for (old_prefix, new_prefix) in [
        (prefix("/v1", ""), prefix("/api/v2", "")),
        (prefix("/v1", "/api/v2"), prefix("", "")),
        (prefix("", "/x"), prefix("/api/v2", "/x/v1")),
    ] {
        let options = DiffOptions { old_prefix, new_prefix, ..DiffOptions::default() };
        assert_eq!(rules(&options), expected, "{options:?}");
    }
}
