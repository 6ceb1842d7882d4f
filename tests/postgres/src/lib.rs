//! A PostgreSQL for tests: the one that `COUNTERSIGN_TEST_POSTGRES` names, or a temporary cluster of this machine's
//! own binaries.
//!
//! [`Cluster::shared`] is one for all tests of a binary, or of a whole run of cargo-nextest; each test takes a
//! [`Database`] of its own from it. A test that stops and restarts its server, or wants it set up differently, starts
//! [`Cluster::own`]. Where there is no PostgreSQL both give `None`, and the binary says so in its last line; where
//! `CI=true` or `COUNTERSIGN_REQUIRE_POSTGRES` is set, they panic. Tests of [`Pooler`] need PgBouncer, which `CI=true` requires.
//!
//! With `COUNTERSIGN_TEST_POOLER=transaction`, or `session`, PgBouncer in this mode is in front of each database, for the code under test.
//!
//! [`proxy::Proxy`] counts how often a server waits for its database.
//!
//! A temporary cluster listens on the loopback address only, with a password of its own, and does not wait for the
//! disk. It ends with the process that it belongs to, however that ends: a shell waits for that and then stops the
//! server by the process id in its directory. It belongs to the process that started it, and the one that a run of
//! cargo-nextest shares to cargo-nextest.

mod binaries;
mod database;
pub mod faults;
mod pooler;
pub mod proxy;
pub mod released;
mod run;
mod server;

pub use countersign_test_macros::{needs_pgbouncer, needs_postgres, on_each_database};
pub use database::{Database, DatabaseKind};
pub use pooler::Pooler;
pub use run::SharedByRun;
pub use server::Mode;

use binaries::Binaries;
use database::Address;
use server::{Owner, Server};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A test that runs where tests on PostgreSQL can run or are required, and is ignored elsewhere.
#[cfg(postgres_wanted)]
#[macro_export]
macro_rules! where_wanted {
    ($test:item) => {
        $test
    };
}

/// A test that runs where tests on PostgreSQL can run or are required, and is ignored elsewhere.
#[cfg(not(postgres_wanted))]
#[macro_export]
macro_rules! where_wanted {
    ($test:item) => {
        #[ignore = "PostgreSQL was not found"]
        $test
    };
}

/// A test that runs where tests on PostgreSQL can run and PgBouncer is on the machine, or where it is required, and is ignored
/// elsewhere.
#[cfg(pgbouncer_wanted)]
#[macro_export]
macro_rules! where_pgbouncer_wanted {
    ($test:item) => {
        $test
    };
}

/// A test that runs where tests on PostgreSQL can run and PgBouncer is on the machine, or where it is required, and is ignored
/// elsewhere.
#[cfg(not(pgbouncer_wanted))]
#[macro_export]
macro_rules! where_pgbouncer_wanted {
    ($test:item) => {
        #[ignore = "PgBouncer was not found"]
        $test
    };
}

/// A server that databases can be made on.
pub struct Cluster {
    address: Address,
    server: Option<Server>,
}

