//! PostgreSQL's programs on this machine. Also part of the build script, which wants to know whether there are any.

use std::fs;
use std::path::PathBuf;

/// The folder they are in.
#[derive(Clone)]
pub(crate) struct Binaries(PathBuf);

impl Binaries {
    /// Those in the folder that `COUNTERSIGN_TEST_POSTGRES_PROGRAMS` names, those on the path, or the newest where Debian keeps them.
    pub(crate) fn find() -> Option<Self> {
        let complete =
            |folder: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).exists());
        if let Some(folder) = std::env::var_os("COUNTERSIGN_TEST_POSTGRES_PROGRAMS").map(PathBuf::from) {
            assert!(complete(&folder), "PostgreSQL's programs are not in {}", folder.display());
            return Some(Self(folder));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        if let Some(folder) = std::env::split_paths(&path).find(complete) {
            return Some(Self(folder));
        }
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(|entry| {
            let entry = entry.ok()?;
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        });
        let mut versions: Vec<_> = versions.filter(|(_, folder)| complete(folder)).collect();
        versions.sort();
        versions.pop().map(|(_, folder)| Self(folder))
    }

    /// The path of a program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
