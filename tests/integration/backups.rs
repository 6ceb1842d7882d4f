//! Backups of the embedded database and their way back, by the compiled program; and the way by PostgreSQL's own programs.

mod kept_apart;
mod postgres;
mod refused;
mod restored;

use crate::harness::Process;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a command printed, and how it ended.
#[derive(Debug)]
struct Ran {
    status: Option<i32>,
    output: String,
    error: String,
}

impl Ran {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!((self.status, self.error.as_str()), (Some(0), ""), "{self:?}");
        self.output
    }

    #[track_caller]
    fn refused(self, status: i32, text: &str) {
        assert_eq!((self.status, self.output.as_str()), (Some(status), ""), "{text}: {self:?}");
        assert!(self.error.contains(text), "{text}: {self:?}");
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status.code(), output: text(&output.stdout), error: text(&output.stderr) }
    }
}

/// The program with the settings of this server, as started by `ada`.
fn program(server: &Process) -> Command {
    let mut command = server.beside(env!("CARGO_BIN_EXE_countersign"));
    command.env("USER", "ada").env_remove("SUDO_USER");
    command
}

fn run(server: &Process, command: &str, file: &Path, options: &[&str]) -> Ran {
    program(server).arg(command).arg(file).args(options).output().unwrap().into()
}

/// A backup of this server in a directory of its own.
fn taken(server: &Process, directory: &Path) -> PathBuf {
    let file = directory.join("countersign.backup");
    run(server, "backup", &file, &[]).ok();
    file
}

/// The names in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}
