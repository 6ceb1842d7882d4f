//! `countersign-contract completions`: made of the command line itself.

use super::{ContractError, Outcome, PROGRAM};
use clap::error::ErrorKind;
use clap::{Args, Command};
use clap_complete::Shell;
use std::io::Write;

#[derive(Debug, Args)]
pub(super) struct CompletionArguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(
    arguments: &CompletionArguments,
    mut command: Command,
    program: &str,
    output: &mut (dyn Write + Send),
) -> Result<Outcome, ContractError> {
    if program == PROGRAM {
        let message = "`countersign completions` prints the script of the whole program";
        return Err(command.error(ErrorKind::InvalidSubcommand, message).into());
    }
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, program, &mut script);
    output.write_all(&script).map_err(|source| ContractError::Output { path: None, source })?;
    Ok(Outcome::Fine)
}
