//! `countersign completions` and `countersign man`: made of the command line itself.

use clap::Command;
use clap_complete::Shell;
use std::io::{self, Write};
use std::path::Path;

/// Writes the completion script of a shell.
pub(super) fn completions(mut command: Command, shell: Shell, output: &mut (dyn Write + Send)) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "countersign", &mut script);
    output.write_all(&script)
}

/// Writes a man page for each command to a directory, which is created if it is missing.
pub(super) fn man_pages(command: Command, directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(command, directory)
}
