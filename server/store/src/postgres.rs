//! PostgreSQL, or a server with the same protocol.
//!
//! Connections are not tested before use. If a connection turns out to be dead, or its server is replaced ([`crate::leader`]), the
//! work is retried on another one. If a commit was sent, its outcome is looked up first (`unknown_commits`).

use crate::account_locks::AccountLocks;
use crate::connector::{Connector, Sessions};
use crate::error::{StoreError, Trouble};
use crate::gathering::Gathering;
use crate::leader::{Following, Leader};
use crate::open_error::OpenError;
use crate::options::{Database, Options};
use crate::postgres_conn::{PgConn, Rows};
use crate::postgres_row::PgRow;
use crate::retry::{Pauses, Tries};
use crate::rows::FoundSession;
use crate::work::TxOutcome;
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::AuditId;
use countersign_domain::secret::Digest;
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::{DatabaseError, QueryBuilderError};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnectionCore, SimpleAsyncConnection};
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// Awaits independent calls within one read or one unit of work. Their statements are pipelined: sent without waiting for
/// the results of earlier ones, and executed in this order. Evaluates to a tuple of their results, or returns the first
/// error.
macro_rules! pipeline {
    ($connection:ident; $($($function:ident)::+ ($($argument:expr),*)),+ $(,)?) => {{
        let connection: &Conn = $connection;
        // Boxed, so that the future of a unit of work does not have to hold the largest of its pipelines.
        // Not `try_join!`: after an error the other statements fail as well, and it may return one of their errors.
        let pipelined = Box::pin(async {
            futures::join!($(async { $($function)::+(&mut connection.clone(), $($argument),*).await }),+)
        });
        // Unconstrained, so that no statement waits for the task's next turn before it is sent (tokio's cooperative scheduling).
        $crate::pipeline::Results::all(tokio::task::unconstrained(pipelined).await)?
    }};
}

/// Awaits a call for each item, pipelined; evaluates to their results, or returns the first error.
macro_rules! pipeline_all {
    ($connection:ident, $items:expr, $function:path) => {{
        let connection: &Conn = $connection;
        let calls = $items.map(|item| async move { $function(&mut connection.clone(), item).await });
        tokio::task::unconstrained(futures::future::join_all(calls))
            .await
            .into_iter()
            .collect::<Result<Vec<_>, StoreError>>()?
    }};
}

/// Locks the rows of a query until the end of the transaction, as an `UPDATE` that changes no key does.
macro_rules! locked {
    ($query:expr) => {
        $query.for_no_key_update()
    };
}

/// Runs a statement that affects at most one row; evaluates to whether it has affected one. With `$must`, which a
/// [pipelined `COMMIT`](pipeline_commit) needs, affecting none is an error, and the unit of work is retried.
macro_rules! affect_one {
    ($connection:expr, $must:expr, $statement:expr) => {
        match $must {
            true => $crate::one_row::OneRow($statement).cached().execute($connection).await? == 1,
            false => $statement.cached().execute($connection).await? == 1,
        }
    };
}

/// Locks the rows of a query, and leaves out those that another transaction holds; for `eq_any`. As an array, the query is executed
/// once. `IN` may execute it several times, each time for further rows, because those that the statement has changed by then are left
/// out as well: more rows would be affected than its limit says.
macro_rules! skip_locked {
    ($query:expr) => {
        diesel::dsl::array($query.for_update().skip_locked())
    };
}

/// What runs queries on these connections.
mod query_dsl {
    pub(crate) use diesel_async::RunQueryDsl;
}

#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// Longest time for a unit of work that begins while no server is known that takes writes. If there is one again, it is enough.
const WITHOUT_LEADER: Duration = Duration::from_secs(3);

/// Connections to one server.
pub(crate) struct Postgres {
    pool: Pool<PgConn>,
    /// Replaced as a whole when certificates are read again.
    connector: Arc<RwLock<Arc<Connector>>>,
    options: Options,
    pub(crate) locks: AccountLocks,
    pub(crate) session_reads: Gathering<Digest, Option<Arc<FoundSession>>>,
    pauses: Pauses,
    deadline: Duration,
    leader: Leader,
}

