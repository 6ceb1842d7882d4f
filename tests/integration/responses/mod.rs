//! Every response that the contracts document is given by the real server.
//!
//! A scenario is a test that brings a server of its own to give some responses; the harness holds each of them against
//! the contract. The last test looks at all scenarios together: what is documented and was not seen must be in
//! `unproduced.txt`, which is empty. So a status without a scenario shows up as a difference to a checked-in file.

mod admin;
mod everywhere;
mod fusionauth;
mod fusionauth_everywhere;
mod refusals;
mod scenario;
mod successes;

use crate::harness::Pairs;
use crate::harness::contract;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use scenario::Scenario;

/// Documented pairs that no scenario produces, one `operationId status` per line.
const UNPRODUCED: &str = include_str!("unproduced.txt");

fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    let better_auth = [everywhere::ALL, refusals::ALL, successes::ALL];
    better_auth.into_iter().chain([fusionauth_everywhere::ALL, fusionauth::ALL, admin::ALL]).flatten()
}

#[on_each_database]
async fn every_documented_response_is_produced(database: DatabaseKind) {
    let mut produced = Pairs::new();
    for scenario in scenarios() {
        produced.extend((scenario.pairs)(database).await);
    }
    let documented = contract::documented();
    let missing = documented.difference(&produced).map(|(operation, status)| format!("{operation} {status}"));
    let missing: Vec<String> = missing.collect();
    let golden: Vec<&str> = UNPRODUCED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let spare =
        golden.iter().filter(|line| !missing.iter().any(|other| other == *line)).map(|line| format!("\n  - {line}"));
    let unknown = missing.iter().filter(|line| !golden.contains(&line.as_str())).map(|line| format!("\n  + {line}"));
    let differences: String = spare.chain(unknown).collect();
    assert!(
        missing == golden,
        "the documented responses and the produced ones differ:{differences}\n\
         Lines with - are in tests/integration/responses/unproduced.txt and are produced after all: take them out.\n\
         Lines with + are documented in openapi/ and no scenario produces them: write one in \
         tests/integration/responses/, or take the status out of the contract."
    );
}

/// Otherwise one could be deleted and nobody would notice.
#[on_each_database]
async fn no_scenario_can_be_spared(database: DatabaseKind) {
    let mut by_scenario = Vec::new();
    for scenario in scenarios() {
        by_scenario.push((scenario.name, (scenario.pairs)(database).await));
    }
    for (name, pairs) in &by_scenario {
        let others = by_scenario.iter().filter(|(other, _)| other != name).flat_map(|(_, pairs)| pairs);
        let others: Pairs = others.copied().collect();
        assert!(!pairs.is_subset(&others), "{name} produces nothing that others do not");
    }
}
