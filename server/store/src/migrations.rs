//! Migrations: one embedded folder for each database, run by one process at a time.
//!
//! On PostgreSQL an advisory lock makes other processes wait. A transaction of its own holds it, which also holds its session where
//! [sessions are shared](crate::sessions). Nothing else uses such locks, so a server without them can be used if one process migrates it. On SQLite the write lock has the same effect. Missing migrations are found by reading
//! only, so a node whose role may not create tables starts on a database that is up to date.
//!
//! During an upgrade the database may have migrations that older nodes do not know. That is not an error: a migration must
//! leave the tables usable for the previous version. One that does not, because it takes away what no supported version uses any
//! more, says so in its name: `00000000000040-needs-00000000000031_drop_budgets` is for programs that know migration 31. Older ones
//! refuse the database ([`OpenError::Newer`]).
//!
//! On PostgreSQL a migration waits for a lock at most [`LOCK_WAIT`] at a time: statements of running nodes queue up behind it.

use crate::connector::{Connector, Sessions};
use crate::open_error::OpenError;
use crate::postgres_conn::PgConn;
use crate::sessions::first_value;
use crate::sqlite::TEMPORARY_FILES;
use countersign_domain::error_chain;
use diesel::Connection as _;
use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Bool, Text};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::Client;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Key of the advisory lock: "counters" in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"counters");

/// Time between two attempts to take it. Between them no session is held, so that those who wait leave a small pool to the one that migrates.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// Longest wait for another process that migrates the same SQLite file.
const SQLITE_PATIENCE: Duration = Duration::from_secs(60);

/// Longest wait of a migration for a lock on PostgreSQL. Longer than a request holds a row, shorter than one may take.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Time between two attempts at a migration, in which what queued up is done.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// Attempts at a migration that meets locks: for about half a minute.
const LOCK_ATTEMPTS: u32 = 10;

/// In a migration's version, between its number and that of the oldest migration that programs have to know.
const NEEDS: &str = "needs";

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

/// Migrations that are not among `applied`, in order. Refuses tables that need a newer program.
fn missing<DB: Backend>(
    source: &EmbeddedMigrations,
    applied: &[Applied],
) -> Result<Vec<Box<dyn Migration<DB>>>, OpenError> {
    let applied: HashSet<&str> = applied.iter().map(|row| row.version.as_str()).collect();
    let mut migrations = MigrationSource::<DB>::migrations(source).map_err(OpenError::Migration)?;
    let known: Vec<String> = migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    if let Some((migration, needed)) = unusable(&known, &applied) {
        let newest_known = known.iter().max().cloned().unwrap_or_default();
        return Err(OpenError::Newer { migration: migration.to_owned(), needed: needed.to_owned(), newest_known });
    }
    migrations.retain(|migration| !applied.contains(migration.name().version().to_string().as_str()));
    migrations.sort_by(|one, other| one.name().version().cmp(&other.name().version()));
    Ok(migrations)
}

/// The number of an applied migration after which a program with the `known` migrations cannot use the tables, and the number of the
/// migration that it would have to know.
fn unusable<'a>(known: &[String], applied: &HashSet<&'a str>) -> Option<(&'a str, &'a str)> {
    let is_known = |version: &str| known.iter().any(|known| known == version);
    let unknown = applied.iter().filter(|version| !is_known(version));
    // Numbers have one length, so that they sort as text; a known version may have needs of its own.
    let newest = known.iter().map(|version| version.split(NEEDS).next().unwrap_or(version)).max().unwrap_or_default();
    unknown.filter_map(|version| version.split_once(NEEDS)).filter(|(_, needed)| *needed > newest).max()
}

fn names<DB: Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_string()).collect()
}

/// Applied migrations; the query `exists` returns whether their table exists.
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

/// Runs blocking work on a thread for it.
async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    tokio::task::spawn_blocking(work).await.map_err(OpenError::unreachable)?
}

