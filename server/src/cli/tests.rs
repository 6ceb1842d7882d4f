//! Unit tests of the command line.

use super::*;
use crate::config::keys::Scope;

fn call(arguments: &[&str], environment: &[(&str, &str)]) -> (Result<(), CommandError>, String) {
    let arguments = ["countersign"].iter().chain(arguments).map(OsString::from);
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut output = Vec::new();
    let result = run(arguments, environment, &mut output);
    (result, String::from_utf8(output).expect("UTF-8"))
}

#[test]
fn the_command_line_is_well_formed() {
    use clap::CommandFactory as _;
    CommandLine::command().debug_assert();
}

#[test]
fn help_names_every_setting() {
    let (result, _) = call(&["--help"], &[]);
    let help = result.expect_err("help ends the program");
    assert!(help.is_requested_output() && help.exit_status() == 0);
    for key in Key::ALL {
        let is_flag = key.scope() == Scope::Everywhere;
        let forms = [format!("--{} ", key.flag()), format!("--{}[=", key.flag())];
        assert_eq!(forms.iter().any(|form| help.report().contains(form)), is_flag, "{}", key.flag());
        assert!(help.report().contains(key.variable()), "{}", key.variable());
    }
    assert!(help.report().contains("Examples:"));
}

#[test]
fn help_of_an_operators_command_shows_its_own_options() {
    for (arguments, shown) in [
        (&["user", "show", "--help"][..], "--tenant"),
        (&["user", "unlock", "-h"], "USER"),
        (&["user", "delete", "-h"], "--yes"),
        (&["help", "user", "show"], "--json"),
        (&["audit", "query", "--help"], "--since"),
        (&["stats", "--help"], "--json"),
        (&["api-key", "create", "--help"], "--allow"),
        (&["generate-keyring", "--help"], "--rs256"),
        (&["keys", "--help"], "reseal"),
        (&["keys", "retire", "--help"], "--end-signed"),
        (&["migrate", "--help"], "--config"),
        (&["end-grants", "--help"], "--operator"),
    ] {
        let (result, _) = call(arguments, &[]);
        let help = result.expect_err("help ends the program");
        assert!(help.is_requested_output() && help.exit_status() == 0, "{arguments:?}");
        let help = help.report();
        assert!(help.contains(shown) && help.contains(ABOUT_SETTINGS), "{arguments:?}: {help}");
        assert!(!help.contains("--session-idle") && help.lines().count() < 40, "{arguments:?}: {help}");
    }
    // They are taken all the same.
    let (result, _) = call(&["user", "show", "ada", "--database-url", "sqlite:/nowhere/at/all"], &[]);
    let error = result.expect_err("no database");
    assert!(error.report().contains("there is no database at"), "{}", error.report());
}

#[test]
fn groups_of_commands_show_examples_and_exit_status() {
    for (group, example) in [
        ("user", "countersign user unlock ada@example.com"),
        ("audit", "countersign audit tail"),
        ("backup", "countersign backup --check"),
        ("restore", "systemctl stop countersign"),
    ] {
        let help = call(&[group, "--help"], &[]).0.expect_err("help ends the program");
        let help = help.report();
        for part in ["Examples:", example, ABOUT_SETTINGS, "Exit status: 0"] {
            assert!(help.contains(part), "{part}: {help}");
        }
    }
    let unknown = call(&["audit", "query", "--kind", "acount-locked"], &[]).0.expect_err("no such kind");
    assert_eq!(unknown.exit_status(), 2);
    assert!(unknown.report().contains("'account-locked'"), "{}", unknown.report());
}

#[test]
fn completions_and_man_pages_cover_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let (result, script) = call(&["completions", shell], &[]);
        assert!(result.is_ok() && script.contains("reset-factors") && script.contains("send-test-mail"), "{shell}");
    }
    assert_eq!(call(&["completions", "cmd"], &[]).0.expect_err("no such shell").exit_status(), 2);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let man = directory.path().join("man");
    let (result, _) = call(&["man", man.to_str().expect("UTF-8")], &[]);
    assert!(result.is_ok(), "{result:?}");
    for page in ["countersign.1", "countersign-user.1", "countersign-user-reset-factors.1", "countersign-audit-tail.1"]
    {
        let text = std::fs::read_to_string(man.join(page)).expect(page);
        assert!(text.starts_with(".ie") || text.contains(".TH"), "{page}: {text}");
    }
    let page = std::fs::read_to_string(man.join("countersign-user-show.1")).expect("a page");
    assert!(page.contains("json") && !page.contains("session-idle"), "{page}");
}

#[test]
fn check_config_prints_problems_and_exits_with_2() {
    let (result, output) = call(&["check-config", "--listen", "127.0.0.1:4000"], &[("COUNTERSIGN_APP_NAME", "Two")]);
    assert!(result.is_ok(), "{result:?}");
    assert!(
        output.contains("127.0.0.1:4000")
            && output.contains("flag --listen")
            && output.contains("environment COUNTERSIGN_APP_NAME")
    );

    let (result, output) = call(&["--listen", "0.0.0.0:4000", "check-config"], &[]);
    let error = result.expect_err("no keys");
    assert_eq!((error.exit_status(), error.report().as_str()), (2, ""));
    assert!(output.contains("generate-keyring"));
}

