//! Reads files at a revision of a git repository, by git itself.

use crate::ContractError;
use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};

/// Reads the file that `REV:PATH` names. Symbolic links are followed, as in the working directory, but git reads nothing
/// outside of the repository.
pub(super) fn read(name: &str) -> Result<String, ContractError> {
    let failed = |message: String| ContractError::Git { name: name.to_owned(), message };
    if name.contains('\n') {
        return Err(failed("a name cannot contain a line break".to_owned()));
    }
    let output = batch(name).map_err(|error| failed(format!("git cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ")));
    }
    // `HASH blob SIZE`, line feed, content, line feed; or the name and the problem.
    let end = output.stdout.iter().position(|byte| *byte == b'\n').unwrap_or(output.stdout.len());
    let (head, rest) = output.stdout.split_at(end);
    let head = String::from_utf8_lossy(head);
    match head.split(' ').collect::<Vec<_>>().as_slice() {
        [_, "blob", _] if !head.ends_with(" missing") => {
            let text = rest.strip_prefix(b"\n").and_then(|rest| rest.strip_suffix(b"\n")).unwrap_or(rest);
            String::from_utf8(text.to_vec()).map_err(|_| failed("the file is not UTF-8".to_owned()))
        }
        [_, "tree", _] => Err(failed("it is a directory".to_owned())),
        _ => Err(failed(why_missing(name))),
    }
}

/// The paths of all files in the directory that `REV:PATH` names, relative to it, in alphabetical order; `None` if it is
/// none.
pub(super) fn files(name: &str) -> Option<Vec<String>> {
    let listed = answer(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", "--end-of-options", name])?;
    Some(listed.split_terminator('\0').map(str::to_owned).collect())
}

fn batch(name: &str) -> io::Result<Output> {
    let mut command = Command::new("git");
    command.args(["cat-file", "--batch", "--follow-symlinks"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // If git does not read the name, its error message says why.
        let _ = writeln!(input, "{name}");
    }
    child.wait_with_output()
}

/// Why there is no such file: the revision or the file may be missing, and the former because the clone is shallow.
fn why_missing(name: &str) -> String {
    let (revision, path) = super::DocumentName::of(name, true).revision_and_path();
    if is_object(&format!("{revision}^{{tree}}")) {
        let from_here = format!("{revision}:./{path}");
        return match is_object(&from_here) {
            true => format!(
                "the path is relative to the root of the repository, where `{revision}` has no such file; \
                 `{from_here}` is relative to the working directory"
            ),
            false => format!("there is no file `{path}` in `{revision}`"),
        };
    }
    match answer(&["rev-parse", "--is-shallow-repository"]).as_deref() {
        Some("true") => format!(
            "this clone is shallow and does not contain `{revision}`; fetch the history first \
             (`git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout)"
        ),
        _ => format!("there is no revision `{revision}`; a branch of a remote may have to be fetched first"),
    }
}

fn is_object(name: &str) -> bool {
    answer(&["rev-parse", "--verify", "--quiet", "--end-of-options", name]).is_some()
}

/// What git prints; `None` if it fails.
fn answer(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
