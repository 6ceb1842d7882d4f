//! Checks the requests and responses of others against a document, one after the other.
//!
//! A response is validated as those to requests that `check` sends. A request is validated unless it was rejected (4xx): then
//! document and server agree. Responses from a cache (304) and upgrades of the connection are ignored.

use super::exchange::{Exchange, Request, Response};
use super::mask::Mask;
use super::{About, Check};
use countersign_contract_finding::{Finding, Operations};
use countersign_contract_validate::OperationRef;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// Rules about bodies, which do not apply to a response whose body is not known.
const ABOUT_BODIES: [&str; 5] =
    ["body-missing", "body-not-json", "body-schema", "body-unexpected", "property-undocumented"];

const RESPONSE: &str = "a recorded response";
const REQUEST: &str = "a recorded request";

/// A check of traffic.
pub struct Observer<'c> {
    check: &'c Check,
    /// URL of the document's first server, for the commands in findings.
    base: String,
    mask: Mask,
    /// Number of responses by the pointer of the operation.
    seen: BTreeMap<String, usize>,
    /// What was reported: rule, operations, place and message.
    reported: HashSet<(&'static str, Operations, String, String)>,
    requests: usize,
}

impl<'c> Observer<'c> {
    /// A check of traffic with the server at a URL, which is that of the document's first server. The commands in findings show
    /// no secrets, unless asked for.
    #[must_use]
    pub fn new(check: &'c Check, base: &str, shows_secrets: bool) -> Self {
        let mask = if shows_secrets { Mask::default() } else { Mask::of_recordings(&check.document) };
        let base = base.trim_end_matches('/').to_owned();
        Self { check, base, mask, seen: BTreeMap::new(), reported: HashSet::new(), requests: 0 }
    }

    /// Findings about an exchange, except those that were reported before.
    pub fn observe(&mut self, exchange: &Exchange) -> Vec<Finding> {
        let Exchange { request, response } = exchange;
        self.requests += 1;
        let found = match self.find(request) {
            Some(operation) if self.is_complete(operation, response.status) => {
                let mut found = self.of_response(operation, response);
                if !(400..500).contains(&response.status) {
                    found.extend(self.of_request(operation, request));
                }
                *self.seen.entry(operation.pointer().to_owned()).or_default() += 1;
                found
            }
            None if response.is_json() && request.method != "OPTIONS" => {
                let path = self.mask.target(request.path());
                let message = format!("{} {path} is of no operation of the document", request.method);
                vec![self.check.finding(About::default(), "operation-undocumented", message, "/paths")]
            }
            _ => Vec::new(),
        };
        self.unreported(found, request)
    }

    /// The finding about a request without a response, unless it was reported before.
    pub fn no_response(&mut self, request: &Request, why: &str) -> Vec<Finding> {
        self.requests += 1;
        let Some(operation) = self.find(request) else { return Vec::new() };
        let name = self.check.name(operation.pointer());
        let about = About { operation: &name, place: REQUEST };
        let finding = self.check.finding(about, "no-answer", format!("no response: {why}"), operation.pointer());
        self.unreported(vec![finding], request)
    }

    /// The findings that list which operations were seen.
    #[must_use]
    pub fn coverage(&self) -> Vec<Finding> {
        let pointers: Vec<String> = self.check.document.located().map(|located| located.pointer()).collect();
        let number = |pointer: &String| self.seen.get(pointer).copied();
        let (recorded, missing): (Vec<&String>, Vec<&String>) =
            pointers.iter().partition(|pointer| number(pointer).is_some());
        [("operations-recorded", "are", recorded), ("operations-not-recorded", "are not", missing)]
            .into_iter()
            .filter(|(_, _, listed)| !listed.is_empty())
            .map(|(rule, verb, listed)| {
                let names = listed.iter().map(|pointer| match number(pointer) {
                    Some(number) => format!("{} ({number})", self.check.name(pointer)),
                    None => self.check.name(pointer),
                });
                let names = names.collect::<Vec<_>>().join(", ");
                let message =
                    format!("{} of {} operations {verb} in the recording: {names}", listed.len(), pointers.len());
                self.check.finding(About::default(), rule, message, "/paths")
            })
            .collect()
    }

    /// Number of requests.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Number of responses of the document's operations.
    #[must_use]
    pub fn responses(&self) -> usize {
        self.seen.values().sum()
    }

    /// Number of operations with a response.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.seen.len()
    }

    fn find(&self, request: &Request) -> Option<OperationRef<'c>> {
        self.check.validator.find(&request.method, &self.documented_path(request))
    }

    fn documented_path(&self, request: &Request) -> String {
        format!("{}{}", self.check.document.base_path(), request.path())
    }

    /// Whether a response came from the server as documented: not from a cache, and not an upgrade of the connection.
    fn is_complete(&self, operation: OperationRef<'_>, status: u16) -> bool {
        let is_documented = |status: u16| {
            let responses = self.check.document.value().pointer(&format!("{}/responses", operation.pointer()));
            responses.is_some_and(|responses| responses.get(status.to_string()).is_some())
        };
        status >= 200 && (status != 304 || is_documented(304))
    }

    fn of_response(&self, operation: OperationRef<'_>, response: &Response) -> Vec<Finding> {
        let body = response.body.as_deref();
        let name = self.check.name(operation.pointer());
        let about = About { operation: &name, place: RESPONSE };
        let mut found =
            self.check.deviations(about, operation, response.status, response.lines(), body.unwrap_or_default());
        found.retain(|finding| body.is_some() || !ABOUT_BODIES.contains(&finding.rule.id));
        if response.status >= 500 {
            let message = format!("answered {}", response.status);
            found.insert(0, self.check.finding(about, "server-error", message, operation.pointer()));
        }
        found
    }

    fn of_request(&self, operation: OperationRef<'_>, request: &Request) -> Vec<Finding> {
        let name = self.check.name(operation.pointer());
        let about = About { operation: &name, place: REQUEST };
        let value: Value = serde_json::from_slice(request.body.as_deref().unwrap_or_default()).unwrap_or_default();
        let path = self.documented_path(request);
        let deviations = self.check.requests.validate(operation, &request.actual(&path));
        self.check.findings(about, "", &value, deviations)
    }

    /// Those that were not reported before, with the request.
    fn unreported(&mut self, found: Vec<Finding>, request: &Request) -> Vec<Finding> {
        let command = || Some(request.curl(&self.base, &self.mask));
        let key = |finding: &Finding| {
            (finding.rule.id, finding.operations.clone(), finding.place.clone(), finding.message.clone())
        };
        let found = found.into_iter().filter(|finding| self.reported.insert(key(finding)));
        found.map(|finding| Finding { request: command(), ..finding }).collect()
    }
}
