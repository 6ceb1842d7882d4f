//! Which keys nodes hold, and what depends on a key.
//!
//! What a key's retirement waits for is read in pages, in the order of primary keys: no index knows the key of a row.

use super::{Conn, RunQueryDsl, TxResult};
use crate::cached::Cache as _;
use crate::error::StoreError;
use crate::rows::{AuditBlockRow, MessageRow, MethodRow};
use crate::schema::{
    audit_blocks, backup_codes, challenges, keyring_canaries, keyring_keys, keyring_nodes, mailed_codes, messages,
    methods, sessions, tickets, trusted_devices,
};
use crate::work::{
    FindSealed, FindTagged, NoteKey, NoteResealed, Place, RemoveTags, ResealedMessage, ResealedSecret, ScanSigned,
    ScannedPage, SealedTable, SignedTable, TaggedPage, TxOutcome,
};
use countersign_domain::attempt::Authenticator;
use countersign_domain::audit_chain::StoredBlock;
use countersign_domain::key_use::{KeyRecord, KeyUse, NodeKeys};
use countersign_domain::message::StoredMessage;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;

/// Notes the keys of a node.
pub(crate) async fn note_node(connection: &mut Conn, node: &NodeKeys) -> TxResult<()> {
    let (keys, active) = (node.keys.join(" "), node.active.join(" "));
    let values = (
        keyring_nodes::key_ids.eq(keys),
        keyring_nodes::active_ids.eq(active),
        keyring_nodes::seen_at.eq(node.seen_at.as_millis()),
    );
    diesel::insert_into(keyring_nodes::table)
        .values((keyring_nodes::id.eq(&node.node), values.clone()))
        .on_conflict(keyring_nodes::id)
        .do_update()
        .set(values)
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(()))
}

/// Forgets a node that stops.
pub(crate) async fn forget_node(connection: &mut Conn, node: &String) -> TxResult<()> {
    diesel::delete(keyring_nodes::table.find(node)).execute(connection).await?;
    Ok(TxOutcome::Commit(()))
}

/// Notes a key of a node's ring, and when it is the active one. What is sealed from then on has to be sealed anew later.
pub(crate) async fn note_key(connection: &mut Conn, note: &NoteKey) -> TxResult<()> {
    let now = note.now.as_millis();
    let active_until = keyring_keys::active_until.eq(note.is_active.then_some(now));
    let values = (keyring_keys::key_id.eq(&note.key_id), keyring_keys::seen_at.eq(now), active_until);
    let new = diesel::insert_into(keyring_keys::table).values(values).on_conflict(keyring_keys::key_id);
    if note.is_active {
        let renewed = (active_until, keyring_keys::resealed_at.eq(None::<i64>));
        new.do_update().set(renewed).cached().execute(connection).await?;
    } else {
        new.do_nothing().execute(connection).await?;
    }
    Ok(TxOutcome::Commit(()))
}

/// What the database knows of keys.
pub(crate) async fn key_use(connection: &mut Conn, (): &()) -> Result<KeyUse, StoreError> {
    type Key = (String, i64, Option<i64>, Option<i64>);
    let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
    let keys: Vec<Key> =
        keyring_keys::table.filter(keyring_keys::key_id.gt("")).order(keyring_keys::key_id).load(connection).await?;
    let nodes: Vec<(String, String, String, i64)> =
        keyring_nodes::table.filter(keyring_nodes::id.gt("")).order(keyring_nodes::id).load(connection).await?;
    let words = |text: String| text.split_ascii_whitespace().map(str::to_owned).collect();
    let keys = keys.into_iter().map(|(key_id, seen_at, active_until, resealed_at)| KeyRecord {
        key_id,
        seen_at: Timestamp::from_millis(seen_at),
        active_until: time(active_until),
        resealed_at: time(resealed_at),
    });
    let nodes = nodes.into_iter().map(|(node, keys, active, seen_at)| NodeKeys {
        node,
        keys: words(keys),
        active: words(active),
        seen_at: Timestamp::from_millis(seen_at),
    });
    Ok(KeyUse { keys: keys.collect(), nodes: nodes.collect() })
}

