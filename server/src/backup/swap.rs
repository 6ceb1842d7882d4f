//! Puts a complete database in the place of another one, which is kept under another name.
//!
//! The last step is one rename, so that there is a database under the name at every moment, if there was one before: the former
//! one until then, the new one from then on. What SQLite has beside a database (a log, a journal) belongs to the former one and
//! would be applied to the new one: it goes before that rename, to where the former one is kept.

use super::{BackupError, beside, directory_of, failed};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite puts beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A step that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The former database has a second name.
    Kept,
    /// A file that belongs to the former one is away.
    CompanionMoved,
    /// The new database has its name.
    Replaced,
}

/// Puts `new` in the place of `database`; returns where the former one is, if there was one. `free` are names for it, of which the
/// first that is free is taken.
///
/// # Errors
/// If a step fails: `database` is the former one then, or it is replaced and the disk may not have that yet.
pub(super) fn swap(
    new: &Path,
    database: &Path,
    mut free: impl Iterator<Item = PathBuf>,
    mut noted: impl FnMut(Step) -> io::Result<()>,
) -> Result<Option<PathBuf>, BackupError> {
    let aside = free.find(|path| !is_there(path)).unwrap_or_else(|| beside(database, ".former"));
    let kept = keep(database, &aside).map_err(failed("keep the former database under another name:", &aside))?;
    let mut is_kept = kept;
    noted(Step::Kept).map_err(failed("replace", database))?;
    for companion in COMPANIONS {
        let (from, to) = (beside(database, companion), beside(&aside, companion));
        match fs::rename(&from, &to) {
            Ok(()) => is_kept = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("move away", &from)(error)),
        }
        noted(Step::CompanionMoved).map_err(failed("replace", database))?;
    }
    let directory = directory_of(database);
    // The disk must not have the last step without those before it.
    sync(directory).map_err(failed("write out the directory", directory))?;
    fs::rename(new, database).map_err(failed("replace", database))?;
    noted(Step::Replaced).map_err(failed("replace", database))?;
    sync(directory).map_err(failed("write out the directory", directory))?;
    Ok(is_kept.then_some(aside))
}

/// Gives a database a second name; says whether there was one.
fn keep(database: &Path, aside: &Path) -> io::Result<bool> {
    match fs::hard_link(database, aside) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        // Some file systems have no second names.
        Err(_) => {
            fs::copy(database, aside)?;
            File::open(aside)?.sync_all()?;
            Ok(true)
        }
    }
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok() || COMPANIONS.iter().any(|end| fs::symlink_metadata(beside(path, end)).is_ok())
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn files(directory: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        entries.map(|path| (name(&path), fs::read_to_string(&path).expect("text"))).collect()
    }

    fn names(database: &Path) -> impl Iterator<Item = PathBuf> {
        ["", "-2", "-3"].map(|end| beside(database, &format!(".aside{end}"))).into_iter()
    }

    /// Ends after the step of this number, as a process that is killed then.
    fn until(last: usize) -> impl FnMut(Step) -> io::Result<()> {
        let mut taken = 0;
        move |_| {
            taken += 1;
            if taken == last { Err(io::Error::other("killed")) } else { Ok(()) }
        }
    }

    fn prepared(companions: &[&str]) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (new, database) = (directory.path().join("new"), directory.path().join("db"));
        fs::write(&new, "new").expect("writable");
        fs::write(&database, "old").expect("writable");
        for companion in companions {
            fs::write(beside(&database, companion), "of the old").expect("writable");
        }
        (directory, new, database)
    }

    /// A database that was closed has nothing beside it: whenever the process ends, there is the former database or the new one.
    #[test]
    fn killed_after_any_step_the_database_is_the_old_one_or_the_new_one() {
        for (killed_after, expected) in [(1, "old"), (2, "new"), (3, "new")] {
            let (directory, new, database) = prepared(&[]);
            let ended = swap(&new, &database, names(&database), until(killed_after));
            assert_eq!(ended.is_err(), killed_after < 3);
            let found = files(directory.path());
            assert_eq!(found["db"], expected, "{killed_after}");
            assert_eq!(found["db.aside"], "old", "{killed_after}");
            // The next attempt completes it.
            fs::write(&new, "new").expect("writable");
            swap(&new, &database, names(&database), |_| Ok(())).expect("it is possible again");
            assert_eq!(files(directory.path())["db"], "new");
        }
    }

    /// A damaged database may have a log that cannot be brought into it.
    #[test]
    fn what_belongs_to_the_former_database_never_lies_beside_the_new_one() {
        for killed_after in 1..=6 {
            let (directory, new, database) = prepared(&COMPANIONS);
            let _ = swap(&new, &database, names(&database), until(killed_after));
            let found = files(directory.path());
            let left = COMPANIONS.iter().filter(|end| found.contains_key(&format!("db{end}"))).count();
            assert!(found["db"] == "old" || left == 0, "{killed_after}: {found:?}");
            for companion in COMPANIONS {
                let kept = [format!("db{companion}"), format!("db.aside{companion}")];
                assert_eq!(
                    kept.iter().filter(|name| found.contains_key(*name)).count(),
                    1,
                    "{killed_after}: {found:?}"
                );
            }
        }
        // The database may be gone already.
        let (directory, new, database) = prepared(&COMPANIONS);
        fs::remove_file(&database).expect("removable");
        let aside = swap(&new, &database, names(&database), |_| Ok(())).expect("possible");
        assert_eq!(aside, Some(directory.path().join("db.aside")));
        let found = files(directory.path());
        assert_eq!(
            found.keys().map(String::as_str).collect::<Vec<_>>(),
            ["db", "db.aside-journal", "db.aside-shm", "db.aside-wal"]
        );
    }

    #[test]
    fn nothing_that_was_kept_before_is_overwritten() {
        let (directory, new, database) = prepared(&[]);
        fs::write(directory.path().join("db.aside"), "older").expect("writable");
        fs::write(directory.path().join("db.aside-2-wal"), "of an older one").expect("writable");
        let aside = swap(&new, &database, names(&database), |_| Ok(())).expect("possible");
        assert_eq!(aside, Some(directory.path().join("db.aside-3")));
        assert_eq!(files(directory.path())["db.aside"], "older");
        fs::remove_file(&database).expect("removable");
        fs::write(&new, "newer").expect("writable");
        assert_eq!(swap(&new, &database, names(&database), |_| Ok(())).expect("possible"), None);
    }
}
