//! Several nodes on one PostgreSQL: what is accepted once is accepted once among all of them, and a quota is one
//! quota (attacks 2, 6, 8, 9, 14, 39).
//!
//! All nodes share the database and the keyring, as in production. Four nodes are processes of the compiled program; two
//! are servers in this process, where passwords can be cheap, so that there is time for more rounds.

mod bystander;
mod passkeys;
mod tickets;

use self::bystander::Bystander;
use crate::harness::caller::Call;
use crate::harness::database::Database;
use crate::harness::service::APPLICATION;
use crate::harness::wire::Wire;
use crate::harness::world::{Time, refresh_tokens_are};
use crate::harness::{App, Caller, PASSWORD, Process, Response, Service, User, World, cheap_passwords};
use crate::password_reset::reset_token;
use countersign::config::values::KeyringSource;
use countersign_domain::tenant::RefreshTokenUsage;
use countersign_test_postgres::{Cluster, needs_postgres};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::{TempDir, tempdir};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Presentations in a round.
const AT_ONCE: usize = 64;
/// Rounds of a run that is not asked for more.
const ROUNDS: usize = 50;

const CODES_PER_HOUR: u32 = 10_000;

/// `COUNTERSIGN_TEST_ROUNDS`, for a longer run.
fn rounds_or(usual: usize) -> usize {
    std::env::var("COUNTERSIGN_TEST_ROUNDS").map_or(usual, |count| count.parse().unwrap())
}

fn rounds() -> usize {
    rounds_or(ROUNDS)
}

/// One of several servers on a database.
enum Node {
    Program(Process),
    InProcess(Box<World>),
}

impl Deref for Node {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        match self {
            Self::Program(process) => process,
            Self::InProcess(world) => world,
        }
    }
}

impl Node {
    async fn service(&self) -> Service {
        match self {
            Self::Program(process) => process.service(),
            Self::InProcess(world) => world.service().await,
        }
    }
}

/// Some nodes, and what they share.
struct Nodes {
    nodes: Vec<Node>,
    database: Database,
    /// Milliseconds that the slowest [`Nodes::all_at_once`] took.
    slowest_race: AtomicU64,
    _directories: Vec<TempDir>,
}

impl Nodes {
    fn start_programs(count: usize) -> Self {
        let database = Database::on_shared_cluster();
        let directories: Vec<TempDir> = (0..count).map(|_| tempdir().unwrap()).collect();
        // The first node makes the keys; the others are given them.
        let first = Self::program(&directories[0], &database, None);
        let keyring = std::fs::read_to_string(first.data().join("keyring")).unwrap();
        let others = directories[1..].iter().map(|directory| Self::program(directory, &database, Some(&keyring)));
        let nodes = [first].into_iter().chain(others).map(Node::Program).collect();
        Self { nodes, database, slowest_race: AtomicU64::new(0), _directories: directories }
    }

    fn program(directory: &TempDir, database: &Database, keyring: Option<&str>) -> Process {
        let codes_per_hour = CODES_PER_HOUR.to_string();
        let mut environment = vec![("COUNTERSIGN_CODES_PER_HOUR", codes_per_hour.as_str())];
        environment.extend(keyring.map(|keys| ("COUNTERSIGN_KEYS", keys)));
        Process::sharing(database, directory.path(), &environment)
    }

    async fn start_in_process(count: usize) -> Self {
        Self::start_in_process_on(Database::on_shared_cluster(), count).await
    }

    async fn start_in_process_on(database: Database, count: usize) -> Self {
        let directory = tempdir().unwrap();
        let mut nodes = Vec::new();
        for _ in 0..count {
            let node = World::sharing(&database, Time::System, |settings| {
                settings.limits.codes_per_hour = CODES_PER_HOUR;
                // A machine that is busy with something else refuses nobody: how long others wait is measured.
                settings.database.timeout = Duration::from_secs(30);
                settings.database.deadline = Duration::from_secs(60);
                // One address may wait for a third of the places.
                settings.limits.hash_queue = 4 * AT_ONCE;
                refresh_tokens_are(settings, RefreshTokenUsage::OneTimeUse);
                settings.keyring = KeyringSource::DefaultFile(directory.path().join("keyring"));
                cheap_passwords(settings);
            });
            nodes.push(Node::InProcess(Box::new(node.await)));
        }
        Self { nodes, database, slowest_race: AtomicU64::new(0), _directories: vec![directory] }
    }

