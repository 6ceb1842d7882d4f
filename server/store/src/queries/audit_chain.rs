//! The blocks of the audit trail. One transaction at a time adds one: each locks the last block first.

use super::{Conn, RunQueryDsl, TxResult};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AuditBlockRow, AuditEventRow, corrupt};
use crate::schema::{audit_blocks, audit_events};
use crate::work::{
    AuditBlockSealed, AuditBlocksRemoved, FindAuditBlocks, FindBlockEvents, FindUnsealed, RemoveAuditBlocks,
    ResealedBlock, SealAuditBlock, TxOutcome,
};
use countersign_domain::audit_chain::{LONGEST_SPAN, REFUSED, StoredBlock, WrittenEvent};
use countersign_domain::decisions::{audit_removal, audit_sealing};
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// The last block.
pub(crate) async fn audit_head(connection: &mut Conn, (): &()) -> Result<Option<StoredBlock>, StoreError> {
    let row: Option<AuditBlockRow> = audit_blocks::table
        .filter(audit_blocks::number.gt(0))
        .order(audit_blocks::number.desc())
        .limit(1)
        .select(AuditBlockRow::as_select())
        .get_result(connection)
        .await
        .optional()?;
    let head = row.map(StoredBlock::from);
    // SQLite stores what is no number, too: it comes after all numbers, and is read as one.
    match head.as_ref().is_none_or(|head| (1..i64::MAX).contains(&head.block.number)) {
        true => Ok(head),
        false => Err(corrupt("audit_blocks", "the number of a block")),
    }
}

/// Locks the row of a block; `false` if it is gone.
async fn lock(connection: &mut Conn, number: i64) -> Result<bool, StoreError> {
    let touched = diesel::update(audit_blocks::table.find(number))
        .set(audit_blocks::events.eq(audit_blocks::events))
        .cached()
        .execute(connection)
        .await?;
    Ok(touched == 1)
}

/// Seals some events in a new block; `None` if there are none, or another node has just sealed some.
pub(crate) async fn seal_audit_block(
    connection: &mut Conn,
    seal: &SealAuditBlock,
) -> TxResult<Option<AuditBlockSealed>> {
    const NOTHING: TxOutcome<Option<AuditBlockSealed>> = TxOutcome::Rollback(None);
    let head = audit_head(connection, &()).await?;
    if let Some(head) = &head {
        if !lock(connection, head.block.number).await? {
            return Ok(NOTHING);
        }
        // The lock may have waited for a transaction that added one.
        let now = audit_head(connection, &()).await?;
        if now.as_ref() != Some(head) {
            return Ok(NOTHING);
        }
    }
    let number = head.as_ref().map_or(1, |head| head.block.number.saturating_add(1));
    let earliest: Option<i64> = audit_events::table
        .filter(audit_events::block.is_null())
        .order(audit_events::at)
        .limit(1)
        .select(audit_events::at)
        .get_result(connection)
        .await
        .optional()?;
    let Some(earliest) = earliest else { return Ok(NOTHING) };
    let latest = Timestamp::from_millis(earliest) + LONGEST_SPAN;
    let some = diesel::alias!(audit_events as some);
    let waiting = some
        .filter(some.field(audit_events::block).is_null())
        .filter(some.field(audit_events::at).le(latest.as_millis()))
        .order((some.field(audit_events::at), some.field(audit_events::id)))
        .limit(i64::from(seal.limit))
        .select(some.field(audit_events::id));
    // What is marked is what is sealed, whatever else becomes visible meanwhile.
    let marked = audit_events::table.filter(audit_events::block.is_null()).filter(audit_events::id.eq_any(waiting));
    let rows: Vec<AuditEventRow> = diesel::update(marked)
        .set(audit_events::block.eq(Some(number)))
        .returning(AuditEventRow::as_returning())
        .cached()
        .get_results(connection)
        .await?;
    let mut events: Vec<WrittenEvent> = rows.into_iter().map(WrittenEvent::from).collect();
    if events.is_empty() {
        // No other node seals while the last block is locked: what waits has a time that is none.
        return if head.is_some() { Err(corrupt("audit_events", "the time of an event")) } else { Ok(NOTHING) };
    }
    events.sort_unstable_by(|one, other| one.content.place().cmp(&other.content.place()));
    let has_more = events.len() >= usize::try_from(seal.limit).unwrap_or(usize::MAX) || latest < seal.now;
    let sealing = audit_sealing::decide(head.as_ref(), events, &seal.keys, seal.now);
    for id in &sealing.refused {
        diesel::update(audit_events::table.find(id))
            .set(audit_events::block.eq(Some(REFUSED)))
            .cached()
            .execute(connection)
            .await?;
    }
    if let Some(stored) = &sealing.block {
        let values = AuditBlockRow::from(stored);
        let made = diesel::insert_into(audit_blocks::table)
            .values(values)
            .on_conflict_do_nothing()
            .execute(connection)
            .await?;
        if made == 0 {
            // The first block has none before it whose lock could have been waited for.
            return Ok(NOTHING);
        }
    }
    Ok(TxOutcome::Commit(Some(AuditBlockSealed {
        after: head.map(|head| head.block.head()),
        head: sealing.block.as_ref().map(|stored| stored.block.head()),
        events: sealing.block.map_or(0, |stored| u64::try_from(stored.block.events).unwrap_or(0)),
        refused: sealing.refused,
        head_was_changed: sealing.head_was_changed,
        has_more,
    })))
}

