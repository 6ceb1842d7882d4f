//! Rotation of keys while users are served: by two nodes on PostgreSQL, by one on SQLite; nodes are killed in between
//! (ASVS 13.3.4).

mod tokens;

use crate::harness::database::Database;
use crate::harness::service::APPLICATION;
use crate::harness::{App, Caller, PASSWORD, Process, Service, User};
use countersign_domain::keyring::Keyring;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::{TempDir, tempdir};
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");

/// Nodes on one database, each with a keyring file of its own.
struct Deployment {
    nodes: Vec<Process>,
    database: Database,
    _directories: Vec<TempDir>,
}

impl Deployment {
    fn start(kind: DatabaseKind) -> Self {
        Self::start_with(kind, tempdir().unwrap(), &[("COUNTERSIGN_CODES_PER_HOUR", "100")])
    }

    /// `first` is the directory of the first node, which may have a keyring.
    fn start_with(kind: DatabaseKind, first: TempDir, environment: &[(&str, &str)]) -> Self {
        if matches!(kind, DatabaseKind::Sqlite) {
            let node = Process::start(kind, first.path(), environment);
            let database = node.database().clone();
            return Self { nodes: vec![node], database, _directories: vec![first] };
        }
        let database = Database::on_shared_cluster();
        let node = Process::sharing(&database, first.path(), environment);
        let second = tempdir().unwrap();
        std::fs::create_dir(second.path().join("data")).unwrap();
        std::fs::copy(keyring_of(&node), second.path().join("data/keyring")).unwrap();
        let other = Process::sharing(&database, second.path(), environment);
        Self { nodes: vec![node, other], database, _directories: vec![first, second] }
    }

    fn last(&self) -> &Process {
        self.nodes.last().unwrap()
    }

    /// `countersign keys` on the first node's machine.
    fn keys(&self, arguments: &[&str]) -> Output {
        self.nodes[0].beside(PROGRAM).arg("keys").args(arguments).output().unwrap()
    }

