//! The state of a running comparison: its position in the documents, and its findings.

mod findings;

use super::change::{Direction, SchemaContext};
use super::options::Options;
use super::pairs::{PairKey, Pairs};
use super::place::Place;
use super::schema::parts::Parts;
use super::unchanged::Unchanged;
use crate::language::Languages;
use countersign_contract_document::Document;
use findings::{Found, Key};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

pub(super) use findings::Origin;

pub(super) struct Comparison<'d> {
    pub(super) old: &'d Document,
    pub(super) new: &'d Document,
    pub(super) options: Options,
    pub(super) unchanged: Unchanged,
    pub(super) languages: Rc<Languages>,
    /// Operations whose level of stability allows breaking changes.
    pub(super) unstable: BTreeSet<String>,
    /// The operation being compared.
    pub(super) operation: Option<String>,
    pub(super) direction: Direction,
    /// Pairs of shared schemas, and the findings in them.
    pairs: Pairs,
    /// Pairs that are yet to be compared.
    pending: Vec<Pending<'d>>,
    /// Context of the schema that is compared next.
    pub(super) context: SchemaContext,
    /// Whether the schemas that are compared next are alternatives of the current ones.
    pub(super) is_alternative: bool,
    /// The schemas that are being compared.
    pub(super) current: Option<Current<'d>>,
    /// Renamed schemas: old and new name.
    pub(super) renamed_schemas: BTreeSet<(String, String)>,
    /// Whether the path of the first server moved into the paths or out of them.
    pub(super) base_is_in_paths: bool,
    /// Whether values are serialized as text, as in parameters and headers.
    pub(super) is_text: bool,
    /// Whether findings are not to be reported because the comparison only has to decide whether a change is harmful.
    pub(super) is_dry_run: bool,
    place: Place,
    /// The named schema that contains the current position, and the length of the path to it.
    component: Option<(String, usize)>,
    found: Vec<Found<'d>>,
    index: HashMap<Key, usize>,
    /// Whether a dry run found a harmful change.
    has_harm: bool,
    /// Pairs that dry runs compared, and whether a harmful change was found in them or in what they contain.
    known_harm: HashMap<PairKey, bool>,
    /// Number of deferred comparisons that were run, in dry runs too.
    #[cfg(test)]
    pub(super) deferred_runs: usize,
}

/// Two schemas to be compared.
pub(super) struct SchemaPair<'d> {
    pub(super) old: Parts<'d>,
    pub(super) new: Parts<'d>,
    pub(super) context: SchemaContext,
    /// The schemas with all alternatives, if these are alternatives without a name.
    pub(super) union: Option<Rc<Schemas<'d>>>,
}

/// An old and a new schema.
#[derive(Debug)]
pub(super) struct Schemas<'d> {
    pub(super) old: Parts<'d>,
    pub(super) new: Parts<'d>,
}

/// The schemas that are being compared.
#[derive(Debug, Clone)]
pub(super) struct Current<'d> {
    pub(super) own: Rc<Schemas<'d>>,
    /// The smallest schemas that decide whether a value is accepted: if the own ones are alternatives, those with all
    /// alternatives.
    pub(super) whole: Rc<Schemas<'d>>,
}

/// Two schemas yet to be compared, and the position at which the comparison met them.
struct Pending<'d> {
    schemas: SchemaPair<'d>,
    pair: usize,
    place: Place,
    component: Option<(String, usize)>,
    flags: (Direction, bool),
}

impl<'d> Comparison<'d> {
    pub(super) fn new(old: &'d Document, new: &'d Document, options: &Options) -> Self {
        Self {
            old,
            new,
            options: options.clone(),
            unstable: BTreeSet::new(),
            unchanged: Unchanged::between(old, new),
            languages: Rc::default(),
            operation: None,
            direction: Direction::Request,
            pairs: Pairs::default(),
            pending: Vec::new(),
            context: SchemaContext::default(),
            is_alternative: false,
            current: None,
            renamed_schemas: BTreeSet::new(),
            base_is_in_paths: false,
            is_text: false,
            is_dry_run: false,
            place: Place::default(),
            component: None,
            found: Vec::new(),
            index: HashMap::new(),
            has_harm: false,
            known_harm: HashMap::new(),
            #[cfg(test)]
            deferred_runs: 0,
        }
    }