/// Some blocks.
pub(crate) async fn audit_blocks(
    connection: &mut Conn,
    find: &FindAuditBlocks,
) -> Result<Vec<StoredBlock>, StoreError> {
    let rows: Vec<AuditBlockRow> = audit_blocks::table
        .filter(audit_blocks::number.gt(find.after))
        .order(audit_blocks::number)
        .limit(i64::from(find.limit))
        .select(AuditBlockRow::as_select())
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(StoredBlock::from).collect())
}

/// Events of some blocks, each with the number of its block.
pub(crate) async fn block_events(
    connection: &mut Conn,
    find: &FindBlockEvents,
) -> Result<Vec<(i64, WrittenEvent)>, StoreError> {
    let rows: Vec<(Option<i64>, AuditEventRow)> = audit_events::table
        .filter(audit_events::block.between(find.first, find.last))
        .order((audit_events::block, audit_events::at, audit_events::id))
        .limit(i64::from(find.limit))
        .select((audit_events::block, AuditEventRow::as_select()))
        .load(connection)
        .await?;
    Ok(rows.into_iter().filter_map(|(block, row)| Some((block?, row.into()))).collect())
}

/// A page of events that are in no block.
pub(crate) async fn unsealed_events(
    connection: &mut Conn,
    find: &FindUnsealed,
) -> Result<Vec<WrittenEvent>, StoreError> {
    let (at, id) = find.after.clone().unwrap_or((i64::MIN, String::new()));
    let rows: Vec<AuditEventRow> = audit_events::table
        .filter(audit_events::block.is_null())
        .filter(audit_events::at.ge(at))
        .filter(audit_events::at.gt(at).or(audit_events::id.gt(id)))
        .order((audit_events::at, audit_events::id))
        .limit(i64::from(find.limit))
        .select(AuditEventRow::as_select())
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(WrittenEvent::from).collect())
}

/// Removes the oldest blocks but for the row of the last one of them, and old events that were refused.
pub(crate) async fn remove_audit_blocks(
    connection: &mut Conn,
    remove: &RemoveAuditBlocks,
) -> TxResult<AuditBlocksRemoved> {
    // Each block has an event at least, so that so many blocks are enough; the checkpoint is one more.
    let limit = remove.batch.saturating_add(1);
    let batch = i64::from(remove.batch);
    let mut blocks: Vec<StoredBlock> = Vec::new();
    let removal = loop {
        let after = blocks.last().map_or(i64::MIN, |stored| stored.block.number);
        let page = audit_blocks(connection, &FindAuditBlocks { after, limit }).await?;
        let is_last = page.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        let is_proven = |stored: &StoredBlock| !stored.is_checkpoint && stored.prove(remove.keys.keyring()).is_ok();
        let says_age = page.iter().any(is_proven);
        blocks.extend(page);
        let removal = audit_removal::decide(&blocks, remove.keys.keyring(), remove.before, batch);
        // Rows that were changed do not say how old they are: one behind them does.
        if removal.is_some() || is_last || says_age {
            break removal;
        }
    };
    let mut removed = AuditBlocksRemoved::default();
    if let (Some(oldest), Some(removal)) = (blocks.as_slice().first(), removal) {
        if !lock(connection, oldest.block.number).await? {
            // Another node removes them.
            return Ok(TxOutcome::Rollback(removed));
        }
        let checkpoint = AuditBlockRow::from(&removal.checkpoint);
        let last = removal.checkpoint.block.number;
        diesel::delete(audit_blocks::table.filter(audit_blocks::number.le(last))).execute(connection).await?;
        diesel::insert_into(audit_blocks::table).values(checkpoint).execute(connection).await?;
        let of_blocks = audit_events::table.filter(audit_events::block.between(REFUSED + 1, last));
        removed.events = diesel::delete(of_blocks).execute(connection).await?;
        removed.changed = removal.changed;
        removed.has_more = blocks.len() > 1 && blocks.last().is_some_and(|stored| stored.block.number != last);
    }
    let some = diesel::alias!(audit_events as some);
    let refused = some
        .filter(some.field(audit_events::block).eq(REFUSED))
        .filter(some.field(audit_events::at).le(remove.before.as_millis()))
        .order((some.field(audit_events::at), some.field(audit_events::id)))
        .limit(batch)
        .select(some.field(audit_events::id));
    let refused = audit_events::table
        .filter(audit_events::block.eq(REFUSED))
        .filter(audit_events::id.eq_any(skip_locked!(refused)));
    removed.events += diesel::delete(refused).execute(connection).await?;
    Ok(TxOutcome::Commit(removed))
}

/// Stores the MAC of a block that was made anew; `false` if the row has another one by now.
pub(crate) async fn reseal_block(connection: &mut Conn, resealed: &ResealedBlock) -> TxResult<bool> {
    let row = audit_blocks::table.find(resealed.number);
    let touched = diesel::update(row.filter(audit_blocks::mac.eq(&resealed.before)))
        .set((audit_blocks::key_id.eq(&resealed.mac.key_id), audit_blocks::mac.eq(&resealed.mac.mac)))
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(touched == 1))
}
