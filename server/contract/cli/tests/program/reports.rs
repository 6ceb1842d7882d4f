//! What the program writes, and where.

use super::{OLD, run, run_with};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::{TempDir, tempdir};

/// A repository with a document in a folder, and a breaking change of it in the working directory.
pub(super) fn repository() -> TempDir {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("openapi")).unwrap();
    fs::write(folder.path().join("openapi/api.yaml"), OLD).unwrap();
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "first"]] {
        git(folder.path(), arguments);
    }
    let narrower = OLD.replace("type: string, nullable: true", "type: integer");
    fs::write(folder.path().join("openapi/api.yaml"), narrower).unwrap();
    folder
}

pub(super) fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn annotations_name_files_from_the_root_of_the_repository() {
    let folder = repository();
    for (below, old, new) in [
        (".", "HEAD:openapi/api.yaml", "openapi/api.yaml"),
        ("openapi", "HEAD:./api.yaml", "api.yaml"),
        ("openapi", "HEAD:openapi/api.yaml", "../openapi/./api.yaml"),
    ] {
        let (status, text, error) = run(&folder.path().join(below), &["diff", "--format", "github", old, new]);
        assert_eq!(status, Some(1), "{error}");
        assert!(text.starts_with("::error file=openapi/api.yaml,line=12,"), "{text}");
    }
    git(folder.path(), &["commit", "--quiet", "--all", "--message", "second"]);
    let revisions = ["diff", "--format", "github", "HEAD^1:openapi/api.yaml", "HEAD:openapi/api.yaml"];
    let (_, text, _) = run(folder.path(), &revisions);
    assert!(text.starts_with("::error file=openapi/api.yaml,line=12,"), "{text}");
    // What was removed has no line in the file of today.
    fs::write(folder.path().join("openapi/api.yaml"), "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n")
        .unwrap();
    let removed = ["diff", "--format", "github", "HEAD:./api.yaml", "api.yaml"];
    let (_, text, _) = run(&folder.path().join("openapi"), &removed);
    assert!(text.starts_with("::error file=openapi/api.yaml,title=breaking%3A operation-removed"), "{text}");
}

#[test]
fn a_step_of_a_workflow_gets_a_summary() {
    let folder = repository();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let diff = ["diff", "--format", "github", "HEAD:openapi/api.yaml", "openapi/api.yaml"];
    assert_eq!(run_with(folder.path(), &diff, Some(&summary)).0, Some(1));
    assert_eq!(run_with(folder.path(), &["lint", "--format", "github", "none.yaml"], Some(&summary)).0, Some(2));
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n## `HEAD:openapi/api.yaml → openapi/api.yaml`\n"), "{text}");
    assert!(text.contains("### Breaking changes") && text.contains("## `none.yaml`"), "{text}");

    let before = text.len();
    assert_eq!(run_with(folder.path(), &["diff", diff[3], diff[4]], Some(&summary)).0, Some(1));
    assert_eq!(fs::read_to_string(&summary).unwrap().len(), before, "only annotations have a summary");
}

#[test]
fn a_document_that_cannot_be_used_is_a_result_in_every_format() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("fine.yaml"), OLD).unwrap();
    fs::write(folder.path().join("broken.yaml"), "openapi: 3.0.3\npaths: [\n").unwrap();
    for arguments in [&["lint", "fine.yaml", "broken.yaml"][..], &["diff", "fine.yaml", "broken.yaml"]] {
        for (format, parts) in [
            ("json", &["\"rule\": \"document-unusable\"", "\"line\": 3", "\"failing\": 1"][..]),
            ("junit", &["failures=\"1\"", "broken.yaml:3:1", "document-unusable"]),
            ("github", &["::error file=broken.yaml,line=3,col=1,title=error%3A document-unusable::"]),
            ("markdown", &["### Errors", "`broken.yaml:3:1`"]),
            ("html", &["<h2>Errors</h2>", "broken.yaml:3:1"]),
            ("sarif", &["\"executionSuccessful\": false", "\"startLine\": 3"]),
        ] {
            let (status, text, error) = run(folder.path(), &[arguments, &["--format", format]].concat());
            assert_eq!(status, Some(2), "{format}: {error}");
            for part in parts {
                assert!(text.contains(part), "{part} is not in\n{text}");
            }
            assert!(error.starts_with("error: broken.yaml:3:1: not readable as YAML or JSON"), "{error}");
        }
    }
    let (status, text, error) = run(folder.path(), &["lint", "fine.yaml", "broken.yaml", "none.yaml"]);
    assert_eq!((status, text.as_str()), (Some(2), "no findings in fine.yaml\n"));
    let lines: Vec<&str> = error.lines().collect();
    assert!(
        lines[0].starts_with("error: broken.yaml:3:1: ") && lines[1].starts_with("error: none.yaml cannot"),
        "{error}"
    );
}

#[test]
fn no_output_replaces_a_document_that_is_read() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("api.yaml");
    fs::write(&path, OLD).unwrap();
    for arguments in [
        &["convert", "--to", "3.0", "--output", "api.yaml", "api.yaml"][..],
        &["convert", "--to", "3.0", "--output", "./api.yaml", "api.yaml"],
        &["bundle", "--output", "api.yaml", "api.yaml"],
        &["lint", "--output", "api.yaml", "api.yaml"],
        &["diff", "--output", "api.yaml", "api.yaml", "api.yaml"],
    ] {
        let (status, _, error) = run(folder.path(), arguments);
        assert_eq!(status, Some(2), "{arguments:?}");
        assert!(error.contains("api.yaml is read, and --output would replace it"), "{error}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), OLD);
}

#[test]
fn no_output_replaces_a_file_that_a_document_refers_to() {
    let folder = tempdir().unwrap();
    let api = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\ncomponents: {schemas: {A: {$ref: 'parts/a.yaml'}}}\n";
    fs::write(folder.path().join("api.yaml"), api).unwrap();
    fs::create_dir(folder.path().join("parts")).unwrap();
    let part = folder.path().join("parts/a.yaml");
    fs::write(&part, "type: string\n").unwrap();
    for arguments in [
        &["convert", "--to", "3.0", "--output", "parts/a.yaml", "api.yaml"][..],
        &["bundle", "--output", "parts/a.yaml", "api.yaml"],
        &["lint", "--output", "./parts/a.yaml", "api.yaml"],
        &["diff", "--output", "parts/a.yaml", "api.yaml", "api.yaml"],
    ] {
        let (status, _, error) = run(folder.path(), arguments);
        assert_eq!(status, Some(2), "{arguments:?}");
        assert!(error.contains("parts/a.yaml is read, and --output would replace it"), "{error}");
        assert_eq!(fs::read_to_string(&part).unwrap(), "type: string\n", "{arguments:?}");
    }
}
