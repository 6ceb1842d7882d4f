//! Units of work about keys.

use crate::fingerprint;
use crate::users::{NOON, User};
use crate::world::World;
use countersign_domain::audit_chain::BlockMac;
use countersign_domain::key_use::NodeKeys;
use countersign_domain::keyring::Sealed;
use countersign_store::work::{
    FindSealed, FindTagged, NoteKey, NoteResealed, Place, RemoveTags, ResealedBlock, ResealedMessage, ResealedSecret,
    ScanSigned, SealedTable, SignedTable,
};

/// A key that nodes load, that everything is sealed anew with, and that is retired.
pub(crate) async fn everything(world: &World) {
    let store = &world.store;
    let (user, app, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    user.issued(world, &claimant, 8).await;
    let node = NodeKeys { node: "one".to_owned(), keys: vec!["k1".to_owned()], active: vec![], seen_at: NOON };
    store.note_node(node.clone()).await.unwrap();
    store.note_node(node).await.unwrap();
    for is_active in [false, true] {
        store.note_key(NoteKey { key_id: "k1".to_owned(), is_active, now: NOON }).await.unwrap();
    }
    let note = NoteResealed { key_id: "k1".to_owned(), resealed_at: Some(NOON) };
    store.note_resealed(note).await.unwrap();
    assert_eq!(store.key_use(()).await.unwrap().nodes.len(), 1);

    let sealing = store.sealing_keys(()).await.unwrap();
    assert!(sealing.iter().any(|(table, _)| *table == SealedTable::Messages), "{sealing:?}");
    let mut resealed_secrets = 0;
    for (table, key_id) in sealing {
        assert!(store.count_sealed((table, key_id.clone())).await.unwrap() > 0);
        let find = FindSealed { key_id, after: String::new(), limit: 1_000 };
        match table {
            SealedTable::Methods => {
                let found = store.sealed_secrets(find).await.unwrap();
                let Some(mine) = found.into_iter().find(|found| found.id == app) else { continue };
                let resealed = ResealedSecret {
                    method_id: app,
                    before: mine.secret.bytes,
                    sealed: Sealed { key_id: "k2".to_owned(), bytes: vec![2] },
                    fingerprint: Some(fingerprint(9)),
                };
                assert!(store.reseal_secret(resealed.clone()).await.unwrap());
                assert!(!store.reseal_secret(resealed).await.unwrap(), "the row is another one by now");
                resealed_secrets += 1;
            }
            SealedTable::Messages => {
                let mine = store.sealed_messages(find).await.unwrap().remove(0);
                let sealed = Sealed { key_id: "k2".to_owned(), bytes: mine.sealed.bytes.clone() };
                let resealed = ResealedMessage { id: mine.id, before: mine.sealed.bytes, sealed };
                assert!(store.reseal_message(resealed).await.unwrap());
            }
            SealedTable::AuditBlocks => {
                let mine = store.sealed_blocks(find).await.unwrap().remove(0);
                let mac = BlockMac { key_id: "k2".to_owned(), mac: vec![2] };
                let resealed = ResealedBlock { number: mine.block.number, before: mine.mac.mac, mac };
                assert!(store.reseal_block(resealed.clone()).await.unwrap());
                assert!(!store.reseal_block(resealed).await.unwrap(), "the row is another one by now");
            }
        }
    }
    assert_eq!(resealed_secrets, 1);
    for table in SignedTable::ALL {
        let scan = ScanSigned { table, after: Place::default(), limit: 1, made_until: NOON, now: NOON };
        store.scan_signed(scan).await.unwrap();
    }
    let find = FindTagged { after: String::new(), limit: 5, made_until: NOON };
    let page = store.tagged_codes(find).await.unwrap();
    let last = page.last.expect("there are codes");
    let remove = RemoveTags { after: String::new(), last, made_until: NOON };
    assert_eq!(store.remove_tags(remove).await.unwrap(), page.tagged);
    store.forget_node("one".to_owned()).await.unwrap();
    store.forget_canary("k1".to_owned()).await.unwrap();
}
