//! No query of the store reads a whole table, on either database, and none is parsed twice on one connection.
//!
//! A binary of its own, because it listens to every statement of its process: each unit of work is carried out once,
//! and the database is asked how. SQLite explains each statement that it was sent. PostgreSQL counts its sequential
//! scans, after it was told to avoid them wherever there is an index to use.
#![cfg(test)]

#[path = "../store/people.rs"]
#[expect(dead_code, reason = "shared with the other tests of the store, which use all of it")]
mod people;
#[path = "../store/world.rs"]
#[expect(dead_code, unused_macros, unused_imports, reason = "shared with the other tests of the store")]
mod world;

use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_store::work::{
    ChangePassword, DisableTwoFactor, FailAttempt, Proof, Purge, ReplaceBackupCodes, RevokeSessions, Spend, Which,
};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::Text;
use people::{HOUR, NOON, Person, backup_codes, event, hash, new_session};
use std::collections::BTreeSet;
use std::sync::Mutex;
use world::{Behind, World};

/// Every statement that was sent so far, without its values.
static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// Every statement that is kept so that it is parsed only once.
static PREPARED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Listener;

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                let statement = text.split(" -- binds:").next().unwrap_or_default().trim().to_owned();
                STATEMENTS.lock().unwrap().insert(statement);
            }
            InstrumentationEvent::CacheQuery { sql, .. } => {
                PREPARED.lock().unwrap().insert(sql.trim().to_owned());
            }
            _ => {}
        }
    }
}

