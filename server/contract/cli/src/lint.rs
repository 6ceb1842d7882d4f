//! `countersign contract lint`.

use super::output::{self, OutputArguments};
use super::root::RootArguments;
use super::{ContractError, Outcome, input};
use clap::{Args, ValueEnum};
use countersign_contract::{Verdict, lint};
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct LintArguments {
    /// Documents to lint.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,

    /// The mildest verdict that makes the exit status 1.
    #[arg(long, value_enum, value_name = "VERDICT", default_value = "warning")]
    fail_on: FailOn,

    /// Ignore the findings of this rule; can be repeated.
    #[arg(long, value_name = "RULE", value_parser = rule)]
    without: Vec<String>,

    /// Report the findings of this rule, which is off otherwise; can be repeated.
    #[arg(long, value_name = "RULE", value_parser = optional_rule)]
    with: Vec<String>,

    #[command(flatten)]
    root: RootArguments,

    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    /// Only errors: the document contradicts itself or OpenAPI.
    Error,
    /// Errors and warnings: the document is usable but likely to cause problems.
    Warning,
}

fn rule(id: &str) -> Result<String, String> {
    let is_known = lint::RULES.iter().any(|rule| rule.id == id);
    is_known.then(|| id.to_owned()).ok_or_else(|| format!("there is no rule `{id}`"))
}

fn optional_rule(id: &str) -> Result<String, String> {
    let known: Vec<&str> = lint::OPTIONAL.iter().map(|rule| rule.id).collect();
    known.contains(&id).then(|| id.to_owned()).ok_or_else(|| format!("the rules that are off are {}", known.join(", ")))
}

pub(super) fn run(arguments: &LintArguments, output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    let mut findings = Vec::new();
    for file in &arguments.files {
        findings.extend(lint::lint_with(&input::load(file, &arguments.root)?, &arguments.with));
    }
    findings.retain(|finding| !arguments.without.iter().any(|id| id == finding.rule.id));
    let fails_from = match arguments.fail_on {
        FailOn::Error => Verdict::Error,
        FailOn::Warning => Verdict::Warning,
    };
    output::write(&arguments.output, &findings, &arguments.files.join(", "), fails_from, output)
}
