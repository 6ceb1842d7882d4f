//! No two transactions of the store wait for each other on PostgreSQL, whatever runs at once: the server ends such waits with
//! an error that the store would hide by retrying, so its log is read.

use crate::limits::password_try;
use crate::units::{change, disable, fail, replace};
use crate::users::{
    HOUR, NOON, User, address_method, audit, backup_codes, event, network, new_session, presentation, random, sealer,
    session_digest, terms, ticket, trust,
};
use crate::world::{Behind, World};
use countersign_domain::account::{Account, EmailAddress, PhoneNumber};
use countersign_domain::address::Address;
use countersign_domain::assurance::{Assurance, Manager};
use countersign_domain::attempt::{Claimant, Proof};
use countersign_domain::audit::EventKind;
use countersign_domain::challenge::Factor;
use countersign_domain::decisions::address_change::AddressChange;
use countersign_domain::decisions::deletion;
use countersign_domain::decisions::delivery::SendTo;
use countersign_domain::decisions::mailed_link::Purpose;
use countersign_domain::decisions::sending::Requester;
use countersign_domain::decisions::suspension;
use countersign_domain::device::{Device, DeviceName};
use countersign_domain::ids::{ApplicationId, MethodId, RefreshTokenId, RegistrationId, TenantId};
use countersign_domain::limits::Suspension;
use countersign_domain::one_time_code::Subject;
use countersign_domain::quota::{QuotaLimit, QuotaUse};
use countersign_domain::secret::Digest;
use countersign_domain::terms::{Grant, Terms};
use countersign_domain::user::{AccountLookup, Registration};
use countersign_store::work::{
    AddMethod, AttemptSecondFactor, ChangeAccount, ChangeAddress, ChangeRegistration, ChangeTrustedDevice,
    CompleteSecondFactor, CompleteSignIn, DeleteOwnAccount, DeleteRegistration, DeviceChange, EndTrust,
    FindTrustedDevices, FoundTrustedDevice, IssueCode, IssueLink, Issued, Judge, LiftLimits, LinkTicket,
    NewRefreshToken, NewTicket, OpenChallenge, PresentedTicket, Purge, Register, RenameMethod, RestoreAddress,
    RevokeRefreshTokens, RevokeSessions, RevokedTokens, Ruling, SessionSelector, SuspendAccount, TicketKind,
    UpdateProfile, UseRefreshToken, VerifyAddress,
};
use countersign_store::{Options, Store};
use countersign_test_postgres::{Cluster, DatabaseKind, needs_postgres};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Processes with a connection each, and as many callers.
const AT_ONCE: usize = 16;
/// Calls of each.
const CALLS: usize = 150;
/// Kinds of calls beside that which deletes what has expired.
const KINDS: usize = 29;
/// Users whom all calls are about, and those who take the places of deleted ones.
const AT_A_TIME: usize = 3;
const USERS: usize = 160;

/// A user of whom everything is done at once, and the refresh token that was opened last.
#[derive(Clone)]
struct Target {
    user: User,
    app: MethodId,
    refresh_token: Digest,
}

async fn target(world: &World) -> Target {
    let (user, app, _) = User::enrolled(world).await;
    Target { user, app, refresh_token: session_digest() }
}

/// The same as the account is now. If it was deleted, the last of the others takes its place.
async fn current(store: &Store, targets: &Mutex<Vec<Target>>, index: usize) -> Target {
    let mut target = targets.lock().await[index].clone();
    if let Some(account) = store.account(AccountLookup::Id(target.user.id())).await.unwrap() {
        target.user.account = account;
        return target;
    }
    let mut targets = targets.lock().await;
    if targets.len() > AT_A_TIME {
        targets.swap_remove(index);
    }
    targets[index].clone()
}

/// A quota that everybody uses. The order of their names is the opposite of that in which they expire.
fn quota(name: &str) -> QuotaUse {
    let hours = u32::from(b'z' - name.as_bytes()[0]);
    QuotaUse { name: name.to_owned(), limit: QuotaLimit::Window { uses: 1_000_000, window: hours * HOUR }, owner: None }
}

