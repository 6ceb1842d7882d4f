//! What the tools report: findings, the rules that they refer to, and the severity that a user gives to a rule.
#![warn(missing_docs)]

mod finding;
mod operations;
mod severity;

pub use finding::{Example, Finding, Rule, Side, UNUSABLE, Verdict, abbreviated};
pub use operations::Operations;
pub use severity::{Severities, Severity};
