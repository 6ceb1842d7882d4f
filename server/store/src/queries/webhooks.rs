//! Events that wait to be sent to receivers of webhooks.

use super::{Conn, RunQueryDsl, TxResult, users};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{MethodRow, NewWebhookEventRow, WebhookEventRow};
use crate::schema::{methods, webhook_events};
use crate::work::{FinishWebhookEvent, StoredWebhookEvent, TakeWebhookEvents, TxOutcome, WebhookQueue};
use countersign_domain::address::MethodKind;
use countersign_domain::audit::AuditEvent;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::ids::AccountId;
use countersign_domain::method::Method;
use countersign_domain::time::Timestamp;
use countersign_domain::webhook::EventType;
use countersign_domain::webhook_event::{Facts, WebhookBody, wanted};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;

/// Stores what receivers get of an audit event, within the open transaction. `removed` are the methods that it has removed: each is
/// an event of its own.
pub(super) async fn enqueue(connection: &mut Conn, event: &AuditEvent, removed: &[Method]) -> Result<(), StoreError> {
    let (Some(webhooks), Some(account_id)) = (&event.webhooks, event.account_id) else { return Ok(()) };
    let wanted: Vec<EventType> = wanted(webhooks, event.kind).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let Some((account, last_sign_in_at)) = users::with_last_sign_in(connection, account_id).await? else {
        return Ok(());
    };
    for event_type in wanted {
        let about: Vec<Option<Method>> = match event_type {
            EventType::MethodRemove => removed.iter().cloned().map(Some).collect(),
            EventType::MethodAdd => vec![newest_method(connection, account_id, event.factor).await?],
            _ => vec![None],
        };
        for method in &about {
            let facts = Facts { audit: event, account: &account, last_sign_in_at, method: method.as_ref() };
            let body = WebhookBody::new(event_type, &facts);
            for subscription in webhooks.subscriptions.iter().filter(|one| one.wants(event_type, account.tenant_id)) {
                let row = NewWebhookEventRow::new(event, account_id, event_type, &body, &subscription.receiver);
                diesel::insert_into(webhook_events::table).values(row).execute(connection).await?;
            }
        }
    }
    Ok(())
}

/// The method that was begun or added last, of the kind that a code is of. The code which confirms a method is recorded with it.
async fn newest_method(
    connection: &mut Conn,
    account_id: AccountId,
    factor: Option<Factor>,
) -> Result<Option<Method>, StoreError> {
    let kinds: &[MethodKind] = match factor {
        Some(Factor::Totp) => &[MethodKind::Authenticator],
        Some(Factor::OneTimeCode) => &[MethodKind::Email, MethodKind::Sms],
        Some(Factor::BackupCode | Factor::Passkey) | None => &MethodKind::ALL,
    };
    let rows: Vec<MethodRow> = methods::table
        .filter(methods::account_id.eq(account_id.to_text()))
        .order((methods::created_at.desc(), methods::id.desc()))
        .select(MethodRow::as_select())
        .load(connection)
        .await?;
    let mut found = rows.into_iter().map(Method::try_from).collect::<Result<Vec<_>, _>>()?.into_iter();
    Ok(found.find(|method| kinds.contains(&method.kind)))
}

/// Takes events to send them. Rows that another process is about to take are skipped.
pub(crate) async fn take_webhook_events(
    connection: &mut Conn,
    take: &TakeWebhookEvents,
) -> TxResult<Vec<StoredWebhookEvent>> {
    let now = take.now.as_millis();
    let some = diesel::alias!(webhook_events as some);
    let oldest = some
        .filter(some.field(webhook_events::receiver).eq(&take.receiver))
        .filter(some.field(webhook_events::next_attempt_at).le(now))
        .order(some.field(webhook_events::next_attempt_at))
        .limit(i64::from(take.limit))
        .select(some.field(webhook_events::event_id));
    let due = webhook_events::table
        .filter(webhook_events::receiver.eq(&take.receiver))
        .filter(webhook_events::next_attempt_at.le(now))
        .filter(webhook_events::event_id.eq_any(skip_locked!(oldest)));
    let rows: Vec<WebhookEventRow> = diesel::update(due)
        .set((
            webhook_events::lease_owner.eq(&take.owner),
            webhook_events::next_attempt_at.eq(take.lease_ends_at.as_millis()),
            webhook_events::attempts.eq(webhook_events::attempts + 1),
        ))
        .returning(WebhookEventRow::as_returning())
        .cached()
        .get_results(connection)
        .await?;
    let taken: Result<Vec<StoredWebhookEvent>, StoreError> =
        rows.into_iter().map(StoredWebhookEvent::try_from).collect();
    Ok(TxOutcome::Commit(taken?))
}

/// Notes how an attempt ended; `false` if the event is not this process's any more. What was delivered, or will not be, is deleted.
pub(crate) async fn finish_webhook_event(connection: &mut Conn, finish: &FinishWebhookEvent) -> TxResult<bool> {
    let key = (finish.id.to_text(), finish.receiver.clone());
    let mine = webhook_events::table.find(key).filter(webhook_events::lease_owner.eq(&finish.owner));
    let touched = match finish.decision {
        Redelivery::Delivered | Redelivery::Dead | Redelivery::Refused => {
            diesel::delete(mine).execute(connection).await?
        }
        Redelivery::RetryAt(at) => {
            diesel::update(mine)
                .set((
                    webhook_events::next_attempt_at.eq(at.as_millis()),
                    webhook_events::lease_owner.eq(None::<String>),
                ))
                .cached()
                .execute(connection)
                .await?
        }
    };
    Ok(TxOutcome::Commit(touched == 1))
}

/// When the next event for a receiver is due.
pub(crate) async fn next_webhook_event(
    connection: &mut Conn,
    receiver: &String,
) -> Result<Option<Timestamp>, StoreError> {
    let waiting = webhook_events::table.filter(webhook_events::receiver.eq(receiver));
    let next: Option<i64> = waiting.select(min(webhook_events::next_attempt_at)).get_result(connection).await?;
    Ok(next.map(Timestamp::from_millis))
}

/// What waits to be sent, to all receivers.
pub(crate) async fn webhook_queue(connection: &mut Conn, (): &()) -> Result<WebhookQueue, StoreError> {
    // A condition that always holds has an index read.
    let (waiting, oldest): (i64, Option<i64>) = webhook_events::table
        .filter(webhook_events::receiver.ge(""))
        .select((count_star(), min(webhook_events::created_at)))
        .get_result(connection)
        .await?;
    Ok(WebhookQueue { waiting: u64::try_from(waiting).unwrap_or(0), oldest: oldest.map(Timestamp::from_millis) })
}
