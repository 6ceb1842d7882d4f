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
        (clone.path(), "HEAD^1:openapi/api.yaml", "this clone is shallow and does not contain `HEAD^1`"),
        (clone.path(), "HEAD:none.yaml", "there is no file `none.yaml` in `HEAD`"),
    ] {
        let error = error(below, name);
        assert!(error.starts_with(&format!("error: {name} cannot be read from git: {said}")), "{error}");
    }
    let (status, _, of_directory) = run(folder.path(), &["bundle", "HEAD:openapi"]);
    assert_eq!(status, Some(2));
    assert!(of_directory.contains("HEAD:openapi cannot be read from git: it is a directory"), "{of_directory}");
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

#[test]
fn two_directories_are_compared_document_by_document_in_one_report() {
    let folder = tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for path in ["v1/admin", "v2/admin"] {
        fs::create_dir_all(at(path)).unwrap();
    }
    let integer = OLD.replace("type: string, nullable: true", "type: integer, nullable: true");
    for (path, text) in [
        ("v1/admin/api.yaml", OLD),
        ("v2/admin/api.yaml", &integer),
        ("v1/same.yaml", OLD),
        ("v2/same.yaml", OLD),
        ("v1/gone.json", "{\"openapi\": \"3.0.3\"}"),
        ("v2/new.yml", OLD),
        ("v2/part.yaml", "type: object\n"),
    ] {
        fs::write(at(path), text).unwrap();
    }
    let (status, text, error) = run(folder.path(), &["diff", "v1", "v2"]);
    assert_eq!(status, Some(1), "{error}");
    let summary =
        "3 findings in v1 → v2 (4 documents): 2 breaking, 1 compatible; suggested versions: 2.0.0 for admin/api.yaml\n";
    assert!(text.starts_with(summary), "{text}");
    for part in [
        "breaking[document-removed] gone.json: the document was removed\n  --> v1/gone.json\n",
        "compatible[document-added] new.yml: the document was added\n  --> v2/new.yml\n",
        "breaking[request-type-narrowed]",
        "--> v2/admin/api.yaml:12:",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    // By patterns, from elsewhere.
    let (status, text, error) = run(&at("v1"), &["diff", "./s*.yaml", "../v2/s*.yaml"]);
    assert_eq!(
        (status, text.as_str()),
        (Some(0), "no findings in ./s*.yaml → ../v2/s*.yaml (1 document)\n"),
        "{error}"
    );

    // A file that a pattern matches has to be a document.
    let (status, _, error) = run(folder.path(), &["diff", "v1/*.yaml", "v2/*.yaml"]);
    assert_eq!(status, Some(2));
    assert!(error.starts_with("error: v2/part.yaml:1:1: ") && error.contains("expected OpenAPI"), "{error}");

    let (status, _, error) = run(folder.path(), &["diff", "v1", "v2/same.yaml"]);
    assert_eq!(status, Some(2));
    assert!(error.contains("v2/same.yaml is one document and v1 stands for several"), "{error}");

    // What cannot be used does not hide the rest.
    fs::write(at("v2/same.yaml"), "openapi: 3.0.3\npaths: [").unwrap();
    let (status, text, error) = run(folder.path(), &["diff", "v1", "v2"]);
    assert_eq!(status, Some(2));
    assert!(text.starts_with(summary) && error.starts_with("error: v2/same.yaml:3:1: "), "{text}{error}");
}

#[test]
fn the_configuration_in_a_directory_applies_to_its_documents() {
    let folder = tempdir().unwrap();
    for path in ["v1", "v2"] {
        fs::create_dir(folder.path().join(path)).unwrap();
        fs::write(folder.path().join(path).join("api.yaml"), OLD).unwrap();
    }
    fs::write(folder.path().join("v1/gone.yaml"), OLD).unwrap();
    let accept = ["diff", "--accept", "--reason", "nobody uses it", "v1", "v2"];
    let (status, text, error) = run(folder.path(), &accept);
    assert_eq!((status, text.as_str()), (Some(0), "no findings in v1 → v2 (2 documents); 1 accepted\n"), "{error}");
    assert_eq!(error, "accepted in v2/contract-exceptions.toml: 1\n");
    // The exception is stale as soon as the document is back.
    fs::write(folder.path().join("v2/gone.yaml"), OLD).unwrap();
    let (status, text, _) = run(folder.path(), &["diff", "v1", "v2"]);
    assert!(status == Some(0) && text.contains("exception-stale"), "{text}");

    fs::remove_file(folder.path().join("v2/gone.yaml")).unwrap();
    fs::remove_file(folder.path().join("v2/contract-exceptions.toml")).unwrap();
    fs::write(folder.path().join("v2/contract.toml"), "[diff.severity]\ndocument-removed = 'off'\n").unwrap();
    let (status, text, error) = run(folder.path(), &["diff", "v1", "v2"]);
    assert_eq!((status, text.as_str()), (Some(0), "no findings in v1 → v2 (2 documents)\n"), "{error}");
}

#[test]
fn a_directory_at_a_revision_is_compared_with_that_of_today() {
    let folder = repository();
    let (status, text, error) = run(folder.path(), &["diff", "HEAD:openapi", "openapi"]);
    assert_eq!(status, Some(1), "{error}");
    assert!(text.contains(" in HEAD:openapi → openapi (1 document): 2 breaking"), "{text}");
    let below = folder.path().join("openapi");
    let (status, same, error) = run(&below, &["diff", "HEAD:./*.yaml", "*.yaml"]);
    assert_eq!(status, Some(1), "{error}");
    assert!(same.contains(" in HEAD:./*.yaml → *.yaml (1 document): 2 breaking"), "{same}");
    let (status, text, error) = run(folder.path(), &["lint", "openapi"]);
    assert_eq!((status, text.as_str()), (Some(0), "no findings in openapi/api.yaml\n"), "{error}");
}
