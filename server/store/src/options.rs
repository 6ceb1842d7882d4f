//! Which database to open, and how.

use countersign_domain::observer::{Observer, Unobserved};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Which database to open.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// SQLite file, created if missing.
    Sqlite(PathBuf),
    /// `postgres://` URL of a server. `sslmode` and `sslrootcert` have the meanings of libpq.
    Postgres(String),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => formatter.debug_tuple("Sqlite").field(path).finish(),
            // The URL may hold a password.
            Self::Postgres(_) => formatter.write_str("Postgres([redacted])"),
        }
    }
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    pub database: Database,
    /// Maximum number of connections; on SQLite of reading ones, in addition to the one that writes.
    pub connections: usize,
    /// Memory of SQLite's writing connection for pages, in bytes; each reading one has an eighth of it.
    pub cache: u64,
    /// Longest wait for a connection or a lock.
    pub timeout: Duration,
    /// Longest time for one unit of work on PostgreSQL, with all its waits and retries; also the server-side timeout of
    /// a statement and of an idle transaction. Shorter than the time limit of a request, so that the caller still gets
    /// the error. A unit of work on SQLite is not interrupted: it waits up to twice `timeout`, for earlier work and for
    /// the lock.
    pub deadline: Duration,
    /// Whether to run missing migrations; if not, a missing migration is an error.
    pub migrate: bool,
    /// Seed of the random pauses before retries; must differ between nodes.
    pub seed: u64,
    /// Takes what was committed, and how long calls take.
    pub observer: Arc<dyn Observer>,
}

impl Options {
    /// 4 connections, 16 MiB for pages, 5 seconds for a wait, 15 seconds for a unit of work, and migrations.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            connections: 4,
            cache: 16 << 20,
            timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(15),
            migrate: true,
            seed: 0,
            observer: Arc::new(Unobserved),
        }
    }
}
