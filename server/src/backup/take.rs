//! `countersign backup`: writes a backup while a server serves.

use super::archive::{self, Backup, Described};
use super::workspace::Workspace;
use super::{BackupError, Progress, beside, directory_of, embedded_database, failed, keyring, settings_for};
use crate::app::{self, store_options};
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use crate::config::values::KeyringSource;
use crate::first_run::is_missing;
use countersign_domain::backup::Head;
use countersign_domain::keyring::Keyring;
use countersign_store::{FileLock, Store, database_file};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the size of the copy is looked at.
const OFTEN: Duration = Duration::from_millis(200);

/// A backup that was written and checked.
#[derive(Debug)]
pub struct Taken {
    pub head: Head,
    pub bytes: u64,
    /// The keyring file in the same directory, if it is there: who gets one gets the other.
    pub keyring_beside: Option<PathBuf>,
}

/// Writes a backup of the embedded database to a file, which appears complete and checked or not at all.
///
/// # Errors
/// If there is no database, the keyring is not its own, the file is there already (unless `replaces`, and it is a backup), or
/// something cannot be read or written.
pub async fn take(
    settings: &Settings,
    file: &Path,
    replaces: bool,
    progress: &mut Progress,
) -> Result<Taken, BackupError> {
    let database = embedded_database(settings)?;
    if is_missing(database) {
        let path = database.display();
        let text =
            format!("there is no database at {path}; --data-dir or --database-url names the one that the server uses");
        return Err(BackupError::Usage(text));
    }
    let keyring = Arc::new(keyring(settings)?);
    check_target(file, replaces)?;
    // SQLite takes a name that begins with `file:` for a URI.
    let file = &std::path::absolute(file).map_err(failed("find the directory of", file))?;
    let workspace = Workspace::claim(beside(file, ".unfinished"))?;
    let copy = workspace.file("database");
    create(&copy)?;

    progress.step("copying the database");
    let _lock = FileLock::share(database)?;
    let taken_at = utc_text(SystemClock.now());
    copy_watched(database, &copy, progress).await?;
    let newest_migration = database_file::newest_migration(&copy)?;
    if newest_migration > database_file::newest_known_migration() {
        return Err(BackupError::NewerDatabase { path: database.to_owned(), migration: newest_migration });
    }

    progress.step("compressing");
    let draft = workspace.file("backup");
    let described = Described { taken_at, newest_migration };
    let head = archive::write(&copy, &draft, described, &keyring, progress)?;
    remove(&copy)?;

    progress.step("checking the backup");
    check(settings, &draft, &workspace, &keyring, progress).await?;
    let bytes = fs::metadata(&draft).map_err(failed("read", &draft))?.len();
    publish(&draft, file, replaces)?;
    progress.end();
    Ok(Taken { head, bytes, keyring_beside: keyring_beside(settings, file) })
}

/// Refuses a target that is there, or nowhere.
fn check_target(file: &Path, replaces: bool) -> Result<(), BackupError> {
    let refused = |text: String| Err(BackupError::Usage(text));
    let directory = directory_of(file);
    if file.file_name().is_none() || file.as_os_str().to_string_lossy().ends_with('/') {
        return refused(format!("{} is no name of a file", file.display()));
    }
    match fs::metadata(directory) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return refused(format!("{} is not a directory", directory.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return refused(format!("there is no directory {}: create it first", directory.display()));
        }
        Err(error) => return Err(failed("look at the directory", directory)(error)),
    }
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("look at", file)(error)),
        Ok(_) if !replaces => {
            refused(format!("{} is there already, and was not changed: --force replaces a backup", file.display()))
        }
        // It may be the database, or the keyring.
        Ok(found) if !found.is_file() || !archive::looks_like_backup(file).map_err(failed("read", file))? => {
            refused(format!("{} is no backup, and was not changed: --force replaces a backup only", file.display()))
        }
        Ok(_) => Ok(()),
    }
}

/// A new file that only its owner can read.
fn create(path: &Path) -> Result<File, BackupError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(failed("create", path))
}

fn remove(path: &Path) -> Result<(), BackupError> {
    fs::remove_file(path).map_err(failed("remove", path))
}

async fn copy_watched(database: &Path, copy: &Path, progress: &mut Progress) -> Result<(), BackupError> {
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let (from, into) = (database.to_owned(), copy.to_owned());
    let mut copying = tokio::task::spawn_blocking(move || database_file::copy_consistently(&from, &into));
    loop {
        match tokio::time::timeout(OFTEN, &mut copying).await {
            Ok(copied) => return Ok(copied??),
            Err(_) => progress.at(size(copy), size(database)),
        }
    }
}

/// Reads the backup as a restore does: all of it, up to opening the database in it with the keyring.
async fn check(
    settings: &Settings,
    draft: &Path,
    workspace: &Workspace,
    keyring: &Keyring,
    progress: &mut Progress,
) -> Result<(), BackupError> {
    let backup = Backup::open(draft, keyring)?;
    let extracted = workspace.file("check");
    backup.extract(&mut create(&extracted)?, &extracted, progress)?;
    open_checked(settings, &extracted, keyring).await.map(drop)
}

/// Opens a database that came out of a backup, after every page of it was checked, and brings its tables up to date.
pub(super) async fn open_checked(
    settings: &Settings,
    extracted: &Path,
    keyring: &Keyring,
) -> Result<Store, BackupError> {
    database_file::check_integrity(extracted)?;
    let store = Store::open(&store_options(&settings_for(settings, extracted))).await?;
    app::inspect_keyring(&store, keyring, SystemClock.now()).await?;
    Ok(store)
}

/// Gives the complete file its name.
fn publish(draft: &Path, file: &Path, replaces: bool) -> Result<(), BackupError> {
    let named = if replaces {
        fs::rename(draft, file)
    } else {
        // Unlike a rename, a link does not replace what was put there meanwhile.
        match fs::hard_link(draft, file) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                // Some file systems have no links.
                check_target(file, false)?;
                fs::rename(draft, file)
            }
            linked => linked,
        }
    };
    named.map_err(failed("give the complete backup its name:", file))?;
    let directory = directory_of(file);
    File::open(directory).and_then(|open| open.sync_all()).map_err(failed("write out the directory", directory))
}

fn keyring_beside(settings: &Settings, file: &Path) -> Option<PathBuf> {
    let keyring = match &settings.keyring {
        KeyringSource::NamedFile(path) | KeyringSource::DefaultFile(path) => path,
        KeyringSource::Credential(_) | KeyringSource::Text(_) => return None,
    };
    let place = |path: &Path| directory_of(path).canonicalize().ok();
    (place(keyring).is_some() && place(keyring) == place(file)).then(|| keyring.clone())
}
