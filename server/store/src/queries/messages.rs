//! Messages that wait to be delivered.

use super::locking::lock;
use super::second_factor::usable_codes;
use super::{Conn, RunQueryDsl, TxResult, quotas};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{MessageRow, NewMessageRow, State};
use crate::schema::{accounts, messages};
use crate::work::{FinishMessage, MessageQueue, TakeMessages, TxOutcome, WhichMessages};
use countersign_domain::account::EmailAddress;
use countersign_domain::address::Address;
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::ids::{AccountId, TenantId};
use countersign_domain::language::Languages;
use countersign_domain::message::{Channel, Draft, Message, MessageKind, NewMessage, StoredMessage};
use countersign_domain::time::Timestamp;
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Stores a message, if there is one to store; within the open transaction.
pub(super) async fn enqueue(connection: &mut Conn, message: Option<&NewMessage>) -> Result<(), StoreError> {
    if let Some(message) = message {
        let row = NewMessageRow::from(message);
        diesel::insert_into(messages::table).values(row).execute(connection).await?;
    }
    Ok(())
}

/// Stores the notice that goes with an audit event, if there is one and the account has an e-mail address; within the open
/// transaction. That of a changed address is [`notify_at`] the old one.
pub(super) async fn notify(connection: &mut Conn, event: &AuditEvent) -> Result<(), StoreError> {
    if event.notices.is_none() || event.kind == EventKind::AddressChanged || event.kind.notice(0).is_none() {
        return Ok(());
    }
    let Some(account_id) = event.account_id else { return Ok(()) };
    let account = accounts::table.find(account_id.to_text()).select((accounts::email, accounts::email_verified));
    let found: Option<(Option<String>, bool)> = account.get_result(connection).await.optional()?;
    let Some((Some(email), is_verified)) = found else { return Ok(()) };
    notify_at(connection, event, &EmailAddress::new(&email), is_verified).await
}

