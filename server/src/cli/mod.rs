//! The command line.
//!
//! Exit status: 0 on success, 2 for mistakes in the command line or the configuration, 1 for other failures. `contract`
//! differs: 1 stands for findings, 2 for failures.

mod api_key;
mod audit;
mod backup;
mod database;
mod documents;
mod flags;
mod json;
mod keys;
mod operator;
mod prompt;
mod stats;
mod test_mail;
mod user;
mod usernames;
mod when;

use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::{ConfigError, Configuration, Inputs, Key, Settings};
use crate::first_run;
use crate::server::{self, MigrateError, RunError};
use api_key::ApiKeyCommand;
use audit::AuditCommands;
use backup::{BackupCommand, BackupCommandError, EndGrantsCommand, RestoreCommand};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;
use countersign_contract_cli::{ContractError, Outcome, run as run_contract_tool};
use database::DatabaseCommandError;
use flags::{Flags, SETTINGS};
use keys::{KeysCommand, KeysError};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use test_mail::TestMailError;
use tokio::runtime::Runtime;
use user::UserCommands;

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
#[command(name = "countersign", version, next_line_help = true)]
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
const OPERATORS: [&str; 14] = [
    "generate-keyring",
    "keys",
    "backup",
    "restore",
    "end-grants",
    "migrate",
    "username-conflicts",
    "api-key",
    "user",
    "stats",
    "audit",
    "send-test-mail",
    "completions",
    "man",
];

const ABOUT_SETTINGS: &str =
    "Settings, such as --database-url, are given as to the server: `countersign --help` explains them.";

impl CommandLine {
    /// The command line, with what clap derives of it.
    fn complete(command: clap::Command) -> clap::Command {
        let help = format!("{}{EXAMPLES}", flags::only_in_environment());
        let mut command = command.after_long_help(help);
        // Hands the settings down to every command, so that they can be hidden there.
        command.build();
        command.mut_subcommands(|command| match OPERATORS.contains(&command.get_name()) {
            true => without_settings(command),
            false => command,
        })
    }

    fn parse_in(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::from_arg_matches(&Self::complete(Self::command()).try_get_matches_from(arguments)?)
    }
}

