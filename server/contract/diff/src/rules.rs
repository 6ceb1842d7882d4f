//! The rules of the comparison, with their texts for users.
//!
//! Rules about schemas exist twice, for requests and for responses, because the same change has opposite effects there: a
//! server that accepts less breaks clients that send, a server that returns more breaks clients that read.

use countersign_contract_finding::Rule;

const ACCEPTS_LESS: &str =
    "Requests that were valid are now rejected. Keep accepting them, or release a new major version.";
const ACCEPTS_MORE: &str = "Every request that was accepted is still accepted.";
const RETURNS_MORE: &str = "Clients receive responses that were not documented; generated clients and those that validate reject them. Keep responses within the old schema, or release a new major version.";
const RETURNS_LESS: &str = "Every response is still valid under the old document.";
const UNDECIDED: &str = "Which of the two accepts more cannot be decided automatically. Review the change: in requests it is harmless if every old value is still accepted, in responses if no new value is.";
const ANNOUNCED: &str = "Nothing changes on the wire. Clients should plan to migrate.";
const PROSE: &str = "Programs do not read this text.";
const NAMES: &str =
    "Nothing changes on the wire. Regenerated clients have other names, so the code that uses them must be changed.";

macro_rules! rules {
    ($($id:literal $verdict:ident $what:literal $why:expr;)*) => {
        [$(Rule { id: $id, verdict: Verdict::$verdict, what: $what, why: $why }),*]
    };
}

/// Pairs of rules for a change of a schema, one for each direction.
macro_rules! of_schemas {
    ($($id:literal $what:literal request $request:ident $request_why:expr, response $response:ident $response_why:expr;)*) => {
        [$(
            Rule { id: concat!("request-", $id), verdict: Verdict::$request, what: concat!("In requests, ", $what), why: $request_why },
            Rule { id: concat!("response-", $id), verdict: Verdict::$response, what: concat!("In responses, ", $what), why: $response_why },
        )*]
    };
}

/// Changes after which a schema accepts fewer values.
macro_rules! narrowing {
    ($($id:literal $what:literal;)*) => {
        of_schemas![$($id $what request Breaking ACCEPTS_LESS, response Compatible RETURNS_LESS;)*]
    };
}

/// Changes after which a schema accepts more values.
macro_rules! widening {
    ($($id:literal $what:literal;)*) => {
        of_schemas![$($id $what request Compatible ACCEPTS_MORE, response Breaking RETURNS_MORE;)*]
    };
}

// After the macros, which these use.
mod operations;
mod schemas;

const GROUPS: [&[Rule]; 14] = [
    &operations::DOCUMENT,
    &operations::OPERATIONS,
    &operations::PARAMETERS,
    &operations::BODIES,
    &operations::RESPONSES,
    &operations::SECURITY,
    &schemas::NARROWING,
    &schemas::WIDENING,
    &schemas::SCHEMAS,
    &schemas::MORE_SCHEMAS,
    &schemas::JSON_SCHEMA_NARROWING,
    &schemas::JSON_SCHEMA_WIDENING,
    &schemas::JSON_SCHEMA,
    &schemas::DEPRECATIONS,
];

/// All rules of the comparison.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    static ALL: [&[Rule]; 14] = GROUPS;
    ALL.iter().copied().flatten()
}

/// The rule with this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}
