//! `countersign backup`, `restore` and `end-grants`: the embedded database as one file that shows whether it is whole, its way back,
//! and what has to end when a database is one of the past.

use super::database::DatabaseCommandError as Error;
use super::operator::Operator;
use super::prompt::Confirmation;
use crate::backup::{self, Backup, BackupError, Progress, Restored, Taken, WHOLE_DATABASE, Wanted};
use crate::config::Settings;
use crate::config::values::KeyringSource;
use crate::first_run::is_missing;
use crate::terminal::printable;
use clap::Args;
use countersign_store::work::AllGrantsEnded;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

const ABOUT_BACKUPS: &str = "\
Examples:
  countersign backup /mnt/backups/countersign-$(date +%F).backup
      Write a backup while the server serves. It is checked before it gets its name.
  countersign backup --check /mnt/backups/countersign-2026-03-01.backup
      Read a backup and say whether anything of it was altered or is missing.

A backup holds the database as of one moment: every change that was acknowledged before the command began. It is written \
beside FILE first, which takes room for a copy of the database and for the compressed one, and can be read by its owner \
only. It has no keys in it: keep the keyring and the configuration as well, and apart from it. A restore needs the keys that \
the keyring had at the backup, also after a rotation. The backup holds names, addresses and password hashes in the clear: encrypt it where \
others could read it.

For PostgreSQL, use pg_dump or pg_basebackup: see \"Backups\" in the README.

Settings, such as --database-url, are given as to the server: `countersign --help` explains them.

Exit status: 0 on success; 2 for a mistake in the command line or the configuration, such as a FILE that is there already; \
1 for other failures, such as a backup that was altered.";

const ABOUT_RESTORE: &str = "\
Examples:
  systemctl stop countersign
  countersign restore --yes /mnt/backups/countersign-2026-03-01.backup
  systemctl start countersign

The server has to be stopped, and the keyring to be in its place. The database is prepared beside the present one and \
takes its place at once: if the command is ended, also by kill -9, there is the former one or the restored one. The former \
one is kept, and its name is printed.

The database is one of the past then. What was used up since the backup would be good again, and what was revoked would \
live again, so all sessions, refresh tokens, access tokens, trust in devices, open sign-ins, mailed links and codes end, \
and users sign in again; codes that apps show within a minute are refused. --keep-grants leaves them as they were at the \
backup: for a backup of a server that was not used since. Nothing says what else has changed since the backup. As it was \
are: passwords, methods, recovery codes that were used, API keys that were revoked, users that were locked, deactivated or \
deleted. The events since then are in the former database: `countersign audit export --database-url sqlite:…`.

Settings, such as --database-url, are given as to the server: `countersign --help` explains them.

Exit status: 0 on success; 2 for a mistake in the command line or the configuration, or a restore that was not confirmed \
because there is no terminal; 1 for other failures, such as a backup that was altered or a server that runs.";

#[derive(Clone, Debug, Args)]
#[command(after_help = ABOUT_BACKUPS)]
pub(super) struct BackupCommand {
    /// Where the backup is written; its directory has to exist.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace FILE if it is a backup.
    #[arg(long)]
    force: bool,
    /// Write nothing: read the backup FILE, and say whether anything of it was altered or is missing.
    #[arg(long, conflicts_with = "force")]
    check: bool,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = ABOUT_RESTORE)]
pub(super) struct RestoreCommand {
    /// A file that `countersign backup` has written.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave sessions, tokens, trust in devices and codes as they were at the backup.
    #[arg(long)]
    keep_grants: bool,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Clone, Debug, Args)]
