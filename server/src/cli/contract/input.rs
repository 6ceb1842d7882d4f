//! Documents: files, standard input, files at a revision of a git repository, and the files that they refer to.

use super::ContractError;
use countersign_contract::{Document, File, Files};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Reads and checks a document.
pub(super) fn load(name: &str) -> Result<Document, ContractError> {
    let text = read(name)?;
    let place = Place::of(name, is_at_revision(name));
    let other = |path: &str| {
        let name = place.beside(path);
        let text = read(&name)?;
        Ok(File { name, text })
    };
    Ok(Document::load_with(name, &text, Files { own: place.own, read: &other })?)
}

fn read(name: &str) -> Result<String, ContractError> {
    let unreadable = |source| ContractError::Unreadable { name: name.to_owned(), source };
    if name == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
        return Ok(text);
    }
    if is_at_revision(name) {
        return at_revision(name);
    }
    std::fs::read_to_string(name).map_err(unreadable)
}

/// Whether a name means REV:PATH: there is no such file.
fn is_at_revision(name: &str) -> bool {
    let parts = name.split_once(':').filter(|(revision, path)| !revision.is_empty() && !path.is_empty());
    parts.is_some() && !Path::new(name).exists()
}

/// The parts of a document's name.
struct Place<'n> {
    /// `REV:`, or nothing.
    revision: &'n str,
    /// The way to the document, with a slash at the end, or nothing.
    folder: &'n str,
    /// The document in there. What comes from standard input is taken to be in the working directory.
    own: &'n str,
}

impl<'n> Place<'n> {
    fn of(name: &'n str, is_at_revision: bool) -> Self {
        let path_at = name.find(':').filter(|_| is_at_revision).map_or(0, |colon| colon + 1);
        let (revision, path) = name.split_at(path_at);
        let (folder, own) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
        Self { revision, folder, own }
    }

    /// The name of the file at a path from the folder; without a way there and back, as git and people like it.
    fn beside(&self, mut path: &str) -> String {
        let mut folder = self.folder;
        while let (Some(rest), Some(inner)) = (path.strip_prefix("../"), folder.strip_suffix('/')) {
            let (above, last) = folder.split_at(inner.rfind('/').map_or(0, |slash| slash + 1));
            if matches!(last, "../" | "./" | "/") {
                break;
            }
            (folder, path) = (above, rest);
        }
        format!("{}{folder}{path}", self.revision)
    }
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

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn files_are_found_beside_the_document() {
        for (document, path, expected) in [
            ("api.yaml", "user.yaml", "user.yaml"),
            ("-", "schemas/user.yaml", "schemas/user.yaml"),
            ("openapi/v1/api.yaml", "../common/user.yaml", "openapi/common/user.yaml"),
            ("openapi/api.yaml", "../../user.yaml", "../user.yaml"),
            ("../api.yaml", "../user.yaml", "../../user.yaml"),
            ("./api.yaml", "../user.yaml", "./../user.yaml"),
            ("/srv/api.yaml", "../user.yaml", "/user.yaml"),
            ("HEAD~1:api.yaml", "schemas/user.yaml", "HEAD~1:schemas/user.yaml"),
            ("HEAD~1:openapi/api.yaml", "../user.yaml", "HEAD~1:user.yaml"),
            ("origin/main:./api.yaml", "user.yaml", "origin/main:./user.yaml"),
            ("v1:./api.yaml", "../user.yaml", "v1:./../user.yaml"),
            ("origin/main:api.yaml", "user.yaml", "origin/main:user.yaml"),
            ("origin/main:api.yaml", "../user.yaml", "origin/main:../user.yaml"),
        ] {
            let place = Place::of(document, document.contains(':'));
            assert_eq!(place.beside(path), expected, "{document} → {path}");
        }
    }
}
