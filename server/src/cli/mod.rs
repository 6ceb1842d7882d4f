//! The command line: what can be asked for, and how it ends.
//!
//! Exit status: 0 when it went well, 2 when the command line or the configuration is to blame, 1 for all else. What
//! [`contract`] says differs.

mod api_key;
mod contract;
mod flags;

use crate::config::{ConfigError, Configuration, Inputs, Key, Settings};
use crate::first_run;
use crate::server::{self, MigrateError, RunError};
use api_key::{ApiKeyCommand, ApiKeyError};
use clap::{Parser, Subcommand};
use contract::{ContractError, Outcome};
use flags::Flags;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use tokio::runtime::Runtime;

const EXAMPLES: &str = "\
Examples:
  countersign
      Start with an embedded database in ./countersign-data, on http://localhost:3000.
  countersign --listen 127.0.0.1:8080 --data-dir /var/lib/countersign
      The same, elsewhere.
  countersign check-config --config /etc/countersign.toml
      Show every effective setting and where it comes from.
  (umask 077; countersign generate-keyring > /etc/countersign.keyring)
  COUNTERSIGN_KEYRING=/etc/countersign.keyring COUNTERSIGN_LISTEN=0.0.0.0:3000 \\
  COUNTERSIGN_BASE_URL=https://id.example.com countersign
      Serve a network, behind a proxy that terminates TLS.

Every setting is also an environment variable (--listen is COUNTERSIGN_LISTEN) and a key in the configuration file,
whose tables are the part of its name before the dot. Flags win over the environment, the environment over the file.

Exit status: 0 when all went well, 2 for mistakes in command line or configuration, 1 for all else.";

/// Two-factor authentication server that speaks Better Auth's and FusionAuth's APIs.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_long_help = EXAMPLES, next_line_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,

    /// Configuration file (TOML); ./countersign.toml is read if it exists and no other is named.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Do not bring the tables up to date on start; the same as --database-migrate off.
    #[arg(long, global = true, conflicts_with = "database.migrate")]
    no_migrate: bool,

    #[command(flatten)]
    flags: Flags,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Serve (what happens without a command, too).
    Serve,
    /// Print every effective setting, where it comes from, and what is wrong with it.
    CheckConfig,
    /// Print a new keyring, for COUNTERSIGN_KEYRING or COUNTERSIGN_KEYS.
    GenerateKeyring {
        /// With an RSA key in it, for access tokens that are signed with RS256.
        #[arg(long)]
        rs256: bool,
    },
    /// Bring the database's tables up to date, and say what that took.
    Migrate,
    /// Make, show and revoke keys for services that call the FusionAuth API.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Work with OpenAPI contracts, these and others: what changed, whom that breaks, what is wrong.
    #[command(disable_help_flag = true)]
    Contract {
        /// `countersign contract --help` says more.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
}

/// Why the program ends without having done what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command line makes no sense; or it asked for help, which is no failure.
    #[error(transparent)]
    CommandLine(clap::Error),
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration makes no sense, and has been explained already.
    #[error("the configuration cannot be used")]
    Explained,
    /// The working directory is gone.
    #[error("the working directory cannot be determined")]
    Directory(#[source] std::io::Error),
    /// The output could not be written.
    #[error("the output could not be written")]
    Output(#[source] std::io::Error),
    /// No key could be made.
    #[error("the operating system gives no randomness")]
    Randomness,
    /// The runtime could not be started.
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
    /// The server failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The tables could not be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// Nothing was done with a key.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
    /// Nothing was found out about a contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// Something was found in a contract, and has been told.
    #[error("there are findings")]
    Findings,
}

impl CommandError {
    /// The program's exit status.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::CommandLine(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Config(_) | Self::Explained => 2,
            Self::ApiKey(error) if error.is_about_words() => 2,
            Self::Contract(ContractError::CommandLine(error)) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Contract(_) => 2,
            _ => 1,
        }
    }

    /// What to print about it, causes included; nothing if everything has been said.
    #[must_use]
    pub fn report(&self) -> String {
        match self {
            Self::CommandLine(error) | Self::Contract(ContractError::CommandLine(error)) => error.render().to_string(),
            Self::Explained | Self::Findings => String::new(),
            other => format!("error: {}\n", crate::error_chain(other)),
        }
    }

    /// Whether the report is what was asked for (help, version) and not a complaint.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::CommandLine(error) | Self::Contract(ContractError::CommandLine(error)) => !error.use_stderr(),
            _ => false,
        }
    }
}

