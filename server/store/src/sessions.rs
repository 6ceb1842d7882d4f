//! Whether the server keeps a session for each connection, as prepared statements and the settings of a session need it.
//!
//! A pooler that lends a server's session for a transaction (PgBouncer with `pool_mode = transaction`) looks like a server until
//! many connections are busy; then statements of one node reach sessions that do not know them, or know others by their name.

use crate::connector::Connector;
use crate::open_error::OpenError;
use tokio_postgres::{Client, SimpleQueryMessage};

/// How often it is tried. Other clients of the pooler may take a session in between.
const ROUNDS: usize = 3;

/// Whether a connection is served by changing sessions, or a session serves two connections.
///
/// A pooler gives each statement outside a transaction the session that was returned last, or the one that has waited longest.
/// So one connection asks twice which session it has, and again while a transaction on the other one holds a session: in the first
/// case the other one has got its session, in the second its session has changed.
pub(crate) async fn are_shared(connector: &Connector) -> Result<bool, OpenError> {
    let (one, other) = (client(connector).await?, client(connector).await?);
    for _ in 0..ROUNDS {
        let (first, second) = (session(&one).await?, session(&one).await?);
        other.batch_execute("BEGIN").await.map_err(OpenError::unreachable)?;
        let held = session(&other).await?;
        let meanwhile = session(&one).await?;
        other.batch_execute("ROLLBACK").await.map_err(OpenError::unreachable)?;
        if first != second || second != meanwhile || held == second {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn client(connector: &Connector) -> Result<Client, OpenError> {
    connector.client().await.map_err(OpenError::unreachable)
}

/// The process that serves a connection, asked for without a prepared statement.
async fn session(client: &Client) -> Result<Option<String>, OpenError> {
    let answers = client.simple_query("SELECT pg_backend_pid()").await.map_err(OpenError::unreachable)?;
    Ok(answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}
