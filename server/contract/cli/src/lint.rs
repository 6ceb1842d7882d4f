//! `countersign contract lint`.

use super::accepted::{Accepted, file_name};
use super::output::Reported;
use super::shared::SharedArguments;
use super::{ContractError, Outcome, input, output};
use clap::{Args, ValueEnum};
use countersign_contract_finding::{Finding, Rule, Severity, Verdict};
use countersign_contract_lint as lint;
use countersign_contract_profile::LintFailOn;
use countersign_contract_profile::exceptions::Examined;
use countersign_contract_report::Notes;
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct LintArguments {
    /// Documents to lint, directories with documents, or patterns such as `openapi/*.yaml`.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// The mildest verdict that makes the exit status 1. Without this option, that of the configuration, or else error.
    #[arg(long, value_enum, value_name = "VERDICT")]
    fail_on: Option<FailOn>,

    /// Ignore the findings of this rule; can be repeated.
    #[arg(long, value_name = "RULE", value_parser = rule)]
    without: Vec<&'static Rule>,

    /// Report the findings of this rule, which is off otherwise; can be repeated.
    #[arg(long, value_name = "RULE", value_parser = optional_rule)]
    with: Vec<&'static Rule>,

    #[command(flatten)]
    shared: SharedArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    /// Only errors: the document contradicts itself or OpenAPI.
    Error,
    /// Errors and warnings: the document is usable but likely to cause problems.
    Warning,
}

fn rule(id: &str) -> Result<&'static Rule, String> {
    lint::RULES.iter().find(|rule| rule.id == id).ok_or_else(|| format!("there is no rule `{id}`"))
}

fn optional_rule(id: &str) -> Result<&'static Rule, String> {
    let known = || lint::OPTIONAL.iter().map(|rule| rule.id).collect::<Vec<_>>().join(", ");
    let rule = lint::OPTIONAL.iter().find(|rule| rule.id == id);
    rule.ok_or_else(|| format!("the rules that are off are {}", known()))
}

pub(super) fn run(
    arguments: &LintArguments,
    today: &str,
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    let files = input::expand(&arguments.files)?;
    let Some(first) = files.first() else { return Ok(Outcome::Fine) };
    let root = arguments.shared.input.root();
    let mut profile = arguments.shared.profile.load(first, root)?.lint;
    profile.severity.extend(arguments.with.iter().map(|rule| (*rule, Severity::As(rule.verdict))));
    profile.severity.extend(arguments.without.iter().map(|rule| (*rule, Severity::Off)));
    let fails_from = match (arguments.fail_on, profile.fail_on) {
        (Some(FailOn::Warning), _) | (None, Some(LintFailOn::Warning)) => Verdict::Warning,
        (Some(FailOn::Error), _) | (None, Some(LintFailOn::Error) | None) => Verdict::Error,
    };
    let fails = |finding: &Finding| finding.verdict >= fails_from;

    let selection = arguments.shared.selection.selection();
    let mut accepted = Accepted::open(&arguments.shared.exceptions, first, root, today)?;
    let (mut findings, mut linted, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for file in &files {
        match input::load_for_lint(file, &arguments.shared.input) {
            Ok(document) => {
                let mut found = profile.lint(&document);
                selection.apply(&[&document], &mut found);
                accepted.apply(file, &mut found, fails)?;
                findings.append(&mut found);
                linted.push(input::shown(file));
            }
            Err(error) => failures.push(error),
        }
    }
    arguments.shared.input.keep(arguments.shared.output.file())?;
    let notes = Notes { accepted: accepted.count, ..Notes::default() };
    let documents: Vec<&str> = files.iter().map(|file| file_name(file)).collect();
    // Exceptions about documents that could not be read are not outdated.
    let is_whole = selection.is_everything() && failures.is_empty();
    let examined = if is_whole { Examined::Documents(&documents) } else { Examined::Parts };
    findings.extend(accepted.close(examined)?);
    let counts = (fails_from, &notes);
    if failures.is_empty() {
        return output::write(&arguments.shared.output, &findings, &linted.join(", "), counts, output);
    }
    let examined = linted.len();
    let named = if linted.is_empty() { files.iter().map(|file| input::shown(file)).collect() } else { linted };
    let reported = Reported { findings: &findings, title: &named.join(", "), examined };
    Err(arguments.shared.output.write_with_failures(&reported, failures, counts, output))
}
