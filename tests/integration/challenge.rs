//! Signing in with a second factor: the challenge, its tries, and the account's lock.

use crate::harness::{App, Caller, PASSWORD, Response, User, World, cheap_passwords, other_than};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

const LOCKED: &str =
    "Too many failed verification attempts. Your account is temporarily locked. Please try again later.";

async fn enrolled(world: &World) -> (User, App) {
    let user = world.user("ada").await;
    let app = user.enrol().await;
    (user, app)
}

async fn verify_totp(caller: &Caller, code: &str) -> Response {
    caller.post("/two-factor/verify-totp").json(json!({"code": code})).await
}

/// Fails once in each of so many new challenges.
async fn fail_in_challenges(user: &User, app: &App, times: usize) {
    for _ in 0..times {
        let browser = user.challenged().await;
        verify_totp(&browser, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    }
}

#[on_each_database]
async fn the_response_to_the_password_is_a_challenge_and_shows_nothing_of_the_account_25(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, _) = enrolled(&world).await;
    let body = json!({"email": user.email, "password": PASSWORD, "callbackURL": "/x"});
    let response = world.browser().post("/sign-in/email").json(body).await.ok();
    let fields: Vec<&String> = response.body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["redirect", "token", "twoFactorMethods", "twoFactorRedirect", "twoFactorToken", "user"]);
    assert_eq!(response.body["twoFactorMethods"], json!(["totp", "otp"]));
    assert_eq!(
        (&response.body["redirect"], &response.body["token"]),
        (&json!(false), &response.body["twoFactorToken"])
    );
    // Another account with another name, picture and age gives the same user, but for what was typed.
    world.clock.advance(Duration::from_secs(60));
    let other =
        json!({"name": "Bob", "email": "bob@example.com", "password": PASSWORD, "image": "https://x.example/b"});
    let browser = world.browser();
    browser.post("/sign-up/email").json(other).await.ok();
    let begun =
        App::new(&browser.post("/two-factor/enable").json(json!({"password": PASSWORD})).await.ok(), &world.clock);
    browser.post("/two-factor/verify-totp").json(json!({"code": begun.code()})).await.ok();
    let mut users = Vec::new();
    for email in ["ada@example.com", "BOB@example.com"] {
        let body = json!({"email": email, "password": PASSWORD});
        let mut challenge = world.browser().post("/sign-in/email").json(body).await.ok();
        let user = challenge.body["user"].as_object_mut().unwrap();
        assert_eq!(user.remove("email"), Some(json!(email.to_lowercase())));
        users.push(user.clone());
    }
    assert!(!users[0].contains_key("id") && users[0]["createdAt"] == "2026-03-01T12:01:00.000Z", "{users:?}");
    assert_eq!(users[0], users[1]);
    assert_eq!(response.header("location"), Some("/x"), "as on the real server");
}