    /// One client for each presentation, spread over the nodes, all with this bearer token.
    fn bearers(&self, token: &str) -> impl Iterator<Item = Caller> {
        self.nodes.iter().cycle().map(move |node| node.bearer(token))
    }

    /// One service at each node, all with one key.
    async fn services(&self) -> Vec<Service> {
        let first = self.nodes[0].service().await;
        self.nodes.iter().map(|node| Service::new(node, &first.key, None)).collect()
    }

    async fn user(&self, round: usize) -> User {
        self.nodes[round % self.nodes.len()].user(&format!("person{round}")).await
    }
}

/// Somebody with a second factor, a live session and an open challenge.
struct Enrolled {
    user: User,
    app: App,
    session: String,
    challenge: String,
    /// The node that mails for the challenge.
    home: usize,
}

impl Nodes {
    async fn enrolled(&self, round: usize) -> Enrolled {
        let user = self.user(round).await;
        let app = user.begin_enrolment().await;
        // The step before the present one confirms, so that the present one is still to be used.
        self.nodes[0].clock().settle().await;
        let body = json!({"code": app.code_in(-1)});
        let session = user.browser.post("/two-factor/verify-totp").json(body).await.ok().text("/token");
        let home = (round + 1) % self.nodes.len();
        let challenge = user.challenge_token(&self.nodes[home].stranger()).await;
        Enrolled { user, app, session, challenge, home }
    }
}

fn codes(responses: &[Response]) -> BTreeMap<String, usize> {
    responses.iter().fold(BTreeMap::new(), |mut counts, response| {
        *counts.entry(format!("{} {}", response.status, response.code())).or_default() += 1;
        counts
    })
}

impl Nodes {
    /// All at once, in whichever order; what each came to. None is a failure of the server.
    async fn all_at_once(&self, calls: Vec<Call>) -> Vec<Response> {
        let start = Arc::new(Barrier::new(calls.len()));
        let mut running = JoinSet::new();
        for call in calls {
            let start = Arc::clone(&start);
            running.spawn(async move {
                start.wait().await;
                call.await
            });
        }
        let began = Instant::now();
        let responses = running.join_all().await;
        self.slowest_race.fetch_max(began.elapsed().as_millis().try_into().unwrap(), Ordering::Relaxed);
        assert!(responses.iter().all(|response| response.status < 500), "{:?}", codes(&responses));
        responses
    }

    /// The first so many calls at once; exactly one succeeds, and the others are refused in one of these ways.
    async fn one_of(&self, calls: impl Iterator<Item = Call>, refusals: &[u16]) -> Response {
        let calls: Vec<Call> = calls.take(AT_ONCE).collect();
        assert_eq!(calls.len(), AT_ONCE);
        let responses = self.all_at_once(calls).await;
        let counts = codes(&responses);
        let (mut won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|response| response.status == 200);
        assert_eq!(won.len(), 1, "{counts:?}");
        assert!(lost.iter().all(|response| refusals.contains(&response.status)), "{counts:?}");
        won.remove(0)
    }

    /// The same with a code in Better Auth's dialect.
    async fn race(&self, calls: impl Iterator<Item = Call>) {
        self.one_of(calls, &[400, 401, 409, 429]).await;
    }

    /// The same in FusionAuth's.
    async fn race_of_calls(&self, calls: impl Iterator<Item = Call>) -> Response {
        self.one_of(calls, &[404, 409, 421]).await
    }
}

