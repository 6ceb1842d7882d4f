//! Counts responses, and tells a server with findings from one that is not there.

use super::{ContractError, Finding, Probe, Purpose, Received, Url};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// Number of requests to an operation, one after the other, without a response in time, after which it is not called again: an
/// operation that never responds must not take the time of all others.
const MOST_TIMEOUTS: usize = 3;

/// Statistics of a run.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) sent: usize,
    /// Number of responses.
    pub(super) answered: usize,
    /// Number of responses that may be those of the document's operations.
    pub(super) recognised: usize,
    /// Number of responses by status.
    statuses: BTreeMap<u16, usize>,
    /// Operations with a successful response to a valid request.
    pub(super) succeeded: HashSet<String>,
    /// Number of requests without a response in time since the last response of an operation.
    timeouts: HashMap<String, usize>,
    /// Why the last request without a response has none.
    last_failure: String,
}

impl Statistics {
    pub(super) fn count(&mut self, probe: &Probe, received: &Received, findings: &[Finding]) {
        self.sent += 1;
        self.answered += 1;
        self.timeouts.remove(&probe.operation);
        *self.statuses.entry(received.status).or_default() += 1;
        if received.status < 400 && matches!(probe.purpose, Purpose::Documented(_)) {
            self.succeeded.insert(probe.operation.clone());
        }
        self.recognised += usize::from(!is_foreign(probe, received, findings));
    }

    pub(super) fn count_failure(&mut self, why: &str) {
        self.sent += 1;
        why.clone_into(&mut self.last_failure);
    }

    /// Counts a request without a response in time.
    pub(super) fn count_timeout(&mut self, probe: &Probe) {
        *self.timeouts.entry(probe.operation.clone()).or_default() += 1;
    }

    /// Whether the operation of a request has not responded so often that it is not called again.
    pub(super) fn is_silent(&self, probe: &Probe) -> bool {
        self.timeouts.get(&probe.operation).is_some_and(|count| *count >= MOST_TIMEOUTS)
    }

    /// Whether there was a server, and it was that of the document.
    pub(super) fn examine(&self, url: &Url) -> Result<(), ContractError> {
        let url = url.to_string();
        match (self.sent, self.answered, self.recognised) {
            (0, _, _) => Ok(()),
            (_, 0, _) => Err(ContractError::Unreachable { url, why: self.last_failure.clone() }),
            (sent, _, 0) => Err(ContractError::WrongBase { url, sent }),
            _ => Ok(()),
        }
    }
}

/// Rules that a web page violates where the document has none.
const UNEXPECTED: [&str; 3] = ["body-unexpected", "content-type-undocumented", "status-undocumented"];

/// Whether a response is that of something else than an operation of the document: one for unknown paths or methods, unless it
/// is the documented one for a path variable, or a web page that is not documented.
fn is_foreign(probe: &Probe, received: &Received, findings: &[Finding]) -> bool {
    match received.status {
        404 | 405 | 501 => {
            let is_well_formed = !matches!(probe.purpose, Purpose::Malformed { .. });
            !(is_well_formed && probe.has_variables() && findings.is_empty())
        }
        _ => received.is_web_page() && findings.iter().any(|finding| UNEXPECTED.contains(&finding.rule.id)),
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (status, count) in &self.statuses {
            write!(formatter, "{status}: {count}, ")?;
        }
        match self.succeeded.len() {
            1 => formatter.write_str("1 operation succeeded")?,
            many => write!(formatter, "{many} operations succeeded")?,
        }
        match self.timeouts.values().filter(|count| **count >= MOST_TIMEOUTS).count() {
            0 => Ok(()),
            silent => write!(formatter, ", {silent} not called again after {MOST_TIMEOUTS} timeouts"),
        }
    }
}
