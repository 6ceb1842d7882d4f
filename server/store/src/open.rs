//! Opening a database: connections, settings, migrations.

use crate::sqlite::Sqlite;
use crate::store::{Backend, Store};
use crate::{postgres, sqlite};
use diesel::Connection;
use diesel_async::pooled_connection::deadpool::{BuildError, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncMigrationHarness, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::path::PathBuf;
use std::time::Duration;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Which database to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of ours; made when it is not there.
    Sqlite(PathBuf),
    /// A server, by its `postgres://` address.
    Postgres(String),
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached or opened.
    #[error("the database cannot be opened")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its tables cannot be brought up to date.
    #[error("the database's tables cannot be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A pool of connections cannot be made.
    #[error("the pool of connections cannot be made")]
    Pool(#[from] BuildError),
}

impl OpenError {
    fn unreachable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unreachable(error.into())
    }
}

impl Store {
    /// Opens a database and brings its tables up to date. `connections` bounds the connections that read (SQLite has
    /// one more that writes); `timeout` bounds the wait for a connection or a lock.
    ///
    /// # Errors
    /// When it cannot be reached, or its tables cannot be brought up to date.
    pub async fn open(database: &Database, connections: usize, timeout: Duration) -> Result<Self, OpenError> {
        let backend = match database {
            Database::Sqlite(path) => Backend::Sqlite(open_sqlite(path.clone(), connections, timeout).await?),
            Database::Postgres(url) => Backend::Postgres(open_postgres(url, connections, timeout).await?),
        };
        Ok(Self { backend })
    }
}

async fn open_sqlite(path: PathBuf, readers: usize, timeout: Duration) -> Result<Sqlite, OpenError> {
    let url = path.to_string_lossy().into_owned();
    let migrated = url.clone();
    let migrate = move || {
        let mut connection = diesel::SqliteConnection::establish(&migrated).map_err(OpenError::unreachable)?;
        connection.run_pending_migrations(SQLITE_MIGRATIONS).map_err(OpenError::Migration)?;
        Ok::<_, OpenError>(())
    };
    tokio::task::spawn_blocking(migrate).await.map_err(OpenError::unreachable)??;

    let milliseconds = timeout.as_millis();
    let pool = |size: usize| {
        let mut config = ManagerConfig::<sqlite::Conn>::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |url| {
            Box::pin(async move {
                let mut connection = sqlite::Conn::establish(url).await?;
                // FULL: a code that was accepted stays used when the power fails right after the answer.
                let settings = format!(
                    "PRAGMA busy_timeout = {milliseconds}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON;"
                );
                let set = connection.batch_execute(&settings).await;
                set.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            })
        });
        let manager = AsyncDieselConnectionManager::<sqlite::Conn>::new_with_config(&url, config);
        Pool::builder(manager).max_size(size).wait_timeout(Some(timeout)).runtime(deadpool::Runtime::Tokio1).build()
    };
    Ok(Sqlite { writer: pool(1)?, readers: pool(readers)? })
}

async fn open_postgres(url: &str, connections: usize, timeout: Duration) -> Result<Pool<postgres::Conn>, OpenError> {
    let mut config = ManagerConfig::<postgres::Conn>::default();
    config.recycling_method = RecyclingMethod::Fast;
    let manager = AsyncDieselConnectionManager::<postgres::Conn>::new_with_config(url, config);
    let pool = Pool::builder(manager)
        .max_size(connections)
        .wait_timeout(Some(timeout))
        .create_timeout(Some(timeout))
        .runtime(deadpool::Runtime::Tokio1)
        .build()?;
    let connection = pool.get().await.map_err(OpenError::unreachable)?;
    AsyncMigrationHarness::new(connection).run_pending_migrations(POSTGRES_MIGRATIONS).map_err(OpenError::Migration)?;
    Ok(pool)
}
