//! The configuration, accepted findings and selections, as users of the program see them.

use super::run;
use tempfile::{TempDir, tempdir};

const OLD: &str = "\
openapi: 3.0.3
info: {title: t, version: 1.2.0}
servers: [{url: /}]
security: []
tags: [{name: a}]
paths:
  /a:
    get:
      operationId: a
      tags: [a]
      summary: s
      parameters: [{name: q, in: query, description: d, schema: {type: string, maxLength: 9}}]
      responses: {200: {description: d}}
";

/// A directory with a change that breaks clients.
fn two_versions() -> TempDir {
    let directory = tempdir().unwrap();
    write(&directory, "old.yaml", OLD);
    write(&directory, "api.yaml", &OLD.replace("maxLength: 9", "maxLength: 8"));
    directory
}

fn write(directory: &TempDir, name: &str, text: &str) {
    let path = directory.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn read(directory: &TempDir, name: &str) -> String {
    std::fs::read_to_string(directory.path().join(name)).unwrap()
}

fn tool(directory: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    run(directory.path(), arguments)
}

#[test]
fn an_accepted_change_is_silent_until_it_changes() {
    let directory = two_versions();
    let diff = ["diff", "old.yaml", "api.yaml"];
    let (status, text, _) = tool(&directory, &diff);
    let summary = "1 finding in old.yaml → api.yaml: 1 breaking; suggested version: 2.0.0\n";
    assert!(status == Some(1) && text.starts_with(summary), "{text}");

    let accept =
        ["diff", "--accept", "--reason", "no client sends more", "--until", "9999-12-31", "old.yaml", "api.yaml"];
    let (status, text, error) = tool(&directory, &accept);
    assert_eq!((status, text.as_str()), (Some(0), "no findings in old.yaml → api.yaml; 1 accepted\n"));
    assert_eq!(error, "accepted in contract-exceptions.toml: 1\n");
    let exceptions = read(&directory, "contract-exceptions.toml");
    for line in [
        "rule = \"request-max-length-decreased\"",
        "document = \"api.yaml\"",
        "place = \"GET /a › query parameter q\"",
        "finding = \"max length decreased: 9 → 8\"",
        "reason = \"no client sends more\"",
        "until = 9999-12-31",
    ] {
        assert!(exceptions.lines().any(|found| found == line), "{line} is not in\n{exceptions}");
    }

    // Unrelated edits of both documents, and moved lines.
    let edited = |text: &str| {
        let other = "  /0: {get: {operationId: b, tags: [a], summary: s, responses: {200: {description: d}}}}\n";
        text.replace("paths:\n", &format!("# moved\n\npaths:\n{other}"))
    };
    write(&directory, "api.yaml", &edited(&OLD.replace("maxLength: 9", "maxLength: 8")));
    write(&directory, "old.yaml", &edited(OLD));
    assert_eq!(tool(&directory, &diff).1, "no findings in old.yaml → api.yaml; 1 accepted\n");

    // The finding changes.
    write(&directory, "api.yaml", &edited(&OLD.replace("maxLength: 9", "maxLength: 7")));
    let (status, text, _) = tool(&directory, &diff);
    assert_eq!(status, Some(1));
    assert!(text.contains("changed: 9 → 7") && text.contains("compatible[exception-stale]"), "{text}");
    assert!(text.contains("--> contract-exceptions.toml:4:1"), "{text}");
}

#[test]
fn an_accepted_change_comes_back_when_its_day_has_passed() {
    let directory = two_versions();
    let accept = ["diff", "--accept", "--reason", "r", "--until", "9999-12-31", "old.yaml", "api.yaml"];
    assert_eq!(tool(&directory, &accept).0, Some(0));
    let exceptions = read(&directory, "contract-exceptions.toml").replace("9999-12-31", "2001-01-31");
    write(&directory, "contract-exceptions.toml", &exceptions);
    let (status, text, _) = tool(&directory, &["diff", "old.yaml", "api.yaml"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("breaking[request-max-length-decreased]"), "{text}");
    assert!(
        text.contains("compatible[exception-expired] request-max-length-decreased was accepted until 2001-01-31: r"),
        "{text}"
    );

    // Accepted anew, the entry is renewed and not doubled.
    assert_eq!(tool(&directory, &accept).1, "no findings in old.yaml → api.yaml; 1 accepted\n");
    assert_eq!(read(&directory, "contract-exceptions.toml").matches("[[accepted]]").count(), 1);
}

#[test]
fn findings_of_lint_are_accepted_in_the_same_file() {
    let directory = tempdir().unwrap();
    std::fs::create_dir(directory.path().join(".git")).unwrap();
    write(&directory, "openapi/api.yaml", &OLD.replace("type: string, maxLength: 9", "type: array"));
    write(&directory, "contract-exceptions.toml", "# ours\n");
    let lint = ["lint", "openapi/api.yaml"];
    let (status, text, _) = tool(&directory, &lint);
    assert!(status == Some(1) && text.contains("error[array-without-items]"), "{text}");
    let (status, text, error) = tool(&directory, &["lint", "--accept", "--reason", "r", "openapi/api.yaml"]);
    assert_eq!((status, text.as_str()), (Some(0), "no findings in openapi/api.yaml; 1 accepted\n"), "{error}");
    let exceptions = read(&directory, "contract-exceptions.toml");
    assert!(exceptions.starts_with("# ours\n") && !exceptions.contains("until"), "{exceptions}");

    // From within, by another name, and as JSON.
    let within = directory.path().join("openapi");
    let (status, json, _) = run(&within, &["lint", "--format", "json", "./api.yaml"]);
    assert!(status == Some(0) && json.contains("\"accepted\": 1"), "{json}");

    write(&directory, "openapi/api.yaml", OLD);
    let (status, text, _) = tool(&directory, &lint);
    assert!(status == Some(0) && text.contains("warning[exception-stale]"), "{text}");
    // Neither a comparison nor a part of the document could have found it.
    for arguments in
        [&["diff", "openapi/api.yaml", "openapi/api.yaml"][..], &["lint", "--tag", "a", "openapi/api.yaml"]]
    {
        let (status, text, _) = tool(&directory, arguments);
        assert!(status == Some(0) && text.starts_with("no findings"), "{text}");
    }
}

#[test]
fn the_configuration_beside_the_document_applies_and_flags_win() {
    let directory = two_versions();
    let diff = |more: &[&str]| tool(&directory, &[&["diff"], more, &["old.yaml", "api.yaml"]].concat());
    write(&directory, "contract.toml", "[diff.severity]\nrequest-max-length-decreased = 'risky'\n");
    let (status, text, _) = diff(&[]);
    assert!(status == Some(0) && text.contains(": 1 risky; suggested version: 1.3.0\n"), "{text}");
    assert_eq!(diff(&["--treat", "request-max-length-decreased=breaking"]).0, Some(1));
    assert_eq!(diff(&["--treat", "request-max-length-decreased=off"]).1, "no findings in old.yaml → api.yaml\n");

    write(&directory, "contract.toml", "[diff]\nfail-on = 'nothing'\n");
    assert_eq!(diff(&[]).0, Some(0));
    assert_eq!(diff(&["--fail-on", "breaking"]).0, Some(1));

    write(
        &directory,
        "other.toml",
        "[diff]\ncheck-version = true\n[diff.severity]\nrequest-max-length-decreased = 'compatible'\n",
    );
    let (status, text, _) = diff(&["--config", "other.toml"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("breaking[version-too-low] info › version: the changes ask for version 1.3.0"), "{text}");
    write(&directory, "api.yaml", &OLD.replace("maxLength: 9", "maxLength: 8").replace("1.2.0", "1.3.0"));
    assert_eq!(diff(&["--config", "other.toml"]).0, Some(0));
}

#[test]
fn warnings_of_lint_count_on_request() {
    let directory = tempdir().unwrap();
    write(&directory, "api.yaml", &OLD.replace("summary: s", "x-s: s"));
    let status = |arguments: &[&str]| tool(&directory, &[&["lint"], arguments, &["api.yaml"]].concat()).0;
    assert_eq!((status(&[]), status(&["--fail-on", "warning"])), (Some(0), Some(1)));
    write(&directory, "contract.toml", "[lint]\nfail-on = 'warning'\n");
    assert_eq!((status(&[]), status(&["--fail-on", "error"])), (Some(1), Some(0)));
    assert_eq!(status(&["--without", "operation-description-missing"]), Some(0));
}

#[test]
fn operations_are_selected_and_paths_rewritten() {
    let directory = two_versions();
    let status = |more: &[&str]| tool(&directory, &[&["diff"], more, &["old.yaml", "api.yaml"]].concat()).0;
    for (selection, expected) in [
        (&["--match", "^/a$"][..], 1),
        (&["--match", "^/b"], 0),
        (&["--tag", "a"], 1),
        (&["--tag", "b"], 0),
        (&["--operation", "a"], 1),
        (&["--operation", "b", "--operation", "c"], 0),
    ] {
        assert_eq!(status(selection), Some(expected), "{selection:?}");
    }
    write(&directory, "api.yaml", &OLD.replace("/a:", "/v2/a:"));
    assert_eq!(status(&[]), Some(1));
    assert_eq!(status(&["--strip-prefix", "new=/v2"]), Some(0));
    assert_eq!(status(&["--add-prefix", "old=/v2"]), Some(0));
}

#[test]
fn mistakes_have_a_message_with_the_way_on() {
    let directory = two_versions();
    write(&directory, "bad.toml", "[diff]\nnotice-day = 1\n");
    for (arguments, expected) in [
        (&["--accept"][..], "--reason <TEXT>"),
        (&["--accept", "--reason", " "], "expected a reason"),
        (&["--accept", "--reason", "r", "--until", "2027-02-30"], "expected a day such as 2027-01-31"),
        (&["--accept", "--reason", "r", "--until", "2001-01-31"], "2001-01-31 has passed"),
        (&["--exceptions", "none.toml"], "none.toml cannot be read"),
        (&["--config", "none.toml"], "none.toml cannot be read"),
        (&["--config", "bad.toml"], "bad.toml:2:1: unknown field `notice-day`"),
        (&["--match", "("], "unclosed group"),
        (&["--strip-prefix", "/v1"], "expected old=PREFIX or new=PREFIX"),
        (&["--strip-prefix", "old=v1"], "`v1` does not begin with a slash"),
        (&["--treat", "operation-removed=mild"], "is none of breaking, risky, compatible, documentation, off"),
    ] {
        let (status, output, error) = tool(&directory, &[&["diff"], arguments, &["old.yaml", "api.yaml"]].concat());
        assert_eq!((status, output.as_str()), (Some(2), ""), "{arguments:?}\n{error}");
        assert!(error.contains(expected), "{expected} is not in\n{error}");
    }
    assert!(!directory.path().join("contract-exceptions.toml").exists());
}
