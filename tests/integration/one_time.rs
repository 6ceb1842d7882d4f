//! One-time things are accepted once, however many ask at the same moment (attacks 2, 6, 39, 49).
//!
//! Each test plays rounds. In a round one thing is presented [`AT_ONCE`] times, all at once: exactly one presentation
//! must succeed, and every other must be refused in words of the contract.

use crate::harness::{App, Authenticator, Caller, Response, User, World, cheap_passwords};
use crate::passkeys::{REGISTER_OPTIONS, SIGN_IN_OPTIONS, options, register};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const ROUNDS: usize = 50;
const AT_ONCE: usize = 50;
/// Challenges among the presenters of one code; each costs a sign-in.
const CHALLENGES: usize = 4;

async fn world(database: DatabaseKind) -> World {
    let world = World::with(database, |settings| {
        settings.limits.codes_per_hour = 10_000;
        cheap_passwords(settings);
    });
    world.await
}

/// Presents all at once, and asserts that one succeeds and that no other is told anything but no.
async fn race(presentations: Vec<(Caller, &'static str, Value)>) -> Response {
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
    let responses = running.join_all().await;
    let (mut won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|response| response.status == 200);
    assert_eq!(won.len(), 1, "{} presentations succeeded; the others: {:?}", won.len(), codes(&lost));
    assert!(lost.iter().all(|response| [400, 401, 409, 429].contains(&response.status)), "{:?}", codes(&lost));
    won.remove(0)
}

fn codes(responses: &[Response]) -> std::collections::BTreeMap<String, usize> {
    responses.iter().fold(Default::default(), |mut counts, response| {
        *counts.entry(format!("{} {}", response.status, response.code())).or_default() += 1;
        counts
    })
}

/// A live session and some challenges, in turn.
async fn presenters(user: &User, session: &Caller) -> Vec<Caller> {
    let mut presenters = vec![session.clone()];
    for _ in 0..CHALLENGES {
        presenters.push(user.challenged().await);
    }
    presenters.into_iter().cycle().take(AT_ONCE).map(|caller| caller.copy()).collect()
}

async fn enrolled(world: &World) -> (User, App) {
    let user = world.user("ada").await;
    let app = user.enrol().await;
    (user, app)
}

#[on_each_database]
async fn one_totp_code_is_accepted_once_2(database: DatabaseKind) {
    let world = world(database).await;
    let (user, app) = enrolled(&world).await;
    for _ in 0..ROUNDS {
        let presenters = presenters(&user, &user.browser).await;
        let body = json!({"code": app.fresh_code()});
        race(presenters.into_iter().map(|caller| (caller, "/two-factor/verify-totp", body.clone())).collect()).await;
    }
    world.close().await;
}

#[on_each_database]
async fn one_mailed_code_is_accepted_once_39(database: DatabaseKind) {
    let world = world(database).await;
    let (user, _app) = enrolled(&world).await;
    for round in 0..ROUNDS {
        // In turn the code of a challenge and that of a live session: a code belongs to one of them.
        let presenter = if round % 2 == 0 { user.challenged().await } else { user.browser.copy() };
        presenter.post("/two-factor/send-otp").await.ok();
        let body = json!({"code": world.last_code_for(&user.email)});
        race((0..AT_ONCE).map(|_| (presenter.copy(), "/two-factor/verify-otp", body.clone())).collect()).await;
    }
    world.close().await;
}

#[on_each_database]
async fn one_backup_code_is_accepted_once_6(database: DatabaseKind) {
    let world = world(database).await;
    let (user, _app) = enrolled(&world).await;
    let mut codes: Vec<String> = Vec::new();
    for _ in 0..ROUNDS {
        if codes.is_empty() {
            let body = json!({"password": user.password});
            let response = user.browser.post("/two-factor/generate-backup-codes").json(body).await.ok();
            codes = serde_json::from_value(response.body["backupCodes"].clone()).unwrap();
        }
        let presenters = presenters(&user, &user.browser).await;
        let body = json!({"code": codes.pop().unwrap()});
        let present = |caller| (caller, "/two-factor/verify-backup-code", body.clone());
        race(presenters.into_iter().map(present).collect()).await;
    }
    world.close().await;
}

/// In turn the response to a registration, to a sign-in, to a challenge, and in a live session.
#[on_each_database]
async fn one_response_of_a_passkey_is_accepted_once_49(database: DatabaseKind) {
    let world = world(database).await;
    let (user, app) = enrolled(&world).await;
    // Of a key that is bound to a device, the counter would give a second use away.
    let mut authenticator = Authenticator::synced();
    for round in 0..ROUNDS {
        let session = user.signed_in_with(&app).await;
        let (presenter, path, response) = if round % 4 == 0 {
            authenticator = Authenticator::synced();
            let creation = options(&session, REGISTER_OPTIONS).await;
            (session, "/passkey/verify-registration", authenticator.register(&creation))
        } else {
            let presenter = match round % 4 {
                1 => world.browser(),
                2 => user.challenged().await,
                _ => session,
            };
            let request = options(&presenter, SIGN_IN_OPTIONS).await;
            assert_eq!(request["allowCredentials"].is_array(), round % 4 != 1);
            (presenter, "/passkey/verify-authentication", authenticator.assert(&request))
        };
        let body = json!({"response": response});
        race((0..AT_ONCE).map(|_| (presenter.copy(), path, body.clone())).collect()).await;
        let charged = "SELECT count(*) AS number FROM accounts WHERE failed_attempts > 0";
        assert_eq!(world.database().number(charged), 0, "who comes too late has guessed nothing");
    }
    world.close().await;
}

#[on_each_database]
async fn one_challenge_is_answered_once_by_whatever_factors(database: DatabaseKind) {
    let world = world(database).await;
    let (user, app) = enrolled(&world).await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    let mut codes = app.backup_codes.clone();
    for _ in 0..ROUNDS {
        if codes.len() < 2 {
            let body = json!({"password": user.password});
            let response = user.browser.post("/two-factor/generate-backup-codes").json(body).await.ok();
            codes = serde_json::from_value(response.body["backupCodes"].clone()).unwrap();
        }
        let challenge = user.challenged().await;
        challenge.post("/two-factor/send-otp").await.ok();
        let request = options(&challenge, SIGN_IN_OPTIONS).await;
        let code = |code: &str| json!({"code": code});
        let right = [
            ("/two-factor/verify-totp", code(&app.fresh_code())),
            ("/two-factor/verify-otp", code(&world.last_code_for(&user.email))),
            ("/two-factor/verify-backup-code", code(&codes[0])),
            ("/two-factor/verify-backup-code", code(&codes[1])),
            ("/passkey/verify-authentication", json!({"response": authenticator.assert(&request)})),
        ];
        let present = |(path, body): (&'static str, Value)| (challenge.copy(), path, body);
        let won = race(right.into_iter().cycle().take(AT_ONCE).map(present).collect()).await;
        if won.request.contains("backup-code") {
            let used = won.body["user"]["id"] == json!(user.id);
            assert!(used, "{won}");
            codes.drain(..2);
        }
        // The one session that came of it lives.
        let token = if won.request.contains("/passkey/") { "/session/token" } else { "/token" };
        world.bearer(won.text(token)).get("/get-session").await.ok().text("/user/id");
        challenge
            .post("/two-factor/verify-totp")
            .json(json!({"code": app.fresh_code()}))
            .await
            .refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
    world.close().await;
}

#[on_each_database]
async fn one_trust_spares_one_challenge(database: DatabaseKind) {
    let world = world(database).await;
    let (user, app) = enrolled(&world).await;
    let trusted = user.trusted_with(&app).await;
    let credentials = json!({"email": user.email, "password": user.password});
    for _ in 0..5 {
        let spared: Vec<Response> = {
            let mut running = JoinSet::new();
            for _ in 0..10 {
                let (caller, credentials) = (trusted.copy(), credentials.clone());
                running.spawn(async move { caller.post("/sign-in/email").json(credentials).await.ok() });
            }
            let all = running.join_all().await;
            all.into_iter().filter(|response| response.body.get("twoFactorRedirect").is_none()).collect()
        };
        assert_eq!(spared.len(), 1);
        let next = spared[0].set_cookie("trust_device").unwrap();
        trusted.set_cookie(&next.name, &next.value);
    }
    world.close().await;
}

/// However many guess at once, at most ten guesses are judged before the account is locked, as the audit trail counts
/// them; and then the right code is refused as well (attacks 9, 12, 14).
#[on_each_database]
async fn parallel_guesses_are_judged_at_most_as_often_as_the_quota_allows_14(database: DatabaseKind) {
    let world = world(database).await;
    let (user, app) = enrolled(&world).await;
    let mut presenters = vec![user.browser.clone()];
    for _ in 0..9 {
        presenters.push(user.challenged().await);
    }
    let mut running = JoinSet::new();
    for guess in 0..300 {
        let caller = presenters[guess % presenters.len()].copy();
        let body = json!({"code": app.wrong_code()});
        running.spawn(async move { caller.post("/two-factor/verify-totp").json(body).await });
    }
    let responses = running.join_all().await;
    assert!(responses.iter().all(|response| [400, 401, 429].contains(&response.status)), "{:?}", codes(&responses));
    let judged =
        world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'second-factor-rejected'");
    assert_eq!(judged, 10, "{:?}", codes(&responses));
    let body = json!({"code": app.fresh_code()});
    let locked = user.browser.post("/two-factor/verify-totp").json(body).await;
    assert!(locked.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").retry_after() > 800);
    world.close().await;
}

/// The same where every other guess is a passkey's response, each to options of its own.
#[on_each_database]
async fn codes_and_passkeys_that_guess_at_once_have_one_quota_14(database: DatabaseKind) {
    let world = world(database).await;
    let (user, app) = enrolled(&world).await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    let mut guesses = Vec::new();
    for _ in 0..10 {
        let challenge = user.challenged().await;
        for _ in 0..8 {
            let presenter = challenge.copy();
            let request = options(&presenter, SIGN_IN_OPTIONS).await;
            let wrong = authenticator.assert_as(&request, |data| "https://evil.example".clone_into(&mut data.origin));
            guesses.push((presenter, "/passkey/verify-authentication", json!({"response": wrong})));
            guesses.push((challenge.copy(), "/two-factor/verify-totp", json!({"code": app.wrong_code()})));
        }
    }
    let mut running = JoinSet::new();
    for (caller, path, body) in guesses {
        running.spawn(async move { caller.post(path).json(body).await });
    }
    let responses = running.join_all().await;
    assert!(responses.iter().all(|response| [400, 401, 429].contains(&response.status)), "{:?}", codes(&responses));
    // None of them was right, and none is one that was used.
    let judged = "SELECT count(*) AS number FROM audit_events WHERE kind LIKE 'second-factor-re%'";
    assert_eq!(world.database().number(judged), 10, "{:?}", codes(&responses));
    let challenge = user.challenged().await;
    let request = options(&challenge, SIGN_IN_OPTIONS).await;
    let right = json!({"response": authenticator.assert(&request)});
    challenge.post("/passkey/verify-authentication").json(right).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    world.close().await;
}
