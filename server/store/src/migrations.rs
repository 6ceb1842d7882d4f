//! Bringing tables up to date: twin folders of migrations, embedded, carried out by one process at a time.
//!
//! On PostgreSQL a session's advisory lock keeps others waiting; nothing else uses such locks, so an engine without
//! them works once it is migrated, which then one process has to do. On SQLite the write lock does the same. Which
//! migrations are missing is found out by reading only: a node whose role may not make tables starts on a database
//! that is up to date.
//!
//! While nodes of two versions run side by side, a database may have migrations that the older one does not know.
//! That is not an error; a migration must leave the tables usable for the version before.

use crate::connector::Connector;
use crate::open::OpenError;
use diesel::Connection as _;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock's name: "counters" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"counters");

/// How long to wait for another process that migrates the same SQLite file.
const SQLITE_PATIENCE: Duration = Duration::from_secs(60);

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    exists: bool,
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The migrations that are not among `applied`, in their order.
fn missing<DB: Backend>(
    source: &EmbeddedMigrations,
    applied: &[Applied],
) -> Result<Vec<Box<dyn Migration<DB>>>, OpenError> {
    let applied: HashSet<&str> = applied.iter().map(|row| row.version.as_str()).collect();
    let mut migrations = MigrationSource::<DB>::migrations(source).map_err(OpenError::Migration)?;
    migrations.retain(|migration| !applied.contains(migration.name().version().to_string().as_str()));
    migrations.sort_by(|one, other| one.name().version().cmp(&other.name().version()));
    Ok(migrations)
}

fn names<DB: Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_string()).collect()
}

/// What a connection says about the migrations it has had; `exists` asks whether the table of them is there.
macro_rules! applied {
    ($connection:expr, $exists:literal) => {{
        let Exists { exists } =
            diesel::sql_query($exists).get_result($connection).map_err(|error| OpenError::unreachable(error))?;
        let versions = "SELECT version FROM __diesel_schema_migrations";
        let applied: Vec<Applied> = match exists {
            true => diesel::sql_query(versions).load($connection).map_err(|error| OpenError::unreachable(error))?,
            false => Vec::new(),
        };
        applied
    }};
}

/// Runs what blocks.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    tokio::task::spawn_blocking(work).await.map_err(OpenError::unreachable)?
}

fn open_file(path: &Path, patience: Duration) -> Result<SqliteConnection, OpenError> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(OpenError::unreachable)?;
    let settings = format!("PRAGMA busy_timeout = {}", patience.as_millis());
    connection.batch_execute(&settings).map_err(OpenError::unreachable)?;
    Ok(connection)
}

fn applied_in_file(connection: &mut SqliteConnection) -> Result<Vec<Applied>, OpenError> {
    Ok(applied!(
        connection,
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations') AS \"exists\""
    ))
}

/// The names of the migrations that a file lacks; all, when it is not there.
pub(crate) async fn missing_in_sqlite(path: PathBuf, timeout: Duration) -> Result<Vec<String>, OpenError> {
    apart(move || {
        let applied = match path.exists() {
            true => applied_in_file(&mut open_file(&path, timeout)?)?,
            false => Vec::new(),
        };
        Ok(names(&missing::<diesel::sqlite::Sqlite>(&SQLITE, &applied)?))
    })
    .await
}

/// Migrates a file, as one transaction.
pub(crate) async fn migrate_sqlite(path: PathBuf, timeout: Duration) -> Result<Vec<String>, OpenError> {
    apart(move || {
        let mut connection = open_file(&path, timeout.max(SQLITE_PATIENCE))?;
        // A migration that makes a table anew drops the old one, and must not take with it what refers to its rows.
        connection.batch_execute("PRAGMA foreign_keys = OFF").map_err(OpenError::unreachable)?;
        let migrate = |connection: &mut SqliteConnection| -> Result<Vec<String>, MigrationFailed> {
            let applied = applied_in_file(connection)?;
            let missing = missing::<diesel::sqlite::Sqlite>(&SQLITE, &applied)?;
            connection.applied_migrations().map_err(OpenError::Migration)?;
            connection.run_migrations(&missing).map_err(OpenError::Migration)?;
            Ok(names(&missing))
        };
        connection.immediate_transaction(migrate).map_err(|MigrationFailed(error)| error)
    })
    .await
}

/// Makes a file keep its changes in a log beside it (WAL), so that readers and the writer do not wait for each other.
/// The file remembers it. SQLite does not wait for others who use the file at that moment, so we do.
pub(crate) async fn keep_a_log(path: PathBuf, timeout: Duration) -> Result<(), OpenError> {
    const PAUSE: Duration = Duration::from_millis(10);
    apart(move || {
        let mut connection = open_file(&path, timeout)?;
        let mut waited = Duration::ZERO;
        loop {
            match connection.batch_execute("PRAGMA journal_mode = WAL") {
                Ok(()) => return Ok(()),
                Err(error) if waited >= timeout => return Err(OpenError::unreachable(error)),
                Err(_) => std::thread::sleep(PAUSE),
            }
            waited += PAUSE;
        }
    })
    .await
}

/// An error that a transaction of diesel may end with.
struct MigrationFailed(OpenError);

impl From<OpenError> for MigrationFailed {
    fn from(error: OpenError) -> Self {
        Self(error)
    }
}

impl From<diesel::result::Error> for MigrationFailed {
    fn from(error: diesel::result::Error) -> Self {
        Self(OpenError::Migration(error.into()))
    }
}

type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

fn applied_on_server(connection: &mut Blocking) -> Result<Vec<Applied>, OpenError> {
    Ok(applied!(connection, "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS \"exists\""))
}

/// The names of the migrations that a server's database lacks.
pub(crate) async fn missing_in_postgres(connector: &Connector) -> Result<Vec<String>, OpenError> {
    let connection = connector.connect().await.map_err(OpenError::unreachable)?;
    apart(move || {
        let applied = applied_on_server(&mut Blocking::from(connection))?;
        Ok(names(&missing::<diesel::pg::Pg>(&POSTGRES, &applied)?))
    })
    .await
}

/// Migrates a server's database, each migration as one transaction.
pub(crate) async fn migrate_postgres(connector: &Connector) -> Result<Vec<String>, OpenError> {
    let connection = connector.connect_bare().await.map_err(OpenError::unreachable)?;
    apart(move || {
        let mut connection = Blocking::from(connection);
        let lock = format!("SELECT pg_advisory_lock({LOCK})");
        match diesel::sql_query(lock).execute(&mut connection) {
            Ok(_) => {}
            // An engine that has no such locks says so by their name.
            Err(error) if error.to_string().contains("advisory") => {}
            Err(error) => return Err(OpenError::unreachable(error)),
        }
        // The lock ends with the session, however this ends.
        let applied = applied_on_server(&mut connection)?;
        let missing = missing::<diesel::pg::Pg>(&POSTGRES, &applied)?;
        connection.applied_migrations().map_err(OpenError::Migration)?;
        connection.run_migrations(&missing).map_err(OpenError::Migration)?;
        Ok(names(&missing))
    })
    .await
}
