//! Compares two versions of a contract and reports breaking changes.
//!
//! Every relevant difference is a finding under one of the [`rules`], which distinguish requests and responses because a
//! change that is harmless in one direction may break clients in the other. Operations are matched by method and path,
//! ignoring the names of path variables, or else by operationId. Schemas are compared by the values that they accept:
//! `allOf` is merged, references are followed (also recursive ones), and equivalent spellings are equal.
//!
//! | task | modules |
//! |---|---|
//! | the rules | [`rules`] |
//! | shared types: direction, context, sides of a change, options | `change`, `options` |
//! | collect findings, track the current position | `comparison`, `pairs`, `place` |
//! | one finding for the values of a list | `values` |
//! | skip what is equal on both sides | `unchanged`, `subtypes` |
//! | announced removal (`x-sunset`), stability levels | `deprecation`, `stability` |
//! | info, servers, tags, components | `document`, `servers` |
//! | descriptions, examples, extensions | `annotations` |
//! | operations, their parameters, bodies, responses, security | `operations`, `parameters`, `bodies`, `responses`, `security` |
//! | what the server sends by itself | `callbacks` |
//! | schemas | `schema` |
//! | documents that only one of two versions has | [`documents`] |
//! | which of two patterns matches more | `language` |
//! | the version that the changes ask for | [`version_bump`] |

mod annotations;
mod bodies;
mod callbacks;
mod change;
mod comparison;
mod deprecation;
mod document;
pub mod documents;
mod language;
mod operations;
mod options;
mod pairs;
mod parameters;
mod place;
mod responses;
pub mod rules;
mod schema;
mod security;
mod servers;
mod stability;
mod subtypes;
#[cfg(test)]
mod tests;
mod unchanged;
mod values;
pub mod version_bump;

use comparison::Comparison;
use countersign_contract_document::Document;
use countersign_contract_finding::Finding;
use schema::examples::Search;
use std::rc::Rc;

pub use options::{Options, PathPrefix, StabilityLevel};

/// All relevant differences; none for equal documents.
#[must_use]
pub fn diff(old: &Document, new: &Document, options: &Options) -> Vec<Finding> {
    let mut comparison = Comparison::new(old, new, options);
    operations::compare(&mut comparison);
    document::compare(&mut comparison);
    let mut search = Search::between(old, new, Rc::clone(&comparison.languages));
    values::join(comparison.into_findings(|rule, origin| search.run(rule, origin)))
}
