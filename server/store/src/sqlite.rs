//! The embedded database: SQLite, one writer and several readers on one file in WAL mode.
//!
//! Statements run where they are awaited. A write is sent as a whole to a thread that may block, so that waiting for
//! the disk never stalls the async threads, and a caller who goes away cannot leave half a transaction.

use crate::error::StoreError;
use crate::open::{OpenError, Options};
use crate::work::Unit;
use diesel::connection::AnsiTransactionManager;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use diesel_async::{AsyncConnection, SimpleAsyncConnection as _, TransactionManager};
use futures::future::BoxFuture;
use std::path::Path;

/// Does several things within one read or one unit of work, none of which depends on what another answers, one after
/// the other. Gives what they give as a tuple, or returns the first error.
macro_rules! together {
    ($connection:ident; $($($function:ident)::+ ($($argument:expr),*)),+ $(,)?) => {
        ($($($function)::+(&mut *$connection, $($argument),*).await?),+)
    };
}

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

impl Sqlite {
    /// Prepares connections; makes none.
    pub(crate) fn new(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let url = path.to_string_lossy().into_owned();
        let (timeout, milliseconds) = (options.timeout, options.timeout.as_millis());
        let pool = |size: usize| {
            let mut config = ManagerConfig::<Conn>::default();
            config.recycling_method = RecyclingMethod::Fast;
            config.custom_setup = Box::new(move |url| {
                Box::pin(async move {
                    let mut connection = Conn::establish(url).await?;
                    // FULL: a code that was accepted stays used when the power fails right after the answer.
                    let settings = format!(
                        "PRAGMA busy_timeout = {milliseconds}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                    );
                    let set = connection.batch_execute(&settings).await;
                    set.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                    Ok(connection)
                })
            });
            let manager = AsyncDieselConnectionManager::<Conn>::new_with_config(&url, config);
            Pool::builder(manager).max_size(size).wait_timeout(Some(timeout)).runtime(deadpool::Runtime::Tokio1).build()
        };
        Ok(Self { writer: pool(1)?, readers: pool(options.connections)? })
    }
}

/// Begins a transaction that may write. It takes the write lock at once: one that takes it later may find that
/// somebody else wrote in between, and cannot go on.
pub(crate) async fn begin(connection: &mut Object<Conn>) -> Result<(), StoreError> {
    let begin = |c: &mut diesel::SqliteConnection| AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE");
    Ok(connection.spawn_blocking(begin).await?)
}

/// Ends it as the work said.
pub(crate) async fn finish<T>(
    mut connection: Object<Conn>,
    work: Result<Unit<T>, StoreError>,
) -> Result<T, StoreError> {
    let (outcome, ended) = match work {
        Ok(Unit::Commit(value)) => (Ok(value), Manager::commit_transaction(&mut *connection).await),
        Ok(Unit::Rollback(value)) => (Ok(value), Manager::rollback_transaction(&mut *connection).await),
        // The error that stopped the work is the one to tell.
        Err(error) => (Err(error), Manager::rollback_transaction(&mut *connection).await),
    };
    match ended {
        Ok(()) => outcome,
        Err(error) => {
            // A full disk can leave a transaction open that was to be committed. Closing the connection rolls it
            // back; the pool makes another.
            drop(Object::take(connection));
            Err(outcome.err().unwrap_or_else(|| error.into()))
        }
    }
}
