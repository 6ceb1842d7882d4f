//! The contract as a tool: `countersign contract`, as teams and their CI run it, and our own CI's use of it.

use std::path::Path;
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
const BINARY: &str = env!("CARGO_BIN_EXE_countersign");

fn contract(name: &str) -> String {
    std::fs::read_to_string(Path::new(REPOSITORY).join("openapi").join(name)).unwrap()
}

/// What happened: exit status, standard output, standard error.
fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn tool(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    ended(&Command::new(BINARY).arg("contract").args(arguments).current_dir(directory).output().unwrap())
}

/// A directory with two versions of a contract: the second takes shorter names.
fn two_versions() -> TempDir {
    let directory = tempdir().unwrap();
    let text = contract("better-auth.yaml");
    let (from, to) = ("          maxLength: 256\n", "          maxLength: 100\n");
    assert!(text.contains(from));
    std::fs::write(directory.path().join("old.yaml"), &text).unwrap();
    std::fs::write(directory.path().join("new.yaml"), text.replacen(from, to, 1)).unwrap();
    directory
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

#[test]
fn diff_tells_rule_place_values_and_line_in_every_format() {
    let directory = two_versions();
    let line = line_of(&contract("better-auth.yaml"), "          maxLength: 256");
    let rule = "request-max-length-decreased";
    let (status, text, _) = tool(directory.path(), &["diff", "old.yaml", "new.yaml"]);
    assert_eq!(status, 1);
    for part in [
        format!("breaking[{rule}]"),
        "256 → 100".to_owned(),
        "POST /sign-up/email".to_owned(),
        format!("new.yaml:{line}:11"),
    ] {
        assert!(text.contains(&part), "{part} is not in\n{text}");
    }

    let (status, json, _) = tool(directory.path(), &["diff", "--format", "json", "old.yaml", "new.yaml"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, &json["findings"][0]["rule"]), (1, &rule.into()));
    assert_eq!(json["findings"][0]["new"]["line"], line);

    let (_, junit, _) = tool(directory.path(), &["diff", "--format", "junit", "old.yaml", "new.yaml"]);
    assert!(junit.starts_with("<?xml") && junit.contains(rule) && junit.contains("<failure"), "{junit}");

    let (_, github, _) = tool(directory.path(), &["diff", "--format", "github", "old.yaml", "new.yaml"]);
    assert!(github.starts_with(&format!("::error file=new.yaml,line={line},col=11,")), "{github}");

    let (status, said, _) =
        tool(directory.path(), &["diff", "--format", "json", "--output", "out.json", "old.yaml", "new.yaml"]);
    assert_eq!(
        (status, said.as_str()),
        (1, "1 finding in old.yaml → new.yaml: 1 breaking; suggested version: 3.0.0; written to out.json\n")
    );
    assert!(std::fs::read_to_string(directory.path().join("out.json")).unwrap().contains(rule));
}

#[test]
fn the_exit_status_follows_what_is_asked_for() {
    let directory = two_versions();
    let status = |arguments: &[&str]| tool(directory.path(), arguments).0;
    assert_eq!(status(&["diff", "old.yaml", "old.yaml"]), 0);
    assert_eq!(status(&["diff", "new.yaml", "old.yaml"]), 0, "the other way round everything fits");
    assert_eq!(status(&["diff", "--fail-on", "any", "new.yaml", "old.yaml"]), 1);
    assert_eq!(status(&["diff", "--fail-on", "nothing", "old.yaml", "new.yaml"]), 0);
    let milder = "request-max-length-decreased=risky";
    assert_eq!(status(&["diff", "--treat", milder, "old.yaml", "new.yaml"]), 0);
    assert_eq!(status(&["diff", "--treat", milder, "--fail-on", "risky", "old.yaml", "new.yaml"]), 1);
    let hidden = ["diff", "--at-least", "breaking", "--treat", milder, "--fail-on", "risky", "old.yaml", "new.yaml"];
    assert_eq!(status(&hidden), 1, "what is not shown counts nevertheless");
    let (_, text, _) = tool(directory.path(), &["diff", "--at-least", "risky", "new.yaml", "old.yaml"]);
    assert_eq!(text, "no findings in new.yaml → old.yaml; suggested version: 2.1.0\n");

    std::fs::write(directory.path().join("broken.yaml"), "openapi: 3.0.3\npaths: [\n").unwrap();
    std::fs::write(directory.path().join("newer.yaml"), "openapi: 4.0.0\npaths: {}\n").unwrap();
    for (arguments, said) in [
        (vec!["diff", "old.yaml", "missing.yaml"], "missing.yaml cannot be read"),
        (vec!["diff", "old.yaml", "broken.yaml"], "broken.yaml:3:1: not readable as YAML or JSON"),
        (
            vec!["diff", "old.yaml", "newer.yaml"],
            "newer.yaml:1:1: /openapi: expected OpenAPI 3.0, 3.1 or 3.2, found version 4.0.0",
        ),
        (vec!["diff", "old.yaml", "HEAD:new.yaml"], "HEAD:new.yaml cannot be read from git"),
        (vec!["diff", "old.yaml"], "required"),
        (vec!["diff", "--treat", "no-such-rule=risky", "old.yaml", "new.yaml"], "there is no rule `no-such-rule`"),
        (vec!["explain", "no-such-rule"], "there is no rule `no-such-rule`"),
        (vec!["explain", "tag-add"], "there is no rule `tag-add`, did you mean `tag-added`?"),
        (vec!["diff", "-", "-"], "standard input can be only one of the two"),
    ] {
        let (status, output, error) = tool(directory.path(), &arguments);
        assert_eq!((status, output.as_str()), (2, ""), "{arguments:?}\n{error}");
        assert!(error.contains(said), "{said} is not in\n{error}");
    }
}

#[test]
fn lint_tells_rule_and_line() {
    let directory = tempdir().unwrap();
    let text = contract("better-auth.yaml");
    std::fs::write(directory.path().join("fine.yaml"), &text).unwrap();
    std::fs::write(directory.path().join("bad.yaml"), text.replacen("operationId: okGet", "operationId: signOut", 1))
        .unwrap();
    let (status, said, _) = tool(directory.path(), &["lint", "fine.yaml"]);
    assert_eq!((status, said.as_str()), (0, "no findings in fine.yaml\n"));
    let (status, said, _) = tool(directory.path(), &["lint", "fine.yaml", "bad.yaml"]);
    let line = line_of(&text, "operationId: okGet");
    assert_eq!(status, 1);
    assert!(said.contains("error[operation-id-duplicate]") && said.contains(&format!("bad.yaml:{line}:")), "{said}");
    let without = ["lint", "--without", "operation-id-duplicate", "bad.yaml"];
    assert_eq!(tool(directory.path(), &without).0, 0);
    assert_eq!(tool(directory.path(), &["lint", "--without", "no-such-rule", "bad.yaml"]).0, 2);
}

/// The block of the README that other teams copy.
#[test]
fn the_recipe_for_other_teams_runs_as_it_stands() {
    let readme = std::fs::read_to_string(Path::new(REPOSITORY).join("README.md")).unwrap();
    let recipe = readme.split("<!-- recipe:").nth(1).unwrap().split("```sh\n").nth(1).unwrap();
    let recipe = recipe.split("```").next().unwrap();
    let directory = two_versions();
    let shell = |script: &str, contract: &str| {
        let mut command = Command::new("sh");
        command.args(["-eu", "-c", script]).current_dir(directory.path());
        command.env("COUNTERSIGN", BINARY).env("CONTRACT", contract).env("BASE", "HEAD");
        ended(&command.output().unwrap())
    };
    let git = "git init -q && git add old.yaml new.yaml && mv new.yaml new && mv old.yaml new.yaml && git add new.yaml && \
               git -c user.name=t -c user.email=t@example.com commit -qm first && mv new new.yaml";
    assert_eq!(shell(git, "").0, 0);
    let (status, text, error) = shell(recipe, "new.yaml");
    assert_eq!(status, 1, "{text}{error}");
    assert!(
        text.contains(":new.yaml → new.yaml: 1 breaking; suggested version: 3.0.0; written to contract-diff.xml"),
        "{text}{error}"
    );
    assert!(std::fs::read_to_string(directory.path().join("contract-diff.xml")).unwrap().contains("<failure"));

    std::fs::copy(directory.path().join("new.yaml"), directory.path().join("other.yaml")).unwrap();
    let (status, text, error) = shell(recipe, "other.yaml");
    assert_eq!((status, error.as_str()), (0, ""), "a new contract breaks nobody: {text}");
    let (status, text, _) =
        shell(&format!("sed -i 's/operationId: .*/operationId: one/' other.yaml\n{recipe}"), "other.yaml");
    assert!(status == 1 && text.contains("operation-id-duplicate"), "{text}");
}

/// Makes a git repository of a directory.
fn commit_all(directory: &Path) {
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "first"]] {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        let output = command.current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_document_may_be_several_files_also_at_a_revision() {
    let directory = tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "openapi/api.yaml",
        "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {/users: {$ref: paths/users.yaml}}\n",
    );
    write(
        "openapi/paths/users.yaml",
        "post:\n  requestBody:\n    content: {application/json: {schema: {$ref: ../../common/user.yaml}}}\n  responses: {'204': {description: d}}\n",
    );
    write("common/user.yaml", "type: object\nproperties:\n  name: {type: string}\n");
    commit_all(directory.path());
    write("common/user.yaml", "type: object\nrequired: [name]\nproperties:\n  name: {type: string}\n");
    let said = "breaking[request-property-became-required] request body › application/json › name";
    for (below, old, new, expected) in [
        ("", "HEAD:openapi/api.yaml", "openapi/api.yaml", "common/user.yaml:2:12, was at HEAD:common/user.yaml:3:3"),
        (
            "",
            "HEAD:./openapi/api.yaml",
            "openapi/api.yaml",
            "common/user.yaml:2:12, was at HEAD:./common/user.yaml:3:3",
        ),
        ("openapi", "HEAD:./api.yaml", "api.yaml", "../common/user.yaml:2:12, was at HEAD:../common/user.yaml:3:3"),
    ] {
        let (status, text, error) = tool(&directory.path().join(below), &["diff", old, new]);
        assert_eq!(status, 1, "{text}{error}");
        assert!(text.contains(said) && text.contains(&format!("--> {expected}")), "{expected}\n{text}");
    }
    std::fs::remove_file(directory.path().join("common/user.yaml")).unwrap();
    let (status, text, error) = tool(directory.path(), &["lint", "openapi/api.yaml"]);
    let expected =
        "the reference `../../common/user.yaml` leads to a file that cannot be read: common/user.yaml cannot be read";
    assert_eq!((status, error.as_str()), (1, ""), "{text}");
    assert!(text.contains(expected) && text.contains("--> openapi/paths/users.yaml:3:"), "{text}");
    let (status, _, error) = tool(directory.path(), &["diff", "HEAD:openapi/api.yaml", "openapi/api.yaml"]);
    assert!(status == 2 && error.contains("leads to a file that cannot be read"), "an operation needs it: {error}");
}