impl Postgres {
    /// Prepares connections without opening any, and begins to watch their server.
    pub(crate) fn new(options: &Options, url: &str, sessions: Sessions) -> Result<Self, OpenError> {
        let connector = Arc::new(RwLock::new(Arc::new(Connector::new(url, options)?)));
        let current = Arc::clone(&connector);
        let mut config = ManagerConfig::<PgConn>::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let connector = Arc::clone(&current.read().unwrap_or_else(PoisonError::into_inner));
            Box::pin(async move { connector.connect(sessions).await })
        });
        // The connector has the address.
        let manager = AsyncDieselConnectionManager::<PgConn>::new_with_config(String::new(), config);
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            .wait_timeout(Some(options.timeout))
            .create_timeout(Some(options.timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()?;
        let (locks, pauses, deadline) = (AccountLocks::new(), Pauses::new(options.seed), options.deadline);
        let session_reads = Gathering::default();
        let leader = Leader::watch(Arc::clone(&connector), pool.clone());
        Ok(Self { pool, connector, options: options.clone(), locks, session_reads, pauses, deadline, leader })
    }

    /// Reads the certificates that servers have to come from again, for connections that are made from now on. What cannot be used
    /// changes nothing.
    pub(crate) fn reload_certificates(&self) -> Result<(), OpenError> {
        let Database::Postgres(url) = &self.options.database else { return Ok(()) };
        let renewed = Connector::new(url, &self.options)?;
        let mut connector = self.connector.write().unwrap_or_else(PoisonError::into_inner);
        renewed.succeed(&connector);
        *connector = Arc::new(renewed);
        Ok(())
    }

    /// Whether a server took writes when this node last looked.
    pub(crate) fn takes_writes(&self) -> bool {
        self.leader.is_there()
    }

    /// A connection for one read.
    pub(crate) async fn reading(&self) -> Result<Conn, StoreError> {
        self.connection(false, false).await
    }

    /// A connection for one try of a unit of work.
    pub(crate) async fn writing(&self, is_retry: bool) -> Result<Conn, StoreError> {
        self.connection(true, is_retry).await
    }

    async fn connection(&self, begins: bool, is_retry: bool) -> Result<Conn, StoreError> {
        // From before it is taken, so that no other server is missed.
        let following = self.leader.following();
        let connection = self.pool.get().await.map_err(StoreError::unavailable)?;
        Ok(Conn(Arc::new(Lent {
            connection: Some(connection),
            following,
            is_to_begin: AtomicBool::new(begins),
            commits_separately: AtomicBool::new(is_retry),
            commit_is_sent: AtomicBool::new(false),
            commit_is_unknown: AtomicBool::new(false),
            event: OnceLock::new(),
            has_sent: AtomicBool::new(false),
            ended_well: AtomicBool::new(false),
        })))
    }

    pub(crate) fn status(&self) -> deadpool::Status {
        self.pool.status()
    }

    /// Retries of one unit of work.
    pub(crate) fn tries(&self) -> Tries<'_> {
        Tries::new(&self.pauses)
    }

    /// Awaits the work until the deadline, which is near while no server is known that takes writes. After it the work is dropped together with its connection, so that the server
    /// rolls back; only a commit that was already sent may still take effect.
    pub(crate) async fn by_the_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let deadline = if self.takes_writes() { self.deadline } else { self.deadline.min(WITHOUT_LEADER) };
        tokio::time::timeout(deadline, work).await.map_err(StoreError::unavailable)?
    }
}

/// A connection in use by one read or one unit of work. Clones share the connection: statements that they send at the same
/// time are pipelined, and executed in the order in which they were sent.
///
/// A transaction begins with its first statement: `BEGIN` is pipelined before it.
#[derive(Clone)]
pub(crate) struct Conn(Arc<Lent>);

