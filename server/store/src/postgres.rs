//! The database server: PostgreSQL, or what speaks its protocol.
//!
//! A connection is not tried out before it is used. Work whose connection turns out to be dead is done again on
//! another, as long as the dead one had not been told to commit; after that nobody can tell, and the caller learns
//! that the database is not available.

use crate::connector::Connector;
use crate::error::{StoreError, Trouble};
use crate::open::{OpenError, Options};
use crate::retry::{Pauses, Tries};
use crate::work::TxOutcome;
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Does several things within one read or one unit of work, none of which depends on what another answers: their
/// statements are sent without waiting for the answers to the ones before, and are carried out in this order. Gives what
/// they give as a tuple, or returns the first error.
macro_rules! pipeline {
    ($connection:ident; $($($function:ident)::+ ($($argument:expr),*)),+ $(,)?) => {{
        let connection: &Conn = $connection;
        // Not `try_join!`: after an error the others fail as well, and theirs may be seen first.
        let done = futures::join!($(async { $($function)::+(&mut connection.clone(), $($argument),*).await }),+);
        $crate::pipeline::Results::all(done)?
    }};
}

#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// The connections to one server.
pub(crate) struct Postgres {
    pool: Pool<AsyncPgConnection>,
    pauses: Pauses,
    deadline: Duration,
}

impl Postgres {
    /// Prepares connections; makes none.
    pub(crate) fn new(connector: Connector, options: &Options) -> Result<Self, OpenError> {
        let connector = Arc::new(connector);
        let mut config = ManagerConfig::<AsyncPgConnection>::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let connector = Arc::clone(&connector);
            Box::pin(async move { connector.connect().await })
        });
        // The connector knows the address, and nobody else needs to.
        let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(String::new(), config);
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            .wait_timeout(Some(options.timeout))
            .create_timeout(Some(options.timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()?;
        Ok(Self { pool, pauses: Pauses::new(options.seed), deadline: options.deadline })
    }

    /// A connection for one read.
    pub(crate) async fn reading(&self) -> Result<Conn, StoreError> {
        self.connection(false).await
    }

    /// A connection for one try of a unit of work.
    pub(crate) async fn writing(&self) -> Result<Conn, StoreError> {
        self.connection(true).await
    }

    async fn connection(&self, begins: bool) -> Result<Conn, StoreError> {
        let connection = self.pool.get().await.map_err(StoreError::unavailable)?;
        Ok(Conn(Arc::new(Lent {
            connection: Some(connection),
            is_to_begin: AtomicBool::new(begins),
            ended_well: AtomicBool::new(false),
        })))
    }

    /// The tries of one unit of work.
    pub(crate) fn tries(&self) -> Tries<'_> {
        Tries::new(&self.pauses)
    }

    /// Does all of it before the deadline, or tells that it could not. What is under way is dropped then, its
    /// connection with it, so that the server rolls back; only a commit that was already sent may still happen.
    pub(crate) async fn by_the_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.deadline, work).await.map_err(StoreError::unavailable)?
    }
}

/// A connection that is in use by one read or one unit of work. Clones are the same connection: what they send at the
/// same time travels together, and is carried out in the order in which it was sent.
///
/// A unit of work begins with its first statement: `BEGIN` is sent right before it and not waited for.
#[derive(Clone)]
pub(crate) struct Conn(Arc<Lent>);

/// Goes back to the pool when its work ended as it should, and only then: a connection whose work was dropped half-way
/// is closed at once, so that the server rolls back and lets go of its locks.
struct Lent {
    /// There until it is dropped.
    connection: Option<Object<AsyncPgConnection>>,
    is_to_begin: AtomicBool,
    ended_well: AtomicBool,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.ended_well.load(Ordering::Relaxed)
        {
            drop(Object::take(connection));
        }
    }
}

impl Conn {
    fn shared(&self) -> &AsyncPgConnection {
        self.0.connection.as_ref().expect("it is taken only when it is dropped")
    }

    /// Sends a statement, after the one that begins the transaction if that was not sent yet.
    fn send<'a, T: Send + 'a>(&'a self, statement: BoxFuture<'a, QueryResult<T>>) -> BoxFuture<'a, QueryResult<T>> {
        if !self.0.is_to_begin.swap(false, Ordering::Relaxed) {
            return statement;
        }
        let mut connection = self.shared();
        Box::pin(async move {
            // Both are polled in this order, and a request is sent when it is first polled.
            let (begun, outcome) = futures::join!(connection.batch_execute("BEGIN"), statement);
            begun?;
            outcome
        })
    }

    /// Ends the transaction, if one was begun.
    async fn end(&self, statement: &str) -> Result<(), StoreError> {
        if !self.0.is_to_begin.load(Ordering::Relaxed) {
            self.shared().batch_execute(statement).await?;
        }
        self.give_back();
        Ok(())
    }

    fn give_back(&self) {
        self.0.ended_well.store(true, Ordering::Relaxed);
    }
}

impl SimpleAsyncConnection for Conn {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let mut connection = self.shared();
        self.send(Box::pin(connection.batch_execute(query))).await
    }
}

impl AsyncConnectionCore for Conn {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Stream<'conn, 'query>;
    type Row<'conn, 'query> = <AsyncPgConnection as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let mut connection = self.shared();
        self.send(connection.load(source))
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let mut connection = self.shared();
        self.send(connection.execute_returning_count(source))
    }
}

/// Ends a read.
pub(crate) fn finish_read<T>(connection: Conn, read: Result<T, StoreError>) -> Result<T, StoreError> {
    if read.as_ref().err().is_none_or(|error| error.trouble() != Trouble::Lost) {
        connection.give_back();
    }
    read
}

/// Ends a transaction as the work said. After an error while it ends, its connection is not to be trusted with another.
pub(crate) async fn finish<T>(connection: Conn, work: Result<TxOutcome<T>, StoreError>) -> Result<T, StoreError> {
    match work {
        Ok(TxOutcome::Commit(value)) => {
            connection.end("COMMIT").await.map_err(StoreError::at_commit)?;
            Ok(value)
        }
        Ok(TxOutcome::Rollback(value)) => {
            connection.end("ROLLBACK").await?;
            Ok(value)
        }
        Err(error) => {
            // The error that stopped the work is the one to tell.
            let _ = connection.end("ROLLBACK").await;
            Err(error)
        }
    }
}
