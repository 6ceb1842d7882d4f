//! The command line.
//!
//! Exit status: 0 on success, 2 for mistakes in the command line or the configuration, 1 for other failures. `contract`
//! differs: 1 stands for findings, 2 for failures.

mod account;
mod api_key;
mod contract;
mod database;
mod flags;
mod usernames;

use crate::config::{ConfigError, Configuration, Inputs, Key, Settings};
use crate::first_run;
use crate::server::{self, MigrateError, RunError};
use account::AccountCommand;
use api_key::ApiKeyCommand;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use contract::{ContractError, Outcome};
use database::DatabaseCommandError;
use flags::{Flags, SETTINGS};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use tokio::runtime::Runtime;
use usernames::UsernamesError;

const EXAMPLES: &str = "\
Examples:
  countersign
      Start with an embedded database in ./countersign-data, on http://localhost:3000.
  countersign --listen 127.0.0.1:8080 --data-dir /var/lib/countersign
      Start on another port, with another data directory.
  countersign check-config --config /etc/countersign.toml
      Show every effective setting and its source.
  (umask 077; countersign generate-keyring > /etc/countersign.keyring)
  COUNTERSIGN_KEYRING=/etc/countersign.keyring COUNTERSIGN_LISTEN=0.0.0.0:3000 \\
  COUNTERSIGN_BASE_URL=https://id.example.com countersign
      Serve a network, behind a proxy that terminates TLS.

Every setting is also an environment variable (COUNTERSIGN_LISTEN for --listen) and a key in the configuration file,
where the part before a dot names the table. Flags take precedence over the environment, the environment over the file.

Exit status: 0 on success, 2 for mistakes in the command line or the configuration, 1 for other failures.";

/// Two-factor authentication server with the APIs of Better Auth and FusionAuth.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_long_help = EXAMPLES, next_line_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,

    /// Configuration file (TOML); ./countersign.toml is read if it exists and no other is named.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Do not apply pending migrations on start; the same as --database-migrate off.
    #[arg(long, global = true, conflicts_with = "database.migrate")]
    no_migrate: bool,

    #[command(flatten)]
    flags: Flags,
}

/// Commands for operators, whose help shows their own options.
const OPERATORS: [&str; 5] = ["generate-keyring", "migrate", "username-conflicts", "api-key", "account"];

const ABOUT_SETTINGS: &str =
    "Settings, such as --database-url, are given as to the server: `countersign --help` explains them.";

