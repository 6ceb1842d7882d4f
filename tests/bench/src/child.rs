//! Servers in processes of their own, so that their CPU time and memory are theirs alone.

use crate::request::BASE_URL;
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running server. It is ended, by its own process id, when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts Countersign with its data in `directory`, on the database that `url` names.
    pub(crate) fn countersign(
        program: &Path,
        directory: &Path,
        url: &str,
        settings: &[(String, String)],
    ) -> Result<Self> {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_")) {
            command.env_remove(name);
        }
        command
            .env("COUNTERSIGN_LISTEN", "127.0.0.1:0")
            .env("COUNTERSIGN_BASE_URL", BASE_URL)
            .env("COUNTERSIGN_DATA_DIR", data_dir(directory))
            .env("COUNTERSIGN_DATABASE_URL", url)
            // All requests come from one address; the quotas of accounts stay on, and nobody here guesses.
            .env("COUNTERSIGN_RATE_LIMITS", "off")
            .env("COUNTERSIGN_CODES_PER_HOUR", "10000")
            .env("COUNTERSIGN_LOG", "warning")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(directory)
            .stdin(Stdio::null());
        start(command, &directory.join("log"))
    }

    /// Starts this program as a dropshot server that responds with bodies of so many bytes.
    pub(crate) fn plain(directory: &Path, bytes: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("failed to find this program")?);
        command.args(["plain-server", "--bytes", &bytes.to_string()]).stdin(Stdio::piped());
        start(command, &directory.join("plain-log"))
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server whose first line ends in its address.
fn start(mut command: Command, log: &Path) -> Result<Server> {
    let errors = File::create(log).context("failed to make a server's log")?;
    let program = command.get_program().to_owned();
    let started = command.stdout(Stdio::piped()).stderr(errors).spawn();
    let mut child = started.with_context(|| format!("failed to run {}", program.display()))?;
    let output = child.stdout.take().context("a server's output is not piped")?;
    let mut first_line = String::new();
    let read = BufReader::new(output).read_line(&mut first_line);
    let address = first_line.trim().rsplit("http://").next().and_then(|address| address.parse().ok());
    match (read, address) {
        (Ok(_), Some(address)) => Ok(Server { child, address }),
        _ => {
            let _ = child.kill();
            let status = child.wait().context("failed to wait for a server")?;
            let log = std::fs::read_to_string(log).unwrap_or_default();
            bail!("{} did not start ({status}): {first_line}{log}", program.display());
        }
    }
}

/// Where the server keeps what it keeps.
pub(crate) fn data_dir(directory: &Path) -> PathBuf {
    directory.join("data")
}

/// The server's program: the one that was named, else the one beside this program.
pub(crate) fn program(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        // The server is started in another directory.
        return path.canonicalize().with_context(|| format!("there is no program at {}", path.display()));
    }
    let this = std::env::current_exe().context("failed to find this program")?;
    let beside = this.with_file_name("countersign");
    if beside.exists() {
        return Ok(beside);
    }
    let release = if cfg!(debug_assertions) { "" } else { " --release" };
    bail!("there is no server at {}: build it with `cargo build{release}`, or name one with --server", beside.display())
}
