//! Does a running server keep its contract? Which requests to send, and what to make of the responses.
//!
//! No I/O: [`Check::probes`] says what to send, [`Check::judge`] what is wrong with a response. Whoever has a connection puts
//! the two together.
//!
//! Requests come from the document alone: for each operation what it documents (with its examples, with all that may be
//! there, with no more than must be), and what it does not allow (a required part missing, a value of another type, beyond a
//! limit, another media type, no credentials). Operations take turns, so that few requests still reach all of them.
//! Responses are held against the contract by the [`Judge`]; beside that, a request that the document forbids must not
//! succeed, and nothing may be answered with a failure of the server.

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

/// A document, ready to be held against a server.
pub struct Check {
    document: Document,
    validator: ResponseValidator,
}

/// What kinds of requests are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Whether only methods that change nothing (RFC 9110, section 9.2.1) are wanted.
    pub only_safe: bool,
    /// Where the generated values begin: the same number gives the same requests.
    pub seed: u64,
}

impl Check {
    /// Makes ready to check servers of that document.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        Self { document: document.clone(), validator: ResponseValidator::new(document) }
    }

    /// The requests, without end: after a round over all operations come other values.
    pub fn probes(&self, wanted: Wanted) -> impl Iterator<Item = Probe> + '_ {
        probes::all(&self.document, wanted)
    }

    /// How many operations there are to be asked.
    #[must_use]
    pub fn operations(&self, wanted: Wanted) -> usize {
        self.document.located().filter(|located| !wanted.only_safe || probes::is_safe(located.method)).count()
    }

    /// What is wrong with the response to a request. `headers` are the lines as they came.
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

    /// There was no response.
    #[must_use]
    pub fn no_response(&self, probe: &Probe, why: &str) -> Finding {
        self.finding(probe, "no-answer", format!("no response: {why}"), &probe.pointer)
    }

    /// Nothing that was documented had success, in so many requests.
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
            place: probe.purpose.in_words(),
            message,
            new: Some(Side { span: span.clone(), pointer: self.document.pointer_in_file(pointer), value: None }),
            old: None,
            span,
        }
    }
}
