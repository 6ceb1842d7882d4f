//! The password step, without a second factor.

use crate::harness::{PASSWORD, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

#[on_each_database]
async fn a_right_password_opens_a_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let browser = world.browser();
    let response = user.sign_in_from(&browser).await.ok();
    let fields: Vec<&String> = response.body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["redirect", "token", "user"]);
    assert_eq!((&response.body["redirect"], response.text("/user/id")), (&json!(false), user.id.clone()));
    assert_eq!(response.header("location"), None);
    assert!(user.browser.get("/get-session").await.ok().body.is_object(), "earlier sessions stay alive");
    assert_eq!(browser.get("/get-session").await.ok().body["session"]["token"], response.body["token"]);
}

#[on_each_database]
async fn a_callback_is_answered_with_where_to_go(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let body = json!({"email": user.email, "password": PASSWORD, "callbackURL": "/dashboard"});
    let response = world.browser().post("/sign-in/email").json(body).await.ok();
    assert_eq!((&response.body["redirect"], &response.body["url"]), (&json!(true), &json!("/dashboard")));
    assert_eq!(response.header("location"), Some("/dashboard"));
    let body = json!({"email": user.email, "password": PASSWORD, "callbackURL": "https://evil.example"});
    let response = world.browser().post("/sign-in/email").json(body).await;
    response.refused(403, "INVALID_CALLBACK_URL").saying("Invalid callbackURL");
}

#[on_each_database]
async fn a_malformed_address_is_told_apart(database: DatabaseKind) {
    let world = World::start(database).await;
    for email in ["", "ada", "ada@example", " ada@example.com"] {
        let response =
            world.stranger().post("/sign-in/email").json(json!({"email": email, "password": PASSWORD})).await;
        response.refused(400, "INVALID_EMAIL").saying("Invalid email");
    }
}

#[on_each_database]
async fn addresses_are_compared_without_case(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let response =
        world.stranger().post("/sign-in/email").json(json!({"email": "ADA@Example.com", "password": PASSWORD})).await;
    assert_eq!(response.ok().text("/user/id"), user.id);
}

#[on_each_database]
async fn passwords_are_compared_in_their_composed_form_and_not_trimmed(database: DatabaseKind) {
    let world = World::start(database).await;
    let sign_up = json!({"name": "", "email": "a@example.com", "password": "caf\u{e9} au lait"});
    world.stranger().post("/sign-up/email").json(sign_up).await.ok();
    let call = |password: &str| {
        world.stranger().post("/sign-in/email").json(json!({"email": "a@example.com", "password": password}))
    };
    call("cafe\u{301} au lait").await.ok();
    call("caf\u{e9} au lait ").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    call("Caf\u{e9} au lait").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    call("").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
}

#[on_each_database]
async fn without_remember_me_the_session_lives_a_day(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let browser = world.browser();
    let body = json!({"email": user.email, "password": PASSWORD, "rememberMe": false});
    let response = browser.post("/sign-in/email").json(body).await.ok();
    assert_eq!(response.set_cookie("session_token").unwrap().attributes, "Path=/; HttpOnly; SameSite=Lax");
    let dont_remember = response.set_cookie("dont_remember").unwrap();
    assert!(dont_remember.value.starts_with("true."), "{dont_remember:?}");
    assert_eq!(dont_remember.attributes, "Path=/; HttpOnly; SameSite=Lax");
    world.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert!(browser.get("/get-session").await.ok().body.is_object());
    world.clock.advance(Duration::from_secs(1));
    assert!(browser.get("/get-session").await.ok().body.is_null());
}

/// A published client has words where others have booleans.
#[on_each_database]
async fn remember_me_may_be_a_word(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let call = |path: &str, word: serde_json::Value| {
        let email = format!(
            "{}@example.com",
            if path == "/sign-up/email" { word.to_string().replace('"', "") } else { "ada".to_owned() }
        );
        let body = json!({"name": "", "email": email, "password": PASSWORD, "rememberMe": word});
        world.browser().post(path).json(body)
    };
    for path in ["/sign-in/email", "/sign-up/email"] {
        for (word, is_remembered) in [("true", true), ("false", false)] {
            let response = call(path, json!(word)).await.ok();
            assert_eq!(response.set_cookie("dont_remember").is_none(), is_remembered, "{path} {word}");
        }
        for odd in [json!("yes"), json!("False"), json!(""), json!(0), json!(null)] {
            call(path, odd).await.refused(400, "VALIDATION_ERROR");
        }
    }
    // Elsewhere a word is no boolean, as on the real server.
    let body = json!({"currentPassword": PASSWORD, "newPassword": "another horse", "revokeOtherSessions": "false"});
    let refused = user.browser.post("/change-password").json(body).await.refused(400, "VALIDATION_ERROR");
    refused.saying("[body.revokeOtherSessions] Invalid input: expected boolean, received string");
}

/// Wrong passwords from an address, for a login name: so many, then none is looked at for a while.
#[on_each_database]
async fn guessing_a_password_is_stopped_whatever_the_address_looks_like_33_34(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let call = |email: &str, password: &str| {
        world.stranger().post("/sign-in/email").json(json!({"email": email, "password": password}))
    };
    for number in 0..10 {
        let email = if number % 2 == 0 { "ada@example.com" } else { "ADA@example.COM" };
        call(email, "wrong").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let refused = call("Ada@example.com", PASSWORD).await.refused(429, "TOO_MANY_REQUESTS");
    assert_eq!(refused.retry_after(), 15 * 60);
    call("bob@example.com", "wrong").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    // Somebody else's success does not give it back (34).
    let bob = world.user("bob").await;
    bob.signed_in().await;
    call(&user.email, PASSWORD).await.refused(429, "TOO_MANY_REQUESTS");
    world.clock.advance(Duration::from_secs(15 * 60));
    call(&user.email, PASSWORD).await.ok();
}

#[on_each_database]
async fn unknown_addresses_have_the_same_quota_44(database: DatabaseKind) {
    let world = World::start(database).await;
    let call =
        || world.stranger().post("/sign-in/email").json(json!({"email": "nobody@example.com", "password": "wrong"}));
    for _ in 0..10 {
        call().await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    assert_eq!(call().await.refused(429, "TOO_MANY_REQUESTS").retry_after(), 15 * 60);
}

#[on_each_database]
async fn a_stranger_elsewhere_locks_nobody_out(database: DatabaseKind) {
    let world =
        World::with(database, |settings| settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let user = world.user("ada").await;
    let from = |address: &str, password: &str| {
        let call = world.stranger().post("/sign-in/email").header("x-forwarded-for", address);
        call.json(json!({"email": user.email, "password": password}))
    };
    for _ in 0..10 {
        from("203.0.113.1", "wrong").await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    from("203.0.113.1", PASSWORD).await.refused(429, "TOO_MANY_REQUESTS");
    from("203.0.113.2", PASSWORD).await.ok();
}

#[on_each_database]
async fn a_success_gives_the_quota_back(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    for _ in 0..3 {
        for _ in 0..9 {
            let body = json!({"email": user.email, "password": "wrong"});
            world.stranger().post("/sign-in/email").json(body).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
        }
        user.signed_in().await;
    }
}
