//! PgBouncer between the store and PostgreSQL: one that keeps a session for each connection is as good as none, others are
//! refused.

use crate::users::{NOON, User};
use crate::world::{Behind, World};
use countersign_store::{Database, OpenError, Options, Store};
use countersign_test_postgres::{Pooler, needs_pgbouncer};
use futures::future::join_all;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;

fn options(pooler: &Pooler) -> Options {
    let database = Database::Postgres(pooler.url().to_owned());
    Options { timeout: Duration::from_secs(5), deadline: Duration::from_secs(20), ..Options::new(database) }
}

fn pooler(behind: &Behind, mode: &str, settings: &[&str]) -> Pooler {
    let Behind::Server(database) = behind else { panic!("a server was asked for") };
    Pooler::start(database, mode, settings)
}

/// Somebody else who uses the pooler all the time.
async fn busy(pooler: &Pooler) -> JoinHandle<()> {
    let (client, connection) = tokio_postgres::connect(pooler.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    tokio::spawn(async move {
        while client.batch_execute("SELECT pg_sleep(0.002)").await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
}

#[needs_pgbouncer]
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_transaction_mode_is_refused() {
    let behind = Behind::server();
    for (settings, others) in [
        (&[][..], 0),
        (&["server_round_robin = 1"], 0),
        (&["default_pool_size = 2"], 0),
        (&[], 3),
        (&["server_round_robin = 1"], 3),
        (&["server_round_robin = 1", "min_pool_size = 2", "default_pool_size = 2"], 0),
    ] {
        let pooler = pooler(&behind, "transaction", settings);
        let others = join_all((0..others).map(|_| busy(&pooler))).await;
        for migrate in [true, false] {
            let opened = Store::open(&Options { migrate, ..options(&pooler) }).await;
            let error = opened.err().unwrap_or_else(|| panic!("{settings:?} was not noticed"));
            assert!(matches!(error, OpenError::SharedSessions), "{settings:?}: {error:?}");
        }
        assert!(matches!(Store::migrate(&options(&pooler)).await, Err(OpenError::SharedSessions)));
        others.iter().for_each(JoinHandle::abort);
    }
}

#[needs_pgbouncer]
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_statement_mode_is_refused() {
    let pooler = pooler(&Behind::server(), "statement", &[]);
    assert!(Store::open(&options(&pooler)).await.is_err());
}

#[needs_pgbouncer]
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_session_mode_is_as_good_as_none() {
    let behind = Behind::server();
    let pooler = pooler(&behind, "session", &[]);
    let options = options(&pooler);
    let store = Store::open(&options).await.unwrap();
    let world = World { store, options, behind };
    let user = User::signed_up(&world).await;
    let reads = (0..64).map(|_| world.store.session_by_token((user.session.token, NOON)));
    join_all(reads).await.into_iter().for_each(|found| assert!(found.unwrap().is_some()));
}
