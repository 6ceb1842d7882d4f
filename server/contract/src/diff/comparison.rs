//! The state of a running comparison: its position in the documents, and its findings.

use super::change::{ChangeSide, Direction, SchemaContext};
use super::options::Options;
use super::pairs::{PairKey, Pairs};
use super::rules;
use super::schema::parts::Parts;
use super::unchanged::Unchanged;
use crate::document::Document;
use crate::finding::{Finding, Rule, Side, Verdict};
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

pub(super) struct Comparison<'d> {
    pub(super) old: &'d Document,
    pub(super) new: &'d Document,
    pub(super) today: Option<String>,
    pub(super) unchanged: Unchanged,
    /// The operation being compared.
    pub(super) operation: Option<String>,
    pub(super) direction: Direction,
    /// Pairs of shared schemas, and the findings in them.
    pairs: Pairs,
    /// Pairs that are yet to be compared.
    pending: Vec<Pending<'d>>,
    /// Context of the schema that is compared next.
    pub(super) context: SchemaContext,
    /// Renamed schemas: old and new name.
    pub(super) renamed_schemas: BTreeSet<(String, String)>,
    /// Whether the path of the first server moved into the paths or out of them.
    pub(super) base_is_in_paths: bool,
    /// Whether values are serialized as text, as in parameters and headers.
    pub(super) is_text: bool,
    /// Whether findings are not to be reported because the comparison only has to decide whether a change is harmful.
    pub(super) is_dry_run: bool,
    place: Vec<String>,
    /// The named schema that contains the current position, and the length of the path to it.
    component: Option<(String, usize)>,
    found: Vec<Found>,
    index: HashMap<Key, usize>,
    /// Whether a dry run found a harmful change.
    has_harm: bool,
    /// Results of dry runs by pair.
    dry_run_results: HashMap<PairKey, bool>,
}

/// Key by which the findings of several operations are merged: rule, both pointers, message.
type Key = (&'static str, Option<String>, Option<String>, String);

/// Two schemas to be compared.
pub(super) struct SchemaPair<'d> {
    pub(super) old: Parts<'d>,
    pub(super) new: Parts<'d>,
    pub(super) context: SchemaContext,
}

/// Two schemas yet to be compared, and the position at which the comparison met them.
struct Pending<'d> {
    schemas: SchemaPair<'d>,
    pair: usize,
    place: Vec<String>,
    component: Option<(String, usize)>,
    flags: (Direction, bool),
}

struct Found {
    finding: Finding,
    in_component: Option<String>,
}

impl<'d> Comparison<'d> {
    pub(super) fn new(old: &'d Document, new: &'d Document, options: &Options) -> Self {
        Self {
            old,
            new,
            today: options.today.clone(),
            unchanged: Unchanged::between(old, new),
            operation: None,
            direction: Direction::Request,
            pairs: Pairs::default(),
            pending: Vec::new(),
            context: SchemaContext::default(),
            renamed_schemas: BTreeSet::new(),
            base_is_in_paths: false,
            is_text: false,
            is_dry_run: false,
            place: Vec::new(),
            component: None,
            found: Vec::new(),
            index: HashMap::new(),
            has_harm: false,
            dry_run_results: HashMap::new(),
        }
    }

    /// Runs `work` with a part appended to the current path.
    pub(super) fn inside<T>(&mut self, part: impl Into<String>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(part.into());
        let result = work(self);
        self.place.pop();
        result
    }

    /// Runs `work` within a named schema.
    pub(super) fn inside_component<T>(&mut self, name: Option<&str>, work: impl FnOnce(&mut Self) -> T) -> T {
        let Some(name) = name else { return work(self) };
        let outer = self.component.replace((name.to_owned(), self.place.len()));
        let result = work(self);
        self.component = outer;
        result
    }

