//! No query of the store reads a whole table, on either database, and none is parsed twice on one connection.
//!
//! A binary of its own, because it listens to every statement of its process: each unit of work is carried out once,
//! and the database is asked how. SQLite explains each statement that it was sent. PostgreSQL counts its sequential
//! scans, after it was told to avoid them wherever there is an index to use.
#![cfg(test)]

mod administration;
mod apps;
mod audit_chain;
mod fusionauth;
mod keys;
mod lock_order;
mod own_account;
#[path = "../store/passkey_users.rs"]
mod passkey_users;
mod passkeys;
#[path = "../store/users.rs"]
mod users;
mod webhooks;
#[path = "../store/world.rs"]
#[expect(dead_code, reason = "shared with the other tests of the store")]
mod world;

use countersign_domain::account::{EmailAddress, LoginName, PhoneNumber, Username, Versions};
use countersign_domain::address::Address;
use countersign_domain::api_key::ApiKeyRecord;
use countersign_domain::assurance::Manager;
use countersign_domain::attempt::{Claimant, Expected, Proof, StoredCode};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::add_method::AddMethod as Added;
use countersign_domain::decisions::address_change::AddressChange;
use countersign_domain::decisions::delivery::SendTo;
use countersign_domain::decisions::endings::Event;
use countersign_domain::decisions::enrol_mail::EnrolMail;
use countersign_domain::decisions::keyring::Canary;
use countersign_domain::decisions::redelivery::Redelivery;
use countersign_domain::decisions::removal::Removal;
use countersign_domain::decisions::second_factor::Request;
use countersign_domain::decisions::sign_in::SignIn;
use countersign_domain::decisions::trust::Trust;
use countersign_domain::device::DeviceName;
use countersign_domain::ids::{ApiKeyId, ApplicationId, RefreshTokenId, RegistrationId, TenantId};
use countersign_domain::keyring::Sealed;
use countersign_domain::message::TakenUse;
use countersign_domain::one_time_code::Subject;
use countersign_domain::policy::Policy;
use countersign_domain::quota::{AccountQuota, QuotaLimit, QuotaOwner, QuotaUse};
use countersign_domain::stored_secret::{Renewal, SecretFingerprint};
use countersign_domain::tenant::{Application, Directory, LoginPolicy, RefreshTokenUsage, Tenant};
use countersign_domain::terms::{Grant, Rules, Terms};
use countersign_domain::user::{AccountLookup, Registration};
use countersign_store::work::{
    AccountWritten, AddCanary, AddMethod, ChangeAccount, ChangePassword, ChangeTrustedDevice, Changed, Claim,
    ClaimAttempt, CompleteSecondFactor, CompleteSignIn, CreateAccount, DeviceChange, DisableTwoFactor, EndTrust,
    ExtendSession, FailAttempt, FindRefreshTokens, FindTokenHolders, FindTrust, FindTrustedDevices, IssueCode, Issued,
    LiftLimits, MailEnrolled, MethodAdded, MethodsRemoved, NewRefreshToken, NoteSessionUse, OpenChallenge,
    PasswordUses, PresentedTicket, PresentedTrust, Purge, RefreshTokenSelector, RefreshTokenUsed, Register, Registered,
    RemoveMethods, RenameMethod, ReplaceBackupCodes, ReturnAttempt, RevokeRefreshTokens, RevokeSessions, RevokedTokens,
    SecondFactorCompleted, SessionSelector, TakeMessages, TakePasswordTry, TicketKind, UseRefreshToken, WhichMessages,
};
use countersign_test_postgres::{DatabaseKind, needs_postgres};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use users::{
    HOUR, NOON, User, address_method, audit, backup_codes, by_email, decided, event, guess, hash, is_done, network,
    new_session, other_guess, random, sealer, session_digest, terms, ticket, trust, window,
};
use world::{Behind, LEASE, World};

/// Every statement that was sent so far, without its values.
static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// Every statement that is kept so that it is parsed only once.
static PREPARED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The listener hears every connection of the process, so the tests take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[derive(Default)]
struct Listener {
    unit: lock_order::Unit,
}

/// Has every connection that is made from now on heard, while no other test of this binary is.
async fn listen() -> tokio::sync::MutexGuard<'static, ()> {
    let turn = TURN.lock().await;
    set_default_instrumentation(|| Some(Box::new(Listener::default()))).unwrap();
    turn
}

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                let statement = text.split(" -- binds:").next().unwrap_or_default().trim().to_owned();
                self.unit.hear(&statement);
                STATEMENTS.lock().unwrap().insert(statement);
            }
            InstrumentationEvent::CacheQuery { sql, .. } => {
                PREPARED.lock().unwrap().insert(sql.trim().to_owned());
            }
            _ => {}
        }
    }
}

