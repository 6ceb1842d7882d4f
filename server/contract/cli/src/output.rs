//! Writes findings in the requested format.

use super::{ContractError, Outcome};
use clap::{Args, ValueEnum};
use countersign_contract::report::{Format, render};
use countersign_contract::{Finding, Verdict};
use std::io::Write;
use std::path::PathBuf;

/// Format and destination of findings.
#[derive(Debug, Clone, Args)]
pub(super) struct OutputArguments {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: FormatName,

    /// Write the findings to a file, and a summary line to standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    /// Text for people, grouped by operation.
    Text,
    /// JSON for programs.
    Json,
    /// JUnit test results for CI systems.
    Junit,
    /// Annotations for GitHub workflows.
    Github,
}

/// Writes the findings. The outcome is `Findings` if one has at least the verdict `fails_from`.
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
