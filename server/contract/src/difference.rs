//! One difference between contract and code, worded for the person who has to mend it.

use std::fmt;

/// A difference. Its `Display` is one line in the manner of a compiler: document, operation, place, and what each
/// side says there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Name of the contract, e.g. `openapi/better-auth.yaml`.
    pub document: String,
    /// Method, path and name, e.g. `POST /api/auth/sign-in/email (signInEmail)`.
    pub operation: String,
    /// The way from the operation to the place, outermost first; empty for the operation itself.
    pub place: Vec<String>,
    /// What the contract does, as the words after `the contract`, e.g. `requires it`. `None` if the contract
    /// does not do what the code does.
    pub contract: Option<String>,
    /// What the code does, as the words after `the code`. `None` if the code does not do what the contract does.
    pub code: Option<String>,
    /// Where the cause may lie, if something in the documents suggests it.
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
