//! What the SDK of the published "Athena Auth" pages sends, header for header, run by Node: `Sec-Fetch-Mode` from Node's own
//! fetch and no `Origin`, `{}` as the body of every POST without arguments, tokens as bearer or in the body, never cookies.

use crate::harness::caller::Call;
use crate::harness::{Caller, PASSWORD, User, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

/// The SDK in Node, with a bearer token if it has one.
struct Athena {
    caller: Caller,
}

impl Athena {
    fn new(world: &World, bearer: Option<&str>) -> Self {
        let caller = bearer.map_or_else(|| world.stranger(), |token| world.bearer(token));
        let caller = caller.with_header("x-athena-sdk", "@xylex-group/athena-auth 1.0.0");
        let caller = caller.with_header("sec-fetch-mode", "cors").with_header("accept-language", "*");
        Self { caller: caller.with_header("content-type", "application/json") }
    }

    fn post(&self, path: &str, body: Value) -> Call {
        self.caller.post(path).body("application/json", body.to_string())
    }

    /// `auth.getSession()`.
    fn session(&self) -> Call {
        self.caller.get("/get-session?disableCookieCache=true")
    }
}

fn credentials(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}

#[on_each_database]
async fn signing_up_and_in_and_out_needs_no_origin(database: DatabaseKind) {
    let world = World::start(database).await;
    let athena = Athena::new(&world, None);
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD});
    athena.post("/sign-up/email", body).await.ok();
    let signed_in = athena.post("/sign-in/email", credentials("ada@example.com")).await.ok();
    let athena = Athena::new(&world, Some(&signed_in.text("/token")));
    assert_eq!(athena.session().await.ok().text("/user/email"), "ada@example.com");
    athena.post("/sign-out", json!({})).await.ok();
    assert!(athena.session().await.ok().body.is_null());
}

/// It takes a response with a `user.id` for a session, so that a challenge must not have one.
#[on_each_database]
async fn a_challenge_is_no_session_to_it(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let challenge = Athena::new(&world, None).post("/sign-in/email", credentials("Ada@Example.com")).await.ok();
    let now = "2026-03-01T12:00:00.000Z";
    let token = challenge.text("/twoFactorToken");
    assert_eq!(
        challenge.body,
        json!({
            "redirect": false, "token": token, "twoFactorRedirect": true, "twoFactorMethods": ["totp", "otp"],
            "twoFactorToken": token,
            "user": {
                "name": "", "email": "ada@example.com", "emailVerified": false, "image": null, "createdAt": now,
                "updatedAt": now, "twoFactorEnabled": true,
            },
        })
    );
    // It keeps the token all the same; that opens nothing but the second step.
    let athena = Athena::new(&world, Some(&token));
    assert!(athena.session().await.ok().body.is_null());
    athena.post("/two-factor/enable", json!({"password": PASSWORD})).await.refused(401, "UNAUTHORIZED");
    let verified = athena.post("/two-factor/verify-totp", json!({"code": app.fresh_code()})).await.ok();
    let session = Athena::new(&world, Some(&verified.text("/token"))).session().await.ok();
    assert_eq!(session.text("/user/id"), user.id);
}

async fn challenge(world: &World, user: &User) -> String {
    Athena::new(world, None).post("/sign-in/email", credentials(&user.email)).await.ok().text("/token")
}

#[on_each_database]
async fn the_token_of_a_challenge_goes_in_the_body_too(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let athena = Athena::new(&world, None);

    let token = challenge(&world, &user).await;
    let totp = || json!({"code": app.code(), "token": token});
    app.fresh_code();
    athena.post("/two-factor/verify-totp", totp()).await.ok();
    athena.post("/two-factor/verify-totp", totp()).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");

    let token = challenge(&world, &user).await;
    let body = json!({"code": app.backup_codes[0], "token": token, "disableSession": "false", "trustDevice": "false"});
    let verified = athena.post("/two-factor/verify-backup-code", body).await.ok();
    assert_eq!(verified.body["token"], verified.body["session"]["token"]);

    // A code is sent to who shows the token as bearer.
    let token = challenge(&world, &user).await;
    Athena::new(&world, Some(&token)).post("/two-factor/send-otp", json!({})).await.ok();
    let body = json!({"code": world.last_code_for(&user.email), "token": token});
    let verified = athena.post("/two-factor/verify-otp", body).await.ok();
    let session = Athena::new(&world, Some(&verified.text("/token"))).session().await.ok();
    assert_eq!(session.text("/user/id"), user.id);
}

