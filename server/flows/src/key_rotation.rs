//! Rotation of keys: which nodes have loaded which keys, what is sealed with a key, and its end.
//!
//! A rotation has two steps that every node survives. A new key stands at the end of each node's ring first, where it opens and
//! verifies; when all nodes have loaded it, it is put in front, where it seals and signs. Then rows are sealed anew, while
//! requests are served. What clients hold is left to end by itself, and then the old key leaves the ring.

use super::audit_chain;
use super::keyring::{self, KeyringError};
use super::random::Randomness;
use countersign_domain::audit_chain::TrailKeys;
use countersign_domain::decisions::key_activation::{self, KeyActivation};
use countersign_domain::decisions::key_retirement::{self, Alive, KeyRetirement, Signed};
use countersign_domain::key_use::{KeyUse, NodeKeys};
use countersign_domain::keyring::Keyring;
use countersign_domain::keyring::rotation::KeyKind;
use countersign_domain::message::Sealer;
use countersign_domain::stored_secret::{self, Binding};
use countersign_domain::time::Timestamp;
use countersign_store::work::{
    FindSealed, FindTagged, NoteKey, NoteResealed, Place, RemoveTags, ResealedBlock, ResealedMessage, ResealedSecret,
    ScanSigned, SealedTable, SignedTable,
};
use countersign_store::{Store, StoreError};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Rows of a batch: some milliseconds of work.
const BATCH: u32 = 100;
/// Rows that are written at once, each in a transaction of its own: as many as there are connections by default.
const AT_ONCE: usize = 4;
/// Rows of a page that is only read.
const PAGE: u32 = 1_000;
/// Pause between batches, so that requests can write.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a node that was killed and did not start again is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Why keys cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("failed to read or write what the database knows of keys")]
    Store(#[from] StoreError),
    #[error(
        "these nodes run without the active key, and could not read what is sealed with it: {}; give them the keyring and have \
         them load it first",
        .0.join(", ")
    )]
    NotLoaded(Vec<String>),
}

/// Notes the keys that a node has loaded: all of them when it starts, later those that it signs and seals with. An RSA key is one of
/// these if `signs_rs256`: if the node signs access tokens by RS256.
///
/// # Errors
/// If the database fails; the next call makes up for it.
pub async fn note(
    store: &Store,
    keyring: &Keyring,
    node: &str,
    signs_rs256: bool,
    has_started: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut entries = keyring.entries();
    for entry in &mut entries {
        entry.is_active &= entry.kind == KeyKind::Root || signs_rs256;
    }
    // Nothing is known of what nodes of versions before did: each key may have been the active one until now.
    let is_first = has_started && store.key_use(()).await?.keys.is_empty();
    // The active one is the last, so that a crash in between leaves no other one behind that is taken for a new key.
    for entry in entries.iter().rev().filter(|entry| has_started || entry.is_active) {
        let is_active = is_first || entry.is_active;
        store.note_key(NoteKey { key_id: entry.id.clone(), is_active, now }).await?;
    }
    let ids = |is_listed: fn(bool) -> bool| {
        entries.iter().filter(|entry| is_listed(entry.is_active)).map(|entry| entry.id.clone()).collect()
    };
    let keys =
        NodeKeys { node: node.to_owned(), keys: ids(|_| true), active: ids(|is_active| is_active), seen_at: now };
    store.note_node(keys).await?;
    if has_started {
        let known = store.key_use(()).await?.nodes;
        for gone in known.into_iter().filter(|other| other.seen_at + REMEMBERED < now) {
            store.forget_node(gone.node).await?;
        }
    }
    Ok(())
}

/// A key that rows are sealed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRows {
    pub key_id: String,
    pub table: SealedTable,
    pub rows: u64,
}

/// What the database knows of keys, and which keys rows are sealed with.
///
/// # Errors
/// If the database fails.
pub async fn status(store: &Store) -> Result<(KeyUse, Vec<SealedRows>), StoreError> {
    let in_use = store.key_use(()).await?;
    let mut sealed = Vec::new();
    for (table, key_id) in store.sealing_keys(()).await? {
        let rows = store.count_sealed((table, key_id.clone())).await?;
        sealed.push(SealedRows { key_id, table, rows });
    }
    Ok((in_use, sealed))
}

/// Whether a key may be the active one of this ring.
///
/// # Errors
/// If the database fails.
pub async fn activation(
    store: &Store,
    keyring: &Keyring,
    key_id: &str,
    now: Timestamp,
) -> Result<KeyActivation, StoreError> {
    let in_use = store.key_use(()).await?;
    let facts = key_activation::Facts { key_id, ring: &keyring.entries(), in_use: &in_use };
    Ok(key_activation::decide(&facts, now))
}

