//! Tests of what a team asks of its documents: one binary, a file per subject.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod exceptions;
mod selection;
mod settings;
