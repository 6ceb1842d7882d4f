//! Examples of breaking changes: a value that shows the change, confirmed by a validator.

use crate::case::told;
use crate::generate::{Choices, changed, document, instance, is_free_form, schemas};
use crate::soundness::{Side, cases};
use crate::{corpus, versions};
use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_finding::{Example, Finding, Verdict};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fewest breaking changes of schemas in the corpora, in percent, that have an example.
const LEAST: usize = 94;

/// The same for random schemas, many of which accept no value in a part, so that nothing can show its changes.
const LEAST_OF_RANDOM: usize = 75;

/// Most breaking changes of random schemas, for 150 cases, that have no example although random values show a break.
const MOST_MISSED: usize = 10;

/// What [`MOST_MISSED`] is for.
const CASES: usize = 150;

/// Random values, of each of the two schemas, for each change without an example.
const VALUES: usize = 300;

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

/// Random lists of choices, the same in each run.
fn choices() -> impl FnMut() -> Vec<u16> {
    let mut runner = TestRunner::deterministic();
    move || proptest::collection::vec(any::<u16>(), 60).new_tree(&mut runner).unwrap().current()
}

/// Whether one of many random values of the whole schemas could be sent in the direction of a finding and no longer can.
fn breaks(finding: &Finding, before: &Value, after: &Value, draw: &mut impl FnMut() -> Vec<u16>) -> bool {
    let (old, new) = (Side::new(document("old", before)), Side::new(document("new", after)));
    let (accepting, rejecting) = if finding.rule.id.starts_with("request-") { (&old, &new) } else { (&new, &old) };
    let shows = |value: &Value| {
        accepting.strict.is_valid(value) && accepting.loose.is_valid(value) && !rejecting.loose.is_valid(value)
    };
    (0..VALUES).any(|_| {
        let made = draw();
        [before, after].into_iter().any(|schemas| shows(&instance(&mut Choices(&made), schemas, &schemas["Root"], 6)))
    })
}

/// Random schemas and changes of them, the same in each run.
#[test]
fn breaking_changes_of_random_schemas_have_an_example_or_say_why_not() {
    let (mut draw, mut draw_value) = (choices(), choices());
    let (mut tally, mut missed) = (Tally::default(), 0);
    for _ in 0..2 * cases() {
        let before = schemas(&mut Choices(&draw()));
        let after = changed(&mut Choices(&draw()), &before);
        if is_free_form(&before) || is_free_form(&after) {
            continue;
        }
        let findings = diff(&document("old", &before), &document("new", &after), &DiffOptions::default());
        tally.add(&format!("{before} → {after}"), &findings);
        let without = |finding: &&Finding| matches!(finding.example, Some(Example::Missing(_)));
        let without = findings.iter().filter(|finding| is_about_schemas(finding)).filter(without);
        missed += without.filter(|finding| breaks(finding, &before, &after, &mut draw_value)).count();
    }
    println!("random values break {missed} of those without");
    let share = tally.share();
    assert!(share >= LEAST_OF_RANDOM, "only {share} %: {:#?}", tally.missing);
    let most = MOST_MISSED * usize::try_from(cases()).unwrap().div_ceil(CASES);
    assert!(missed <= most, "random values show {missed} changes that have no example: {:#?}", tally.missing);
}
