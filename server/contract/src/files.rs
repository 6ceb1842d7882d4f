//! The files of a document that is more than one file.

use std::error::Error;

/// A file that a document refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// How messages call it, e.g. `openapi/schemas/user.yaml`.
    pub name: String,
    /// What stands in it: YAML or JSON.
    pub text: String,
}

/// Gives the file at a path: beside the document's own one, as that is written in [`Files::own`], without `.` and without a
/// way there and back. Its parts are separated by `/`.
pub type Read<'f> = dyn Fn(&str) -> Result<File, Box<dyn Error + Send + Sync>> + 'f;

/// Where the files are that a document refers to.
#[derive(Clone, Copy)]
pub struct Files<'f> {
    /// Path of the document itself: `openapi/api.yaml`. Others are beside it, and may refer to it.
    pub own: &'f str,
    /// Gives the others.
    pub read: &'f Read<'f>,
}

/// A reference to another file, as far as it names the file (RFC 3986, section 4.2): the path of the file, where `from` is
/// the path of the file that refers.
///
/// # Errors
/// Why it names none.
pub(crate) fn path(from: &str, reference: &str) -> Result<String, &'static str> {
    let scheme = reference.split(['/', '?']).next().and_then(|first| first.split_once(':'));
    if scheme.is_some() || reference.starts_with("//") {
        return Err("is the address of a server: have the file here, and name it by its path");
    }
    if reference.starts_with('/') {
        return Err("is a path that begins at the root: name the file by its path from here");
    }
    let reference = percent_encoding::percent_decode_str(reference).decode_utf8().map_err(|_| "is no path")?;
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    Ok(without_detours(&format!("{folder}{}{reference}", if from.contains('/') { "/" } else { "" })))
}

/// The path without `.`, empty parts, and ways there and back (RFC 3986, section 5.2.4; but a way out stays).
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
        for reference in ["https://example.com/a.yaml", "file:///a.yaml", "//example.com/a.yaml", "/a.yaml", "%ff.yaml"]
        {
            assert!(path("api.yaml", reference).is_err(), "{reference}");
        }
    }
}
