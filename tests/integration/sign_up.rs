//! Making an account.

use crate::harness::{PASSWORD, World};
use countersign::net::origin::OriginPattern;
use countersign_domain::tenant::{Application, Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

#[on_each_database]
async fn a_new_account_has_a_session(database: DatabaseKind) {
    let world = World::start(database).await;
    let browser = world.browser();
    let body = json!({"name": "Ada Lovelace", "email": "Ada.L+x@Example.COM", "password": PASSWORD, "image": "https://example.com/a.png"});
    let response = browser.post("/sign-up/email").json(body).await.ok();
    let user = &response.body["user"];
    assert_eq!(user["name"], "Ada Lovelace");
    assert_eq!(user["email"], "ada.l+x@example.com");
    assert_eq!(user["image"], "https://example.com/a.png");
    assert_eq!((&user["emailVerified"], &user["twoFactorEnabled"]), (&json!(false), &json!(false)));
    assert_eq!(user["createdAt"], "2026-03-01T12:00:00.000Z");
    assert_eq!(response.body.as_object().unwrap().len(), 2);
    let session = browser.get("/get-session").await.ok();
    assert_eq!(session.body["session"]["token"], response.body["token"]);
    assert_eq!(session.body["user"], response.body["user"]);
}

#[on_each_database]
async fn image_is_null_when_there_is_none_and_a_name_may_be_empty(database: DatabaseKind) {
    let world = World::start(database).await;
    let body = json!({"name": "", "email": "a@example.com", "password": PASSWORD});
    let response = world.browser().post("/sign-up/email").json(body).await.ok();
    assert_eq!((&response.body["user"]["image"], &response.body["user"]["name"]), (&json!(null), &json!("")));
}

#[on_each_database]
async fn what_a_user_may_not_decide_is_ignored_35(database: DatabaseKind) {
    let world = World::start(database).await;
    let id = "0".repeat(32);
    let browser = world.browser();
    let body = json!({
        "name": "a", "email": "a@example.com", "password": PASSWORD, "id": id, "emailVerified": true, "email_verified": true,
        "twoFactorEnabled": true, "two_factor_enabled": true, "verified": true, "failedCount": -100, "failedVerificationCount": -100,
        "failed_attempts": -100, "lockedUntil": null, "createdAt": "2000-01-01T00:00:00.000Z", "role": "admin",
    });
    let response = browser.post("/sign-up/email").json(body).await.ok();
    let user = &response.body["user"];
    assert_ne!(user["id"], json!(id));
    assert_eq!((&user["emailVerified"], &user["twoFactorEnabled"]), (&json!(false), &json!(false)));
    assert_eq!(user["createdAt"], "2026-03-01T12:00:00.000Z");
    assert_eq!(world.database().number("SELECT failed_attempts AS number FROM accounts"), 0);

    // The same in the body of an operation of a session.
    let extra =
        json!({"password": PASSWORD, "twoFactorEnabled": true, "verified": true, "userId": id, "sessionId": id});
    browser.post("/two-factor/enable").json(extra).await.ok();
    let session = browser.get("/get-session").await.ok();
    assert_eq!(session.body["user"]["twoFactorEnabled"], false);
}

#[on_each_database]
async fn passwords_have_8_to_128_characters_n15(database: DatabaseKind) {
    let world = World::start(database).await;
    let compromised = "The password you entered has been compromised. Please choose a different password.";
    // Code points of the form that is hashed are counted.
    for (number, (password, refusal)) in [
        ("a".repeat(7), Some(("PASSWORD_TOO_SHORT", "Password too short"))),
        ("😀".repeat(7), Some(("PASSWORD_TOO_SHORT", "Password too short"))),
        ("𝒳𝒴𝒵𝒳".to_owned(), Some(("PASSWORD_TOO_SHORT", "Password too short"))),
        ("a".repeat(129), Some(("PASSWORD_TOO_LONG", "Password too long"))),
        ("😀".repeat(129), Some(("PASSWORD_TOO_LONG", "Password too long"))),
        ("        ".to_owned(), Some(("PASSWORD_COMPROMISED", compromised))),
        ("x2ljq8-m".to_owned(), None),
        ("😀x2ljq8-".to_owned(), None),
        ("x2ljq8-m".repeat(16), None),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"name": "a", "email": format!("a{number}@example.com"), "password": password});
        let response = world.stranger().post("/sign-up/email").json(body).await;
        match refusal {
            Some((code, message)) => response.refused(400, code).saying(message),
            None => response.ok(),
        };
    }
}

