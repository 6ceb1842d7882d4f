//! The embedded database: SQLite, one writer and several readers on one file in WAL mode.
//!
//! Statements run where they are awaited. A write is sent as a whole to a thread that may block, so that waiting for
//! the disk never stalls the async threads, and a caller who goes away cannot leave half a transaction.

use crate::error::StoreError;
use crate::work::Unit;
use diesel::connection::AnsiTransactionManager;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use diesel_async::{AsyncConnection, TransactionManager};
use futures::future::BoxFuture;

#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// Runs a statement on the thread that awaits it.
pub(crate) struct Inline;

impl SpawnBlocking for Inline {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn std::error::Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        Box::pin(std::future::ready(Ok(task())))
    }

    fn get_runtime() -> Self {
        Self
    }
}

/// A connection to the file.
pub(crate) type Conn = SyncConnectionWrapper<diesel::SqliteConnection, Inline>;
type Manager = <Conn as AsyncConnection>::TransactionManager;

/// The connections to one file.
pub(crate) struct Sqlite {
    pub(crate) writer: Pool<Conn>,
    pub(crate) readers: Pool<Conn>,
}

/// Begins a transaction that may write. It takes the write lock at once: one that takes it later may find that
/// somebody else wrote in between, and cannot go on.
pub(crate) async fn begin(connection: &mut Object<Conn>) -> Result<(), StoreError> {
    let begin = |c: &mut diesel::SqliteConnection| AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE");
    Ok(connection.spawn_blocking(begin).await?)
}

/// Ends it as the work said.
pub(crate) async fn finish<T>(
    connection: &mut Object<Conn>,
    work: Result<Unit<T>, StoreError>,
) -> Result<T, StoreError> {
    match work {
        Ok(Unit::Commit(value)) => {
            Manager::commit_transaction(&mut **connection).await?;
            Ok(value)
        }
        Ok(Unit::Rollback(value)) => {
            Manager::rollback_transaction(&mut **connection).await?;
            Ok(value)
        }
        Err(error) => {
            // The error that stopped the work is the one to tell; a connection that cannot roll back is discarded.
            let _ = Manager::rollback_transaction(&mut **connection).await;
            Err(error)
        }
    }
}