/// How far rows have been sealed anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that this call has sealed anew.
    pub resealed: u64,
    /// Rows that it could not open: their ids.
    pub unopened: BTreeSet<String>,
}

/// Seals everything with the active key that is sealed with another one, in small batches. It may be ended at any time and
/// started again, and several may run at once: a row is written only if it is as it was read.
///
/// # Errors
/// When a node that runs lacks the active key, the keyring is not the database's, or the database fails; what was done before
/// that stays.
pub async fn reseal(
    store: &Store,
    keyring: &Arc<Keyring>,
    now: impl Fn() -> Timestamp,
    random: &Randomness,
    mut report: impl FnMut(&Progress),
) -> Result<Progress, RotationError> {
    let active = keyring.active_id();
    if let KeyActivation::NotLoaded { nodes } = activation(store, keyring, &active, now()).await? {
        return Err(RotationError::NotLoaded(nodes));
    }
    // A node that starts now needs the key as well.
    let bound_from = keyring::claim(store, keyring, now(), random).await?;
    let work = Resealing { store, keyring, sealer: Sealer::new(Arc::clone(keyring)), random };
    let mut progress = Progress::default();
    loop {
        let before = progress.resealed;
        for (table, key_id) in store.sealing_keys(()).await? {
            if key_id == active {
                continue;
            }
            let mut after = String::new();
            loop {
                let binding = if now() >= bound_from { Binding::Account } else { Binding::Method };
                let find = FindSealed { key_id: key_id.clone(), after, limit: BATCH };
                let Some(last) = work.batch(table, find, binding, &mut progress).await? else { break };
                after = last;
                report(&progress);
                tokio::time::sleep(PAUSE).await;
            }
        }
        // What a node that had the keys in the former order sealed meanwhile is left for the next round.
        if progress.resealed == before {
            break;
        }
    }
    for entry in keyring.entries().into_iter().filter(|entry| entry.id != active) {
        let rows = sealed_rows(store, &entry.id).await?;
        let known = store.key_use(()).await?.record(&entry.id).and_then(|record| record.resealed_at);
        let resealed_at = (rows == 0).then(|| known.unwrap_or_else(&now));
        store.note_resealed(NoteResealed { key_id: entry.id, resealed_at }).await?;
    }
    Ok(progress)
}

struct Resealing<'a> {
    store: &'a Store,
    keyring: &'a Keyring,
    sealer: Sealer,
    random: &'a Randomness,
}

impl Resealing<'_> {
    /// Seals the rows of a batch anew; returns the id of the last, or `None` if there are none.
    async fn batch(
        &self,
        table: SealedTable,
        find: FindSealed,
        binding: Binding,
        progress: &mut Progress,
    ) -> Result<Option<String>, StoreError> {
        let (mut secrets, mut messages, mut blocks, mut last) = (Vec::new(), Vec::new(), Vec::new(), None);
        match table {
            SealedTable::Methods => {
                for app in self.store.sealed_secrets(find).await? {
                    last = Some(app.id.to_text());
                    let sealed = self.random.draw(|random| stored_secret::reseal(&app, binding, self.keyring, random));
                    match sealed {
                        Ok(done) => secrets.push(ResealedSecret {
                            method_id: app.id,
                            before: app.secret.bytes,
                            sealed: done.sealed,
                            fingerprint: done.fingerprint,
                        }),
                        Err(_) => drop(progress.unopened.insert(app.id.to_text())),
                    }
                }
            }
            SealedTable::Messages => {
                for message in self.store.sealed_messages(find).await? {
                    last = Some(message.id.to_text());
                    match self.sealer.reseal(&message) {
                        Ok(sealed) => {
                            messages.push(ResealedMessage { id: message.id, before: message.sealed.bytes, sealed });
                        }
                        Err(_) => drop(progress.unopened.insert(message.id.to_text())),
                    }
                }
            }
            SealedTable::AuditBlocks => {
                for stored in self.store.sealed_blocks(find).await? {
                    let number = stored.block.number;
                    last = Some(number.to_string());
                    match stored.reseal(self.keyring) {
                        Ok(mac) => blocks.push(ResealedBlock { number, before: stored.mac.mac, mac }),
                        Err(_) => drop(progress.unopened.insert(format!("audit block {number}"))),
                    }
                }
            }
        }
        let written = stream::iter(secrets).map(|secret| self.store.reseal_secret(secret)).buffer_unordered(AT_ONCE);
        let written: Vec<bool> = written.try_collect().await?;
        let sent = stream::iter(messages).map(|message| self.store.reseal_message(message)).buffer_unordered(AT_ONCE);
        let sent: Vec<bool> = sent.try_collect().await?;
        let chained = stream::iter(blocks).map(|block| self.store.reseal_block(block)).buffer_unordered(AT_ONCE);
        let chained: Vec<bool> = chained.try_collect().await?;
        let done = written.into_iter().chain(sent).chain(chained).filter(|is_done| *is_done).count();
        progress.resealed += u64::try_from(done).unwrap_or(0);
        Ok(last)
    }
}