/// Returned to the pool only after its work has ended, or if it has not begun: a connection whose work was dropped is closed at once, so
/// that the server rolls back and releases its locks; and so is one to a server that was replaced.
struct Lent {
    /// `Some` until it is dropped.
    connection: Option<Object<PgConn>>,
    following: Following,
    is_to_begin: AtomicBool,
    /// Whether `COMMIT` is not pipelined: in a retry, so that the work learns which of its statements affect no row.
    commits_separately: AtomicBool,
    commit_is_sent: AtomicBool,
    /// Whether the connection was lost after that.
    commit_is_unknown: AtomicBool,
    /// An event that the transaction has written.
    event: OnceLock<AuditId>,
    has_sent: AtomicBool,
    ended_well: AtomicBool,
}

/// The end of a transaction.
pub(crate) enum Ended<T> {
    Committed(T),
    RolledBack(T),
    /// The connection was lost after `COMMIT` was sent.
    Unknown(T),
    /// The same, and with it rows that the value is made of.
    Unread(StoreError),
}

impl Lent {
    /// Whether a statement failed because the connection was lost after the pipelined `COMMIT`. Then it counts as done, and whether it
    /// was is found out before the unit of work has an outcome.
    fn presumes(&self, trouble: Trouble) -> bool {
        let is_lost = self.commit_is_sent.load(Ordering::Relaxed) && trouble == Trouble::Lost;
        self.commit_is_unknown.fetch_or(is_lost, Ordering::Relaxed);
        is_lost
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && (self.following.is_replaced()
                || self.has_sent.load(Ordering::Relaxed) && !self.ended_well.load(Ordering::Relaxed))
        {
            drop(Object::take(connection));
        }
    }
}

impl Conn {
    fn shared(&self) -> &PgConn {
        self.0.connection.as_ref().expect("it is taken only when it is dropped")
    }