/// Carries out every unit of work at least once, each on the path where it does the most.
async fn everything(world: &World) {
    let store = &world.store;
    let (person, authenticator, codes) = Person::enrolled(world).await;
    let id = person.id();
    store.account_by_email(person.account.email.clone()).await.unwrap();
    store.session_by_token((person.session.token, NOON)).await.unwrap();
    store.sessions_of((id, NOON)).await.unwrap();
    store.authenticators_of(id).await.unwrap();
    store.record(event(EventKind::SecretShown, id, NOON)).await.unwrap();
    store.spend(Spend { name: "one".to_owned(), limit: 1, window: HOUR, now: NOON }).await.unwrap();
    store.give_back("one".to_owned()).await.unwrap();
    store.extend_session((person.session.session.id, NOON, NOON + HOUR)).await.unwrap();

    for factor in [Factor::Totp, Factor::BackupCode, Factor::MailedCode] {
        for actor in [person.challenged(world, NOON).await, person.in_session()] {
            person.issued(world, &actor, 7).await;
            let proof = match factor {
                Factor::Totp => Proof::Totp { authenticator_id: authenticator, step: 9, confirms: true },
                Factor::MailedCode => Proof::MailedCode(vec![7; 32]),
                Factor::BackupCode => Proof::BackupCode(codes[0].id),
            };
            for is_replay in [false, true] {
                person.claimed(world, &actor, factor).await;
                let fail = FailAttempt {
                    actor: actor.clone(),
                    factor,
                    account_id: id,
                    is_replay,
                    event: event(EventKind::SecondFactorRejected, id, NOON),
                };
                store.fail_attempt(fail).await.unwrap();
            }
            store.pass_second_factor(person.pass(actor, proof)).await.unwrap();
        }
    }
    // Until the challenge is destroyed, and then until the account is locked.
    for _ in 0..3 {
        let actor = person.challenged(world, NOON).await;
        for _ in 0..6 {
            person.claimed(world, &actor, Factor::Totp).await;
        }
    }
    store.begin_enrolment(person.begin_enrolment()).await.unwrap();
    let version = person.account.credentials_version;
    let replace = ReplaceBackupCodes {
        account_id: id,
        credentials_version: version,
        backup_codes: backup_codes(3),
        now: NOON,
        event: event(EventKind::BackupCodesReplaced, id, NOON),
    };
    store.replace_backup_codes(replace).await.unwrap();
    for which in [Which::Named(person.session.session.id), Which::WithToken(person.session.token)] {
        let event = event(EventKind::SessionsRevoked, id, NOON);
        store.revoke_sessions(RevokeSessions { account_id: id, which, event }).await.unwrap();
    }
    let other = Person::signed_up(world).await;
    let disable = DisableTwoFactor {
        account_id: other.id(),
        credentials_version: other.account.credentials_version,
        session_id: other.session.session.id,
        session: new_session(other.id(), NOON),
        now: NOON,
        event: event(EventKind::TwoFactorDisabled, other.id(), NOON),
    };
    store.disable_two_factor(disable).await.unwrap();
    let change = ChangePassword {
        account_id: id,
        credentials_version: version,
        password: hash(),
        session: Some(new_session(id, NOON)),
        now: NOON,
        event: event(EventKind::PasswordChanged, id, NOON),
    };
    store.change_password(change).await.unwrap();
    store.sign_out((person.session.token, event(EventKind::SignedOut, id, NOON))).await.unwrap();
    for which in [Which::Others(person.session.session.id), Which::All] {
        let event = event(EventKind::SessionsRevoked, id, NOON);
        store.revoke_sessions(RevokeSessions { account_id: id, which, event }).await.unwrap();
    }
    store.purge(Purge { now: NOON + 1000 * HOUR, audit_before: Some(NOON), batch: 10 }).await.unwrap();
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_reads_no_whole_table_and_parses_nothing_twice() {
    set_default_instrumentation(|| Some(Box::new(Listener))).unwrap();
    let world = World::sqlite().await;
    STATEMENTS.lock().unwrap().clear();
    everything(&world).await;
    let statements = STATEMENTS.lock().unwrap().clone();
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    let mut explained = 0;
    let mut scans = Vec::new();
    let sent = statements.iter().filter(|statement| verbs.iter().any(|verb| statement.starts_with(verb)));
    for statement in sent.clone() {
        let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps: Vec<Step> = explain.load(&mut world.behind.connect()).unwrap();
        explained += 1;
        let whole = steps.iter().filter(|step| step.detail.starts_with("SCAN") && !step.detail.contains(" USING "));
        scans.extend(whole.map(|step| format!("{} in {statement}", step.detail)));
    }
    assert!(explained >= 30, "only {explained} statements were heard of");
    assert!(scans.is_empty(), "{scans:#?}");
    let prepared = PREPARED.lock().unwrap();
    let again: Vec<_> = sent.filter(|statement| !prepared.contains(*statement)).collect();
    assert!(again.is_empty(), "these are parsed each time: {again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_no_whole_table() {
    let Some(behind) = Behind::server() else { return };
    let Behind::Server(database) = &behind else { panic!("a server was asked for") };
    let name = database.url().rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    // Tables of tests are small, and small tables are best read whole: unless there is no index at all, it is used now.
    behind.execute(&format!("ALTER DATABASE \"{name}\" SET enable_seqscan = off"));
    let world = World::of(behind).await;
    let scanned = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname NOT LIKE '\\_\\_diesel%' ORDER BY 1";
    let Behind::Server(database) = &world.behind else { panic!("a server was asked for") };
    // Building an index on an empty table counts as a scan of it.
    let before = settled(database, scanned).await;
    everything(&world).await;
    drop(world.store);
    let after = settled(database, scanned).await;
    let used = settled(database, "SELECT sum(idx_scan) FROM pg_stat_user_tables").await;
    assert!(used[0][0].as_deref().is_some_and(|count| count.parse::<u32>().is_ok_and(|count| count > 50)), "{used:?}");
    assert_eq!(before, after, "table and number of sequential scans, before and after");
}

/// What a query about statistics says once the sessions before it have handed theirs in.
async fn settled(database: &countersign_test_postgres::Database, sql: &str) -> Vec<Vec<Option<String>>> {
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    database.query(sql).unwrap()
}
