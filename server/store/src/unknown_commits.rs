//! Whether a transaction was committed whose connection was lost before the server said so.
//!
//! Units of work write an audit event, with an id of its own, in their transaction: it is there if and only if the transaction was
//! committed. To look for it is not enough, for two reasons. The transaction may still be under way: so the same id is inserted,
//! which waits until a transaction that has written it has ended, and is rolled back if there was none. And it may be committed on a server
//! that is about to lose it, because no replica has it yet: so the event that was found is locked. A lock is written to the log,
//! which is replicated in order, and its commit waits for a replica wherever that of the unit of work has to (`synchronous_commit`).

use crate::error::StoreError;
use crate::postgres::{Conn, Ended, Postgres};
use crate::retry::Tries;
use crate::rows::AuditEventRow;
use crate::schema::audit_events;
use crate::work::TxOutcome;
use countersign_domain::actor::Actor;
use countersign_domain::audit::{AuditEvent, EventKind, RequestIds};
use countersign_domain::ids::AuditId;
use countersign_domain::time::Timestamp;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::time::Duration;

/// How long to wait until it is tried again. It is tried until the deadline of the unit of work.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
#[error("the connection was lost while a transaction was being committed, and whether it was is not known")]
struct Unknown;

impl Postgres {
    /// Commits or rolls back, as the work returned. If the connection is lost meanwhile, this finds out whether it was committed.
    pub(crate) async fn finish<T>(
        &self,
        connection: Conn,
        work: Result<TxOutcome<T>, StoreError>,
        tries: &mut Tries<'_>,
    ) -> Result<T, StoreError> {
        let event = connection.event();
        let ended = connection.end(work).await;
        self.settle_doubt(event, &ended, tries).await?;
        match ended? {
            Ended::Committed(value) | Ended::RolledBack(value) => Ok(value),
            Ended::Unknown(value) => self.confirm_commit(event, tries).await.map(|()| value),
            // If it was committed, the caller learns that it may have been.
            Ended::Unread(error) => self.confirm_commit(event, tries).await.and_then(|()| Err(error.at_commit())),
        }
    }

    /// A transaction that was not found may have been on its way: the server executes what it has received, although the connection is
    /// closed. If it commits before this try, then this try meets what it has done, and ends otherwise: that says nothing to the caller.
    /// If this try commits first, then that one cannot, because both write the same event. What has influenced this try has ended, so that
    /// looking again is decisive.
    async fn settle_doubt<T>(
        &self,
        event: Option<AuditId>,
        ended: &Result<Ended<T>, StoreError>,
        tries: &Tries<'_>,
    ) -> Result<(), StoreError> {
        let may_commit = match ended {
            Ok(Ended::Committed(_) | Ended::Unknown(_)) => true,
            Ok(Ended::RolledBack(_)) | Err(StoreError::Refused(_)) => false,
            Ok(Ended::Unread(_)) | Err(_) => return Ok(()),
        };
        for &doubted in tries.doubted().iter().filter(|doubted| !may_commit || event != Some(**doubted)) {
            if self.is_committed(doubted).await? {
                return Err(StoreError::unavailable(Unknown));
            }
        }
        Ok(())
    }

    /// Returns if the transaction that has written the event was committed. If it was not found, the error is that of a lost connection, so
    /// that the unit of work is retried.
    async fn confirm_commit(&self, event: Option<AuditId>, tries: &mut Tries<'_>) -> Result<(), StoreError> {
        let event = event.ok_or_else(|| StoreError::unavailable(Unknown))?;
        if self.is_committed(event).await? {
            return Ok(());
        }
        tries.doubt(event);
        Err(StoreError::lost("no commit of the transaction was found"))
    }

    async fn is_committed(&self, event: AuditId) -> Result<bool, StoreError> {
        loop {
            // Boxed, because each unit of work has room for it otherwise.
            match Box::pin(self.look_for(event)).await {
                Err(error) if error.is_unavailable() => tokio::time::sleep(PAUSE).await,
                looked => return looked,
            }
        }
    }

    async fn look_for(&self, event: AuditId) -> Result<bool, StoreError> {
        let mut connection = self.writing(true).await?;
        let looked = look(&mut connection, event).await;
        match connection.end(looked).await? {
            Ended::Committed(is_committed) | Ended::RolledBack(is_committed) => Ok(is_committed),
            Ended::Unknown(_) | Ended::Unread(_) => Err(StoreError::lost("the connection was lost again")),
        }
    }
}

async fn look(connection: &mut Conn, id: AuditId) -> Result<TxOutcome<bool>, StoreError> {
    let insert = diesel::insert_into(audit_events::table).values(AuditEventRow::from(&placeholder(id)));
    if insert.on_conflict_do_nothing().execute(connection).await? == 1 {
        return Ok(TxOutcome::Rollback(false));
    }
    let found = audit_events::table.find(id.to_text()).select(audit_events::id).for_no_key_update();
    let found: Option<String> = found.get_result(connection).await.optional()?;
    Ok(TxOutcome::Commit(found.is_some()))
}

/// What is never committed.
fn placeholder(id: AuditId) -> AuditEvent {
    AuditEvent {
        id,
        at: Timestamp::from_millis(0),
        kind: EventKind::SignedIn,
        account_id: None,
        session_id: None,
        factor: None,
        dialect: "",
        ip_address: String::new(),
        actor: Actor::User,
        request: RequestIds::default(),
        keys: None,
        notices: None,
        webhooks: None,
    }
}
