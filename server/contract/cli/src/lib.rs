//! The command line of the contract tool, for any document of OpenAPI 3.0, 3.1 or 3.2.
//!
//! It is the program `countersign-contract`, and `countersign contract` of the server, whose settings do not apply here.
//! Only `check`, `proxy` and `learn` use HTTP; they can be left out (the feature `check`).
//!
//! Exit status: 0 without relevant findings, 1 with some, 2 for an error.

mod accepted;
#[cfg(feature = "check")]
mod check;
mod completions;
mod diff;
mod error;
mod explain;
#[cfg(feature = "check")]
mod http_client;
mod input;
#[cfg(feature = "check")]
mod learn;
mod lint;
mod output;
#[cfg(feature = "check")]
mod proxy;
#[cfg(feature = "check")]
mod recording;
mod repository;
mod rewrite;
mod root;
mod selection;
mod settings;
mod shared;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

pub use error::{ContractError, chain};

const EXAMPLES: &str = "\
Examples:
  countersign contract diff openapi/released/api-1.2.0.yaml openapi/api.yaml
      Changes since the release; status 1 if one of them breaks clients.
  countersign contract diff --fail-on risky --format github origin/main:openapi/api.yaml openapi/api.yaml
      Changes of a branch, as annotations of a pull request.
  countersign contract diff --format markdown --output changes.md v1.2.0:openapi/api.yaml openapi/api.yaml
      A changelog for the next release.
  countersign contract diff --accept --reason 'agreed with all clients' --until 2027-06-30 old.yaml openapi/api.yaml
      Accept what fails: it is not reported again until it changes or the day has passed.
  countersign contract diff HEAD~1:openapi openapi
      Changes of all documents in a directory, in one report.
  countersign contract lint --format junit --output lint.xml openapi/api.yaml
      Errors and warnings of a document, for a CI system to show.
  countersign contract check --url http://localhost:3000/api/auth openapi/better-auth.yaml
      Test whether a running server follows its contract.
  countersign contract check --url https://example.com/api --har session.har openapi/api.yaml
      Test whether the requests and responses that a browser recorded follow the contract.
  countersign contract proxy --url http://localhost:3000/api/auth --listen 127.0.0.1:8080 openapi/better-auth.yaml
      The same for what goes through a proxy, until Ctrl-C.
  countersign contract learn --url https://example.com/api --har session.har --output api.json
      A first document from recorded traffic.
  countersign contract convert --to 3.0 --output older.json openapi/api.yaml
      A document of OpenAPI 3.1 for a tool that only reads 3.0; status 1 if something had to be left out.
  countersign contract explain request-property-became-required
      What a rule finds, why it matters, and what to do about it.

Documents are OpenAPI 3.0, 3.1 or 3.2 in YAML or JSON: a file, `-` for standard input, a URL, or REV:PATH for a file at a
revision of the git repository in the working directory (`HEAD~1:openapi/api.yaml`; a PATH that begins with ./ is relative to
that directory). diff and lint also take directories and patterns (`openapi/*.yaml`), which stand for the documents in them.
A document may consist of several files: `$ref: schemas/user.yaml` is relative to the file that contains it, at the same
revision. References are followed within the git repository of the document, or else below its directory; --root DIR names
another directory.

diff and lint read their configuration from contract.toml, and the findings that were accepted from contract-exceptions.toml, which
--accept writes; both are beside the document, or at the root of its repository. Flags win over the configuration.

Exit status: 0 without relevant findings, 1 with some, 2 if a document, the configuration or the command line is invalid, or if check
reaches no server or one that does not have the document's paths, or proxy and learn see no request. By default, relevant are breaking findings of diff, errors of lint and
all findings of check and proxy; --fail-on of lint and diff changes that.";

/// The name that the examples have for the program.
const PROGRAM: &str = "countersign contract";

/// Compare and lint OpenAPI contracts, and test running servers against them.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version)]
struct ContractLine {
    #[command(subcommand)]
    command: ContractCommand,
}

#[derive(Debug, Subcommand)]
enum ContractCommand {
    /// Compare two versions and report breaking changes.
    Diff(diff::DiffArguments),
    /// Report errors in a document, and usage that causes problems for client generators.
    Lint(lint::LintArguments),
    #[cfg(feature = "check")]
    /// Send valid and invalid requests to a running server and validate the responses.
    Check(check::CheckArguments),
    #[cfg(feature = "check")]
    /// Forward requests to a running server, and validate them and the responses.
    Proxy(proxy::ProxyArguments),
    #[cfg(feature = "check")]
    /// Write a first document from recorded or forwarded traffic, in JSON.
    Learn(learn::LearnArguments),
    /// Write a document and the files that it refers to as one document, in JSON.
    Bundle(rewrite::BundleArguments),
    /// Write a document in another version of OpenAPI, in JSON, and list what that version cannot say.
    Convert(rewrite::ConvertArguments),
    /// Explain a rule, or list all rules.
    Explain(explain::ExplainArguments),
    /// Print the completion script of a shell, such as for `source <(countersign-contract completions bash)`.
    Completions(completions::CompletionArguments),
}

/// Result of a tool that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No relevant findings.
    Fine,
    /// Relevant findings.
    Findings,
}

/// Runs the tool that the arguments name. `program` is what help calls the program, and `today` the day that removals are
/// announced for and exceptions expire on, as in 2027-01-31.
///
/// # Errors
/// See [`ContractError`].
pub fn run(
    program: &str,
    today: &str,
    arguments: &[OsString],
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    let mut command = command_line(program);
    let name = OsString::from(program);
    let matches = command.try_get_matches_from_mut(std::iter::once(&name).chain(arguments));
    let matches = matches.map_err(|error| match (error.kind(), arguments.first()) {
        (ErrorKind::InvalidSubcommand, Some(file)) if Path::new(file).exists() => {
            let file = file.display();
            command
                .error(error.kind(), format!("{file} is a file; a command comes first, as in `{program} lint {file}`"))
        }
        _ => error,
    })?;
    let line = ContractLine::from_arg_matches(&matches)?;
    match line.command {
        ContractCommand::Diff(arguments) => diff::run(&arguments, today, output),
        ContractCommand::Lint(arguments) => lint::run(&arguments, today, output),
        #[cfg(feature = "check")]
        ContractCommand::Check(arguments) => check::run(&arguments, output),
        #[cfg(feature = "check")]
        ContractCommand::Proxy(arguments) => proxy::run(&arguments, output),
        #[cfg(feature = "check")]
        ContractCommand::Learn(arguments) => learn::run(&arguments, output),
        ContractCommand::Bundle(arguments) => rewrite::bundle(&arguments, output),
        ContractCommand::Convert(arguments) => rewrite::convert(&arguments, output),
        ContractCommand::Explain(arguments) => explain::run(&arguments, output),
        ContractCommand::Completions(arguments) => completions::run(&arguments, command, program, output),
    }
}

/// The command line of a program. As a part of another program, it leaves completions to that.
fn command_line(program: &str) -> clap::Command {
    let command = ContractLine::command().name(program.to_owned()).bin_name(program);
    let command = command.after_long_help(EXAMPLES.replace(PROGRAM, program));
    command.mut_subcommand("completions", |completions| completions.hide(program == PROGRAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        ContractLine::command().debug_assert();
    }
}
