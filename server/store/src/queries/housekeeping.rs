//! Removing what has passed.

use super::{Conn, Work};
use crate::schema::{
    audit_events, budgets, challenges, mailed_codes, refresh_tokens, sessions, tickets, trusted_devices,
};
use crate::work::{Passing, PurgeTable, Unit};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// Deletes some rows whose time is over, the oldest first. The time is asked for twice: whoever had to wait for a row
/// that somebody was just renewing (a budget begins anew in the same row) must look at it again.
macro_rules! delete_some {
    ($connection:ident, $purge:ident, $table:ident, $key:ident, $time:ident) => {{
        let before = $purge.before.as_millis();
        let some = diesel::alias!($table as some);
        let oldest = some
            .filter(some.field($table::$time).le(before))
            .order((some.field($table::$time), some.field($table::$key)))
            .limit(i64::from($purge.batch))
            .select(some.field($table::$key));
        diesel::delete($table::table.filter($table::$time.le(before)).filter($table::$key.eq_any(oldest)))
            .execute($connection)
            .await?
    }};
}

/// Removes some of what has passed from one table; says how many.
pub(crate) async fn purge_table(connection: &mut Conn, purge: &PurgeTable) -> Work<usize> {
    let rows = match purge.table {
        Passing::Challenges => delete_some!(connection, purge, challenges, digest, expires_at),
        Passing::MailedCodes => delete_some!(connection, purge, mailed_codes, subject, expires_at),
        Passing::Sessions => delete_some!(connection, purge, sessions, id, expires_at),
        Passing::RefreshTokens => delete_some!(connection, purge, refresh_tokens, digest, expires_at),
        Passing::Tickets => delete_some!(connection, purge, tickets, digest, expires_at),
        Passing::TrustedDevices => delete_some!(connection, purge, trusted_devices, digest, expires_at),
        Passing::Budgets => delete_some!(connection, purge, budgets, name, expires_at),
        Passing::AuditEvents => delete_some!(connection, purge, audit_events, id, at),
    };
    Ok(Unit::Commit(rows))
}
