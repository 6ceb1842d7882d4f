//! Why a database cannot be used.

use crate::connector::ConnectorError;
use crate::file_lock::FileLockError;
use crate::postgres_url::UrlError;
use crate::tls::TlsError;
use diesel_async::pooled_connection::deadpool::BuildError;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Lock(#[from] FileLockError),
    #[error("the database cannot be opened")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database's tables cannot be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Migrations are missing, and [`crate::Options::migrate`] is off.
    #[error("the database's tables are not up to date: run `countersign migrate` (missing: {})", missing.join(", "))]
    Outdated { missing: Vec<String> },
    /// A migration took away what this program uses.
    #[error(
        "the database's tables are those of a newer version: after migration {migration} they are for versions that know migration \
         {needed}, and this one knows {newest_known} at most. Install the version that the database was last migrated with, or a newer \
         one; to go back to this one, restore a backup from before the upgrade"
    )]
    Newer { migration: String, needed: String, newest_known: String },
    #[error(
        "migration {migration} waited for a table that other transactions hold, ten times for two seconds. What was migrated so far is \
         kept. End long transactions (`SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start` lists them), and \
         start again"
    )]
    TablesInUse { migration: String },
    /// A pooler lends sessions for a statement.
    #[error(
        "the database cannot be used through a pooler in statement mode, such as PgBouncer with `pool_mode = statement`, which allows no \
         transactions. Set `pool_mode = transaction` or `session` for this database, or connect to PostgreSQL itself"
    )]
    NoTransactions,
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
