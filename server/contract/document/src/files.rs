//! Access to the files of a document that consists of several.

use std::error::Error;

/// A file that a document refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// How messages call it, e.g. `openapi/schemas/user.yaml`.
    pub name: String,
    /// YAML or JSON.
    pub text: String,
}

/// Reads the file at a path, or refuses to: which files a document may refer to is the caller's decision. The path is relative to the same folder as [`Files::own`], normalised (no `.`, and `..`
/// only at its beginning), and has `/` as its separator.
pub type Read<'f> = dyn Fn(&str) -> Result<File, Box<dyn Error + Send + Sync>> + 'f;

/// How to read the files that a document refers to.
#[derive(Clone, Copy)]
pub struct Files<'f> {
    /// Path of the document itself, e.g. `openapi/api.yaml`. References in it are relative to this path.
    pub own: &'f str,
    /// Reads the other files.
    pub read: &'f Read<'f>,
}

/// Resolves a reference to another file (RFC 3986, section 4.2), without its fragment, relative to the path of the file
/// that contains it.
///
/// # Errors
/// Why the reference does not name a file.
pub(crate) fn path(from: &str, reference: &str) -> Result<String, &'static str> {
    let scheme = reference.split(['/', '?']).next().and_then(|first| first.split_once(':'));
    if scheme.is_some() || reference.starts_with("//") {
        return Err("is a URL: copy the file and refer to it by its path");
    }
    let reference = percent_encoding::percent_decode_str(reference).decode_utf8().map_err(|_| "is not a valid path")?;
    if reference.starts_with('/') || reference.contains('\0') {
        return Err("is an absolute path: use a path relative to this file");
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    Ok(without_detours(&format!("{folder}{}{reference}", if from.contains('/') { "/" } else { "" })))
}

/// Removes `.`, empty segments and `a/..` from a path (RFC 3986, section 5.2.4, except that a leading `..` is kept).
pub(crate) fn without_detours(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(&last)) if last != ".." => drop(parts.pop()),
            (part, _) => parts.push(part),
        }
    }
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn paths_are_relative_to_the_file_that_refers() {
        for (from, reference, expected) in [
            ("api.yaml", "user.yaml", "user.yaml"),
            ("api.yaml", "./schemas//user.yaml", "schemas/user.yaml"),
            ("schemas/user.yaml", "pet.yaml", "schemas/pet.yaml"),
            ("schemas/user.yaml", "../paths/./user.yaml", "paths/user.yaml"),
            ("schemas/user.yaml", "../../common/a%20b.yaml", "../common/a b.yaml"),
            ("../common/a.yaml", "../../b.yaml", "../../b.yaml"),
            ("openapi/user.yaml", "../openapi/api.yaml", "openapi/api.yaml"),
            ("/srv/openapi/api.yaml", "../user.yaml", "/srv/user.yaml"),
            ("/api.yaml", "user.yaml", "/user.yaml"),
        ] {
            assert_eq!(path(from, reference).as_deref(), Ok(expected), "{from} → {reference}");
        }
        for reference in [
            "https://example.com/a.yaml",
            "file:///a.yaml",
            "//example.com/a.yaml",
            "/a.yaml",
            "%2Fa.yaml",
            "a%00.yaml",
            "%ff.yaml",
        ] {
            assert!(path("api.yaml", reference).is_err(), "{reference}");
        }
    }
}
