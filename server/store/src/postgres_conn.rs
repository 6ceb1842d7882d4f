//! The connection type of PostgreSQL.
//!
//! A statement is sent when its future is first polled, whether the server knows it or not: one that has yet to be prepared is sent with
//! its text and its parameters, and prepared for its next use. So statements are executed in the order in which their
//! futures are first polled, and none costs more than one round trip. diesel-async's connection prepares a statement first, and what is
//! polled meanwhile overtakes it.
//!
//! Where connections [share the server's sessions](crate::sessions), nothing is prepared, and no setting outlives a transaction.

use crate::postgres_error::error;
use crate::postgres_row::PgRow;
use diesel::connection::statement_cache::StatementCacheKey;
use diesel::connection::{CacheSize, DynInstrumentation, Instrumentation, InstrumentationEvent, StrQueryHelper};
use diesel::pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{AsQuery, QueryBuilder as _, QueryFragment, QueryId};
use diesel::result::Error::SerializationError;
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection};
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::AbortHandle;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, RowStream, Statement};

/// Rows as the server sends them.
pub(crate) type Rows = BoxStream<'static, QueryResult<PgRow>>;

type Key = StatementCacheKey<Pg>;

type Prepared = Arc<Mutex<HashMap<Key, Statement>>>;

/// A connection. It is closed when it is dropped, whatever it waits for, so that the server rolls back.
pub(crate) struct PgConn {
    client: Arc<Client>,
    /// The task that moves the bytes.
    driver: AbortHandle,
    /// `None` if nothing is prepared.
    prepared: Option<Prepared>,
    begin: String,
    transactions: AnsiTransactionManager,
    /// Told what is sent, and what is prepared.
    instrumentation: Mutex<DynInstrumentation>,
}

impl Drop for PgConn {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl PgConn {
    /// A connection that prepares its statements.
    pub(crate) fn preparing(client: Client, driver: AbortHandle) -> Self {
        Self::new(client, driver, Some(Prepared::default()), "BEGIN".to_owned())
    }

    /// A connection that prepares nothing, and begins transactions by this statement.
    pub(crate) fn unprepared(client: Client, driver: AbortHandle, begin: String) -> Self {
        Self::new(client, driver, None, begin)
    }

    fn new(client: Client, driver: AbortHandle, prepared: Option<Prepared>, begin: String) -> Self {
        let transactions = AnsiTransactionManager::default();
        let instrumentation = Mutex::new(DynInstrumentation::default_instrumentation());
        let client = Arc::new(client);
        Self { client, driver, prepared, begin, transactions, instrumentation }
    }

    fn note(&self, event: InstrumentationEvent<'_>) {
        self.instrumentation.lock().unwrap_or_else(PoisonError::into_inner).on_connection_event(event);
    }

    /// Begins a transaction, with the settings that units of work rely on.
    pub(crate) async fn begin(&self) -> QueryResult<()> {
        self.run(&self.begin).await
    }

    /// Runs statements without parameters.
    pub(crate) async fn run(&self, statements: &str) -> QueryResult<()> {
        self.note(InstrumentationEvent::start_query(&StrQueryHelper::new(statements)));
        self.client.batch_execute(statements).await.map_err(error)
    }

