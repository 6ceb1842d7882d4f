//! A comparison under way: where it is, and what it has found.

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
    /// The operation that is being compared.
    pub(super) operation: Option<String>,
    pub(super) direction: Direction,
    /// Pairs of named schemas, and what was found in them.
    pairs: Pairs,
    /// Pairs that are still to be compared.
    pending: Vec<Pending<'d>>,
    /// What stands beside the schema that is compared next.
    pub(super) context: SchemaContext,
    /// Names of schemas that are gone, each with the one that took its place.
    pub(super) renamed_schemas: BTreeSet<(String, String)>,
    /// Whether the path of the first server went into the paths, or came out of them.
    pub(super) base_is_in_paths: bool,
    /// Whether values are written as text, as those of parameters and headers are.
    pub(super) is_text: bool,
    /// Whether this is only to find out how two schemas differ.
    pub(super) is_dry_run: bool,
    place: Vec<String>,
    /// The named schema that the place is in, and how much of the place leads there.
    component: Option<(String, usize)>,
    found: Vec<Found>,
    index: HashMap<Key, usize>,
    /// Whether a trial found something that hurts.
    has_harm: bool,
    /// What trials found out.
    dry_run_results: HashMap<PairKey, bool>,
}

/// What makes two findings one: the same change at the same place of the documents, seen by several operations.
type Key = (&'static str, Option<String>, Option<String>, String);

/// Two schemas to compare.
pub(super) struct SchemaPair<'d> {
    pub(super) old: Parts<'d>,
    pub(super) new: Parts<'d>,
    pub(super) context: SchemaContext,
}

/// Two schemas that are still to be compared, and where the comparison was when it came across them.
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

    /// Goes into a part of what is compared.
    pub(super) fn inside<T>(&mut self, part: impl Into<String>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(part.into());
        let result = work(self);
        self.place.pop();
        result
    }

    /// Goes into a named schema.
    pub(super) fn inside_component<T>(&mut self, name: Option<&str>, work: impl FnOnce(&mut Self) -> T) -> T {
        let Some(name) = name else { return work(self) };
        let outer = self.component.replace((name.to_owned(), self.place.len()));
        let result = work(self);
        self.component = outer;
        result
    }

    /// Goes in a direction.
    pub(super) fn towards(&mut self, direction: Direction, work: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.direction, direction);
        work(self);
        self.direction = before;
    }

    /// Puts off the comparison of two schemas that others may refer to, too: once, whoever refers to them. What is found
    /// there is reported of all operations that lead there.
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

    /// Compares what was put off, and what that leads to. One after the other, so that long chains of references do not
    /// pile up.
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

    /// Whether a comparison of two schemas would find something risky or breaking. What it finds is not reported.
    ///
    /// In the direction of requests, that means that the new schema may refuse what the old one took; in the direction of
    /// responses, that it may take what the old one refused.
    pub(super) fn does_harm(
        &mut self,
        direction: Direction,
        (old, new): (String, String),
        work: impl FnOnce(&mut Self),
    ) -> bool {
        let key = (old, new, direction, (self.is_text, SchemaContext::default()));
        // Within another trial, less is looked at, so that its results are no better than a guess.
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

    /// Whether a trial has found out what it is for.
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
            // Other names, say, hurt too, but not because of the values.
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

    /// Reports what happened to a schema, in the direction that the comparison goes.
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

    /// The findings: of the document as a whole, then of its operations, the worst of each first.
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