pub(crate) fn open_file(path: &Path, patience: Duration) -> Result<SqliteConnection, OpenError> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(OpenError::unreachable)?;
    let settings = format!("PRAGMA busy_timeout = {}; {TEMPORARY_FILES}", patience.as_millis());
    connection.batch_execute(&settings).map_err(OpenError::unreachable)?;
    Ok(connection)
}

fn applied_in_file(connection: &mut SqliteConnection) -> Result<Vec<Applied>, OpenError> {
    Ok(applied!(
        connection,
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations') AS \"exists\""
    ))
}

/// Versions of the migrations that were applied to a file.
pub(crate) fn applied_versions(connection: &mut SqliteConnection) -> Result<Vec<String>, OpenError> {
    Ok(applied_in_file(connection)?.into_iter().map(|applied| applied.version).collect())
}

/// Versions of the migrations of files that this program has.
pub(crate) fn known_versions() -> Vec<String> {
    let known = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).unwrap_or_default();
    known.iter().map(|migration| migration.name().version().to_string()).collect()
}

/// Names of the migrations missing in a file; all of them if there is no file.
pub(crate) async fn missing_in_sqlite(path: PathBuf, timeout: Duration) -> Result<Vec<String>, OpenError> {
    spawn_blocking(move || {
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
    spawn_blocking(move || {
        let mut connection = open_file(&path, timeout.max(SQLITE_PATIENCE))?;
        // A migration that recreates a table drops the old one, which must not delete the rows that refer to it.
        connection.batch_execute("PRAGMA foreign_keys = OFF").map_err(OpenError::unreachable)?;
        // When SQLite itself has ended the transaction (disk full, I/O error), rolling it back fails as well, and diesel returns
        // that error: the first one is kept here.
        let mut first = None;
        let migrated = connection.immediate_transaction(|connection| {
            apply_to_file(connection).map_err(|error| {
                first = Some(error);
                DieselError::RollbackTransaction
            })
        });
        migrated.map_err(|error| match (first, error) {
            (Some(first), _) => first,
            (None, DieselError::RollbackErrorOnCommit { commit_error, .. }) => OpenError::Migration(commit_error),
            (None, error) => OpenError::Migration(error.into()),
        })
    })
    .await
}

/// Applies what is missing in a file within the open transaction. Not by diesel's harness, which wraps each migration in a
/// savepoint: that of a transaction that SQLite has ended cannot be rolled back, and the error of that hides the cause.
fn apply_to_file(connection: &mut SqliteConnection) -> Result<Vec<String>, OpenError> {
    let applied = applied_in_file(connection)?;
    let missing = missing::<diesel::sqlite::Sqlite>(&SQLITE, &applied)?;
    // Creates the table of applied migrations.
    connection.applied_migrations().map_err(OpenError::Migration)?;
    for migration in &missing {
        migration.run(connection).map_err(OpenError::Migration)?;
        diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES (?)")
            .bind::<Text, _>(migration.name().version().to_string())
            .execute(connection)
            .map_err(|error| OpenError::Migration(error.into()))?;
    }
    Ok(names(&missing))
}

/// Switches a file to WAL mode, in which readers and the writer do not wait for each other. The mode is stored in the file.
/// SQLite ignores the busy timeout here, so retry while others use the file.
pub(crate) async fn enable_wal(path: PathBuf, timeout: Duration) -> Result<(), OpenError> {
    const PAUSE: Duration = Duration::from_millis(10);
    spawn_blocking(move || {
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

type Blocking = AsyncConnectionWrapper<PgConn>;

fn applied_on_server(connection: &mut Blocking) -> Result<Vec<Applied>, OpenError> {
    Ok(applied!(connection, "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS \"exists\""))
}

/// Names of the migrations missing in a database on a server.
pub(crate) async fn missing_in_postgres(connector: &Connector, sessions: Sessions) -> Result<Vec<String>, OpenError> {
    let connection = connector.connect(sessions).await.map_err(OpenError::unreachable)?;
    spawn_blocking(move || {
        let applied = applied_on_server(&mut Blocking::from(connection))?;
        Ok(names(&missing::<diesel::pg::Pg>(&POSTGRES, &applied)?))
    })
    .await
}

/// Migrates a database on a server, each migration as one transaction.
pub(crate) async fn migrate_postgres(connector: &Connector, sessions: Sessions) -> Result<Vec<String>, OpenError> {
    let lock = lock(connector).await?;
    let connection = connector.connect_bare(sessions).await.map_err(OpenError::unreachable)?;
    let migrated = spawn_blocking(move || {
        let mut connection = Blocking::from(connection);
        let applied = applied_on_server(&mut connection)?;
        let missing = missing::<diesel::pg::Pg>(&POSTGRES, &applied)?;
        connection.applied_migrations().map_err(OpenError::Migration)?;
        for migration in &missing {
            apply_on_server(&mut connection, migration.as_ref())?;
        }
        Ok(names(&missing))
    })
    .await;
    drop(lock);
    migrated
}

/// Takes the advisory lock. It ends with this connection. Should it end earlier, no harm is done: the transaction of a migration that
/// another process has applied meanwhile fails, because it notes the version as well.
async fn lock(connector: &Connector) -> Result<Client, OpenError> {
    let client = connector.client().await.map_err(OpenError::unreachable)?;
    let lock = format!(
        "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_try_advisory_xact_lock({LOCK})::text"
    );
    loop {
        match client.simple_query(&lock).await {
            Ok(answers) if first_value(&answers).as_deref() == Some("true") => return Ok(client),
            Ok(_) => client.batch_execute("ROLLBACK").await.map_err(OpenError::unreachable)?,
            // A server without advisory locks names them in its error.
            Err(error) if error_chain(&error).contains("advisory") => return Ok(client),
            Err(error) => return Err(OpenError::unreachable(error)),
        }
        tokio::time::sleep(LOCK_POLL).await;
    }
}

/// Why a migration failed.
struct MigrationError(Box<dyn std::error::Error + Send + Sync>);

impl From<DieselError> for MigrationError {
    fn from(error: DieselError) -> Self {
        Self(error.into())
    }
}

/// Applies a migration as one transaction, again if other transactions hold what it needs.
fn apply_on_server(connection: &mut Blocking, migration: &dyn Migration<diesel::pg::Pg>) -> Result<(), OpenError> {
    let settings = format!("SET LOCAL lock_timeout = {}; SET LOCAL TimeZone = 'UTC'", LOCK_WAIT.as_millis());
    for attempt in 1.. {
        let applied = connection.transaction(|connection| {
            connection.batch_execute(&settings)?;
            connection.run_migration(migration).map_err(MigrationError)
        });
        let Err(MigrationError(error)) = applied else { break };
        // By its message, because diesel does not keep the cause: a lock that was not to be had, a deadlock.
        let message = error.to_string();
        if !["SQLSTATE 55P03", "SQLSTATE 40P01"].iter().any(|code| message.contains(code)) {
            return Err(OpenError::Migration(error));
        }
        if attempt == LOCK_ATTEMPTS {
            return Err(OpenError::TablesInUse { migration: migration.name().to_string() });
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_need_an_unknown_migration_are_refused_and_others_are_not() {
        let known = ["0001", "0002", "0003needs0001"].map(str::to_owned);
        for (applied, expected) in [
            (&["0001", "0002"][..], None),
            (&["0001", "0002", "0003needs0001"], None),
            // Of newer versions that only add something.
            (&["0001", "0002", "0003needs0001", "0004", "0005"], None),
            // It takes away what version 2 and older need.
            (&["0001", "0002", "0003needs0001", "0004needs0002"], None),
            (&["0001", "0002", "0003needs0001", "0004", "0005needs0004"], Some(("0005", "0004"))),
            (&["0005needs0003", "0006needs0005"], Some(("0006", "0005"))),
        ] {
            let applied: HashSet<&str> = applied.iter().copied().collect();
            assert_eq!(unusable(&known, &applied), expected, "{applied:?}");
        }
    }
}