/// One of everything that writes several rows; refusals count as well, because they come after the locks. Results are not
/// looked at: what another call has ended meanwhile is refused.
async fn act(store: &Store, targets: &Mutex<Vec<Target>>, index: usize, what: usize) {
    let Target { user, app, refresh_token } = current(store, targets, index).await;
    let id = user.id();
    let uses = ["a", "b", "c", "d"].map(quota);
    match what {
        0 => {
            let sign_in = CompleteSignIn { password_uses: uses.to_vec(), ..user.sign_in(NOON) };
            drop(store.complete_sign_in(sign_in).await);
        }
        1 => {
            let sign_in = user.sign_in(NOON);
            let claimant = Claimant::Challenge(sign_in.challenge.digest);
            drop(store.complete_sign_in(sign_in).await);
            drop(store.issue_code(user.issue(claimant.clone(), 1)).await);
            drop(store.claim_attempt(user.claim(claimant.clone(), Factor::OneTimeCode, NOON)).await);
            drop(store.fail_attempt(fail(&user, &claimant, Factor::OneTimeCode, false)).await);
            let proof = user.mailed(&claimant, 1);
            drop(store.complete_second_factor(user.pass(claimant, proof)).await);
        }
        2 => {
            let sign_in = user.sign_in(NOON);
            let claimant = Claimant::Challenge(sign_in.challenge.digest);
            drop(store.complete_sign_in(sign_in).await);
            let proof = Proof::Totp { method_id: app, step: i64::try_from(what).unwrap(), confirms: false };
            let next = NewRefreshToken {
                device: Device::default(),
                ip_address: String::new(),
                digest: session_digest(),
                family_id: RefreshTokenId::generate(NOON, &mut random()),
                application_id: ApplicationId::DEFAULT,
                second_factor_at: Some(NOON),
                expires_at: NOON + HOUR,
            };
            targets.lock().await[index].refresh_token = next.digest;
            let mut pass = CompleteSecondFactor { refresh_token: Some(next), ..user.pass(claimant, proof) };
            pass.terms = Terms { grant: Grant::Tokens, ..terms() };
            pass.request.trusts_device = true;
            pass.trust = trust(NOON + HOUR);
            drop(store.complete_second_factor(pass).await);
        }
        3 => {
            let mut wanted = password_try(&user, Some(1), None, NOON);
            for uses in wanted.in_network.iter_mut().chain(&mut wanted.in_known_network) {
                (uses.by_name, uses.by_account) = (quota("d"), quota("a"));
            }
            wanted.network = Some((vec![network(id, 1, NOON).digest], wanted.anywhere.clone()));
            drop(store.take_password_try(wanted).await);
        }
        4 => drop(store.give_back(uses.to_vec()).await),
        5 => {
            let event = event(EventKind::SessionsRevoked, id, NOON);
            let revoke = RevokeSessions { account_id: id, which: SessionSelector::All, event };
            drop(store.revoke_sessions(revoke).await);
        }
        6 => {
            let event = event(EventKind::TrustRevoked, id, NOON);
            drop(store.end_trust(EndTrust { account_id: id, versions: Some(user.account.versions()), event }).await);
        }
        7 => drop(store.change_password(change(&user, user.account.credentials_version)).await),
        8 => drop(store.replace_backup_codes(replace(&user, user.account.versions())).await),
        9 => drop(store.begin_enrolment(user.begin_enrolment()).await),
        10 => {
            let lift = LiftLimits { account_id: id, event: event(EventKind::AccountUnlocked, id, NOON) };
            drop(store.lift_limits(lift).await);
        }
        11 => {
            let next = EmailAddress::new(&format!("{}@example.net", RefreshTokenId::generate(NOON, &mut random())));
            let account = Account { email: Some(next.clone()), ..user.account.clone() };
            let moved = AddressChange { from: user.email_address(), to: Address::Email(next) };
            let change = ChangeAccount {
                account,
                before: user.account.clone(),
                rules: Arc::default(),
                profile: "{}".to_owned(),
                sets_password: false,
                ending: None,
                moved: vec![moved],
                events: vec![event(EventKind::AccountChanged, id, NOON)],
            };
            drop(store.change_account(change).await);
        }
        12 => {
            let refresh = UseRefreshToken {
                digest: refresh_token,
                successors: vec![session_digest()],
                rules: Arc::default(),
                now: NOON,
                expires_at: NOON + HOUR,
                audit: audit(id, NOON),
            };
            targets.lock().await[index].refresh_token = refresh.successors[0];
            drop(store.use_refresh_token(refresh).await);
        }
        13 => drop(store.disable_two_factor(disable(&user)).await),
        14 => drop(store.delete_account((id, event(EventKind::AccountDeleted, id, NOON))).await),
        15 => {
            let registration = Registration {
                id: RegistrationId::generate(NOON, &mut random()),
                application_id: ApplicationId::DEFAULT,
                roles: Vec::new(),
                username: None,
                data: None,
                last_sign_in_at: None,
                created_at: NOON,
                updated_at: NOON,
            };
            let done = event(EventKind::Registered, id, NOON);
            let register = Register { account_id: id, registration: registration.clone(), event: done };
            drop(store.register(register).await);
            let done = event(EventKind::RegistrationChanged, id, NOON);
            let read_at = registration.updated_at;
            drop(
                store
                    .change_registration(ChangeRegistration { account_id: id, registration, read_at, event: done })
                    .await,
            );
        }
        16 => {
            let event = event(EventKind::RegistrationDeleted, id, NOON);
            let application_id = ApplicationId::DEFAULT;
            drop(store.delete_registration(DeleteRegistration { account_id: id, application_id, event }).await);
        }
        17 => {
            let suspension = Suspension { until: NOON + HOUR, since: NOON, by: Some(id), comment: None };
            let suspend = SuspendAccount {
                account_id: id,
                request: suspension::Request::Set,
                suspension,
                audit: audit(id, NOON),
            };
            drop(store.suspend_account(suspend).await);
        }
        18 => {
            for which in [RevokedTokens::OfApplication(ApplicationId::DEFAULT), RevokedTokens::All] {
                let event = event(EventKind::RefreshTokensRevoked, id, NOON);
                drop(store.revoke_refresh_tokens(RevokeRefreshTokens { account_id: id, which, event }).await);
            }
        }
        19 => {
            let find = FindTrustedDevices { account_id: id, rules: Arc::default(), now: NOON, presented: Vec::new() };
            let found = store.trusted_devices(find.clone()).await.unwrap_or_default();
            for (index, FoundTrustedDevice { device, .. }) in found.iter().take(2).enumerate() {
                let (change, kind) = match index {
                    0 => (DeviceChange::EndTrust, EventKind::DeviceRevoked),
                    _ => (DeviceChange::Rename(DeviceName::new("desk").unwrap()), EventKind::DeviceRenamed),
                };
                let event = event(kind, id, NOON);
                drop(
                    store
                        .change_trusted_device(ChangeTrustedDevice { find: find.clone(), id: device.id, change, event })
                        .await,
                );
            }
        }
        20 => {
            let update = UpdateProfile {
                account_id: id,
                name: Some("Ada".to_owned()),
                image: None,
                event: event(EventKind::AccountChanged, id, NOON),
            };
            drop(store.update_profile(update).await);
        }
        21 => {
            let ticket = mail_link(store, &user, Purpose::VerifyAddress, &user.email()).await;
            let verify = VerifyAddress {
                ticket: Some(ticket),
                account_id: id,
                versions: user.account.versions(),
                address: user.email(),
                rules: Arc::default(),
                event: event(EventKind::AddressVerified, id, NOON),
            };
            drop(store.verify_address(verify).await);
        }
        22 => {
            let (to, restoration) = (EmailAddress::new(&format!("{id}@example.com")), session_digest());
            let change = ChangeAddress {
                ticket: mail_link(store, &user, Purpose::ChangeAddress, &to).await,
                account_id: id,
                versions: user.account.versions(),
                to,
                restoration,
                restorable_until: NOON + HOUR,
                notice: None,
                rules: Arc::default(),
                event: event(EventKind::AddressChanged, id, NOON),
            };
            drop(store.change_address(change).await);
            let restore = RestoreAddress { digest: restoration, rules: Arc::default(), audit: audit(id, NOON) };
            drop(store.restore_address(restore).await);
        }
        23 => {
            let challenge = user.sign_in(NOON).challenge;
            let claimant = Claimant::Challenge(challenge.digest);
            let begun = event(EventKind::StepUpBegun, id, NOON);
            drop(store.open_challenge(OpenChallenge { challenge, mac: [5; 32], event: begun }).await);
            drop(store.claim_attempt(user.claim(claimant, Factor::OneTimeCode, NOON)).await);
        }
        24 => {
            let address = Address::Sms(PhoneNumber::new("+15550100").unwrap());
            let subject = Subject::Enable { account_id: id, address: address.clone() };
            let to_enable = Claimant::Holder { account_id: id, subject };
            let issue = IssueCode { to: SendTo::Address(address.clone()), ..user.issue(to_enable.clone(), 7) };
            drop(store.issue_code(issue).await);
            let add = AddMethod {
                account_id: id,
                versions: user.account.versions(),
                manager: Manager::Service,
                has_password: false,
                step_up: None,
                method: address_method(address),
                known_apps: Vec::new(),
                macs: vec![user.mac(&to_enable, 7)],
                presentation: Some(presentation("7", &to_enable.subject())),
                backup_codes: backup_codes(3),
                challenge: None,
                rules: Arc::default(),
                terms: terms(),
                now: NOON,
                audit: audit(id, NOON),
            };
            drop(store.add_method(add).await);
            for method in
                store.user(AccountLookup::Id(id)).await.unwrap().map(|found| found.methods).unwrap_or_default()
            {
                let event = event(EventKind::MethodRenamed, id, NOON);
                let rename =
                    RenameMethod { account_id: id, handle: method.handle, name: Some("desk".to_owned()), event };
                drop(store.rename_method(rename).await);
            }
        }
        25 => drop(store.enrol_mail(user.enrol_mail(&new_session(id, NOON))).await),
        26 => {
            let presented = mail_link(store, &user, Purpose::DeleteAccount, &user.email()).await;
            let delete = DeleteOwnAccount {
                account_id: id,
                versions: user.account.versions(),
                manager: manager(&user),
                proof: deletion::Proof::Link,
                ticket: Some(presented),
                rules: Arc::default(),
                event: event(EventKind::AccountDeleted, id, NOON),
            };
            drop(store.delete_own_account(delete).await);
        }
        27 => drop(store.sign_out((user.session.token, event(EventKind::SignedOut, id, NOON))).await),
        28 => {
            let sign_in = user.sign_in(NOON);
            let claimant = Claimant::Challenge(sign_in.challenge.digest);
            drop(store.complete_sign_in(sign_in).await);
            let failed = fail(&user, &claimant, Factor::Totp, false);
            let claim = user.claim(claimant.clone(), Factor::Totp, NOON);
            let judge: Judge<(), ()> = Box::new(move |_| Ruling::Fail(Box::new(failed.clone())));
            drop(store.attempt_second_factor(AttemptSecondFactor { claim: claim.clone(), judge }).await);
            let proof = Proof::Totp { method_id: app, step: i64::try_from(what).unwrap(), confirms: false };
            let pass = CompleteSecondFactor { account: user.account.clone(), ..user.pass(claimant, proof) };
            let judge: Judge<(), ()> = Box::new(move |_| Ruling::Complete(Box::new(pass.clone()), ()));
            drop(store.attempt_second_factor(AttemptSecondFactor { claim, judge }).await);
        }
        // Everything has expired.
        _ => drop(store.purge(Purge { now: NOON + 10_000 * HOUR, batch: 50 }).await),
    }
}

