//! Reads of sessions at the same time, which PostgreSQL carries out together.

use crate::users::{HOUR, NOON, User, event, session_digest};
use crate::world::World;
use countersign_domain::audit::EventKind;
use countersign_domain::ids::AccountId;
use countersign_domain::secret::Digest;
use countersign_domain::time::Timestamp;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use futures::future::{join_all, select_all};
use futures::{FutureExt as _, StreamExt as _};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whose session it is, if it is live.
async fn owner(world: &World, token: Digest, now: Timestamp) -> Option<AccountId> {
    let found = world.store.session_by_token((token, now)).await.unwrap();
    found.map(|(session, account)| {
        assert_eq!(session.account_id, account.id);
        account.id
    })
}

async fn signed_up(world: &World, count: usize) -> Vec<User> {
    futures::stream::iter(0..count).then(|_| User::signed_up(world)).collect().await
}

#[on_each_database]
async fn each_of_many_reads_finds_the_session_of_its_token(database: DatabaseKind) {
    let world = &World::start(database).await;
    let users = signed_up(world, 10).await;
    let reads = (0..600_usize).map(|number| {
        let user = &users[number % users.len()];
        async move {
            match number % 7 {
                5 => assert_eq!(owner(world, session_digest(), NOON).await, None, "no such token"),
                6 => assert_eq!(owner(world, user.session.token, NOON + 1000 * HOUR).await, None, "expired by then"),
                _ => assert_eq!(owner(world, user.session.token, NOON).await, Some(user.id())),
            }
        }
    });
    join_all(reads).await;
}

#[on_each_database]
async fn a_read_sees_what_was_committed_before_it_began(database: DatabaseKind) {
    let world = &World::start(database).await;
    let bystander = &User::signed_up(world).await;
    let is_over = &AtomicBool::new(false);
    // Statements of others are under way all the time.
    let load = join_all((0..20).map(|_| async move {
        while !is_over.load(Ordering::Relaxed) {
            assert_eq!(owner(world, bystander.session.token, NOON).await, Some(bystander.id()));
            tokio::task::yield_now().await;
        }
    }));
    let changes = async {
        for _ in 0..50 {
            let user = User::signed_up(world).await;
            assert_eq!(owner(world, user.session.token, NOON).await, Some(user.id()));
            let out = event(EventKind::SignedOut, user.id(), NOON);
            world.store.sign_out((user.session.token, out)).await.unwrap();
            assert_eq!(owner(world, user.session.token, NOON).await, None, "it has ended");
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(load, changes);
}

#[on_each_database]
async fn reads_that_are_dropped_stop_no_others(database: DatabaseKind) {
    let world = &World::start(database).await;
    let user = &User::signed_up(world).await;
    for _ in 0..100 {
        let reads = (0..16).map(|_| owner(world, user.session.token, NOON).boxed());
        // The one that is answered first ends all of these; others of their batch go on.
        let dropped = async { drop(select_all(reads).await) };
        let kept = join_all((0..16).map(|_| owner(world, user.session.token, NOON)));
        let (kept, ()) = tokio::join!(kept, dropped);
        assert_eq!(kept, vec![Some(user.id()); 16]);
    }
}
