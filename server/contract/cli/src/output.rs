//! Writes findings in the requested format.

use super::repository::relative_to_root;
use super::{ContractError, Outcome, chain};
use clap::{Args, ValueEnum};
use countersign_contract_document::{Position, SourceSpan};
use countersign_contract_finding::{Finding, Operations, UNUSABLE, Verdict};
use countersign_contract_report::{Format, Notes, markdown, render_with, summary};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Greatest size in bytes of what is appended to the summary of a step. GitHub shows none of more than 1 MiB, and other
/// commands of the step may append to it, too.
const LONGEST_SUMMARY: usize = 256 << 10;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// Human-readable text, the worst findings first.
    Text,
    /// JSON for programs.
    Json,
    /// JUnit test results for CI systems.
    Junit,
    /// Annotations for GitHub workflows, and Markdown for the step's summary (`$GITHUB_STEP_SUMMARY`).
    Github,
    /// Markdown, for example as the changelog of a release.
    Markdown,
    /// One HTML file.
    Html,
    /// SARIF 2.1.0 for code scanning and editors.
    Sarif,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Self::Text,
            FormatName::Json => Self::Json,
            FormatName::Junit => Self::JUnit,
            FormatName::Github => Self::GitHub,
            FormatName::Markdown => Self::Markdown,
            FormatName::Html => Self::Html,
            FormatName::Sarif => Self::Sarif,
        }
    }
}

/// Writes the findings. The outcome is `Findings` if one has at least the verdict `fails_from`.
pub(super) fn write(
    arguments: &OutputArguments,
    findings: &[Finding],
    title: &str,
    (fails_from, notes): (Verdict, &Notes),
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    let format = Format::from(arguments.format);
    let text = match format {
        Format::GitHub | Format::Sarif => render_with(&relative_to_root(findings), format, title, fails_from, notes),
        _ => render_with(findings, format, title, fails_from, notes),
    };
    let failed = |path: Option<PathBuf>| move |source| ContractError::Output { path, source };
    match &arguments.output {
        None => output.write_all(text.as_bytes()).map_err(failed(None))?,
        Some(path) => {
            std::fs::write(path, text).map_err(failed(Some(path.clone())))?;
            let summary = summary(findings, title, notes);
            writeln!(output, "{summary}; written to {}", path.display()).map_err(failed(None))?;
        }
    }
    if let Some(path) = arguments.step_summary() {
        let text = markdown::render_up_to(findings, title, notes, LONGEST_SUMMARY);
        append(&path, &text).map_err(failed(Some(path)))?;
    }
    Ok(outcome(findings, fails_from))
}

/// Writes the number of findings that were shown before. The outcome is as in [`write`].
#[cfg(feature = "check")]
pub(super) fn write_summary(
    findings: &[Finding],
    title: &str,
    (fails_from, notes): (Verdict, &Notes),
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    let summary = summary(findings, title, notes);
    writeln!(output, "{summary}").map_err(|source| ContractError::Output { path: None, source })?;
    Ok(outcome(findings, fails_from))
}

fn outcome(findings: &[Finding], fails_from: Verdict) -> Outcome {
    let has_some = findings.iter().any(|finding| finding.verdict >= fails_from);
    if has_some { Outcome::Findings } else { Outcome::Fine }
}

impl OutputArguments {
    /// Whether findings are shown as text as soon as they are found.
    #[cfg(feature = "check")]
    pub(super) fn is_text_on_standard_output(&self) -> bool {
        self.format == FormatName::Text && self.output.is_none()
    }

    /// The file to write to.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// Where GitHub's runner expects the summary of a step.
    fn step_summary(&self) -> Option<PathBuf> {
        let path = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())?;
        (self.format == FormatName::Github).then(|| path.into())
    }

    /// Writes documents that cannot be used as findings. Returns the error to end with.
    #[cfg(feature = "check")]
    pub(super) fn write_failures(
        &self,
        failures: Vec<ContractError>,
        title: &str,
        output: &mut (dyn Write + Send),
    ) -> ContractError {
        // In text, the error is what is shown.
        if self.format != FormatName::Text {
            let findings: Vec<Finding> = failures.iter().map(unusable).collect();
            if let Err(error) = write(self, &findings, title, (Verdict::Error, &Notes::default()), output) {
                return error;
            }
        }
        one_error(failures)
    }

    /// Writes the findings about some documents beside others that cannot be used. Returns the error to end with.
    pub(super) fn write_with_failures(
        &self,
        reported: &Reported<'_>,
        failures: Vec<ContractError>,
        counts: (Verdict, &Notes),
        output: &mut (dyn Write + Send),
    ) -> ContractError {
        let Reported { findings, title, examined } = *reported;
        let written = match (self.format, examined) {
            // The error is what is shown.
            (FormatName::Text, 0) => Ok(Outcome::Findings),
            (FormatName::Text, _) => write(self, findings, title, counts, output),
            _ => {
                let unusable: Vec<Finding> = failures.iter().map(unusable).collect();
                write(self, &[&unusable, findings].concat(), title, counts, output)
            }
        };
        written.err().unwrap_or_else(|| one_error(failures))
    }
}

/// Findings about the documents that can be used.
pub(super) struct Reported<'a> {
    pub(super) findings: &'a [Finding],
    /// What was examined.
    pub(super) title: &'a str,
    /// Number of documents that can be used.
    pub(super) examined: usize,
}

fn one_error(mut failures: Vec<ContractError>) -> ContractError {
    match failures.len() {
        1 => failures.remove(0),
        _ => ContractError::Several(failures),
    }
}

/// The finding about a document that cannot be used.
fn unusable(error: &ContractError) -> Finding {
    let nowhere = |name: &str| SourceSpan { document: name.to_owned(), position: Position::default() };
    let span = match error {
        ContractError::Document(error) => error.span().cloned(),
        ContractError::Unreadable { name, .. } | ContractError::Git { name, .. } | ContractError::Url { name, .. } => {
            Some(nowhere(name))
        }
        _ => None,
    };
    let span = span.unwrap_or_else(|| nowhere(""));
    let text = chain(error);
    // The position is shown beside the message.
    let message = text.strip_prefix(&format!("{span}: ")).unwrap_or(&text).to_owned();
    Finding {
        rule: &UNUSABLE,
        verdict: UNUSABLE.verdict,
        operations: Operations::default(),
        place: String::new(),
        message,
        span,
        old: None,
        new: None,
        example: None,
        request: None,
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{text}\n").as_bytes())
}
