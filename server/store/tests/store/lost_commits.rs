//! Connections that are lost in the middle of a commit.

use crate::attempts::{Ended, complete, right};
use crate::connections::WAITING;
use crate::units::{change, password_try};
use crate::users::{NOON, User, by_email, event, is_done};
use crate::world::{Behind, World};
use countersign_domain::audit::EventKind;
use countersign_store::work::{AccountWritten, Changed, SignInCompleted};
use countersign_store::{Database, Options, Store, StoreError};
use countersign_test_postgres::faults::FaultyProxy;
use countersign_test_postgres::faults::Lost::{self, Client, Commit, Reply};
use countersign_test_postgres::needs_postgres;

/// What is lost, the last one first.
const LOSSES: [&[Lost]; 5] = [&[Commit], &[Reply], &[Commit, Commit], &[Reply, Commit], &[Reply, Reply]];

/// A database, and a store that reaches it by a proxy.
async fn world() -> (World, FaultyProxy) {
    let behind = Behind::server();
    let Behind::Server(database) = &behind else { unreachable!("it is a server") };
    let proxy = FaultyProxy::in_front_of(&database.url());
    let options = Options { database: Database::Postgres(proxy.url().to_owned()), connections: 1, ..behind.options() };
    let store = Store::open(&options).await.unwrap();
    (World { store, options, behind }, proxy)
}

#[needs_postgres]
#[tokio::test]
async fn a_sign_up_whose_commit_is_lost_happens_once() {
    let (world, proxy) = world().await;
    for losses in LOSSES {
        proxy.lose(losses);
        let user = User::new();
        assert_eq!(world.store.create_account(user.sign_up()).await.unwrap(), AccountWritten::Done, "{losses:?}");
        assert_eq!(proxy.left(), 0, "{losses:?}");
        assert!(world.store.account(by_email(user.email())).await.unwrap().is_some(), "{losses:?}");
        let events = format!("audit_events WHERE account_id = '{}'", user.id().to_text());
        assert_eq!(world.count(&events), 1, "{losses:?}");
    }
    assert_eq!(world.count("accounts"), world.count("sessions"));
}

#[needs_postgres]
#[tokio::test]
async fn a_sign_in_whose_commit_is_lost_happens_once() {
    let (world, proxy) = world().await;
    let user = User::signed_up(&world).await;
    for losses in LOSSES {
        let sessions = world.count("sessions");
        proxy.lose(losses);
        let completed = world.store.complete_sign_in(user.sign_in(NOON)).await.unwrap();
        assert!(matches!(completed, SignInCompleted::Decided(_)), "{losses:?}: {completed:?}");
        assert_eq!(proxy.left(), 0, "{losses:?}");
        assert_eq!(world.count("sessions"), sessions + 1, "{losses:?}");
    }
}

#[needs_postgres]
#[tokio::test]
async fn a_second_factor_whose_commit_is_lost_counts_once() {
    let (world, proxy) = world().await;
    let (user, app, _) = User::enrolled(&world).await;
    let mut undisturbed = None;
    for (step, losses) in (2..).zip([&[][..]].into_iter().chain(LOSSES)) {
        let claimant = user.challenged(&world, NOON).await;
        let sessions = world.count("sessions");
        proxy.lose(losses);
        let ended = right(&world, &user, &claimant, complete(&user, &claimant, app, step)).await;
        assert!(matches!(&ended, Ended::Completed(completed, ()) if is_done(completed)), "{losses:?}: {ended:?}");
        assert_eq!(*undisturbed.get_or_insert(format!("{ended:?}")), format!("{ended:?}"), "{losses:?}");
        assert_eq!(proxy.left(), 0, "{losses:?}");
        assert_eq!(world.count("sessions"), sessions + 1, "{losses:?}");
        assert_eq!(world.count("challenges"), 0, "{losses:?}");
    }
}

