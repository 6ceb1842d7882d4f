//! What changed between two versions of a contract, and whom that breaks.
//!
//! Every difference that means something gets a finding, judged by a rule ([`rules`]) for requests and for responses
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
//! | operations, their parameters, bodies, responses, security | `operations`, `parameters`, `bodies`, `responses`, `security` |
//! | schemas | `schema` |

mod annotations;
mod bodies;
mod change;
mod comparison;
mod deprecation;
mod document;
mod operations;
mod options;
mod pairs;
mod parameters;
mod responses;
pub mod rules;
mod schema;
mod security;
mod servers;
mod subtypes;
mod unchanged;

use crate::document::Document;
use crate::finding::Finding;
use comparison::Comparison;

pub use options::Options;

/// Every difference that means something. Equal documents give none.
#[must_use]
pub fn diff(old: &Document, new: &Document, options: &Options) -> Vec<Finding> {
    let mut comparison = Comparison::new(old, new, options);
    operations::compare(&mut comparison);
    document::compare(&mut comparison);
    comparison.into_findings()
}