impl CommandLine {
    fn parse_in(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        // Hands the settings down to every command, so that they can be hidden there.
        command.build();
        let command = command.mut_subcommands(|command| match OPERATORS.contains(&command.get_name()) {
            true => without_settings(command),
            false => command,
        });
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

/// Takes the settings out of the help of a command and of those below it. They are accepted as before.
fn without_settings(command: clap::Command) -> clap::Command {
    let is_setting = |arg: &clap::Arg| arg.get_help_heading() == Some(SETTINGS) || arg.get_id() == "no_migrate";
    let command =
        command.mut_args(|arg| if is_setting(&arg) { arg.hide(true) } else { arg }).after_help(ABOUT_SETTINGS);
    command.mut_subcommands(without_settings)
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Start the server (the default).
    Serve,
    /// Print every effective setting with its source, and every problem.
    CheckConfig,
    /// Print a new keyring, for COUNTERSIGN_KEYRING or COUNTERSIGN_KEYS.
    GenerateKeyring {
        /// Include an RSA key, for access tokens signed with RS256.
        #[arg(long)]
        rs256: bool,
    },
    /// Apply pending database migrations and print their names.
    Migrate,
    /// List accounts whose user name is another account's in the form in which names are compared.
    UsernameConflicts,
    /// Create, list and revoke keys for services that call the FusionAuth API.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Show the locks and limits of an account, and lift them.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Compare and lint OpenAPI contracts, or check a server against one.
    #[command(disable_help_flag = true)]
    Contract {
        /// See `countersign contract --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A usage error, or a request for help or the version, which is no failure.
    #[error(transparent)]
    CommandLine(clap::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `check-config` has printed the problems.
    #[error("the configuration cannot be used")]
    InvalidConfig,
    #[error("failed to determine the working directory")]
    Directory(#[source] std::io::Error),
    #[error("failed to write the output")]
    Output(#[source] std::io::Error),
    #[error("failed to generate an RSA key: the operating system provides no randomness")]
    Randomness,
    #[error("failed to start the async runtime")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Database(#[from] DatabaseCommandError),
    #[error(transparent)]
    Usernames(#[from] UsernamesError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// `contract` has printed its findings.
    #[error("there are findings")]
    Findings,
}

impl CommandError {
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::CommandLine(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Config(_) | Self::InvalidConfig => 2,
            Self::Database(error) if error.is_usage_error() => 2,
            Self::Contract(ContractError::CommandLine(error)) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Contract(_) => 2,
            _ => 1,
        }
    }

    /// The text to print, causes included; empty if everything has been printed.
    #[must_use]
    pub fn report(&self) -> String {
        match self {
            Self::CommandLine(error) | Self::Contract(ContractError::CommandLine(error)) => error.render().to_string(),
            Self::InvalidConfig | Self::Findings => String::new(),
            other => format!("error: {}\n", countersign_domain::error_chain(other)),
        }
    }

    /// Whether the report is requested output (help, version) and belongs on standard output.
    #[must_use]
    pub fn is_requested_output(&self) -> bool {
        match self {
            Self::CommandLine(error) | Self::Contract(ContractError::CommandLine(error)) => !error.use_stderr(),
            _ => false,
        }
    }
}

/// Runs the command in `arguments`, the first of which is the program's name.
///
/// # Errors
/// See [`CommandError`]; it decides the exit status.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Vec<(String, String)>,
    output: &mut (dyn Write + Send),
) -> Result<(), CommandError> {
    let line = CommandLine::parse_in(arguments).map_err(CommandError::CommandLine)?;
    let configuration = || {
        let directory = std::env::current_dir().map_err(CommandError::Directory)?;
        let mut flags = line.flags.0.clone();
        if line.no_migrate {
            flags.insert(Key::DatabaseMigrate, "off".to_owned());
        }
        let inputs = Inputs { flags, file: line.config.clone(), environment, directory };
        Ok::<_, CommandError>(Configuration::load(&inputs, &crate::operations::paths()))
    };
    match line.command.clone().unwrap_or(Command::Serve) {
        Command::Serve => {
            let settings = configuration()?.settings()?;
            runtime()?.block_on(server::run(settings, output))?;
        }
        Command::Migrate => {
            let settings = configuration()?.settings()?;
            let applied = runtime()?.block_on(server::migrate(&settings))?;
            let text = match applied.as_slice() {
                [] => "No migrations are pending.\n".to_owned(),
                names => names.iter().map(|name| format!("applied {name}\n")).collect(),
            };
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::UsernameConflicts => {
            let settings = configuration()?.settings()?;
            let text = runtime()?.block_on(usernames::conflicts(&settings))?;
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::ApiKey(command) => {
            let settings = configuration()?.settings()?;
            let text = runtime()?.block_on(api_key::run(&settings, command))?;
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::Account(command) => {
            let settings = configuration()?.settings()?;
            let text = runtime()?.block_on(account::run(&settings, command))?;
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::Contract { arguments } => {
            if contract::run(&arguments, output)? == Outcome::Findings {
                return Err(CommandError::Findings);
            }
        }
        Command::CheckConfig => {
            let configuration = configuration()?;
            let settings = configuration.settings();
            let startup_problem = settings.as_ref().ok().and_then(keyring_problem);
            let report = configuration.report(startup_problem.as_deref());
            output.write_all(report.as_bytes()).map_err(CommandError::Output)?;
            if settings.is_err() || startup_problem.is_some() {
                return Err(CommandError::InvalidConfig);
            }
        }
        Command::GenerateKeyring { rs256 } => {
            let mut keyring = crate::random::system().draw(countersign_domain::keyring::Keyring::generate);
            if rs256 {
                keyring.add_rsa_key().map_err(|_| CommandError::Randomness)?;
            }
            output.write_all(keyring.to_text().as_bytes()).map_err(CommandError::Output)?;
        }
    }
    Ok(())
}

/// Why a start would refuse the keyring, if it exists. A database is only read, if there is one that can be.
fn keyring_problem(settings: &Settings) -> Option<String> {
    match first_run::inspect_keyring(settings) {
        Ok(None) => None,
        Ok(Some(keyring)) => {
            if let Err(error) = crate::app::check_signing_key(settings, &keyring) {
                return Some(error.to_string());
            }
            let checked = runtime().ok()?.block_on(crate::app::inspect_keyring(settings, &keyring));
            checked.err().map(|error| countersign_domain::error_chain(&error))
        }
        Err(error) => Some(countersign_domain::error_chain(&error)),
    }
}

fn runtime() -> Result<Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for key in crate::config::Key::ALL.iter().filter(|key| **key != crate::config::Key::Keys) {
            assert!(help.report().contains(&format!("--{}", key.flag())), "{}", key.flag());
            assert!(help.report().contains(key.variable()), "{}", key.variable());
        }
        assert!(help.report().contains("Examples:"));
    }

    #[test]
    fn help_of_an_operators_command_shows_its_own_options() {
        for (arguments, shown) in [
            (&["account", "--help"][..], "unlock"),
            (&["account", "show", "--help"], "--tenant"),
            (&["account", "unlock", "-h"], "LOGIN|ID"),
            (&["help", "account", "show"], "--json"),
            (&["api-key", "create", "--help"], "--allow"),
            (&["generate-keyring", "--help"], "--rs256"),
            (&["migrate", "--help"], "--config"),
        ] {
            let (result, _) = call(arguments, &[]);
            let help = result.expect_err("help ends the program");
            assert!(help.is_requested_output() && help.exit_status() == 0, "{arguments:?}");
            let help = help.report();
            assert!(help.contains(shown) && help.contains(ABOUT_SETTINGS), "{arguments:?}: {help}");
            assert!(!help.contains("--session-idle") && help.lines().count() < 40, "{arguments:?}: {help}");
        }
        // They are taken all the same.
        let (result, _) = call(&["account", "show", "ada", "--database-url", "sqlite:/nowhere/at/all"], &[]);
        let error = result.expect_err("no database");
        assert!(error.report().contains("there is no database at"), "{}", error.report());
    }

    #[test]
    fn check_config_prints_problems_and_exits_with_2() {
        let (result, output) =
            call(&["check-config", "--listen", "127.0.0.1:4000"], &[("COUNTERSIGN_APP_NAME", "Two")]);
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
            (
                &["create", "--allow", "nonsense"],
                "`nonsense` is not an operation: expected something like `/api/login`",
            ),
            (&["create", "--allow", "GET /api/login"], "there is no GET at `/api/login`, only POST"),
            (&["create", "--allow", "/api/log"], "there is no operation at `/api/log`"),
        ] {
            let (result, _) = key(arguments);
            let error = result.expect_err(expected);
            assert!(error.exit_status() == 2 && error.report().contains(expected), "{}", error.report());
        }
        assert!(!data.exists());
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
}
