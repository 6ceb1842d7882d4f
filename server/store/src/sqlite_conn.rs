//! The connection type of the embedded database.
//!
//! Statements run on the thread that awaits them, so that their futures are ready at once. diesel-async's own wrapper hands
//! them to another thread, and so has to write out the text of each, which costs as much as running it.

use diesel::backend::Backend;
use diesel::connection::{CacheSize, Connection as _, Instrumentation, LoadConnection, SimpleConnection as _};
use diesel::dsl::Limit;
use diesel::query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::LoadQuery;
use diesel::query_dsl::methods::LimitDsl;
use diesel::row::IntoOwnedRow;
use diesel::sql_types::Untyped;
use diesel::sqlite::Sqlite;
use diesel::{ConnectionResult, QueryResult, SqliteConnection};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection};
use futures::stream::{self, Iter};
use std::future::{Ready, ready};
use std::vec::IntoIter;

/// A connection. Transactions are begun and ended by statements ([`crate::sqlite_writer`]).
pub(crate) struct Conn {
    connection: SqliteConnection,
    transactions: AnsiTransactionManager,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Rows that the last `INSERT`, `UPDATE` or `DELETE` has changed.
    fn changes() -> BigInt;
}

/// A row that does not depend on the statement which it comes from.
type OwnedRow =
    <<SqliteConnection as LoadConnection>::Row<'static, 'static> as IntoOwnedRow<'static, Sqlite>>::OwnedRow;

impl Conn {
    /// Runs a statement; returns how many rows it changed. diesel's `execute_returning_count` takes a reference to the statement, and
    /// a reference does not pass on that the statement is [safe to prepare once](crate::cached).
    fn count_changes<T>(&mut self, statement: T) -> QueryResult<usize>
    where
        T: QueryFragment<Sqlite> + QueryId,
    {
        for row in LoadConnection::load(&mut self.connection, AnyRow(statement))? {
            row?;
        }
        let count: i64 = diesel::RunQueryDsl::get_result(diesel::select(changes()), &mut self.connection)?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    fn rows<T>(&mut self, query: T) -> QueryResult<Vec<QueryResult<OwnedRow>>>
    where
        T: Query + QueryFragment<Sqlite> + QueryId,
    {
        let mut names = Default::default();
        let rows = LoadConnection::load(&mut self.connection, AnyRow(query))?;
        rows.map(|row| row.map(|row| Ok(row.into_owned(&mut names)))).collect()
    }
}

/// Runs queries whose types are known where they are written: diesel-async's trait of this name, but a row is read where SQLite has
/// it, and not copied before.
pub(crate) trait RunQueryDsl: Sized {
    fn execute(self, connection: &mut Conn) -> Ready<QueryResult<usize>>
    where
        Self: QueryFragment<Sqlite> + QueryId,
    {
        ready(connection.count_changes(self))
    }

    fn load<'query, U>(self, connection: &mut Conn) -> Ready<QueryResult<Vec<U>>>
    where
        Self: LoadQuery<'query, SqliteConnection, U>,
    {
        ready(diesel::RunQueryDsl::load(self, &mut connection.connection))
    }

    fn get_results<'query, U>(self, connection: &mut Conn) -> Ready<QueryResult<Vec<U>>>
    where
        Self: LoadQuery<'query, SqliteConnection, U>,
    {
        RunQueryDsl::load(self, connection)
    }

    fn get_result<'query, U>(self, connection: &mut Conn) -> Ready<QueryResult<U>>
    where
        Self: LoadQuery<'query, SqliteConnection, U>,
    {
        ready(diesel::RunQueryDsl::get_result(self, &mut connection.connection))
    }

    fn first<'query, U>(self, connection: &mut Conn) -> Ready<QueryResult<U>>
    where
        Self: LimitDsl,
        Limit<Self>: LoadQuery<'query, SqliteConnection, U>,
    {
        RunQueryDsl::get_result(LimitDsl::limit(self, 1), connection)
    }
}

impl<Q> RunQueryDsl for Q {}

impl SimpleAsyncConnection for Conn {
    fn batch_execute(&mut self, query: &str) -> impl Future<Output = QueryResult<()>> + Send {
        ready(self.connection.batch_execute(query))
    }
}

impl AsyncConnectionCore for Conn {
    type ExecuteFuture<'conn, 'query> = Ready<QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = Ready<QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = Iter<IntoIter<QueryResult<OwnedRow>>>;
    type Row<'conn, 'query> = OwnedRow;
    type Backend = Sqlite;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        ready(self.rows(source.as_query()).map(stream::iter))
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        ready(self.count_changes(source))
    }
}

impl AsyncConnection for Conn {
    type TransactionManager = AnsiTransactionManager;

    fn establish(database_url: &str) -> impl Future<Output = ConnectionResult<Self>> + Send {
        let connection = SqliteConnection::establish(database_url);
        ready(connection.map(|connection| Self { connection, transactions: AnsiTransactionManager::default() }))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.connection.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.connection.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.connection.set_prepared_statement_cache_size(size);
    }
}

impl PoolableConnection for Conn {}

/// A query without the static type of its rows, which diesel's functions otherwise need. It has the identity of the query, so that
/// both share one prepared statement.
struct AnyRow<Q>(Q);

impl<Q> Query for AnyRow<Q> {
    type SqlType = Untyped;
}

impl<Q: QueryId> QueryId for AnyRow<Q> {
    type QueryId = Q::QueryId;

    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q, DB> QueryFragment<DB> for AnyRow<Q>
where
    Q: QueryFragment<DB>,
    DB: Backend,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, backend: &DB) -> QueryResult<bool> {
        self.0.is_safe_to_cache_prepared(backend)
    }
}
