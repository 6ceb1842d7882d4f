//! Keeps the file of an embedded database from being replaced while a program has it open.
//!
//! Each program that opens the database shares a lock (flock(2)) of a file beside it, and who replaces it takes that lock alone.
//! SQLite's own locks are of the file that is replaced, so that they say nothing of the one which takes its place. The file
//! with the lock is empty and stays; the system releases the lock of a process that dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// As long as this value lives, the file of the database is not replaced, or no other program opens it.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "the lock ends when it is closed")] File);

/// Why a database cannot be opened, or not be replaced.
#[derive(Debug, thiserror::Error)]
pub enum FileLockError {
    #[error("the database {0} is being restored by another process: wait until that has ended")]
    Replaced(PathBuf),
    #[error("the database {0} is in use: stop the server, and other commands on it, first")]
    InUse(PathBuf),
    #[error("failed to lock {path}")]
    Failed {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl FileLock {
    /// Keeps a database from being replaced.
    ///
    /// # Errors
    /// If it is being replaced now, or its directory cannot be written to.
    pub fn share(database: &Path) -> Result<Self, FileLockError> {
        let (path, file) = open(database)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(FileLockError::Replaced(database.to_owned())),
            Err(TryLockError::Error(source)) => Err(FileLockError::Failed { path, source }),
        }
    }

    /// Keeps all others from opening a database, which may not exist yet.
    ///
    /// # Errors
    /// If a program of this version has it open, or its directory cannot be written to.
    pub fn take(database: &Path) -> Result<Self, FileLockError> {
        let (path, file) = open(database)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(FileLockError::InUse(database.to_owned())),
            Err(TryLockError::Error(source)) => Err(FileLockError::Failed { path, source }),
        }
    }
}

fn open(database: &Path) -> Result<(PathBuf, File), FileLockError> {
    // A database that has several names by symbolic links has one lock.
    let mut name = database.canonicalize().unwrap_or_else(|_| database.to_owned()).into_os_string();
    name.push("-lock");
    let path = PathBuf::from(name);
    match open_or_create(&path, database) {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(FileLockError::Failed { path, source }),
    }
}

fn open_or_create(path: &Path, database: &Path) -> io::Result<File> {
    let found = OpenOptions::new().read(true).open(path);
    if !matches!(&found, Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return found;
    }
    let made = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // A command that root runs must not shut out the server, which is another user.
    let parent = database.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = database.metadata().or_else(|_| parent.metadata())?;
    let is = made.metadata()?;
    if (is.uid(), is.gid()) != (owner.uid(), owner.gid()) {
        // Only root may, and only for root it matters.
        let _ = fchown(&made, Some(owner.uid()), Some(owner.gid()));
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_replaces_a_database_and_who_opens_it_keep_each_other_away() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = directory.path().join("countersign.db");
        let (one, other) = (FileLock::share(&database).expect("free"), FileLock::share(&database).expect("shared"));
        assert!(matches!(FileLock::take(&database), Err(FileLockError::InUse(_))));
        drop(one);
        assert!(matches!(FileLock::take(&database), Err(FileLockError::InUse(_))));
        drop(other);
        let alone = FileLock::take(&database).expect("free");
        assert!(matches!(FileLock::share(&database), Err(FileLockError::Replaced(_))));
        assert!(matches!(FileLock::take(&database), Err(FileLockError::InUse(_))));
        drop(alone);
        FileLock::share(&database).expect("free again");
        std::fs::write(&database, "").expect("the directory can be written to");
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink(&database, &link).expect("the directory can be written to");
        let _shared = FileLock::share(&link).expect("free");
        assert!(matches!(FileLock::take(&database), Err(FileLockError::InUse(_))));
    }
}
