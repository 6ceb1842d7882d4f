//! Setting a new password by a mailed link.

use crate::harness::service::APPLICATION;
use crate::harness::wire::Wire;
use crate::harness::{Caller, PASSWORD, Response, User, World, cheap_passwords};
use crate::limits::wrong_codes;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const NEW: &str = "a longer horse, a better battery";
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn request(caller: &Caller, email: &str) -> Response {
    caller.post("/request-password-reset").json(json!({"email": email, "redirectTo": "/reset"})).await
}

/// The token of the `count`th link that was mailed to that address.
pub(crate) async fn reset_token(wire: &Wire, email: &str, count: usize) -> String {
    let link = wire.link_for(email, count).await;
    let rest = link.strip_prefix("/api/auth/reset-password/").unwrap_or_else(|| panic!("{link} sets no password"));
    rest.split('?').next().unwrap().to_owned()
}

async fn reset(caller: &Caller, token: &str, new: &str) -> Response {
    caller.post("/reset-password").json(json!({"newPassword": new, "token": token})).await
}

/// A token that was just mailed.
async fn fresh_token(world: &World, user: &User, count: usize) -> String {
    request(&world.stranger(), &user.email).await.ok();
    reset_token(world, &user.email, count).await
}

#[on_each_database]
async fn a_link_leads_to_the_page_with_its_token_and_sets_a_password_once(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let mut user = world.user("ada").await;
    let stranger = world.stranger();
    let requested = request(&stranger, "ADA@example.com").await.ok();
    let message = "If this email exists in our system, check your email for the reset link";
    assert_eq!(requested.body, json!({"status": true, "message": message}));
    let link = world.link_for(&user.email, 1).await;
    let token = reset_token(&world, &user.email, 1).await;
    assert_eq!(link, format!("/api/auth/reset-password/{token}?callbackURL=%2Freset"));
    for _ in 0..2 {
        let followed = stranger.call("GET", &link).await.is(302);
        let location = format!("{}/reset?token={token}", world.base_url());
        assert_eq!(followed.header("location"), Some(location.as_str()), "following it uses nothing up");
    }
    assert_eq!(reset(&stranger, &token, NEW).await.ok().body, json!({"status": true}));
    reset(&stranger, &token, NEW).await.refused(400, "INVALID_TOKEN").saying("Invalid token");
    let followed = stranger.call("GET", &link).await.is(302);
    let location = format!("{}/reset?error=INVALID_TOKEN", world.base_url());
    assert_eq!(followed.header("location"), Some(location.as_str()));
    user.sign_in_from(&world.browser()).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    user.password = NEW.to_owned();
    let signed_in = user.sign_in_from(&world.browser()).await.ok();
    assert_eq!(signed_in.body["user"]["emailVerified"], true, "who read the mail has the address");
}

#[on_each_database]
async fn a_token_may_stand_in_the_query_and_a_bad_password_leaves_it(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let stranger = world.stranger();
    let token = fresh_token(&world, &user, 1).await;
    reset(&stranger, &token, "short").await.refused(400, "PASSWORD_TOO_SHORT");
    reset(&stranger, &token, &"x".repeat(129)).await.refused(400, "PASSWORD_TOO_LONG");
    reset(&stranger, &token, &user.email).await.refused(400, "PASSWORD_COMPROMISED");
    reset(&stranger, "", NEW).await.refused(400, "INVALID_TOKEN");
    reset(&stranger, "rst-AAAAAAAAAAAAAAAAAAAAAAAA", NEW).await.refused(400, "INVALID_TOKEN");
    stranger.post("/reset-password").json(json!({"newPassword": NEW})).await.refused(400, "INVALID_TOKEN");
    let in_query = stranger.post(&format!("/reset-password?token={token}")).json(json!({"newPassword": NEW})).await;
    in_query.ok();
}

