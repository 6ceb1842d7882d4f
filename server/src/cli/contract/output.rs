//! What was found, in the form that was asked for.

use super::{ContractError, Outcome};
use clap::{Args, ValueEnum};
use countersign_contract::report::{Format, render};
use countersign_contract::{Finding, Verdict};
use std::io::Write;
use std::path::PathBuf;

/// How findings are written, and where.
#[derive(Debug, Clone, Args)]
pub(super) struct OutputArguments {
    /// How findings are written.
    #[arg(long, value_enum, default_value = "text")]
    format: FormatName,

    /// Write them into a file, and a line about them to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    /// For people, grouped by operation.
    Text,
    /// For programs.
    Json,
    /// Test results, for CI systems that show them.
    Junit,
    /// Annotations, for workflows on GitHub.
    Github,
}

/// Writes the findings. What is at least as bad as `fails_from` makes the outcome one with findings.
pub(super) fn write(
    arguments: &OutputArguments,
    findings: &[Finding],
    title: &str,
    fails_from: Verdict,
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    let format = match arguments.format {
        FormatName::Text => Format::Text,
        FormatName::Json => Format::Json,
        FormatName::Junit => Format::JUnit,
        FormatName::Github => Format::GitHub,
    };
    let text = render(findings, format, title, fails_from);
    let failed = |path: Option<PathBuf>| move |source| ContractError::Output { path, source };
    match &arguments.output {
        None => output.write_all(text.as_bytes()).map_err(failed(None))?,
        Some(path) => {
            std::fs::write(path, text).map_err(failed(Some(path.clone())))?;
            let last = render(findings, Format::Text, title, fails_from);
            let last = last.lines().next_back().unwrap_or_default();
            writeln!(output, "{last}; written to {}", path.display()).map_err(failed(None))?;
        }
    }
    match findings.iter().any(|finding| finding.verdict >= fails_from) {
        true => Ok(Outcome::Findings),
        false => Ok(Outcome::Fine),
    }
}
