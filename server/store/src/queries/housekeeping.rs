//! Deleting expired rows.

use super::{Conn, RunQueryDsl, TxResult};
use crate::schema::{
    budgets, challenges, former_addresses, known_networks, mailed_codes, messages, passkey_ceremonies, refresh_tokens,
    sessions, spent_steps, tickets, trusted_devices, webhook_events,
};
use crate::work::{ExpiringTable, PurgeTable, TxOutcome};
use diesel::prelude::*;
use std::time::Duration;

/// Deletes some expired rows, the oldest first. Rows that another transaction holds are left for the next time: several rows
/// are locked here in an order that is nobody else's, and who waits for none of them is part of no deadlock.
///
/// The delete repeats the condition on the time, because a row may have been renewed since it was found (a quota starts a
/// new window in the same row).
macro_rules! delete_some {
    ($connection:ident, $purge:ident, $table:ident, $key:ident, $time:ident) => {{
        let before = $purge.before.as_millis();
        let some = diesel::alias!($table as some);
        let oldest = some
            .filter(some.field($table::$time).le(before))
            .order((some.field($table::$time), some.field($table::$key)))
            .limit(i64::from($purge.batch))
            .select(some.field($table::$key));
        diesel::delete($table::table.filter($table::$time.le(before)).filter($table::$key.eq_any(skip_locked!(oldest))))
            .execute($connection)
            .await?
    }};
}

/// How long a message stays after its death, so that a node has given back what it had taken from quotas.
const MESSAGES_STAY: Duration = Duration::from_secs(60 * 60);

/// Deletes some expired rows of one table; returns how many.
pub(crate) async fn purge_table(connection: &mut Conn, purge: &PurgeTable) -> TxResult<usize> {
    let rows = match purge.table {
        ExpiringTable::Challenges => delete_some!(connection, purge, challenges, digest, expires_at),
        ExpiringTable::PasskeyCeremonies => delete_some!(connection, purge, passkey_ceremonies, digest, expires_at),
        ExpiringTable::OneTimeCodes => delete_some!(connection, purge, mailed_codes, subject, expires_at),
        ExpiringTable::Sessions => delete_some!(connection, purge, sessions, id, expires_at),
        ExpiringTable::RefreshTokens => delete_some!(connection, purge, refresh_tokens, digest, expires_at),
        ExpiringTable::Tickets => delete_some!(connection, purge, tickets, digest, expires_at),
        ExpiringTable::FormerAddresses => delete_some!(connection, purge, former_addresses, digest, expires_at),
        ExpiringTable::TrustedDevices => delete_some!(connection, purge, trusted_devices, digest, expires_at),
        ExpiringTable::KnownNetworks => delete_some!(connection, purge, known_networks, digest, expires_at),
        ExpiringTable::Quotas => delete_some!(connection, purge, budgets, name, expires_at),
        ExpiringTable::SpentSteps => delete_some!(connection, purge, spent_steps, secret_fingerprint, expires_at),
        // The sealed text of what was sent is gone already. What was never taken by a node is left a while for one that comes late.
        ExpiringTable::Messages => {
            let purge = &PurgeTable { before: purge.before - MESSAGES_STAY, ..*purge };
            delete_some!(connection, purge, messages, id, dead_at)
        }
        // Those of a receiver that is configured nowhere any more; others are deleted, and logged, by the node that gives them up.
        ExpiringTable::WebhookEvents => {
            let purge = &PurgeTable { before: purge.before - MESSAGES_STAY, ..*purge };
            delete_some!(connection, purge, webhook_events, event_id, dead_at)
        }
    };
    Ok(TxOutcome::Commit(rows))
}
