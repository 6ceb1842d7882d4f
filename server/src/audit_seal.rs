//! Seals the audit trail in blocks while the server runs, and logs its head: who has a copy of the log can tell whether the end
//! of the trail was cut off, by `countersign audit verify --head`.

use crate::clock::Clock;
use countersign_domain::audit_chain::{Head, TrailKeys};
use countersign_domain::error_chain;
use countersign_flows::audit_chain::{self, Sealed};
use countersign_store::{Store, StoreError};
use slog::{Logger, error, info, warn};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long an event waits to be sealed, at most, while the database responds.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often the head is logged while the server runs.
const LOGGED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a stop waits for the database.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// Ids in a line of the log.
const IDS: usize = 20;

/// What sealing needs.
#[derive(Clone)]
pub struct Parts {
    pub store: Arc<Store>,
    pub keys: TrailKeys,
    pub clock: Arc<dyn Clock>,
    pub log: Logger,
}

/// Stops when dropped.
pub struct AuditSealing {
    parts: Parts,
    task: JoinHandle<()>,
}

impl AuditSealing {
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let task = tokio::spawn(seal_repeatedly(parts.clone()));
        Self { parts, task }
    }

    /// Seals what waits, and logs the head. To be called when no request is served any more.
    pub async fn stop(self) {
        self.task.abort();
        let parts = &self.parts;
        let last = async {
            let sealed = parts.seal().await?;
            parts.note(&sealed, None);
            parts.log_head().await
        };
        let cause = match tokio::time::timeout(STOP_TIMEOUT, last).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error_chain(&error),
            Err(_) => "the database took too long".to_owned(),
        };
        warn!(parts.log, "failed to seal the last events of the audit trail; the next start seals them"; "cause" => cause);
    }
}

impl Drop for AuditSealing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn seal_repeatedly(parts: Parts) {
    // Whether the database was away, if the last try failed.
    let (mut failure, mut logged_at) = (None, None);
    let mut known = parts.store.audit_head(()).await.ok().flatten().map(|head| head.block.head());
    loop {
        match parts.seal().await {
            Ok(sealed) => {
                parts.note(&sealed, known);
                known = sealed.head.or(known);
                failure = None;
            }
            // A database that is away is one line, not one each second.
            Err(error) if failure == Some(error.is_unavailable()) => {}
            Err(error) => {
                let (cause, is_unavailable) = (error_chain(&error), error.is_unavailable());
                match is_unavailable {
                    true => warn!(parts.log, "failed to seal events of the audit trail"; "cause" => cause),
                    false => error!(
                        parts.log, "events of the audit trail are not sealed: run `countersign audit verify`"; "cause" => cause
                    ),
                }
                failure = Some(is_unavailable);
            }
        }
        let now = parts.clock.now();
        let is_due = logged_at.is_none_or(|at| now - at >= LOGGED_EVERY);
        if is_due && failure.is_none() && parts.log_head().await.is_ok() {
            logged_at = Some(now);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

impl Parts {
    async fn seal(&self) -> Result<Sealed, StoreError> {
        audit_chain::seal_waiting(&self.store, &self.keys, || self.clock.now()).await
    }

    async fn log_head(&self) -> Result<(), StoreError> {
        if let Some(head) = self.store.audit_head(()).await? {
            info!(self.log, "head of the audit trail"; "head" => head.block.head().to_string());
        }
        Ok(())
    }

    /// Logs what an operator has to know. `known` is the head that this node has seen before.
    fn note(&self, sealed: &Sealed, known: Option<Head>) {
        if !sealed.refused.is_empty() {
            let ids: Vec<&str> = sealed.refused.iter().take(IDS).map(String::as_str).collect();
            error!(
                self.log,
                "rows of the audit trail were not written by the server, or were changed; they are not sealed: run `countersign \
                 audit verify`";
                "rows" => sealed.refused.len(), "ids" => ids.join(", ")
            );
        }
        if sealed.head_was_changed {
            error!(self.log, "the last block of the audit trail was changed: run `countersign audit verify`");
        }
        let Some(head) = sealed.head else { return };
        if sealed.after.is_none() {
            info!(self.log, "began to seal the audit trail"; "events" => sealed.events, "head" => head.to_string());
        }
        if known.is_some_and(|known| is_lost(known, sealed.after)) {
            error!(
                self.log,
                "the end of the audit trail was cut off or replaced: run `countersign audit verify --head` with this head";
                "head" => known.map(|known| known.to_string())
            );
        }
    }
}

/// Whether a trail that goes on after a block cannot hold this earlier head.
fn is_lost(known: Head, after: Option<Head>) -> bool {
    match after {
        None => true,
        Some(after) => after.number < known.number || (after.number == known.number && after.hash != known.hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::audit_chain::BlockHash;

    #[test]
    fn a_head_is_lost_where_the_trail_goes_on_before_it_or_from_another_block() {
        let head = |number, byte: u8| Head { number, hash: BlockHash::of_stored(&[byte; 32]) };
        for (after, expected) in [
            (None, true),
            (Some(head(6, 1)), true),
            (Some(head(7, 2)), true),
            (Some(head(7, 1)), false),
            (Some(head(8, 3)), false),
        ] {
            assert_eq!(is_lost(head(7, 1), after), expected, "{after:?}");
        }
    }
}
