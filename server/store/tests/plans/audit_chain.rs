//! Units of work about the chain of the audit trail.

use crate::users::{HOUR, NOON, User, event, trail_keys};
use crate::world::World;
use countersign_domain::audit::{AuditEvent, EventKind};
use countersign_store::work::{FindAuditBlocks, FindBlockEvents, FindUnsealed, RemoveAuditBlocks, SealAuditBlock};

/// Seals what the other units have written in several blocks, reads them, and removes the oldest.
pub(crate) async fn everything(world: &World) {
    let store = &world.store;
    let user = User::signed_up(world).await;
    let seal = SealAuditBlock { keys: trail_keys(), now: NOON, limit: 2 };
    let first = store.seal_audit_block(seal.clone()).await.unwrap().expect("events wait");
    assert_eq!((first.after, first.events, first.has_more), (None, 2, true));
    // One that is not the server's, and is older than all others.
    let forged = AuditEvent { keys: None, ..event(EventKind::SignedIn, user.id(), NOON - HOUR) };
    store.record(forged).await.unwrap();
    let page = store.unsealed_events(FindUnsealed { after: None, limit: 1 }).await.unwrap();
    let after = page.last().map(|event| (event.content.at, event.content.id.clone()));
    assert_eq!(store.unsealed_events(FindUnsealed { after, limit: 1 }).await.unwrap().len(), 1);
    let second = store.seal_audit_block(seal).await.unwrap().expect("events wait");
    assert_eq!((second.after, second.events, second.refused.len()), (first.head, 1, 1));
    let head = store.audit_head(()).await.unwrap().expect("two blocks");
    assert_eq!(Some(head.block.head()), second.head);
    let blocks = store.audit_blocks(FindAuditBlocks { after: 0, limit: 10 }).await.unwrap();
    assert_eq!(blocks.len(), 2);
    let events = store.block_events(FindBlockEvents { first: 1, last: 2, limit: 10 }).await.unwrap();
    assert_eq!(events.len(), 3);
    let remove = RemoveAuditBlocks { keys: trail_keys(), before: NOON, batch: 2 };
    let removed = store.remove_audit_blocks(remove).await.unwrap();
    assert_eq!((removed.events, removed.has_more), (3, true), "those of a block, and what was refused");
    assert!(store.audit_blocks(FindAuditBlocks { after: 0, limit: 1 }).await.unwrap()[0].is_checkpoint);
}
