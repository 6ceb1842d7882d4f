//! Reads documents and the files that they refer to: from files, standard input, URLs, or a revision of a git repository.

mod git;
mod names;
#[cfg(feature = "check")]
mod url;

use super::ContractError;
use super::root::{self, RootArguments};
use clap::Args;
use countersign_contract_document::{Document, File, Files};
use serde_json::Value;
use std::cell::RefCell;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub(super) use names::{Documents, expand};

/// Greatest size in bytes of a file that a document refers to, and of a document at a URL.
const LONGEST_FILE: u64 = 64 << 20;

/// How documents are read.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct InputArguments {
    #[command(flatten)]
    root: RootArguments,

    /// Header to send when a document is read from a URL, as in 'Authorization: Bearer …'; can be repeated. With headers,
    /// redirects to another origin are not followed.
    #[cfg(feature = "check")]
    #[arg(long, value_name = "NAME: VALUE", value_parser = super::check::header)]
    header: Vec<(http::HeaderName, http::HeaderValue)>,

    /// The files that were read with these arguments.
    #[arg(skip)]
    files: RefCell<Vec<PathBuf>>,
}

impl InputArguments {
    /// Where references may lead.
    pub(super) fn root(&self) -> &RootArguments {
        &self.root
    }

    /// Refuses to write a file that was read.
    pub(super) fn keep(&self, output: Option<&Path>) -> Result<(), ContractError> {
        keep(&*self.files.borrow(), output)
    }

    /// Without headers.
    #[cfg(feature = "check")]
    pub(super) fn below(root: &RootArguments) -> Self {
        Self { root: root.clone(), ..Self::default() }
    }
}

/// Loads a document. Its references may lead to files below a root, or of the same origin.
pub(super) fn load(name: &str, input: &InputArguments) -> Result<Document, ContractError> {
    read(name, input, &Document::load_with)
}

/// As [`load`], but references that nothing uses may be broken.
pub(super) fn load_used(name: &str, input: &InputArguments) -> Result<Document, ContractError> {
    read(name, input, &Document::load_used)
}

/// As [`load`], but broken references are findings of lint.
pub(super) fn load_for_lint(name: &str, input: &InputArguments) -> Result<Document, ContractError> {
    read(name, input, &Document::load_for_lint)
}

/// Reads a document and the files that it refers to as one document.
pub(super) fn bundle(name: &str, input: &InputArguments) -> Result<Value, ContractError> {
    read(name, input, &Document::bundle)
}

/// Refuses to write a file that is also read.
pub(super) fn keep(
    read: impl IntoIterator<Item = impl AsRef<Path>>,
    output: Option<&Path>,
) -> Result<(), ContractError> {
    let Some(written) = output.and_then(|output| output.canonicalize().ok()) else { return Ok(()) };
    let is_written = |file: &Path| file.canonicalize().is_ok_and(|read| read == written);
    match read.into_iter().find(|file| is_written(file.as_ref())) {
        Some(file) => Err(ContractError::Overwrites { name: file.as_ref().display().to_string() }),
        None => Ok(()),
    }
}

/// How messages call a document: a URL without credentials and query, which may be secret.
pub(super) fn shown(name: &str) -> String {
    if !is_url(name) {
        return name.to_owned();
    }
    let (scheme, rest) = name.split_once("://").unwrap_or_default();
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

fn is_url(name: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Makes something of the name, the text and the files of a document.
type Make<'m, T> = &'m dyn Fn(&str, &str, Files<'_>) -> Result<T, countersign_contract_document::Error>;

fn read<T>(name: &str, input: &InputArguments, make: Make<'_, T>) -> Result<T, ContractError> {
    if is_url(name) {
        return read_url(name, input, make);
    }
    let document = DocumentName::of(name, !Path::new(name).exists());
    let text = match (name, document.revision) {
        ("-", _) => standard_input(),
        (_, "") => {
            input.files.borrow_mut().push(name.into());
            std::fs::read_to_string(name)
        }
        _ => return read_as(document, &git::read(name)?, input, make),
    };
    let text = text.map_err(|source| ContractError::Unreadable { name: name.to_owned(), source })?;
    read_as(document, &text, input, make)
}

fn read_as<T>(
    document: DocumentName<'_>,
    text: &str,
    input: &InputArguments,
    make: Make<'_, T>,
) -> Result<T, ContractError> {
    let other = |path: &str| {
        let name = document.name_of(path);
        let regular_file = || -> io::Result<String> {
            let found = root::confine(Path::new(&name), &input.root.of(Path::new(document.path))?)?;
            let text = regular_file(&found)?;
            input.files.borrow_mut().push(name.clone().into());
            Ok(text)
        };
        let text = match document.revision {
            "" => regular_file().map_err(|source| ContractError::Unreadable { name: name.clone(), source })?,
            _ => git::read(&name)?,
        };
        Ok(File { name, text })
    };
    Ok(make(document.name, text, Files { own: document.path, read: &other })?)
}

/// Reads the document at a URL. Its references are relative to the URL, and so never lead to another origin.
#[cfg(feature = "check")]
fn read_url<T>(name: &str, input: &InputArguments, make: Make<'_, T>) -> Result<T, ContractError> {
    let own = shown(name);
    let base = reqwest::Url::parse(name);
    let base = base.map_err(|error| ContractError::Url { name: own.clone(), why: error.to_string() })?;
    let text = url::read(&own, &base, &input.header)?;
    let other = |path: &str| {
        let mut url = base.clone();
        url.set_path(path);
        url.set_query(None);
        let name = shown(url.as_str());
        let text = url::read(&name, &url, &input.header)?;
        Ok(File { name, text })
    };
    Ok(make(&own, &text, Files { own: base.path(), read: &other })?)
}

#[cfg(not(feature = "check"))]
fn read_url<T>(name: &str, _: &InputArguments, _: Make<'_, T>) -> Result<T, ContractError> {
    let why = "this build has no HTTP client; download the file, or install the program with the feature `check`";
    Err(ContractError::Url { name: shown(name), why: why.to_owned() })
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

    /// The revision without its colon, and the path.
    fn revision_and_path(&self) -> (&'n str, &'n str) {
        (self.revision.trim_end_matches(':'), self.path)
    }

    /// The name of the file at a path, from the same source as the document.
    fn name_of(&self, path: &str) -> String {
        // In git, paths without a leading dot are relative to the root of the repository.
        let is_from_here = !self.revision.is_empty() && self.path.starts_with('.') && !path.starts_with("../");
        format!("{}{}{path}", self.revision, if is_from_here { "./" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::{DocumentName, shown};

    #[test]
    fn urls_are_shown_without_what_may_be_secret() {
        for (name, expected) in [
            ("https://user:secret@example.com/api.yaml?token=secret#a", "https://example.com/api.yaml"),
            ("http://localhost:3000?token=secret", "http://localhost:3000"),
            ("https://example.com/@types/api.yaml", "https://example.com/@types/api.yaml"),
            ("openapi/api.yaml?", "openapi/api.yaml?"),
        ] {
            assert_eq!(shown(name), expected);
        }
    }

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
