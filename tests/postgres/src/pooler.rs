//! PgBouncer in front of a database, for tests of what it does to connections.

use crate::database::{Database, query};
use crate::server::{free_port, is_root};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A PgBouncer that ends with this value. Nobody has to log in to it.
pub struct Pooler {
    process: Child,
    folder: PathBuf,
    url: String,
}

impl Pooler {
    /// Starts one with this `pool_mode` and with further lines of its configuration.
    ///
    /// # Panics
    /// When PgBouncer is not on this machine or does not start.
    #[must_use]
    pub fn start(database: &Database, mode: &str, settings: &[&str]) -> Self {
        let url = database.direct_url();
        let (credentials, rest) =
            url.trim_start_matches("postgres://").rsplit_once('@').expect("an address with a user");
        let (user, password) = credentials.split_once(':').expect("a password");
        let (host, name) = rest.split_once('/').expect("a database");
        let (host, server_port) = host.split_once(':').expect("a port");
        let port = free_port();
        let folder = std::env::temp_dir().join(format!("countersign-pgbouncer-{}-{port}", std::process::id()));
        fs::create_dir(&folder).expect("a directory for PgBouncer");
        // Root's PgBouncer runs as another user, who has to read it.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("the directory was just made");
        let file = folder.join("pgbouncer.ini");
        let configuration = format!(
            "[databases]\n{name} = host={host} port={server_port} dbname={name} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\nserver_login_retry = 0.1\n{}\n",
            settings.join("\n")
        );
        fs::write(&file, configuration).expect("its configuration can be written");
        let mut command = Command::new("pgbouncer");
        command.arg("--quiet").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if is_root(&folder) {
            command.args(["--user", "nobody"]);
        }
        let process = command.env("PATH", path()).spawn().expect("PgBouncer is on this machine");
        let pooler = Self { process, folder, url: format!("postgres://{user}@127.0.0.1:{port}/{name}") };
        let is_there = |_| {
            let answered = query(&pooler.url, "SELECT 1").is_ok();
            if !answered {
                std::thread::sleep(Duration::from_millis(50));
            }
            answered
        };
        assert!((0..200).any(is_there), "PgBouncer does not serve {}", pooler.url);
        pooler
    }

    /// The database's address through it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Debian's directory of daemons is not on everybody's path.
fn path() -> String {
    format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default())
}
