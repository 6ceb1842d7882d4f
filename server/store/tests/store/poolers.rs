//! PgBouncer between the store and PostgreSQL: one that lends its sessions for a statement is refused, others are as good as none.
//!
//! With `COUNTERSIGN_TEST_POOLER=transaction` all tests on PostgreSQL run through it.

use crate::units::{judged, password_try};
use crate::users::{NOON, User};
use crate::world::{Behind, World};
use countersign_domain::error_chain;
use countersign_store::{Database, OpenError, Options, Store};
use countersign_test_postgres::{Pooler, needs_pgbouncer};
use futures::future::join_all;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::{NoTls, SimpleQueryMessage};

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

/// A node behind the pooler.
async fn node(pooler: &Pooler, migrate: bool) -> Store {
    let opened = Store::open(&Options { migrate, seed: 7, ..options(pooler) }).await;
    opened.unwrap_or_else(|error| panic!("it does not open: {error:?}"))
}

/// Statements that a session has prepared, and settings that it keeps, would be found by the next client that it is lent to.
async fn left_in_sessions(pooler: &Pooler) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(pooler.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let left = "SELECT name FROM pg_prepared_statements UNION ALL \
                SELECT name FROM pg_settings WHERE source = 'session' AND name ~ 'timeout|synchronous_commit'";
    let answers = client.simple_query(left).await.unwrap();
    let name = |answer: &SimpleQueryMessage| match answer {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    answers.iter().filter_map(name).collect()
}

#[needs_pgbouncer]
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_work_through_a_pooler_in_transaction_mode_and_leave_nothing_in_its_sessions() {
    for (settings, others) in [
        (&[][..], 0),
        (&["server_round_robin = 1"], 0),
        (&["default_pool_size = 2"], 0),
        (&[], 3),
        (&["server_round_robin = 1"], 3),
        (&["server_round_robin = 1", "min_pool_size = 2", "default_pool_size = 2"], 0),
    ] {
        let behind = Behind::server();
        let pooler = pooler(&behind, "transaction", settings);
        let others = join_all((0..others).map(|_| busy(&pooler))).await;
        let (one, other) = futures::join!(node(&pooler, true), node(&pooler, true));
        assert!(Store::migrate(&options(&pooler)).await.unwrap().is_empty());
        let options = options(&pooler);
        let world = World { store: one, options, behind };
        let user = User::signed_up(&world).await;
        for round in 0..8 {
            let name = format!("round {round}");
            let nodes = [&world.store, &other];
            let tries = (0..16).map(|index| nodes[index % 2].take_password_try(password_try(&name, 5, NOON)));
            let reads = (0..16).map(|index| nodes[index % 2].session_by_token((user.session.token, NOON)));
            let (tries, reads) = futures::join!(join_all(tries), join_all(reads));
            assert_eq!(judged(tries), 5, "{settings:?}");
            reads.into_iter().for_each(|found| assert!(found.unwrap().is_some(), "{settings:?}"));
        }
        others.iter().for_each(JoinHandle::abort);
        assert_eq!(left_in_sessions(&pooler).await, Vec::<String>::new(), "{settings:?}");
    }
}

/// Otherwise a session is one's own as long as nobody else comes.
#[needs_pgbouncer]
#[tokio::test(flavor = "multi_thread")]
async fn an_address_may_say_that_sessions_are_shared() {
    let behind = Behind::server();
    let pooler = pooler(&behind, "session", &[]);
    let prepared = "SELECT name FROM pg_prepared_statements";
    for (parameter, is_empty) in [("?pgbouncer=false", false), ("?pgbouncer=true", true)] {
        let database = Database::Postgres(format!("{}{parameter}", pooler.url()));
        let store = Store::open(&Options { connections: 1, ..Options::new(database) }).await.unwrap();
        store.ping(()).await.unwrap();
        behind.execute("CREATE TABLE IF NOT EXISTS told (name text); TRUNCATE told");
        behind.execute(&format!(
            "CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 INSERT INTO told {prepared}; RETURN NULL; END $$; \
             CREATE OR REPLACE TRIGGER tell AFTER INSERT ON budgets FOR EACH STATEMENT EXECUTE FUNCTION tell()"
        ));
        store.take_password_try(password_try(parameter, 5, NOON)).await.unwrap();
        assert_eq!(behind.count("told") == 0, is_empty, "{parameter}");
    }
}

#[needs_pgbouncer]
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_in_statement_mode_is_refused() {
    let behind = Behind::server();
    let pooler = pooler(&behind, "statement", &[]);
    for parameter in ["", "?pgbouncer=true"] {
        let database = Database::Postgres(format!("{}{parameter}", pooler.url()));
        let refused = Store::open(&Options::new(database)).await.err();
        assert!(matches!(refused, Some(OpenError::NoTransactions)), "{refused:?}");
    }
}

#[needs_pgbouncer]
#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_a_pooler_does_not_take_is_named() {
    let behind = Behind::server();
    let pooler = pooler(&behind, "transaction", &[]);
    let database = Database::Postgres(format!("{}?options=-c%20jit%3Doff", pooler.url()));
    let error = Store::open(&Options::new(database)).await.err().map(|error| error_chain(&error)).unwrap_or_default();
    let told = "a pooler in between does not take `options` from the database's address";
    assert!(error.contains(told), "{error}");
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
