//! Housekeeping: what has passed goes, in small batches, and nothing else.

use crate::units::{judged, password_try};
use crate::users::{HOUR, NOON, User, session_digest, trail_keys, trust};
use crate::world::World;
use countersign_domain::attempt::Proof;
use countersign_domain::time::Timestamp;
use countersign_store::StoreError;
use countersign_store::work::{CompleteSignIn, PasswordTry, Purge, Purged, RemoveAuditBlocks, SealAuditBlock};
use countersign_test_postgres::{DatabaseKind, needs_postgres, on_each_database};
use futures::future::join_all;
use std::time::Duration;

fn purge(now: Timestamp, batch: u32) -> Purge {
    Purge { now, batch }
}

/// Takes one of three uses within an hour of two quotas.
async fn take(world: &World, name: &str, now: Timestamp) -> Result<PasswordTry, StoreError> {
    world.store.take_password_try(password_try(name, 3, now)).await
}

#[on_each_database]
async fn what_has_passed_goes_and_what_lives_stays(database: DatabaseKind) {
    let world = &World::start(database).await;
    let (user, authenticator, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    user.issued(world, &claimant, 1).await;
    let claimant = user.challenged(world, NOON).await;
    let proof = Proof::Totp { method_id: authenticator, step: 2, confirms: false };
    let mut pass = user.pass(claimant, proof);
    pass.request.trusts_device = true;
    pass.trust = trust(NOON + 30 * HOUR);
    world.store.complete_second_factor(pass).await.unwrap();
    take(world, "some", NOON).await.unwrap();

    let purged = world.store.purge(purge(NOON, 100)).await.unwrap();
    assert_eq!(purged, Purged { quotas: 1, ..Purged::default() }, "nothing has passed but what a sign-in gave back");
    // The challenge and its code live for minutes, the quotas for an hour, sessions for a day, trust for longer.
    let purged = world.store.purge(purge(NOON + 2 * HOUR, 100)).await.unwrap();
    assert_eq!(purged, Purged { challenges: 1, one_time_codes: 1, quotas: 4, messages: 1, ..Purged::default() });
    let purged = world.store.purge(purge(NOON + 24 * HOUR, 100)).await.unwrap();
    assert_eq!(
        purged,
        Purged { sessions: 2, known_networks: 1, ..Purged::default() },
        "what ends at this moment has ended"
    );
    let events = world.count("audit_events");
    let purged = world.store.purge(purge(NOON + 30 * HOUR, 100)).await.unwrap();
    assert_eq!((purged.trusted_devices, world.count("audit_events")), (1, events));
    // Events go with their blocks.
    let seal = SealAuditBlock { keys: trail_keys(), now: NOON, limit: 500 };
    world.store.seal_audit_block(seal).await.unwrap().unwrap();
    for (before, expected) in [(NOON - Duration::from_millis(1), 0), (NOON, usize::try_from(events).unwrap())] {
        let remove = RemoveAuditBlocks { keys: trail_keys(), before, batch: 100 };
        assert_eq!(world.store.remove_audit_blocks(remove).await.unwrap().events, expected);
    }
    assert_eq!((world.count("audit_events"), world.count("audit_blocks")), (0, 1), "the checkpoint stays");
    assert_eq!(
        (world.count("accounts"), world.count("methods WHERE kind = 'authenticator'"), world.count("backup_codes")),
        (1, 1, 10)
    );
}

#[on_each_database]
async fn a_batch_takes_the_oldest_and_says_that_there_is_more(database: DatabaseKind) {
    let world = &World::start(database).await;
    for age in 0..5_u32 {
        let at = NOON + Duration::from_secs(60) * age;
        take(world, &format!("b{age}"), at).await.unwrap();
    }
    let purged = world.store.purge(purge(NOON + 2 * HOUR, 4)).await.unwrap();
    assert_eq!((purged.quotas, purged.may_have_left(4)), (4, true));
    assert_eq!(world.count("budgets WHERE name IN ('b0', 'b1')"), 0);
    assert_eq!(world.store.purge(purge(NOON + 2 * HOUR, 4)).await.unwrap().quotas, 4);
    let purged = world.store.purge(purge(NOON + 2 * HOUR, 4)).await.unwrap();
    assert_eq!((purged.total(), purged.may_have_left(4)), (2, false));
}

#[on_each_database]
async fn several_nodes_share_the_work(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = User::signed_up(world).await;
    for _ in 0..40 {
        let sign_in = CompleteSignIn { trust: None, ..user.sign_in(NOON) };
        world.store.complete_sign_in(sign_in).await.unwrap();
    }
    let nodes = (0..8).map(|_| async {
        let mut mine = 0;
        for _ in 0..20 {
            let purged = world.store.purge(purge(NOON + 48 * HOUR, 3)).await.unwrap().sessions;
            assert!(purged <= 3, "{purged} of at most 3");
            mine += purged;
        }
        mine
    });
    assert_eq!(join_all(nodes).await.into_iter().sum::<usize>(), 41, "each row went once");
    assert!(world.store.session_by_token((session_digest(), NOON)).await.unwrap().is_none());
}

/// A quota that begins anew while it is being removed is a fresh one, and must not be lost.
#[on_each_database]
async fn what_is_renewed_meanwhile_stays(database: DatabaseKind) {
    let world = &World::start(database).await;
    for round in 0..20_u32 {
        let name = format!("r{round}");
        take(world, &name, NOON).await.unwrap();
        let later = NOON + 2 * HOUR;
        let tries = join_all((0..6).map(|_| take(world, &name, later)));
        let purges = join_all((0..6).map(|_| world.store.purge(purge(later, 10))));
        let (tries, _) = futures::join!(tries, purges);
        assert_eq!(judged(tries), 3, "the new window was counted from its first");
    }
}

/// The same, with the renewal held open: a removal waits for nobody, and takes what nobody holds.
#[needs_postgres]
#[tokio::test]
async fn a_removal_waits_for_no_other_transaction_on_postgres() {
    let world = World::start(DatabaseKind::Postgres).await;
    for name in ["held", "free"] {
        take(&world, name, NOON).await.unwrap();
    }
    let crate::world::Behind::Server(database) = &world.behind else { unreachable!() };
    let (client, connection) = tokio_postgres::connect(&database.direct_url(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let renew = "UPDATE budgets SET expires_at = expires_at + 86400000 WHERE name LIKE 'held%'";
    client.batch_execute(&format!("BEGIN; {renew}")).await.unwrap();
    let removal = world.store.purge(purge(NOON + 2 * HOUR, 10));
    let purged = tokio::time::timeout(Duration::from_secs(3), removal).await.expect("it does not wait");
    assert_eq!((purged.unwrap().quotas, world.count("budgets")), (2, 2));
    client.batch_execute("COMMIT").await.unwrap();
    let purged = world.store.purge(purge(NOON + 2 * HOUR, 10)).await.unwrap();
    assert_eq!((purged.quotas, world.count("budgets")), (0, 2), "it was renewed");
    drop(client);
    connection.await.unwrap().unwrap();
}
