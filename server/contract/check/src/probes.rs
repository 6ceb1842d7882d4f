//! The sequence of requests.

use super::Wanted;
use super::advice::Advice;
use super::known::Known;
use super::links::Exchange;
use super::names;
use super::operation::Operation;
use super::request::{Sources, Use};
use super::sample::{Choice, Random};
use countersign_contract_document::Document;
use serde_json::Value;
use std::cmp::Reverse;

/// A request to send.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The operation, as in findings.
    pub operation: String,
    /// JSON pointer of the operation in the document.
    pub pointer: String,
    /// Method in upper case.
    pub method: String,
    /// Path and query, relative to the URL of the document's first server.
    pub target: String,
    /// Path as in the document, with its base path.
    pub documented_path: String,
    /// Headers, including `cookie` and `content-type`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for a request without a body.
    pub body: Vec<u8>,
    /// What the request tests.
    pub purpose: Purpose,
    /// The parameters.
    pub(super) sent: Vec<Sent>,
}

impl Probe {
    /// Whether the path has variables.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        self.sent.iter().any(|sent| sent.place == "path")
    }
}

/// A parameter of a request.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// `path`, `query`, `header` or `cookie`.
    pub(super) place: String,
    pub(super) name: String,
    pub(super) value: Value,
}

/// What a request tests, and so which responses are correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A valid request; the text describes its values.
    Documented(&'static str),
    /// An invalid request.
    Forbidden {
        /// What is invalid, as a clause that continues "although".
        what: String,
        /// JSON pointer to the violated part of the document.
        pointer: String,
    },
    /// A request with an invalid URL, which may be rejected before it reaches the operation.
    Malformed {
        /// What is invalid, as a clause.
        what: String,
    },
    /// A valid request that must be sent without credentials.
    WithoutCredentials,
}

impl Purpose {
    /// Description for messages.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Documented(how) => format!("a request {how}"),
            Self::Forbidden { what, .. } | Self::Malformed { what } => format!("an invalid request: {what}"),
            Self::WithoutCredentials => "a request without credentials".to_owned(),
        }
    }
}

/// Whether a method is safe (RFC 9110, section 9.2.1).
pub(super) fn is_safe(method: &str) -> bool {
    matches!(method, "get" | "head" | "options" | "trace")
}

/// The requests. Operations take turns; each round has other requests.
///
/// Those that end something come last, because what they end cannot be tested any more: first those that must not succeed,
/// then the others.
pub struct Probes<'d> {
    /// What makes something comes first, and what is below a path after it.
    operations: Vec<Operation<'d>>,
    turns: std::vec::IntoIter<Turn>,
    known: Known,
    advice: Advice,
    random: Random,
}

/// A request that is to be generated.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// Number of the operation.
    operation: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Valid(Choice, Use, &'static str),
    WithoutCredentials,
    /// Number of the way to make the request invalid.
    Broken(usize),
}

const EXAMPLES: Kind = Kind::Valid(Choice::Examples, Use::Needed, "with the document's examples");
const KNOWN: Kind = Kind::Valid(Choice::Examples, Use::Everywhere, "with values of earlier responses");
const ADAPTED: Kind = Kind::Valid(Choice::Examples, Use::Everywhere, "with what earlier responses asked for");
const LEAST: Kind = Kind::Valid(Choice::Least, Use::Needed, "with required values only");
const ALL: Kind = Kind::Valid(Choice::All, Use::Nowhere, "with all optional values");

/// Valid requests of the first rounds.
const FIRST: [Kind; 5] = [EXAMPLES, Kind::WithoutCredentials, KNOWN, LEAST, ALL];

/// Valid requests of later rounds.
const LATER: [Kind; 6] = [
    Kind::Valid(Choice::Unusual, Use::Needed, "with texts of unusual characters"),
    Kind::Valid(Choice::Lowest, Use::Needed, "with the smallest values"),
    Kind::Valid(Choice::Highest, Use::Needed, "with the largest values"),
    // Sent twice, because an operation that is allowed once should now fail without a server error.
    Kind::Valid(Choice::Examples, Use::Needed, "with the document's examples, again"),
    KNOWN,
    ALL,
];

/// In later rounds, one of so many requests is valid.
const LATER_CYCLE: usize = 4;