    fn keys_are_changed(&self, arguments: &[&str]) -> String {
        let output = self.keys(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn keys_are_refused(&self, arguments: &[&str], expected: &str) {
        let output = self.keys(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(expected), "{arguments:?}: {error}");
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.keys_are_changed(&["list", "--json"])).unwrap()
    }

    fn ring(&self) -> Keyring {
        Keyring::parse(&std::fs::read_to_string(keyring_of(&self.nodes[0])).unwrap()).unwrap()
    }

    /// Gives the keyring of the first node to the others.
    fn hand_out(&self) {
        for node in &self.nodes[1..] {
            std::fs::copy(keyring_of(&self.nodes[0]), keyring_of(node)).unwrap();
        }
    }

    /// Kills the nodes one after the other, and starts them with the keyring that they have been given.
    async fn restart(&mut self) {
        for node in &mut self.nodes {
            node.kill_9();
            node.restart();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        self.forget_killed();
    }

    /// A node that was killed counts for a minute, and here starts again on another port.
    fn forget_killed(&self) {
        let ports: Vec<String> = self.nodes.iter().map(|node| node.address().port().to_string()).collect();
        let are_these: Vec<String> = ports.iter().map(|port| format!("id LIKE '%:{port}'")).collect();
        self.database.execute(&format!("DELETE FROM keyring_nodes WHERE NOT ({})", are_these.join(" OR ")));
    }

    /// Has the nodes load the keyring that they have been given without a restart.
    async fn reload(&self) {
        for node in &self.nodes {
            let loaded = || node.log().matches("loaded the keyring").count();
            let before = loaded();
            assert!(Command::new("kill").args(["-HUP", &node.id().to_string()]).status().unwrap().success());
            for _ in 0..200 {
                if loaded() > before {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert!(loaded() > before, "{}", node.log());
        }
    }

    /// Has the time pass in which clients need a key that is not the active one any more; returns it in milliseconds.
    fn age(&self, key: &str) -> u128 {
        let long = Duration::from_secs(200 * 24 * 60 * 60).as_millis();
        self.database.execute(&format!(
            "UPDATE keyring_keys SET active_until = active_until - {long}, resealed_at = resealed_at - {long} WHERE key_id = '{key}'"
        ));
        long
    }

    fn number(&self, query: &str) -> i64 {
        self.database.number(&format!("SELECT count(*) AS number FROM {query}"))
    }
}

fn keyring_of(node: &Process) -> PathBuf {
    node.data().join("keyring")
}

/// The browser at another node.
fn at(node: &Process, browser: &Caller) -> Caller {
    let moved = node.browser();
    browser.cookies().iter().for_each(|(name, value)| moved.set_cookie(name, value));
    moved
}

/// Users who sign up, enrol and read their sessions all the while, at all nodes in turn. A node that is being killed breaks
/// connections; every response has to be right.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    running: JoinSet<()>,
}

impl Load {
    /// `held` are browsers that are signed in, with the ids of their users.
    fn start(deployment: &Deployment, round: usize, held: &[(Caller, String)]) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut running = JoinSet::new();
        for worker in 0..2 {
            let strangers: Vec<Caller> = deployment.nodes.iter().map(|node| node.browser()).collect();
            let held: Vec<(Caller, String)> = deployment
                .nodes
                .iter()
                .flat_map(|node| held.iter().map(|(browser, id)| (at(node, browser), id.clone())))
                .collect();
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            running.spawn(async move {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    for (browser, id) in &held {
                        if let Ok(session) = browser.get("/get-session").try_send().await {
                            assert_eq!(session.ok().text("/user/id"), *id, "the session is lost");
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    let browser = &strangers[number % strangers.len()];
                    let body = json!({
                        "name": "", "email": format!("r{round}w{worker}n{number}@example.com"), "password": PASSWORD,
                    });
                    let Ok(signed_up) = browser.post("/sign-up/email").json(body).try_send().await else { continue };
                    signed_up.ok();
                    let enable = browser.post("/two-factor/enable").json(json!({"password": PASSWORD}));
                    if let Ok(enrolled) = enable.try_send().await {
                        enrolled.ok();
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        Self { stop, done, running }
    }

    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        // Takes over what a worker panics with.
        self.running.join_all().await;
        assert!(self.done.load(Ordering::Relaxed) > 0, "nothing was done meanwhile");
    }
}

/// What a user has, made with the keys of one moment, each to be used once at another.
struct Held {
    user: User,
    app: App,
    /// Signed in, with a second factor.
    session: String,
    browser: Caller,
    /// Trusted, and waiting for nothing.
    trusted: Caller,
    /// It waits for a second factor.
    challenged: Caller,
    /// The same, and the code that was mailed for it, which is good for some minutes.
    mailed: Option<(Caller, String)>,
    access_token: String,
    refresh_token: String,
    lasting_trust: String,
}

impl Held {
    /// Takes what `node` gives.
    async fn take(node: &Process, service: &Service, name: &str) -> Self {
        let user = node.user(name).await;
        let app = user.begin_enrolment().await;
        node.clock().settle().await;
        let confirm = json!({"code": app.code_in(-1)});
        user.browser.post("/two-factor/verify-totp").json(confirm).await.ok();
        let trusted = user.challenged().await;
        let body = json!({"code": app.backup_codes[0], "trustDevice": true});
        trusted.post("/two-factor/verify-backup-code").json(body).await.ok();
        let browser = user.challenged().await;
        let body = json!({"code": app.backup_codes[1]});
        let session = browser.post("/two-factor/verify-backup-code").json(body).await.ok().text("/token");
        let challenged = user.challenged().await;
        let mailed = user.challenged().await;
        mailed.post("/two-factor/send-otp").await.ok();
        let code = node.last_code_for(&user.email);
        let registration = json!({"registration": {"applicationId": APPLICATION}});
        let user_id = service.get(&format!("/user?email={}", user.email)).await.ok().text("/user/id");
        service.post(&format!("/user/registration/{user_id}"), registration).await.ok();
        let log_in = json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION});
        let id = service.post("/login", log_in).await.is(242).text("/twoFactorId");
        let body = json!({"twoFactorId": id, "code": app.backup_codes[2], "trustComputer": true});
        let granted = service.open("/two-factor/login", body).await.ok();
        Self {
            session,
            browser,
            trusted,
            challenged,
            mailed: Some((mailed, code)),
            access_token: granted.text("/token"),
            refresh_token: granted.text("/refreshToken"),
            lasting_trust: granted.text("/twoFactorTrustId"),
            user,
            app,
        }
    }

    /// Everything of it is good at this node.
    async fn is_good_at(&self, node: &Process, service: &Service) {
        let session = at(node, &self.browser).get("/get-session").await.ok();
        assert_eq!(session.text("/user/id"), self.user.id, "the cookie");
        let session = node.bearer(&self.session).get("/get-session").await.ok();
        assert_eq!(session.text("/user/id"), self.user.id, "the bearer token");
        let challenged = at(node, &self.challenged);
        challenged.post("/two-factor/verify-totp").json(json!({"code": self.app.code_in(0)})).await.ok();
        if let Some((mailed, code)) = &self.mailed {
            at(node, mailed).post("/two-factor/verify-otp").json(json!({"code": code})).await.ok();
        }
        let backup = at(node, &node.browser());
        self.user.sign_in_from(&backup).await.ok();
        backup.post("/two-factor/verify-backup-code").json(json!({"code": self.app.backup_codes[3]})).await.ok();
        let trusted = at(node, &self.trusted);
        let signed_in = self.user.sign_in_from(&trusted).await.ok();
        assert_eq!(signed_in.body["twoFactorRedirect"], Value::Null, "the trusted device");
        service.with_token(&self.access_token, "GET", "/jwt/validate").await.ok();
        service.open("/jwt/refresh", json!({"refreshToken": self.refresh_token})).await.ok();
        let with_trust = json!({
            "loginId": self.user.email, "password": PASSWORD, "applicationId": APPLICATION,
            "twoFactorTrustId": self.lasting_trust,
        });
        service.post("/login", with_trust).await.ok();
    }
}

/// Codes of apps and backup codes are good without the key that was retired.
async fn factors_are_good(node: &Process, held: &Held) {
    let browser = node.browser();
    assert_eq!(held.user.sign_in_from(&browser).await.ok().body["twoFactorRedirect"], true);
    let mut codes = held.app.backup_codes[4..6].iter();
    let [first, second] = [codes.next().unwrap(), codes.next().unwrap()];
    browser.post("/two-factor/verify-backup-code").json(json!({"code": first})).await.ok();
    let browser = node.browser();
    held.user.sign_in_from(&browser).await.ok();
    let used = browser.post("/two-factor/verify-backup-code").json(json!({"code": first})).await;
    used.refused(401, "INVALID_BACKUP_CODE");
    browser.post("/two-factor/verify-backup-code").json(json!({"code": second})).await.ok();
    let browser = node.browser();
    held.user.sign_in_from(&browser).await.ok();
    node.clock().settle().await;
    browser.post("/two-factor/verify-totp").json(json!({"code": held.app.code_in(1)})).await.ok();
}

#[on_each_database]
async fn a_rotation_of_keys_under_load_loses_nothing_a_13_3_4(kind: DatabaseKind) {
    let mut deployment = Deployment::start(kind);
    let services: Vec<Service> = {
        let first = deployment.nodes[0].service();
        deployment.nodes.iter().map(|node| Service::new(node, &first.key, None)).collect()
    };
    let last = services.len() - 1;
    let old = deployment.ring().active_id();
    let mut held = Vec::new();
    for (number, name) in ["ada", "bob", "cleo", "dora"].into_iter().enumerate() {
        let at = number % deployment.nodes.len();
        held.push(Held::take(&deployment.nodes[at], &services[at], name).await);
    }
    let sessions: Vec<(Caller, String)> = held.iter().map(|held| (held.browser.copy(), held.user.id.clone())).collect();

    // A new key, which opens and verifies. The second node is killed and comes back without it.
    deployment.keys_are_changed(&["rotate"]);
    let new = deployment.ring().entries()[1].id.clone();
    let load = Load::start(&deployment, 0, &sessions);
    deployment.keys_are_refused(&["activate", &new], "have not loaded the key");
    deployment.keys_are_refused(&["retire", &old], "is the active one");
    deployment.keys_are_refused(&["activate", "00000000"], "there is no key");
    deployment.hand_out();
    deployment.restart().await;
    held.remove(0).is_good_at(deployment.last(), &services[last]).await;
    load.stop().await;

    // It seals. For a while one node seals with it and the other does not; each reads what the other makes.
    let load = Load::start(&deployment, 1, &sessions);
    let output = deployment.keys_are_changed(&["activate", &new]);
    assert!(output.contains(&new), "{output}");
    deployment.nodes[0].kill_9();
    deployment.nodes[0].restart();
    let between = Held::take(&deployment.nodes[0], &services[0], "between").await;
    between.is_good_at(deployment.last(), &services[last]).await;
    held.remove(0).is_good_at(&deployment.nodes[0], &services[0]).await;
    held.iter_mut().for_each(|held| held.mailed = None);
    let other_way = Held::take(deployment.last(), &services[last], "otherway").await;
    other_way.is_good_at(&deployment.nodes[0], &services[0]).await;
    deployment.hand_out();
    deployment.reload().await;
    load.stop().await;
    assert_eq!(deployment.ring().active_id(), new);
    deployment.forget_killed();
    let status = deployment.status();
    let nodes = status["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), deployment.nodes.len());
    assert!(nodes.iter().all(|node| node["runs"] == true && node["active"] == json!([new])), "{status}");

    // Rows are sealed anew while users are served; the command is killed, and runs twice at once.
    let by_old = format!("methods WHERE key_id = '{old}'");
    assert!(deployment.number(&by_old) > 3);
    deployment.keys_are_refused(&["retire", &old], "run `countersign keys reseal`");
    let load = Load::start(&deployment, 2, &sessions);
    let reseal = |node: &Process| {
        let mut command = node.beside(PROGRAM);
        command.args(["keys", "reseal"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for pause in [20, 60] {
        let mut child = reseal(&deployment.nodes[0]);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    for child in [reseal(&deployment.nodes[0]), reseal(deployment.last())] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    held.remove(0).is_good_at(deployment.last(), &services[last]).await;
    load.stop().await;
    assert_eq!(deployment.number(&by_old), 0);
    assert_eq!(deployment.number(&format!("messages WHERE key_id = '{old}' AND next_attempt_at IS NOT NULL")), 0);
    assert_eq!(deployment.number(&format!("audit_blocks WHERE key_id = '{old}'")), 0);

    // What clients hold keeps the old key until it ends; here that time passes at once.
    deployment.keys_are_refused(&["retire", &old], "sessions depend on it until 20");
    let after = Held::take(&deployment.nodes[0], &services[0], "after").await;
    let long = deployment.age(&old);
    // Backup codes do not end.
    let of_dora = format!("account_id = '{}'", held[0].user.id);
    deployment.database.execute(&format!("UPDATE backup_codes SET created_at = created_at - {long} WHERE {of_dora}"));
    let load = Load::start(&deployment, 3, &[(after.browser.copy(), after.user.id.clone())]);
    deployment.keys_are_changed(&["retire", &old]);
    assert!(!deployment.ring().opens(&old));
    deployment.hand_out();
    deployment.restart().await;
    assert!(deployment.number(&format!("backup_codes WHERE length(selector) = 0 AND {of_dora}")) >= 7);
    after.is_good_at(deployment.last(), &services[last]).await;
    factors_are_good(deployment.last(), &held[0]).await;
    load.stop().await;
    let lost = at(deployment.last(), &held[0].browser).get("/get-session").await.ok();
    assert_eq!(lost.body, Value::Null, "it was signed with the key that is gone");
    let verified = deployment.last().beside(PROGRAM).args(["audit", "verify"]).output().unwrap();
    let text = [verified.stdout, verified.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(verified.status.success(), "the audit trail is right without the key: {text}");
}

/// A keyring that lacks a key that rows are sealed with is refused by the start, by its name.
#[on_each_database]
async fn a_keyring_that_lacks_a_key_of_rows_is_refused_by_name_a_13_3_4(kind: DatabaseKind) {
    let deployment = Deployment::start(kind);
    let user = deployment.nodes[0].user("ada").await;
    user.begin_enrolment().await;
    let old = deployment.ring().active_id();
    deployment.keys_are_changed(&["rotate"]);
    let new = deployment.ring().entries()[1].id.clone();
    deployment.hand_out();
    deployment.reload().await;
    deployment.keys_are_changed(&["activate", &new]);
    deployment.hand_out();
    deployment.reload().await;
    // As somebody would who edits the file.
    let path = keyring_of(&deployment.nodes[0]);
    let text = std::fs::read_to_string(&path).unwrap();
    let without: String = text.lines().filter(|line| !line.starts_with(&old)).map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, &without).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for arguments in [&["check-config"][..], &["serve"]] {
        let output = deployment.nodes[0].beside(PROGRAM).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(!output.status.success() && text.contains(&format!("lacks the key {old}")), "{arguments:?}: {text}");
    }
    // A running node refuses it as well, and goes on with the keys that it has.
    let node = &deployment.nodes[0];
    assert!(Command::new("kill").args(["-HUP", &node.id().to_string()]).status().unwrap().success());
    for _ in 0..200 {
        if node.log().contains("failed to load the keyring") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(node.log().contains("failed to load the keyring"), "{}", node.log());
    user.browser.get("/get-session").await.ok().text("/user/id");
}