/// Takes the settings out of the help of a command and of those below it. They are accepted as before.
fn without_settings(command: clap::Command) -> clap::Command {
    let is_setting = |arg: &clap::Arg| arg.get_help_heading() == Some(SETTINGS) || arg.get_id() == "no_migrate";
    let command = command.mut_args(|arg| if is_setting(&arg) { arg.hide(true) } else { arg });
    let command = match command.get_after_help() {
        Some(_) => command,
        None => command.after_help(ABOUT_SETTINGS),
    };
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
    /// Show the keys of the keyring, and rotate them while servers run.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Write a backup of the embedded database to one file, while a server serves; or check a backup.
    Backup(BackupCommand),
    /// Put the database of a backup in the place of the embedded one, while no server runs.
    Restore(RestoreCommand),
    /// End all sessions, tokens, trust in devices, mailed links and codes of all users, because the database is one of the past:
    /// after pg_restore, or a disk that was copied back. `restore` does it itself.
    EndGrants(EndGrantsCommand),
    /// Apply pending database migrations and print their names.
    Migrate,
    /// List accounts whose user name is another account's in the form in which names are compared.
    UsernameConflicts,
    /// Create, list and revoke keys for services that call the FusionAuth API or the admin API.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// List, show, create, unlock, change and delete users.
    User(UserCommands),
    /// Count users, sessions, messages that wait, and the events of the last day.
    Stats {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read the audit trail as JSON lines.
    Audit(AuditCommands),
    /// Send a test mail by the mail server that is configured, and say what is wrong if it does not take it.
    SendTestMail {
        /// Where to, such as ada@example.com.
        address: String,
    },
    /// Print the completion script of a shell, such as for `source <(countersign completions bash)`.
    Completions { shell: Shell },
    /// Write man pages to a directory.
    Man {
        /// Created if it is missing.
        directory: PathBuf,
    },
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
    Keys(#[from] KeysError),
    #[error(transparent)]
    Backup(#[from] BackupCommandError),
    #[error(transparent)]
    TestMail(#[from] TestMailError),
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
            Self::Keys(error) if error.is_usage_error() => 2,
            Self::Backup(error) if error.is_usage_error() => 2,
            Self::TestMail(TestMailError::NoServer) => 2,
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
            // The reader of the output has read enough, as `head` does.
            Self::Output(error)
            | Self::Database(DatabaseCommandError::Output(error))
            | Self::Keys(KeysError::Output(error))
            | Self::Backup(BackupCommandError::Output(error))
                if error.kind() == std::io::ErrorKind::BrokenPipe =>
            {
                String::new()
            }
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
    run_command(arguments.into_iter().collect(), environment, output)
}

/// Not generic, so that it is compiled once, in this crate, with all that it calls.
fn run_command(
    arguments: Vec<OsString>,
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
        let inputs = Inputs { flags, file: line.config.clone(), environment: environment.clone(), directory };
        Ok::<_, CommandError>(Configuration::load(&inputs, &crate::operations::paths()))
    };
    match line.command.clone().unwrap_or(Command::Serve) {
        Command::Serve => {
            let started = configuration()?;
            let settings = started.settings()?;
            let reload = move || {
                let problem = |error: CommandError| countersign_domain::error_chain(&error);
                let configuration = configuration().map_err(problem)?;
                let changed = started.changed_in(&configuration);
                let settings = configuration.settings().map_err(|error| problem(error.into()))?;
                Ok(server::Reloaded { settings, changed })
            };
            runtime()?.block_on(server::run(settings, &reload, output))?;
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
        Command::Keys(command) => {
            let settings = configuration()?.settings()?;
            runtime()?.block_on(keys::run(&settings, command, output))?;
        }
        Command::Backup(command) => {
            let settings = configuration()?.settings()?;
            runtime()?.block_on(backup::backup(&settings, &command, output))?;
        }
        Command::Restore(command) => {
            let settings = configuration()?.settings()?;
            runtime()?.block_on(backup::restore(&settings, &environment, &command, output))?;
        }
        Command::EndGrants(command) => {
            let settings = configuration()?.settings()?;
            runtime()?.block_on(backup::end_grants(&settings, &environment, &command, output))?;
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
        Command::User(commands) => {
            let settings = configuration()?.settings()?;
            runtime()?.block_on(user::run(&settings, &environment, commands, output))?;
        }
        Command::Stats { json } => {
            let settings = configuration()?.settings()?;
            let text = runtime()?.block_on(stats::run(&settings, json))?;
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::Audit(commands) => {
            let settings = configuration()?.settings()?;
            runtime()?.block_on(audit::run(&settings, commands, output))?;
        }
        Command::Completions { shell } => {
            documents::completions(CommandLine::complete(CommandLine::command()), shell, output)
                .map_err(CommandError::Output)?;
        }
        Command::Man { directory } => {
            // `help` has no page of its own.
            let command = CommandLine::complete(CommandLine::command().disable_help_subcommand(true));
            documents::man_pages(command, &directory).map_err(CommandError::Output)?;
            let text = format!("Wrote man pages to {}.\n", directory.display());
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::SendTestMail { address } => {
            let settings = configuration()?.settings()?;
            let text = runtime()?.block_on(test_mail::send(&settings, &address))?;
            output.write_all(text.as_bytes()).map_err(CommandError::Output)?;
        }
        Command::Contract { arguments } => {
            let today: String = utc_text(SystemClock.now()).chars().take(10).collect();
            if run_contract_tool("countersign contract", &today, &arguments, output)? == Outcome::Findings {
                return Err(CommandError::Findings);
            }
        }
        Command::CheckConfig => {
            let configuration = configuration()?;
            let settings = configuration.settings();
            let start = settings.as_ref().map_or(Ok(None), |settings| {
                let note = inspect_start(settings)?;
                template_problem(settings).map_or(Ok(note), Err)
            });
            let report = configuration.report(start.as_ref().map(Option::as_deref).map_err(String::as_str));
            output.write_all(report.as_bytes()).map_err(CommandError::Output)?;
            if settings.is_err() || start.is_err() {
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

/// Why a start would refuse the templates of messages.
fn template_problem(settings: &Settings) -> Option<String> {
    let loaded = crate::app::words(settings);
    loaded.err().map(|error| countersign_domain::error_chain(&error))
}

/// Looks at the keyring, if it exists, and at the database, if there is one; a note says what could not be looked at.
///
/// # Errors
/// Why a start would refuse them.
fn inspect_start(settings: &Settings) -> Result<Option<String>, String> {
    let read = first_run::inspect_keyring(settings).map_err(|error| countersign_domain::error_chain(&error))?;
    let Some(keyring) = read else { return Ok(None) };
    crate::app::check_signing_key(settings, &keyring).map_err(|error| error.to_string())?;
    let runtime = runtime().map_err(|error| countersign_domain::error_chain(&error))?;
    let unread = runtime.block_on(crate::app::inspect_database(settings, &keyring));
    let unread = unread.map_err(|error| countersign_domain::error_chain(&error))?;
    Ok(unread.map(|cause| format!("the database, and whether the keyring is its own, were not checked: {cause}")))
}

fn runtime() -> Result<Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Runtime)
}

#[cfg(test)]
mod tests;
