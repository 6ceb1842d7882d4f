//! Findings that a team has accepted, in a file beside the document.
//!
//! An entry names a finding by its [`fingerprint`], and says why it is accepted and until when. Accepted findings are not
//! reported. They come back when they change, because their fingerprint does, and when their date has passed. Entries without
//! a finding are reported as stale.

mod file;
mod fingerprint;

use crate::profile::ASSERTION;
use countersign_contract_diff::documents;
use countersign_contract_diff::rules::rule as diff_rule;
use countersign_contract_diff::version_bump::VERSION_TOO_LOW;
use countersign_contract_document::SourceSpan;
use countersign_contract_finding::{Finding, Operations, Rule, Verdict};
use countersign_contract_lint as lint;
use std::collections::HashSet;

pub use file::{Acceptance, Entry, Exceptions};
pub use fingerprint::fingerprint;

/// An entry whose date has passed.
pub static EXPIRED: Rule = Rule {
    id: "exception-expired",
    verdict: Verdict::Warning,
    what: "A finding was accepted until a date that has passed.",
    why: "The finding counts again. Correct what it is about, or accept it anew with a later date.",
};
/// An entry without a finding.
pub static STALE: Rule = Rule {
    id: "exception-stale",
    verdict: Verdict::Warning,
    what: "A finding that was accepted is no longer found.",
    why: "It was corrected, or it has changed and is reported anew. Remove the entry.",
};
/// Rules about the entries themselves.
pub static RULES: [&Rule; 2] = [&EXPIRED, &STALE];

/// What was examined, to tell which entries could have had a finding.
#[derive(Debug, Clone, Copy)]
pub enum Examined<'a> {
    /// All changes of some documents. They are named by their file names.
    Changes(&'a [&'a str]),
    /// All of some documents. They are named by their file names.
    Documents(&'a [&'a str]),
    /// Parts of documents, so that no entry is stale.
    Parts,
}

impl Examined<'_> {
    fn includes(self, entry: &Entry) -> bool {
        let is_of_lint = || lint::RULES.iter().chain([&ASSERTION]).any(|rule| rule.id == entry.rule);
        let is_of_diff = || {
            let further = documents::RULES.iter().chain([&&VERSION_TOO_LOW]).any(|rule| rule.id == entry.rule);
            diff_rule(&entry.rule).is_some() || further
        };
        match self {
            Self::Changes(documents) => documents.contains(&entry.document.as_str()) && is_of_diff(),
            Self::Documents(documents) => documents.contains(&entry.document.as_str()) && is_of_lint(),
            Self::Parts => false,
        }
    }
}

impl Exceptions {
    /// Removes accepted findings, and returns their number. `today` is a day as in `2027-01-31`.
    pub fn remove_accepted(&self, findings: &mut Vec<Finding>, today: &str) -> usize {
        let accepted = self.entries().iter().filter(|entry| !entry.is_expired(today));
        let accepted: HashSet<&str> = accepted.map(|entry| entry.fingerprint.as_str()).collect();
        if accepted.is_empty() {
            return 0;
        }
        let before = findings.len();
        findings.retain(|finding| !accepted.contains(fingerprint(finding).as_str()));
        before - findings.len()
    }

    /// Findings about entries that have expired or are stale. `found` are the findings before accepted ones were removed.
    #[must_use]
    pub fn outdated(&self, found: &[Finding], today: &str, examined: Examined<'_>) -> Vec<Finding> {
        if self.entries().is_empty() {
            return Vec::new();
        }
        let found: HashSet<String> = found.iter().map(fingerprint).collect();
        let about = |entry: &Entry| match found.contains(&entry.fingerprint) {
            true if entry.is_expired(today) => {
                let until = entry.until.as_deref().unwrap_or_default();
                Some((&EXPIRED, format!("{} was accepted until {until}: {}", entry.rule, entry.reason)))
            }
            false if examined.includes(entry) => {
                Some((&STALE, format!("{} is no longer found at {}", entry.rule, entry.place)))
            }
            _ => None,
        };
        // An outdated entry changes nothing for clients.
        let verdict = |rule: &Rule| match examined {
            Examined::Changes(_) => Verdict::Compatible,
            Examined::Documents(_) | Examined::Parts => rule.verdict,
        };
        let finding = |entry: &Entry| {
            let (rule, message) = about(entry)?;
            Some(note(rule, verdict(rule), message, &entry.span))
        };
        self.entries().iter().filter_map(finding).collect()
    }
}

fn note(rule: &'static Rule, verdict: Verdict, message: String, span: &SourceSpan) -> Finding {
    Finding {
        rule,
        verdict,
        operations: Operations::default(),
        place: String::new(),
        message,
        span: span.clone(),
        old: None,
        new: None,
        example: None,
        request: None,
    }
}