#[on_each_database]
async fn a_reset_skips_no_second_factor_and_ends_what_was_open_28_a_6_4_3(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let mut user = world.user("ada").await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    let waiting = user.challenged().await;
    let token = fresh_token(&world, &user, 1).await;
    let done = reset(&world.browser(), &token, NEW).await.ok();
    assert!(done.set_cookies().is_empty() && done.body == json!({"status": true}), "{done}");
    assert!(user.browser.get("/get-session").await.ok().body.is_null());
    let code = json!({"code": app.fresh_code()});
    waiting.post("/two-factor/verify-totp").json(code).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    user.password = NEW.to_owned();
    assert_eq!(user.sign_in_from(&trusted).await.ok().body["twoFactorRedirect"], true, "trust has ended");
    user.signed_in_with(&app).await;
}

/// Each way in which another password or another account could be meant.
#[on_each_database]
async fn a_token_dies_with_the_password_with_time_and_with_another_reset(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let service = world.service().await;
    let stranger = world.stranger();
    let [first, second] = [fresh_token(&world, &user, 1).await, fresh_token(&world, &user, 2).await];
    reset(&stranger, &second, NEW).await.ok();
    reset(&stranger, &first, PASSWORD).await.refused(400, "INVALID_TOKEN");
    let third = fresh_token(&world, &user, 3).await;
    let change = json!({"loginId": user.email, "currentPassword": NEW, "password": PASSWORD});
    service.post("/user/change-password", change).await.ok();
    reset(&stranger, &third, NEW).await.refused(400, "INVALID_TOKEN");
    let fourth = fresh_token(&world, &user, 4).await;
    world.clock.advance(HOUR);
    reset(&stranger, &fourth, NEW).await.refused(400, "INVALID_TOKEN");
    let fifth = fresh_token(&world, &user, 5).await;
    let id = service.get(&format!("/user?loginId={}", user.email)).await.ok().text("/user/id");
    let moved = json!({"user": {"email": "elsewhere@example.com"}});
    service.call("PATCH", &format!("/user/{id}")).json(moved).await.ok();
    reset(&stranger, &fifth, NEW).await.refused(400, "INVALID_TOKEN");
    request(&stranger, "elsewhere@example.com").await.ok();
    let sixth = reset_token(&world, "elsewhere@example.com", 1).await;
    service.call("DELETE", &format!("/user/{id}")).await.ok();
    reset(&stranger, &sixth, NEW).await.refused(400, "INVALID_TOKEN");
    request(&stranger, "elsewhere@example.com").await.ok();
    service.call("PUT", &format!("/user/{id}?reactivate=true")).await.ok();
    request(&stranger, "elsewhere@example.com").await.ok();
    reset_token(&world, "elsewhere@example.com", 2).await;
    assert_eq!(world.outbox().links_for("elsewhere@example.com").len(), 2, "a deactivated account is mailed nothing");
}

/// Who reads the mail must not get rid of what guesses at the second factor have cost.
#[on_each_database]
async fn a_reset_works_while_the_account_is_locked_and_lifts_no_lock_9_11(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let mut user = world.user("ada").await;
    let app = user.enrol().await;
    wrong_codes(&user, &app, 10).await;
    let token = fresh_token(&world, &user, 1).await;
    reset(&world.stranger(), &token, NEW).await.ok();
    user.password = NEW.to_owned();
    let challenged = user.challenged().await;
    let code = json!({"code": app.fresh_code()});
    challenged.post("/two-factor/verify-totp").json(code).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
}

#[on_each_database]
async fn links_are_limited_for_each_address_whether_somebody_has_it_or_not_45(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let stranger = world.stranger();
    for email in [user.email.as_str(), "nobody@example.com"] {
        for _ in 0..10 {
            request(&stranger, email).await.ok();
        }
        assert_eq!(request(&stranger, email).await.refused(429, "TOO_MANY_REQUESTS").retry_after(), 3600);
    }
    world.link_for(&user.email, 10).await;
    assert_eq!(world.outbox().links_for("nobody@example.com"), Vec::<String>::new());
    world.clock.advance(HOUR);
    request(&stranger, &user.email).await.ok();
    world.link_for(&user.email, 11).await;
}

