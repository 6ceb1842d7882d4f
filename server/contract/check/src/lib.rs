//! Tests a running server against its contract.
//!
//! No I/O: [`Check::probes`] generates requests and [`Check::check_response`] examines the responses; the caller sends
//! them.
//!
//! Requests are generated from the document: for each operation valid ones (from examples, with all optional parts, with
//! required parts only, with unusual texts, with the smallest and largest values) and invalid ones (a required part missing, a
//! value of another type or beyond a limit, an undocumented property of a closed object, another media type, a malformed URL,
//! no credentials). Operations take turns, so that a small number of requests still covers all of them. Requests use values of
//! earlier responses ([`Probes::learn`]): those that the document links, and those with the same name, such as the `id` of a
//! user for `/users/{userId}`.
//!
//! Responses are validated by the [`ResponseValidator`]; besides, invalid requests must not succeed, and no request may
//! cause a server error.
//!
//! | task | modules |
//! |---|---|
//! | read operations | `operation` |
//! | generate values | `sample`, `hints`, `unusual`, `wrong` |
//! | choose and build requests | `probes`, `request`, `broken`, `url` |
//! | use what earlier responses contain | `known`, `links`, `names`, `advice` |
//! | write a request as a shell command, without secrets | `curl`, `mask` |
//! | check the traffic of others | [`mod@exchange`], [`mod@har`], `observer` |
//! | write a document from traffic | [`mod@learn`] |

mod advice;
mod broken;
mod curl;
pub mod exchange;
pub mod har;
mod hints;
mod known;
pub mod learn;
mod links;
mod mask;
mod names;
mod observer;
mod operation;
mod probes;
mod request;
pub mod rules;
mod sample;
#[cfg(test)]
mod tests;
mod unusual;
mod url;
mod wrong;

pub use mask::{MASK, Mask};
pub use observer::Observer;
pub use probes::{Probe, Probes, Purpose};

use countersign_contract_document::{Document, pointer};
use countersign_contract_finding::{Finding, Operations, Side};
use countersign_contract_validate::{Deviation, OperationRef, RequestValidator, ResponseValidator};
use serde_json::Value;

/// Test of servers against one document.
pub struct Check {
    document: Document,
    validator: ResponseValidator,
    requests: RequestValidator,
}

/// Options for the requests.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Whether to send safe methods only (RFC 9110, section 9.2.1).
    pub only_safe: bool,
    /// Seed of the random values; the same seed gives the same requests, if the responses are the same.
    pub seed: u64,
    /// Number of requests.
    pub requests: usize,
    /// Names and values of parameters and properties that are known to be valid, such as an id or a password.
    pub values: Vec<(String, String)>,
}

