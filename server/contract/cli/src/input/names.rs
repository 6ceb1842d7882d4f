//! The documents that a name on the command line stands for: one, or several in a directory or matching a pattern.

use super::{DocumentName, git};
use crate::ContractError;
use glob::{MatchOptions, Pattern};
use regex::Regex;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::LazyLock;

/// Extensions of documents in a directory.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Wildcards do not cross directories, except `**`, and hidden files are not meant.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The documents that a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Documents {
    /// The document of this name.
    One(String),
    /// All of a directory or a pattern.
    Several {
        /// The directory, or that of the pattern's part before its first wildcard.
        directory: String,
        /// Their names by their paths within the directory.
        names: BTreeMap<String, String>,
    },
}

impl Documents {
    /// Finds the documents. A name that is a file is no pattern. In a directory, files with another content than an OpenAPI
    /// document are left out, because documents refer to such files.
    ///
    /// # Errors
    /// [`ContractError::Pattern`] if there is none.
    pub(crate) fn of(name: &str) -> Result<Self, ContractError> {
        let one = || Ok(Self::One(name.to_owned()));
        let path = Path::new(name);
        if name == "-" || name.contains("://") {
            return one();
        }
        if path.is_dir() {
            return in_directory(name);
        }
        if path.exists() {
            return one();
        }
        let document = DocumentName::of(name, true);
        match (document.revision, document.path.contains(['*', '?', '['])) {
            ("", true) => matching(name),
            ("", false) => one(),
            (revision, true) => matching_at_revision(name, revision, document.path),
            (_, false) => git::files(name).map_or_else(one, |files| in_directory_at_revision(name, files)),
        }
    }

    /// The names of all documents.
    pub(crate) fn names(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Several { names, .. } => names.into_values().collect(),
        }
    }

    /// The document or directory whose configuration applies.
    pub(crate) fn place(&self) -> &str {
        match self {
            Self::One(name) => name,
            Self::Several { directory, .. } => directory,
        }
    }

    fn several(
        name: &str,
        directory: &str,
        names: BTreeMap<String, String>,
        none: &'static str,
    ) -> Result<Self, ContractError> {
        match names.is_empty() {
            true => Err(failed(name, &none)),
            false => Ok(Self::Several { directory: directory.to_owned(), names }),
        }
    }
}

/// The names of the documents that several names stand for.
pub(crate) fn expand(names: &[String]) -> Result<Vec<String>, ContractError> {
    let documents = names.iter().map(|name| Documents::of(name).map(Documents::names));
    Ok(documents.collect::<Result<Vec<_>, _>>()?.concat())
}

fn failed(name: &str, why: &dyn Display) -> ContractError {
    ContractError::Pattern { name: name.to_owned(), why: why.to_string() }
}

const NO_DOCUMENT: &str = "no file in this directory is an OpenAPI document";
const NO_MATCH: &str = "no file matches";

fn matching(name: &str) -> Result<Documents, ContractError> {
    let directory = fixed_directory(name);
    Documents::several(name, directory, files(name, name, directory)?, NO_MATCH)
}

fn in_directory(name: &str) -> Result<Documents, ContractError> {
    let pattern = format!("{}/**/*", Pattern::escape(name.trim_end_matches('/')));
    let mut names = files(name, &pattern, name)?;
    names.retain(|path, name| has_extension(path) && std::fs::read(name).is_ok_and(|text| is_document(&text)));
    Documents::several(name, name, names, NO_DOCUMENT)
}