/// The ids of keys that rows are sealed with: a few look-ups in an index for each.
pub(crate) async fn sealing_keys(connection: &mut Conn, (): &()) -> Result<Vec<(SealedTable, String)>, StoreError> {
    let mut found = Vec::new();
    let mut last = String::new();
    loop {
        let key: Option<Option<String>> = methods::table
            .filter(methods::key_id.gt(&last))
            .order(methods::key_id)
            .limit(1)
            .select(methods::key_id)
            .get_result(connection)
            .await
            .optional()?;
        let Some(key) = key.flatten() else { break };
        found.push((SealedTable::Methods, key.clone()));
        last = key;
    }
    last.clear();
    loop {
        let key: Option<String> = messages::table
            .filter(messages::key_id.gt(&last))
            .filter(messages::next_attempt_at.is_not_null())
            .order(messages::key_id)
            .limit(1)
            .select(messages::key_id)
            .get_result(connection)
            .await
            .optional()?;
        let Some(key) = key else { break };
        found.push((SealedTable::Messages, key.clone()));
        last = key;
    }
    last.clear();
    loop {
        let key: Option<String> = audit_blocks::table
            .filter(audit_blocks::key_id.gt(&last))
            .order(audit_blocks::key_id)
            .limit(1)
            .select(audit_blocks::key_id)
            .get_result(connection)
            .await
            .optional()?;
        let Some(key) = key else { break };
        found.push((SealedTable::AuditBlocks, key.clone()));
        last = key;
    }
    Ok(found)
}

/// The number of rows that are sealed with a key.
pub(crate) async fn count_sealed(
    connection: &mut Conn,
    (table, key_id): &(SealedTable, String),
) -> Result<u64, StoreError> {
    let rows: i64 = match table {
        SealedTable::Methods => {
            methods::table.filter(methods::key_id.eq(key_id)).count().get_result(connection).await?
        }
        SealedTable::Messages => {
            let waiting = messages::table.filter(messages::next_attempt_at.is_not_null());
            waiting.filter(messages::key_id.eq(key_id)).count().get_result(connection).await?
        }
        SealedTable::AuditBlocks => {
            audit_blocks::table.filter(audit_blocks::key_id.eq(key_id)).count().get_result(connection).await?
        }
    };
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// Some authenticator apps whose secrets are sealed with a key.
pub(crate) async fn sealed_secrets(connection: &mut Conn, find: &FindSealed) -> Result<Vec<Authenticator>, StoreError> {
    let rows: Vec<MethodRow> = methods::table
        .filter(methods::key_id.eq(&find.key_id))
        .filter(methods::id.gt(&find.after))
        .order(methods::id)
        .limit(i64::from(find.limit))
        .select(MethodRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Authenticator::try_from).collect()
}

/// Some messages that are sealed with a key and wait to be delivered.
pub(crate) async fn sealed_messages(
    connection: &mut Conn,
    find: &FindSealed,
) -> Result<Vec<StoredMessage>, StoreError> {
    let rows: Vec<MessageRow> = messages::table
        .filter(messages::key_id.eq(&find.key_id))
        .filter(messages::next_attempt_at.is_not_null())
        .filter(messages::id.gt(&find.after))
        .order(messages::id)
        .limit(i64::from(find.limit))
        .select(MessageRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(StoredMessage::try_from).collect()
}

/// Some blocks of the audit trail whose MAC is by a key. What stands for their ids are their numbers.
pub(crate) async fn sealed_blocks(connection: &mut Conn, find: &FindSealed) -> Result<Vec<StoredBlock>, StoreError> {
    let after: i64 = find.after.parse().unwrap_or(i64::MIN);
    let rows: Vec<AuditBlockRow> = audit_blocks::table
        .filter(audit_blocks::key_id.eq(&find.key_id))
        .filter(audit_blocks::number.gt(after))
        .order(audit_blocks::number)
        .limit(i64::from(find.limit))
        .select(AuditBlockRow::as_select())
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(StoredBlock::from).collect())
}

/// Stores a secret that was sealed anew; `false` if the row is another one by now.
pub(crate) async fn reseal_secret(connection: &mut Conn, resealed: &ResealedSecret) -> TxResult<bool> {
    let row = methods::table.find(resealed.method_id.to_text());
    // A secret without a fingerprint keeps the one that a sign-in may have given it meanwhile.
    let fingerprint = resealed.fingerprint.map(|fingerprint| fingerprint.as_bytes().to_vec());
    let touched = diesel::update(row.filter(methods::sealed_secret.eq(&resealed.before)))
        .set((
            methods::key_id.eq(&resealed.sealed.key_id),
            methods::sealed_secret.eq(&resealed.sealed.bytes),
            fingerprint.map(|bytes| methods::secret_fingerprint.eq(Some(bytes))),
        ))
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(touched == 1))
}

/// Stores a message that was sealed anew; `false` if it was delivered, or is another one, by now.
pub(crate) async fn reseal_message(connection: &mut Conn, resealed: &ResealedMessage) -> TxResult<bool> {
    let row = messages::table.find(resealed.id.to_text());
    let touched = diesel::update(row.filter(messages::sealed.eq(&resealed.before)))
        .set((messages::key_id.eq(&resealed.sealed.key_id), messages::sealed.eq(&resealed.sealed.bytes)))
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(touched == 1))
}

