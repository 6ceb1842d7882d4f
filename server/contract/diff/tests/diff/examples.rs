//! Examples of breaking changes: a value that shows the change, confirmed by a validator.

use crate::case::told;
use crate::{corpus, versions};
use countersign_contract_finding::{Example, Finding, Verdict};
use std::collections::BTreeMap;

/// Fewest breaking changes of schemas in the corpora, in percent, that have an example.
const LEAST: usize = 93;

fn is_about_schemas(finding: &Finding) -> bool {
    let has_prefix = ["request-", "response-"].iter().any(|start| finding.rule.id.starts_with(start));
    finding.verdict == Verdict::Breaking && has_prefix
}

/// Rules about requests and responses that are not about their schemas.
const OTHERS: [&str; 10] = [
    "request-body-added-required",
    "request-body-became-required",
    "request-body-removed",
    "request-media-type-removed",
    "response-success-removed",
    "response-body-removed",
    "response-media-type-removed",
    "response-header-removed",
    "response-header-became-optional",
    "response-header-content-changed",
];

#[test]
fn breaking_changes_of_schemas_have_an_example_or_say_why_not() {
    let (mut found, mut missing) = (0, BTreeMap::<&str, Vec<String>>::new());
    for case in corpus::cases().iter().chain(&versions::cases()) {
        for finding in case.findings().iter().filter(|finding| is_about_schemas(finding)) {
            match &finding.example {
                Some(Example::Value(_)) => found += 1,
                Some(Example::Missing(why)) => {
                    missing.entry(why).or_default().push(format!("{}: {}", case.name, told(finding)));
                }
                None => assert!(OTHERS.contains(&finding.rule.id), "{}: {} has no example", case.name, told(finding)),
            }
        }
    }
    let without: usize = missing.values().map(Vec::len).sum();
    let share = 100 * found / (found + without);
    println!("{found} of {} breaking changes of schemas have an example: {share} %", found + without);
    missing.iter().for_each(|(why, list)| println!("{} without, because {why}: {list:#?}", list.len()));
    assert!(share >= LEAST, "only {share} %: {missing:#?}");
}
