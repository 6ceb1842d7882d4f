//! Reads documents and the files that they refer to: from files, standard input, or a revision of a git repository.

use super::ContractError;
use super::root::{self, RootArguments};
use countersign_contract::{Document, File, Files};
use serde_json::Value;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Greatest size in bytes of a file that a document refers to.
const LONGEST_FILE: u64 = 64 << 20;

/// Loads a document. Its references may lead to files below a root.
pub(super) fn load(name: &str, root: &RootArguments) -> Result<Document, ContractError> {
    read(name, root, &Document::load_with)
}

/// Reads a document and the files that it refers to as one document.
pub(super) fn bundle(name: &str, root: &RootArguments) -> Result<Value, ContractError> {
    read(name, root, &Document::bundle)
}

/// Makes something of the name, the text and the files of a document.
type Make<'m, T> = &'m dyn Fn(&str, &str, Files<'_>) -> Result<T, countersign_contract::Error>;

fn read<T>(name: &str, root: &RootArguments, make: Make<'_, T>) -> Result<T, ContractError> {
    let document = DocumentName::of(name, !Path::new(name).exists());
    let text = match (name, document.revision) {
        ("-", _) => standard_input(),
        (_, "") => std::fs::read_to_string(name),
        _ => return read_as(document, &at_revision(name)?, root, make),
    };
    let text = text.map_err(|source| ContractError::Unreadable { name: name.to_owned(), source })?;
    read_as(document, &text, root, make)
}

fn read_as<T>(
    document: DocumentName<'_>,
    text: &str,
    root: &RootArguments,
    make: Make<'_, T>,
) -> Result<T, ContractError> {
    let other = |path: &str| {
        let name = document.name_of(path);
        let regular_file = || regular_file(&root::confine(Path::new(&name), &root.of(Path::new(document.path))?)?);
        let text = match document.revision {
            "" => regular_file().map_err(|source| ContractError::Unreadable { name: name.clone(), source })?,
            // git reads nothing outside of the repository, also through symbolic links.
            _ => at_revision(&name)?,
        };
        Ok(File { name, text })
    };
    Ok(make(document.name, text, Files { own: document.path, read: &other })?)
}

fn standard_input() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map(|_| text)
}

/// Reads a file that a document refers to. Only regular files of limited size, so that an untrusted document can neither
/// block the tool nor exhaust its memory.
fn regular_file(path: &Path) -> io::Result<String> {
    let found = std::fs::metadata(path)?;
    match found.is_file() && found.len() <= LONGEST_FILE {
        true => std::fs::read_to_string(path),
        false => Err(io::Error::other("expected a regular file of no more than 64 MiB")),
    }
}

/// The name of a document, split into its parts.
#[derive(Clone, Copy)]
struct DocumentName<'n> {
    name: &'n str,
    /// `REV:`, or empty.
    revision: &'n str,
    /// Path of the document. Standard input counts as a file in the working directory.
    path: &'n str,
}

impl<'n> DocumentName<'n> {
    fn of(name: &'n str, may_be_at_revision: bool) -> Self {
        // In braces (`HEAD@{10:00}`), a colon belongs to the revision.
        let mut depth = 0;
        let mut ends = name.char_indices().filter_map(|(at, character)| {
            depth += i32::from(character == '{') - i32::from(character == '}');
            (character == ':' && depth <= 0).then_some(at + 1)
        });
        let end = ends.next().filter(|end| may_be_at_revision && *end > 1 && *end < name.len()).unwrap_or(0);
        let (revision, path) = name.split_at(end);
        Self { name, revision, path }
    }

    /// The name of the file at a path, from the same source as the document.
    fn name_of(&self, path: &str) -> String {
        // In git, paths without a leading dot are relative to the root of the repository.
        let is_from_here = !self.revision.is_empty() && self.path.starts_with('.') && !path.starts_with("../");
        format!("{}{}{path}", self.revision, if is_from_here { "./" } else { "" })
    }
}

/// Reads a file at a revision. Symbolic links are followed, as in the working directory.
fn at_revision(name: &str) -> Result<String, ContractError> {
    let git = |message: &str| ContractError::Git { name: name.to_owned(), message: message.to_owned() };
    let failed = |error: io::Error| git(&format!("git cannot be run: {error}"));
    if name.contains('\n') {
        return Err(git("a name cannot contain a line break"));
    }
    let mut command = Command::new("git");
    command.args(["cat-file", "--batch", "--follow-symlinks"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // If git does not read the name, its error message says why.
        let _ = writeln!(input, "{name}");
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        return Err(git(&String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ")));
    }
    // `HASH blob SIZE`, line feed, content, line feed; or the name and the problem.
    let end = output.stdout.iter().position(|byte| *byte == b'\n').unwrap_or(output.stdout.len());
    let (head, rest) = output.stdout.split_at(end);
    let head = String::from_utf8_lossy(head);
    match head.split(' ').collect::<Vec<_>>().as_slice() {
        [_, "blob", _] if !head.ends_with(" missing") => {
            let text = rest.strip_prefix(b"\n").and_then(|rest| rest.strip_suffix(b"\n")).unwrap_or(rest);
            String::from_utf8(text.to_vec()).map_err(|_| git("the file is not UTF-8"))
        }
        [_, "tree", _] => Err(git("it is a directory")),
        _ => Err(git("no such revision, or no such file in it")),
    }
}

#[cfg(test)]
mod tests {
    use super::DocumentName;

    #[test]
    fn revisions_end_at_a_colon_and_files_are_beside_the_document() {
        for (document, revision, path, expected) in [
            ("openapi/api.yaml", "", "openapi/user.yaml", "openapi/user.yaml"),
            ("./api.yaml", "", "user.yaml", "user.yaml"),
            ("-", "", "user.yaml", "user.yaml"),
            ("HEAD~1:api.yaml", "HEAD~1:", "user.yaml", "HEAD~1:user.yaml"),
            ("origin/main:openapi/api.yaml", "origin/main:", "user.yaml", "origin/main:user.yaml"),
            ("v1:./api.yaml", "v1:", "user.yaml", "v1:./user.yaml"),
            ("v1:./api.yaml", "v1:", "../user.yaml", "v1:../user.yaml"),
            ("v1:../api.yaml", "v1:", "user.yaml", "v1:./user.yaml"),
            ("HEAD@{10:00}:api.yaml", "HEAD@{10:00}:", "user.yaml", "HEAD@{10:00}:user.yaml"),
            (":api.yaml", "", "user.yaml", "user.yaml"),
            ("c:", "", "user.yaml", "user.yaml"),
        ] {
            let name = DocumentName::of(document, true);
            assert_eq!((name.revision, name.name_of(path).as_str()), (revision, expected), "{document}");
        }
        assert_eq!(DocumentName::of("a:b.yaml", false).revision, "");
    }
}
