//! Compares a contract with the document that the code generates, and lists its operations as Rust constants: what build scripts need.
//!
//! The contract is written by hand and is the source of truth; this crate never writes one. Each difference between the
//! code and the contract is reported on one line.
//!
//! | task | modules |
//! |---|---|
//! | read the documents that dropshot generates | `merge`, `replies`, `printed_schema` |
//! | decide whether two operations or schemas are equivalent | [`mod@canonical`], [`mod@canonical_schema`] |
//! | compare contract and code | `compare`, `compare_schema`, `difference` |
//! | differences that dropshot and schemars make unavoidable | [`mod@tolerance`] |
//! | list operations, write them as Rust constants | `operations`, `table` |
//!
//! Security is not compared with the code, because dropshot generates none. The table of operations contains the
//! contract's security, and tests check it on the running server.
#![warn(missing_docs)]

pub mod canonical;
pub mod canonical_schema;
mod compare;
mod compare_schema;
mod difference;
mod merge;
mod operations;
mod printed_schema;
mod replies;
mod table;
pub mod tolerance;

pub use compare::compare;
pub use difference::Difference;
pub use merge::merge;
pub use operations::{Operation, operations};
pub use table::{BodyRule, OperationEntry, render_table};
