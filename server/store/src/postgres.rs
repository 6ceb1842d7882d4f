//! The database server: PostgreSQL, or what speaks its protocol.
//!
//! A connection is not tried out before it is used. Work whose connection turns out to be dead is done again on
//! another, as long as the dead one had not been told to commit; after that nobody can tell, and the caller learns
//! that the database is not available.

use crate::connector::Connector;
use crate::error::{StoreError, Trouble};
use crate::open::{OpenError, Options};
use crate::retry::{Pauses, Tries};
use crate::work::Unit;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// A connection to the server.
pub(crate) type Conn = AsyncPgConnection;
type Manager = <Conn as AsyncConnection>::TransactionManager;

/// The connections to one server.
pub(crate) struct Postgres {
    pool: Pool<Conn>,
    pauses: Pauses,
    deadline: Duration,
}

impl Postgres {
    /// Prepares connections; makes none.
    pub(crate) fn new(connector: Connector, options: &Options) -> Result<Self, OpenError> {
        let connector = Arc::new(connector);
        let mut config = ManagerConfig::<Conn>::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let connector = Arc::clone(&connector);
            Box::pin(async move { connector.connect().await })
        });
        // The connector knows the address, and nobody else needs to.
        let manager = AsyncDieselConnectionManager::<Conn>::new_with_config(String::new(), config);
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            .wait_timeout(Some(options.timeout))
            .create_timeout(Some(options.timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()?;
        Ok(Self { pool, pauses: Pauses::new(options.seed), deadline: options.deadline })
    }

    /// A connection for one try.
    pub(crate) async fn connection(&self) -> Result<Lent, StoreError> {
        Ok(Lent(Some(self.pool.get().await.map_err(StoreError::unavailable)?)))
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

/// A connection that is in use. It goes back to the pool when its work ended as it should, and only then: one whose
/// work was dropped half-way is closed at once, so that the server rolls back and lets go of its locks.
pub(crate) struct Lent(Option<Object<Conn>>);

/// Why there is one.
const LENT: &str = "a connection is lent until it is given back, which consumes it";

impl Lent {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}

impl Deref for Lent {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.0.as_ref().expect(LENT)
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Conn {
        self.0.as_mut().expect(LENT)
    }
}

/// Begins a transaction.
pub(crate) async fn begin(connection: &mut Lent) -> Result<(), StoreError> {
    Ok(Manager::begin_transaction(&mut **connection).await?)
}

/// Ends a read.
pub(crate) fn finish_read<T>(connection: Lent, read: Result<T, StoreError>) -> Result<T, StoreError> {
    if read.as_ref().err().is_none_or(|error| error.trouble() != Trouble::Lost) {
        connection.give_back();
    }
    read
}

/// Ends a transaction as the work said.
pub(crate) async fn finish<T>(mut connection: Lent, work: Result<Unit<T>, StoreError>) -> Result<T, StoreError> {
    let outcome = match work {
        Ok(Unit::Commit(value)) => match Manager::commit_transaction(&mut *connection).await {
            Ok(()) => Ok(value),
            // Whatever state it is in, it is not to be trusted with another transaction.
            Err(error) => return Err(StoreError::from(error).at_commit()),
        },
        Ok(Unit::Rollback(value)) => {
            Manager::rollback_transaction(&mut *connection).await?;
            Ok(value)
        }
        Err(error) => match Manager::rollback_transaction(&mut *connection).await {
            Ok(()) => Err(error),
            // The error that stopped the work is the one to tell.
            Err(_) => return Err(error),
        },
    };
    connection.give_back();
    outcome
}
