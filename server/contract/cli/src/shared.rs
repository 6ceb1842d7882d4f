//! The arguments that diff and lint have in common.

use super::accepted::ExceptionArguments;
use super::input::InputArguments;
use super::output::OutputArguments;
use super::selection::SelectionArguments;
use super::settings::ProfileArguments;
use clap::Args;

/// How documents are read, which findings count, and where they are written.
#[derive(Debug, Clone, Args)]
pub(super) struct SharedArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,

    #[command(flatten)]
    pub(super) profile: ProfileArguments,

    #[command(flatten)]
    pub(super) exceptions: ExceptionArguments,

    #[command(flatten)]
    pub(super) input: InputArguments,

    #[command(flatten)]
    pub(super) output: OutputArguments,
}