#[on_each_database]
async fn redirects_lead_to_trusted_pages_only(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let stranger = world.stranger();
    let token = fresh_token(&world, &user, 1).await;
    for page in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/%5cevil.example"]
    {
        let body = json!({"email": user.email, "redirectTo": page});
        for path in ["/request-password-reset", "/forget-password"] {
            stranger.post(path).json(body.clone()).await.refused(403, "INVALID_REDIRECT_URL");
        }
        let page: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        for token in [token.as_str(), "nonsense"] {
            let followed = stranger.get(&format!("/reset-password/{token}?callbackURL={page}")).await;
            followed.refused(403, "INVALID_CALLBACK_URL");
        }
    }
    let to = async |page: &str| {
        let followed = stranger.get(&format!("/reset-password/{token}?callbackURL={page}")).await.is(302);
        followed.header("location").unwrap().to_owned()
    };
    let base = world.base_url();
    assert_eq!(to("/a%3Ftoken=theirs%26b=1").await, format!("{base}/a?b=1&token={token}"));
    assert_eq!(to(&format!("{base}/abs")).await, format!("{base}/abs?token={token}"));
    assert_eq!(to("").await, format!("{base}/api/auth/error?error=INVALID_TOKEN"));
    // Without a page the link leads to the root.
    stranger.post("/request-password-reset").json(json!({"email": user.email})).await.ok();
    assert!(world.link_for(&user.email, 2).await.ends_with("?callbackURL=%2F"));
}

#[on_each_database]
async fn tokens_are_stored_as_digests_and_every_request_is_recorded(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let token = fresh_token(&world, &user, 1).await;
    request(&world.stranger(), "nobody@example.com").await.ok();
    let count = |kind: &str| {
        world.database().number(&format!("SELECT count(*) AS number FROM audit_events WHERE kind = '{kind}'"))
    };
    assert_eq!(count("password-reset-asked"), 2);
    assert_eq!(world.database().number("SELECT count(*) AS number FROM tickets"), 1);
    reset(&world.stranger(), &token, NEW).await.ok();
    assert_eq!(count("password-reset"), 1);
    assert_eq!(world.database().number("SELECT count(*) AS number FROM tickets"), 0);
}

/// A new password that was set by a link counts in the other dialect too, and its tokens end.
#[on_each_database]
async fn the_other_dialect_knows_the_new_password_and_none_of_the_old_tokens(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let service = world.service().await;
    let login = |password: &str| json!({"loginId": user.email, "password": password, "applicationId": APPLICATION});
    let old = service.post("/login", login(PASSWORD)).await.is(202);
    let token = fresh_token(&world, &user, 1).await;
    reset(&world.stranger(), &token, NEW).await.ok();
    service.post("/login", login(PASSWORD)).await.is(404);
    service.post("/login", login(NEW)).await.is(202);
    service.open("/jwt/refresh", json!({"refreshToken": old.text("/refreshToken")})).await.is(404);
    service.with_token(&old.text("/token"), "GET", "/jwt/validate").await.is(401);
}

#[on_each_database]
async fn the_password_is_verified_in_a_session_and_wrong_ones_are_counted_13(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let verify = |password: &str| user.browser.post("/verify-password").json(json!({"password": password}));
    assert_eq!(verify(PASSWORD).await.ok().body, json!({"status": true}));
    for _ in 0..10 {
        verify("wrong").await.refused(400, "INVALID_PASSWORD").saying("Invalid password");
    }
    verify(PASSWORD).await.refused(429, "TOO_MANY_REQUESTS");
}

#[on_each_database]
async fn the_only_credential_is_the_password(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let listed = user.browser.get("/list-accounts").await.ok();
    let shown = &listed.body[0];
    assert_eq!(listed.body.as_array().unwrap().len(), 1);
    assert_eq!((&shown["providerId"], &shown["scopes"]), (&json!("credential"), &json!([])));
    assert_eq!([&shown["userId"], &shown["accountId"]], [&Value::from(user.id.clone()); 2]);
}

#[on_each_database]
async fn the_error_page_runs_nothing_of_a_request(database: DatabaseKind) {
    let world = World::start(database).await;
    let page = world.stranger().get("/error?error=%3Cscript%3E&error_description=%3Cscript%3Ealert(1)%3C/script%3E");
    let page = page.await.ok();
    let text = String::from_utf8(page.raw.clone()).unwrap();
    assert!(text.contains("<code>UNKNOWN</code>") && !text.contains("<script"), "{text}");
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
}
