//! `countersign contract`: a contract as a tool, for any OpenAPI 3.0 document.
//!
//! A command line of its own behind the first word: none of the server's settings means anything here.
//!
//! Exit status: 0 when nothing was found, 1 when something was, 2 when it could not be looked for.

mod check;
mod diff;
mod explain;
mod input;
mod lint;
mod output;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  countersign contract diff openapi/released/api-1.2.0.yaml openapi/api.yaml
      What changed since the release; status 1 if it breaks somebody.
  countersign contract diff --fail-on risky --format github origin/main:openapi/api.yaml openapi/api.yaml
      What a branch changes, as annotations of a pull request.
  countersign contract lint --format junit --output lint.xml openapi/api.yaml
      What is wrong with a document, for a CI system to show.
  countersign contract check --url http://localhost:3000/api/auth openapi/better-auth.yaml
      Whether a running server keeps its contract.
  countersign contract explain request-property-became-required
      What a rule finds, and what to do about it.

Documents are OpenAPI 3.0 in YAML or JSON: a file, `-` for standard input, or REV:PATH for a file at a revision of the git
repository in the working directory (`HEAD~1:openapi/api.yaml`; a PATH that begins with ./ is relative to that directory).
A document may be several files: `$ref: schemas/user.yaml` is looked for beside the file that says it, at the same revision.

Exit status: 0 when nothing was found that counts, 1 when something was, 2 when a document or the command line cannot be used.
What counts is everything for lint and check (--fail-on of lint says otherwise), and what breaks for diff (see its --fail-on).";

/// Work with OpenAPI contracts: what changed and whom that breaks, what is wrong, whether a server keeps them.
#[derive(Debug, Parser)]
#[command(name = "countersign contract", bin_name = "countersign contract", after_long_help = EXAMPLES)]
struct ContractLine {
    #[command(subcommand)]
    command: ContractCommand,
}

#[derive(Debug, Subcommand)]
enum ContractCommand {
    /// Say what changed between two versions, and whom that breaks.
    Diff(diff::DiffArguments),
    /// Say what is wrong with a document, and what makes clients generate badly.
    Lint(lint::LintArguments),
    /// Send a running server what a document allows and forbids, and hold each response against the document.
    Check(check::CheckArguments),
    /// Say what a rule finds and why that matters; without a rule, list them all.
    Explain(explain::ExplainArguments),
}

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The command line makes no sense; or it asked for help, which is no failure.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// A document cannot be read.
    #[error("{name} cannot be read")]
    Unreadable {
        /// The document as it was named.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// git does not give the document.
    #[error("{name} cannot be read from git: {said}")]
    Git {
        /// The document as it was named.
        name: String,
        /// What git said.
        said: String,
    },
    /// A document cannot be used.
    #[error(transparent)]
    Document(#[from] countersign_contract::Error),
    /// There is no such rule.
    #[error("there is no rule `{id}`{hint}; `countersign contract explain` lists them all")]
    NoSuchRule {
        /// As it was given.
        id: String,
        /// A rule of nearly that name, in words.
        hint: String,
    },
    /// Standard input was named for both documents.
    #[error("standard input can be only one of the two documents")]
    OneInput,
    /// The runtime could not be started.
    #[error("the runtime could not be started")]
    Runtime {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No request can be made.
    #[error("no HTTP client could be made")]
    Client {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The server does not answer at all.
    #[error("{url} does not answer: {why}")]
    Unreachable {
        /// Its address.
        url: String,
        /// Why.
        why: String,
    },
    /// The output could not be written.
    #[error("{} could not be written", path.as_ref().map_or_else(|| "the output".to_owned(), |path| path.display().to_string()))]
    Output {
        /// The file; `None` for standard output.
        path: Option<PathBuf>,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// How it ended, when it could be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing was found that counts.
    Fine,
    /// Something was.
    Findings,
}

/// Does what the words behind `contract` ask for.
pub(super) fn run(arguments: &[OsString], output: &mut (dyn Write + Send)) -> Result<Outcome, ContractError> {
    let program = OsString::from("countersign contract");
    let line = ContractLine::try_parse_from(std::iter::once(&program).chain(arguments))?;
    match line.command {
        ContractCommand::Diff(arguments) => diff::run(&arguments, output),
        ContractCommand::Lint(arguments) => lint::run(&arguments, output),
        ContractCommand::Check(arguments) => check::run(&arguments, output),
        ContractCommand::Explain(arguments) => explain::run(&arguments, output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        ContractLine::command().debug_assert();
    }
}