/// Of several credentials: a live session, then the challenge as bearer, then that in the body, then the cookie.
#[on_each_database]
async fn a_token_in_the_body_counts_where_nothing_better_is_shown(database: DatabaseKind) {
    let world = World::start(database).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (app, other) = (ada.enrol().await, bob.enrol().await);
    let with = |token: &str| json!({"code": app.fresh_code(), "token": token});

    // A live session goes on, and the challenge waits.
    let token = challenge(&world, &bob).await;
    let passed = ada.browser.post("/two-factor/verify-totp").json(with(&token)).await.ok();
    assert_eq!(passed.text("/user/id"), ada.id);
    let body = json!({"code": other.fresh_code(), "token": token});
    world.stranger().post("/two-factor/verify-totp").json(body).await.ok();

    // A challenge as bearer is the one that counts.
    let (own, foreign) = (challenge(&world, &ada).await, challenge(&world, &bob).await);
    let passed = world.bearer(own).post("/two-factor/verify-totp").json(with(&foreign)).await.ok();
    assert_eq!(passed.text("/user/id"), ada.id);

    // What the client says counts before what the browser sends along, and a dead session does not matter.
    let browser = bob.challenged().await;
    let dead = ada.signed_in_with(&app).await;
    dead.copy().post("/sign-out").await.ok();
    browser.set_cookie("better-auth.session_token", &dead.cookie("session_token").unwrap());
    let token = challenge(&world, &ada).await;
    let passed = browser.post("/two-factor/verify-totp").json(with(&token)).await.ok();
    assert_eq!(passed.text("/user/id"), ada.id);

    // What is no token of a challenge is ignored, here and everywhere.
    let browser = ada.challenged().await;
    for odd in ["", "x", "2fa-short", &ada.first_token] {
        world
            .stranger()
            .post("/two-factor/verify-totp")
            .json(with(odd))
            .await
            .refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
    browser.post("/two-factor/verify-totp").json(with("x")).await.ok();
    for odd in [json!(null), json!(1), json!("x".repeat(257))] {
        let body = json!({"code": "123456", "token": odd});
        browser.post("/two-factor/verify-totp").json(body).await.refused(400, "VALIDATION_ERROR");
    }
}

/// `auth.refreshSession()` posts where others read.
#[on_each_database]
async fn a_session_can_be_read_by_posting(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let athena = Athena::new(&world, Some(&user.first_token));
    let read = athena.session().await.ok();
    assert_eq!(athena.post("/get-session", json!({})).await.ok().body, read.body);
    assert!(Athena::new(&world, None).post("/get-session", json!({})).await.ok().body.is_null());

    // It extends the session as reading does, unless it is asked not to.
    world.clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    let mut kept = user.browser.post("/get-session?disableRefresh=true").await.ok();
    // That it was used is noted all the same.
    assert_ne!(kept.body["session"]["lastUsedAt"], read.body["session"]["lastUsedAt"]);
    kept.body["session"]["lastUsedAt"] = read.body["session"]["lastUsedAt"].clone();
    assert_eq!((&kept.body, kept.set_cookies()), (&read.body, Vec::new()));
    let extended = user.browser.post("/get-session").await.ok();
    assert!(extended.set_cookie("session_token").is_some_and(|cookie| !cookie.is_deletion()), "{extended}");
    assert_eq!(extended.text("/session/expiresAt"), "2026-03-09T12:00:00.000Z");

    // With a cookie it needs a trusted page, as every POST.
    let foreign = user.browser.post("/get-session").header("origin", "https://evil.example");
    foreign.await.refused(403, "INVALID_ORIGIN");
    user.browser.post("/sign-out").await.ok();
    assert!(user.browser.post("/get-session").await.ok().body.is_null());
}