impl Check {
    /// A test of servers that implement the document.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        Self {
            document: document.clone(),
            validator: ResponseValidator::new(document),
            requests: RequestValidator::new(document),
        }
    }

    /// The requests to send; none for a document without operations.
    #[must_use]
    pub fn probes(&self, wanted: &Wanted) -> Probes<'_> {
        Probes::new(&self.document, wanted)
    }

    /// Number of operations that requests are generated for.
    #[must_use]
    pub fn operations(&self, wanted: &Wanted) -> usize {
        self.document.located().filter(|located| !wanted.only_safe || probes::is_safe(located.method)).count()
    }

    /// Findings about the response to a request. `headers` are the header lines as received.
    #[must_use]
    pub fn check_response<'h>(
        &self,
        probe: &Probe,
        status: u16,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
        body: &[u8],
    ) -> Vec<Finding> {
        let about = About { operation: &probe.operation, place: &probe.purpose.description() };
        let mut findings = self.check_status(probe, status);
        // What rejects a malformed URL is not the operation, so its responses are not those of the document.
        let is_rejected_url = matches!(probe.purpose, Purpose::Malformed { .. }) && (400..500).contains(&status);
        if let Some(operation) = self.validator.find(&probe.method, &probe.documented_path).filter(|_| !is_rejected_url)
        {
            findings.extend(self.deviations(about, operation, status, headers, body));
        }
        findings
    }

    /// Findings that need only the status of a response.
    fn check_status(&self, probe: &Probe, status: u16) -> Vec<Finding> {
        let about = About { operation: &probe.operation, place: &probe.purpose.description() };
        let mut findings = Vec::new();
        if status >= 500 {
            findings.push(self.finding(about, "server-error", format!("answered {status}"), &probe.pointer));
        }
        if (200..300).contains(&status) {
            match &probe.purpose {
                Purpose::Documented(_) | Purpose::Malformed { .. } => {}
                Purpose::WithoutCredentials => {
                    let message = format!("answered {status} to a request without credentials");
                    findings.push(self.finding(about, "credentials-not-needed", message, &probe.pointer));
                }
                Purpose::Forbidden { what, pointer } => {
                    let message = format!("answered {status} although {what}");
                    findings.push(self.finding(about, "forbidden-request-accepted", message, pointer));
                }
            }
        }
        findings
    }

    /// The finding for a request without a response.
    #[must_use]
    pub fn no_response(&self, probe: &Probe, why: &str) -> Finding {
        let about = About { operation: &probe.operation, place: &probe.purpose.description() };
        self.finding(about, "no-answer", format!("no response: {why}"), &probe.pointer)
    }

    /// Findings about a response whose body is too long to be read, so that it is not validated.
    #[must_use]
    pub fn check_long_response(&self, probe: &Probe, status: u16) -> Vec<Finding> {
        let about = About { operation: &probe.operation, place: &probe.purpose.description() };
        let message = format!("{status}: the body is too long and was not read to its end");
        let mut findings = self.check_status(probe, status);
        findings.push(self.finding(about, "body-too-long", message, &probe.pointer));
        findings
    }

    /// The finding for a run without any success; `sent` is the number of requests.
    #[must_use]
    pub fn nothing_succeeded(&self, sent: usize) -> Finding {
        let message = format!("none of {sent} responses was a success");
        self.finding(About::default(), "nothing-succeeded", message, "/servers")
    }

    /// Findings about a response.
    fn deviations<'h>(
        &self,
        about: About<'_>,
        operation: OperationRef<'_>,
        status: u16,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
        body: &[u8],
    ) -> Vec<Finding> {
        let value = serde_json::from_slice(body).unwrap_or_default();
        let deviations = self.validator.validate(operation, status, headers, body);
        self.findings(about, &format!("{status}: "), &value, deviations)
    }

    /// Findings of a validator about a body; equal ones of the items of a list once.
    fn findings(&self, about: About<'_>, prefix: &str, body: &Value, deviations: Vec<Deviation>) -> Vec<Finding> {
        let mut out = Vec::new();
        for Deviation { rule, message, pointer, instance } in deviations {
            let place = match place(body, &instance) {
                place if place.is_empty() => place,
                place => format!("{place}: "),
            };
            let finding = self.finding(about, rule, format!("{prefix}{place}{message}"), &pointer);
            if !out.contains(&finding) {
                out.push(finding);
            }
        }
        out
    }

    /// The operation at a pointer, as in findings.
    fn name(&self, pointer: &str) -> String {
        let mut all = self.document.located();
        let found = all.find(|located| located.pointer() == pointer);
        found.map(|located| format!("{} {}", located.method.to_uppercase(), located.path)).unwrap_or_default()
    }

    fn finding(&self, about: About<'_>, rule: &str, message: String, pointer: &str) -> Finding {
        let rule = rules::rule(rule).unwrap_or(&rules::UNKNOWN);
        let span = self.document.span(pointer);
        let place = Side { span: span.clone(), pointer: self.document.pointer_in_file(pointer), value: None };
        Finding {
            rule,
            verdict: rule.verdict,
            operations: about.operations(),
            place: about.place.to_owned(),
            message,
            new: Some(place).filter(|_| !about.operation.is_empty()),
            old: None,
            example: None,
            request: None,
            span,
        }
    }
}

/// What a finding is about; empty for the whole document.
#[derive(Debug, Clone, Copy, Default)]
struct About<'a> {
    operation: &'a str,
    place: &'a str,
}

impl About<'_> {
    fn operations(&self) -> Operations {
        Some(self.operation).filter(|operation| !operation.is_empty()).into_iter().collect()
    }
}

/// The place in a body that a JSON pointer names, without the numbers of list items: `items[*].name`.
fn place(body: &Value, instance: &str) -> String {
    let (mut at, mut out) = (body, String::new());
    for token in pointer::tokens(instance) {
        if let Value::Array(items) = at {
            out.push_str("[*]");
            at = token.parse::<usize>().ok().and_then(|index| items.get(index)).unwrap_or(&Value::Null);
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&token);
            at = &at[&token];
        }
    }
    out
}
