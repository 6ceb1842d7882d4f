//! OpenAPI 3.0 contracts: load them, compare them with what the code publishes, list what they promise.
//!
//! The contract is written by hand and is the source of truth. This crate never writes one; it says where
//! the code departs from it, one line per difference, and hands the contract's promises to those that prove
//! them (the table of operations, the schema and headers of each answer).
//!
//! | to do | look at |
//! |---|---|
//! | read a document, follow a `$ref` | [`mod@document`], [`mod@source`], [`mod@reference`], [`mod@error`] |
//! | read one of several files | [`mod@files`], `bundle` |
//! | walk it along the grammar of OpenAPI | `grammar`, `tree` |
//! | read what dropshot prints: several documents, replies, media types | [`mod@merge`], [`mod@replies`], `printed_schema` |
//! | say when two operations or schemas mean the same | [`mod@canonical`], [`mod@canonical_schema`] |
//! | compare, and word the difference | [`mod@compare`], `compare_schema`, [`mod@difference`] |
//! | see what the code may print although the contract does not say it | [`mod@tolerance`] |
//! | say what changed between two versions, and whom that breaks | [`mod@diff`], [`mod@finding`] |
//! | list operations, write them as Rust constants | [`mod@operations`], [`mod@table`] |
//! | find what is wrong with one document by itself | [`mod@lint`] |
//! | say what was found, to people and machines | [`mod@finding`], [`mod@report`] |
//! | say whether an answer keeps the contract | [`mod@judge`] |
//! | hold a running server against a document | [`mod@check`] |
//! | have the schema of an answer as JSON Schema | [`mod@response`], `json_schema`, `node` |
//!
//! Security is not compared: dropshot prints none. The table of operations carries the contract's security,
//! and tests prove it against the running server.
#![warn(missing_docs)]

mod bundle;
pub mod canonical;
pub mod canonical_schema;
pub mod check;
pub mod compare;
mod compare_schema;
pub mod diff;
pub mod difference;
pub mod document;
pub mod error;
pub mod files;
pub mod finding;
mod grammar;
mod json_schema;
pub mod lint;
pub mod merge;
mod node;
pub mod operations;
pub mod pointer;
pub mod position;
mod printed_schema;
pub mod reference;
mod references;
pub mod replies;
pub mod report;
pub mod response;
pub mod source;
pub mod table;
pub mod tolerance;
mod tree;
pub mod validate;

pub use check::Check;
pub use compare::compare;
pub use diff::{Options as DiffOptions, diff};
pub use difference::Difference;
pub use document::Document;
pub use error::Error;
pub use files::{File, Files};
pub use finding::{Finding, Rule, Verdict};
pub use lint::lint;
pub use merge::merge;
pub use operations::{Operation, operations};
pub use position::SourceSpan;
pub use report::Format;
pub use response::{response_schema, strict_response_schema};
pub use table::{BodyRule, OperationEntry, render_table};
pub use validate::{Deviation, OperationRef, ResponseValidator};