/// The same for an address that was the account's before this transaction.
pub(super) async fn notify_at(
    connection: &mut Conn,
    event: &AuditEvent,
    to: &EmailAddress,
    is_verified: bool,
) -> Result<(), StoreError> {
    let (Some(notices), Some(account_id)) = (&event.notices, event.account_id) else { return Ok(()) };
    let codes_left = match event.kind {
        EventKind::BackupCodeUsed => usable_codes(connection, account_id).await?,
        _ => 0,
    };
    let Some(notice) = event.kind.notice(u32::try_from(codes_left).unwrap_or(0)) else { return Ok(()) };
    if !is_verified {
        // It may be somebody else's address, who did not ask for mail.
        let recent =
            messages::created_at.gt((event.at - DAY).as_millis()).and(messages::channel.eq(Channel::Email.name()));
        let mine = messages::table.filter(messages::account_id.eq(account_id.to_text())).filter(recent);
        let kinds: Vec<String> = mine.select(messages::kind).get_results(connection).await?;
        let notices_sent =
            kinds.iter().filter_map(|kind| MessageKind::parse(kind)).filter(|kind| kind.is_notice()).count();
        if notices_sent >= usize::try_from(notices.unverified_a_day).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
    let (languages, tenant_id) = reader(connection, account_id).await?;
    let tenant = tenant_id.and_then(|id| notices.directory.tenant(id));
    let to = Address::Email(to.clone());
    let sealed = notices.sealer.seal(Draft {
        id: event.id.into(),
        account_id,
        to: &to,
        message: &Message::Notice(notice),
        languages: Languages::of_message(
            languages,
            Languages::default(),
            tenant.and_then(|tenant| tenant.language.as_ref()),
        ),
        replaces: None,
        taken: Vec::new(),
        created_at: event.at,
        due_at: event.at,
        dead_at: event.at + notices.lifetime,
    });
    enqueue(connection, Some(&sealed)).await
}

/// The languages that the user of an account prefers, and the account's tenant.
async fn reader(connection: &mut Conn, account_id: AccountId) -> Result<(Languages, Option<TenantId>), StoreError> {
    let account = accounts::table.find(account_id.to_text()).select((accounts::tenant_id, accounts::profile));
    let found: Option<(String, String)> = account.get_result(connection).await.optional()?;
    Ok(found.map(|(tenant, profile)| (Languages::preferred(&profile), TenantId::parse(&tenant))).unwrap_or_default())
}

/// The languages that the user of an account prefers.
pub(crate) async fn preferred_languages(
    connection: &mut Conn,
    account_id: &AccountId,
) -> Result<Languages, StoreError> {
    Ok(reader(connection, *account_id).await?.0)
}

/// Ends the messages with one of these topics that wait, because a newer one is about to be stored; within the open transaction, which holds
/// the account's row. Returns those that were certainly not delivered: the rest is on its way at this moment, and is
/// settled when its attempt ends.
pub(super) async fn supersede(
    connection: &mut Conn,
    topics: &[[u8; 32]],
    now: Timestamp,
) -> Result<Vec<StoredMessage>, StoreError> {
    let topics = topics.iter().map(|topic| (topic, now));
    let rows = pipeline_all!(connection, topics, supersede_one);
    let idle = rows.into_iter().flatten().filter(|(_, lease_owner)| lease_owner.is_none());
    idle.map(|(row, _)| StoredMessage::try_from(row)).collect()
}

/// The same for one topic; each message with the process that delivers it at this moment, if there is one.
async fn supersede_one(
    connection: &mut Conn,
    (topic, now): (&[u8; 32], Timestamp),
) -> Result<Vec<(MessageRow, Option<String>)>, StoreError> {
    let ended = diesel::update(messages::table)
        .filter(messages::topic.eq(topic.as_slice()))
        .set((
            messages::state.eq(State::Superseded.name()),
            messages::topic.eq(None::<Vec<u8>>),
            messages::next_attempt_at.eq(None::<i64>),
            messages::ended_at.eq(now.as_millis()),
        ))
        .returning((MessageRow::as_returning(), messages::lease_owner))
        .cached()
        .get_results(connection)
        .await?;
    Ok(ended)
}

/// Takes messages to deliver them. One statement, so that no two processes take the same one.
pub(crate) async fn take_messages(connection: &mut Conn, take: &TakeMessages) -> TxResult<Vec<StoredMessage>> {
    let now = take.now.as_millis();
    let leased = (
        messages::lease_owner.eq(&take.owner),
        messages::next_attempt_at.eq(take.lease_ends_at.as_millis()),
        messages::attempts.eq(messages::attempts + 1),
    );
    let rows: Vec<MessageRow> = match take.which {
        WhichMessages::Stored(id) => {
            diesel::update(messages::table.find(id.to_text()))
                .filter(messages::next_attempt_at.is_not_null().and(messages::lease_owner.is_null()))
                .set(leased)
                .returning(MessageRow::as_returning())
                .cached()
                .get_results(connection)
                .await?
        }
        WhichMessages::Due { limit } => {
            let some = diesel::alias!(messages as some);
            let newest = some
                .filter(some.field(messages::next_attempt_at).le(now))
                .order(some.field(messages::next_attempt_at).desc())
                .limit(i64::from(limit))
                .select(some.field(messages::id));
            diesel::update(messages::table)
                .filter(messages::next_attempt_at.le(now))
                .filter(messages::id.eq_any(skip_locked!(newest)))
                .set(leased)
                .returning(MessageRow::as_returning())
                .cached()
                .get_results(connection)
                .await?
        }
    };
    let taken: Result<Vec<StoredMessage>, StoreError> = rows.into_iter().map(StoredMessage::try_from).collect();
    Ok(TxOutcome::Commit(taken?))
}

/// Notes how an attempt ended; `false` if the message is not this process's any more. What is sent, or will not be, loses its
/// sealed text.
pub(crate) async fn finish_message(connection: &mut Conn, finish: &FinishMessage) -> TxResult<bool> {
    let id = finish.id.to_text();
    if finish.decision == Redelivery::Delivered {
        let touched = end(connection, finish, State::Sent).await?;
        return Ok(TxOutcome::Commit(touched == 1));
    }
    // Uses are given back in the order in which all units of work take rows: the account's first.
    if !finish.taken.is_empty() {
        lock(connection, finish.account_id).await?;
    }
    let mine = messages::lease_owner.eq(&finish.owner);
    if let Redelivery::RetryAt(at) = finish.decision {
        let waiting = messages::table.find(&id).filter(mine).filter(messages::next_attempt_at.is_not_null());
        let touched = diesel::update(waiting)
            .set((messages::next_attempt_at.eq(at.as_millis()), messages::lease_owner.eq(None::<String>)))
            .cached()
            .execute(connection)
            .await?;
        if touched == 1 {
            return Ok(TxOutcome::Commit(true));
        }
        // A newer message may have taken its place since; then it is over.
    }
    let touched = end(connection, finish, State::Dead).await?;
    if touched == 1 && finish.decision != Redelivery::Refused {
        for taken in &finish.taken {
            quotas::untake(connection, taken).await?;
        }
    }
    Ok(TxOutcome::Commit(touched == 1))
}

async fn end(connection: &mut Conn, finish: &FinishMessage, state: State) -> Result<usize, StoreError> {
    let mine = messages::table.find(finish.id.to_text()).filter(messages::lease_owner.eq(&finish.owner));
    Ok(diesel::update(mine)
        .set((
            messages::state.eq(state.name()),
            messages::sealed.eq(Vec::<u8>::new()),
            messages::topic.eq(None::<Vec<u8>>),
            messages::next_attempt_at.eq(None::<i64>),
            messages::lease_owner.eq(None::<String>),
            messages::ended_at.eq(finish.now.as_millis()),
        ))
        .cached()
        .execute(connection)
        .await?)
}

/// When the next message is due.
pub(crate) async fn next_message(connection: &mut Conn, (): &()) -> Result<Option<Timestamp>, StoreError> {
    let waiting = messages::table.filter(messages::next_attempt_at.is_not_null());
    let next: Option<i64> = waiting.select(min(messages::next_attempt_at)).get_result(connection).await?;
    Ok(next.map(Timestamp::from_millis))
}

/// What waits to be delivered.
pub(crate) async fn message_queue(connection: &mut Conn, (): &()) -> Result<MessageQueue, StoreError> {
    let (waiting, oldest, next): (i64, Option<i64>, Option<i64>) = messages::table
        .filter(messages::next_attempt_at.is_not_null())
        .select((count_star(), min(messages::created_at), min(messages::next_attempt_at)))
        .get_result(connection)
        .await?;
    Ok(MessageQueue {
        waiting: u64::try_from(waiting).unwrap_or(0),
        oldest: oldest.map(Timestamp::from_millis),
        next_due_at: next.map(Timestamp::from_millis),
    })
}
