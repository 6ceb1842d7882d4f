//! What a team asks of its documents, and which findings it wants to see.
//!
//! | task | modules |
//! |---|---|
//! | the configuration: severities, assertions | `profile` |
//! | findings that are accepted | [`mod@exceptions`] |
//! | findings of selected operations | [`mod@selection`] |
//! | read files in TOML | [`mod@settings`] |
#![warn(missing_docs)]

pub mod exceptions;
mod profile;
pub mod selection;
pub mod settings;

pub use profile::{ASSERTION, Assertion, DiffProfile, FailOn, LintFailOn, LintProfile, Profile};