/// A contract whose only schema is a reference.
fn with_reference(reference: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\npaths: {{}}\ncomponents: {{schemas: {{A: {{$ref: {reference}}}}}}}\n"
    )
}

#[test]
fn references_stay_within_the_repository_and_no_message_shows_other_files() {
    const SECRET: &str = "hunter2";
    let directory = tempdir().unwrap();
    let at = |path: &str| directory.path().join(path);
    for path in ["repository/openapi", "outside"] {
        std::fs::create_dir_all(at(path)).unwrap();
    }
    std::fs::write(at("outside/secrets.yaml"), "hunter2_password: hunter2\n").unwrap();
    std::fs::write(at("outside/schema.yaml"), "type: string\n").unwrap();
    std::fs::write(at("repository/env.yaml"), "hunter2_password: hunter2\nhunter2_password: hunter2\n").unwrap();
    std::fs::write(at("repository/schema.yaml"), "type: string\n").unwrap();
    std::os::unix::fs::symlink(at("outside/secrets.yaml"), at("repository/openapi/link.yaml")).unwrap();
    std::os::unix::fs::symlink("../schema.yaml", at("repository/openapi/within.yaml")).unwrap();
    let write = |reference: &str| std::fs::write(at("repository/openapi/api.yaml"), with_reference(reference)).unwrap();
    let lint = |more: &[&str]| tool(&at("repository"), &[&["lint", "openapi/api.yaml"], more].concat());
    write("schema.yaml");
    commit_all(&at("repository"));
    std::fs::write(at("repository/.git/hunter2"), "type: string\n").unwrap();

    let outside = "is outside of ";
    let passwd = "'../../../../../../../../../../../../etc/passwd'";
    for (reference, problem) in [
        (passwd, outside),
        ("../../outside/secrets.yaml", outside),
        ("../../outside/schema.yaml", outside),
        ("../../outside/missing.yaml", outside),
        ("link.yaml", outside),
        ("../.git/hunter2", outside),
        ("../env.yaml", "duplicate key"),
        ("/etc/passwd", "is an absolute path"),
        ("'%2Fetc/passwd'", "is an absolute path"),
        ("'file:///etc/passwd'", "is a URL"),
        ("'HEAD:schema.yaml'", "is a URL"),
    ] {
        write(reference);
        let (status, output, error) = lint(&[]);
        assert_eq!((status, error.as_str()), (1, ""), "{reference}: {output}");
        assert!(output.contains("error[reference-broken]") && output.contains(problem), "{reference}: {output}");
        assert!(!output.replace(reference, "").replace(".git/hunter2", "").contains(SECRET), "{reference}: {output}");
        assert!(!output.contains("root:"), "{output}");
    }
    for reference in ["../schema.yaml", "within.yaml"] {
        write(reference);
        let (status, output, error) = lint(&["--fail-on", "error"]);
        assert_eq!(status, 0, "{reference}: {output}{error}");
    }

    // A user may allow more; what is no contract is still not shown.
    write("../../outside/schema.yaml");
    let root = directory.path().to_str().unwrap();
    assert_eq!(lint(&["--fail-on", "error", "--root", root]).0, 0);
    write("../../outside/secrets.yaml");
    let (status, output, error) = lint(&["--root", root]);
    assert_eq!((status, error.as_str()), (1, ""));
    assert!(!output.contains(SECRET) && output.contains("secrets.yaml"), "{output}");

    // Outside of a repository, the document's own directory is the limit.
    std::fs::write(at("outside/api.yaml"), with_reference("../repository/schema.yaml")).unwrap();
    let (status, output, _) = tool(&at("outside"), &["lint", "api.yaml"]);
    assert!(status == 1 && output.contains(outside), "{output}");
    std::fs::write(at("outside/api.yaml"), with_reference("schema.yaml")).unwrap();
    assert_eq!(tool(&at("outside"), &["lint", "--fail-on", "error", "api.yaml"]).0, 0);
}