    /// Runs `work` in a direction.
    pub(super) fn towards(&mut self, direction: Direction, work: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.direction, direction);
        work(self);
        self.direction = before;
    }

    /// Defers the comparison of two schemas that several places may refer to, so that they are compared once. The findings
    /// are reported for all operations that use them.
    pub(super) fn defer(&mut self, (old, new): (String, String), schemas: SchemaPair<'d>) {
        let key = (old, new, self.direction, (self.is_text, schemas.context));
        let operation = self.operation.as_ref().filter(|_| !self.is_dry_run);
        let (pair, is_new) = self.pairs.enter(key, operation);
        if is_new {
            let (place, component) = (self.place.clone(), self.component.clone());
            let flags = (self.direction, self.is_text);
            self.pending.push(Pending { schemas, pair, place, component, flags });
        }
    }

    /// Runs the deferred comparisons, including those that they defer. A queue instead of recursion, because chains of
    /// references may be long.
    pub(super) fn run_deferred(&mut self, mut work: impl FnMut(&mut Self, SchemaPair<'d>)) {
        let outer = (self.pairs.current, self.place.clone(), self.component.clone(), (self.direction, self.is_text));
        while let Some(next) = self.pending.pop().filter(|_| !self.is_decided()) {
            self.pairs.current = Some(next.pair);
            (self.place, self.component) = (next.place, next.component);
            (self.direction, self.is_text) = next.flags;
            work(self, next.schemas);
        }
        (self.pairs.current, self.place, self.component, (self.direction, self.is_text)) = outer;
    }

    /// Whether comparing two schemas would give a risky or breaking finding. A dry run: nothing is reported.
    ///
    /// For requests, it means that the new schema may reject values that the old one accepted; for responses, that it may
    /// accept values that the old one rejected.
    pub(super) fn does_harm(
        &mut self,
        direction: Direction,
        (old, new): (String, String),
        work: impl FnOnce(&mut Self),
    ) -> bool {
        let key = (old, new, direction, (self.is_text, SchemaContext::default()));
        // A dry run within another one compares less, so its results are not reused.
        if let Some(known) = self.dry_run_results.get(&key).filter(|_| !self.is_dry_run) {
            return *known;
        }
        let (pairs, pending) = (std::mem::take(&mut self.pairs), std::mem::take(&mut self.pending));
        let context = std::mem::take(&mut self.context);
        let (was_dry_run, had_harm) = (self.is_dry_run, std::mem::take(&mut self.has_harm));
        self.is_dry_run = true;
        self.towards(direction, work);
        (self.is_dry_run, self.context) = (was_dry_run, context);
        (self.pairs, self.pending) = (pairs, pending);
        let has_harm = std::mem::replace(&mut self.has_harm, had_harm);
        if !was_dry_run {
            self.dry_run_results.insert(key, has_harm);
        }
        has_harm
    }

    /// Whether the result of a dry run is known.
    pub(super) fn is_decided(&self) -> bool {
        self.is_dry_run && self.has_harm
    }

    /// Reports a change under a rule.
    pub(super) fn report(
        &mut self,
        id: &str,
        message: impl Into<String>,
        old: Option<ChangeSide>,
        new: Option<ChangeSide>,
    ) {
        static BY_ID: LazyLock<HashMap<&str, &Rule>> =
            LazyLock::new(|| rules::rules().map(|rule| (rule.id, rule)).collect());
        let rule: &'static Rule = BY_ID.get(id).copied().unwrap_or_else(|| unreachable!("there is no rule {id}"));
        if self.is_dry_run {
            // Only rules about values count, not those about names, for example.
            self.has_harm |= rule.verdict >= Verdict::Risky && rule.id.starts_with(self.direction.prefix());
            return;
        }
        let message = message.into();
        let pointer = |side: &Option<ChangeSide>| side.as_ref().map(|side| side.pointer.clone());
        let key = (rule.id, pointer(&old), pointer(&new), message.clone());
        let at = *self.index.entry(key).or_insert(self.found.len());
        if at == self.found.len() {
            let old = old.map(|side| located(self.old, side));
            let new = new.map(|side| located(self.new, side));
            let span = new.as_ref().or(old.as_ref()).map_or_else(|| self.new.span(""), |side| side.span.clone());
            let in_component = self.component.as_ref().map(|(name, length)| {
                let parts = std::iter::once(format!("schema {name}")).chain(self.place[*length..].iter().cloned());
                parts.collect::<Vec<_>>().join(" › ")
            });
            let place = self.place.join(" › ");
            let finding =
                Finding { rule, verdict: rule.verdict, operations: Vec::new(), place, message, span, old, new };
            self.found.push(Found { finding, in_component });
        }
        self.pairs.record(at, self.operation.as_ref());
    }

    /// Reports a change of a schema under the rule for the current direction.
    pub(super) fn report_schema_change(
        &mut self,
        change: &str,
        message: impl Into<String>,
        old: Option<ChangeSide>,
        new: Option<ChangeSide>,
    ) {
        let id = format!("{}-{change}", self.direction.prefix());
        self.report(&id, message, old, new);
    }

    /// The findings about the document, then those about its operations, each with the worst first.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        for (operation, findings) in self.pairs.findings_by_operation() {
            findings.into_iter().for_each(|at| self.found[at].finding.operations.push(operation.clone()));
        }
        let mut order: HashMap<String, usize> = HashMap::new();
        for found in &self.found {
            for operation in &found.finding.operations {
                let next = order.len();
                order.entry(operation.clone()).or_insert(next);
            }
        }
        let mut findings: Vec<Finding> = self
            .found
            .into_iter()
            .map(|found| {
                let Found { mut finding, in_component } = found;
                if finding.operations.len() > 1
                    && let Some(place) = in_component
                {
                    finding.place = place;
                }
                finding
            })
            .collect();
        findings.sort_by_cached_key(|finding| {
            let operation = finding.operations.first().and_then(|operation| order.get(operation)).copied();
            (operation, std::cmp::Reverse(finding.verdict), finding.span.clone())
        });
        findings
    }
}

fn located(document: &Document, side: ChangeSide) -> Side {
    let pointer = document.pointer_in_file(&side.pointer);
    Side { span: document.span(&side.pointer), pointer, value: side.value }
}