/// Does what `arguments` (the program's name among them) ask for.
///
/// # Errors
/// Why it was not done.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Vec<(String, String)>,
    output: &mut (dyn Write + Send),
) -> Result<(), CommandError> {
    let line = CommandLine::try_parse_from(arguments).map_err(CommandError::CommandLine)?;
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
                [] => "The tables are up to date.\n".to_owned(),
                names => names.iter().map(|name| format!("applied {name}\n")).collect(),
            };
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::ApiKey(command) => {
            let settings = configuration()?.settings()?;
            let text = runtime()?.block_on(api_key::run(&settings, command))?;
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
            let beyond = settings.as_ref().ok().and_then(keyring_problem);
            let report = configuration.report(beyond.as_deref());
            output.write_all(report.as_bytes()).map_err(CommandError::Output)?;
            if settings.is_err() || beyond.is_some() {
                return Err(CommandError::Explained);
            }
        }
        Command::GenerateKeyring { rs256 } => {
            let mut keyring = crate::flows::with_random(countersign_domain::keyring::Keyring::generate);
            if rs256 {
                keyring.add_rsa_key().map_err(|_| CommandError::Randomness)?;
            }
            output.write_all(keyring.to_text().as_bytes()).map_err(CommandError::Output)?;
        }
    }
    Ok(())
}

/// Why a start would not take the keyring, as far as there is one yet.
fn keyring_problem(settings: &Settings) -> Option<String> {
    match first_run::look(settings) {
        Ok(keyring) => Some(crate::app::check_signing_key(settings, &keyring?).err()?.to_string()),
        Err(error) => Some(crate::error_chain(&error)),
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
        assert!(help.is_answer() && help.exit_status() == 0);
        for key in crate::config::Key::ALL.iter().filter(|key| **key != crate::config::Key::Keys) {
            assert!(help.report().contains(&format!("--{}", key.flag())), "{}", key.flag());
            assert!(help.report().contains(key.variable()), "{}", key.variable());
        }
        assert!(help.report().contains("Examples:"));
    }

    #[test]
    fn check_config_explains_and_its_status_tells() {
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
    fn check_config_tells_which_keyring_a_start_would_refuse_and_makes_nothing() {
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
        for (mode, algorithm, said) in [
            (0o644, "EdDSA", "error: others can read the keyring"),
            (0o600, "RS256", "error: the keyring holds no RS256 key; `countersign generate-keyring --rs256` makes"),
        ] {
            let (result, output) = check(mode, algorithm);
            assert_eq!(result.expect_err("a start would fail").exit_status(), 2);
            assert!(output.contains(said) && !output.contains("is valid"), "{output}");
        }
        let (result, output) = check(0o600, "EdDSA");
        assert!(result.is_ok() && output.ends_with("The configuration is valid.\n"), "{output}");
        assert!(!data.exists());
    }

    #[test]
    fn keys_are_looked_for_where_a_database_is_and_may_call_what_there_is() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let data_dir = data.to_str().expect("UTF-8");
        let key = |arguments: &[&str]| call(&[&["--data-dir", data_dir, "api-key"], arguments].concat(), &[]);
        for (arguments, said) in [
            (&["list"][..], "there is no database at"),
            (&["revoke", "0b7c1e0a-0000-4000-8000-000000000001"], "there is no database at"),
            (&["create", "--allow", "nonsense"], "`nonsense` is no operation: expected `/api/login`, say"),
            (&["create", "--allow", "GET /api/login"], "there is no GET at `/api/login`, only POST"),
            (&["create", "--allow", "/api/log"], "there is no operation at `/api/log`"),
        ] {
            let (result, _) = key(arguments);
            let error = result.expect_err(said);
            assert!(error.exit_status() == 2 && error.report().contains(said), "{}", error.report());
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