#[test]
fn references_at_a_revision_stay_within_the_repository() {
    let directory = tempdir().unwrap();
    let at = |path: &str| directory.path().join(path);
    std::fs::create_dir_all(at("repository")).unwrap();
    std::fs::write(at("hunter2.yaml"), "hunter2: 1\n").unwrap();
    for (reference, name) in [
        ("../hunter2.yaml", "above.yaml"),
        ("../../../../../../../../../../etc/passwd", "passwd.yaml"),
        ("link.yaml", "linked.yaml"),
        ("/etc/passwd", "absolute.yaml"),
        ("env.yaml", "secret.yaml"),
    ] {
        std::fs::write(at("repository").join(name), with_reference(reference)).unwrap();
    }
    std::fs::write(at("repository/env.yaml"), "hunter2: [hunter2\n").unwrap();
    std::os::unix::fs::symlink(at("hunter2.yaml"), at("repository/link.yaml")).unwrap();
    commit_all(&at("repository"));
    for name in ["above.yaml", "passwd.yaml", "linked.yaml", "absolute.yaml", "secret.yaml"] {
        let (status, output, error) = tool(&at("repository"), &["lint", &format!("HEAD:{name}")]);
        assert_eq!((status, error.as_str()), (1, ""), "{name}");
        assert!(output.contains("error[reference-broken]"), "{name}: {output}");
        let shown = output.replace("../hunter2.yaml", "");
        assert!(!shown.contains("hunter2") && !shown.contains("root:"), "{name}: {output}");
    }
}

