//! The audit trail.

use super::{Conn, TxResult};
use crate::error::StoreError;
use crate::rows::AuditEventRow;
use crate::schema::audit_events;
use crate::work::TxOutcome;
use countersign_domain::audit::AuditEvent;
use diesel_async::RunQueryDsl;

/// Writes an event within the open transaction.
pub(super) async fn write(connection: &mut Conn, event: &AuditEvent) -> Result<(), StoreError> {
    diesel::insert_into(audit_events::table).values(AuditEventRow::from(event)).execute(connection).await?;
    Ok(())
}

/// Writes an event that belongs to no other change.
pub(crate) async fn record(connection: &mut Conn, event: &AuditEvent) -> TxResult<()> {
    write(connection, event).await?;
    Ok(TxOutcome::Commit(()))
}
