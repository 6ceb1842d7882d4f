//! Examples of breaking changes: a value that shows the change, confirmed by a validator.

use crate::case::told;
use crate::generate::{Choices, changed, document, is_free_form, schemas};
use crate::soundness::cases;
use crate::{corpus, versions};
use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_finding::{Example, Finding, Verdict};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

/// Fewest breaking changes of schemas in the corpora, in percent, that have an example.
const LEAST: usize = 94;

/// The same for random schemas, many of which accept no value in a part, so that nothing can show its changes.
const LEAST_OF_RANDOM: usize = 75;

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

/// Breaking changes with an example, and those without by the reason.
#[derive(Default)]
struct Tally {
    found: usize,
    missing: BTreeMap<&'static str, Vec<String>>,
}

impl Tally {
    fn add(&mut self, of: &str, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| is_about_schemas(finding)) {
            match &finding.example {
                Some(Example::Value(_)) => self.found += 1,
                Some(Example::Missing(why)) => {
                    self.missing.entry(why).or_default().push(format!("{of}: {}", told(finding)));
                }
                None => assert!(OTHERS.contains(&finding.rule.id), "{of}: {} has no example", told(finding)),
            }
        }
    }

    /// The share with an example, in percent.
    #[expect(clippy::print_stdout, reason = "the measurement that the README shows")]
    fn share(&self) -> usize {
        let all = self.found + self.missing.values().map(Vec::len).sum::<usize>();
        println!("{} of {all} breaking changes of schemas have an example", self.found);
        self.missing.iter().for_each(|(why, list)| println!("{} without, because {why}: {list:#?}", list.len()));
        100 * self.found / all
    }
}

#[test]
fn breaking_changes_of_schemas_have_an_example_or_say_why_not() {
    let mut tally = Tally::default();
    for case in corpus::cases().iter().chain(&versions::cases()) {
        tally.add(&case.name, &case.findings());
    }
    let share = tally.share();
    assert!(share >= LEAST, "only {share} %: {:#?}", tally.missing);
}

/// Random schemas and changes of them, the same in each run.
#[test]
fn breaking_changes_of_random_schemas_have_an_example_or_say_why_not() {
    let mut runner = TestRunner::deterministic();
    let choices = proptest::collection::vec(any::<u16>(), 60);
    let mut draw = || choices.new_tree(&mut runner).unwrap().current();
    let mut tally = Tally::default();
    for _ in 0..2 * cases() {
        let before = schemas(&mut Choices(&draw()));
        let after = changed(&mut Choices(&draw()), &before);
        if is_free_form(&before) || is_free_form(&after) {
            continue;
        }
        let findings = diff(&document("old", &before), &document("new", &after), &DiffOptions::default());
        tally.add(&format!("{before} → {after}"), &findings);
    }
    let share = tally.share();
    assert!(share >= LEAST_OF_RANDOM, "only {share} %: {:#?}", tally.missing);
}