fn fingerprint(byte: u8) -> SecretFingerprint {
    SecretFingerprint::from_bytes(&[byte; 32]).unwrap()
}

/// Carries out every unit of work at least once, each on the path where it does the most.
async fn everything(world: &World) {
    // One after the other: the frames of two do not fit into the stack of a test.
    Box::pin(factors_and_sessions(world)).await;
    Box::pin(messages(world)).await;
    Box::pin(webhooks::everything(world)).await;
    Box::pin(audit_chain::everything(world)).await;
    Box::pin(keys::everything(world)).await;
    Box::pin(required(world)).await;
    Box::pin(own_account::everything(world)).await;
    Box::pin(passkeys::everything(world)).await;
    Box::pin(administration::everything(world)).await;
    Box::pin(fusionauth::everything(world)).await;
    world.store.purge(Purge { now: NOON + 1000 * HOUR, batch: 10 }).await.unwrap();
}

async fn factors_and_sessions(world: &World) {
    let store = &world.store;
    let (user, authenticator, codes) = User::enrolled(world).await;
    let id = user.id();
    store.account(by_email(user.email())).await.unwrap();
    store.session_by_token((user.session.token, NOON)).await.unwrap();
    store.sessions_of((id, NOON)).await.unwrap();
    store.authenticators_of(id).await.unwrap();
    store.record(event(EventKind::SecretShown, id, NOON)).await.unwrap();
    let owner = Some(QuotaOwner { account_id: id, counts: AccountQuota::NetworkPasswords });
    let limit = QuotaLimit::Refilling(Policy::default().password_guesses);
    let refilling = |name: &str| QuotaUse { name: name.to_owned(), limit, owner };
    let uses = PasswordUses { by_name: window("one"), by_account: refilling("two") };
    let more = PasswordUses { by_name: window("three"), by_account: refilling("four") };
    let wanted = TakePasswordTry {
        account_id: id,
        in_network: Some(more.clone()),
        in_known_network: Some(more),
        anywhere: uses.clone(),
        network: Some((vec![network(id, 1, NOON).digest], uses.clone())),
        device: Some((vec![session_digest()], uses.clone())),
        versions: Versions::default(),
        knows_account: false,
        now: NOON,
    };
    let taken = store.take_password_try(wanted).await.unwrap();
    assert_eq!(store.account_limits(id).await.unwrap().unwrap().quotas.len(), 2);
    store.lift_limits(LiftLimits { account_id: id, event: event(EventKind::AccountUnlocked, id, NOON) }).await.unwrap();
    store.give_back(taken.uses).await.unwrap();
    let extend = ExtendSession { session_id: user.session.session.id, now: NOON, expires_at: NOON + HOUR };
    store.extend_session(extend).await.unwrap();
    store.note_session_use(NoteSessionUse { session_id: user.session.session.id, now: NOON + HOUR }).await.unwrap();
    store.ping(()).await.unwrap();
    store.preferred_languages(id).await.unwrap();
    assert!(store.keyring_facts(()).await.unwrap().newest_app.is_some());
    let mut named = [User::new(), User::new(), User::new()];
    for (user, name) in named.iter_mut().zip(["Plan", "plan.", "plan-"]) {
        user.account.username = Username::new(name);
        assert_eq!(store.create_account(user.sign_up()).await.unwrap(), AccountWritten::Done);
    }
    // As earlier versions have stored them.
    for (user, (name, key)) in named.iter().zip([("plan", "p"), ("PLAN", "q"), ("plan-", "plan-")]) {
        let (id, names) = (user.id().to_text(), format!("username_key = '{key}', username = '{name}'"));
        world.behind.execute(&format!(
            "/* not the store's */ UPDATE accounts SET {names}, username_form = NULL WHERE id = '{id}'"
        ));
    }
    let normalized = store.normalize_usernames().await.unwrap();
    assert_eq!((normalized.changed, normalized.contested), (2, 1));
    let normalized = store.normalize_usernames().await.unwrap();
    assert_eq!((normalized.changed, normalized.contested), (0, 1));
    assert_eq!(store.username_conflicts(()).await.unwrap().len(), 1);
    let sealed = Sealed { key_id: "k1".to_owned(), bytes: vec![1] };
    let canary = Canary { sealed, secrets_bound_from: NOON };
    let add = |after| AddCanary { canary: canary.clone(), after, now: NOON };
    assert!(store.add_canary(add(0)).await.unwrap());
    assert!(!store.add_canary(add(0)).await.unwrap(), "another one was stored since");
    assert!(!store.add_canary(add(1)).await.unwrap(), "a key has one canary");
    assert!(store.keyring_facts(()).await.unwrap().canary.is_some());

    for factor in [Factor::Totp, Factor::BackupCode, Factor::OneTimeCode] {
        for claimant in [user.challenged(world, NOON).await, user.in_session()] {
            user.issued(world, &claimant, 7).await;
            let proof = match factor {
                Factor::Totp => Proof::Totp { method_id: authenticator, step: 9, confirms: true },
                Factor::OneTimeCode => user.mailed(&claimant, 7),
                Factor::BackupCode => Proof::BackupCode(codes[0].id),
                Factor::Passkey => panic!("`passkeys` presents them"),
            };
            for is_replay in [false, true] {
                user.claimed(world, &claimant, factor).await;
                let fail = FailAttempt {
                    claimant: claimant.clone(),
                    factor: Some(factor),
                    account_id: id,
                    is_replay,
                    guess: other_guess(),
                    charge: guess(),
                    ceremony: None,
                    rules: Arc::default(),
                    event: event(EventKind::SecondFactorRejected, id, NOON),
                    lock_event: Some(event(EventKind::AccountLocked, id, NOON)),
                };
                store.fail_attempt(fail).await.unwrap();
            }
            user.claimed(world, &claimant, factor).await;
            let give = ReturnAttempt {
                claimant: claimant.clone(),
                expected: Expected::One(factor),
                charge: guess(),
                account_id: id,
                event: event(EventKind::SecondFactorNotJudged, id, NOON),
            };
            store.return_attempt(give).await.unwrap();
            let renewal = Renewal {
                method_id: authenticator,
                fingerprint: fingerprint(1),
                sealed: Some(Sealed { key_id: "k1".to_owned(), bytes: vec![1] }),
            };
            let pass = CompleteSecondFactor { renewal: Some(renewal), ..user.pass(claimant, proof) };
            store.complete_second_factor(pass).await.unwrap();
        }
    }
    // Until the challenge is destroyed, and then until the account is locked.
    for _ in 0..3 {
        let claimant = user.challenged(world, NOON).await;
        for _ in 0..6 {
            user.claimed(world, &claimant, Factor::Totp).await;
        }
    }
    store.begin_enrolment(user.begin_enrolment()).await.unwrap();
    let by_mail = User::signed_up(world).await;
    let enrolled = store.enrol_mail(by_mail.enrol_mail(&new_session(by_mail.id(), NOON))).await.unwrap();
    assert_eq!(enrolled, MailEnrolled::Decided(EnrolMail::First));
    let versions = user.account.versions();
    let replace = ReplaceBackupCodes {
        account_id: id,
        versions,
        backup_codes: backup_codes(3),
        now: NOON,
        event: event(EventKind::BackupCodesReplaced, id, NOON),
    };
    store.replace_backup_codes(replace).await.unwrap();
    for which in [SessionSelector::WithId(user.session.session.id), SessionSelector::WithToken(user.session.token)] {
        let event = event(EventKind::SessionsRevoked, id, NOON);
        store.revoke_sessions(RevokeSessions { account_id: id, which, event }).await.unwrap();
    }
    let other = User::signed_up(world).await;
    let disable = DisableTwoFactor {
        account_id: other.id(),
        versions: other.account.versions(),
        session_id: other.session.session.id,
        session: new_session(other.id(), NOON),
        now: NOON,
        event: event(EventKind::TwoFactorDisabled, other.id(), NOON),
    };
    store.disable_two_factor(disable).await.unwrap();
    let change = ChangePassword {
        account_id: id,
        versions,
        password: hash(),
        ticket: None,
        step_up: None,
        proved_address: Some(EmailAddress::new("proved@example.org")),
        ending: Event::PasswordChangedEndingSessions,
        lifts_lock: true,
        one_time_password: Some(ticket(TicketKind::OneTimePassword, NOON + HOUR)),
        session: Some(new_session(id, NOON)),
        now: NOON,
        event: event(EventKind::PasswordChanged, id, NOON),
    };
    store.change_password(change).await.unwrap();
    let (by_devices, app, _) = User::enrolled(world).await;
    let find =
        FindTrustedDevices { account_id: by_devices.id(), rules: Arc::default(), now: NOON, presented: Vec::new() };
    for (step, device_change, kind) in [
        (100, DeviceChange::Rename(DeviceName::new("plan").unwrap()), EventKind::DeviceRenamed),
        (101, DeviceChange::EndTrust, EventKind::DeviceRevoked),
    ] {
        let trusting = CompleteSecondFactor {
            request: Request { trusts_device: true, without_grant: false },
            account: by_devices.account.clone(),
            ..by_devices
                .pass(by_devices.challenged(world, NOON).await, Proof::Totp { method_id: app, step, confirms: false })
        };
        assert!(is_done(&store.complete_second_factor(trusting).await.unwrap()));
        let found = store.trusted_devices(find.clone()).await.unwrap();
        let change = ChangeTrustedDevice {
            find: find.clone(),
            id: found[0].device.id,
            change: device_change,
            event: event(kind, by_devices.id(), NOON),
        };
        assert!(store.change_trusted_device(change).await.unwrap().is_some());
    }
    let end = EndTrust { account_id: id, versions: Some(versions), event: event(EventKind::TrustRevoked, id, NOON) };
    store.end_trust(end).await.unwrap();
    store.sign_out((user.session.token, event(EventKind::SignedOut, id, NOON))).await.unwrap();
    for which in [SessionSelector::AllBut(user.session.session.id), SessionSelector::All] {
        let event = event(EventKind::SessionsRevoked, id, NOON);
        store.revoke_sessions(RevokeSessions { account_id: id, which, event }).await.unwrap();
    }
}

