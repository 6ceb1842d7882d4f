//! The table in `oasdiff.md` contains exactly our rules.

use countersign_contract_diff::rules::{rule, rules};
use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../../oasdiff.md");

/// Names in backquotes in a cell.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_names_each_rule_and_no_others() {
    let is_ours = |line: &&str| line.starts_with("| ") && !line.starts_with("| checks");
    let sections = TABLE.split("\n## ").filter(|section| section.starts_with("Covered") || section.starts_with("Ours"));
    let cells = sections.flat_map(str::lines).filter(is_ours).filter_map(|line| line.split(" | ").nth(1));
    let mut named = BTreeSet::new();
    for name in cells.flat_map(names) {
        match name.strip_prefix('*') {
            Some(rest) => named.extend(["request", "response"].map(|direction| format!("{direction}{rest}"))),
            None => {
                named.insert(name.to_owned());
            }
        }
    }
    let unknown: Vec<_> = named.iter().filter(|name| rule(name).is_none()).collect();
    assert!(unknown.is_empty(), "the table contains unknown rules: {unknown:#?}");
    let missing: Vec<_> = rules().map(|rule| rule.id).filter(|id| !named.contains(*id)).collect();
    assert!(missing.is_empty(), "the table lacks {missing:#?}");
}