    /// Runs `work` with a part appended to the current path.
    pub(super) fn inside<T>(&mut self, part: impl Into<String>, work: impl FnOnce(&mut Self) -> T) -> T {
        let inner = self.place.with(part.into());
        let outer = std::mem::replace(&mut self.place, inner);
        let result = work(self);
        self.place = outer;
        result
    }

    /// Runs `work` within a named schema.
    pub(super) fn inside_component<T>(&mut self, name: Option<&str>, work: impl FnOnce(&mut Self) -> T) -> T {
        let Some(name) = name else { return work(self) };
        let outer = self.component.replace((name.to_owned(), self.place.length()));
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
        if let Some(has_harm) = self.known_harm.get(&key).filter(|_| self.is_dry_run) {
            self.has_harm |= has_harm;
            return;
        }
        let operation = self.operation.as_ref().filter(|_| !self.is_dry_run);
        let (pair, is_new) = self.pairs.enter(key, operation);
        if is_new {
            let (place, component) = (self.place.clone(), self.component.clone());
            let flags = (self.direction, self.is_text);
            self.pending.push(Pending { schemas, pair, place, component, flags });
        }
    }

    /// Runs the deferred comparisons, including those that they defer. A queue instead of recursion, because chains of
    /// references may be long. A dry run ends with the first harmful change, and its pair stays the current one.
    pub(super) fn run_deferred(&mut self, mut work: impl FnMut(&mut Self, SchemaPair<'d>)) {
        let outer = (self.pairs.current, self.place.clone(), self.component.clone(), (self.direction, self.is_text));
        while let Some(next) = self.pending.pop().filter(|_| !self.is_decided()) {
            self.pairs.current = Some(next.pair);
            (self.place, self.component) = (next.place, next.component);
            (self.direction, self.is_text) = next.flags;
            #[cfg(test)]
            {
                self.deferred_runs += 1;
            }
            work(self, next.schemas);
        }
        let current = if self.is_decided() { self.pairs.current } else { outer.0 };
        (self.pairs.current, self.place, self.component, (self.direction, self.is_text)) =
            (current, outer.1, outer.2, outer.3);
    }

    /// Whether comparing two schemas would give a risky or breaking finding. A dry run: nothing is reported.
    ///
    /// For requests, it means that the new schema may reject values that the old one accepted; for responses, that it may
    /// accept values that the old one rejected. Dry runs start no others, so that each has the same result wherever its pair
    /// is met, and is reused.
    pub(super) fn does_harm(
        &mut self,
        direction: Direction,
        (old, new): (String, String),
        work: impl FnOnce(&mut Self),
    ) -> bool {
        let key = (old, new, direction, (self.is_text, SchemaContext::default()));
        if let Some(known) = self.known_harm.get(&key) {
            return *known;
        }
        let (pairs, pending) = (std::mem::take(&mut self.pairs), std::mem::take(&mut self.pending));
        let context = std::mem::take(&mut self.context);
        let (was_dry_run, had_harm) = (self.is_dry_run, std::mem::take(&mut self.has_harm));
        self.is_dry_run = true;
        self.towards(direction, work);
        (self.is_dry_run, self.context) = (was_dry_run, context);
        let compared = std::mem::replace(&mut self.pairs, pairs);
        self.pending = pending;
        let has_harm = std::mem::replace(&mut self.has_harm, had_harm);
        // Without harm, all that was met is harmless. Otherwise only the way to the harm is known.
        self.known_harm.extend(compared.into_keys(has_harm).map(|key| (key, has_harm)));
        self.known_harm.insert(key, has_harm);
        has_harm
    }

    /// Whether the result of a dry run is known.
    pub(super) fn is_decided(&self) -> bool {
        self.is_dry_run && self.has_harm
    }
}
