//! What changed between two versions of a contract, and whom that breaks.
//!
//! Every difference that means something gets a finding, judged by a rule ([`rules`]) for requests and for answers
//! separately: what is harmless in one direction breaks the other. Operations are matched by address, whatever their path
//! variables are called; one that moved, by its operationId. Schemas are compared by what they accept: `allOf` is merged,
//! references are followed (cycles end), spelling does not matter.
//!
//! | to do | look at |
//! |---|---|
//! | the rules | [`rules`] |
//! | collect findings, know where one is | `comparison`, `pairs` |
//! | pass over what is equal on both sides | `unchanged`, `heirs` |
//! | the announced end of things | `deprecation` |
//! | information, servers, tags, components | `whole` |
//! | operations, their parameters, bodies, answers, security | `operations`, `parameters`, `bodies`, `responses`, `security` |
//! | schemas | `schema` |

mod bodies;
mod comparison;
mod deprecation;
mod heirs;
mod operations;
mod pairs;
mod parameters;
mod responses;
pub mod rules;
mod schema;
mod security;
mod unchanged;
mod whole;

use crate::document::Document;
use crate::finding::Finding;
use comparison::Comparison;

/// What a comparison needs to know beside the documents.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Today, as `2027-01-31`: tells whether the day of an operation's end has come. Without it, no day has.
    pub today: Option<String>,
}

/// Every difference that means something. Equal documents give none.
#[must_use]
pub fn diff(old: &Document, new: &Document, options: &Options) -> Vec<Finding> {
    let mut comparison = Comparison::new(old, new, options);
    operations::compare(&mut comparison);
    whole::compare(&mut comparison);
    comparison.into_findings()
}
