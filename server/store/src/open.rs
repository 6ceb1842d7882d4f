//! Opening a database.

use crate::connector::{Connector, Sessions};
use crate::file_lock::FileLock;
use crate::migrations;
use crate::open_error::OpenError;
use crate::options::{Database, Options};
use crate::postgres::Postgres;
use crate::sessions;
use crate::sqlite::Sqlite;
use crate::store::{Backend, Store};
use std::sync::Arc;

impl Store {
    /// Opens a database and runs missing migrations, if [`Options::migrate`] is on.
    ///
    /// # Errors
    /// If the database cannot be reached, a migration fails, or one is missing and must not be run.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let lock = lock(options)?;
        let Found { missing, sessions } = look(options).await?;
        if !missing.is_empty() {
            match options.migrate {
                true => drop(migrate(options, sessions).await?),
                false => return Err(OpenError::Outdated { missing }),
            }
        }
        let backend = match &options.database {
            Database::Sqlite(path) => {
                migrations::enable_wal(path.clone(), options.timeout).await?;
                Backend::Sqlite(Sqlite::new(path, options, lock)?)
            }
            Database::Postgres(url) => Backend::Postgres(Postgres::new(options, url, sessions)?),
        };
        Ok(Self { backend, observer: Arc::clone(&options.observer) })
    }

    /// Reads the certificates that a database server has to come from again (`sslrootcert`, or those of the operating system), for
    /// connections that are made from now on.
    ///
    /// # Errors
    /// If they cannot be used; then the former ones stay in use.
    pub fn reload_certificates(&self) -> Result<(), OpenError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(postgres) => postgres.reload_certificates(),
        }
    }

    /// Runs missing migrations and returns their names. Several processes may call this at once: one runs the
    /// migrations and the others wait. A database that is up to date is only read.
    ///
    /// # Errors
    /// If the database cannot be reached, or a migration fails. PostgreSQL keeps the migrations before the failed one,
    /// SQLite none.
    pub async fn migrate(options: &Options) -> Result<Vec<String>, OpenError> {
        let _lock = lock(options)?;
        let Found { missing, sessions } = look(options).await?;
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        migrate(options, sessions).await
    }

    /// The names of missing migrations. The database is only read.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn missing_migrations(options: &Options) -> Result<Vec<String>, OpenError> {
        Ok(look(options).await?.missing)
    }
}

/// What is to be known of a database before it is used.
struct Found {
    /// Names of missing migrations.
    missing: Vec<String>,
    sessions: Sessions,
}

/// The database is only read.
async fn look(options: &Options) -> Result<Found, OpenError> {
    match &options.database {
        Database::Sqlite(path) => {
            let missing = migrations::missing_in_sqlite(path.clone(), options.timeout).await?;
            Ok(Found { missing, sessions: Sessions::Own })
        }
        Database::Postgres(url) => {
            let connector = Connector::new(url, options)?;
            let looking = async {
                let sessions = sessions::find(&connector).await?;
                Ok(Found { missing: migrations::missing_in_postgres(&connector, sessions).await?, sessions })
            };
            tokio::time::timeout(options.deadline, looking).await.map_err(OpenError::unreachable)?
        }
    }
}

async fn migrate(options: &Options, sessions: Sessions) -> Result<Vec<String>, OpenError> {
    match &options.database {
        Database::Sqlite(path) => migrations::migrate_sqlite(path.clone(), options.timeout).await,
        Database::Postgres(url) => migrations::migrate_postgres(&Connector::new(url, options)?, sessions).await,
    }
}

/// Keeps an embedded database from being replaced while it is open.
fn lock(options: &Options) -> Result<Option<FileLock>, OpenError> {
    match &options.database {
        Database::Sqlite(path) => Ok(Some(FileLock::share(path)?)),
        Database::Postgres(_) => Ok(None),
    }
}
