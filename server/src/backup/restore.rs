//! `countersign restore`: puts the database of a backup in the place of the one that the settings name.

use super::swap::swap;
use super::take::open_checked;
use super::workspace::Workspace;
use super::{Backup, BackupError, Progress, beside, directory_of, embedded_database, failed, keyring, settings_for};
use crate::app;
use crate::clock::{Clock as _, SystemClock, utc_text};
use crate::config::Settings;
use crate::first_run::{self, is_missing};
use countersign_domain::api_key::ApiKeyRecord;
use countersign_flows::Caller;
use countersign_store::FileLock;
use countersign_store::database_file::{self, DatabaseFileError, Openers};
use countersign_store::work::AllGrantsEnded;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be restored, and how.
pub struct Wanted<'a> {
    pub backup: &'a Backup,
    /// Who wants it, for the audit trail.
    pub caller: &'a Caller,
    /// Whether sessions, tokens and trust of the time of the backup live again.
    pub keeps_grants: bool,
}

/// A database that was restored.
#[derive(Debug)]
pub struct Restored {
    pub database: PathBuf,
    /// Where the former one is.
    pub aside: Option<PathBuf>,
    /// `None` if the grants were kept.
    pub ended: Option<AllGrantsEnded>,
    /// Keys of services that are good again, although they may have been revoked since the backup.
    pub api_keys: Vec<ApiKeyRecord>,
}

/// Puts the database of a backup in the place of the one that the settings name, which no program may have open.
///
/// # Errors
/// If the database is in use, the backup was altered or is of another keyring, or something cannot be read or written. Then the
/// database is as it was.
pub async fn restore(
    settings: &Settings,
    wanted: Wanted<'_>,
    progress: &mut Progress,
) -> Result<Restored, BackupError> {
    let database = embedded_database(settings)?;
    let keyring = keyring(settings)?;
    first_run::create_parent(database)?;
    // Where it lies, if its name is a symbolic link: beside that, SQLite keeps what belongs to it.
    let database = &database.canonicalize().unwrap_or_else(|_| database.to_owned());
    // Before the long work: it says whether a server runs.
    let _lock = FileLock::take(database)?;
    let workspace = Workspace::claim(beside(database, "-restoring"))?;
    let staged = workspace.file("countersign.db");

    progress.step("reading the backup");
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staged);
    let mut file = made.map_err(failed("create", &staged))?;
    wanted.backup.extract(&mut file, &staged, progress)?;

    progress.step("checking and preparing the database");
    let store = Arc::new(open_checked(settings, &staged, &keyring).await?);
    let (ended, api_keys) = {
        let clock = Arc::new(SystemClock);
        let flows =
            app::flows_beside_server(&settings_for(settings, &staged), Arc::clone(&store), keyring, clock).await?;
        flows.record_restoration(wanted.caller).await?;
        let ended = match wanted.keeps_grants {
            true => None,
            false => Some(flows.end_all_grants(wanted.caller).await?),
        };
        let mut api_keys = store.api_keys(()).await?;
        api_keys.retain(|key| key.revoked_at.is_none());
        (ended, api_keys)
    };
    drop(store);
    database_file::make_single_file(&staged, Openers::ThisProcess)?;
    give_to_server(&file, database).map_err(failed("give the server's user the file", &staged))?;
    file.sync_all().map_err(failed("write out", &staged))?;
    close_former(database)?;
    remove_second_names(database).map_err(failed("remove further names of", database))?;

    progress.step("replacing the database");
    let aside = swap(&staged, database, names_for_former(database), |_| Ok(()))?;
    progress.end();
    Ok(Restored { database: database.to_owned(), aside, ended, api_keys })
}

/// Makes one file of the former database, so that it is complete where it is kept. A server of a version that does not know of the
/// lock is found by this. A database that cannot be read is kept with everything that lies beside it.
fn close_former(database: &Path) -> Result<(), BackupError> {
    if is_missing(database) {
        return Ok(());
    }
    match database_file::make_single_file(database, Openers::Others) {
        Err(error @ DatabaseFileError::InUse(_)) => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

const FORMER: &str = ".before-restore-";

/// A command that was killed within its last steps may have left the database with a second name. Who opened it by that while a
/// server has it open by the first would damage it.
fn remove_second_names(database: &Path) -> std::io::Result<()> {
    let Ok(found) = fs::metadata(database) else { return Ok(()) };
    if found.nlink() < 2 {
        return Ok(());
    }
    let prefix = beside(Path::new(database.file_name().unwrap_or_default()), FORMER).into_os_string();
    for entry in fs::read_dir(directory_of(database))? {
        let entry = entry?;
        let is_name = entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
        let is_same = |one: fs::Metadata| (one.dev(), one.ino()) == (found.dev(), found.ino());
        if is_name && fs::symlink_metadata(entry.path()).is_ok_and(is_same) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Names for the former database, by the time.
fn names_for_former(database: &Path) -> impl Iterator<Item = PathBuf> {
    let time: String = utc_text(SystemClock.now()).chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    let first = beside(database, &format!("{FORMER}{time}"));
    std::iter::once(first.clone()).chain((2..1000).map(move |number| beside(&first, &format!("-{number}"))))
}

/// A command that root runs leaves the file to the owner of the former one, or of the directory.
fn give_to_server(file: &File, database: &Path) -> std::io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(database).or_else(|_| fs::metadata(directory_of(database)))?;
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_name_that_a_killed_command_has_left_goes_and_former_databases_stay() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = directory.path().join("countersign.db");
        fs::write(&database, "present").expect("writable");
        let names: Vec<PathBuf> = names_for_former(&database).take(2).collect();
        fs::hard_link(&database, &names[0]).expect("a link");
        fs::write(&names[1], "former").expect("writable");
        let link = directory.path().join("mine.db");
        fs::hard_link(&database, &link).expect("a link");
        remove_second_names(&database).expect("possible");
        assert!(database.exists() && link.exists() && names[1].exists() && !names[0].exists());
    }
}
