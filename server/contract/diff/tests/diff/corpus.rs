//! Pairs of documents with the expected findings: `corpus/*.yaml`, a file for each family of rules.

use crate::case::{Case, told};
use countersign_contract_diff::rules::rules;
use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::source;
use std::collections::BTreeSet;
use std::path::Path;

pub(crate) fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut out = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let value = source::value(&file, &std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}", error.on_one_line()));
        out.extend(value.as_array().unwrap().iter().map(|case| Case::new(&file, case)));
    }
    out
}

#[test]
fn each_pair_gives_exactly_the_expected_findings() {
    let mut complaints = Vec::new();
    for case in cases() {
        let findings = case.findings();
        let mut found: Vec<_> = findings.iter().map(told).collect();
        found.sort();
        let expected = case.expected();
        let mut complaint = case.complaints(&findings);
        if found != expected {
            let list = |list: &[String]| list.iter().map(|told| format!("    - {told}\n")).collect::<String>();
            complaint += &format!("  expected\n{}  found\n{}", list(&expected), list(&found));
        }
        if !complaint.is_empty() {
            complaints.push(format!("{}\n{complaint}", case.name));
        }
    }
    assert!(complaints.is_empty(), "{} cases:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn nothing_differs_from_itself() {
    for case in cases() {
        for document in [case.old(), case.new_document()] {
            assert_eq!(diff(&document, &document, &DiffOptions::default()), [], "{}", case.name);
        }
    }
}

#[test]
fn each_rule_is_expected_somewhere() {
    let expected: BTreeSet<String> = cases()
        .iter()
        .chain(&crate::versions::cases())
        .flat_map(Case::expected)
        .map(|told| told.split_whitespace().last().unwrap_or_default().to_owned())
        .collect();
    let missing: Vec<_> = rules().map(|rule| rule.id).filter(|id| !expected.contains(*id)).collect();
    assert!(missing.is_empty(), "no pair gives {missing:#?}");
}

#[test]
fn names_of_cases_are_unique() {
    let mut names = BTreeSet::new();
    for case in cases() {
        assert!(names.insert(case.name.clone()), "there are two cases {}", case.name);
    }
}
