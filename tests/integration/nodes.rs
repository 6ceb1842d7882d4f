//! Several nodes on one PostgreSQL: what is accepted once is accepted once among all of them, and a budget is one
//! budget (attacks 2, 6, 8, 9, 14, 39).
//!
//! A node is a process of the compiled program; all of them share the database and the keyring, as in production.

use crate::sqlite::harness::caller::Call;
use crate::sqlite::harness::{Answer, App, Caller, Person, Process, Service};
use countersign_test_postgres::{Cluster, Database};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::{TempDir, tempdir};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Presentations in a round.
const AT_ONCE: usize = 64;
const ROUNDS: usize = 200;

/// Some nodes, and what they share.
struct Nodes {
    nodes: Vec<Process>,
    database: Database,
    _directories: Vec<TempDir>,
}

impl Nodes {
    fn start(count: usize) -> Self {
        let database = Cluster::shared().expect("these tests are built only where there is one").database();
        let directories: Vec<TempDir> = (0..count).map(|_| tempdir().unwrap()).collect();
        // The first node makes the keys; the others are given them.
        let mut nodes = vec![Self::node(&directories[0], &database, None)];
        let keyring = std::fs::read_to_string(nodes[0].data().join("keyring")).unwrap();
        nodes.extend(directories[1..].iter().map(|directory| Self::node(directory, &database, Some(&keyring))));
        Self { nodes, database, _directories: directories }
    }

    fn node(directory: &TempDir, database: &Database, keyring: Option<&str>) -> Process {
        let url = database.url();
        let mut environment = vec![("COUNTERSIGN_DATABASE_URL", url.as_str()), ("COUNTERSIGN_CODES_PER_HOUR", "10000")];
        environment.extend(keyring.map(|keys| ("COUNTERSIGN_KEYS", keys)));
        Process::start(directory.path(), &environment)
    }

    /// One client for each presentation, spread over the nodes, all with this bearer token.
    fn bearers(&self, token: &str) -> impl Iterator<Item = Caller> {
        self.nodes.iter().cycle().map(move |node| node.bearer(token))
    }

    async fn person(&self, round: usize) -> Person {
        self.nodes[round % self.nodes.len()].person(&format!("person{round}")).await
    }
}

/// Somebody with a second factor, a live session and an open challenge.
struct Enrolled {
    person: Person,
    app: App,
    session: String,
    challenge: String,
    /// The node that mails for the challenge.
    home: usize,
}

impl Nodes {
    async fn enrolled(&self, round: usize) -> Enrolled {
        let person = self.person(round).await;
        let app = person.begin_enrolment().await;
        // The step before the present one confirms, so that the present one is still to be used.
        self.nodes[0].clock().settle().await;
        let body = json!({"code": app.code_in(-1)});
        let session = person.browser.post("/two-factor/verify-totp").json(body).await.ok().text("/token");
        let home = (round + 1) % self.nodes.len();
        let challenge = person.challenge_token(&self.nodes[home].stranger()).await;
        Enrolled { person, app, session, challenge, home }
    }
}

fn codes(answers: &[Answer]) -> BTreeMap<String, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(format!("{} {}", answer.status, answer.code())).or_default() += 1;
        counts
    })
}

/// Presents all at once; exactly one succeeds, and no other answer is a failure of the server.
async fn race(presentations: Vec<(Caller, &'static str, Value)>) {
    assert_eq!(presentations.len(), AT_ONCE);
    let start = Arc::new(Barrier::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (caller, path, body) in presentations {
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            caller.post(path).json(body).await
        });
    }
    let answers = running.join_all().await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "{:?}", codes(&answers));
    assert!(answers.iter().all(|answer| answer.status < 500), "{:?}", codes(&answers));
}

/// Half of the presentations come from a live session, half from a challenge.
async fn race_of_one_code(nodes: &Nodes, enrolled: &Enrolled, path: &'static str, code: &str) {
    let body = json!({"code": code});
    let from_session = nodes.bearers(&enrolled.session).take(AT_ONCE / 2);
    let from_challenge = nodes.bearers(&enrolled.challenge).take(AT_ONCE / 2);
    race(from_session.chain(from_challenge).map(|caller| (caller, path, body.clone())).collect()).await;
}

async fn totp_codes(nodes: usize, rounds: usize) {
    let nodes = Nodes::start(nodes);
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        race_of_one_code(&nodes, &enrolled, "/two-factor/verify-totp", &enrolled.app.code_in(1)).await;
    }
}

async fn backup_codes(nodes: usize, rounds: usize) {
    let nodes = Nodes::start(nodes);
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        let code = &enrolled.app.backup_codes[round % 10];
        race_of_one_code(&nodes, &enrolled, "/two-factor/verify-backup-code", code).await;
    }
}

