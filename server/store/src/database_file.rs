//! The file of an embedded database as a whole: a copy of it while others use it, whether it is intact, and what has to be true
//! before it is moved. All of this blocks.

use crate::migrations::{self, open_file};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait for the lock of a database that others use.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest wait for threads of this process to close a file that it has used.
const CLOSING: Duration = Duration::from_secs(30);
/// The same for commands that are about to end.
const ENDING: Duration = Duration::from_secs(1);

const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum DatabaseFileError {
    #[error("failed to {doing} {path}")]
    Failed {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the database {path} is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    #[error("the database {0} is in use: stop the server, and other commands on it, first")]
    InUse(PathBuf),
    #[error("{0} is not a database of this program")]
    Foreign(PathBuf),
}

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(E) -> DatabaseFileError {
    let path = path.to_owned();
    move |error| DatabaseFileError::Failed { doing, path, source: error.into() }
}

fn open(doing: &'static str, path: &Path) -> Result<SqliteConnection, DatabaseFileError> {
    open_file(path, PATIENCE).map_err(failed(doing, path))
}

/// Copies a database that others may use into an empty file, as of one moment: every change that was committed before the call is
/// in the copy. Others read and write meanwhile; the write-ahead log grows with what they write until the copy is complete.
///
/// # Errors
/// If the database cannot be read, or the copy cannot be written.
pub fn copy_consistently(database: &Path, empty: &Path) -> Result<(), DatabaseFileError> {
    let doing = "copy the database";
    let mut connection = open(doing, database)?;
    // A copy by the pages of one read transaction, without those that are free and with none of the log's.
    let copied = diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(empty.to_string_lossy().into_owned())
        .execute(&mut connection);
    copied.map(drop).map_err(failed(doing, database))
}

/// Version of the newest migration that was applied to a database. It is a number; numbers of all versions have one length.
///
/// # Errors
/// If it cannot be read, or is no database of this program.
pub fn newest_migration(database: &Path) -> Result<String, DatabaseFileError> {
    let doing = "read the migrations of";
    let applied = migrations::applied_versions(&mut open(doing, database)?).map_err(failed(doing, database))?;
    applied.into_iter().max().ok_or_else(|| DatabaseFileError::Foreign(database.to_owned()))
}

/// Version of the newest migration that this program knows.
///
/// # Panics
/// Never: the migrations are part of the program.
#[must_use]
pub fn newest_known_migration() -> String {
    migrations::known_versions().into_iter().max().expect("there are migrations")
}

/// Reads every page of a database, and compares every index with its table.
///
/// # Errors
/// If something of it is wrong, or it cannot be read.
pub fn check_integrity(database: &Path) -> Result<(), DatabaseFileError> {
    let doing = "check the integrity of";
    let mut connection = open(doing, database)?;
    let findings: Vec<Finding> =
        diesel::sql_query("PRAGMA integrity_check(3)").load(&mut connection).map_err(failed(doing, database))?;
    let findings: Vec<String> = findings.into_iter().map(|finding| finding.integrity_check).collect();
    match findings.as_slice() {
        [one] if one == "ok" => Ok(()),
        some => Err(DatabaseFileError::Damaged { path: database.to_owned(), what: some.join("; ") }),
    }
}

/// Who may have a file open when it is to be one file alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openers {
    /// Threads of this process, which are about to close it.
    ThisProcess,
    /// Programs that do not know of [`crate::FileLock`], such as a server of an earlier version.
    Others,
}

/// Brings everything that was committed into the file itself, so that there is no log beside it. SQLite refuses that while
/// another connection is open.
///
/// # Errors
/// If another connection is open, or the file is no database or cannot be read.
pub fn make_single_file(database: &Path, openers: Openers) -> Result<(), DatabaseFileError> {
    let doing = "complete";
    let patience = match openers {
        Openers::ThisProcess => CLOSING,
        Openers::Others => ENDING,
    };
    let mut connection = open_file(database, PAUSE).map_err(failed(doing, database))?;
    let mut waited = Duration::ZERO;
    loop {
        match connection.batch_execute("PRAGMA journal_mode = DELETE") {
            Ok(()) => return Ok(()),
            Err(error) if !error.to_string().contains("locked") => return Err(failed(doing, database)(error)),
            Err(_) if waited >= patience => return Err(DatabaseFileError::InUse(database.to_owned())),
            Err(_) => std::thread::sleep(PAUSE),
        }
        waited += PAUSE;
    }
}