#[needs_postgres]
#[tokio::test]
async fn a_second_factor_in_a_session_whose_commit_is_lost_counts_once() {
    let (world, proxy) = world().await;
    for losses in LOSSES {
        let (user, app, _) = User::enrolled(&world).await;
        let claimant = user.in_session();
        proxy.lose(losses);
        let ended = right(&world, &user, &claimant, complete(&user, &claimant, app, 2)).await;
        assert!(matches!(&ended, Ended::Completed(completed, ()) if is_done(completed)), "{losses:?}: {ended:?}");
        assert_eq!(proxy.left(), 0, "{losses:?}");
    }
}

#[needs_postgres]
#[tokio::test]
async fn a_password_that_is_changed_in_a_lost_commit_is_changed_once() {
    let (world, proxy) = world().await;
    let user = User::signed_up(&world).await;
    for (version, losses) in (0..).zip(LOSSES) {
        proxy.lose(losses);
        let change = change(&user, version);
        assert_eq!(world.store.change_password(change).await.unwrap(), Changed::Done, "{losses:?}");
        assert_eq!(proxy.left(), 0, "{losses:?}");
        let changed = format!("accounts WHERE credentials_version = {}", version + 1);
        assert_eq!(world.count(&changed), 1, "{losses:?}");
    }
}

#[needs_postgres]
#[tokio::test]
async fn work_without_an_event_whose_commit_is_lost_is_not_done_again() {
    let (world, proxy) = world().await;
    for (lost, spent) in [(Commit, 0), (Reply, 1)] {
        proxy.lose(&[lost]);
        let error = world.store.take_password_try(password_try(&format!("{lost:?}"), 5, NOON)).await.unwrap_err();
        assert!(error.is_unavailable(), "{lost:?}: {error:?}");
        assert_eq!(world.count("budgets WHERE spent = 1"), 2 * spent, "{lost:?}");
    }
}

/// Has the first new session wait until the work that is done again waits for it.
fn slow(world: &World) {
    world.behind.execute(
        "CREATE SEQUENCE slowly;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('slowly') = 1 THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN NULL; END $$;
         CREATE TRIGGER slow AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION slow()",
    );
}

/// Does the work, which goes on where it waits as soon as it is done again and waits there, too.
async fn twice<T>(world: &World, work: impl Future<Output = T>) -> T {
    let neighbour = world.neighbour().await;
    neighbour.execute("SELECT pg_advisory_lock(1)", &[]).await.unwrap();
    let let_go = async {
        world.until_there_are(2, WAITING).await;
        neighbour.execute("SELECT pg_advisory_unlock(1)", &[]).await.unwrap();
    };
    tokio::join!(work, let_go).0
}

#[needs_postgres]
#[tokio::test]
async fn what_commits_after_it_was_looked_for_is_no_refusal() {
    let (world, proxy) = world().await;
    let user = User::signed_up(&world).await;
    slow(&world);
    let sessions = world.count("sessions");
    proxy.lose(&[Client]);
    let ended = twice(&world, world.store.complete_sign_in(user.sign_in(NOON))).await;
    assert!(ended.as_ref().is_err_and(StoreError::is_unavailable), "{ended:?}");
    assert_eq!(world.count("sessions"), sessions + 1, "it happened");
    world.store.complete_sign_in(user.sign_in(NOON)).await.unwrap();

    world.behind.execute("ALTER SEQUENCE slowly RESTART");
    proxy.lose(&[Client]);
    let newcomer = User::new();
    let ended = twice(&world, world.store.create_account(newcomer.sign_up())).await;
    assert!(ended.as_ref().is_err_and(StoreError::is_unavailable), "{ended:?}");
    assert!(world.store.account(by_email(newcomer.email())).await.unwrap().is_some(), "it happened");
}

#[needs_postgres]
#[tokio::test]
async fn what_a_server_refuses_that_takes_no_writes_has_not_happened() {
    let (world, _) = world().await;
    let user = User::signed_up(&world).await;
    world.behind.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'cannot execute INSERT in a read-only transaction' USING ERRCODE = '25006'; END $$;
         CREATE TRIGGER refuse AFTER INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let error = world.store.record(event(EventKind::PasswordRejected, user.id(), NOON)).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let error = world.store.complete_sign_in(user.sign_in(NOON)).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    assert_eq!(world.count("audit_events WHERE kind = 'password-rejected'"), 0);
}
