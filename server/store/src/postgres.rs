//! The database server: PostgreSQL, or what speaks its protocol.

use crate::error::StoreError;
use crate::work::Unit;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager};

#[path = "queries/mod.rs"]
pub(crate) mod queries;

/// A connection to the server.
pub(crate) type Conn = AsyncPgConnection;
type Manager = <Conn as AsyncConnection>::TransactionManager;

/// Begins a transaction.
pub(crate) async fn begin(connection: &mut Object<Conn>) -> Result<(), StoreError> {
    Ok(Manager::begin_transaction(&mut **connection).await?)
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
            let _ = Manager::rollback_transaction(&mut **connection).await;
            Err(error)
        }
    }
}