#[test]
fn check_config_refuses_an_unusable_keyring_and_creates_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (data, keyring) = (directory.path().join("data"), directory.path().join("keyring"));
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let (data_dir, keyring_file) = (text(&data), text(&keyring));
    let (_, keys) = call(&["generate-keyring"], &[]);
    std::fs::write(&keyring, keys).expect("a file");
    let check = |mode: u32, algorithm: &str| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&keyring, permissions).expect("its owner may");
        let keys = ("COUNTERSIGN_KEYRING", keyring_file.as_str());
        call(&["check-config", "--data-dir", &data_dir], &[keys, ("COUNTERSIGN_JWT_ALGORITHM", algorithm)])
    };
    for (mode, algorithm, expected) in [
        (0o644, "EdDSA", "error: others can read the keyring"),
        (0o600, "RS256", "error: the keyring holds no RS256 key; `countersign generate-keyring --rs256` makes"),
    ] {
        let (result, output) = check(mode, algorithm);
        assert_eq!(result.expect_err("a start would fail").exit_status(), 2);
        assert!(output.contains(expected) && !output.contains("is valid"), "{output}");
    }
    let (result, output) = check(0o600, "EdDSA");
    assert!(result.is_ok() && output.ends_with("The configuration is valid.\n"), "{output}");
    // Nothing listens on port 1.
    let unreachable = ["check-config", "--data-dir", &data_dir];
    let address = ("COUNTERSIGN_DATABASE_URL", "postgres://127.0.0.1:1/x?sslmode=disable");
    let (result, output) = call(&unreachable, &[("COUNTERSIGN_KEYRING", keyring_file.as_str()), address]);
    let note = "note: the database, and whether the keyring is its own, were not checked: ";
    assert!(result.is_ok() && output.contains(note) && output.ends_with("is valid.\n"), "{output}");
    assert!(!data.exists());
}

#[test]
fn api_keys_need_a_database_and_known_operations() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let data_dir = data.to_str().expect("UTF-8");
    let key = |arguments: &[&str]| call(&[&["--data-dir", data_dir, "api-key"], arguments].concat(), &[]);
    for (arguments, expected) in [
        (&["list"][..], "there is no database at"),
        (&["revoke", "0b7c1e0a-0000-4000-8000-000000000001"], "there is no database at"),
        (&["create", "--allow", "nonsense"], "`nonsense` is not an operation: expected something like `/api/login`"),
        (&["create", "--allow", "GET /api/login"], "there is no GET at `/api/login`, only POST"),
        (&["create", "--allow", "/api/log"], "there is no operation at `/api/log`"),
    ] {
        let (result, _) = key(arguments);
        let error = result.expect_err(expected);
        assert!(error.exit_status() == 2 && error.report().contains(expected), "{}", error.report());
    }
    let (result, _) = key(&["create"]);
    let error = result.expect_err("there is no server");
    assert!(error.report().contains("there is no database at"), "{}", error.report());
    assert!(!data.exists());
    assert!(call(&["--data-dir", data_dir, "migrate"], &[]).0.is_ok());
    assert!(key(&["create", "--allow", "post /api/login"]).0.is_ok());
    let (result, output) = key(&["list"]);
    assert!(result.is_ok() && output.contains("may POST /api/login"), "{output}");
}

#[test]
fn a_switch_that_is_off_needs_no_value_to_be_on() {
    for (arguments, environment, expected) in [
        (&["check-config"][..], &[][..], "off default"),
        (&["check-config", "--validate-responses"], &[], "on flag --validate-responses"),
        (&["--validate-responses", "--app-name", "Two", "check-config"], &[], "on flag --validate-responses"),
        (&["--validate-responses", "check-config"], &[], "on flag --validate-responses"),
        (&["check-config", "--validate-responses=off"], &[], "off flag --validate-responses"),
        (&["check-config", "--validate-responses=on"], &[], "on flag --validate-responses"),
        (
            &["check-config"],
            &[("COUNTERSIGN_VALIDATE_RESPONSES", "on")],
            "on environment COUNTERSIGN_VALIDATE_RESPONSES",
        ),
    ] {
        let (result, output) = call(arguments, environment);
        assert!(result.is_ok(), "{arguments:?}: {result:?}");
        let line = output.lines().find(|line| line.starts_with("validate_responses ")).expect("a line");
        let words: Vec<_> = line.split_whitespace().skip(1).collect();
        assert_eq!(words.join(" "), expected, "{arguments:?}");
    }
}

#[test]
fn serve_refuses_a_bad_configuration() {
    let (result, _) = call(&["serve"], &[("COUNTERSIGN_LISTN", "x")]);
    let error = result.expect_err("an unknown variable");
    assert_eq!(error.exit_status(), 2);
    assert_eq!(
        error.report(),
        "error: the configuration has a problem:\n  - unknown environment variable COUNTERSIGN_LISTN; did you mean COUNTERSIGN_LISTEN?\n"
    );
    let (result, _) = call(&["--no-such-flag"], &[]);
    assert_eq!(result.expect_err("an unknown flag").exit_status(), 2);
}

#[test]
fn a_generated_keyring_is_a_keyring() {
    let (result, output) = call(&["generate-keyring"], &[]);
    assert!(result.is_ok());
    assert!(countersign_domain::keyring::Keyring::parse(&output).is_ok());
    assert_ne!(call(&["generate-keyring"], &[]).1, output);
    let (result, output) = call(&["generate-keyring", "--rs256"], &[]);
    assert!(result.is_ok() && output.contains("\nRS256 "));
    assert!(countersign_domain::keyring::Keyring::parse(&output).is_ok());
}
