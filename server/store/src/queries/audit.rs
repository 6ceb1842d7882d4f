//! The audit trail.

use super::{Conn, RunQueryDsl, TxResult, messages, note_event, pipeline_commit, webhooks};
use crate::committed;
use crate::error::StoreError;
use crate::rows::AuditEventRow;
use crate::schema::audit_events;
use crate::work::{AuditOrder, AuditPlace, FindAuditEvents, StoredAuditEvent, TxOutcome};
use countersign_domain::audit::AuditEvent;
use countersign_domain::ids::{AccountId, AuditId};
use countersign_domain::method::Method;
use countersign_domain::time::Timestamp;
use countersign_domain::webhook_event::wanted;
use diesel::prelude::*;

/// Writes an event, and stores the notice that goes with it and what receivers of webhooks get; within the open transaction.
pub(super) async fn write(connection: &mut Conn, event: &AuditEvent) -> Result<(), StoreError> {
    write_removal(connection, event, &[]).await
}

/// The same for an event that has removed methods.
pub(super) async fn write_removal(
    connection: &mut Conn,
    event: &AuditEvent,
    removed: &[Method],
) -> Result<(), StoreError> {
    note_event(connection, event);
    diesel::insert_into(audit_events::table).values(AuditEventRow::from(event)).execute(connection).await?;
    committed::note(event);
    if !is_one_statement(event) {
        // Boxed, because every unit of work has room for it otherwise.
        Box::pin(tell(connection, event, removed)).await?;
    }
    Ok(())
}

/// Stores the notice, and what receivers of webhooks get.
async fn tell(connection: &mut Conn, event: &AuditEvent, removed: &[Method]) -> Result<(), StoreError> {
    messages::notify(connection, event).await?;
    webhooks::enqueue(connection, event, removed).await
}

/// Whether [`write`] is one statement for this event: it has no notice, and no receivers of webhooks want it.
pub(super) fn is_one_statement(event: &AuditEvent) -> bool {
    let has_notice = event.notices.is_some() && event.kind.is_notice();
    let is_wanted = event.webhooks.as_ref().is_some_and(|webhooks| wanted(webhooks, event.kind).next().is_some());
    !has_notice && !is_wanted
}

/// Writes events, within the open transaction.
pub(super) async fn write_all(connection: &mut Conn, events: &[AuditEvent]) -> Result<(), StoreError> {
    pipeline_all!(connection, events.iter(), write);
    Ok(())
}

/// Writes the event that a unit of work ends with, and pipelines the `COMMIT` if that is one statement.
pub(super) async fn write_and_commit<T>(connection: &mut Conn, event: &AuditEvent, value: T) -> TxResult<T> {
    pipeline!(connection; write(event), pipeline_commit(is_one_statement(event)));
    Ok(TxOutcome::Commit(value))
}

/// Writes an event that belongs to no other change.
pub(crate) async fn record(connection: &mut Conn, event: &AuditEvent) -> TxResult<()> {
    write_and_commit(connection, event, ()).await
}

/// Where an event is in the trail.
pub(crate) async fn audit_place(connection: &mut Conn, id: &AuditId) -> Result<Option<AuditPlace>, StoreError> {
    let event = audit_events::table.find(id.to_text()).select(audit_events::at);
    let at: Option<i64> = event.get_result(connection).await.optional()?;
    Ok(at.map(|at| AuditPlace { at: Timestamp::from_millis(at), id: *id }))
}

/// The events of a page that a condition holds for. The text of the statement is the same for every page.
macro_rules! page {
    ($connection:ident, $find:ident, $condition:expr) => {{
        let earliest = $find.since.map_or(i64::MIN, Timestamp::as_millis);
        let latest = $find.until.map_or(i64::MAX, |until| until.as_millis().saturating_sub(1));
        let after = $find.after.map(|place| (place.at.as_millis(), place.id.to_text()));
        let limit = i64::from($find.limit);
        let rows: Vec<AuditEventRow> = match $find.order {
            AuditOrder::OldestFirst => {
                let (at, id) = after.unwrap_or((i64::MIN, String::new()));
                audit_events::table
                    .filter($condition)
                    .filter(audit_events::at.between(earliest.max(at), latest))
                    .filter(audit_events::at.gt(at).or(audit_events::id.gt(id)))
                    .order((audit_events::at, audit_events::id))
                    .limit(limit)
                    .select(AuditEventRow::as_select())
                    .load($connection)
                    .await?
            }
            AuditOrder::NewestFirst => {
                let (at, id) = after.unwrap_or((i64::MAX, String::new()));
                audit_events::table
                    .filter($condition)
                    .filter(audit_events::at.between(earliest, latest.min(at)))
                    .filter(audit_events::at.lt(at).or(audit_events::id.lt(id)))
                    .order((audit_events::at.desc(), audit_events::id.desc()))
                    .limit(limit)
                    .select(AuditEventRow::as_select())
                    .load($connection)
                    .await?
            }
        };
        rows
    }};
}

/// A page of events, in order. Several kinds are looked for one after the other, each by an index.
pub(crate) async fn audit_events(
    connection: &mut Conn,
    find: &FindAuditEvents,
) -> Result<Vec<StoredAuditEvent>, StoreError> {
    let account = find.account_id.map(AccountId::to_text);
    let mut rows = Vec::new();
    match (&account, find.kinds.as_slice()) {
        (Some(account), []) => rows = page!(connection, find, audit_events::account_id.eq(account)),
        (None, []) => rows = page!(connection, find, audit_events::id.ge("")),
        (Some(account), kinds) => {
            for kind in kinds {
                // The events of an account are fewer than those of a kind: no index of kinds serves an expression.
                let of_kind = audit_events::kind.concat("").eq(kind);
                rows.extend(page!(connection, find, audit_events::account_id.eq(account).and(of_kind)));
            }
        }
        (None, kinds) => {
            for kind in kinds {
                rows.extend(page!(connection, find, audit_events::kind.eq(kind)));
            }
        }
    }
    let mut events: Vec<StoredAuditEvent> =
        rows.into_iter().map(StoredAuditEvent::try_from).collect::<Result<_, _>>()?;
    let place = |event: &StoredAuditEvent| (event.at, event.id);
    match find.order {
        AuditOrder::OldestFirst => events.sort_unstable_by_key(place),
        AuditOrder::NewestFirst => events.sort_unstable_by_key(|event| std::cmp::Reverse(place(event))),
    }
    events.truncate(usize::try_from(find.limit).unwrap_or(usize::MAX));
    Ok(events)
}
