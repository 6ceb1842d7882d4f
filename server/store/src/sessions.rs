//! Whether the server keeps a session for each connection, or a pooler in between lends its sessions for a transaction.
//!
//! Where sessions are shared (PgBouncer with `pool_mode = transaction`), a statement that one connection has prepared is not there for its
//! next transaction, and a setting is there for somebody else's. It looks like a server of one's own until many connections are busy.

use crate::connector::{Connector, Sessions};
use crate::open_error::OpenError;
use std::time::Duration;
use tokio_postgres::{Client, SimpleQueryMessage};

/// How often it is tried. Other clients of the pooler may take a session in between.
const ROUNDS: usize = 3;

/// How long a server may take to say which session it is. Where one takes longer, statements are not prepared without need.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whose the sessions are that this address leads to. They are shared if the address says so, or if a connection is served by changing
/// sessions, or a session serves two connections.
///
/// A pooler gives each statement outside a transaction the session that was returned last, or the one that has waited longest.
/// So one connection asks twice which session it has, and again while a transaction on the other one holds a session: in the first
/// case the other one has got its session, in the second its session has changed.
pub(crate) async fn find(connector: &Connector) -> Result<Sessions, OpenError> {
    let one = client(connector).await?;
    // A pooler may lend a session for a statement only.
    begin(&one).await?;
    rollback(&one).await?;
    if connector.is_pooled() {
        return Ok(Sessions::Shared);
    }
    let other = client(connector).await?;
    for _ in 0..ROUNDS {
        let (first, second) = (session(&one).await?, session(&one).await?);
        begin(&other).await?;
        let held = session(&other).await?;
        let meanwhile = tokio::time::timeout(PATIENCE, session(&one)).await;
        rollback(&other).await?;
        // A pooler whose sessions are all taken has its clients wait for one.
        let Ok(meanwhile) = meanwhile else { return Ok(Sessions::Shared) };
        let meanwhile = meanwhile?;
        if first != second || second != meanwhile || held == second {
            return Ok(Sessions::Shared);
        }
    }
    Ok(Sessions::Own)
}

async fn client(connector: &Connector) -> Result<Client, OpenError> {
    connector.client().await.map_err(OpenError::unreachable)
}

async fn begin(client: &Client) -> Result<(), OpenError> {
    client.batch_execute("BEGIN").await.map_err(|error| match error.as_db_error() {
        // PgBouncer's message.
        Some(refusal) if refusal.message().contains("statement pooling") => OpenError::NoTransactions,
        _ => OpenError::unreachable(error),
    })
}

async fn rollback(client: &Client) -> Result<(), OpenError> {
    client.batch_execute("ROLLBACK").await.map_err(OpenError::unreachable)
}

/// The process that serves a connection, asked for without a prepared statement.
async fn session(client: &Client) -> Result<Option<String>, OpenError> {
    let answers = client.simple_query("SELECT pg_backend_pid()").await.map_err(OpenError::unreachable)?;
    Ok(first_value(&answers))
}

/// The first value of the first row.
pub(crate) fn first_value(answers: &[SimpleQueryMessage]) -> Option<String> {
    answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}
