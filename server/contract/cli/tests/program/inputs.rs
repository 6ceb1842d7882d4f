//! Where the program reads documents from.

use super::reports::{git, repository};
use super::{OLD, run};
use std::fs;
use std::path::Path;
use tempfile::tempdir;

#[test]
fn patterns_stand_for_files() {
    let folder = tempdir().unwrap();
    for name in ["b.yaml", "a.yaml", "c.json"] {
        fs::write(folder.path().join(name), OLD).unwrap();
    }
    let (status, text, error) = run(folder.path(), &["lint", "*.yaml", "c.json"]);
    assert_eq!((status, text.as_str()), (Some(0), "no findings in a.yaml, b.yaml, c.json\n"), "{error}");
    let (status, _, error) = run(folder.path(), &["lint", "*.toml"]);
    assert_eq!((status, error.as_str()), (Some(2), "error: *.toml: no file matches\n"));
}

#[test]
fn a_missing_file_a_missing_revision_and_a_shallow_clone_have_words_of_their_own() {
    let folder = repository();
    git(folder.path(), &["commit", "--quiet", "--all", "--message", "second"]);
    let clone = tempdir().unwrap();
    let source = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth", "1", &source, "."]);
    let error = |below: &Path, name: &str| {
        let (status, _, error) = run(below, &["lint", name]);
        assert_eq!(status, Some(2), "{name}");
        error
    };
    for (below, name, said) in [
        (folder.path(), "HEAD:none.yaml", "there is no file `none.yaml` in `HEAD`"),
        (
            &folder.path().join("openapi"),
            "HEAD:api.yaml",
            "the path is relative to the root of the repository, where `HEAD` has no such file; `HEAD:./api.yaml` is \
             relative to the working directory",
        ),
        (folder.path(), "v9:openapi/api.yaml", "there is no revision `v9`"),
        (folder.path(), "HEAD:openapi", "it is a directory"),
        (clone.path(), "HEAD^1:openapi/api.yaml", "this clone is shallow and does not contain `HEAD^1`"),
        (clone.path(), "HEAD:none.yaml", "there is no file `none.yaml` in `HEAD`"),
    ] {
        let error = error(below, name);
        assert!(error.starts_with(&format!("error: {name} cannot be read from git: {said}")), "{error}");
    }
    let outside = tempdir().unwrap();
    assert!(error(outside.path(), "HEAD:a.yaml").contains("not a git repository"));
}

#[cfg(not(feature = "check"))]
#[test]
fn without_an_http_client_a_url_is_an_error_that_says_so() {
    let (status, _, error) = run(Path::new("."), &["lint", "https://example.com/api.yaml"]);
    assert_eq!(status, Some(2));
    assert!(error.contains("this build has no HTTP client"), "{error}");
}
