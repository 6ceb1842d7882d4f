//! The operations of a contract as Rust constants, written by `build.rs`.
//!
//! The generated file contains only constants of [`OperationEntry`], so that its users need neither a parser nor a file at
//! run time.

use crate::operations::Operation;
use std::fmt::Write;

/// One operation of a contract, as a constant. The fields are those of [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationEntry {
    /// Method in upper case.
    pub method: &'static str,
    /// Path with the base path; variables in braces.
    pub path: &'static str,
    /// Name, unique in its document.
    pub operation_id: &'static str,
    /// Tags, in the order of the text.
    pub tags: &'static [&'static str],
    /// Whether callers without credentials are allowed.
    pub anonymous_allowed: bool,
    /// Alternatives, each a list of security schemes that are required together.
    pub security: &'static [&'static [&'static str]],
    /// Whether there is a request body.
    pub body: BodyRule,
    /// Media types of the request body, in the order of the text.
    pub media_types: &'static [&'static str],
    /// Every documented status, ascending.
    pub statuses: &'static [u16],
}

/// Whether an operation takes a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// No request body.
    None,
    /// A request body that may be omitted.
    Optional,
    /// A request without a body is rejected.
    Required,
}

/// A Rust constant of that name with every operation, e.g. `pub const BETTER_AUTH: &[OperationEntry] = …`.
/// `document` is named in its doc comment.
#[must_use]
pub fn render_table(constant: &str, document: &str, operations: &[Operation]) -> String {
    let mut out = format!("/// The operations of `{document}`, in its order.\n");
    // Writing to a String cannot fail.
    let _ = writeln!(out, "pub const {constant}: &[countersign_contract_compare::OperationEntry] = &[");
    for operation in operations {
        let body = match (operation.has_body, operation.body_required) {
            (false, _) => "None",
            (true, false) => "Optional",
            (true, true) => "Required",
        };
        let security: Vec<String> = operation.security.iter().map(slice).collect();
        let _ = writeln!(
            out,
            "    countersign_contract_compare::OperationEntry {{ method: {:?}, path: {:?}, operation_id: {:?}, tags: {}, \
             anonymous_allowed: {}, security: &[{}], body: countersign_contract_compare::BodyRule::{body}, media_types: {}, statuses: &{:?} }},",
            operation.method,
            operation.path,
            operation.operation_id,
            slice(&operation.tags),
            !operation.requires_credentials(),
            security.join(", "),
            slice(&operation.media_types),
            operation.statuses,
        );
    }
    out.push_str("];\n");
    out
}

fn slice<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| format!("{text:?}")).collect();
    format!("&[{}]", texts.join(", "))
}