#[test]
fn a_document_may_be_at_a_revision_of_git() {
    let directory = two_versions();
    std::fs::rename(directory.path().join("old.yaml"), directory.path().join("api.yaml")).unwrap();
    commit_all(directory.path());
    std::fs::rename(directory.path().join("new.yaml"), directory.path().join("api.yaml")).unwrap();
    let (status, text, error) = tool(directory.path(), &["diff", "HEAD:api.yaml", "api.yaml"]);
    assert_eq!(status, 1, "{error}");
    assert!(text.contains("was at HEAD:api.yaml:"), "{text}");
}

#[test]
fn every_rule_is_explained() {
    let directory = tempdir().unwrap();
    let (status, list, _) = tool(directory.path(), &["explain"]);
    assert_eq!(status, 0);
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert!(ids.len() > 200, "{}", ids.len());
    let (status, text, _) = tool(directory.path(), &["explain", ids[0]]);
    assert!(status == 0 && text.starts_with(ids[0]) && text.lines().count() >= 5, "{text}");
}

/// Our own contracts with an edit, and what our CI says about it.
struct House {
    directory: TempDir,
}

impl House {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let copied = Command::new("cp").args(["-r", "openapi"]).arg(directory.path()).current_dir(REPOSITORY).status();
        assert!(copied.unwrap().success());
        Self { directory }
    }

    /// Takes the contract as it is for the released version.
    fn release(&self, name: &str) -> String {
        let text = contract(&format!("{name}.yaml"));
        let version = text.lines().find_map(|line| line.strip_prefix("  version: ")).unwrap().to_owned();
        let path = self.directory.path().join(format!("openapi/released/{name}/{version}.yaml"));
        std::fs::write(path, text).unwrap();
        version
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.directory.path().join("openapi").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not say {from:?}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn checked(&self) -> (i32, String, String) {
        let mut command = Command::new(Path::new(REPOSITORY).join(".ci/contracts"));
        command.arg(BINARY).arg(self.directory.path().join("openapi")).env_remove("GITHUB_ACTIONS");
        ended(&command.output().unwrap())
    }
}

