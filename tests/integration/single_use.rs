//! A TOTP secret is enrolled once, and each of its codes is accepted once, whatever row it is in.

use crate::harness::caller::Call;
use crate::harness::service::{APPLICATION, TotpApp};
use crate::harness::world::Time;
use crate::harness::{FusionAuthUser, PASSWORD, Response, Service, World, cheap_passwords};
use countersign::config::values::KeyringSource;
use countersign_test_postgres::{DatabaseKind, needs_postgres, on_each_database};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const AT_ONCE: usize = 64;

/// A secret that a service has made for a user, and the request that enrols it with a code.
struct Made {
    app: TotpApp,
    secret: String,
    base32: String,
}

impl Made {
    async fn new(service: &Service, world: &World) -> Self {
        let secret = service.get("/two-factor/secret").await.ok();
        let app = TotpApp::new(&secret.text("/secretBase32Encoded"), &world.clock);
        Self { app, secret: secret.text("/secret"), base32: secret.text("/secretBase32Encoded") }
    }

    fn body(&self, code: &str) -> Value {
        json!({"method": "authenticator", "secret": self.secret, "code": code})
    }
}

fn enable(service: &Service, user: &FusionAuthUser, body: Value) -> Call {
    service.post(&format!("/user/two-factor/{}", user.id), body)
}

fn has_codes(response: &Response) -> bool {
    response.body["recoveryCodes"].is_array()
}

fn methods(world: &World) -> i64 {
    world.database().number("SELECT count(*) AS number FROM methods WHERE kind = 'authenticator'")
}

/// How many of several logins one code is good for.
async fn uses(service: &Service, user: &FusionAuthUser, code: &str) -> usize {
    let mut used = 0;
    for _ in 0..3 {
        let id = service.challenge(user).await;
        used += usize::from(service.complete(&id, code).await.status == 200);
    }
    used
}

#[on_each_database]
async fn a_repeated_enrolment_succeeds_and_changes_nothing_1_5(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let made = Made::new(&service, &world).await;
    let code = made.app.fresh_code();
    let first = enable(&service, &user, made.body(&code)).await.ok();
    assert!(has_codes(&first));
    let recovery_code = first.text("/recoveryCodes/0");
    for _ in 0..2 {
        let again = enable(&service, &user, made.body(&code)).await.ok();
        assert!(!has_codes(&again), "{again}");
        assert!(again.body.get("code").is_none(), "{again}");
    }
    assert_eq!(methods(&world), 1);
    assert_eq!(uses(&service, &user, &code).await, 0, "it has enrolled the app");
    let fresh = made.app.fresh_code();
    assert_eq!(uses(&service, &user, &fresh).await, 1);
    // A code that the repetition shows first is used by it.
    let shown = made.app.fresh_code();
    enable(&service, &user, made.body(&shown)).await.ok();
    assert_eq!(uses(&service, &user, &shown).await, 0);
    // And the recovery codes of the first are as good as before.
    let id = service.challenge(&user).await;
    service.complete(&id, &recovery_code).await.ok();
    let wrong = made.app.wrong_code();
    enable(&service, &user, made.body(&wrong)).await.is(421);
    // A further app is one.
    let other = Made::new(&service, &world).await;
    let further = enable(&service, &user, other.body(&other.app.fresh_code())).await.ok();
    assert!(!has_codes(&further));
    assert_eq!(methods(&world), 2);
}

#[on_each_database]
async fn the_holder_of_a_token_may_repeat_it_too(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let token = service.log_in(&user).await.ok().text("/token");
    let made = Made::new(&service, &world).await;
    let mut body = made.body(&made.app.fresh_code());
    body["password"] = json!(PASSWORD);
    let enable = || service.with_token(&token, "POST", "/user/two-factor").json(body.clone());
    assert!(has_codes(&enable().await.ok()));
    assert!(!has_codes(&enable().await.ok()));
    assert_eq!(methods(&world), 1);
}

/// HMAC fills a key up with zeros and hashes a long one, so different bytes can be one key (RFC 2104 §2).
#[on_each_database]
async fn a_secret_in_other_bytes_is_the_same_secret_1(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let made = Made::new(&service, &world).await;
    let code = made.app.fresh_code();
    enable(&service, &user, made.body(&code)).await.ok();
    // One zero byte more, and five: the text of 32 bytes ends with four zero bits.
    for zeros in ["A", "AAAAAAAA"] {
        let secret = format!("{}{zeros}", made.base32);
        let body = json!({"method": "authenticator", "secretBase32Encoded": secret, "code": code});
        assert!(!has_codes(&enable(&service, &user, body).await.ok()), "as the first request again");
    }
    assert_eq!(methods(&world), 1);
    let fresh = made.app.fresh_code();
    assert_eq!(uses(&service, &user, &fresh).await, 1);
}

