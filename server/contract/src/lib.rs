//! OpenAPI contracts (3.0, 3.1 and 3.2): loading, linting, comparing two versions, comparing with the document that the code generates,
//! and validating responses.
//!
//! The contract is written by hand and is the source of truth; this crate never writes one. Each difference between the
//! code and the contract is reported on one line. Tests read the table of operations and the response schemas from here.
//!
//! | task | modules |
//! |---|---|
//! | load a document, resolve a `$ref` | [`mod@document`], [`mod@source`], [`mod@position`], [`mod@pointer`], [`mod@reference`], `references`, [`mod@error`] |
//! | read the schemas of all versions into one form | [`mod@version`], `identifiers`, `normalise`, `moved` |
//! | load a document of several files | [`mod@files`], `bundle` |
//! | walk a document along the OpenAPI grammar | `grammar`, `tree` |
//! | read the documents that dropshot generates | [`mod@merge`], [`mod@replies`], `printed_schema` |
//! | decide whether two operations or schemas are equivalent | [`mod@canonical`], [`mod@canonical_schema`] |
//! | compare contract and code | [`mod@compare`], `compare_schema`, [`mod@difference`] |
//! | differences that dropshot and schemars make unavoidable | [`mod@tolerance`] |
//! | compare two versions and report breaking changes | [`mod@diff`], [`mod@finding`] |
//! | report documents that only one of two versions has | [`mod@documents`] |
//! | rewrite a document as OpenAPI 3.0 | [`mod@convert`] |
//! | list operations, write them as Rust constants | [`mod@operations`], [`mod@table`] |
//! | lint one document | [`mod@lint`] |
//! | render findings as text, JSON, JUnit, GitHub annotations, Markdown, HTML or SARIF | [`mod@finding`], [`mod@report`] |
//! | what a team asks of its documents: severities, assertions | [`mod@profile`], [`mod@severity`], [`mod@settings`] |
//! | findings that are accepted, or not of interest | [`mod@exceptions`], [`mod@selection`] |
//! | the version that changes ask for | [`mod@version_bump`] |
//! | render findings as text, JSON, JUnit or GitHub annotations | [`mod@finding`], [`mod@report`] |
//! | validate a response | [`mod@validate`] |
//! | test a running server against a document | [`mod@check`] |
//! | what formats mean | `formats` |
//! | get the schema of a response as JSON Schema | [`mod@response`], `json_schema`, `node` |
//!
//! Security is not compared with the code, because dropshot generates none. The table of operations contains the
//! contract's security, and tests check it on the running server.
#![warn(missing_docs)]

mod bundle;
pub mod canonical;
pub mod canonical_schema;
pub mod check;
pub mod compare;
mod compare_schema;
pub mod convert;
pub mod diff;
pub mod difference;
pub mod document;
pub mod documents;
pub mod error;
pub mod exceptions;
pub mod files;
pub mod finding;
mod formats;
mod grammar;
mod identifiers;
mod json_schema;
pub mod lint;
pub mod merge;
mod moved;
mod node;
mod normalise;
pub mod operations;
pub mod pointer;
pub mod position;
mod printed_schema;
pub mod profile;
pub mod reference;
mod references;
pub mod replies;
pub mod report;
pub mod response;
pub mod selection;
pub mod settings;
pub mod severity;
pub mod source;
pub mod table;
pub mod tolerance;
mod tree;
pub mod validate;
pub mod version;
pub mod version_bump;

pub use check::Check;
pub use compare::compare;
pub use diff::{Options as DiffOptions, diff};
pub use difference::Difference;
pub use document::Document;
pub use error::Error;
pub use files::{File, Files};
pub use finding::{Example, Finding, Rule, Verdict};
pub use lint::lint;
pub use merge::merge;
pub use operations::{Operation, operations};
pub use position::SourceSpan;
pub use report::Format;
pub use response::{response_schema, strict_response_schema};
pub use table::{BodyRule, OperationEntry, render_table};
pub use validate::{Deviation, OperationRef, ResponseValidator};
pub use version::Version;
