//! What concerns several crates of the contract tool.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod dependencies;
mod files;
