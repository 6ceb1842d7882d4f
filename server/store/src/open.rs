//! Opening a database.

use crate::connector::{Connector, ConnectorError};
use crate::migrations;
use crate::postgres::Postgres;
use crate::postgres_url::UrlError;
use crate::sqlite::Sqlite;
use crate::store::{Backend, Store};
use crate::tls::TlsError;
use diesel_async::pooled_connection::deadpool::BuildError;
use std::path::PathBuf;
use std::time::Duration;

/// Which database to open.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of ours; made when it is not there.
    Sqlite(PathBuf),
    /// A server, by its `postgres://` address. `sslmode` and `sslrootcert` are understood as libpq does.
    Postgres(String),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => formatter.debug_tuple("Sqlite").field(path).finish(),
            // The address may hold a password.
            Self::Postgres(_) => formatter.write_str("Postgres([redacted])"),
        }
    }
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which.
    pub database: Database,
    /// At most so many connections; with SQLite these read, beside the one that writes.
    pub connections: usize,
    /// Longest wait for a connection or a lock.
    pub timeout: Duration,
    /// Longest time for one unit of work on PostgreSQL, with all its waits and repetitions; also what the server is
    /// told to give a statement, and an idle transaction. Less than a request may take, or nobody is left to be told.
    /// A unit of work on SQLite is not interrupted: it waits up to twice `timeout`, for those before it and for the lock.
    pub deadline: Duration,
    /// Whether to bring the tables up to date. Without it, tables that are not are an error.
    pub migrate: bool,
    /// What the pauses before repetitions are drawn from: any number that differs between nodes.
    pub seed: u64,
}

impl Options {
    /// Opens `database` with 4 connections, 5 seconds for a wait and 15 for a unit of work, and migrates.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            connections: 4,
            timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(15),
            migrate: true,
            seed: 0,
        }
    }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its address makes no sense.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// TLS to it cannot be prepared.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It cannot be reached or opened.
    #[error("the database cannot be opened")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its tables cannot be brought up to date.
    #[error("the database's tables cannot be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its tables are not up to date, and were not to be brought up to date.
    #[error("the database's tables are not up to date: run `countersign migrate` (missing: {})", missing.join(", "))]
    Outdated {
        /// The names of the migrations that are missing.
        missing: Vec<String>,
    },
    /// A pool of connections cannot be made.
    #[error("the pool of connections cannot be made")]
    Pool(#[from] BuildError),
}

impl OpenError {
    pub(crate) fn unreachable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unreachable(error.into())
    }
}

impl From<ConnectorError> for OpenError {
    fn from(error: ConnectorError) -> Self {
        match error {
            ConnectorError::Url(error) => Self::Url(error),
            ConnectorError::Tls(error) => Self::Tls(error),
        }
    }
}

impl Store {
    /// Opens a database, whose tables are up to date then.
    ///
    /// # Errors
    /// When it cannot be reached, or its tables are not up to date and cannot or must not be brought there.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        if options.migrate {
            Self::migrate(options).await?;
        } else {
            let missing = Self::missing_migrations(options).await?;
            if !missing.is_empty() {
                return Err(OpenError::Outdated { missing });
            }
        }
        let backend = match &options.database {
            Database::Sqlite(path) => {
                migrations::keep_a_log(path.clone(), options.timeout).await?;
                Backend::Sqlite(Sqlite::new(path, options)?)
            }
            Database::Postgres(url) => Backend::Postgres(Postgres::new(Connector::new(url, options)?, options)?),
        };
        Ok(Self { backend })
    }

    /// Brings the tables of a database up to date; says the names of the migrations it carried out. Any number of
    /// processes may do this at once: one does the work and the others wait for it. A database that is up to date is
    /// only read.
    ///
    /// # Errors
    /// When it cannot be reached, or a migration fails. PostgreSQL keeps those that were carried out before it,
    /// SQLite none.
    pub async fn migrate(options: &Options) -> Result<Vec<String>, OpenError> {
        if Self::missing_migrations(options).await?.is_empty() {
            return Ok(Vec::new());
        }
        match &options.database {
            Database::Sqlite(path) => migrations::migrate_sqlite(path.clone(), options.timeout).await,
            Database::Postgres(url) => migrations::migrate_postgres(&Connector::new(url, options)?).await,
        }
    }

    /// The names of the migrations that a database lacks. It is only read.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn missing_migrations(options: &Options) -> Result<Vec<String>, OpenError> {
        match &options.database {
            Database::Sqlite(path) => migrations::missing_in_sqlite(path.clone(), options.timeout).await,
            Database::Postgres(url) => {
                let connect = Connector::new(url, options)?;
                let connecting = tokio::time::timeout(options.deadline, migrations::missing_in_postgres(&connect));
                connecting.await.map_err(OpenError::unreachable)?
            }
        }
    }
}