/// Half of the presentations come from a live session, half from a challenge.
async fn race_of_one_code(nodes: &Nodes, enrolled: &Enrolled, path: &'static str, code: &str) {
    let body = json!({"code": code});
    let from_session = nodes.bearers(&enrolled.session).take(AT_ONCE / 2);
    let from_challenge = nodes.bearers(&enrolled.challenge).take(AT_ONCE / 2);
    nodes.race(from_session.chain(from_challenge).map(|caller| caller.post(path).json(body.clone()))).await;
}

async fn totp_codes(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        race_of_one_code(nodes, &enrolled, "/two-factor/verify-totp", &enrolled.app.code_in(1)).await;
    }
}

async fn backup_codes(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        let code = &enrolled.app.backup_codes[round % 10];
        race_of_one_code(nodes, &enrolled, "/two-factor/verify-backup-code", code).await;
    }
}

async fn mailed_codes(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        let home = &nodes.nodes[enrolled.home];
        // In turn the code of the challenge and that of the session: a code belongs to one of them.
        let token = if round % 2 == 0 { &enrolled.challenge } else { &enrolled.session };
        home.bearer(token).post("/two-factor/send-otp").await.ok();
        let body = json!({"code": home.last_code_for(&enrolled.user.email)});
        nodes.race(nodes.bearers(token).map(|caller| caller.post("/two-factor/verify-otp").json(body.clone()))).await;
    }
}

async fn challenges(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        let right = [
            ("/two-factor/verify-totp", enrolled.app.code_in(1)),
            ("/two-factor/verify-backup-code", enrolled.app.backup_codes[0].clone()),
            ("/two-factor/verify-backup-code", enrolled.app.backup_codes[1].clone()),
        ];
        let presentations = nodes.bearers(&enrolled.challenge).zip(right.into_iter().cycle());
        nodes.race(presentations.map(|(caller, (path, code))| caller.post(path).json(json!({"code": code})))).await;
    }
}

/// Each kind of link that is mailed to somebody without a session, or to a new address.
async fn links(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let user = nodes.user(round).await;
        let home = &nodes.nodes[round % nodes.nodes.len()];
        let body = json!({"email": user.email});
        home.stranger().post("/request-password-reset").json(body).await.ok();
        let token = reset_token(home, &user.email, 1).await;
        let body = json!({"newPassword": "a longer horse, a better battery", "token": token});
        let strangers = nodes.bearers("none").take(AT_ONCE);
        nodes.race(strangers.map(|caller| caller.post("/reset-password").json(body.clone()))).await;
    }
}

