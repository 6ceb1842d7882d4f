//! One-time things through the FusionAuth dialect: accepted once, however many ask at the same moment (attacks 2, 6, 39).

use crate::harness::caller::Call;
use crate::harness::{PASSWORD, Response, World, cheap_passwords};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const ROUNDS: usize = 25;
const AT_ONCE: usize = 40;

async fn world(database: DatabaseKind) -> World {
    let world = World::with(database, |settings| {
        settings.limits.codes_per_hour = 10_000;
        cheap_passwords(settings);
    });
    world.await
}

fn statuses(responses: &[Response]) -> BTreeMap<u16, usize> {
    responses.iter().fold(BTreeMap::new(), |mut counts, response| {
        *counts.entry(response.status).or_default() += 1;
        counts
    })
}

/// Sends all at once, and asserts that one succeeds and that no other is told anything but no.
async fn race(calls: Vec<Call>) -> Response {
    let start = Arc::new(Barrier::new(calls.len()));
    let mut running = JoinSet::new();
    for call in calls {
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.wait().await;
            call.await
        });
    }
    let responses = running.join_all().await;
    let counts = statuses(&responses);
    let (mut won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|response| response.status == 200);
    assert_eq!(won.len(), 1, "{counts:?}");
    assert!(lost.iter().all(|response| [400, 404, 409, 421].contains(&response.status)), "{counts:?}");
    won.remove(0)
}

#[on_each_database]
async fn one_challenge_and_one_code_are_used_once_by_whatever_kind_2(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut app = service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    let email = service.method_id(&user, "email").await;
    for round in 0..ROUNDS {
        // One challenge for all, or one code for several challenges.
        let challenges = match round % 2 {
            0 => vec![service.challenge(&user).await],
            _ => vec![service.challenge(&user).await, service.challenge(&user).await, service.challenge(&user).await],
        };
        let code = match round % 3 {
            0 => app.fresh_code(),
            1 => app.recovery_codes.pop().unwrap(),
            _ => {
                let path = format!("/two-factor/send/{}", challenges[0]);
                service.open(&path, json!({"methodId": email})).await.ok();
                world.last_code_for(&user.email)
            }
        };
        if app.recovery_codes.is_empty() {
            let response = service.post(&format!("/user/two-factor/recovery-code/{}", user.id), json!({})).await.ok();
            app.recovery_codes = serde_json::from_value(response.body["recoveryCodes"].clone()).unwrap();
        }
        // A code that was sent belongs to one challenge, and the guesses at the others are counted.
        let challenges = if round % 3 == 2 { &challenges[..1] } else { &challenges[..] };
        let calls = challenges.iter().cycle().take(AT_ONCE).map(|id| service.complete(id, &code)).collect();
        let won = race(calls).await;
        service.with_token(&won.text("/token"), "GET", "/jwt/validate").await.ok();
    }
    world.close().await;
}

#[on_each_database]
async fn one_trust_token_one_leave_and_one_one_time_password_are_used_once(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let mut password = PASSWORD.to_owned();
    for round in 0..5 {
        let patch = json!({"user": {"passwordChangeRequired": true}});
        service.call("PATCH", &format!("/user/{}", user.id)).json(patch).await.ok();
        let login = json!({"loginId": user.email, "password": password});
        let leave = service.post("/login", login).await.is(203).text("/changePasswordId");
        password = format!("password of round {round}");
        let path = format!("/user/change-password/{leave}");
        let calls = (0..8).map(|_| service.open(&path, json!({"password": password}))).collect();
        let one_time = race(calls).await.text("/oneTimePassword");
        let body = json!({"oneTimePassword": one_time});
        race((0..8).map(|_| service.post("/login", body.clone())).collect()).await;
    }
    let app = service.enrol(&user).await;
    for round in 0..3 {
        let begun = service.post("/two-factor/start", json!({"userId": user.id, "trustChallenge": "mine"})).await.ok();
        let trust = service.complete(&begun.text("/twoFactorId"), &app.fresh_code()).await.ok().text("/trustToken");
        let next = format!("stepped-up password of round {round}");
        let body = json!({
            "loginId": user.email, "currentPassword": password, "password": next, "trustToken": trust,
            "trustChallenge": "mine",
        });
        race((0..4).map(|_| service.post("/user/change-password", body.clone())).collect()).await;
        password = next;
    }
    world.close().await;
}

#[on_each_database]
async fn one_code_enables_and_one_disables_once_5(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    for _ in 0..5 {
        let user = service.user().await;
        service.post("/two-factor/send", json!({"userId": user.id, "method": "email", "email": user.email})).await.ok();
        let body = json!({"method": "email", "email": user.email, "code": world.last_code_for(&user.email)});
        let path = format!("/user/two-factor/{}", user.id);
        race((0..AT_ONCE).map(|_| service.post(&path, body.clone())).collect()).await;
        let app = service.enrol(&user).await;
        let email = service.method_id(&user, "email").await;
        let code = app.fresh_code();
        let call = || service.call("DELETE", &format!("{path}?code={code}&methodId={email}"));
        race((0..AT_ONCE).map(|_| call()).collect()).await;
        // The code that disabled a method does not log in (attack 5).
        let challenge = service.challenge(&user).await;
        service.complete(&challenge, &code).await.is(421);
    }
    world.close().await;
}

#[on_each_database]
async fn parallel_guesses_are_judged_at_most_as_often_as_the_quota_allows_14(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let method = service.method_id(&user, "authenticator").await;
    let mut challenges = Vec::new();
    for _ in 0..9 {
        challenges.push(service.challenge(&user).await);
    }
    let mut running = JoinSet::new();
    for guess in 0..300 {
        let code = app.wrong_code();
        let call = match challenges.get(guess % 10) {
            Some(id) => service.complete(id, &code),
            None => service.call("DELETE", &format!("/user/two-factor/{}?code={code}&methodId={method}", user.id)),
        };
        running.spawn(async move { call.await });
    }
    let responses = running.join_all().await;
    assert!(responses.iter().all(|response| [404, 409, 421].contains(&response.status)), "{:?}", statuses(&responses));
    let judged =
        world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'second-factor-rejected'");
    assert_eq!(judged, 10, "{:?}", statuses(&responses));
    let challenge = service.challenge(&user).await;
    service.complete(&challenge, &app.fresh_code()).await.is(409);
    // Guessing at codes that were sent to an address is bounded by the code.
    let other = service.user().await;
    service
        .post("/two-factor/send", json!({"userId": other.id, "method": "sms", "mobilePhone": "+15550123"}))
        .await
        .ok();
    let right = world.last_code_for("+15550123");
    let enable = |code: &str| {
        let body = json!({"method": "sms", "mobilePhone": "+15550123", "code": code});
        service.post(&format!("/user/two-factor/{}", other.id), body)
    };
    for number in 0..5 {
        enable(&format!("wrong {number}")).await.is(421);
    }
    enable(&right).await.is(421);
    world.close().await;
}
