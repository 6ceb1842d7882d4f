//! Compares pairs of documents, and reports on all of them.

use super::pairs::Pair;
use super::{DiffArguments, options};
use crate::accepted::{Accepted, file_name};
use crate::output::{self, Reported};
use crate::{ContractError, Outcome, input};
use countersign_contract_diff::version_bump::{check_version, suggested_version};
use countersign_contract_diff::{Options as DiffOptions, diff, documents};
use countersign_contract_document::Document;
use countersign_contract_finding::{Finding, Verdict};
use countersign_contract_profile::exceptions::Examined;
use countersign_contract_profile::selection::Selection;
use countersign_contract_profile::{DiffProfile, FailOn};
use countersign_contract_report::{Notes, SuggestedVersion};
use std::io::Write;

pub(super) struct Comparison<'a> {
    arguments: &'a DiffArguments,
    check_version: bool,
    threshold: Threshold,
    options: DiffOptions,
    selection: Selection,
    accepted: Accepted<'a>,
    findings: Vec<Finding>,
    /// File names of the documents.
    examined: Vec<&'a str>,
    suggested: Vec<SuggestedVersion>,
}

impl<'a> Comparison<'a> {
    /// Reads the configuration and the exceptions for a document or a directory.
    pub(super) fn new(arguments: &'a DiffArguments, place: &str, today: &'a str) -> Result<Self, ContractError> {
        let root = arguments.shared.input.root();
        let profile: DiffProfile = arguments.shared.profile.load(place, root)?.diff;
        Ok(Self {
            arguments,
            check_version: profile.check_version,
            threshold: Threshold::of(arguments.fail_on.map(Into::into).or(profile.fail_on)),
            options: options(arguments, &profile, today),
            selection: arguments.shared.selection.selection(),
            accepted: Accepted::open(&arguments.shared.exceptions, place, root, today)?,
            findings: Vec::new(),
            examined: Vec::new(),
            suggested: Vec::new(),
        })
    }

    /// Compares the documents of a pair. Returns why documents cannot be used.
    pub(super) fn add(&mut self, pair: Pair<'a>) -> Result<Vec<ContractError>, ContractError> {
        let (name, finding) = match pair {
            Pair::Both { path, old, new } => {
                return match [old, new].map(|name| input::load_used(name, &self.arguments.shared.input)) {
                    [Ok(old), Ok(document)] => {
                        let compared = self.compare(&old, &document, path, new);
                        // The program ends with the only pair, sooner than their memory would be given back piece by piece.
                        if path.is_none() {
                            std::mem::forget((old, document));
                        }
                        compared.map(|()| Vec::new())
                    }
                    sides => Ok(sides.into_iter().filter_map(Result::err).collect()),
                };
            }
            Pair::Added { path, name } => match input::load_used(name, &self.arguments.shared.input) {
                Ok(_) => (name, documents::added(path, name)),
                Err(error) => return Ok(vec![error]),
            },
            Pair::Removed { path, name } => (name, documents::removed(path, name)),
        };
        let mut findings = vec![finding];
        self.options.severities.apply(&mut findings);
        self.take(name, findings).map(|()| Vec::new())
    }

    fn compare(
        &mut self,
        old: &Document,
        new: &Document,
        path: Option<&str>,
        name: &'a str,
    ) -> Result<(), ContractError> {
        let mut findings = diff(old, new, &self.options);
        self.selection.apply(&[old, new], &mut findings);
        let before = self.findings.len();
        self.take(name, findings)?;
        let changes = &self.findings[before..];
        self.suggested.extend(
            suggested_version(old, changes)
                .map(|version| SuggestedVersion { document: path.map(str::to_owned), version: version.to_string() }),
        );
        if self.check_version {
            let mut version: Vec<Finding> = check_version(old, new, changes).into_iter().collect();
            self.options.severities.apply(&mut version);
            self.apply_accepted(name, &mut version)?;
            self.findings.append(&mut version);
        }
        Ok(())
    }

    /// Takes the findings about a document that are not accepted.
    fn take(&mut self, name: &'a str, mut findings: Vec<Finding>) -> Result<(), ContractError> {
        self.apply_accepted(name, &mut findings)?;
        self.findings.append(&mut findings);
        self.examined.push(file_name(name));
        Ok(())
    }

    fn apply_accepted(&mut self, name: &'a str, findings: &mut Vec<Finding>) -> Result<(), ContractError> {
        let threshold = self.threshold;
        self.accepted.apply(name, findings, |finding| threshold.is_reached_by(finding))
    }

    /// Reports the findings, and the documents that cannot be used.
    pub(super) fn report(
        mut self,
        failures: Vec<ContractError>,
        title: &str,
        output: &mut (dyn Write + Send),
    ) -> Result<Outcome, ContractError> {
        let notes = Notes { accepted: self.accepted.count, suggested_versions: self.suggested };
        let is_whole = self.selection.is_everything() && failures.is_empty();
        let examined = if is_whole { Examined::Changes(&self.examined) } else { Examined::Parts };
        self.findings.extend(self.accepted.close(examined)?);

        // Findings below --at-least count for the exit status, too.
        let has_failures = self.findings.iter().any(|finding| self.threshold.is_reached_by(finding));
        self.findings.retain(|finding| finding.verdict >= self.arguments.at_least.into());
        let counts = (self.threshold.fails_from, &notes);
        let arguments = &self.arguments.shared.output;
        if !failures.is_empty() {
            let examined = self.examined.len();
            let reported = Reported { findings: &self.findings, title, examined };
            return Err(arguments.write_with_failures(&reported, failures, counts, output));
        }
        output::write(arguments, &self.findings, title, counts, output)?;
        Ok(if has_failures { Outcome::Findings } else { Outcome::Fine })
    }
}

/// From which verdict on findings make the exit status 1.
#[derive(Debug, Clone, Copy)]
struct Threshold {
    /// The mildest verdict that counts as a failure in reports.
    fails_from: Verdict,
    /// Whether nothing makes the exit status 1.
    is_off: bool,
}

impl Threshold {
    fn of(fail_on: Option<FailOn>) -> Self {
        let (fails_from, is_off) = match fail_on.unwrap_or(FailOn::Breaking) {
            FailOn::Breaking => (Verdict::Breaking, false),
            FailOn::Risky => (Verdict::Risky, false),
            FailOn::Any => (Verdict::Documentation, false),
            FailOn::Nothing => (Verdict::Error, true),
        };
        Self { fails_from, is_off }
    }

    fn is_reached_by(self, finding: &Finding) -> bool {
        !self.is_off && finding.verdict >= self.fails_from
    }
}
