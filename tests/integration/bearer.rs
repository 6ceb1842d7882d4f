//! Clients without cookies.

use crate::harness::contract::{better_auth as operations, example_body};
use crate::harness::response::SetCookie;
use crate::harness::{PASSWORD, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

#[on_each_database]
async fn a_token_may_be_raw_signed_or_encoded(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let response = user.sign_in_from(&world.stranger()).await.ok();
    let (raw, signed) = (response.text("/token"), response.header("set-auth-token").unwrap().to_owned());
    assert!(response.header("access-control-expose-headers").unwrap().contains("set-auth-token"));
    let encoded = response.set_cookie("session_token").unwrap().value;
    for authorization in [
        format!("Bearer {raw}"),
        format!("bearer {signed}"),
        format!("BEARER {encoded}"),
        format!("Bearer   {raw}  "),
        format!("  bEaReR {signed}"),
    ] {
        let caller = world.stranger().with_header("authorization", &authorization);
        assert_eq!(caller.get("/get-session").await.ok().text("/user/id"), user.id, "{authorization}");
        caller.get("/list-sessions").await.ok();
    }
    for authorization in
        [raw.clone(), format!("Bearer{raw}"), format!("Basic {raw}"), "Bearer".to_owned(), format!("Token {raw}")]
    {
        let caller = world.stranger().with_header("authorization", &authorization);
        assert!(caller.get("/get-session").await.ok().body.is_null(), "{authorization}");
    }
}

#[on_each_database]
async fn a_bearer_goes_before_the_cookie_unless_its_signature_is_wrong(database: DatabaseKind) {
    let world = World::start(database).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let with = |token: &str| ada.browser.copy().with_header("authorization", &format!("Bearer {token}"));
    assert_eq!(with(&bob.first_token).get("/get-session").await.ok().text("/user/id"), bob.id);

    let forged = format!("{}.{}=", bob.first_token, "A".repeat(43));
    assert_eq!(with(&forged).get("/get-session").await.ok().text("/user/id"), ada.id, "ignored");

    let unknown = with(&"x".repeat(32)).get("/get-session").await.ok();
    assert!(unknown.body.is_null() && unknown.set_cookie("session_token").unwrap().is_deletion(), "{unknown}");
    with(&"x".repeat(32)).get("/list-sessions").await.refused(401, "UNAUTHORIZED");
}

#[on_each_database]
async fn a_bearer_client_enrols_and_signs_in_without_any_cookie(database: DatabaseKind) {
    let world = World::start(database).await;
    let body = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD});
    let token = world.stranger().post("/sign-up/email").json(body).await.ok().text("/token");
    let enabled = world.bearer(&token).post("/two-factor/enable").json(json!({"password": PASSWORD})).await.ok();
    let app = crate::harness::App::new(&enabled, &world.clock);
    let confirmed = world.bearer(&token).post("/two-factor/verify-totp").json(json!({"code": app.code()})).await.ok();
    let renewed = confirmed.text("/token");
    assert_ne!(renewed, token);
    assert!(confirmed.header("set-auth-token").unwrap().starts_with(&format!("{renewed}.")));
    assert!(world.bearer(&renewed).get("/get-session").await.ok().body.is_object());
    assert!(world.bearer(&token).get("/get-session").await.ok().body.is_null());

    let sign_in = json!({"email": "ada@example.com", "password": PASSWORD});
    for factor in ["totp", "otp", "backup-code"] {
        let response = world.stranger().post("/sign-in/email").json(sign_in.clone()).await.ok();
        let challenge = response.text("/twoFactorToken");
        assert!(challenge.starts_with("2fa-"), "{challenge}");
        let caller = world.bearer(&challenge);
        let code = match factor {
            "totp" => app.fresh_code(),
            "otp" => {
                caller.post("/two-factor/send-otp").await.ok();
                world.last_code_for("ada@example.com")
            }
            _ => app.backup_codes[0].clone(),
        };
        let passed = caller.post(&format!("/two-factor/verify-{factor}")).json(json!({"code": code})).await.ok();
        let session = passed.text("/token");
        assert_eq!(world.bearer(&session).get("/get-session").await.ok().text("/user/email"), "ada@example.com");
        caller.post("/two-factor/send-otp").await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
}

/// Whatever the first step gives, as whatever it may be shown: it opens no operation but the four that continue it.
#[on_each_database]
async fn a_challenge_opens_nothing_else_19_20_25(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    user.enrol().await;
    let browser = world.browser();
    let token = user.challenge_token(&browser).await;
    let cookie = browser.cookie("two_factor").unwrap();
    let signed = cookie.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let moved = world.browser();
    for name in ["session_token", "session_data", "trust_device", "dont_remember"] {
        moved.set_cookie(&format!("better-auth.{name}"), &cookie);
    }
    let (as_is, as_raw) = (&browser, world.browser());
    as_raw.set_cookie("better-auth.session_token", &token);
    let genuine =
        [as_is.copy(), world.bearer(&token), as_is.copy().with_header("authorization", &format!("Bearer {token}"))];
    let forged = [world.bearer(&signed), world.bearer(&cookie), moved, as_raw];
    for entry in operations() {
        let continues = entry.security.iter().any(|schemes| schemes.contains(&"challengeCookie"));
        for (caller, is_genuine) in
            genuine.iter().map(|caller| (caller, true)).chain(forged.iter().map(|caller| (caller, false)))
        {
            let caller = caller.copy();
            let call = caller.call(entry.method, entry.path);
            let response = match (entry.operation_id, example_body(entry.operation_id)) {
                // It checks a password of its own, or makes an account of its own.
                ("signInEmail" | "signUpWithEmailAndPassword", _) => continue,
                (_, Some(body)) => call.json(body).await,
                (_, None) => call.await,
            };
            if entry.anonymous_allowed {
                // The cookie of a ceremony opens nothing without a passkey.
                let is_harmless = |cookie: &SetCookie| cookie.is_deletion() || cookie.name.ends_with("passkey");
                assert!(response.set_cookies().iter().all(is_harmless), "{response}");
                let text = String::from_utf8_lossy(&response.raw).into_owned();
                assert!(!text.contains("ada") && !text.contains(&user.id), "{response}");
            } else if continues {
                assert!(response.set_cookie("session_token").is_none_or(|cookie| cookie.is_deletion()), "{response}");
                assert!(is_genuine || response.code() == "INVALID_TWO_FACTOR_COOKIE", "{response}");
            } else {
                response.refused(401, "UNAUTHORIZED");
            }
        }
    }
}

#[on_each_database]
async fn a_session_is_no_challenge_38(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let session = user.browser.get("/get-session").await.ok().text("/session/token");
    user.browser.post("/sign-out").await.ok();
    for token in [session.clone(), format!("2fa-{session}"), format!("2fa-{}", &session[..24])] {
        let caller = world.bearer(&token);
        caller.post("/two-factor/send-otp").await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
        let code = json!({"code": app.fresh_code()});
        caller.post("/two-factor/verify-totp").json(code).await.refused(401, "INVALID_TWO_FACTOR_COOKIE");
    }
}
