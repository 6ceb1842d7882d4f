//! PostgreSQL that fails: connections that die, transactions in each other's way, locks that are not let go, a server
//! that restarts.

use crate::units::{change, judged, password_try};
use crate::users::{NOON, User, by_email, event};
use crate::world::{Behind, World};
use countersign_domain::audit::EventKind;
use countersign_store::work::{AccountWritten, Changed, LiftLimits, PasswordTry};
use countersign_store::{Database, OpenError, Options, Store, StoreError};
use countersign_test_postgres::{Cluster, DatabaseKind, Mode, needs_postgres};
use futures::future::join_all;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::{Client, NoTls};

/// Everything of this database but the session that asks.
const OTHERS: &str = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                      AND application_name = 'countersign'";
/// Units of work that wait for a lock.
pub(crate) const WAITING: &str = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
                       AND application_name = 'countersign'";

impl World {
    fn terminate(&self, which: &str) {
        self.behind.execute(&format!("SELECT pg_terminate_backend(pid) FROM {which}"));
    }

    /// Somebody else on the same database.
    pub(crate) async fn neighbour(&self) -> Client {
        let Behind::Server(database) = &self.behind else { unreachable!("tests here are about PostgreSQL") };
        let (client, connection) = tokio_postgres::connect(&database.direct_url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn until(&self, some: &str) {
        self.until_there_are(1, some).await;
    }

    pub(crate) async fn until_there_are(&self, number: i64, of: &str) {
        while self.count(of) < number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Another store on the same database.
    async fn again(&self, timeout: Duration, deadline: Duration) -> Store {
        Store::open(&Options { timeout, deadline, ..self.options.clone() }).await.unwrap()
    }

    fn alter(&self, change: &str) {
        let change = format!("EXECUTE format('ALTER DATABASE %I {change}', current_database());");
        self.behind.execute(&format!("DO $$ BEGIN {change} END $$"));
        // A pooler keeps sessions that were made before.
        self.terminate(OTHERS);
    }
}

/// Takes one of five uses within an hour of two quotas.
async fn take(store: &Store, name: &str) -> Result<PasswordTry, StoreError> {
    store.take_password_try(password_try(name, 5, NOON)).await
}

#[needs_postgres]
#[tokio::test]
async fn dead_connections_are_replaced_and_nobody_notices() {
    let world = World::start(DatabaseKind::Postgres).await;
    let user = User::signed_up(&world).await;
    for round in 0..20 {
        // All of the pool is in use, and dies.
        let read = || world.store.session_by_token((user.session.token, NOON));
        join_all((0..8).map(|_| read())).await.into_iter().for_each(|found| assert!(found.unwrap().is_some()));
        world.terminate(OTHERS);
        let name = format!("round {round}");
        if round % 2 == 0 {
            assert!(read().await.unwrap().is_some());
        }
        let tries = join_all((0..8).map(|_| take(&world.store, &name))).await;
        assert_eq!(judged(tries), 5, "nothing was counted twice");
    }
}

#[needs_postgres]
#[tokio::test]
async fn transactions_that_wait_for_one_account_leave_connections_for_others() {
    let world = World::start(DatabaseKind::Postgres).await;
    let (one, other) = (User::signed_up(&world).await, User::signed_up(&world).await);
    let neighbour = world.neighbour().await;
    let lock = format!("BEGIN; UPDATE accounts SET name = name WHERE id = '{}'", one.id().to_text());
    neighbour.batch_execute(&lock).await.unwrap();
    let lift = |user: &User| {
        let event = event(EventKind::AccountUnlocked, user.id(), NOON);
        world.store.lift_limits(LiftLimits { account_id: user.id(), event })
    };
    let burst = join_all((0..10 * world.options.connections).map(|_| lift(&one)));
    let meanwhile = async {
        world.until(WAITING).await;
        let lifted = lift(&other).await.unwrap();
        neighbour.batch_execute("COMMIT").await.unwrap();
        lifted
    };
    // The burst waits until the other account's transaction is over.
    let (burst, lifted) = futures::join!(burst, meanwhile);
    assert!(lifted.is_some() && burst.into_iter().all(|lifted| lifted.unwrap().is_some()));
}

#[needs_postgres]
#[tokio::test]
async fn work_whose_connection_dies_before_its_commit_is_done_again() {
    let world = World::start(DatabaseKind::Postgres).await;
    take(&world.store, "x").await.unwrap();
    let neighbour = world.neighbour().await;
    neighbour.batch_execute("BEGIN; UPDATE budgets SET spent = spent").await.unwrap();
    let kill = async {
        world.until(WAITING).await;
        world.terminate(WAITING);
        neighbour.batch_execute("COMMIT").await.unwrap();
    };
    let (taken, ()) = futures::join!(take(&world.store, "x"), kill);
    assert_eq!(judged([taken]), 1);
    assert_eq!(world.count("budgets WHERE spent = 2"), 2, "it counted once for each quota");
}

#[needs_postgres]
#[tokio::test]
async fn work_whose_connection_dies_in_its_commit_is_done_again_if_that_did_not_happen() {
    let world = World::start(DatabaseKind::Postgres).await;
    let user = User::signed_up(&world).await;
    world.behind.execute(
        "CREATE SEQUENCE commits;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('commits') = 1 THEN PERFORM pg_sleep(60); END IF; RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON audit_events DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    let kill = async {
        let committing = format!("{OTHERS} AND query = 'COMMIT' AND state = 'active'");
        world.until(&committing).await;
        world.terminate(&committing);
    };
    let record = world.store.record(event(EventKind::PasswordRejected, user.id(), NOON));
    let (recorded, ()) = futures::join!(record, kill);
    recorded.unwrap();
    assert_eq!(world.count("audit_events WHERE kind = 'password-rejected'"), 1);
    assert_eq!(world.count("commits WHERE last_value = 2"), 1, "it was tried twice");
}

#[needs_postgres]
#[tokio::test]
async fn the_victim_of_a_deadlock_does_its_work_again() {
    let world = World::start(DatabaseKind::Postgres).await;
    let user = User::signed_up(&world).await;
    // The one that looks for deadlocks first is the one that gives way.
    world.alter("SET deadlock_timeout = ''2s''");
    let store = world.again(Duration::from_secs(20), Duration::from_secs(30)).await;
    let neighbour = world.neighbour().await;
    neighbour.batch_execute("SET deadlock_timeout = '60s'; BEGIN; UPDATE sessions SET user_agent = ''").await.unwrap();
    let change = change(&user, 0);
    let cross = async {
        world.until(WAITING).await;
        neighbour.batch_execute("UPDATE accounts SET name = 'neighbour'; COMMIT").await.unwrap();
    };
    let (changed, ()) = futures::join!(store.change_password(change), cross);
    assert_eq!(changed.unwrap(), Changed::Done);
    assert_eq!(world.count("accounts WHERE name = 'neighbour' AND credentials_version = 1"), 1, "both happened");
    assert_eq!(world.count("audit_events WHERE kind = 'password-changed'"), 1, "once");
}

#[needs_postgres]
#[tokio::test]
async fn on_an_engine_that_serializes_everything_conflicts_are_retried() {
    let world = World::start(DatabaseKind::Postgres).await;
    world.alter("SET default_transaction_isolation = ''serializable''");
    let store = world.again(Duration::from_secs(20), Duration::from_secs(30)).await;
    for round in 0..10 {
        let name = format!("round {round}");
        assert_eq!(judged(join_all((0..16).map(|_| take(&store, &name))).await), 5);
    }
    let neighbour = world.neighbour().await;
    let level = neighbour.query_one("SHOW transaction_isolation", &[]).await.unwrap();
    assert_eq!(level.get::<_, String>(0), "serializable", "the test tests what it says");
}

#[needs_postgres]
#[tokio::test]
async fn a_lock_that_is_not_let_go_is_an_outage_within_the_timeout() {
    let world = World::start(DatabaseKind::Postgres).await;
    take(&world.store, "x").await.unwrap();
    let neighbour = world.neighbour().await;
    neighbour.batch_execute("BEGIN; UPDATE budgets SET spent = spent").await.unwrap();
    // By the server's time-out for locks, and by ours for everything.
    for (timeout, deadline) in [(200, 10_000), (10_000, 1_000)] {
        let store = world.again(Duration::from_millis(timeout), Duration::from_millis(deadline)).await;
        let begun = Instant::now();
        let error = take(&store, "x").await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    neighbour.batch_execute("COMMIT").await.unwrap();
    assert_eq!(judged([take(&world.store, "x").await]), 1);
    assert_eq!(world.count("budgets WHERE spent = 2"), 2, "what was given up did not happen later");
}

#[needs_postgres]
#[tokio::test]
async fn a_database_that_may_only_be_read_is_an_outage_for_writes() {
    let world = World::start(DatabaseKind::Postgres).await;
    world.alter("SET default_transaction_read_only = on");
    let store = world.again(Duration::from_secs(5), Duration::from_secs(5)).await;
    store.ping(()).await.unwrap();
    let error = take(&store, "x").await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

#[needs_postgres]
#[tokio::test]
async fn a_session_has_the_settings_that_we_rely_on() {
    let world = World::start(DatabaseKind::Postgres).await;
    world.alter("SET synchronous_commit = off");
    let store = world.again(Duration::from_secs(3), Duration::from_secs(7)).await;
    // What a session is set to is only visible to itself: a trigger tells.
    world.behind.execute(
        "CREATE TABLE told (name text, value text);
         CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO told SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('statement_timeout',
                 'lock_timeout', 'idle_in_transaction_session_timeout', 'synchronous_commit', 'application_name',
                 'TimeZone', 'client_encoding');
             RETURN NULL; END $$;
         CREATE TRIGGER tell AFTER INSERT ON budgets FOR EACH ROW EXECUTE FUNCTION tell()",
    );
    take(&store, "x").await.unwrap();
    for (name, value) in [
        ("statement_timeout", "7s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "7s"),
        ("synchronous_commit", "on"),
        ("application_name", "countersign"),
        ("TimeZone", "UTC"),
        ("client_encoding", "UTF8"),
    ] {
        assert_eq!(world.count(&format!("told WHERE name = '{name}' AND value = '{value}'")), 2, "{name}");
    }
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_is_an_outage_and_then_is_not() {
    let Some(cluster) = Cluster::own(&[], &[]) else { return };
    let database = cluster.database();
    let mut options = Options { timeout: Duration::from_secs(2), ..Options::new(Database::Postgres(database.url())) };
    if database.is_pooled() {
        // A pooler has its clients wait while the server is away.
        options.deadline = Duration::from_secs(4);
    }
    let world = World { store: Store::open(&options).await.unwrap(), options, behind: Behind::Server(database) };
    let mut known = Vec::new();
    for mode in [Mode::Fast, Mode::Immediate] {
        for _ in 0..6 {
            known.push(User::signed_up(&world).await);
        }
        cluster.stop(mode);
        let begun = Instant::now();
        let error = world.store.create_account(User::new().sign_up()).await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        assert!(world.store.ping(()).await.unwrap_err().is_unavailable());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        cluster.start();
        // The same store, at once.
        world.store.ping(()).await.unwrap();
        for user in &known {
            assert!(world.store.session_by_token((user.session.token, NOON)).await.unwrap().is_some());
        }
    }
    // While somebody is working: every answer is yes or "not available", and every yes is kept.
    let restarts = async {
        for mode in [Mode::Immediate, Mode::Fast, Mode::Immediate] {
            tokio::time::sleep(Duration::from_millis(200)).await;
            tokio::task::block_in_place(|| cluster.restart(mode));
        }
    };
    let working = async {
        let (mut outages, mut kept) = (0, Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(4) {
            let user = User::new();
            match world.store.create_account(user.sign_up()).await {
                Ok(outcome) => {
                    assert_eq!(outcome, AccountWritten::Done);
                    kept.push(user);
                }
                Err(error) => {
                    assert!(error.is_unavailable(), "{error:?}");
                    outages += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
        (outages, kept)
    };
    let ((), (_, kept)) = futures::join!(restarts, working);
    world.store.ping(()).await.unwrap();
    for user in &kept {
        let found = world.store.account(by_email(user.email())).await.unwrap();
        assert!(found.is_some(), "an acknowledged sign-up was lost");
    }
    assert_eq!(world.count("accounts"), world.count("sessions"), "nothing half written");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_without_its_password() {
    let options = Options {
        timeout: Duration::from_secs(1),
        ..Options::new(Database::Postgres("postgres://me:secret@127.0.0.1:9/two".to_owned()))
    };
    let Err(OpenError::Unreachable(error)) = Store::open(&options).await else { panic!("it opened") };
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(!format!("{error:?} {options:?}").contains("secret"));
}