/// The names of the files that match a pattern, by their paths within a directory.
fn files(name: &str, pattern: &str, directory: &str) -> Result<BTreeMap<String, String>, ContractError> {
    let mut names = BTreeMap::new();
    for path in glob::glob_with(pattern, MATCHING).map_err(|error| failed(name, &error))? {
        let path = path.map_err(|error| failed(name, &error))?;
        let within = without_dot(&path).strip_prefix(without_dot(Path::new(directory))).unwrap_or(&path);
        let parts: Vec<_> = within.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let is_hidden = parts.iter().any(|part| part.starts_with('.') && *part != "..");
        if path.is_file() && !is_hidden {
            names.insert(parts.join("/"), path.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn matching_at_revision(name: &str, revision: &str, pattern: &str) -> Result<Documents, ContractError> {
    let directory = fixed_directory(pattern);
    let compiled = Pattern::new(&pattern[directory.len()..]).map_err(|error| failed(name, &error))?;
    let tree = &name[..revision.len() + directory.len()];
    let found = git::files(tree).ok_or_else(|| failed(name, &format!("`{tree}` is not a directory in git")))?;
    let matching = found.into_iter().filter(|path| compiled.matches_with(path, MATCHING));
    let names = matching.map(|path| (path.clone(), format!("{revision}{directory}{path}"))).collect();
    Documents::several(name, tree, names, NO_MATCH)
}

fn in_directory_at_revision(name: &str, found: Vec<String>) -> Result<Documents, ContractError> {
    let separator = if name.ends_with([':', '/']) { "" } else { "/" };
    let named = found.into_iter().filter(|path| has_extension(path)).map(|path| {
        let name = format!("{name}{separator}{path}");
        (path, name)
    });
    let names = named.filter(|(_, name)| git::read(name).is_ok_and(|text| is_document(text.as_bytes()))).collect();
    Documents::several(name, name, names, NO_DOCUMENT)
}

/// The part of a pattern up to the last `/` before its first wildcard.
fn fixed_directory(pattern: &str) -> &str {
    let fixed = pattern.split(['*', '?', '[']).next().unwrap_or_default();
    &fixed[..fixed.rfind('/').map_or(0, |end| end + 1)]
}

fn without_dot(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

fn has_extension(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| EXTENSIONS.iter().any(|extension| found == *extension))
}

/// Whether a text declares a version of OpenAPI, even if it cannot be parsed.
fn is_document(text: &[u8]) -> bool {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        let yaml = r#"^\u{feff}?["']?(openapi|swagger)["']?[ \t]*:"#;
        let json = r#"[{,]\s*"(openapi"\s*:\s*"3\.|swagger"\s*:\s*"2\.0")"#;
        Regex::new(&format!("(?m)({yaml}|{json})")).expect("the expression is constant")
    });
    VERSION.is_match(&String::from_utf8_lossy(text))
}

#[cfg(test)]
mod tests {
    use super::{Documents, expand, fixed_directory, is_document};

    #[test]
    fn a_pattern_stands_for_the_files_that_match_and_for_at_least_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |path: &str| directory.path().join(path).to_string_lossy().into_owned();
        for name in ["b.yaml", "a.yaml", "c.json", "[d].yaml"] {
            std::fs::write(at(name), "").expect("written");
        }
        let expanded = |name: &str| expand(&[at(name)]);
        assert_eq!(expanded("?.yaml").expect("matches"), [at("a.yaml"), at("b.yaml")]);
        assert_eq!(expanded("[d].yaml").expect("a file"), [at("[d].yaml")]);
        assert_eq!(expanded("missing.yaml").expect("no pattern"), [at("missing.yaml")]);
        assert!(expanded("*.toml").is_err());
        assert!(expanded("***.toml").is_err());
    }

    #[test]
    fn a_directory_stands_for_its_documents_and_not_for_their_parts() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |path: &str| directory.path().join(path);
        for folder in ["v1/schemas", "v1/.hidden", "v2"] {
            std::fs::create_dir_all(at(folder)).expect("created");
        }
        for (path, text) in [
            ("v1/api.yaml", "openapi: 3.1.0\n"),
            ("v1/old.json", "{\"swagger\": \"2.0\"}"),
            ("v1/schemas/user.yaml", "type: object\n"),
            ("v1/schemas/api.yml", "# ours\n'openapi': 3.0.3\npaths: ["),
            ("v1/.hidden/api.yaml", "openapi: 3.1.0\n"),
            ("v1/notes.txt", "openapi: 3.1.0\n"),
        ] {
            std::fs::write(at(path), text).expect("written");
        }
        for name in ["v1", "v1/"] {
            let name = at(name).to_string_lossy().into_owned();
            let Documents::Several { names, .. } = Documents::of(&name).expect("documents") else {
                panic!("{name} is a directory");
            };
            assert_eq!(names.into_keys().collect::<Vec<_>>(), ["api.yaml", "old.json", "schemas/api.yml"]);
        }
        assert!(Documents::of(&at("v2").to_string_lossy()).is_err());
    }

    #[test]
    fn documents_are_known_by_their_version() {
        for text in ["openapi: 3.1.0", "\u{feff}\"openapi\" : 3.0.3", "{\"info\":{},\"openapi\":\"3.0.3\"}"] {
            assert!(is_document(text.as_bytes()), "{text}");
        }
        for text in ["a: {openapi: 3.1.0}", "  openapi: 3.1.0", "{\"openapi\": \"^1.0\"}", "openapi", ""] {
            assert!(!is_document(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_directory_of_a_pattern_ends_before_its_wildcards() {
        for (pattern, expected) in
            [("*.yaml", ""), ("a/b*.yaml", "a/"), ("./a/b/**/c.yaml", "./a/b/"), ("/a[b]/c.yaml", "/")]
        {
            assert_eq!(fixed_directory(pattern), expected);
        }
    }
}
