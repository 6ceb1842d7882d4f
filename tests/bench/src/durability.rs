//! Whether commits are paid for: a database in memory, or one that does not wait for the disk, makes every figure
//! about writing look better than it is.

use crate::database::connect;
use crate::place::{Address, Place};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// File systems that lie in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// What makes commits of this database cheaper than they should be; empty when nothing does.
pub(crate) async fn doubts(place: &Place, address: &Address, directory: &Path) -> Result<Vec<String>> {
    let mut doubts = Vec::new();
    let mut data = Some(directory.to_owned());
    if !matches!(address, Address::Sqlite(_)) {
        let client = connect(&address.url()).await?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let row = client.query_one("SELECT current_setting($1)", &[&setting]).await;
            let value: String = row.context("failed to ask PostgreSQL for a setting")?.get(0);
            if value != "on" {
                doubts.push(format!("PostgreSQL's {setting} is {value}"));
            }
        }
        // Only some users may ask where the data is, and only a server of this machine means our paths.
        let row = client.query_one("SELECT current_setting('data_directory')", &[]).await;
        let is_here = matches!(place, Place::Cluster(_));
        data = row.ok().filter(|_| is_here).map(|row| PathBuf::from(row.get::<_, String>(0)));
    }
    let mounts = fs::read_to_string("/proc/mounts").context("failed to read /proc/mounts")?;
    if let Some(kind) =
        data.as_deref().and_then(|data| file_system(&mounts, data)).filter(|kind| IN_MEMORY.contains(kind))
    {
        doubts.push(format!("the database is in memory ({kind}); TMPDIR names a better place"));
    }
    Ok(doubts)
}

/// The kind of file system that a path is on: that of the longest mount point above it, the last one mounted there.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| path.starts_with(point));
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_on_the_nearest_mount_above_it() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\ntmpfs /tm tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/dev/shm/pg/data")), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/tmp/pg")), Some("ext4"));
    }
}