async fn mailed_codes(nodes: usize, rounds: usize) {
    let nodes = Nodes::start(nodes);
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        let home = &nodes.nodes[enrolled.home];
        // In turn the code of the challenge and that of the session: a code belongs to one of them.
        let token = if round % 2 == 0 { &enrolled.challenge } else { &enrolled.session };
        home.bearer(token).post("/two-factor/send-otp").await.ok();
        let body = json!({"code": home.last_code_for(&enrolled.person.email)});
        let present = |caller| (caller, "/two-factor/verify-otp", body.clone());
        race(nodes.bearers(token).take(AT_ONCE).map(present).collect()).await;
    }
}

async fn challenges(nodes: usize, rounds: usize) {
    let nodes = Nodes::start(nodes);
    for round in 0..rounds {
        let enrolled = nodes.enrolled(round).await;
        let right = [
            ("/two-factor/verify-totp", enrolled.app.code_in(1)),
            ("/two-factor/verify-backup-code", enrolled.app.backup_codes[0].clone()),
            ("/two-factor/verify-backup-code", enrolled.app.backup_codes[1].clone()),
        ];
        let presentations = nodes.bearers(&enrolled.challenge).zip(right.into_iter().cycle()).take(AT_ONCE);
        race(presentations.map(|(caller, (path, code))| (caller, path, json!({"code": code}))).collect()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_totp_code_among_two_nodes_2() {
    totp_codes(2, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backup_code_among_two_nodes_6() {
    backup_codes(2, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mailed_code_among_two_nodes_39() {
    mailed_codes(2, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_challenge_among_two_nodes() {
    challenges(2, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_among_four_nodes() {
    let rounds = ROUNDS / 4;
    totp_codes(4, rounds).await;
    backup_codes(4, rounds).await;
    mailed_codes(4, rounds).await;
    challenges(4, rounds).await;
}

/// 500 wrong codes at once, over nodes, challenges, sessions and client addresses: judged at most as often as the
/// budget allows, as the audit trail counts them; then the account is locked on every node, for the right code as well.
#[tokio::test(flavor = "multi_thread")]
async fn one_budget_among_two_nodes_14() {
    let nodes = Nodes::start(2);
    let Enrolled { person, app, session, challenge, .. } = nodes.enrolled(0).await;
    let mut tokens = vec![session.clone(), challenge];
    for _ in 0..8 {
        tokens.push(person.challenge_token(&nodes.nodes[0].stranger()).await);
    }
    let mut running = JoinSet::new();
    for guess in 0..500 {
        let node = &nodes.nodes[guess % 2];
        let caller = node.bearer(&tokens[guess / 2 % tokens.len()]).with_header("x-forwarded-for", &format!("10.0.{}.1", guess % 250));
        let body = json!({"code": app.wrong_code()});
        running.spawn(async move { caller.post("/two-factor/verify-totp").json(body).await });
    }
    let answers = running.join_all().await;
    assert!(answers.iter().all(|answer| [400, 401, 429].contains(&answer.status)), "{:?}", codes(&answers));
    let judged = nodes.database.number("SELECT count(*) FROM audit_events WHERE kind = 'second-factor-rejected'");
    assert_eq!(judged, 10, "{:?}", codes(&answers));
    for node in &nodes.nodes {
        let body = json!({"code": app.code_in(1)});
        let locked = node.bearer(&session).post("/two-factor/verify-totp").json(body).await;
        assert!(locked.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").retry_after() > 800);
    }
}

/// Sends all at once; exactly one succeeds, and no other answer is a failure of the server.
async fn race_of_calls(calls: impl Iterator<Item = Call>) -> Answer {
    let calls: Vec<Call> = calls.collect();
    assert_eq!(calls.len(), AT_ONCE);
    let start = Arc::new(Barrier::new(AT_ONCE));
    let mut running = JoinSet::new();
    for call in calls {
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            call.await
        });
    }
    let answers = running.join_all().await;
    let counts = codes(&answers);
    let (mut won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1, "{counts:?}");
    assert!(lost.iter().all(|answer| [404, 409, 421].contains(&answer.status)), "{counts:?}");
    won.remove(0)
}

/// Every kind of one-time thing of the FusionAuth dialect, one after the other for one user in each round.
async fn fusionauth(nodes: usize, rounds: usize) {
    let nodes = Nodes::start(nodes);
    let first = nodes.nodes[0].service();
    let services: Vec<Service> = nodes.nodes.iter().map(|node| Service::new(node, &first.key, None)).collect();
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
            race_of_calls(calls.map(|(service, id)| service.answer(id, &code))).await;
        }
        // One challenge, with a code that was sent.
        let challenge = home.challenge(&user).await;
        home.open(&format!("/two-factor/send/{challenge}"), json!({"methodId": email})).await.ok();
        let code = nodes.nodes[round % services.len()].last_code_for(&user.email);
        let done = race_of_calls(everywhere().map(|service| service.answer(&challenge, &code))).await;
        // Its refresh token.
        let body = json!({"refreshToken": done.text("/refreshToken")});
        race_of_calls(everywhere().map(|service| service.open("/jwt/refresh", body.clone()))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_through_fusionauth_among_two_nodes_2() {
    fusionauth(2, ROUNDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_through_fusionauth_among_four_nodes_2() {
    fusionauth(4, ROUNDS / 4).await;
}
