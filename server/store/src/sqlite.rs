//! The embedded database: SQLite, one writer and several readers on one file in WAL mode.
//!
//! Reads run on the thread that awaits them. A unit of work that writes runs on the writer's thread
//! ([`crate::sqlite_writer`]), so that waiting for the disk never blocks the async threads, and a caller that is dropped
//! leaves no half-finished transaction.

use crate::error::StoreError;
use crate::file_lock::FileLock;
use crate::open_error::OpenError;
use crate::options::Options;
pub(crate) use crate::sqlite_conn::Conn;
use crate::sqlite_writer::Writer;
use countersign_domain::audit::AuditEvent;
use diesel::ConnectionResult;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, SimpleAsyncConnection as _};
use std::path::Path;

/// Awaits independent calls within one read or one unit of work, one after the other. Evaluates to a tuple of their
/// results, or returns the first error. On PostgreSQL their statements are pipelined.
macro_rules! pipeline {
    ($connection:ident; $($($function:ident)::+ ($($argument:expr),*)),+ $(,)?) => {
        ($($($function)::+(&mut *$connection, $($argument),*).await?),+)
    };
}

/// Awaits a call for each item, one after the other; evaluates to their results, or returns the first error.
macro_rules! pipeline_all {
    ($connection:ident, $items:expr, $function:path) => {{
        let mut results = Vec::new();
        for item in $items {
            results.push($function(&mut *$connection, item).await?);
        }
        results
    }};
}

/// The rows of a query, which nothing else changes until the end of the transaction: there is one writer.
macro_rules! locked {
    ($query:expr) => {
        $query
    };
}

/// Runs a statement that affects at most one row; evaluates to whether it has affected one. `$must` is for PostgreSQL.
macro_rules! affect_one {
    ($connection:expr, $must:expr, $statement:expr) => {{
        let _ = $must;
        $statement.cached().execute($connection).await? == 1
    }};
}

/// The rows of a query that no other transaction holds: all of them, because there is one writer.
macro_rules! skip_locked {
    ($query:expr) => {
        $query
    };
}

/// Only PostgreSQL pipelines `COMMIT`. Here it costs no round trip, and units of work share one.
pub(crate) fn may_pipeline_commit(_: &Conn) -> bool {
    false
}

/// See [`may_pipeline_commit`].
pub(crate) async fn pipeline_commit(_: &mut Conn, _is_last: bool) -> Result<(), StoreError> {
    Ok(())
}

/// See [`note_event`].
pub(crate) fn is_presumed(_: &Conn, _: &StoreError) -> bool {
    false
}

/// Only the outcome of a commit on PostgreSQL can be unknown.
pub(crate) fn note_event(_: &Conn, _: &AuditEvent) {}

/// What runs queries on these connections.
mod query_dsl {
    pub(crate) use crate::sqlite_conn::RunQueryDsl;
}

#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// Sign-ins of different users touch pages all over a large database: less frequent checkpoints (in pages) write each page once for
/// more changes.
const WRITER: &str = "PRAGMA wal_autocheckpoint = 8192;";

/// How much smaller a reader's cache is than the writer's: it also finds pages in the system's.
const READER_SHARE: u64 = 8;

/// The setting of a cache of so many bytes, which SQLite takes in KiB.
fn cache(bytes: u64) -> String {
    format!("PRAGMA cache_size = -{};", bytes / 1024)
}

/// Temporary files are kept in memory: SQLite would want a directory of its own choice for them, which a container with a
/// read-only file system does not have.
pub(crate) const TEMPORARY_FILES: &str = "PRAGMA temp_store = MEMORY;";

/// Connections to one file.
pub(crate) struct Sqlite {
    pub(crate) writer: Writer,
    pub(crate) readers: Pool<Conn>,
    /// Dropped after the connections.
    _lock: Option<FileLock>,
}

impl Sqlite {
    /// Prepares connections without opening any.
    pub(crate) fn new(path: &Path, options: &Options, lock: Option<FileLock>) -> Result<Self, OpenError> {
        let url = path.to_string_lossy().into_owned();
        let (timeout, milliseconds) = (options.timeout, options.timeout.as_millis());
        // FULL: an accepted code stays used if the power fails right after the response.
        let settings = format!(
            "PRAGMA busy_timeout = {milliseconds}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; {TEMPORARY_FILES}"
        );

        let mut config = ManagerConfig::<Conn>::default();
        config.recycling_method = RecyclingMethod::Fast;
        let pragmas = format!("{settings} {}", cache(options.cache / READER_SHARE));
        config.custom_setup = Box::new(move |url| {
            let pragmas = pragmas.clone();
            Box::pin(async move { connect(url, &pragmas).await })
        });
        let manager = AsyncDieselConnectionManager::<Conn>::new_with_config(&url, config);
        let readers = Pool::builder(manager)
            .max_size(options.connections)
            .wait_timeout(Some(timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()?;

        let settings = format!("{settings} {} {WRITER}", cache(options.cache));
        let open = move || futures::executor::block_on(connect(&url, &settings));
        // Once for the work before it in the queue, and once for the lock.
        let writer = Writer::start(open, timeout.saturating_mul(2)).map_err(OpenError::unreachable)?;
        Ok(Self { writer, readers, _lock: lock })
    }
}

async fn connect(url: &str, settings: &str) -> ConnectionResult<Conn> {
    let mut connection = Conn::establish(url).await?;
    connection.batch_execute(settings).await.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Database;
    use crate::sqlite_conn::RunQueryDsl as _;
    use crate::work::TxOutcome;
    use diesel::dsl::sql;
    use diesel::sql_types::BigInt;
    use futures::executor::block_on;

    /// The size of a connection's cache, which SQLite says in KiB below zero.
    fn cache_of(connection: &mut Conn) -> i64 {
        let setting = diesel::select(sql::<BigInt>("(SELECT cache_size FROM pragma_cache_size)"));
        block_on(setting.get_result(connection)).expect("a setting")
    }

    #[tokio::test]
    async fn the_writer_has_the_cache_of_the_options_and_a_reader_an_eighth_of_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.db");
        let options = Options { cache: 64 << 20, ..Options::new(Database::Sqlite(path.clone())) };
        let sqlite = Sqlite::new(&path, &options, None).expect("a database");
        let of_writer = sqlite.writer.carry_out(|connection| Ok(TxOutcome::Commit(cache_of(connection)))).await;
        assert_eq!(of_writer.expect("a setting"), -64 * 1024);
        assert_eq!(cache_of(&mut sqlite.readers.get().await.expect("a reader")), -8 * 1024);
    }
}