/// Messages, from when they are stored until they are delivered or dead.
async fn messages(world: &World) {
    let store = &world.store;
    let (user, _, _) = User::enrolled(world).await;
    let claimant = user.challenged(world, NOON).await;
    user.issued(world, &claimant, 1).await;
    user.issued(world, &claimant, 2).await;
    let issue = user.issue(claimant, 3);
    let stored = WhichMessages::Stored(issue.message.id);
    store.issue_code(issue).await.unwrap();
    assert!(store.message_queue(()).await.unwrap().waiting > 0 && store.next_message(()).await.unwrap().is_some());
    let take = TakeMessages { which: stored, owner: "a".to_owned(), now: NOON, lease_ends_at: NOON + LEASE };
    let mine = store.take_messages(take).await.unwrap().remove(0);
    let taken = vec![TakenUse { name: "some".to_owned(), window_ends_by: 0 }];
    assert!(world.finished("a", &mine, Redelivery::RetryAt(NOON), taken.clone(), NOON).await);
    let due = world.taken("b", NOON).await;
    assert!(due.len() > 1, "notices, too: {due:?}");
    for (message, decision) in due.iter().zip([Redelivery::Dead, Redelivery::Delivered]) {
        assert!(world.finished("b", message, decision, taken.clone(), NOON).await);
    }
}