#[test]
fn ci_takes_the_contracts_as_they_are() {
    assert_eq!(House::new().checked().0, 0);
}

#[test]
fn ci_stops_a_breaking_change_of_either_contract_unless_it_is_a_declared_major_version() {
    let edits = [
        ("better-auth", "          maxLength: 256\n", "          maxLength: 100\n", "request-max-length-decreased"),
        ("better-auth", "operationId: okGet", "operationId: okayGet", "operation-id-changed"),
        ("fusionauth", "operationId: retrieveUser\n", "operationId: fetchUser\n", "operation-id-changed"),
        ("fusionauth", "          maxLength: 256\n", "          maxLength: 100\n", "request-max-length-decreased"),
    ];
    for (name, from, to, rule) in edits {
        let file = format!("{name}.yaml");
        let line = contract(&file).lines().position(|line| line.trim() == from.trim()).unwrap() + 1;
        let house = House::new();
        let released = house.release(name);
        house.edit(&file, from, to);
        let (status, text, error) = house.checked();
        assert_eq!(status, 1, "{text}{error}");
        assert!(text.contains(&format!("breaking[{rule}]")), "{text}");
        assert!(text.contains(&format!("openapi/{file}:{line}:")), "{line}\n{text}");
        assert!(error.contains("undo it, or make it a new major version"), "{error}");

        house.edit(&file, &format!("  version: {released}\n"), "  version: 99.0.0\n");
        let (status, _, error) = house.checked();
        assert!(status == 1 && error.contains(&format!("no row for {name} 99.0.0")), "{error}");

        let row = format!("| {name} | 1.0.0 | the first |\n");
        house.edit("README.md", &row, &format!("{row}| {name} | 99.0.0 | names are shorter |\n"));
        let (status, text, error) = house.checked();
        assert_eq!(status, 0, "{error}");
        assert!(text.contains(&format!("99.0.0 breaks clients of {released}")), "{text}");
    }
}

/// Nothing on the wire breaks, but a constant of generated code is gone.
#[test]
fn ci_stops_an_response_that_has_a_value_less() {
    let house = House::new();
    house.edit(
        "fusionauth.yaml",
        "enum: [authenticator, email, sms, passkey]",
        "enum: [authenticator, email, passkey]",
    );
    let (status, text, error) = house.checked();
    assert_eq!(status, 1, "{text}{error}");
    assert!(text.contains("breaking[response-enum-value-removed]"), "{text}");
    assert!(error.contains("undo it, or make it a new major version"), "{error}");
}

#[test]
fn ci_tells_when_it_cannot_tell() {
    let house = House::new();
    std::fs::remove_dir_all(house.directory.path().join("openapi/released/fusionauth")).unwrap();
    let (status, _, error) = house.checked();
    assert!(status == 2 && error.contains("no version of it is released"), "{error}");

    let house = House::new();
    std::fs::remove_file(house.directory.path().join("openapi/fusionauth.yaml")).unwrap();
    let (status, _, error) = house.checked();
    assert!(status == 1 && error.contains("it is released and gone"), "{error}");
}
