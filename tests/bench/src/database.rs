//! The database behind the server's back, filled in bulk.

use crate::progress::say;
use crate::rows::Rows;
use anyhow::{Context as _, Result};
use bytes::Bytes;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use futures::SinkExt as _;
use std::path::Path;

/// Rows that go into SQLite with one statement.
const ROWS_PER_STATEMENT: usize = 10_000;

/// What SQLite says of its file.
#[derive(diesel::QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// An open database.
pub(crate) enum Database {
    /// The file.
    Sqlite(SqliteConnection),
    /// A connection to the server.
    Postgres(tokio_postgres::Client),
}

impl Database {
    /// Writes rows, all or none.
    pub(crate) async fn insert(&mut self, tables: &[Rows]) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                let insert = |connection: &mut SqliteConnection| {
                    for rows in tables {
                        let statement = rows.table.insert_json();
                        for values in rows.values.chunks(ROWS_PER_STATEMENT) {
                            let json = serde_json::to_string(values).expect("rows hold plain values");
                            diesel::sql_query(&statement).bind::<Text, _>(json).execute(connection)?;
                        }
                    }
                    Ok::<_, diesel::result::Error>(())
                };
                connection.immediate_transaction(insert).context("failed to write rows into SQLite")
            }
            Self::Postgres(client) => {
                let transaction = client.transaction().await.context("failed to begin a transaction")?;
                for rows in tables {
                    let sink = transaction.copy_in(&rows.table.copy()).await.context("failed to begin a COPY")?;
                    let mut sink = std::pin::pin!(sink);
                    sink.send(Bytes::from(rows.to_copy_text())).await.context("failed to copy rows")?;
                    sink.finish().await.with_context(|| format!("failed to copy rows into {}", rows.table.name))?;
                }
                transaction.commit().await.context("failed to commit rows")
            }
        }
    }

    /// What it takes on disk, its log aside.
    pub(crate) async fn bytes(&mut self) -> Result<u64> {
        let bytes: i64 = match self {
            Self::Sqlite(connection) => {
                let size = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
                let size: Size = diesel::sql_query(size).get_result(connection).context("failed to ask for a size")?;
                size.bytes
            }
            Self::Postgres(client) => {
                let row = client.query_one("SELECT pg_database_size(current_database())", &[]).await;
                row.context("failed to ask for the database's size")?.get(0)
            }
        };
        u64::try_from(bytes).context("the database's size is negative")
    }

    /// Runs statements that need no response.
    pub(crate) async fn execute(&mut self, statements: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(statements).context("failed to change the database"),
            Self::Postgres(client) => client.batch_execute(statements).await.context("failed to change the database"),
        }
    }

    /// Lets what was written reach the disk now, and not while something is timed.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => self.execute("PRAGMA wal_checkpoint(TRUNCATE)").await,
            Self::Postgres(client) => {
                // Not every user of somebody else's server may.
                let _ = client.batch_execute("CHECKPOINT").await;
                Ok(())
            }
        }
    }

    /// After rows in bulk: what PostgreSQL would do by itself a minute later, in the middle of a measurement.
    pub(crate) async fn tidy(&mut self) -> Result<()> {
        if matches!(self, Self::Postgres(_)) {
            say("vacuuming the database");
            self.execute("VACUUM ANALYZE").await?;
        }
        self.settle().await
    }
}

/// Opens a file that the server has made.
pub(crate) fn open_sqlite(path: &Path) -> Result<SqliteConnection> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).context("failed to open the database")?;
    // Rows get to the disk with the checkpoint that `settle` makes.
    let settings = "PRAGMA busy_timeout = 10000; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -262144;";
    connection.batch_execute(settings).context("failed to set up the database")?;
    Ok(connection)
}

/// Connects to a PostgreSQL server.
pub(crate) async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.context("failed to connect to PostgreSQL")?;
    // It ends with the client; what goes wrong on it, the client's calls tell.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(client)
}