    /// Runs a query.
    pub(crate) fn query<'conn, T>(&'conn self, query: &T) -> BoxFuture<'conn, QueryResult<Rows>>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let bound = self.bind(query);
        Box::pin(async move {
            let rows = self.send(bound?).await?;
            Ok(rows.map_ok(PgRow::new).map_err(error).boxed())
        })
    }

    /// Runs a statement; returns how many rows it affected.
    pub(crate) fn count_affected<'conn, T>(&'conn self, statement: &T) -> BoxFuture<'conn, QueryResult<usize>>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let bound = self.bind(statement);
        Box::pin(async move {
            let mut rows = pin!(self.send(bound?).await?);
            while rows.try_next().await.map_err(error)?.is_some() {}
            Ok(usize::try_from(rows.rows_affected().unwrap_or_default()).unwrap_or(usize::MAX))
        })
    }

    /// What is to be sent, without the query, which need not be [`Send`].
    fn bind<T: QueryFragment<Pg> + QueryId>(&self, query: &T) -> QueryResult<Bound> {
        self.note(InstrumentationEvent::start_query(&diesel::debug_query(query)));
        let mut binds = RawBytesBindCollector::<Pg>::new();
        query.collect_binds(&mut binds, &mut BuiltInTypes, &Pg)?;
        let types = binds.metadata.iter().map(built_in).collect::<QueryResult<Vec<Type>>>()?;
        let values = binds.binds.into_iter().map(Value).zip(types).collect();
        let text = || {
            let mut builder = PgQueryBuilder::default();
            query.to_sql(&mut builder, &Pg).map(|()| builder.finish())
        };
        let Some(prepared) = self.prepared.as_ref().filter(|_| query.is_safe_to_cache_prepared(&Pg).unwrap_or(false))
        else {
            return Ok(Bound { statement: Known::Never(text()?), values });
        };
        let key = match T::query_id() {
            Some(id) => Key::Type(id),
            None => Key::Sql { sql: text()?, bind_types: binds.metadata },
        };
        let known = prepared.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(statement) = known {
            return Ok(Bound { statement: Known::Prepared(statement), values });
        }
        let text = match &key {
            Key::Type(_) => text()?,
            Key::Sql { sql, .. } => sql.clone(),
        };
        self.note(InstrumentationEvent::cache_query(&text));
        Ok(Bound { statement: Known::NotYet(text, key), values })
    }

    /// Has a statement prepared for its next use. In a task of its own, because the rows of the query before have to be read meanwhile.
    fn prepare(&self, text: String, types: Vec<Type>, key: Key) {
        let Some(prepared) = self.prepared.clone() else { return };
        let client = Arc::clone(&self.client);
        tokio::spawn(async move {
            // In a transaction that has failed it is not prepared, and is tried again.
            if let Ok(statement) = client.prepare_typed(&text, &types).await {
                prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(key, statement);
            }
        });
    }

    async fn send(&self, Bound { statement, values }: Bound) -> QueryResult<RowStream> {
        let sent = match statement {
            Known::Prepared(statement) => {
                self.client.query_raw(&statement, values.into_iter().map(|(value, _)| value).collect::<Vec<_>>()).await
            }
            Known::Never(text) => self.client.query_typed_raw(&text, values).await,
            Known::NotYet(text, key) => {
                self.prepare(text.clone(), values.iter().map(|(_, of)| of.clone()).collect(), key);
                self.client.query_typed_raw(&text, values).await
            }
        };
        sent.map_err(error)
    }
}

/// A statement with its parameters.
struct Bound {
    statement: Known,
    values: Vec<(Value, Type)>,
}

enum Known {
    Prepared(Statement),
    /// It is prepared with its first use.
    NotYet(String, Key),
    Never(String),
}

/// A parameter as the server reads it.
#[derive(Debug)]
struct Value(Option<Vec<u8>>);

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let Some(bytes) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Queries here use only types that every server has by the same number. A type that would have to be looked up is an error.
struct BuiltInTypes;

impl PgMetadataLookup for BuiltInTypes {
    fn lookup_type(&mut self, _: &str, _: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

fn built_in(metadata: &PgTypeMetadata) -> QueryResult<Type> {
    let oid = metadata.oid().map_err(|error| SerializationError(Box::new(error)))?;
    Type::from_oid(oid).ok_or_else(|| SerializationError("the type of a parameter is not built in".into()))
}

impl SimpleAsyncConnection for PgConn {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.run(query).await
    }
}

impl AsyncConnectionCore for PgConn {
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
        self.query(&source.as_query())
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        self.count_affected(&source)
    }
}

/// For diesel's migrations and the pool.
impl AsyncConnection for PgConn {
    type TransactionManager = AnsiTransactionManager;

    async fn establish(_: &str) -> ConnectionResult<Self> {
        Err(ConnectionError::InvalidConnectionUrl("connections are made by the connector".to_owned()))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut **self.instrumentation.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = Mutex::new(instrumentation.into());
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.prepared = match size {
            CacheSize::Disabled => None,
            _ => Some(Prepared::default()),
        };
    }
}

impl PoolableConnection for PgConn {
    fn is_broken(&mut self) -> bool {
        self.client.is_closed()
    }
}
