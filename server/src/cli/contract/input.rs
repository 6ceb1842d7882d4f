//! Documents: files, standard input, files at a revision of a git repository.

use super::ContractError;
use countersign_contract::Document;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Reads and checks a document.
pub(super) fn load(name: &str) -> Result<Document, ContractError> {
    Ok(Document::load(name, &read(name)?)?)
}

fn read(name: &str) -> Result<String, ContractError> {
    let unreadable = |source| ContractError::Unreadable { name: name.to_owned(), source };
    if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
        return Ok(text);
    }
    if !Path::new(name).exists()
        && let Some((revision, path)) = name.split_once(':')
        && !revision.is_empty()
        && !path.is_empty()
    {
        return at_revision(name);
    }
    std::fs::read_to_string(name).map_err(unreadable)
}

fn at_revision(name: &str) -> Result<String, ContractError> {
    let git = |said: String| ContractError::Git { name: name.to_owned(), said };
    // `--end-of-options`: a revision that begins with a hyphen is a revision.
    let arguments = ["show", "--no-textconv", "--end-of-options", name];
    let output = Command::new("git").args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| git(format!("git cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(git(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ")));
    }
    String::from_utf8(output.stdout).map_err(|_| git("the file is not text".to_owned()))
}
