//! Metrics: what is counted is what was done, in whichever dialect; and whatever monitoring looks at is there.

use crate::harness::{Process, World, cheap_passwords};
use crate::limits::verify_totp;
use countersign::config::Settings;
use countersign::config::webhooks::Receiver;
use countersign::net::webhook::WebhookUrl;
use countersign_domain::audit::EventKind;
use countersign_domain::webhook::{EventType, SHORTEST_SECRET, Secret, Subscription};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::tempdir;

const BETTER_AUTH: &str = "better-auth";
const FUSIONAUTH: &str = "fusionauth";

/// Operations in the contract of Better Auth's API.
const VERIFY_TOTP: &str = "twoFactorVerifyTotpPost";
const SIGN_IN: &str = "signInEmail";

/// What a scrape shows.
struct Scrape {
    text: String,
    content_type: String,
}

impl Scrape {
    async fn of(world: &World, path: &str, accept: Option<&str>) -> (u16, Self) {
        let address = world.operations();
        let mut request = reqwest::Client::new().get(format!("http://{address}{path}"));
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (status, Self { content_type, text: response.text().await.unwrap() })
    }

    async fn now(world: &World) -> Self {
        let (status, scrape) = Self::of(world, "/metrics", None).await;
        assert_eq!(status, 200);
        scrape
    }

    fn samples(&self) -> impl Iterator<Item = (&str, &str, f64)> {
        self.text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            (name, labels, value.parse().unwrap())
        })
    }

    /// The sum of the samples of this name that have these labels.
    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let has_all = |of: &str| labels.iter().all(|label| of.split([',', '}']).any(|one| one == label));
        self.samples().filter(|(other, of, _)| *other == name && has_all(of)).map(|(_, _, value)| value).sum()
    }

    fn second_factors(&self, dialect: &str, kind: &str, result: &str) -> f64 {
        let labels = [("dialect", dialect), ("type", kind), ("result", result)];
        self.sum("countersign_authn_second_factor_total", &labels)
    }

    fn sign_ins(&self, dialect: &str, result: &str) -> f64 {
        self.sum("countersign_authn_total", &[("dialect", dialect), ("proof", "password"), ("result", result)])
    }

    /// Names of all metrics, as they are described.
    fn names(&self) -> BTreeSet<String> {
        let types = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }
}

fn observed(settings: &mut Settings) {
    cheap_passwords(settings);
    settings.operations = Some("127.0.0.1:0".parse().unwrap());
}

async fn sign_in_with_a_wrong_password(world: &World, email: &str) {
    let body = json!({"email": email, "password": "wrong"});
    world.browser().post("/sign-in/email").json(body).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
}