    /// Sends a statement; the first one of a transaction after `BEGIN`.
    fn send<'a, T: Send + 'a>(&'a self, statement: BoxFuture<'a, QueryResult<T>>) -> BoxFuture<'a, QueryResult<T>> {
        if self.0.commit_is_sent.load(Ordering::Relaxed) {
            // It would be executed in a transaction of its own.
            return Box::pin(async { Err(QueryBuilderError(AfterCommit.into())) });
        }
        self.0.has_sent.store(true, Ordering::Relaxed);
        let begins = self.0.is_to_begin.swap(false, Ordering::Relaxed);
        Box::pin(self.unless_replaced(async move {
            if !begins {
                return statement.await;
            }
            // Both are polled in this order, and a request is sent when it is first polled.
            let (begun, outcome) = futures::join!(self.shared().begin(), statement);
            begun?;
            outcome
        }))
    }

    /// Awaits what the server responds, or that it is not the one any more that takes writes.
    async fn unless_replaced<T>(&self, response: impl Future<Output = QueryResult<T>>) -> QueryResult<T> {
        tokio::select! {
            biased;
            response = response => response,
            () = self.0.following.replaced() => {
                let message = "another server has taken the place of the one that was asked";
                Err(DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(message.to_owned())))
            }
        }
    }

    /// Sends `COMMIT`. If the connection is lost, the outcome is unknown.
    async fn commit(&self) -> QueryResult<()> {
        self.0.commit_is_sent.store(true, Ordering::Relaxed);
        match self.unless_replaced(self.shared().run("COMMIT")).await {
            Err(error) if Trouble::of(&error) == Trouble::Lost => {
                self.0.commit_is_unknown.store(true, Ordering::Relaxed);
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Ends the transaction, if one was begun.
    async fn roll_back(&self) -> Result<(), StoreError> {
        if !self.0.is_to_begin.load(Ordering::Relaxed) {
            self.unless_replaced(self.shared().run("ROLLBACK")).await?;
        }
        self.mark_done();
        Ok(())
    }

    /// Commits or rolls back, as the work returned, unless its [`COMMIT` was pipelined](pipeline_commit). A connection that is lost, or
    /// whose server takes no writes, is not used again.
    pub(crate) async fn end<T>(self, work: Result<TxOutcome<T>, StoreError>) -> Result<Ended<T>, StoreError> {
        let commit_is_pipelined = self.0.commit_is_sent.load(Ordering::Relaxed);
        match work {
            Ok(TxOutcome::Commit(value)) => {
                if !commit_is_pipelined && !self.0.is_to_begin.load(Ordering::Relaxed) {
                    self.commit().await.map_err(|error| StoreError::from(error).at_commit())?;
                }
                if self.0.commit_is_unknown.load(Ordering::Relaxed) {
                    return Ok(Ended::Unknown(value));
                }
                self.mark_done();
                Ok(Ended::Committed(value))
            }
            Ok(TxOutcome::Rollback(_)) if commit_is_pipelined => {
                Err(StoreError::Refused(QueryBuilderError(AfterCommit.into())))
            }
            Err(error) if commit_is_pipelined => match error.trouble() {
                Trouble::Lost => Ok(Ended::Unread(error)),
                _ => Err(error.at_commit()),
            },
            Ok(TxOutcome::Rollback(value)) => {
                self.roll_back().await?;
                Ok(Ended::RolledBack(value))
            }
            Err(error) => {
                if !error.trouble().spoils_connection() {
                    // The error of the work is the cause, and that of the rollback a consequence.
                    let _ = self.roll_back().await;
                }
                Err(error)
            }
        }
    }

    /// An event that the transaction has written.
    pub(crate) fn event(&self) -> Option<AuditId> {
        self.0.event.get().copied()
    }

    fn mark_done(&self) {
        self.0.ended_well.store(true, Ordering::Relaxed);
    }
}

/// Whether this unit of work may [pipeline its `COMMIT`](pipeline_commit).
pub(crate) fn may_pipeline_commit(connection: &Conn) -> bool {
    !connection.0.commits_separately.load(Ordering::Relaxed)
}

/// Sends `COMMIT` right after the last statements of a unit of work, without waiting for their results: saves a round trip. It has to be
/// the last call of a `pipeline!`, and the work has to return [`TxOutcome::Commit`] if none of the calls fails. If a statement fails, the
/// database rolls back. If `is_last` is false, or this is a retry, this does nothing, and [`Conn::end`] commits.
pub(crate) async fn pipeline_commit(connection: &mut Conn, is_last: bool) -> Result<(), StoreError> {
    let has_begun = !connection.0.is_to_begin.load(Ordering::Relaxed);
    if is_last && has_begun && may_pipeline_commit(connection) {
        connection.commit().await?;
    }
    Ok(())
}

/// Whether a statement that failed counts as done until it is found out whether it was, because the connection was lost after the pipelined
/// `COMMIT`.
pub(crate) fn is_presumed(connection: &Conn, error: &StoreError) -> bool {
    connection.0.presumes(error.trouble())
}

/// Notes an event that the transaction has written, by which it can be found out whether it was committed.
pub(crate) fn note_event(connection: &Conn, event: &AuditEvent) {
    // One is enough.
    let _ = connection.0.event.set(event.id);
}

#[derive(Debug, thiserror::Error)]
#[error("a unit of work goes on after its commit")]
struct AfterCommit;

impl SimpleAsyncConnection for Conn {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.send(Box::pin(self.shared().run(query))).await
    }
}

impl AsyncConnectionCore for Conn {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Rows>>;
    type Stream<'conn, 'query> = Rows;
    type Row<'conn, 'query> = PgRow;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        self.send(self.shared().query(&source.as_query()))
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let response = self.send(self.shared().count_affected(&source));
        let lent = Arc::clone(&self.0);
        Box::pin(async move {
            match response.await {
                // If the pipelined `COMMIT` has taken effect, this statement has changed its row (`crate::one_row`); and whether it
                // has is found out before the unit of work has an outcome.
                Err(error) if lent.presumes(Trouble::of(&error)) => Ok(1),
                outcome => outcome,
            }
        })
    }
}

/// Ends a read.
pub(crate) fn finish_read<T>(connection: Conn, read: Result<T, StoreError>) -> Result<T, StoreError> {
    if read.as_ref().err().is_none_or(|error| !error.trouble().spoils_connection()) {
        connection.mark_done();
    }
    read
}