#[on_each_database]
async fn a_right_code_completes_it_once(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.challenged().await;
    let stolen = browser.copy();
    let response = verify_totp(&browser, &app.fresh_code()).await.ok();
    assert_eq!((&response.body["status"], response.text("/user/id")), (&json!(true), user.id.clone()));
    assert!(response.set_cookie("two_factor").unwrap().is_deletion());
    assert_eq!(
        response.set_cookie("session_token").unwrap().attributes,
        "Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    );
    assert_eq!(browser.get("/get-session").await.ok().text("/session/token"), response.text("/token"));
    verify_totp(&stolen, &app.fresh_code())
        .await
        .refused(401, "INVALID_TWO_FACTOR_COOKIE")
        .saying("Invalid two factor cookie");
    stolen.post("/two-factor/send-otp").await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
}

#[on_each_database]
async fn the_choice_not_to_be_remembered_survives_the_challenge(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = world.browser();
    let body = json!({"email": user.email, "password": PASSWORD, "rememberMe": false});
    let challenge = browser.post("/sign-in/email").json(body).await.ok();
    assert!(!challenge.set_cookie("dont_remember").unwrap().is_deletion());
    let response = verify_totp(&browser, &app.fresh_code()).await.ok();
    assert_eq!(response.set_cookie("session_token").unwrap().attributes, "Path=/; HttpOnly; SameSite=Lax");
    assert!(!response.set_cookie("dont_remember").unwrap().is_deletion());
    let session = browser.get("/get-session").await.ok();
    assert_eq!(session.text("/session/expiresAt"), "2026-03-02T12:00:30.000Z");
}

/// Trust in the device takes the cookie away that carried the choice; the session is a short one all the same.
#[on_each_database]
async fn who_signs_in_to_be_remembered_is_remembered(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let browser = world.browser();
    let sign_in = |remember: bool| {
        let body = json!({"email": user.email, "password": PASSWORD, "rememberMe": remember});
        browser.post("/sign-in/email").json(body)
    };
    assert!(!sign_in(false).await.ok().set_cookie("dont_remember").unwrap().is_deletion());
    assert!(sign_in(true).await.ok().set_cookie("dont_remember").unwrap().is_deletion());
    assert!(sign_in(true).await.ok().set_cookie("dont_remember").is_none());
}

#[on_each_database]
async fn a_trusted_device_does_not_keep_the_choice_not_to_be_remembered(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    for factor in ["totp", "otp", "backup-code"] {
        let browser = world.browser();
        let body = json!({"email": user.email, "password": PASSWORD, "rememberMe": false});
        let challenge = browser.post("/sign-in/email").json(body).await.ok();
        assert!(!challenge.set_cookie("dont_remember").unwrap().is_deletion());
        let code = match factor {
            "totp" => app.fresh_code(),
            "otp" => {
                browser.post("/two-factor/send-otp").await.ok();
                world.last_code_for(&user.email)
            }
            _ => app.backup_codes[0].clone(),
        };
        let body = json!({"code": code, "trustDevice": true});
        let response = browser.post(&format!("/two-factor/verify-{factor}")).json(body).await.ok();
        let set = response.set_cookies();
        let dont_remember: Vec<_> = set.iter().filter(|cookie| cookie.name == "better-auth.dont_remember").collect();
        assert!(matches!(dont_remember.as_slice(), [cookie] if cookie.is_deletion()), "{factor}: {response}");
        assert!(!response.set_cookie("trust_device").unwrap().is_deletion());
        assert_eq!(response.set_cookie("session_token").unwrap().attributes, "Path=/; HttpOnly; SameSite=Lax");
    }
}

#[on_each_database]
async fn it_lives_ten_minutes(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let (early, late) = (user.challenged().await, user.challenged().await);
    world.clock.advance(Duration::from_secs(599));
    verify_totp(&early, &app.code()).await.ok();
    world.clock.advance(Duration::from_secs(1));
    verify_totp(&late, &app.fresh_code()).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    late.post("/two-factor/send-otp").await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    assert!(world.outbox().messages().is_empty(), "an expired challenge sends nothing");
}

#[on_each_database]
async fn a_live_session_goes_first_and_a_dead_one_does_not_matter(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.signed_in_with(&app).await;
    let token = browser.get("/get-session").await.ok().text("/session/token");
    let challenge = user.challenged().await.cookie("two_factor").unwrap();
    browser.set_cookie("better-auth.two_factor", &challenge);
    let response = verify_totp(&browser, &app.fresh_code()).await.ok();
    assert_eq!(response.text("/token"), token, "verified in the session");
    assert!(response.set_cookies().is_empty());

    let dead = browser.copy();
    browser.post("/sign-out").await.ok();
    let response = verify_totp(&dead, &app.fresh_code()).await.ok();
    assert_ne!(response.text("/token"), token);
    assert!(
        !response.set_cookie("session_token").unwrap().is_deletion(),
        "the last word on the cookie is the new session"
    );
}

#[on_each_database]
async fn all_factors_share_five_tries_and_the_sixth_ends_it(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.challenged().await;
    browser.post("/two-factor/send-otp").await.ok();
    let wrong_mailed = other_than(&[world.last_code_for(&user.email)]);
    for (factor, code, refusal) in [
        ("totp", app.wrong_code(), "INVALID_CODE"),
        ("backup-code", "aaaaa-aaaaa".to_owned(), "INVALID_BACKUP_CODE"),
        ("otp", wrong_mailed, "INVALID_CODE"),
        ("backup-code", "nonsense".to_owned(), "INVALID_BACKUP_CODE"),
        ("totp", String::new(), "INVALID_CODE"),
    ] {
        let call = browser.post(&format!("/two-factor/verify-{factor}")).json(json!({"code": code}));
        call.await.refused(401, refusal);
    }
    let stolen = browser.copy();
    let response = verify_totp(&browser, &app.fresh_code()).await.refused(400, "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE");
    let response = response.saying("Too many attempts. Please request a new code.");
    assert!(response.set_cookie("two_factor").unwrap().is_deletion());
    verify_totp(&stolen, &app.code()).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    // The account is not locked: a new challenge takes the right code.
    verify_totp(&user.challenged().await, &app.code()).await.ok();
}

#[on_each_database]
async fn parallel_guesses_cannot_exceed_the_tries_14(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.challenged().await;
    let guess = || json!({"code": app.wrong_code()});
    let calls = (0..40).map(|_| browser.post("/two-factor/verify-totp").json(guess()).send());
    let calls: Vec<_> = calls.map(tokio::spawn).collect();
    let mut judged = 0;
    for call in calls {
        let response = call.await.unwrap();
        match response.code() {
            "INVALID_CODE" => judged += 1,
            "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE" | "INVALID_TWO_FACTOR_COOKIE" => {}
            _ => panic!("{response}"),
        }
    }
    assert_eq!(judged, 5);
    let events = "SELECT count(*) AS number FROM audit_events WHERE kind LIKE '%rejected%' AND factor = 'totp'";
    assert_eq!(world.database().number(events), 5, "the audit trail says the same");
}

/// Ten wrong codes over any challenges lock the account: every way to present a factor is shut, in challenges and in
/// live sessions, also for the right code.
#[on_each_database]
async fn ten_failures_over_challenges_lock_the_account_9_12_15_18(database: DatabaseKind) {
    let world =
        World::with(database, |settings| settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let (user, app) = enrolled(&world).await;
    let open = user.challenged().await;
    let session = user.browser.copy();
    open.post("/two-factor/send-otp").await.ok();
    let mailed = world.last_code_for(&user.email);
    for number in 0..10 {
        let address = format!("203.0.113.{number}");
        let browser = world.browser().with_header("x-forwarded-for", &address);
        user.challenge_token(&browser).await;
        verify_totp(&browser, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    }
    for caller in [&open, &session, &user.challenged().await] {
        caller.post("/two-factor/send-otp").await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").saying(LOCKED);
        for (factor, code) in
            [("totp", app.fresh_code()), ("otp", mailed.clone()), ("backup-code", app.backup_codes[0].clone())]
        {
            let call = caller.post(&format!("/two-factor/verify-{factor}")).json(json!({"code": code}));
            let refused = call.await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").saying(LOCKED);
            assert!((1..=15 * 60).contains(&refused.retry_after()), "{refused}");
        }
    }
    // The password step is not affected, and tells nothing.
    assert_eq!(user.sign_in_from(&world.browser()).await.ok().body["twoFactorRedirect"], true);
    assert!(session.get("/get-session").await.ok().body.is_object(), "the holder stays signed in");
}

#[on_each_database]
async fn the_lock_ends_by_itself_and_says_when_r7(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    fail_in_challenges(&user, &app, 10).await;
    let browser = user.challenged().await;
    let refused = verify_totp(&browser, &app.code_in(1)).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!((refused.header("retry-after"), refused.header("x-retry-after")), (Some("900"), Some("900")));
    world.clock.advance(Duration::from_millis(899_001));
    let browser = user.challenged().await;
    let refused = verify_totp(&browser, &app.code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    assert_eq!(refused.retry_after(), 1);
    world.clock.advance(Duration::from_millis(999));
    verify_totp(&user.challenged().await, &app.code()).await.ok();
}

#[on_each_database]
async fn no_challenge_outlives_the_lock_17(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    fail_in_challenges(&user, &app, 9).await;
    // Opened just before the lock, this one would live longer than the lock if locks were short; and one that is
    // opened during the lock does.
    let before = user.challenged().await;
    verify_totp(&before, &app.wrong_code()).await.refused(401, "INVALID_CODE");
    world.clock.advance(Duration::from_secs(15 * 60 - 60));
    let during = user.challenged().await;
    world.clock.advance(Duration::from_secs(60));
    verify_totp(&before, &app.code()).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    // Nobody has guessed in this one: it is the holder's, who waited.
    verify_totp(&during, &app.code()).await.ok();
}

#[on_each_database]
async fn wrong_codes_in_a_live_session_count_13_27(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    for factor in ["totp", "backup-code"] {
        for _ in 0..5 {
            let call =
                user.browser.post(&format!("/two-factor/verify-{factor}")).json(json!({"code": app.wrong_code()}));
            assert_eq!(call.await.status, 401);
        }
    }
    verify_totp(&user.browser, &app.fresh_code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    verify_totp(&user.challenged().await, &app.code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
}

#[on_each_database]
async fn a_success_makes_the_quota_whole_and_a_new_challenge_does_not_15_16(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    fail_in_challenges(&user, &app, 9).await;
    user.signed_in_with(&app).await;
    fail_in_challenges(&user, &app, 9).await;
    let browser = user.challenged().await;
    let code = json!({"code": "aaaaa-aaaaa"});
    browser.post("/two-factor/verify-backup-code").json(code).await.refused(401, "INVALID_BACKUP_CODE");
    verify_totp(&browser, &app.fresh_code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
}

#[on_each_database]
async fn locks_without_a_success_in_between_grow(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let (user, app) = enrolled(&world).await;
    for minutes in [15, 30, 60] {
        fail_in_challenges(&user, &app, 10).await;
        let refused =
            verify_totp(&user.challenged().await, &app.code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
        assert_eq!(refused.retry_after(), minutes * 60);
        world.clock.advance(Duration::from_secs(minutes * 60));
    }
}

/// Nothing that a session may do clears the lock: not a new enrolment, not new codes.
#[on_each_database]
async fn enable_does_not_clear_a_lock(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    fail_in_challenges(&user, &app, 10).await;
    let password = json!({"password": PASSWORD});
    for path in ["enable", "generate-backup-codes"] {
        let call = user.browser.post(&format!("/two-factor/{path}")).json(password.clone());
        call.await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED").saying(LOCKED);
    }
    verify_totp(&user.challenged().await, &app.fresh_code()).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
}

#[on_each_database]
async fn a_stranger_without_the_password_locks_nobody_out(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    for number in 0..30 {
        let token = format!("2fa-{number:024}");
        verify_totp(&world.bearer(&token), "000000").await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
    user.signed_in_with(&app).await;
}