impl<'d> Probes<'d> {
    pub(super) fn new(document: &'d Document, wanted: &Wanted) -> Self {
        let located = document.located().filter(|located| !wanted.only_safe || is_safe(located.method));
        let mut operations: Vec<Operation<'d>> = located.map(|located| Operation::read(document, &located)).collect();
        operations.sort_by_key(|operation| {
            let (segments, variables) = (operation.path.split('/').count(), operation.variables());
            match (operation.is_ending, operation.method) {
                (false, "post") => (0, variables, 0, Reverse(0)),
                (false, "put") => (0, variables, 1, Reverse(0)),
                (false, "get" | "head") => (0, variables, 2, Reverse(0)),
                (false, _) => (0, variables, 3, Reverse(0)),
                // What is below a path has to end before the path itself, and a session after what it is needed for.
                (true, "delete") => (2, 0, 0, Reverse(segments)),
                (true, _) if variables > 0 => (1, 0, 0, Reverse(segments)),
                (true, _) => (3, names::severity_of_end(operation.path), 0, Reverse(0)),
            }
        });
        let number = if operations.is_empty() { 0 } else { wanted.requests };
        let turn = |number: usize| {
            let operation = number % operations.len();
            Turn { operation, kind: kind(&operations[operation], number / operations.len()) }
        };
        let mut turns: Vec<Turn> = (0..number).map(turn).collect();
        turns.sort_by_key(|turn| match (operations[turn.operation].is_ending, turn.kind) {
            (false, _) => 0,
            (true, Kind::Broken(_) | Kind::WithoutCredentials) => 1,
            (true, Kind::Valid(..)) => 2,
        });
        Self {
            operations,
            turns: turns.into_iter(),
            known: Known::with(&wanted.values),
            advice: Advice::default(),
            random: Random::from_seed(wanted.seed),
        }
    }

    /// Learns from a response for later requests: values such as ids, and which optional parts of a request are not welcome.
    /// `headers` are the header lines as received.
    pub fn learn(&mut self, probe: &Probe, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let operation = self.operations.iter().find(|operation| operation.pointer == probe.pointer);
        let is_valid = matches!(probe.purpose, Purpose::Documented(_));
        match (operation.filter(|_| is_valid), status) {
            (Some(operation), 200..300) => {
                let body = serde_json::from_slice(body).ok();
                self.known.learn(operation, &Exchange { probe, status, headers, body });
                self.advice.learn_success(operation);
                if matches!(operation.method, "post" | "put") {
                    let resource = operation.path.split("/{").next().unwrap_or_default();
                    let below = self.operations.iter().filter(|other| other.path.starts_with(resource));
                    below.filter(|other| other.variables() > 0).for_each(|other| self.advice.learn_made(other));
                }
            }
            (Some(operation), 400 | 422) => self.advice.learn_rejection(operation, probe, body),
            _ => {}
        }
    }
}

impl Iterator for Probes<'_> {
    type Item = Probe;

    fn next(&mut self) -> Option<Probe> {
        let turn = self.turns.next()?;
        let operation = &self.operations[turn.operation];
        let is_early = !operation.is_ending && matches!(turn.kind, Kind::Broken(_));
        let kind = if is_early && self.advice.take_turn(operation) { ADAPTED } else { turn.kind };
        let sources = &mut Sources { known: &self.known, advice: &self.advice, random: &mut self.random };
        Some(match kind {
            Kind::Valid(choice, usage, how) => valid(operation, (choice, usage, how), sources),
            Kind::WithoutCredentials => {
                let values = operation.values(Choice::Examples, Use::Needed, sources);
                operation.without_credentials(operation.probe(&values, Purpose::WithoutCredentials))
            }
            Kind::Broken(number) => operation
                .broken(&operation.ways_to_break[number], sources)
                .unwrap_or_else(|| valid(operation, (Choice::All, Use::Nowhere, "with all optional values"), sources)),
        })
    }
}

fn valid(
    operation: &Operation<'_>,
    (choice, usage, how): (Choice, Use, &'static str),
    sources: &mut Sources<'_>,
) -> Probe {
    // Without a body, the parameters are all that can vary.
    let varies = !matches!(choice, Choice::Examples | Choice::Least);
    let usage = match operation.body {
        Some(_) if usage == Use::Nowhere => Use::Needed,
        None if varies => Use::Nowhere,
        _ => usage,
    };
    operation.probe(&operation.values(choice, usage, sources), Purpose::Documented(how))
}

/// The kind of request of an operation in a round: first valid ones, then mostly invalid ones.
fn kind(operation: &Operation<'_>, round: usize) -> Kind {
    match FIRST.get(round) {
        Some(Kind::WithoutCredentials) if !operation.has_security => ALL,
        Some(kind) => *kind,
        None => {
            let later = round - FIRST.len();
            let (cycle, place) = (later / LATER_CYCLE, later % LATER_CYCLE);
            match operation.ways_to_break.len() {
                0 => LATER[later % LATER.len()],
                _ if place == LATER_CYCLE - 1 => LATER[cycle % LATER.len()],
                ways => Kind::Broken((cycle * (LATER_CYCLE - 1) + place) % ways),
            }
        }
    }
}
