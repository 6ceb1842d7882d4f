//! Compared pairs of schemas, their findings, and the operations that use them.
//!
//! Operations share schemas, and schemas share others. Each pair is compared once; at the end, its findings are assigned to
//! all operations that use it.

use super::change::{Direction, SchemaContext};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Identity of a pair: both schemas, the direction, whether values are serialized as text, and the context.
pub(super) type PairKey = (String, String, Direction, (bool, SchemaContext));

/// All pairs and operations, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    numbers: HashMap<PairKey, usize>,
    pairs: Vec<Pair>,
    /// The pair being compared.
    pub(super) current: Option<usize>,
    /// Operations in the order in which they were met, each with its direct pairs and findings.
    operations: Vec<(String, Pair)>,
}

#[derive(Debug, Default)]
struct Pair {
    /// Pairs that it contains.
    inner: Vec<usize>,
    /// Indices of its findings, without those of other pairs.
    findings: Vec<usize>,
}

impl Pairs {
    /// Records that the current pair or operation contains a pair. Returns its index, and whether it is new.
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

    /// Records a finding for the current pair or operation.
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

    /// Operations in the order in which they were met, each with all its findings.
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
