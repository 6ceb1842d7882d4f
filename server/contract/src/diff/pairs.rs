//! Which pairs of schemas were compared, what was found in each, and which operations lead there.
//!
//! Most operations share their schemas, and schemas share others. Each pair is compared once; in the end, what was found is
//! handed to all operations that lead to it.

use super::change::{Direction, SchemaContext};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What tells a pair from others: the schemas, where their values go, whether they are written as text, and what stands
/// beside them.
pub(super) type PairKey = (String, String, Direction, (bool, SchemaContext));

/// Pairs, by the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    numbers: HashMap<PairKey, usize>,
    pairs: Vec<Pair>,
    /// The pair that is being compared.
    pub(super) current: Option<usize>,
    /// Operations in the order in which they were met, each with the pairs and findings that it leads to itself.
    operations: Vec<(String, Pair)>,
}

#[derive(Debug, Default)]
struct Pair {
    /// Pairs in it.
    inner: Vec<usize>,
    /// Numbers of the findings in it, apart from those in other pairs.
    findings: Vec<usize>,
}

impl Pairs {
    /// Notes that what is being compared leads to a pair. Whether the pair is met for the first time.
    pub(super) fn enter(&mut self, key: PairKey, operation: Option<&String>) -> (usize, bool) {
        let next = self.pairs.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.pairs.push(Pair::default());
        }
        if let Some(here) = self.here(operation) {
            here.inner.push(number);
        }
        (number, number == next)
    }

    /// Notes a finding where the comparison is.
    pub(super) fn record(&mut self, finding: usize, operation: Option<&String>) {
        if let Some(here) = self.here(operation) {
            here.findings.push(finding);
        }
    }

    fn here(&mut self, operation: Option<&String>) -> Option<&mut Pair> {
        if let Some(current) = self.current {
            return self.pairs.get_mut(current);
        }
        let operation = operation?;
        if self.operations.last().is_none_or(|(last, _)| last != operation) {
            self.operations.push((operation.clone(), Pair::default()));
        }
        self.operations.last_mut().map(|(_, pair)| pair)
    }

    /// Operations in the order in which they were met, and the findings that each leads to.
    pub(super) fn findings_by_operation(&mut self) -> Vec<(String, BTreeSet<usize>)> {
        let operations = std::mem::take(&mut self.operations);
        let reached = |root: Pair| {
            let (mut findings, mut pending) = (BTreeSet::from_iter(root.findings), root.inner);
            let mut seen = HashSet::new();
            while let Some(number) = pending.pop() {
                if seen.insert(number) {
                    findings.extend(&self.pairs[number].findings);
                    pending.extend(&self.pairs[number].inner);
                }
            }
            findings
        };
        operations.into_iter().map(|(operation, root)| (operation, reached(root))).collect()
    }
}
