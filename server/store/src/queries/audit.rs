//! The audit trail.

use super::{Conn, TxResult};
use crate::error::StoreError;
use crate::rows::AuditEventRow;
use crate::schema::audit_events;
use crate::work::TxOutcome;
use countersign_domain::audit::AuditEvent;
use diesel_async::RunQueryDsl;

/// Writes a line within the transaction that is open.
pub(super) async fn write(connection: &mut Conn, event: &AuditEvent) -> Result<(), StoreError> {
    diesel::insert_into(audit_events::table).values(AuditEventRow::from(event)).execute(connection).await?;
    Ok(())
}

/// Writes a line that stands for itself.
pub(crate) async fn record(connection: &mut Conn, event: &AuditEvent) -> TxResult<()> {
    write(connection, event).await?;
    Ok(TxOutcome::Commit(()))
}
