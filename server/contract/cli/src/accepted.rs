//! Accepted findings: reads, applies and extends the file with the exceptions.

use super::root::RootArguments;
use super::{ContractError, settings};
use clap::Args;
use countersign_contract_finding::Finding;
use countersign_contract_profile::exceptions::{Acceptance, Examined, Exceptions};
use std::io::Write as _;
use std::path::PathBuf;

/// File name of the exceptions.
const EXCEPTIONS: &str = "contract-exceptions.toml";

/// Which findings are accepted.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ExceptionArguments {
    /// Read accepted findings from FILE. By default, from contract-exceptions.toml beside the (new, or first) document or
    /// at the root that references may lead to, if there is one.
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,

    /// Accept the findings that would make the exit status 1: add them to the exceptions, or renew them there.
    #[arg(long, requires = "reason")]
    accept: bool,

    /// Why they are accepted.
    #[arg(long, value_name = "TEXT", requires = "accept", value_parser = reason)]
    reason: Option<String>,

    /// Last day on which they are accepted; without it, they are until they change.
    #[arg(long, value_name = "YYYY-MM-DD", requires = "accept", value_parser = day)]
    until: Option<String>,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected a reason".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn day(text: &str) -> Result<String, String> {
    let day: Result<chrono::NaiveDate, _> = text.parse();
    day.map(|day| day.to_string()).map_err(|_| "expected a day such as 2027-01-31".to_owned())
}

/// The exceptions during a run.
pub(super) struct Accepted<'a> {
    arguments: &'a ExceptionArguments,
    today: &'a str,
    path: PathBuf,
    exceptions: Exceptions,
    /// The findings before accepted ones were removed.
    found: Vec<Finding>,
    /// Number of findings that are accepted.
    pub(super) count: usize,
    /// Number of them that this run added or renewed.
    added: usize,
}

impl<'a> Accepted<'a> {
    /// Reads the exceptions for a document.
    pub(super) fn open(
        arguments: &'a ExceptionArguments,
        document: &str,
        root: &RootArguments,
        today: &'a str,
    ) -> Result<Self, ContractError> {
        if let Some(until) = arguments.until.as_deref().filter(|until| *until < today) {
            return Err(ContractError::PastDay { until: until.to_owned() });
        }
        let path = arguments.exceptions.clone().or_else(|| settings::find(EXCEPTIONS, document, root));
        let path = path.unwrap_or_else(|| settings::beside(document).join(EXCEPTIONS));
        let name = path.display().to_string();
        // A file that is named has to exist, unless it is to be written.
        let is_new = !path.exists() && (arguments.accept || arguments.exceptions.is_none());
        let exceptions = match is_new {
            true => Exceptions::new(&name),
            false => Exceptions::parse(&name, &settings::read(&path)?)?,
        };
        Ok(Self { arguments, today, path, exceptions, found: Vec::new(), count: 0, added: 0 })
    }

    /// Removes the accepted findings about a document; with `--accept`, accepts those that fail before.
    pub(super) fn apply(
        &mut self,
        document: &str,
        findings: &mut Vec<Finding>,
        fails: impl Fn(&Finding) -> bool,
    ) -> Result<(), ContractError> {
        self.found.extend(findings.iter().cloned());
        self.count += self.exceptions.remove_accepted(findings, self.today);
        if let Some(reason) = self.arguments.reason.clone().filter(|_| self.arguments.accept) {
            let failing: Vec<&Finding> = findings.iter().filter(|finding| fails(finding)).collect();
            let acceptance = Acceptance { reason, until: self.arguments.until.clone() };
            self.added += self.exceptions.accept(file_name(document), &failing, &acceptance)?;
            self.count += self.exceptions.remove_accepted(findings, self.today);
        }
        Ok(())
    }

    /// Writes the exceptions if some were added. Returns findings about outdated ones.
    pub(super) fn close(self, examined: Examined<'_>) -> Result<Vec<Finding>, ContractError> {
        if self.added > 0 {
            let failed = |source| ContractError::Output { path: Some(self.path.clone()), source };
            std::fs::write(&self.path, self.exceptions.to_string()).map_err(failed)?;
            // Not to the output, which may be for a program.
            let _ = writeln!(std::io::stderr(), "accepted in {}: {}", self.path.display(), self.added);
        }
        Ok(self.exceptions.outdated(&self.found, self.today, examined))
    }
}

/// The file name of a document, also of one at a revision of git or a URL.
pub(super) fn file_name(document: &str) -> &str {
    let path = match document.contains("://") {
        true => document.split(['?', '#']).next().unwrap_or_default(),
        false => document,
    };
    path.rsplit(['/', '\\', ':']).next().unwrap_or(document)
}
