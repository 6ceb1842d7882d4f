//! Tests a running server against its contract.
//!
//! No I/O: [`Check::probes`] generates requests and [`Check::check_response`] examines the responses; the caller sends
//! them.
//!
//! Requests are generated from the document alone: for each operation valid ones (from examples, with all optional parts,
//! with required parts only) and invalid ones (a required part missing, a value of another type or beyond a limit, another
//! media type, no credentials). Operations take turns, so that a small number of requests still covers all of them.
//! Responses are validated by the [`ResponseValidator`]; besides, invalid requests must not succeed, and no request may
//! cause a server error.

mod pattern;
mod probes;
pub mod rules;
mod sample;
#[cfg(test)]
mod tests;
mod url;

pub use probes::{Probe, Purpose};

use crate::document::Document;
use crate::finding::{Finding, Side};
use crate::validate::ResponseValidator;

/// Test of servers against one document.
pub struct Check {
    document: Document,
    validator: ResponseValidator,
}

/// Options for the requests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Whether to send safe methods only (RFC 9110, section 9.2.1).
    pub only_safe: bool,
    /// Seed of the random values; the same seed gives the same requests.
    pub seed: u64,
}

impl Check {
    /// A test of servers that implement the document.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        Self { document: document.clone(), validator: ResponseValidator::new(document) }
    }

    /// An endless sequence of requests; each round over all operations has other values.
    pub fn probes(&self, wanted: Wanted) -> impl Iterator<Item = Probe> + '_ {
        probes::all(&self.document, wanted)
    }

    /// Number of operations that requests are generated for.
    #[must_use]
    pub fn operations(&self, wanted: Wanted) -> usize {
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
        let mut findings = Vec::new();
        if status >= 500 {
            findings.push(self.finding(probe, "server-error", format!("answered {status}"), &probe.pointer));
        }
        if (200..300).contains(&status) {
            match &probe.purpose {
                Purpose::Documented(_) => {}
                Purpose::WithoutCredentials => {
                    let message = format!("answered {status} to a request without credentials");
                    findings.push(self.finding(probe, "credentials-not-needed", message, &probe.pointer));
                }
                Purpose::Forbidden { what, pointer } => {
                    let message = format!("answered {status} although {what}");
                    findings.push(self.finding(probe, "forbidden-request-accepted", message, pointer));
                }
            }
        }
        if let Some(operation) = self.validator.find(&probe.method, &probe.documented_path) {
            for deviation in self.validator.validate(operation, status, headers, body) {
                let place = match deviation.instance.as_str() {
                    "" => String::new(),
                    instance => format!("{instance}: "),
                };
                let message = format!("{status}: {place}{}", deviation.message);
                findings.push(self.finding(probe, deviation.rule, message, &deviation.pointer));
            }
        }
        findings
    }

    /// The finding for a request without a response.
    #[must_use]
    pub fn no_response(&self, probe: &Probe, why: &str) -> Finding {
        self.finding(probe, "no-answer", format!("no response: {why}"), &probe.pointer)
    }

    /// The finding for a run without any success; `sent` is the number of requests.
    #[must_use]
    pub fn nothing_succeeded(&self, sent: usize) -> Finding {
        let rule = rules::rule("nothing-succeeded").unwrap_or(&rules::UNKNOWN);
        Finding {
            rule,
            verdict: rule.verdict,
            operations: Vec::new(),
            place: String::new(),
            message: format!("none of {sent} responses was a success"),
            span: self.document.span("/servers"),
            old: None,
            new: None,
        }
    }

    fn finding(&self, probe: &Probe, rule: &str, message: String, pointer: &str) -> Finding {
        let rule = rules::rule(rule).unwrap_or(&rules::UNKNOWN);
        let span = self.document.span(pointer);
        Finding {
            rule,
            verdict: rule.verdict,
            operations: vec![probe.operation.clone()],
            place: probe.purpose.description(),
            message,
            new: Some(Side { span: span.clone(), pointer: self.document.pointer_in_file(pointer), value: None }),
            old: None,
            span,
        }
    }
}