/// Notes whether rows are sealed with a key.
pub(crate) async fn note_resealed(connection: &mut Conn, note: &NoteResealed) -> TxResult<()> {
    diesel::update(keyring_keys::table.find(&note.key_id))
        .set(keyring_keys::resealed_at.eq(note.resealed_at.map(Timestamp::as_millis)))
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(()))
}

/// Forgets that a key was the active one: a node does not need it any more to start.
pub(crate) async fn forget_canary(connection: &mut Conn, key_id: &String) -> TxResult<()> {
    let of_key = keyring_canaries::table.filter(keyring_canaries::key_id.eq(key_id));
    diesel::delete(of_key).execute(connection).await?;
    Ok(TxOutcome::Commit(()))
}

macro_rules! scan {
    ($connection:ident, $scan:ident, $table:ident, $key:ident, $place:ident: $type:ty) => {{
        let rows: Vec<($type, i64, i64)> = $table::table
            .filter($table::$key.gt(&$scan.after.$place))
            .order($table::$key)
            .limit(i64::from($scan.limit))
            .select(($table::$key, $table::created_at, $table::expires_at))
            .load($connection)
            .await?;
        let is_full = rows.len() >= usize::try_from($scan.limit).unwrap_or(usize::MAX);
        let next = rows.last().filter(|_| is_full).map(|row| Place { $place: row.0.clone(), ..Place::default() });
        let counts = |made: i64, end: i64| made <= $scan.made_until.as_millis() && end > $scan.now.as_millis();
        let ends = rows.iter().filter(|(_, made, end)| counts(*made, *end)).map(|(_, _, end)| *end);
        let rows = ends.clone().count().try_into().unwrap_or(u64::MAX);
        ScannedPage { rows, last_end: ends.max().map(Timestamp::from_millis), next }
    }};
}

/// Counts the rows of a page of a table that are alive and were made until some time.
pub(crate) async fn scan_signed(connection: &mut Conn, scan: &ScanSigned) -> Result<ScannedPage, StoreError> {
    Ok(match scan.table {
        SignedTable::Sessions => scan!(connection, scan, sessions, id, text: String),
        SignedTable::Challenges => scan!(connection, scan, challenges, digest, bytes: Vec<u8>),
        SignedTable::OneTimeCodes => scan!(connection, scan, mailed_codes, subject, text: String),
        SignedTable::TrustedDevices => scan!(connection, scan, trusted_devices, digest, bytes: Vec<u8>),
        SignedTable::Tickets => scan!(connection, scan, tickets, digest, bytes: Vec<u8>),
    })
}

/// How many of the backup codes on a page are found by a tag.
pub(crate) async fn tagged_codes(connection: &mut Conn, find: &FindTagged) -> Result<TaggedPage, StoreError> {
    let rows: Vec<(String, i64, Vec<u8>)> = backup_codes::table
        .filter(backup_codes::id.gt(&find.after))
        .order(backup_codes::id)
        .limit(i64::from(find.limit))
        .select((backup_codes::id, backup_codes::created_at, backup_codes::selector))
        .load(connection)
        .await?;
    let last = rows.last().map(|row| row.0.clone());
    let is_tagged = |(_, made, tag): &&(String, i64, Vec<u8>)| *made <= find.made_until.as_millis() && !tag.is_empty();
    Ok(TaggedPage { tagged: rows.iter().filter(is_tagged).count(), last })
}

/// Takes the tags of backup codes away, except of codes that another transaction holds; returns of how many. From then on such a
/// code is found by comparing what is presented with each code of the account.
pub(crate) async fn remove_tags(connection: &mut Conn, remove: &RemoveTags) -> TxResult<usize> {
    let some = diesel::alias!(backup_codes as some);
    let tagged = some
        .filter(some.field(backup_codes::id).gt(&remove.after))
        .filter(some.field(backup_codes::id).le(&remove.last))
        .filter(some.field(backup_codes::created_at).le(remove.made_until.as_millis()))
        .filter(some.field(backup_codes::selector).ne(Vec::<u8>::new()))
        .select(some.field(backup_codes::id));
    let touched = diesel::update(backup_codes::table.filter(backup_codes::id.eq_any(skip_locked!(tagged))))
        .set(backup_codes::selector.eq(Vec::<u8>::new()))
        .cached()
        .execute(connection)
        .await?;
    Ok(TxOutcome::Commit(touched))
}