/// Links about addresses, which are followed.
async fn address_links(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let user = nodes.user(round).await;
        let (home, new) = (&nodes.nodes[round % nodes.nodes.len()], format!("new.{}", user.email));
        home.stranger().post("/send-verification-email").json(json!({"email": user.email})).await.ok();
        race_of_links(nodes, &home.link_for(&user.email, 1).await).await;
        user.browser.post("/change-email").json(json!({"newEmail": new})).await.ok();
        race_of_links(nodes, &home.link_for(&new, 1).await).await;
        // It is delivered by the node on which the change was made.
        let is_back = |link: &String| link.contains("=rev-");
        let back = loop {
            let mut mailed = nodes.nodes.iter().flat_map(|node| node.outbox().links_for(&user.email));
            match mailed.find(is_back) {
                Some(link) => break link,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        race_of_links(nodes, back.strip_prefix(home.base_url()).unwrap()).await;
    }
}

/// Links that delete the account, followed in its session.
async fn deletion_links(nodes: &Nodes, rounds: usize) {
    for round in 0..rounds {
        let user = nodes.user(round).await;
        let home = &nodes.nodes[round % nodes.nodes.len()];
        user.browser.post("/delete-user").json(json!({})).await.ok();
        let link = home.link_for(&user.email, 1).await;
        let link = link.split('&').next().unwrap().to_owned();
        let sessions = nodes.bearers(&user.first_token).take(AT_ONCE);
        nodes.one_of(sessions.map(|caller| caller.call("GET", &link)), &[404]).await;
        let kept = "SELECT count(*) AS number FROM audit_events WHERE kind = 'account-deleted' AND account_id";
        assert_eq!(nodes.database.number(&format!("{kept} = '{}'", user.id)), 1);
    }
}

async fn race_of_links(nodes: &Nodes, link: &str) {
    let link = link.split('&').next().unwrap().to_owned();
    let strangers = nodes.nodes.iter().cycle().map(|node| node.stranger()).take(AT_ONCE);
    let responses = nodes.all_at_once(strangers.map(|caller| caller.call("GET", &link)).collect()).await;
    let counts = codes(&responses);
    let expected = [("200 ".to_owned(), 1), ("401 INVALID_TOKEN".to_owned(), AT_ONCE - 1)];
    assert_eq!(counts, BTreeMap::from(expected));
}

/// Races on two nodes and a cluster of their own, in whose log no deadlock may be found afterwards, while somebody else uses
/// both dialects.
async fn on_two_nodes(races: impl AsyncFnOnce(&Nodes)) {
    let Some(cluster) = Cluster::own(&[("log_lock_waits", "on")], &[]) else { return };
    let nodes = Nodes::start_in_process_on(Database::on(&cluster), 2).await;
    let bystander = Bystander::start(&nodes).await;
    races(&nodes).await;
    bystander.assert_undisturbed(nodes.slowest_race.load(Ordering::Relaxed)).await;
    drop(nodes);
    assert_no_deadlock(&cluster);
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_totp_code_among_two_nodes_2() {
    on_two_nodes(async |nodes| totp_codes(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_backup_code_among_two_nodes_6() {
    on_two_nodes(async |nodes| backup_codes(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_mailed_code_among_two_nodes_39() {
    on_two_nodes(async |nodes| mailed_codes(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_link_that_sets_a_password_among_two_nodes() {
    on_two_nodes(async |nodes| links(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_link_about_an_address_among_two_nodes() {
    on_two_nodes(async |nodes| address_links(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_link_that_deletes_an_account_among_two_nodes() {
    on_two_nodes(async |nodes| deletion_links(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_challenge_among_two_nodes() {
    on_two_nodes(async |nodes| challenges(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_among_four_nodes() {
    let rounds = (rounds() / 4).max(1);
    totp_codes(&Nodes::start_programs(4), rounds).await;
    backup_codes(&Nodes::start_programs(4), rounds).await;
    mailed_codes(&Nodes::start_programs(4), rounds).await;
    challenges(&Nodes::start_programs(4), rounds).await;
}

/// 500 wrong codes at once, over nodes, challenges, sessions and client addresses: judged at most as often as the
/// quota allows, as the audit trail counts them; then the account is locked on every node, for the right code as well.
#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_quota_among_two_nodes_14() {
    let nodes = Nodes::start_programs(2);
    let Enrolled { user, app, session, challenge, .. } = nodes.enrolled(0).await;
    let mut tokens = vec![session.clone(), challenge];
    for _ in 0..8 {
        tokens.push(user.challenge_token(&nodes.nodes[0].stranger()).await);
    }
    let mut running = JoinSet::new();
    for guess in 0..500 {
        let node = &nodes.nodes[guess % 2];
        let caller = node
            .bearer(&tokens[guess / 2 % tokens.len()])
            .with_header("x-forwarded-for", &format!("10.0.{}.1", guess % 250));
        let body = json!({"code": app.wrong_code()});
        running.spawn(async move { caller.post("/two-factor/verify-totp").json(body).await });
    }
    let responses = running.join_all().await;
    assert!(responses.iter().all(|response| [400, 401, 429].contains(&response.status)), "{:?}", codes(&responses));
    let judged =
        nodes.database.number("SELECT count(*) AS number FROM audit_events WHERE kind = 'second-factor-rejected'");
    assert_eq!(judged, 10, "{:?}", codes(&responses));
    for node in &nodes.nodes {
        let body = json!({"code": app.code_in(1)});
        let locked = node.bearer(&session).post("/two-factor/verify-totp").json(body).await;
        assert!(locked.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").retry_after() > 800);
    }
}

/// Every kind of one-time thing of the FusionAuth dialect, one after the other for one user in each round.
async fn fusionauth(nodes: &Nodes, rounds: usize) {
    let services = nodes.services().await;
    let everywhere = || services.iter().cycle().take(AT_ONCE);
    for round in 0..rounds {
        let home = &services[round % services.len()];
        let user = home.user().await;
        let app = home.enrol_with(&user, |app| app.code_in(-1)).await;
        home.enrol_address(&user, "email", &user.email).await;
        let email = home.method_id(&user, "email").await;

        // One code of the app, and then one recovery code, at two challenges.
        for code in [app.code_in(1), app.recovery_codes[0].clone()] {
            let challenges = [home.challenge(&user).await, services[0].challenge(&user).await];
            let calls = everywhere().zip(challenges.iter().cycle());
            nodes.race_of_calls(calls.map(|(service, id)| service.complete(id, &code))).await;
        }
        // One challenge, with a code that was sent.
        let challenge = home.challenge(&user).await;
        home.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": email})).await.ok();
        let code = nodes.nodes[round % services.len()].last_code_for(&user.email);
        let done = nodes.race_of_calls(everywhere().map(|service| service.complete(&challenge, &code))).await;
        // Its refresh token.
        let body = json!({"refreshToken": done.text("/refreshToken")});
        let calls = everywhere().map(|service| service.open("/jwt/refresh", body.clone())).collect();
        let responses = nodes.all_at_once(calls).await;
        let successors: BTreeSet<&str> =
            responses.iter().map(|response| response.body["refreshToken"].as_str().unwrap_or("none")).collect();
        assert_eq!(successors.len(), 1, "{:?}", codes(&responses));
    }
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_through_fusionauth_among_two_nodes_2() {
    on_two_nodes(async |nodes| fusionauth(nodes, rounds()).await).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_through_fusionauth_among_four_nodes_2() {
    fusionauth(&Nodes::start_programs(4), (rounds() / 4).max(1)).await;
}

#[track_caller]
fn assert_no_deadlock(cluster: &Cluster) {
    let log = cluster.log();
    let deadlocks: Vec<_> = log.lines().filter(|line| line.contains("deadlock detected")).collect();
    assert!(deadlocks.is_empty(), "{} deadlocks: {log}", deadlocks.len());
}

/// One refresh token, presented by many at once, some of whom present one that was used long ago, which ends its family: no
/// transaction waits for one that waits for it.
#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_token_among_two_nodes_without_a_deadlock() {
    on_two_nodes(async |nodes| refresh_tokens(nodes, rounds()).await).await;
}

async fn refresh_tokens(nodes: &Nodes, rounds: usize) {
    let services = nodes.services().await;
    for round in 0..rounds {
        let user = services[round % 2].user().await;
        let first = services[0].log_in(&user).await.ok().text("/refreshToken");
        let mut token = first.clone();
        // A family of some size.
        for _ in 0..5 {
            let next = services[round % 2].open("/jwt/refresh", json!({"refreshToken": token})).await.ok();
            token = next.text("/refreshToken");
        }
        let long_ago = "UPDATE refresh_tokens SET used_at = used_at - 60000 WHERE used_at IS NOT NULL";
        nodes.database.execute(long_ago);
        let tokens = [&token, &token, &token, &first];
        let everywhere = services.iter().cycle().zip(tokens.iter().cycle()).take(AT_ONCE);
        let calls = everywhere.map(|(service, token)| service.open("/jwt/refresh", json!({"refreshToken": token})));
        let responses = nodes.all_at_once(calls.collect()).await;
        assert!(responses.iter().all(|response| [200, 404].contains(&response.status)), "{:?}", codes(&responses));
        for token in [&token, &first] {
            services[0].open("/jwt/refresh", json!({"refreshToken": token})).await.is(404);
        }
    }
}

/// Everything that changes rows of one account, at once: sign-ins, wrong codes, codes to be sent, refreshes, revocations, new
/// passwords, enrolments, deactivation and deletion. All take the account's row first.
#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn every_unit_of_work_of_one_account_at_once_without_a_deadlock() {
    let Some(cluster) = Cluster::own(&[("log_lock_waits", "on")], &[]) else { return };
    let nodes = Nodes::start_in_process_on(Database::on(&cluster), 2).await;
    let services = nodes.services().await;
    for round in 0..(rounds() / 2).max(1) {
        let enrolled = nodes.enrolled(round).await;
        let email = enrolled.user.email.clone();
        let id = services[0].get(&format!("/user?loginId={email}")).await.ok().text("/user/id");
        let login = json!({"loginId": email, "password": PASSWORD, "applicationId": APPLICATION});
        let challenge = services[0].post("/login", login.clone()).await.is(242).text("/twoFactorId");
        let code = enrolled.app.backup_codes[1].clone();
        let granted = services[0].complete(&challenge, &code).await.is(202);
        let waiting = services[0].post("/login", login.clone()).await.is(242).text("/twoFactorId");
        let password = json!({"password": PASSWORD});
        let mut calls = Vec::new();
        for (index, service) in services.iter().cycle().take(4).enumerate() {
            let session = nodes.nodes[index % 2].bearer(&enrolled.session);
            let challenged = nodes.nodes[index % 2].bearer(&enrolled.challenge);
            let wrong = json!({"code": enrolled.app.wrong_code()});
            let changed =
                json!({"currentPassword": PASSWORD, "newPassword": PASSWORD, "revokeOtherSessions": index % 2 == 0});
            calls.extend([
                service.post("/login", login.clone()),
                service.open("/jwt/refresh", json!({"refreshToken": granted.text("/refreshToken")})),
                service.complete(&waiting, "000000"),
                service.post("/two-factor/start", json!({"userId": id})),
                challenged.post("/two-factor/verify-totp").json(wrong.clone()),
                challenged.post("/two-factor/send-otp"),
                challenged.post("/two-factor/verify-otp").json(wrong),
                session
                    .post("/two-factor/verify-backup-code")
                    .json(json!({"code": enrolled.app.backup_codes[index + 2]})),
                session.post("/two-factor/send-otp"),
                session.post("/two-factor/enable").json(password.clone()),
                session.post("/two-factor/generate-backup-codes").json(password.clone()),
                session.post("/two-factor/revoke-trusted-devices").json(password.clone()),
                session.post("/change-password").json(changed),
                session.post("/revoke-other-sessions"),
                session.get("/get-session"),
                service.call("PATCH", &format!("/user/{id}")).json(json!({"user": {"firstName": format!("A{index}")}})),
            ]);
        }
        let last = calls.len() - 1;
        calls[last] = services[0].call("DELETE", &format!("/user/{id}"));
        calls[last / 2] = services[1].call("DELETE", &format!("/user/{id}?hardDelete=true"));
        let registration = json!({"registration": {"applicationId": APPLICATION}});
        calls[last / 4] = services[1].post(&format!("/user/registration/{id}"), registration.clone());
        calls[0] = services[0].post(&format!("/user/registration/{id}"), registration);
        assert_eq!(calls.len(), AT_ONCE);
        nodes.all_at_once(calls).await;
    }
    drop(nodes);
    assert_no_deadlock(&cluster);
}

/// Registering a user whom another request deletes finds them or finds nobody.
#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn registering_against_deleting_among_two_nodes() {
    let nodes = Nodes::start_in_process(2).await;
    let services = nodes.services().await;
    for _ in 0..(rounds() / 2).max(1) {
        let user = services[0].user_with(json!({})).await;
        let body = json!({"registration": {"applicationId": APPLICATION}});
        let mut calls: Vec<Call> = services
            .iter()
            .cycle()
            .take(8)
            .map(|service| service.post(&format!("/user/registration/{}", user.id), body.clone()))
            .collect();
        calls.push(services[1].call("DELETE", &format!("/user/{}?hardDelete=true", user.id)));
        let responses = nodes.all_at_once(calls).await;
        assert!(responses.iter().all(|response| [200, 400, 404].contains(&response.status)), "{:?}", codes(&responses));
    }
}
