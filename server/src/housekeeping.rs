//! Clearing away what has ended: challenges, codes, sessions, trust, budgets, and old lines of the audit trail.
//!
//! Nothing depends on it but room: what has expired is dead whether it is still stored or not. Every node does it; one
//! that finds another's work done has less to do.

use crate::config::settings::Retention;
use crate::flows::Flows;
use countersign_store::work::Purge;
use slog::{Logger, debug, warn};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Rows of a table that go at once: a transaction of some milliseconds.
const BATCH: u32 = 200;
/// The rest between two batches, which is for everybody else.
const BREATH: Duration = Duration::from_millis(50);

/// The task; it ends when this is dropped.
pub struct Housekeeping(JoinHandle<()>);

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts the task, whose first round is one interval away.
#[must_use]
pub fn start<A: AsRef<Flows> + Send + Sync + 'static>(app: Arc<A>, retention: Retention, log: Logger) -> Housekeeping {
    Housekeeping(tokio::spawn(async move {
        loop {
            tokio::time::sleep(retention.interval).await;
            match round((*app).as_ref(), &retention).await {
                Ok(0) => {}
                Ok(rows) => debug!(log, "cleared away what has ended"; "rows" => rows),
                Err(error) => {
                    warn!(log, "failed to clear away what has ended"; "cause" => crate::error_chain(&error));
                }
            }
        }
    }))
}

/// Clears away everything that has ended by now; says how many rows went.
///
/// # Errors
/// When the database fails; what went until then stays gone.
pub async fn round(flows: &Flows, retention: &Retention) -> Result<usize, countersign_store::StoreError> {
    let now = flows.now();
    let purge = Purge { now, audit_before: retention.audit.map(|age| now - age), batch: BATCH };
    let mut rows = 0;
    loop {
        let purged = flows.store.purge(purge).await?;
        rows += purged.total();
        if !purged.may_have_left(BATCH) {
            return Ok(rows);
        }
        tokio::time::sleep(BREATH).await;
    }
}