#[on_each_database]
async fn a_code_does_not_work_again_after_its_app_was_removed_1_5(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let made = Made::new(&service, &world).await;
    let code = made.app.fresh_code();
    enable(&service, &user, made.body(&code)).await.ok();
    let id = service.method_id(&user, "authenticator").await;
    let last = made.app.code_in(1);
    let removal = json!({"code": last, "methodId": id});
    service.call("DELETE", &format!("/user/two-factor/{}", user.id)).json(removal).await.ok();
    for used in [&code, &last] {
        enable(&service, &user, made.body(used)).await.is(421);
    }
    assert_eq!(methods(&world), 0);
    world.clock.advance(Duration::from_secs(60));
    let added = enable(&service, &user, made.body(&made.app.code())).await.ok();
    assert!(has_codes(&added), "a later code enrols it anew");
}

#[on_each_database]
async fn a_secret_of_one_dialect_is_enrolled_once_in_both_1_5(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let id = service.get(&format!("/user?loginId={}", user.email)).await.ok().text("/user/id");
    let path = format!("/user/two-factor/{id}");
    let body =
        |base32: &str, code: &str| json!({"method": "authenticator", "secretBase32Encoded": base32, "code": code});

    // Begun in one dialect, enrolled in the other: the same code does not confirm it as well.
    let begun = user.begin_enrolment().await;
    let code = begun.fresh_code();
    service.post(&path, body(&begun.base32, &code)).await.ok();
    let confirm = user.browser.post("/two-factor/verify-totp").json(json!({"code": code})).await;
    assert_ne!(confirm.status, 200, "{confirm}");
    assert_eq!(methods(&world), 1);

    // Confirmed in one dialect, sent to the other.
    let other = world.user("grace").await;
    let id = service.get(&format!("/user?loginId={}", other.email)).await.ok().text("/user/id");
    let app = other.begin_enrolment().await;
    let code = app.fresh_code();
    other.browser.post("/two-factor/verify-totp").json(json!({"code": code})).await.ok();
    let again = service.post(&format!("/user/two-factor/{id}"), body(&app.base32, &code)).await.ok();
    assert!(!has_codes(&again));
    assert_eq!(methods(&world), 2);
    let log_in = json!({"loginId": other.email, "password": PASSWORD, "applicationId": APPLICATION});
    let challenge = service.post("/login", log_in).await.is(242).text("/twoFactorId");
    service.complete(&challenge, &code).await.is(421);
}

/// Sends all at once.
async fn at_once(calls: Vec<Call>) -> Vec<Response> {
    let start = Arc::new(Barrier::new(calls.len()));
    let mut running = JoinSet::new();
    for call in calls {
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            call.await
        });
    }
    running.join_all().await
}

/// One code and one secret, sent many times at once, as a user's first app and as a further one.
async fn race(services: &[Service], world: &World, rounds: usize) {
    for round in 0..rounds {
        let user = services[0].user().await;
        if round % 2 == 1 {
            services[0].enrol_address(&user, "email", &user.email).await;
        }
        let before = methods(world);
        let made = Made::new(&services[0], world).await;
        world.clock.settle().await;
        let body = made.body(&made.app.code());
        let calls = services.iter().cycle().take(AT_ONCE).map(|service| enable(service, &user, body.clone()));
        let responses = at_once(calls.collect()).await;
        assert!(responses.iter().all(|response| response.status == 200), "{:?}", responses.first());
        let first = responses.iter().filter(|response| has_codes(response)).count();
        assert_eq!(first, usize::from(round % 2 == 0), "recovery codes are made once");
        assert_eq!(methods(world), before + 1);
        let code = made.app.code_in(1);
        assert_eq!(uses(&services[0], &user, &code).await, 1);
    }
}

#[on_each_database]
async fn of_parallel_enrolments_of_a_secret_one_adds_it_1_5(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.limits.codes_per_hour = 10_000;
        cheap_passwords(settings);
    });
    let world = world.await;
    race(&[world.service().await], &world, 4).await;
}

#[needs_postgres]
#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_enrolments_of_a_secret_on_two_nodes_one_adds_it_1_5() {
    let database = crate::harness::database::Database::on_shared_cluster();
    let directory = tempfile::tempdir().unwrap();
    let start = || {
        World::sharing(&database, Time::System, |settings| {
            settings.limits.codes_per_hour = 10_000;
            settings.keyring = KeyringSource::DefaultFile(directory.path().join("keyring"));
            cheap_passwords(settings);
        })
    };
    let (one, other) = (start().await, start().await);
    let services = [one.service().await, other.service().await];
    race(&services, &one, 6).await;
}
