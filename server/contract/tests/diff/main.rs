//! Tests of the comparison of two versions of a contract.

use countersign_contract::{DiffOptions, Document, diff};

const BETTER_AUTH: &str = include_str!("../../../../openapi/better-auth.yaml");

#[test]
fn a_contract_does_not_differ_from_itself() {
    let document = Document::load("openapi/better-auth.yaml", BETTER_AUTH).unwrap();
    assert_eq!(diff(&document, &document, &DiffOptions::default()), []);
}

#[test]
fn a_tighter_limit_of_a_shared_schema_is_told_once_with_all_operations() {
    let old = Document::load("old.yaml", BETTER_AUTH).unwrap();
    let new = Document::load("new.yaml", &BETTER_AUTH.replacen("maxLength: 128", "maxLength: 64", 1)).unwrap();
    for finding in diff(&old, &new, &DiffOptions::default()) {
        println!("{finding:#?}");
    }
}