#[on_each_database]
async fn addresses_follow_the_real_servers_grammar(database: DatabaseKind) {
    let world = World::start(database).await;
    let call = |email: &str| {
        world.stranger().post("/sign-up/email").json(json!({"name": "a", "email": email, "password": PASSWORD}))
    };
    for email in ["a@b.co", "a.b+c_d-e@x-y.example", "o'neill@example.com", "A@EXAMPLE.COM", "1@2.example"] {
        call(email).await.ok();
    }
    for email in [
        "",
        "a",
        "a@b",
        "@example.com",
        "a@",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a'@example.com",
        " a@example.com",
        "a@example.com ",
        "a@exa mple.com",
        "a@example.c",
        "a@example.c0m1",
        "ä@example.com",
        "a@-",
        "a@@example.com",
        "a@[127.0.0.1]",
        "a@example.com\n",
        "a,b@example.com",
    ] {
        call(email).await.refused(400, "VALIDATION_ERROR").saying("[body.email] Invalid email address");
    }
}

#[on_each_database]
async fn no_text_holds_u0000(database: DatabaseKind) {
    let world = World::start(database).await;
    let good = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD, "image": "/ada.png"});
    for field in ["name", "password", "image"] {
        let mut body = good.clone();
        body[field] = format!("{}\0", good[field].as_str().unwrap()).into();
        let response = world.browser().post("/sign-up/email").json(body).await;
        response.refused(400, "VALIDATION_ERROR").saying(&format!("[body.{field}] Invalid input"));
    }
    world.browser().post("/sign-up/email").json(good).await.ok();
}

#[on_each_database]
async fn a_form_does_too(database: DatabaseKind) {
    let world = World::start(database).await;
    let browser = world.browser();
    let fields = [("name", "Ada L"), ("email", "ada@example.com"), ("password", PASSWORD)];
    let response = browser.post("/sign-up/email").form(&fields).await.ok();
    assert_eq!(response.text("/user/name"), "Ada L");
    browser.post("/sign-in/email").form(&fields[1..]).await.ok();
    // A form has words for true and false, and no others.
    let remembering = |word| [fields[1], fields[2], ("rememberMe", word)];
    let response = browser.post("/sign-in/email").form(&remembering("false")).await.ok();
    assert!(response.set_cookie("dont_remember").is_some(), "{response}");
    browser.post("/sign-in/email").form(&remembering("true")).await.ok();
    let refused = browser.post("/sign-in/email").form(&remembering("yes")).await;
    refused.refused(400, "VALIDATION_ERROR");
    let refused = browser.post("/two-factor/enable").form(&fields[2..]).await;
    refused.refused(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[on_each_database]
async fn a_session_that_is_not_to_be_remembered_ends_with_the_browser(database: DatabaseKind) {
    let world = World::start(database).await;
    let browser = world.browser();
    let body = json!({"name": "a", "email": "a@example.com", "password": PASSWORD, "rememberMe": false});
    let response = browser.post("/sign-up/email").json(body).await.ok();
    assert_eq!(response.set_cookie("session_token").unwrap().attributes, "Path=/; HttpOnly; SameSite=Lax");
    let session = browser.get("/get-session").await.ok();
    assert_eq!(session.text("/session/expiresAt"), "2026-03-02T12:00:00.000Z");
}

#[on_each_database]
async fn callbacks_lead_to_trusted_places_only(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        settings.origin_patterns = vec![OriginPattern::parse("https://app.example.com").unwrap()];
    });
    let world = world.await;
    let call = |url: &str| {
        let body = json!({"name": "a", "email": "a@example.com", "password": "short", "callbackURL": url});
        world.stranger().post("/sign-up/email").json(body)
    };
    for url in ["/dashboard?a=b", "https://app.example.com/x", "http://countersign.test/x"] {
        call(url).await.refused(400, "PASSWORD_TOO_SHORT");
    }
    for url in [
        "//evil.example",
        "/\\evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "https://evil.example",
        "javascript:alert(1)",
    ] {
        call(url).await.refused(403, "INVALID_CALLBACK_URL").saying("Invalid callbackURL");
    }
}

/// Strangers cannot sign up where the tenant does not let them, whatever they send; services create accounts all the same,
/// and users with an account sign in.
#[on_each_database]
async fn a_tenant_can_be_closed_to_strangers(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        let closed = Tenant { sign_up: false, ..Tenant::default() };
        settings.directory = Directory::new(vec![closed], vec![Application::default()]).unwrap();
    })
    .await;
    for (email, password) in [("ada@example.com", PASSWORD), ("ada@example.com", "short")] {
        let body = json!({"name": "Ada", "email": email, "password": password});
        let refused = world.browser().post("/sign-up/email").json(body).await;
        refused.refused(400, "EMAIL_PASSWORD_SIGN_UP_DISABLED").saying("Email and password sign up is not enabled");
    }
    assert_eq!(world.database().number("SELECT COUNT(*) AS number FROM accounts"), 0);

    let service = world.service().await;
    let user = service.user().await;
    service.log_in(&user).await.ok();
    let body = json!({"email": user.email, "password": PASSWORD});
    world.browser().post("/sign-in/email").json(body).await.ok();
    let body = json!({"name": "Ada", "email": user.email, "password": PASSWORD});
    world.browser().post("/sign-up/email").json(body).await.refused(400, "EMAIL_PASSWORD_SIGN_UP_DISABLED");
}
