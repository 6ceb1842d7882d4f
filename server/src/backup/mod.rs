//! Backups of the embedded database, and their way back.
//!
//! A backup is one file (`archive`): its head says what it holds and is authenticated with the keyring, so that a file that is cut
//! off, altered or another deployment's is refused before it replaces anything. It is written from a consistent copy
//! while a server serves (`take`), and appears complete or not at all. A restore ([`restore`]) prepares the whole database
//! beside the one it replaces, and puts it there by one rename (`swap`): a process that dies at any moment leaves the former
//! database or the restored one. The keyring is never part of a backup.

mod archive;
mod progress;
mod restore;
mod swap;
mod take;
mod workspace;

pub use archive::Backup;
pub use progress::Progress;
pub use restore::{Restored, Wanted, restore};
pub use take::{Taken, take};

use crate::app::AppError;
use crate::config::Settings;
use crate::config::values::DatabaseUrl;
use crate::first_run::{self, FirstRunError};
use countersign_domain::backup::HeadError;
use countersign_domain::decisions::restore::Unusable;
use countersign_domain::keyring::Keyring;
use countersign_flows::FlowError;
use countersign_store::database_file::DatabaseFileError;
use countersign_store::{FileLockError, OpenError, StoreError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest time for one transaction on all rows of a database.
pub const WHOLE_DATABASE: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A mistake of the command line or the configuration.
    #[error("{0}")]
    Usage(String),
    #[error("the backup {path} cannot be used")]
    Head {
        path: PathBuf,
        #[source]
        source: HeadError,
    },
    #[error("the backup {path} cannot be used")]
    Unusable {
        path: PathBuf,
        #[source]
        source: Unusable,
    },
    #[error("failed to {doing} {path}")]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another command writes {0}: wait until it has ended")]
    Busy(PathBuf),
    #[error(
        "the database {path} has the migration {migration}, which this program does not know: use the version of the program that \
         serves it"
    )]
    NewerDatabase { path: PathBuf, migration: String },
    #[error(transparent)]
    Keyring(#[from] FirstRunError),
    #[error(transparent)]
    Locked(#[from] FileLockError),
    #[error(transparent)]
    Database(#[from] DatabaseFileError),
    #[error("failed to open the copy of the database")]
    Open(#[from] OpenError),
    #[error(transparent)]
    Belongs(#[from] AppError),
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a thread of this command failed")]
    Thread(#[from] tokio::task::JoinError),
}

impl BackupError {
    #[must_use]
    pub fn is_usage_error(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Keyring(FirstRunError::NoKeyring { .. }))
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::File { doing, path, source }
}

/// A name that begins as the path does.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The embedded database that the settings name.
///
/// # Errors
/// If they name a database on a server.
pub fn embedded_database(settings: &Settings) -> Result<&Path, BackupError> {
    match &settings.database.url {
        DatabaseUrl::Sqlite(path) => Ok(path),
        DatabaseUrl::Postgres(_) => Err(BackupError::Usage(
            "the database is PostgreSQL, which has its own programs for this: `pg_dump --format=custom` and `pg_restore`, or \
             `pg_basebackup` with archived WAL to return to any moment; then `countersign end-grants`. The README says how, under \
             \"Backups\". This command is for the embedded database"
                .to_owned(),
        )),
    }
}

/// The keyring that the settings name.
///
/// # Errors
/// If there is none, or it cannot be used.
pub fn keyring(settings: &Settings) -> Result<Keyring, BackupError> {
    first_run::inspect_keyring(settings)?.ok_or_else(|| {
        let text = "there is no keyring: put the one there that the database was used with, or name it by COUNTERSIGN_KEYRING or --data-dir";
        BackupError::Usage(text.to_owned())
    })
}

/// The settings for another file of the database, all of which a transaction may change.
fn settings_for(settings: &Settings, database: &Path) -> Settings {
    let mut settings = settings.clone();
    settings.database.url = DatabaseUrl::Sqlite(database.to_owned());
    settings.database.timeout = WHOLE_DATABASE;
    settings.database.deadline = WHOLE_DATABASE;
    settings.database.migrate = true;
    settings
}