async fn sealed_rows(store: &Store, key_id: &str) -> Result<u64, StoreError> {
    let mut rows = 0;
    for table in [SealedTable::Methods, SealedTable::Messages, SealedTable::AuditBlocks] {
        rows += store.count_sealed((table, key_id.to_owned())).await?;
    }
    Ok(rows)
}

/// What an operator wants of a key.
#[derive(Clone, Copy, Debug)]
pub struct Retire<'a> {
    pub key_id: &'a str,
    /// Whether what clients hold that is signed with the key may end.
    pub ends_what_is_signed: bool,
    /// How long an access token lives, or a refresh token is repeated, whichever is longer.
    pub longest_token: Duration,
    /// Whether access tokens of RS256 are made or accepted.
    pub rs256_is_in_use: bool,
}

/// Decides whether a key may leave the ring, and prepares the database for it. The ring itself stays as it is.
///
/// # Errors
/// When the keyring is not the database's, or the database fails.
pub async fn retire(
    store: &Store,
    keyring: &Keyring,
    retire: Retire<'_>,
    now: Timestamp,
    random: &Randomness,
) -> Result<KeyRetirement, RotationError> {
    let in_use = store.key_use(()).await?;
    let made_until = key_retirement::signed_until(retire.key_id, &in_use);
    let mut alive = Vec::new();
    // Another key ends nothing, or is refused whatever is alive.
    let may_end = keyring.opens(retire.key_id) && keyring.active_id() != retire.key_id && !retire.ends_what_is_signed;
    if let Some(made_until) = made_until.filter(|_| may_end) {
        for table in SignedTable::ALL {
            alive.extend(what_lives(store, table, made_until, now).await?);
        }
    }
    let facts = key_retirement::Facts {
        key_id: retire.key_id,
        ring: &keyring.entries(),
        in_use: &in_use,
        sealed_rows: sealed_rows(store, retire.key_id).await?,
        alive: &alive,
        longest_token: retire.longest_token,
        rs256_is_in_use: retire.rs256_is_in_use,
    };
    let decision = key_retirement::decide(&facts, retire.ends_what_is_signed, now);
    if decision == KeyRetirement::Retired && keyring.opens(retire.key_id) {
        // Events that were written with the key and that no server has sealed yet.
        audit_chain::seal_waiting(store, &TrailKeys::new(Arc::new(keyring.snapshot())), || now).await?;
        if let Some(made_until) = made_until {
            remove_tags(store, made_until).await?;
        }
        // The key that takes its place has a canary before its own goes.
        keyring::claim(store, keyring, now, random).await?;
        store.forget_canary(retire.key_id.to_owned()).await?;
    }
    Ok(decision)
}

/// What of a table was made until some time and is alive.
async fn what_lives(
    store: &Store,
    table: SignedTable,
    made_until: Timestamp,
    now: Timestamp,
) -> Result<Option<Alive>, StoreError> {
    let what = match table {
        SignedTable::Sessions => Signed::Sessions,
        SignedTable::Challenges => Signed::Challenges,
        SignedTable::OneTimeCodes => Signed::OneTimeCodes,
        SignedTable::TrustedDevices => Signed::TrustedDevices,
        SignedTable::Tickets => Signed::Tickets,
    };
    let (mut after, mut rows, mut until) = (Some(Place::default()), 0, None);
    while let Some(place) = after {
        let page = store.scan_signed(ScanSigned { table, after: place, limit: PAGE, made_until, now }).await?;
        rows += page.rows;
        until = until.max(page.last_end);
        after = page.next;
    }
    Ok(until.map(|until| Alive { what, rows, until }))
}

/// Takes away the tags of backup codes that were made until some time.
async fn remove_tags(store: &Store, made_until: Timestamp) -> Result<(), StoreError> {
    loop {
        let (mut after, mut left) = (String::new(), 0);
        loop {
            let page = store.tagged_codes(FindTagged { after: after.clone(), limit: PAGE, made_until }).await?;
            let Some(last) = page.last else { break };
            if page.tagged > 0 {
                let removed = store.remove_tags(RemoveTags { after, last: last.clone(), made_until }).await?;
                // A code that a transaction held is looked at again.
                left += page.tagged.saturating_sub(removed);
                tokio::time::sleep(PAUSE).await;
            }
            after = last;
        }
        if left == 0 {
            return Ok(());
        }
    }
}