impl Cluster {
    /// The one that all tests of this process, or of this run of cargo-nextest, share, if there is any. No test may
    /// stop it.
    ///
    /// # Panics
    /// When there is none although one is required, or it does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        let find = || match std::env::var("COUNTERSIGN_TEST_POSTGRES") {
            Ok(url) => Some(Self { address: Address::parse(&url), server: None }),
            Err(_) => match SharedByRun::lock("postgres") {
                Some(shared) => Self::of_run(shared),
                None => Self::own(&[], &[]),
            },
        };
        SHARED.get_or_init(find).as_ref()
    }

    /// The one that all processes of a run share: the first of them starts it.
    fn of_run(mut shared: SharedByRun) -> Option<Self> {
        let known = shared.text().map(|url| Address::parse(&url)).filter(Address::is_reachable);
        let address = known.or_else(|| {
            let server = Server::make(find_binaries()?, &[], &[], Owner::ParentProcess);
            shared.share(&server.address().own_url());
            Some(server.address())
        });
        address.map(|address| Self { address, server: None })
    }

    /// Starts one that nobody else uses: with these settings, and with these files, by name and content, in its data
    /// directory. `None` when there are no binaries, also where the shared one is given by its address.
    ///
    /// # Panics
    /// When there are none although a PostgreSQL is required, or the server does not start.
    pub fn own(settings: &[(&str, &str)], files: &[(&str, &str)]) -> Option<Self> {
        let server = Server::make(find_binaries()?, settings, files, Owner::ThisProcess);
        Some(Self { address: server.address(), server: Some(server) })
    }

    /// A new, empty database.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database(&self) -> Database {
        Database::make(&self.address).pooled()
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("only a cluster of one's own is started and stopped")
    }

    /// What the server has logged so far.
    ///
    /// # Panics
    /// When it is not ours.
    #[must_use]
    pub fn log(&self) -> String {
        self.server().log()
    }

    /// Stops the server, and waits until it has stopped.
    ///
    /// # Panics
    /// When it does not stop, or is not ours.
    pub fn stop(&self, mode: Mode) {
        self.server().stop(mode);
    }

    /// Starts the server, and waits until it accepts connections.
    ///
    /// # Panics
    /// When it does not start, or is not ours.
    pub fn start(&self) {
        self.server().start();
    }

    /// Copies all databases while the server serves, with `pg_basebackup`; returns where the copy is.
    ///
    /// # Panics
    /// When it fails, or the server is not ours.
    pub fn base_backup(&self) -> PathBuf {
        self.server().base_backup(&program("pg_basebackup").expect("PostgreSQL's server comes with pg_basebackup"))
    }

    /// Starts another server with the databases of the copy as they were at a time, by the log that this one, which may be stopped, has
    /// archived in `../archive`. Returns it with its database of the same name.
    ///
    /// # Panics
    /// When it does not start, or this server is not ours.
    pub fn recover(&self, copy: &Path, until: &str, database: &Database) -> (Self, Database) {
        let server = self.server().recover(copy, until);
        let address = server.address();
        let database = database.on_other(&address).pooled();
        (Self { address, server: Some(server) }, database)
    }

    /// Starts a replica of this server, which takes over its changes as they happen. Returns it with its database of the same name.
    ///
    /// # Panics
    /// When it does not start, or this server is not ours.
    pub fn replicate(&self, database: &Database) -> (Self, Database) {
        let server = self.server().replicate(&self.base_backup());
        let address = server.address();
        let database = database.on_other(&address);
        (Self { address, server: Some(server) }, database)
    }

    /// Has a replica take writes, and waits until it does.
    ///
    /// # Panics
    /// When it does not, or is not ours.
    pub fn promote(&self) {
        self.server().promote();
    }

    /// Stops the server and starts it again.
    ///
    /// # Panics
    /// When it does not stop or start, or is not ours.
    pub fn restart(&self, mode: Mode) {
        self.stop(mode);
        self.start();
    }
}

/// One of PostgreSQL's programs, such as `pg_dump`: that of the server's version, or else the one on the path. `None` where there is
/// none.
///
/// # Panics
/// When there is none although PostgreSQL is required.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let of_server = Binaries::find().map(|binaries| binaries.program(name));
    let on_path = || {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).map(|folder| folder.join(name)).collect()
    };
    let candidates: Vec<PathBuf> = of_server.into_iter().chain::<Vec<_>>(on_path()).collect();
    let found = candidates.into_iter().find(|path| path.exists());
    assert!(found.is_some() || !is_required(), "PostgreSQL is required here, and its program {name} is not found");
    if found.is_none() {
        say_at_the_end("tests that dump a database did not run: PostgreSQL's programs are not on this machine");
    }
    found
}

fn is_required() -> bool {
    std::env::var_os("COUNTERSIGN_REQUIRE_POSTGRES").is_some() || std::env::var("CI").is_ok_and(|value| value == "true")
}

/// PostgreSQL's programs; where they are missing the binary's last line says what did not run for that reason.
fn find_binaries() -> Option<Binaries> {
    let found = Binaries::find();
    if found.is_none() {
        let is_given = std::env::var_os("COUNTERSIGN_TEST_POSTGRES").is_some();
        assert!(
            is_given || !is_required(),
            "PostgreSQL is required here, and its binaries (initdb, postgres) are not found"
        );
        say_at_the_end(match is_given {
            true => "tests that restart PostgreSQL did not run: its binaries are not on this machine",
            false => {
                "NOTE: PostgreSQL was not found, so these tests ran on SQLite only. Install it, or name a server \
                 in COUNTERSIGN_TEST_POSTGRES."
            }
        });
    }
    found
}

/// Says something when this process has ended, below whatever it says itself: once, from a process of its own.
fn say_at_the_end(line: &str) {
    static SAID: OnceLock<()> = OnceLock::new();
    if SAID.set(()).is_err() {
        return;
    }
    let mut waiting = Command::new("sh");
    waiting.args(["-c", "trap '' INT TERM; cat >/dev/null; printf '\\n%s\\n' \"$0\" >&2", line]);
    match waiting.stdin(Stdio::piped()).spawn() {
        // The pipe stays open until the system closes it.
        Ok(mut waiting) => std::mem::forget(waiting.stdin.take()),
        Err(_) => writeln!(std::io::stderr(), "{line}").expect("standard error can be written to"),
    }
}