/// Each counter of audit events is the number of rows in the trail.
fn assert_events_are_rows(world: &World, scrape: &Scrape) {
    let rows = |filter: &str| {
        let query = format!("SELECT count(*) AS number FROM audit_events WHERE {filter}");
        f64::from(i32::try_from(world.database().number(&query)).unwrap())
    };
    let name = "countersign_audit_events_total";
    assert_eq!(scrape.sum(name, &[]), rows("true"), "{}", scrape.text);
    for (_, labels, value) in scrape.samples().filter(|(other, ..)| *other == name) {
        let value_of = |label: &str| {
            let (_, rest) = labels.split_once(&format!("{label}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let filter = format!("kind = '{}' AND dialect = '{}'", value_of("event"), value_of("dialect"));
        assert_eq!(value, rows(&filter), "{labels}");
    }
}

#[on_each_database]
async fn sign_ins_and_second_factors_are_counted_as_they_ended(database: DatabaseKind) {
    let world = World::with(database, observed).await;
    let service = world.service().await;
    let ada = world.user("ada").await;
    let app = ada.enrol().await;
    sign_in_with_a_wrong_password(&world, &ada.email).await;
    let challenged = ada.challenged().await;
    verify_totp(&challenged, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    let code = app.fresh_code();
    verify_totp(&challenged, &code).await.ok();
    let challenged = ada.challenged().await;
    verify_totp(&challenged, &code).await.refused(401, "INVALID_CODE");
    let backup_code = json!({"code": app.backup_codes[0]});
    challenged.post("/two-factor/verify-backup-code").json(backup_code).await.ok();
    verify_totp(&challenged, &app.fresh_code()).await.ok();
    let bob = world.user("bob").await;
    bob.signed_in().await;
    let stranger = world.stranger();
    verify_totp(&stranger, "000000").await.is(401);

    let eve = service.user().await;
    let theirs = service.enrol(&eve).await;
    let wrong = json!({"loginId": eve.email, "password": "wrong"});
    service.post("/login", wrong).await.is(404);
    let challenge = service.challenge(&eve).await;
    service.complete(&challenge, &theirs.wrong_code()).await.is(421);
    let code = theirs.fresh_code();
    service.complete(&challenge, &code).await.ok();
    service.complete(&challenge, &code).await.is(404);
    let challenge = service.challenge(&eve).await;
    service.complete(&challenge, &code).await.is(421);
    // As many tries as a challenge has, twice: that is a lock.
    for _ in 0..2 {
        let challenge = service.challenge(&eve).await;
        for _ in 0..5 {
            service.complete(&challenge, &theirs.wrong_code()).await.is(421);
        }
    }
    let challenge = service.challenge(&eve).await;
    service.complete(&challenge, &theirs.fresh_code()).await.is(409);

    let scrape = Scrape::now(&world).await;
    // In order: the enrolment, the challenge, the session of the last challenge.
    for (kind, result, expected) in [
        ("totp", "success", 3.0),
        ("totp", "wrong", 1.0),
        ("totp", "replayed", 1.0),
        ("backup_code", "success", 1.0),
        ("one_time_code", "success", 0.0),
        ("totp", "locked", 0.0),
        ("totp", "not_judged", 0.0),
    ] {
        assert_eq!(scrape.second_factors(BETTER_AUTH, kind, result), expected, "{kind} {result}\n{}", scrape.text);
    }
    for (kind, result, expected) in [
        ("totp", "success", 1.0),
        ("unknown", "wrong", 11.0),
        ("unknown", "replayed", 1.0),
        ("unknown", "no_challenge", 1.0),
        ("unknown", "locked", 1.0),
        ("backup_code", "success", 0.0),
    ] {
        assert_eq!(scrape.second_factors(FUSIONAUTH, kind, result), expected, "{kind} {result}\n{}", scrape.text);
    }
    for (dialect, result, expected) in [
        (BETTER_AUTH, "granted", 1.0),
        (BETTER_AUTH, "rejected", 1.0),
        (BETTER_AUTH, "second_factor_due", 2.0),
        (FUSIONAUTH, "granted", 0.0),
        (FUSIONAUTH, "rejected", 1.0),
        // Two of wrong codes, five tries each, and one that finds the lock.
        (FUSIONAUTH, "second_factor_due", 5.0),
    ] {
        assert_eq!(scrape.sign_ins(dialect, result), expected, "{dialect} {result}\n{}", scrape.text);
    }
    let locks = [("event", "account-locked"), ("dialect", FUSIONAUTH)];
    assert_eq!(scrape.sum("countersign_audit_events_total", &locks), 1.0);
    assert_events_are_rows(&world, &scrape);
    // Requests, by operation and status.
    let verified = |code| {
        let labels = [("operation", VERIFY_TOTP), ("code", code), ("dialect", BETTER_AUTH)];
        scrape.sum("countersign_requests_total", &labels)
    };
    assert_eq!((verified("200"), verified("401"), verified("429")), (3.0, 3.0, 0.0), "{}", scrape.text);
    let all = [("dialect", BETTER_AUTH)];
    let total = scrape.sum("countersign_requests_total", &all);
    assert_eq!(scrape.sum("countersign_request_duration_seconds_count", &all), total);
}

#[on_each_database]
async fn quotas_and_refusals_of_the_edge_are_counted_by_their_reason(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        observed(settings);
        settings.rate_limits_are_on = true;
    })
    .await;
    let service = world.service().await;
    let user = service.user().await;
    let wrong = json!({"loginId": user.email, "password": "wrong"});
    let mut statuses = Vec::new();
    while statuses.last().is_none_or(|status| *status == 404) {
        assert!(statuses.len() < 100, "never too many");
        statuses.push(service.post("/login", wrong.clone()).await.status);
    }
    let sign_in = json!({"email": "nobody@example.com", "password": "wrong"});
    for _ in 0..5 {
        world.browser().post("/sign-in/email").json(sign_in.clone()).await;
    }
    let ada = world.user("ada").await;
    let foreign = ada.browser.post("/revoke-other-sessions").header("origin", "https://evil.example");
    foreign.await.refused(403, "INVALID_ORIGIN");
    for number in 0..30 {
        world.stranger().call("GET", &format!("/api/auth/no-such-{number}")).undocumented().await.is(404);
        world.stranger().call("GET", &format!("/no-such-{number}")).undocumented().await.is(404);
    }

    let scrape = Scrape::now(&world).await;
    let exceeded = [("quota", "passwords"), ("dialect", FUSIONAUTH)];
    assert_eq!(scrape.sum("countersign_quota_exceeded_total", &exceeded), 1.0, "{statuses:?}");
    assert_eq!(scrape.sign_ins(FUSIONAUTH, "too_many"), 1.0);
    let refused =
        |reason| scrape.sum("countersign_requests_refused_total", &[("reason", reason), ("dialect", BETTER_AUTH)]);
    assert_eq!((refused("rate_limit"), refused("origin"), refused("not_found")), (2.0, 1.0, 30.0), "{}", scrape.text);
    let limited = [("operation", SIGN_IN), ("code", "429"), ("dialect", BETTER_AUTH)];
    assert_eq!(scrape.sum("countersign_requests_total", &limited), 2.0);
    // Paths that are made up make no series.
    let others = scrape
        .samples()
        .filter(|(name, labels, _)| *name == "countersign_requests_total" && labels.contains("operation=\"other\""));
    assert!(others.count() <= 3 && !scrape.text.contains("no-such"), "{}", scrape.text);
}

#[on_each_database]
async fn a_server_that_is_in_use_shows_its_state(database: DatabaseKind) {
    let world = World::with(database, observed).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    user.signed_in_with(&app).await;
    user.browser.post("/two-factor/send-otp").await.ok();
    let delivered = [("channel", "email"), ("result", "delivered")];
    let mut scrape = Scrape::now(&world).await;
    // The request does not wait for the note of how the attempt ended.
    for _ in 0..100 {
        let done = scrape.sum("countersign_message_deliveries_total", &delivered) == 1.0;
        if done && scrape.sum("countersign_messages_waiting", &[]) == 0.0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        scrape = Scrape::now(&world).await;
    }
    let value = |name| scrape.sum(name, &[]);
    assert_eq!((value("countersign_database_up"), value("countersign_build_info")), (1.0, 1.0));
    assert_eq!(value("countersign_database_connections_max"), 4.0);
    assert!(value("countersign_password_hash_wait_seconds_count") >= 2.0, "{}", scrape.text);
    assert!(value("countersign_store_call_duration_seconds_count") > 5.0);
    assert!(scrape.sum("countersign_store_call_duration_seconds_count", &[("call", "attempt_second_factor")]) == 2.0);
    assert_eq!(value("countersign_store_call_failures_total"), 0.0);
    assert_eq!(scrape.sum("countersign_message_deliveries_total", &delivered), 1.0);
    assert_eq!(value("countersign_messages_waiting"), 0.0);
    assert!(value("process_resident_memory_bytes") > 1e6 && value("process_open_fds") > 3.0);
    assert_eq!(value("process_start_time_seconds"), 1_772_366_400.0, "the server's own clock");

    world.database().break_everything();
    user.browser.get("/get-session").undocumented().await;
    let scrape = Scrape::now(&world).await;
    assert_eq!(scrape.sum("countersign_database_up", &[]), 0.0);
    assert!(scrape.sum("countersign_store_call_failures_total", &[]) >= 1.0, "{}", scrape.text);
}

/// Health beside metrics, and metrics nowhere else.
#[on_each_database]
async fn operators_have_a_listener_of_their_own(database: DatabaseKind) {
    let world = World::with(database, observed).await;
    for (path, body) in [("/healthz", r#"{"status":"alive"}"#), ("/readyz", r#"{"status":"ready"}"#)] {
        let (status, scrape) = Scrape::of(&world, path, None).await;
        assert_eq!((status, scrape.text.as_str()), (200, body), "{path}");
    }
    let open_metrics = Some("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
    let (_, newer) = Scrape::of(&world, "/metrics", open_metrics).await;
    let (_, older) = Scrape::of(&world, "/metrics", Some("text/plain")).await;
    assert_eq!(newer.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(newer.text.ends_with("# EOF\n") && newer.text.contains("# TYPE countersign_authn counter\n"));
    assert_eq!(older.content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert!(!older.text.contains("# EOF") && older.text.contains("# TYPE countersign_authn_total counter\n"));
    assert_eq!(Scrape::of(&world, "/api/auth/ok", None).await.0, 404, "nothing else is there");
    world.stranger().call("GET", "/metrics").undocumented().await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempdir().unwrap();
    let server = Process::start(DatabaseKind::Sqlite, directory.path(), &[]);
    let mut program = server.beside(env!("CARGO_BIN_EXE_countersign"));
    let program = program.env("COUNTERSIGN_DATA_DIR", directory.path().join("other"));
    let program =
        program.env("COUNTERSIGN_DATABASE_URL", format!("sqlite:{}", directory.path().join("b.db").display()));
    let output = program.env("COUNTERSIGN_OPERATIONS_LISTEN", &address).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    let expected = format!("error: listening on {address} for metrics (operations.listen) failed: ");
    assert!(error.contains(&expected) && error.contains("in use"), "{error}");
}

fn monitoring(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("server/packaging/monitoring").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of metrics in a text, without the suffixes of a histogram's samples.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = words.filter(|word| word.starts_with("countersign_") || word.starts_with("process_"));
    let histogram = |name: &str| {
        let suffix = ["_bucket", "_sum", "_count"].into_iter().find(|suffix| name.ends_with(suffix))?;
        name.strip_suffix(suffix).map(str::to_owned)
    };
    names.map(|name| histogram(name).unwrap_or_else(|| name.to_owned())).collect()
}

/// Each metric is documented, and what dashboard and alerts ask for exists.
#[on_each_database]
async fn names_in_documentation_dashboard_and_alerts_are_those_of_a_server(database: DatabaseKind) {
    // Nothing is sent there: no user is deleted.
    let receiver = Receiver {
        subscription: Subscription {
            receiver: "crm".to_owned(),
            events: [EventType::UserDelete].into(),
            tenant_id: None,
        },
        url: WebhookUrl::parse("https://crm.invalid/").unwrap(),
        secret: Secret::new(&"s".repeat(SHORTEST_SECRET)).unwrap(),
        allows_private_addresses: false,
    };
    let world = World::with(database, |settings| {
        observed(settings);
        settings.webhooks = vec![receiver];
    })
    .await;
    let user = world.user("ada").await;
    user.enrol().await;
    let scrape = Scrape::now(&world).await;
    let table = monitoring("README.md");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(documented, scrape.names(), "the table of server/packaging/monitoring/README.md");

    let dashboard: serde_json::Value = serde_json::from_str(&monitoring("dashboard.json")).unwrap();
    for (file, text) in [("dashboard.json", dashboard.to_string()), ("alerts.yaml", monitoring("alerts.yaml"))] {
        let asked = metrics_in(&text);
        assert!(asked.len() > 10, "{file}: {asked:?}");
        let missing: Vec<_> = asked.difference(&documented).collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}");
    }
    // Labels and their values, too: a typing error in one makes a rule that never fires.
    for (label, value) in selectors(&[dashboard.to_string(), monitoring("alerts.yaml")].concat()) {
        let quoted = format!("{label}=\"{value}\"");
        let exists = match label.as_str() {
            "code" | "job" => true,
            "event" => EventKind::ALL.iter().any(|kind| kind.name() == value),
            _ => scrape.text.contains(&quoted),
        };
        assert!(exists, "no sample has {quoted}");
    }
}

/// Labels that a text compares with values, by `=`, `!=`, `=~` or `!~`, with each value. Regular expressions are alternatives in full. In
/// JSON the quotation marks are escaped.
fn selectors(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\\\"", "\"");
    let mut found = Vec::new();
    for (at, _) in text.match_indices('"') {
        let before = text[..at].trim_end_matches(['=', '!', '~']);
        let operator = &text[before.len()..at];
        let label: String = before.chars().rev().take_while(|letter| letter.is_ascii_lowercase()).collect();
        let label: String = label.chars().rev().collect();
        let value = text[at + 1..].split('"').next().unwrap();
        if operator.is_empty() || label.is_empty() || value.starts_with('$') {
            continue;
        }
        found.extend(value.split('|').map(|value| (label.clone(), value.to_owned())));
    }
    found
}

/// Counters of a server that is stopped and started begin anew; time that passes for the server's clock alone changes nothing.
#[on_each_database]
async fn a_restart_begins_at_zero(database: DatabaseKind) {
    let mut world = World::with(database, observed).await;
    world.user("ada").await.signed_in().await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(Scrape::now(&world).await.sign_ins(BETTER_AUTH, "granted"), 1.0);
    world.restart().await;
    let scrape = Scrape::now(&world).await;
    assert_eq!(scrape.sign_ins(BETTER_AUTH, "granted"), 0.0, "present, and zero");
    assert!(scrape.text.contains("countersign_authn_total"));
    assert_eq!(scrape.sum("process_start_time_seconds", &[]), 1_772_366_460.0);
}

#[on_each_database]
async fn keys_have_ages_and_nodes_with_other_active_keys_are_counted(database: DatabaseKind) {
    let world = World::with(database, observed).await;
    let (key, labels) = {
        let entry = world.keyring().entries().remove(0);
        (entry.id.clone(), [("key", entry.id), ("kind", "root".to_owned())])
    };
    let labels = labels.each_ref().map(|(label, value)| (*label, value.as_str()));
    world.clock.advance(Duration::from_secs(3_600));
    let scrape = Scrape::now(&world).await;
    assert_eq!(scrape.sum("countersign_key_age_seconds", &labels), 3_600.0, "{}", scrape.text);
    assert_eq!(scrape.sum("countersign_key_active", &labels), 1.0);
    let others = |scrape: &Scrape| scrape.sum("countersign_nodes_with_other_active_keys", &[]);
    assert_eq!(others(&scrape), 0.0);

    let now = 1_772_366_400_000_i64 + 3_600_000;
    for (node, active) in [("same:1", key.as_str()), ("other:1", "ffffffff")] {
        world.database().execute(&format!(
            "INSERT INTO keyring_nodes (id, key_ids, active_ids, seen_at) VALUES ('{node}', '{active}', '{active}', {now})"
        ));
    }
    assert_eq!(others(&Scrape::now(&world).await), 1.0);
    world.database().break_everything();
    assert_eq!(others(&Scrape::now(&world).await), 1.0, "the last value stays");
}
