//! Codes that are mailed.

use crate::harness::{App, Caller, Response, User, World, other_than};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

async fn enrolled(world: &World) -> (User, App) {
    let user = world.user("ada").await;
    let app = user.enrol().await;
    (user, app)
}

async fn send(caller: &Caller) -> Response {
    caller.post("/two-factor/send-otp").await
}

async fn verify(caller: &Caller, code: &str) -> Response {
    caller.post("/two-factor/verify-otp").json(json!({"code": code})).await
}

#[on_each_database]
async fn a_mailed_code_completes_a_challenge(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    let browser = user.challenged().await;
    let sent = send(&browser).await.ok();
    assert_eq!((&sent.body, sent.set_cookies().len()), (&json!({"status": true}), 0));
    let message = world.outbox().messages().pop().unwrap();
    assert_eq!((&message["to"], &message["channel"]), (&json!(user.email), &json!("email")));
    let code = world.last_code_for(&user.email);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let response = verify(&browser, &code).await.ok();
    let fields: Vec<&String> = response.body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["token", "user"]);
    assert_eq!(browser.get("/get-session").await.ok().text("/session/token"), response.text("/token"));
}

#[on_each_database]
async fn a_code_lives_three_minutes_and_works_once_n6_a_6_5_5(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    verify(&user.browser, "123456").await.refused(400, "OTP_HAS_EXPIRED").saying("OTP has expired");
    send(&user.browser).await.ok();
    world.clock.advance(Duration::from_secs(179));
    verify(&user.browser, &world.last_code_for(&user.email)).await.ok();
    verify(&user.browser, &world.last_code_for(&user.email)).await.refused(400, "OTP_HAS_EXPIRED");
    send(&user.browser).await.ok();
    world.clock.advance(Duration::from_secs(180));
    verify(&user.browser, &world.last_code_for(&user.email)).await.refused(400, "OTP_HAS_EXPIRED");
}

#[on_each_database]
async fn only_the_newest_code_counts(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    let browser = user.challenged().await;
    send(&browser).await.ok();
    send(&browser).await.ok();
    let codes = world.outbox().codes_for(&user.email);
    if codes[0] != codes[1] {
        verify(&browser, &codes[0]).await.refused(401, "INVALID_CODE");
    }
    verify(&browser, &codes[1]).await.ok();
}

/// A 6.6.2: a code works in the challenge or session it was sent for, and nowhere else.
#[on_each_database]
async fn a_code_is_bound_to_what_asked_for_it(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    let (first, second) = (user.challenged().await, user.challenged().await);
    send(&first).await.ok();
    let of_first = world.last_code_for(&user.email);
    verify(&second, &of_first).await.refused(400, "OTP_HAS_EXPIRED");
    verify(&user.browser, &of_first).await.refused(400, "OTP_HAS_EXPIRED");
    send(&user.browser).await.ok();
    let of_session = world.last_code_for(&user.email);
    if of_session != of_first {
        verify(&first, &of_session).await.refused(401, "INVALID_CODE");
    }
    verify(&first, &of_first).await.ok();
}

#[on_each_database]
async fn sending_again_gives_no_new_tries_in_a_challenge_n5(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    let browser = user.challenged().await;
    for _ in 0..5 {
        send(&browser).await.ok();
        let wrong = other_than(&[world.last_code_for(&user.email)]);
        verify(&browser, &wrong).await.refused(401, "INVALID_CODE");
    }
    send(&browser).await.ok();
    let right = world.last_code_for(&user.email);
    verify(&browser, &right).await.refused(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE");
    send(&browser).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
}

#[on_each_database]
async fn sending_again_gives_no_new_tries_in_a_session_n5(database: DatabaseKind) {
    let world = World::with(database, |settings| settings.limits.codes_per_hour = 100).await;
    let (user, _) = enrolled(&world).await;
    for _ in 0..10 {
        send(&user.browser).await.ok();
        let wrong = other_than(&[world.last_code_for(&user.email)]);
        verify(&user.browser, &wrong).await.refused(401, "INVALID_CODE");
    }
    let right = world.last_code_for(&user.email);
    verify(&user.browser, &right).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    send(&user.browser).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
}

#[on_each_database]
async fn one_code_bears_five_wrong_responses_in_a_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    send(&user.browser).await.ok();
    let right = world.last_code_for(&user.email);
    for _ in 0..5 {
        verify(&user.browser, &other_than(&[&right])).await.refused(401, "INVALID_CODE");
    }
    let refused = verify(&user.browser, &right).await.refused(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE");
    refused.saying("Too many attempts. Please request a new code.");
    verify(&user.browser, &right).await.refused(400, "OTP_HAS_EXPIRED");
    send(&user.browser).await.ok();
    verify(&user.browser, &world.last_code_for(&user.email)).await.ok();
}

#[on_each_database]
async fn an_account_is_sent_so_many_codes_in_an_hour_45(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    for number in 0..10 {
        let caller = if number % 2 == 0 { user.challenged().await } else { user.browser.copy() };
        send(&caller).await.ok();
    }
    for caller in [user.challenged().await, user.browser.copy()] {
        let refused = send(&caller).await.refused(429, "TOO_MANY_REQUESTS");
        assert_eq!(refused.retry_after(), 60 * 60);
    }
    assert_eq!(world.outbox().codes_for(&user.email).len(), 10);
    // Somebody else is not affected; and it ends.
    let bob = world.user("bob").await;
    send(&bob.browser).await.ok();
    world.clock.advance(Duration::from_secs(60 * 60));
    send(&user.challenged().await).await.ok();
}
