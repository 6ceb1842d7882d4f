//! The GitHub action and the hooks for pre-commit that the repository offers.

use super::reports::repository;
use super::run;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Reads YAML as JSON: an extension of an OpenAPI document.
fn yaml(path: &str) -> serde_json::Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
    let document = format!("openapi: 3.0.3\npaths: {{}}\nx-file:\n{indented}");
    countersign_contract_document::Document::load(path, &document).unwrap().value()["x-file"].clone()
}

/// The subcommand and the flags of a command line.
fn flags(line: &str) -> (String, BTreeSet<String>) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let flags = words.iter().filter(|word| word.starts_with("--")).map(|word| (*word).to_owned());
    (words[1].to_owned(), flags.collect())
}

fn assert_is_in_help(line: &str) {
    let (subcommand, flags) = flags(line);
    let (status, help, _) = run(Path::new("."), &[&subcommand, "--help"]);
    assert_eq!(status, Some(0), "{line}");
    for flag in flags {
        assert!(help.contains(&format!("{flag} ")), "{flag} of `{line}` is not in\n{help}");
    }
}

#[test]
fn the_action_runs_the_program_with_its_inputs() {
    let action = yaml(".github/actions/contract/action.yml");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let folder = repository();
    let inputs = |name: &str| match name {
        "new" => "openapi/api.yaml",
        "old" => "HEAD:openapi/api.yaml",
        "program" => env!("CARGO_BIN_EXE_countersign-contract"),
        name => action["inputs"][name]["default"].as_str().unwrap(),
    };
    let mut used = BTreeSet::new();
    let mut ends = Vec::new();
    for step in steps {
        let script = step["run"].as_str().unwrap();
        assert!(!script.contains("${{"), "an input in a script could contain commands: {script}");
        assert_is_in_help(script);
        let mut command = Command::new("bash");
        command.args(["-e", "-c", script]).current_dir(folder.path()).env_remove("GITHUB_STEP_SUMMARY");
        for (variable, value) in step["env"].as_object().unwrap() {
            let input = value.as_str().unwrap().trim_start_matches("${{ inputs.").trim_end_matches(" }}");
            command.env(variable, inputs(input));
            used.insert(input.to_owned());
        }
        let output = command.output().unwrap();
        ends.push((output.status.code(), String::from_utf8(output.stdout).unwrap()));
    }
    let declared: BTreeSet<String> = action["inputs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(used, declared);
    let [(lint, _), (diff, annotations)] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!((*lint, *diff), (Some(0), Some(1)), "{ends:?}");
    assert!(annotations.starts_with("::error file=openapi/api.yaml,line=12,"), "{annotations}");
}

#[test]
fn the_hooks_are_commands_of_the_program() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    for hook in hooks.as_array().unwrap() {
        let entry = hook["entry"].as_str().unwrap();
        assert!(entry.starts_with("countersign-contract "), "{entry}");
        assert_is_in_help(entry);
    }
}
