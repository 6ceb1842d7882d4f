//! One difference between contract and code, worded for the developer who has to fix it.

use std::fmt;

/// A difference. `Display` gives one line like a compiler's: document, operation, path within it, and both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the contract, e.g. `openapi/better-auth.yaml`.
    pub document: String,
    /// Method, path and name, e.g. `POST /api/auth/sign-in/email (signInEmail)`.
    pub operation: String,
    /// Path from the operation to the difference, outermost first; empty for the operation itself.
    pub place: Vec<String>,
    /// The contract's side, as a phrase that continues `the contract`, e.g. `requires it`. `None` if only the code has it.
    pub contract: Option<String>,
    /// The code's side, as a phrase that continues `the code`. `None` if only the contract has it.
    pub code: Option<String>,
    /// The probable cause, if the documents suggest one.
    pub hint: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: ", self.document, self.operation)?;
        if !self.place.is_empty() {
            write!(formatter, "{}: ", self.place.join(" › "))?;
        }
        match (&self.contract, &self.code) {
            (Some(contract), Some(code)) => write!(formatter, "the contract {contract}, the code {code}"),
            (Some(contract), None) => write!(formatter, "the contract {contract}, the code does not"),
            (None, Some(code)) => write!(formatter, "the code {code}, the contract does not"),
            (None, None) => write!(formatter, "contract and code differ"),
        }?;
        match &self.hint {
            Some(hint) => write!(formatter, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}
