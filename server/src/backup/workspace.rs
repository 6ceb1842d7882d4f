//! A directory for unfinished files, which one process at a time has. What a process that died has left there is removed by the
//! next one.

use super::{BackupError, failed};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// It is removed, with everything in it, when this value is dropped.
#[derive(Debug)]
pub(super) struct Workspace {
    path: PathBuf,
    _lock: File,
}

impl Workspace {
    /// Makes the directory, or takes over what a process has left that died.
    ///
    /// # Errors
    /// If another process has it, it is another user's, or cannot be made.
    pub(super) fn claim(path: PathBuf) -> Result<Self, BackupError> {
        let not_made = |path: &Path| failed("create the directory", path);
        loop {
            let is_new = match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
                made => made.map_err(not_made(&path)).map(|()| true)?,
            };
            let found = fs::symlink_metadata(&path).map_err(not_made(&path))?;
            // In a directory that others write to, another user may have made it to read what comes there. Some file systems have
            // no owners and modes.
            let is_private = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
            if !found.is_dir() || !(is_new || is_private) {
                let text = format!("{} is in the way: it is no directory of yours alone; remove it", path.display());
                return Err(BackupError::Usage(text));
            }
            let directory = File::open(&path).map_err(not_made(&path))?;
            match directory.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(BackupError::Busy(path)),
                Err(TryLockError::Error(source)) => return Err(not_made(&path)(source)),
            }
            let locked = directory.metadata().map_err(not_made(&path))?;
            // The process that had it may have removed it in between.
            if fs::symlink_metadata(&path).is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino())) {
                empty(&path).map_err(failed("remove what is left in", &path))?;
                return Ok(Self { path, _lock: directory });
            }
        }
    }

    /// The path of a file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn empty(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next one.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_it_and_what_is_left_there_goes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a.unfinished");
        let first = Workspace::claim(path.clone()).expect("free");
        fs::write(first.file("database"), "left").expect("writable");
        assert!(matches!(Workspace::claim(path.clone()), Err(BackupError::Busy(_))));
        drop(first);
        assert!(!path.exists());
        // As a process that is killed leaves it.
        DirBuilder::new().mode(0o700).create(&path).expect("a directory");
        fs::write(path.join("database"), "left").expect("writable");
        let second = Workspace::claim(path.clone()).expect("its owner died");
        assert!(!second.file("database").exists());
    }

    #[test]
    fn what_others_could_read_is_not_used() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        DirBuilder::new().mode(0o755).create(&target).expect("a directory");
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        for path in [target, link] {
            assert!(matches!(Workspace::claim(path), Err(BackupError::Usage(text)) if text.contains("is in the way")));
        }
    }
}
