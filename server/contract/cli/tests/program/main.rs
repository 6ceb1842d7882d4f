//! The program `countersign-contract`, run as its users do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod inputs;
mod recipes;
mod reports;
mod settings;
#[cfg(feature = "check")]
mod urls;

use std::path::Path;
use std::process::Command;
use tempfile::tempdir;

/// Runs the program. Returns exit status, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    run_with(folder, arguments, None)
}

/// The same as a step of a GitHub workflow whose summary is this file.
fn run_with(folder: &Path, arguments: &[&str], step_summary: Option<&Path>) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-contract"));
    command.current_dir(folder).args(arguments).env_remove("GITHUB_STEP_SUMMARY");
    if let Some(path) = step_summary {
        command.env("GITHUB_STEP_SUMMARY", path);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const OLD: &str = "\
openapi: 3.0.3
info: {title: t, version: 1.0.0}
servers: [{url: /}]
security: []
tags: [{name: a}]
paths:
  /a:
    get:
      operationId: a
      tags: [a]
      summary: s
      parameters: [{name: q, in: query, description: d, schema: {type: string, nullable: true}}]
      responses: {200: {description: d}}
";

#[test]
fn documents_of_two_versions_are_linted_and_compared() {
    let folder = tempdir().unwrap();
    let newer = OLD.replace("3.0.3", "3.1.0").replace("type: string, nullable: true", "type: [string, \"null\"]");
    std::fs::write(folder.path().join("old.yaml"), OLD).unwrap();
    std::fs::write(folder.path().join("same.yaml"), &newer).unwrap();
    std::fs::write(folder.path().join("new.yaml"), newer.replace("[string, \"null\"]", "integer")).unwrap();

    assert_eq!(
        run(folder.path(), &["lint", "same.yaml"]),
        (Some(0), "no findings in same.yaml\n".to_owned(), String::new())
    );
    let (status, text, _) = run(folder.path(), &["diff", "--at-least", "compatible", "old.yaml", "same.yaml"]);
    assert_eq!((status, text.as_str()), (Some(0), "no findings in old.yaml → same.yaml; suggested version: 1.0.1\n"));
    let (status, text, _) = run(folder.path(), &["diff", "old.yaml", "new.yaml"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("breaking[request-type-narrowed]") && text.contains("new.yaml:12:"), "{text}");
}

#[test]
fn a_document_is_bundled_and_converted() {
    let folder = tempdir().unwrap();
    let text =
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\ncomponents:\n  schemas:\n    A: {$ref: a.yaml}\n";
    std::fs::write(folder.path().join("api.yaml"), text).unwrap();
    std::fs::write(folder.path().join("a.yaml"), "type: [string, 'null']\ncontentMediaType: text/html\n").unwrap();

    let (status, text, error) = run(folder.path(), &["bundle", "api.yaml"]);
    assert_eq!(status, Some(0), "{error}");
    assert!(text.contains("\"contentMediaType\": \"text/html\"") && !text.contains("nullable"), "{text}");

    let (status, said, error) = run(folder.path(), &["convert", "--to", "3.0", "--output", "older.json", "api.yaml"]);
    let expected = "a.yaml:2:1: /contentMediaType was left out\nolder.json is OpenAPI 3.0: 1 field was left out\n";
    assert_eq!((status, said.as_str()), (Some(1), expected), "{error}");
    let text = std::fs::read_to_string(folder.path().join("older.json")).unwrap();
    assert!(text.contains("\"openapi\": \"3.0.4\"") && text.contains("\"nullable\": true"), "{text}");
    assert_eq!(run(folder.path(), &["convert", "--to", "3.0", "--output", "same.json", "older.json"]).0, Some(0));
}

#[test]
fn mistakes_have_a_status_of_their_own_and_a_message_with_the_way_on() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("swagger.yaml"), "swagger: '2.0'\npaths: {}\n").unwrap();
    for (arguments, said) in [
        (&["lint", "none.yaml"][..], "error: none.yaml cannot be read: "),
        (&["lint", "swagger.yaml"], "expected OpenAPI 3.0, 3.1 or 3.2, found Swagger 2.0"),
        (&["explain", "tag-add"], "did you mean `tag-added`?"),
        (&["differ"], "unrecognized subcommand"),
    ] {
        let (status, output, error) = run(folder.path(), arguments);
        assert_eq!((status, output.as_str()), (Some(2), ""), "{arguments:?}\n{error}");
        assert!(error.contains(said), "{said} is not in\n{error}");
    }
}

#[test]
fn help_calls_the_program_by_its_name() {
    let (status, text, _) = run(Path::new("."), &["--help"]);
    assert_eq!(status, Some(0));
    assert!(text.contains("countersign-contract diff openapi/released/api-1.2.0.yaml"), "{text}");
    assert!(!text.contains("countersign contract"), "{text}");
    let (status, text, _) = run(Path::new("."), &["--version"]);
    assert_eq!((status, text), (Some(0), format!("countersign-contract {}\n", env!("CARGO_PKG_VERSION"))));
}
