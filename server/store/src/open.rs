//! Opening a database.

use crate::connector::{Connector, ConnectorError};
use crate::migrations;
use crate::options::{Database, Options};
use crate::postgres::Postgres;
use crate::postgres_url::UrlError;
use crate::sqlite::Sqlite;
use crate::store::{Backend, Store};
use crate::tls::TlsError;
use diesel_async::pooled_connection::deadpool::BuildError;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the database cannot be opened")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database's tables cannot be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Migrations are missing, and [`Options::migrate`] is off.
    #[error("the database's tables are not up to date: run `countersign migrate` (missing: {})", missing.join(", "))]
    Outdated { missing: Vec<String> },
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
    /// Opens a database and runs missing migrations, if [`Options::migrate`] is on.
    ///
    /// # Errors
    /// If the database cannot be reached, a migration fails, or one is missing and must not be run.
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
                migrations::enable_wal(path.clone(), options.timeout).await?;
                Backend::Sqlite(Sqlite::new(path, options)?)
            }
            Database::Postgres(url) => Backend::Postgres(Postgres::new(Connector::new(url, options)?, options)?),
        };
        Ok(Self { backend })
    }

    /// Runs missing migrations and returns their names. Several processes may call this at once: one runs the
    /// migrations and the others wait. A database that is up to date is only read.
    ///
    /// # Errors
    /// If the database cannot be reached, or a migration fails. PostgreSQL keeps the migrations before the failed one,
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

    /// The names of missing migrations. The database is only read.
    ///
    /// # Errors
    /// If the database cannot be reached.
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
