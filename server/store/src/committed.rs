//! The audit events that a unit of work has written, for the observer.
//!
//! A unit of work may be repeated, and may be rolled back; what counts is what its last transaction has committed.

use crate::error::StoreError;
use crate::work::{TxOutcome, Written};
use countersign_domain::audit::AuditEvent;
use std::cell::RefCell;

tokio::task_local! {
    static WRITTEN: RefCell<Vec<Written>>;
}

/// Notes an event that the unit of work under way has written.
pub(crate) fn note(event: &AuditEvent) {
    // Outside of a unit of work no collector is set.
    let _ = WRITTEN.try_with(|written| written.borrow_mut().push((event.kind, event.dialect)));
}

/// Carries out one try of a unit of work, and adds what it has written to its value.
pub(crate) async fn collect<T>(
    work: impl Future<Output = Result<TxOutcome<T>, StoreError>>,
) -> Result<TxOutcome<(T, Vec<Written>)>, StoreError> {
    let collecting = async {
        let outcome = work.await?;
        Ok(outcome.with_events(WRITTEN.with(RefCell::take)))
    };
    WRITTEN.scope(RefCell::default(), collecting).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::actor::Actor;
    use countersign_domain::audit::{EventKind, RequestIds};
    use countersign_domain::ids::AuditId;
    use countersign_domain::time::Timestamp;

    fn event(kind: EventKind) -> AuditEvent {
        AuditEvent {
            id: AuditId::parse("0b7c1e0a-0000-4000-8000-000000000001").expect("an id"),
            at: Timestamp::from_millis(0),
            kind,
            account_id: None,
            session_id: None,
            factor: None,
            dialect: "test",
            ip_address: String::new(),
            actor: Actor::User,
            request: RequestIds::default(),
            keys: None,
            notices: None,
            webhooks: None,
        }
    }

    /// The kinds that a unit of work adds to its value, which writes two and ends like this.
    async fn kinds(ends: Result<TxOutcome<()>, StoreError>) -> Option<Vec<EventKind>> {
        let work = async {
            note(&event(EventKind::SignedIn));
            note(&event(EventKind::AccountLocked));
            ends
        };
        let (TxOutcome::Commit(((), events)) | TxOutcome::Rollback(((), events))) = collect(work).await.ok()?;
        Some(events.iter().map(|(kind, _)| *kind).collect())
    }

    #[tokio::test]
    async fn events_count_once_and_only_if_they_are_committed() {
        note(&event(EventKind::SignedUp));
        assert_eq!(kinds(Ok(TxOutcome::Rollback(()))).await, Some(Vec::new()));
        let failed = StoreError::unavailable(std::io::Error::other("gone"));
        assert_eq!(kinds(Err(failed)).await, None);
        let committed = vec![EventKind::SignedIn, EventKind::AccountLocked];
        assert_eq!(kinds(Ok(TxOutcome::Commit(()))).await, Some(committed), "those of earlier tries are forgotten");
    }
}