pub(super) struct EndGrantsCommand {
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupCommandError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Database(#[from] Error),
    #[error("failed to write the output")]
    Output(#[from] std::io::Error),
    /// The database is restored; what the operator has to know is in the error.
    #[error("the output cannot be written, which is:\n{text}")]
    OutputOfRestored {
        text: String,
        #[source]
        source: std::io::Error,
    },
}

impl BackupCommandError {
    pub(super) fn is_usage_error(&self) -> bool {
        match self {
            Self::Backup(error) => error.is_usage_error(),
            Self::Database(error) => error.is_usage_error(),
            Self::Output(_) | Self::OutputOfRestored { .. } => false,
        }
    }
}

/// Writes a backup, or checks one.
pub(super) async fn backup(
    settings: &Settings,
    command: &BackupCommand,
    output: &mut (dyn Write + Send),
) -> Result<(), BackupCommandError> {
    let mut progress = Progress::new();
    let text = match command.check {
        true => {
            let backup = Backup::open(&command.file, &backup::keyring(settings)?)?;
            backup.check(&mut progress)?;
            let head = &backup.head;
            format!(
                "{} is complete and as it was written: the database at {} ({} bytes, migration {}), by version {}, with the key {}.\n",
                command.file.display(),
                head.taken_at,
                head.database_bytes,
                head.newest_migration,
                head.program,
                head.key_id
            )
        }
        false => taken(settings, command, &backup::take(settings, &command.file, command.force, &mut progress).await?),
    };
    Ok(output.write_all(text.as_bytes())?)
}

fn taken(settings: &Settings, command: &BackupCommand, taken: &Taken) -> String {
    let keyring = match &settings.keyring {
        KeyringSource::NamedFile(path) | KeyringSource::DefaultFile(path) => format!("the keyring {}", path.display()),
        KeyringSource::Credential(_) => "the credential with the keyring".to_owned(),
        KeyringSource::Text(_) => "the keyring, which is in the environment".to_owned(),
    };
    let mut text = format!(
        "Wrote and checked {} ({} bytes): the database at {}.\nNo keys are in it. Keep {keyring}, and the configuration, apart from it: \
         without the key {} it cannot be restored.\n",
        command.file.display(),
        taken.bytes,
        taken.head.taken_at,
        taken.head.key_id
    );
    if let Some(keyring) = &taken.keyring_beside {
        let _ = writeln!(
            text,
            "WARNING: the keyring {} is in the same directory: who gets both can make codes and sessions of every user. Move \
             the backup elsewhere.",
            keyring.display()
        );
    }
    text
}

/// Puts the database of a backup in the place of the present one.
pub(super) async fn restore(
    settings: &Settings,
    environment: &[(String, String)],
    command: &RestoreCommand,
    output: &mut (dyn Write + Send),
) -> Result<(), BackupCommandError> {
    let caller = command.operator.caller(environment)?;
    let database = backup::embedded_database(settings)?;
    let replaces = !is_missing(database);
    if replaces {
        command.confirmation.check()?;
    }
    let backup = Backup::open(&command.file, &backup::keyring(settings)?)?;
    if replaces {
        let (path, taken_at) = (database.display(), &backup.head.taken_at);
        command
            .confirmation
            .ask(&format!("Replace the database {path} by that of {taken_at}, and keep the present one aside?"))?;
    }
    let mut progress = Progress::new();
    let wanted = Wanted { backup: &backup, caller: &caller, keeps_grants: command.keep_grants };
    let restored = backup::restore(settings, wanted, &mut progress).await?;
    let text = done(&backup, &restored);
    output.write_all(text.as_bytes()).map_err(|source| BackupCommandError::OutputOfRestored { text, source })
}

fn done(backup: &Backup, restored: &Restored) -> String {
    let mut text = format!("Restored {} as of {}.\n", restored.database.display(), backup.head.taken_at);
    if let Some(aside) = &restored.aside {
        let _ = writeln!(text, "The former database is {}. Delete it when nothing of it is needed.", aside.display());
    }
    text.push_str(&match &restored.ended {
        Some(ended) => all_ended(ended),
        None => "Sessions, tokens, trust in devices and codes are good as they were then.\n".to_owned(),
    });
    text.push_str(
        "Passwords, methods and recovery codes are those of then, and users that were locked, deactivated or deleted since are not.\n",
    );
    if !restored.api_keys.is_empty() {
        let names =
            restored.api_keys.iter().map(|key| format!("\n  {}  {}", key.id.to_hyphenated(), printable(&key.name)));
        let names: String = names.collect();
        let _ = writeln!(
            text,
            "These API keys are good, also if they were revoked since (`countersign api-key revoke`):{names}"
        );
    }
    text
}

fn all_ended(ended: &AllGrantsEnded) -> String {
    format!(
        "Ended for {} users: {} sessions, {} refresh tokens, trust in {} devices, {} open sign-ins, and all access tokens, mailed links and \
         codes. Codes that apps show within a minute are refused.\n",
        ended.accounts, ended.sessions, ended.refresh_tokens, ended.trusted_devices, ended.challenges
    )
}

/// Ends everything that was opened, on a database that was restored by other means.
pub(super) async fn end_grants(
    settings: &Settings,
    environment: &[(String, String)],
    command: &EndGrantsCommand,
    output: &mut (dyn Write + Send),
) -> Result<(), BackupCommandError> {
    let caller = command.operator.caller(environment)?;
    command.confirmation.check()?;
    let mut settings = settings.clone();
    settings.database.timeout = WHOLE_DATABASE;
    settings.database.deadline = WHOLE_DATABASE;
    let (_, flows) = super::database::flows(&settings).await?;
    command
        .confirmation
        .ask("End all sessions, tokens, trust in devices, open sign-ins, mailed links and codes of all users?")?;
    let ended = flows.end_all_grants(&caller).await.map_err(Error::from)?;
    Ok(output.write_all(all_ended(&ended).as_bytes())?)
}
