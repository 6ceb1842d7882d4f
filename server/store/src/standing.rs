//! What a server says of itself: since when it runs, and whether it takes writes.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// When it was started: also tells it from other servers. Servers with the same protocol may not know it, and
    /// are then taken to be there for as long as they respond.
    pub(crate) started: Option<String>,
    pub(crate) takes_writes: bool,
    /// Where it takes writes, and was asked for it.
    pub(crate) timeline: Option<u32>,
}

impl Standing {
    /// Only replicas are asked for their timeline: not all servers with this protocol know what that is.
    pub(crate) async fn of(client: &Client, is_replica: bool) -> Result<Self, tokio_postgres::Error> {
        let timeline = match is_replica {
            true => "CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END",
            false => "NULL",
        };
        let sql = format!(
            "SELECT pg_postmaster_start_time(), pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', {timeline}"
        );
        let answers = match client.simple_query(&sql).await {
            Err(error) if !is_replica && error.code() == Some(&SqlState::UNDEFINED_FUNCTION) => {
                return Ok(Self { started: None, takes_writes: true, timeline: None });
            }
            answers => answers?,
        };
        let row = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(Self {
            started: row.and_then(|row| row.get(0)).map(str::to_owned),
            takes_writes: row.is_some_and(|row| row.get(1) == Some("f")),
            timeline: row.and_then(|row| row.get(2)).and_then(|digits| u32::from_str_radix(digits, 16).ok()),
        })
    }
}
