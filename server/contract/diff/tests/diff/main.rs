//! Tests of the comparison of two versions of a contract.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod case;
mod conversion;
mod corpus;
mod examples;
mod generate;
mod mutation;
mod soundness;
mod soundness_json_schema;
mod table;
mod versions;
mod wording;
