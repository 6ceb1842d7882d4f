//! Deletes expired rows (challenges, codes, sessions, trusted devices, rate limits) and old audit events, and brings user
//! names that nodes of an earlier version have written meanwhile to the form in which they are compared.
//!
//! The former only reclaims space: expiry itself is enforced on read. Every node does both; they need no coordination.

use crate::clock::Clock;
use crate::config::settings::Retention;
use countersign_domain::audit_chain::TrailKeys;
use countersign_domain::time::Timestamp;
use countersign_store::Store;
use countersign_store::work::{Purge, RemoveAuditBlocks};
use slog::{Logger, debug, error, warn};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Rows of one table per transaction, which then takes some milliseconds.
const BATCH: u32 = 200;
/// Pause between batches, so that requests can write.
const PAUSE: Duration = Duration::from_millis(50);

/// Stops the task when dropped.
pub struct Housekeeping(JoinHandle<()>);

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The first round comes one interval after the start.
#[must_use]
pub fn start(
    store: Arc<Store>,
    keys: TrailKeys,
    clock: Arc<dyn Clock>,
    retention: Retention,
    log: Logger,
) -> Housekeeping {
    Housekeeping(tokio::spawn(async move {
        let mut contested = 0;
        loop {
            tokio::time::sleep(retention.interval).await;
            match store.normalize_usernames().await {
                Ok(done) if done.contested > contested => {
                    warn!(
                        log,
                        "accounts have the same user name, and each is found by its exact spelling only: \
                         `countersign username-conflicts` lists them"
                    );
                    contested = done.contested;
                }
                Ok(done) => contested = done.contested,
                Err(error) => {
                    warn!(log, "failed to compare user names"; "cause" => countersign_domain::error_chain(&error));
                }
            }
            match round(&store, &keys, &retention, clock.now(), &log).await {
                Ok(0) => {}
                Ok(rows) => debug!(log, "deleted expired rows"; "rows" => rows),
                Err(error) => {
                    warn!(log, "failed to delete expired rows"; "cause" => countersign_domain::error_chain(&error));
                }
            }
        }
    }))
}

/// Deletes everything that has expired at `now`; returns the number of rows.
///
/// # Errors
/// When the database fails; finished batches stay deleted.
pub async fn round(
    store: &Store,
    keys: &TrailKeys,
    retention: &Retention,
    now: Timestamp,
    log: &Logger,
) -> Result<usize, countersign_store::StoreError> {
    let purge = Purge { now, batch: BATCH };
    let mut rows = 0;
    loop {
        let purged = store.purge(purge).await?;
        rows += purged.total();
        if !purged.may_have_left(BATCH) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let Some(before) = retention.audit.map(|age| now - age) else { return Ok(rows) };
    loop {
        let remove = RemoveAuditBlocks { keys: keys.clone(), before, batch: BATCH };
        let removed = store.remove_audit_blocks(remove).await?;
        rows += removed.events;
        if !removed.changed.is_empty() {
            error!(
                log, "blocks of the audit trail had been changed before retention removed them";
                "blocks" => format!("{:?}", removed.changed)
            );
        }
        if !removed.has_more {
            return Ok(rows);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
