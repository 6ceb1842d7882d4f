//! Finds a value that shows a breaking change of a schema.
//!
//! In requests, it is one that the old schema accepted and the new one rejects; in responses, one that the new schema
//! accepts and the old one rejected. [`candidates`] generates values from both schemas, [`judge`] lets a validator decide,
//! and the shortest value that shows the change is taken.
//!
//! The search is bounded by numbers of values, definitions and keywords, not by time, so that it always has the same
//! result.

mod candidates;
mod judge;
mod lists;
mod objects;
mod scalars;
mod subject;

use crate::change::Direction;
use crate::comparison::{Origin, Schemas};
use candidates::Candidates;
use countersign_contract_document::Document;
use countersign_contract_finding::{Example, Rule};
use countersign_contract_validate::json_schema::Extra;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use subject::Subject;

/// Most keywords of schemas that are compiled for the examples of one comparison. Beyond that, findings have none.
const MOST_KEYWORDS: usize = 100_000;

/// Most values that are tried for a finding.
const MOST_VALUES: usize = 200;

/// Most schemas that are looked at to generate the values for a finding.
const MOST_SCHEMAS: usize = 400;

/// Changes that no value can show, and why.
const WITHOUT_VALUES: [(&str, &str); 4] = [
    ("discriminator", "a discriminator does not decide which values are valid"),
    ("extensible-enum", "any value of an open list is valid"),
    ("content-encoding", "the content of a string does not decide whether it is valid"),
    ("property-became-write-only", "only the presence of the property changed"),
];

const NO_FORMAT: &str = "the validator found no difference between the formats";
const NO_VALUE: &str = "every value that was tried is valid on both sides or on neither";

/// The search for the examples of a comparison.
pub(crate) struct Search<'d> {
    old: &'d Document,
    new: &'d Document,
    keywords_left: usize,
}

impl<'d> Search<'d> {
    pub(crate) fn between(old: &'d Document, new: &'d Document) -> Self {
        Self { old, new, keywords_left: MOST_KEYWORDS }
    }

    /// The shortest value that shows the change, or why there is none.
    pub(crate) fn run(&mut self, rule: &Rule, origin: &Origin<'d>) -> Example {
        let change = rule.id.strip_prefix(origin.direction.prefix()).unwrap_or(rule.id).trim_start_matches('-');
        if let Some((_, why)) = WITHOUT_VALUES.iter().find(|(start, _)| change.starts_with(start)) {
            return Example::Missing(why);
        }
        let values = self.values(origin);
        let subject = Subject::of(change, origin);
        // What such a change forbids is what is not documented.
        let extra = if change == "additional-properties-forbidden" { Extra::Allowed } else { Extra::Forbidden };
        match judge::best(origin, &values, &subject, extra, &mut self.keywords_left) {
            Err(why) => Example::Missing(why),
            Ok(Some(value)) => Example::Value(value),
            Ok(None) if change.starts_with("format") => Example::Missing(NO_FORMAT),
            Ok(None) => Example::Missing(NO_VALUE),
        }
    }

    /// Different values that may show the change, the shortest first.
    fn values(&self, origin: &Origin<'d>) -> Vec<Value> {
        let candidates = Candidates {
            direction: origin.direction,
            focus: origin.accepting.as_ref().map(|side| side.pointer.as_str()),
            schemas_left: Cell::new(MOST_SCHEMAS),
        };
        let of = |schemas: &Schemas<'d>| {
            let (old, new) = ((self.old, &schemas.old), (self.new, &schemas.new));
            match origin.direction {
                Direction::Request => candidates.between(old, new),
                Direction::Response => candidates.between(new, old),
            }
        };
        let mut all = of(&origin.schemas.own);
        if !Rc::ptr_eq(&origin.schemas.own, &origin.schemas.whole) {
            all.extend(of(&origin.schemas.whole));
        }
        let by_length = all.into_iter().map(|value| {
            let text = value.to_string();
            // Of texts of equal length, letters are more plausible than spaces.
            let is_odd = text.contains([' ', '\\', '-']);
            ((text.len(), is_odd, text), value)
        });
        by_length.collect::<BTreeMap<_, _>>().into_values().take(MOST_VALUES).collect()
    }
}