/// The same where a tenant requires a second factor.
async fn required(world: &World) {
    let store = &world.store;
    let tenant = Tenant { login_policy: LoginPolicy::Required, ..Tenant::default() };
    let directory = Directory::new(vec![tenant], vec![Application::default()]).unwrap();
    let rules = Arc::new(Rules { directory, ..Rules::default() });
    let user = User::signed_up(world).await;
    let sign_in = CompleteSignIn { rules: rules.clone(), ..user.sign_in(NOON) };
    let outcome = decided(store.complete_sign_in(sign_in).await.unwrap());
    assert_eq!(outcome.decision, SignIn::GrantedForEnrolment);
    let begin = user.begin_enrolment();
    let proof = Proof::Totp { method_id: begin.authenticator.id, step: 1, confirms: true };
    store.begin_enrolment(begin).await.unwrap();
    let confirm = || CompleteSecondFactor {
        rules: rules.clone(),
        email_method: Some(user.mail_method()),
        ..user.pass(user.in_session(), proof.clone())
    };
    assert!(is_done(&store.complete_second_factor(confirm()).await.unwrap()));
    let outcome = store.complete_second_factor(confirm()).await.unwrap();
    assert!(matches!(outcome, SecondFactorCompleted::Changed(_)), "{outcome:?}");
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_reads_no_whole_table_and_parses_nothing_twice() {
    let _turn = listen().await;
    let world = World::start(DatabaseKind::Sqlite).await;
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
        // The row of `SELECT 1`, and those of an `INSERT`, are no table.
        let is_no_table = |detail: &str| detail == "SCAN CONSTANT ROW" || detail.ends_with("-ROW VALUES CLAUSE");
        let reads_all = |detail: &str| detail.starts_with("SCAN") && !is_no_table(detail);
        let whole = steps.iter().filter(|step| reads_all(&step.detail) && !step.detail.contains(" USING "));
        scans.extend(whole.map(|step| format!("{} in {statement}", step.detail)));
    }
    assert!(explained >= 30, "only {explained} statements were heard of");
    assert!(scans.is_empty(), "{scans:#?}");
    let prepared = PREPARED.lock().unwrap();
    let again: Vec<_> = sent.filter(|statement| !prepared.contains(*statement)).collect();
    assert!(again.is_empty(), "these are parsed each time: {again:#?}");
}

/// Where there is no PostgreSQL this has the run's last line say so; where one is required it fails.
#[test]
fn postgres_is_there_or_the_last_line_says_that_it_is_not() {
    let _ = countersign_test_postgres::Cluster::shared();
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn postgres_reads_no_whole_table() {
    let _turn = TURN.lock().await;
    let behind = Behind::server();
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
