//! Replicas: the one that takes writes is followed.

use crate::users::{NOON, User, by_email};
use crate::world::{Behind, World};
use countersign_store::work::AccountWritten;
use countersign_store::{Database, Options, Store};
use countersign_test_postgres::faults::FaultyProxy;
use countersign_test_postgres::{Cluster, needs_postgres};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// One address of both.
fn of_both(one: &str, other: &str) -> String {
    let (before, rest) = one.rsplit_once('@').unwrap();
    let (host, name) = rest.split_once('/').unwrap();
    let other = other.rsplit_once('@').unwrap().1.split_once('/').unwrap().0;
    format!("{before}@{other},{host}/{name}")
}

async fn until(what: &str, is_so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replica_that_takes_the_place_of_a_frozen_leader_is_followed() {
    let Some(cluster) = Cluster::own(&[], &[]) else { return };
    let database = cluster.database();
    let proxy = FaultyProxy::in_front_of(&database.direct_url());
    let (replica, copy) = cluster.replicate(&database);
    let options = Options {
        timeout: Duration::from_secs(2),
        ..Options::new(Database::Postgres(of_both(proxy.url(), &copy.direct_url())))
    };
    let store = Store::open(&options).await.unwrap();
    let world = World { store, options, behind: Behind::Server(database) };
    let user = User::signed_up(&world).await;
    let name = format!("accounts WHERE id = '{}'", user.id().to_text());
    assert_eq!(world.count(&name), 1, "the replica was not written to");
    until("it is replicated", || copy.number(&format!("SELECT count(*) FROM {name}")) == 1).await;

    proxy.freeze(true);
    let begun = Instant::now();
    // On a connection to the frozen one, for up to 15 seconds if nobody knew better.
    let read = world.store.session_by_token((user.session.token, NOON));
    let takes_over = async {
        let lost = until("it is noticed", || !world.store.takes_writes()).await;
        tokio::task::block_in_place(|| replica.promote());
        lost
    };
    let (found, lost) = tokio::join!(read, takes_over);
    assert!(found.unwrap().is_some());
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert!(lost < Duration::from_secs(4), "{lost:?}");
    until("it is noticed", || world.store.takes_writes()).await;

    // The former leader is there again, and has not heard of the new one.
    proxy.freeze(false);
    for round in 0..4 {
        copy.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'countersign'")
            .unwrap();
        let user = User::new();
        let written = timeout(Duration::from_secs(10), world.store.create_account(user.sign_up())).await.unwrap();
        assert_eq!(written.unwrap(), AccountWritten::Done, "{round}");
        assert!(world.store.account(by_email(user.email())).await.unwrap().is_some());
        assert_eq!(copy.number("SELECT count(*) FROM accounts"), round + 2);
        assert_eq!(world.count("accounts"), 1, "nothing more is written to the former one");
    }
}
