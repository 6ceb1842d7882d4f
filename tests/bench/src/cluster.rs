//! A temporary PostgreSQL cluster, on disk and with PostgreSQL's own defaults, removed after the run.
//!
//! The clusters of `countersign-test-postgres` are made for tests: they lie in memory where they can and do not wait
//! for the disk, so that commits on them cost next to nothing. What is measured here has to pay for its commits.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long a cluster may take to start.
const START: Duration = Duration::from_secs(30);
/// How often it is asked whether it has.
const PAUSE: Duration = Duration::from_millis(50);
/// Stops the server with the process id `$0` when its own input ends, which is when this program does, however it
/// ends. SIGINT is PostgreSQL's fast shutdown.
const GUARD: &str = r#"trap '' INT TERM HUP; cat >/dev/null; kill -INT "$0""#;

/// A running cluster. It is stopped, by its own process id, when this is dropped.
pub(crate) struct Cluster {
    postmaster: Child,
    guard: Child,
    port: u16,
    directory: TempDir,
}

impl Cluster {
    /// Makes one that takes so many connections, and waits until it does.
    pub(crate) async fn start(connections: u32) -> Result<Self> {
        let programs = programs()?;
        let directory = tempfile::tempdir().context("failed to make a temporary directory")?;
        let owner = owner()?;
        if let Some((user, group)) = owner {
            chown(directory.path(), Some(user), Some(group)).context("failed to hand a directory to PostgreSQL")?;
        }
        let data = directory.path().join("data");
        let mut initdb = command(&programs.join("initdb"), directory.path(), owner);
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]).arg(&data);
        let output = initdb.output().context("failed to run initdb")?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let port = free_port()?;
        let log = fs::File::create(directory.path().join("log")).context("failed to make PostgreSQL's log")?;
        let mut postgres = command(&programs.join("postgres"), directory.path(), owner);
        postgres.arg("-D").arg(&data).arg("-k").arg(directory.path());
        postgres.args(["-p", &port.to_string(), "-N", &connections.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        let postmaster = postgres.stdout(Stdio::null()).stderr(log).spawn().context("failed to run postgres")?;
        let mut guard = Command::new("/bin/sh");
        guard.args(["-c", GUARD, &postmaster.id().to_string()]).stdin(Stdio::piped());
        let guard = guard.spawn().context("failed to run a shell")?;
        let mut cluster = Self { postmaster, guard, port, directory };
        cluster.wait().await?;
        Ok(cluster)
    }

    async fn wait(&mut self) -> Result<()> {
        let mut waited = Duration::ZERO;
        while let Err(error) = tokio_postgres::connect(&self.url(), tokio_postgres::NoTls).await {
            if let Some(status) = self.postmaster.try_wait().context("failed to watch PostgreSQL")? {
                let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
                bail!("PostgreSQL ended ({status}): {log}");
            }
            if waited > START {
                return Err(error).context("PostgreSQL takes no connections");
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        }
        Ok(())
    }

    /// Where it listens, with the database that every cluster has.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The process that all others of the cluster are children of.
    pub(crate) fn pid(&self) -> u32 {
        self.postmaster.id()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = self.postmaster.wait();
    }
}

fn command(program: &Path, directory: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null());
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// Whom PostgreSQL is to run as: it refuses root, so root hands it to a user of its own. `None` is whoever runs this.
fn owner() -> Result<Option<(u32, u32)>> {
    let status = fs::read_to_string("/proc/self/status").context("failed to learn who runs this")?;
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().nth(1));
    if uid != Some("0") {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("failed to read /etc/passwd")?;
    let ids = ["postgres", "nobody"].iter().find_map(|name| ids_of(&users, name));
    ids.map(Some).context("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
}

fn ids_of(users: &str, name: &str) -> Option<(u32, u32)> {
    let user = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = user.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The directory of PostgreSQL's programs: where Debian keeps them (the newest version), else one of `PATH`.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path.join("bin")))
    });
    let newest = versions.filter(|(_, bin)| bin.join("initdb").exists()).max().map(|(_, bin)| bin);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = newest.or_else(|| std::env::split_paths(&path).find(|directory| directory.join("initdb").exists()));
    found.context("no PostgreSQL is installed (initdb is not found): install it, or give --postgres-url")
}

/// A port that nobody listens on right now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a free port")?;
    Ok(listener.local_addr().context("failed to find a free port")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgres-old:x:7:7::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(ids_of(users, "postgres"), Some((101, 104)));
        assert_eq!(ids_of(users, "nobody"), None);
    }
}