fn manager(user: &User) -> Manager {
    let (account_id, factors_version) = (user.id(), user.account.factors_version);
    Manager::Owner(Assurance { account_id, signed_in_at: NOON, second_factor_at: Some(NOON), factors_version })
}

/// Mails a link, and says what it is good for.
async fn mail_link(store: &Store, user: &User, purpose: Purpose, to: &EmailAddress) -> PresentedTicket {
    let kind = TicketKind::from(purpose);
    let state = (purpose == Purpose::ChangeAddress).then(|| to.as_str().to_owned());
    let new = NewTicket { address: Some(user.email()), state, ..ticket(kind, NOON + HOUR) };
    let presented = PresentedTicket { kind, digest: new.digest, trust_challenges: Vec::new() };
    let issue = IssueLink {
        purpose,
        account_id: user.id(),
        manager: Some(manager(user)),
        to: to.clone(),
        tenant_id: TenantId::DEFAULT,
        asked_for: sealer().hide(to.as_str()),
        requester: Requester::Owner,
        ticket: LinkTicket::New(new),
        message: None,
        rules: Arc::default(),
        audit: audit(user.id(), NOON),
    };
    drop(store.issue_link(issue).await);
    presented
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_at_once_leaves_no_deadlock_in_the_servers_log() {
    let Some(cluster) = Cluster::own(&[("log_lock_waits", "on"), ("deadlock_timeout", "1ms")], &[]) else { return };
    let behind = Behind::Server(cluster.database());
    let world = World::of(behind).await;
    let mut targets = Vec::new();
    for _ in 0..USERS {
        targets.push(target(&world).await);
    }
    let (targets, count) = (Arc::new(Mutex::new(targets)), Arc::new(AtomicUsize::new(0)));
    let mut running = JoinSet::new();
    for caller in 0..AT_ONCE {
        // One process has one transaction of an account at a time.
        let store = Store::open(&Options { connections: 1, ..world.options.clone() }).await.unwrap();
        let (targets, count) = (targets.clone(), count.clone());
        running.spawn(async move {
            for call in 0..CALLS {
                // A quarter of the callers delete what has expired all the time.
                let what = if caller % 4 == 0 { KINDS } else { (caller * 5 + call * 9) % KINDS };
                act(&store, &targets, (caller + call) % AT_A_TIME, what).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), AT_ONCE * CALLS);
    let log = cluster.log();
    let deadlocks = log.matches("deadlock detected").count();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("Process") || line.contains("deadlock")).collect();
    assert_eq!(deadlocks, 0, "{lines:#?}");
    assert!(targets.lock().await.len() > AT_A_TIME, "all users were deleted before the end");
    // They did meet.
    assert!(log.contains("still waiting for"), "no transaction waited for another");
}

/// A change of the address that was begun before a code is issued is waited for: no code goes to the old address after it.
#[needs_postgres]
#[tokio::test]
async fn a_code_goes_to_the_address_that_an_open_change_leaves() {
    let world = World::start(DatabaseKind::Postgres).await;
    let (user, _, _) = User::enrolled(&world).await;
    let claimant = user.challenged(&world, NOON).await;
    let Behind::Server(database) = &world.behind else { unreachable!() };
    let (client, connection) = tokio_postgres::connect(&database.direct_url(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let begin = "BEGIN; UPDATE accounts SET updated_at = updated_at; \
                 UPDATE methods SET address = 'new@example.org' WHERE kind = 'email'";
    client.batch_execute(begin).await.unwrap();
    let issue = world.store.issue_code(user.issue(claimant, 1));
    let change = async {
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        for _ in 0..100 {
            if world.count(waiting) > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        client.batch_execute("COMMIT").await.unwrap();
    };
    let (issued, ()) = futures::join!(issue, change);
    let Issued::To { address, .. } = issued.unwrap() else { panic!("no code was issued") };
    assert_eq!(address.as_str(), "new@example.org");
    drop(client);
    connection.await.unwrap().unwrap();
}
