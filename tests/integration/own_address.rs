//! Proving, changing and restoring one's e-mail address by mailed links.

use crate::harness::service::APPLICATION;
use crate::harness::{Authenticator, Caller, PASSWORD, Response, User, World, cheap_passwords};
use crate::limits::wrong_codes;
use crate::passkeys::register;
use crate::password_reset::reset_token;
use countersign::config::Settings;
use countersign_domain::tenant::{Directory, MailedCodes, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const NEW: &str = "countess@example.com";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn ask(caller: &Caller, email: &str) -> Response {
    caller.post("/send-verification-email").json(json!({"email": email, "callbackURL": "/welcome"})).await
}

async fn change(caller: &Caller, email: &str) -> Response {
    caller.post("/change-email").json(json!({"newEmail": email, "callbackURL": "/settings"})).await
}

/// Without the page, so that errors are responses.
fn bare(link: &str) -> &str {
    link.split('&').next().unwrap()
}

/// Brings the user to a verified address.
async fn verify(world: &World, user: &User) {
    ask(&user.browser, &user.email).await.ok();
    let link = world.link_for(&user.email, 1).await;
    user.browser.call("GET", bare(&link)).await.ok();
}

async fn shown(caller: &Caller) -> (String, bool) {
    let session = caller.get("/get-session").await.ok();
    (session.text("/user/email"), session.body["user"]["emailVerified"] == true)
}

fn verified_first(settings: &mut Settings) {
    cheap_passwords(settings);
    let tenant = Tenant { requires_verified_email: true, ..Tenant::default() };
    settings.directory = Directory::new(vec![tenant], Vec::new()).unwrap();
}

#[on_each_database]
async fn a_link_verifies_the_address_once(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let stranger = world.stranger();
    assert_eq!(ask(&stranger, "ADA@example.com").await.ok().body, json!({"status": true}));
    let link = world.link_for(&user.email, 1).await;
    assert!(
        link.starts_with("/api/auth/verify-email?token=vrf-") && link.ends_with("&callbackURL=%2Fwelcome"),
        "{link}"
    );
    let followed = stranger.call("GET", &link).await.is(302);
    assert_eq!((followed.header("location"), followed.set_cookies().len()), (Some("/welcome"), 0), "{followed}");
    assert_eq!(shown(&user.browser).await, (user.email.clone(), true));
    let again = stranger.call("GET", &link).await.is(302);
    assert_eq!(again.header("location"), Some("/welcome?error=INVALID_TOKEN"));
    stranger.call("GET", bare(&link)).await.refused(401, "INVALID_TOKEN").saying("Invalid token");
    // Nothing is left to verify, which nobody else learns.
    ask(&user.browser, &user.email).await.refused(400, "EMAIL_ALREADY_VERIFIED");
    ask(&user.browser, "bob@example.com").await.refused(400, "EMAIL_MISMATCH");
    for email in [user.email.as_str(), "nobody@example.com"] {
        assert_eq!(ask(&stranger, email).await.ok().body, json!({"status": true}));
    }
    assert_eq!(world.outbox().links_for(&user.email).len(), 1);
}

#[on_each_database]
async fn a_link_dies_with_time_with_the_password_and_in_another_users_session(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let other = world.user("bob").await;
    let stranger = world.stranger();
    ask(&stranger, &user.email).await.ok();
    let late = world.link_for(&user.email, 1).await;
    world.clock.advance(HOUR);
    stranger.call("GET", bare(&late)).await.refused(401, "INVALID_TOKEN");
    ask(&stranger, &user.email).await.ok();
    let link = world.link_for(&user.email, 2).await;
    other.browser.call("GET", bare(&link)).await.refused(401, "INVALID_USER");
    let body = json!({"currentPassword": PASSWORD, "newPassword": "another horse"});
    user.browser.post("/change-password").json(body).await.ok();
    stranger.call("GET", bare(&link)).await.refused(401, "INVALID_TOKEN");
    assert!(!shown(&user.browser).await.1);
    // A link of one kind does nothing where another is wanted.
    ask(&stranger, &user.email).await.ok();
    let link = world.link_for(&user.email, 3).await;
    let (_, token) = bare(&link).split_once("token=").unwrap();
    let body = json!({"newPassword": "yet another horse", "token": token});
    stranger.post("/reset-password").json(body).await.refused(400, "INVALID_TOKEN");
    user.browser.post("/delete-user").json(json!({"token": token})).await.refused(404, "INVALID_TOKEN");
}

/// A mailed code shows the same as a mailed link.
#[on_each_database]
async fn a_mailed_code_verifies_the_address_too(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    user.enrol().await;
    user.browser.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    user.browser.post("/two-factor/verify-otp").json(code).await.ok();
    assert!(shown(&user.browser).await.1);
}

#[on_each_database]
async fn where_an_address_has_to_be_verified_nobody_signs_in_before(database: DatabaseKind) {
    let world = World::with(database, verified_first).await;
    let service = world.service().await;
    let browser = world.browser();
    let body = json!({"name": "Ada", "email": "Ada@example.com", "password": PASSWORD, "callbackURL": "/welcome"});
    let sign_up = || browser.post("/sign-up/email").json(body.clone());
    let first = sign_up().await.is(202);
    assert!(first.body["token"].is_null() && first.set_cookies().is_empty(), "{first}");
    assert_eq!(
        (first.text("/user/email"), first.body["user"]["emailVerified"] == false),
        ("ada@example.com".into(), true)
    );
    // Who has an account is not said.
    let second = sign_up().await.is(202);
    assert_eq!(second.body["user"].as_object().unwrap().len(), first.body["user"].as_object().unwrap().len());
    assert_ne!(second.text("/user/id"), first.text("/user/id"));
    let sign_in = || browser.post("/sign-in/email").json(json!({"email": "ada@example.com", "password": PASSWORD}));
    sign_in().await.refused(403, "EMAIL_NOT_VERIFIED").saying("Email not verified");
    let login = json!({"loginId": "ada@example.com", "password": PASSWORD});
    service.post("/login", login.clone()).await.is(423);
    let wrong = json!({"email": "ada@example.com", "password": "wrong"});
    browser.post("/sign-in/email").json(wrong).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    let link = world.link_for("ada@example.com", 1).await;
    assert_eq!(browser.call("GET", &link).await.is(302).header("location"), Some("/welcome"));
    assert_eq!(world.outbox().links_for("ada@example.com").len(), 1, "only the account was mailed a link");
    sign_in().await.ok();
    service.post("/login", login).await.ok();
}

/// Where the operator has chosen that a verified address signs in.
#[on_each_database]
async fn a_verified_link_that_signs_in_skips_no_second_factor_22_24(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.verification_signs_in = true;
    });
    let world = world.await;
    let user = world.user("ada").await;
    ask(&world.stranger(), &user.email).await.ok();
    let link = world.link_for(&user.email, 1).await;
    let browser = world.browser();
    let followed = browser.call("GET", &link).await.is(302);
    assert_eq!(followed.header("location"), Some("/welcome"));
    assert_eq!(shown(&browser).await, (user.email.clone(), true));
    browser.call("GET", &link).await.is(302);
    assert_eq!(world.browser().call("GET", bare(&link)).await.refused(401, "INVALID_TOKEN").set_cookies().len(), 0);

    let enrolled = world.user("bob").await;
    let app = enrolled.enrol().await;
    for (count, with_page) in [(1, true), (2, false)] {
        let id = enrolled.id.clone();
        let unverified = "UPDATE accounts SET email_verified = false";
        world.database().execute(&format!("{unverified} WHERE id = '{id}'"));
        ask(&world.stranger(), &enrolled.email).await.ok();
        let link = world.link_for(&enrolled.email, count).await;
        let browser = world.browser();
        if with_page {
            let followed = browser.call("GET", &link).await.is(302);
            assert_eq!(followed.header("location"), Some("/welcome?twoFactorRedirect=true"));
        } else {
            let followed = browser.call("GET", bare(&link)).await.ok();
            assert_eq!((&followed.body["status"], &followed.body["twoFactorRedirect"]), (&json!(true), &json!(true)));
            // The holder of the link has read a mail, and is shown nothing else of the account.
            let user = &followed.body["user"];
            assert_eq!(
                (&user["email"], &user["emailVerified"], &user["name"], user.get("id")),
                (&json!(enrolled.email), &json!(true), &json!(""), None)
            );
        }
        assert!(browser.get("/get-session").await.ok().body.is_null(), "no session before the second factor");
        browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
        assert_eq!(shown(&browser).await, (enrolled.email.clone(), true));
    }
}

/// A published client requires the user, with each kind of link that does something.
#[on_each_database]
async fn a_link_that_is_followed_shows_its_user(database: DatabaseKind) {
    for signs_in in [false, true] {
        let world = World::with(database, |settings| {
            cheap_passwords(settings);
            settings.verification_signs_in = signs_in;
        });
        let world = world.await;
        let user = world.user("ada").await;
        let read = async || user.browser.get("/get-session").await.ok().body["user"].clone();
        ask(&world.stranger(), &user.email).await.ok();
        world.clock.advance(Duration::from_secs(60));
        let followed = world.browser().call("GET", bare(&world.link_for(&user.email, 1).await)).await.ok();
        assert_eq!(followed.body, json!({"status": true, "user": read().await}));
        assert_eq!(
            (followed.text("/user/id"), followed.body["user"]["emailVerified"] == true),
            (user.id.clone(), true)
        );
        assert_eq!(followed.set_cookies().is_empty(), !signs_in, "{followed}");

        change(&user.browser, NEW).await.ok();
        world.clock.advance(Duration::from_secs(60));
        let changed = world.browser().call("GET", bare(&world.link_for(NEW, 1).await)).await.ok();
        assert_eq!(changed.body, json!({"status": true, "user": read().await}));
        world.clock.advance(Duration::from_secs(60));
        let restored = world.browser().call("GET", bare(&world.link_for(&user.email, 2).await)).await.ok();
        assert_eq!((restored.text("/user/id"), restored.text("/user/email")), (user.id.clone(), user.email.clone()));
        assert_ne!(restored.text("/user/updatedAt"), changed.text("/user/updatedAt"));
    }
}

/// An address that signs in is mailed links, also one that only a service can give to a user.
#[on_each_database]
async fn an_address_that_only_a_service_can_give_gets_links(database: DatabaseKind) {
    const EMAIL: &str = "o!neil#$%&'*/=?^`{|}~@example.com";
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user_with(json!({"email": EMAIL})).await;
    let stranger = world.stranger();
    for (count, email) in [(1, EMAIL), (2, "O!NEIL#$%&'*/=?^`{|}~@example.com")] {
        ask(&stranger, email).await.ok();
        world.link_for(EMAIL, count).await;
    }
    let link = world.link_for(EMAIL, 2).await;
    assert_eq!(stranger.call("GET", bare(&link)).await.ok().text("/user/id"), user.id.replace('-', ""));
    for (count, path) in [(3, "/request-password-reset"), (4, "/forget-password")] {
        stranger.post(path).json(json!({"email": EMAIL, "redirectTo": "/reset"})).await.ok();
        let token = reset_token(&world, EMAIL, count).await;
        let body = json!({"newPassword": format!("another horse {count}"), "token": token});
        stranger.post("/reset-password").json(body).await.ok();
        let body = json!({"email": EMAIL, "password": format!("another horse {count}")});
        world.browser().post("/sign-in/email").json(body).await.ok();
    }
    for email in
        ["", "o!neil", "o..neil@example.com", "\"o neil\"@example.com", " o!neil@example.com", "o@b\u{fc}.example"]
    {
        for path in ["/send-verification-email", "/request-password-reset", "/forget-password"] {
            let refused = stranger.post(path).json(json!({"email": email})).await.refused(400, "VALIDATION_ERROR");
            refused.saying("[body.email] Invalid email address");
        }
    }
    // A new one is not as liberal, as there: not everything in front of a mail server takes it.
    let signed_up = json!({"name": "", "email": "p!neil@example.com", "password": PASSWORD});
    world.browser().post("/sign-up/email").json(signed_up).await.refused(400, "VALIDATION_ERROR");
}

#[on_each_database]
async fn another_address_is_proved_before_it_is_the_users(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    verify(&world, &user).await;
    change(&user.browser, "ADA@example.com").await.refused(400, "EMAIL_IS_THE_SAME").saying("Email is the same");
    assert_eq!(change(&user.browser, "Countess@Example.com").await.ok().body, json!({"status": true}));
    assert_eq!(shown(&user.browser).await.0, user.email, "nothing has changed yet");
    let link = world.link_for(NEW, 1).await;
    assert!(
        link.starts_with("/api/auth/verify-email?token=chg-") && link.ends_with("&callbackURL=%2Fsettings"),
        "{link}"
    );
    let changed = user.browser.call("GET", bare(&link)).await.ok();
    assert_eq!((changed.text("/user/email"), changed.body["user"]["emailVerified"] == true), (NEW.to_owned(), true));
    user.browser.call("GET", bare(&link)).await.refused(401, "INVALID_TOKEN");
    assert_eq!(shown(&user.browser).await, (NEW.to_owned(), true), "the session goes on");
    user.sign_in_from(&world.browser()).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    world.browser().post("/sign-in/email").json(json!({"email": NEW, "password": PASSWORD})).await.ok();
    let back = world.link_for(&user.email, 2).await;
    assert!(back.starts_with("/api/auth/verify-email?token=rev-"), "{back}");
    let events = world.database().number("SELECT count(*) AS number FROM audit_events WHERE kind = 'address-changed'");
    assert_eq!(events, 1);
}

#[on_each_database]
async fn an_address_of_somebody_else_is_not_taken_and_not_betrayed_44(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let other = world.user("bob").await;
    let responses = [change(&user.browser, &other.email).await.ok(), change(&user.browser, NEW).await.ok()];
    assert_eq!(responses[0].body, responses[1].body);
    let link = world.link_for(NEW, 1).await;
    assert_eq!(world.outbox().links_for(&other.email), Vec::<String>::new());
    // Somebody takes it before the link is followed.
    let body = json!({"name": "", "email": NEW, "password": PASSWORD});
    world.browser().post("/sign-up/email").json(body).await.ok();
    user.browser.call("GET", bare(&link)).await.refused(401, "USER_ALREADY_EXISTS");
    assert_eq!(shown(&user.browser).await.0, user.email);
}

#[on_each_database]
async fn changing_the_address_asks_for_a_fresh_second_factor_26_27(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let older = user.signed_in().await;
    let app = user.enrol().await;
    change(&older, NEW).await.refused(403, "SECOND_FACTOR_REQUIRED");
    world.clock.advance(HOUR);
    change(&user.browser, NEW).await.refused(403, "SECOND_FACTOR_REQUIRED");
    assert_eq!(world.outbox().links_for(NEW), Vec::<String>::new());
    user.browser.post("/two-factor/verify-totp").json(json!({"code": app.fresh_code()})).await.ok();
    change(&user.browser, NEW).await.ok();
    let link = world.link_for(NEW, 1).await;
    // While somebody guesses, factors stay where they are; the method for codes by e-mail would follow the address.
    wrong_codes(&user, &app, 10).await;
    change(&user.browser, "other@example.com").await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    user.browser.call("GET", bare(&link)).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    let followed = user.browser.call("GET", &link).await.is(302);
    assert_eq!(followed.header("location"), Some("/settings?error=ACCOUNT_TEMPORARILY_LOCKED"));
    assert_eq!(shown(&user.browser).await.0, user.email);
    world.clock.advance(Duration::from_secs(15 * 60));
    user.browser.call("GET", bare(&link)).await.ok();
}

/// A session that was copied long ago does not take the account by its address.
#[on_each_database]
async fn without_a_second_factor_changing_the_address_asks_for_a_sign_in_of_the_day_26(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    change(&user.browser, NEW).await.ok();
    world.clock.advance(23 * HOUR);
    change(&user.browser, NEW).await.ok();
    world.clock.advance(HOUR);
    change(&user.browser, "other@example.com").await.refused(403, "SESSION_NOT_FRESH");
    change(&user.signed_in().await, "other@example.com").await.ok();
    // What is mailed to the account's own address shows more than a session.
    ask(&user.browser, &user.email).await.ok();
}

#[on_each_database]
async fn the_codes_of_a_mailed_method_follow_the_address(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        let tenant = Tenant { mailed_codes: MailedCodes::Verified, ..Tenant::default() };
        settings.directory = Directory::new(vec![tenant], Vec::new()).unwrap();
    });
    let world = world.await;
    let user = world.user("ada").await;
    verify(&world, &user).await;
    user.browser.post("/two-factor/enable").json(json!({"password": PASSWORD, "method": "otp"})).await.ok();
    user.browser.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(&user.email)});
    user.browser.post("/two-factor/verify-otp").json(code).await.ok();
    user.browser.post("/two-factor/send-otp").await.ok();
    let sent_before = world.last_code_for(&user.email);
    change(&user.browser, NEW).await.ok();
    user.browser.call("GET", bare(&world.link_for(NEW, 1).await)).await.ok();
    let dead = user.browser.post("/two-factor/verify-otp").json(json!({"code": sent_before})).await;
    dead.refused(400, "OTP_HAS_EXPIRED");
    let challenged = world.browser();
    challenged.post("/sign-in/email").json(json!({"email": NEW, "password": PASSWORD})).await.ok();
    challenged.post("/two-factor/send-otp").await.ok();
    let code = json!({"code": world.last_code_for(NEW)});
    challenged.post("/two-factor/verify-otp").json(code).await.ok();
}

/// What a change of address ends, and what it does not, in both dialects.
#[on_each_database]
async fn a_new_address_ends_links_and_codes_and_nothing_else_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let service = world.service().await;
    let stranger = world.stranger();
    verify(&world, &user).await;
    let app = user.enrol().await;
    let trusted = user.trusted_with(&app).await;
    let login = json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION});
    let waiting = service.post("/login", login).await.is(242).text("/twoFactorId");
    let tokens = service.complete(&waiting, &app.fresh_code()).await.is(202);
    stranger.post("/request-password-reset").json(json!({"email": user.email})).await.ok();
    let reset = reset_token(&world, &user.email, 2).await;
    change(&user.browser, NEW).await.ok();
    change(&user.browser, "third@example.com").await.ok();
    let (link, other) = (world.link_for(NEW, 1).await, world.link_for("third@example.com", 1).await);
    stranger.call("GET", bare(&link)).await.ok();
    stranger.call("GET", bare(&other)).await.refused(401, "INVALID_TOKEN");
    let body = json!({"newPassword": "another horse", "token": reset});
    stranger.post("/reset-password").json(body).await.refused(400, "INVALID_TOKEN");
    assert_eq!(shown(&user.browser).await.0, NEW);
    let sign_in = json!({"email": NEW, "password": PASSWORD});
    assert_eq!(trusted.post("/sign-in/email").json(sign_in).await.ok().body["twoFactorRedirect"], Value::Null);
    service.open("/jwt/refresh", json!({"refreshToken": tokens.text("/refreshToken")})).await.ok();
    service.with_token(&tokens.text("/token"), "GET", "/jwt/validate").await.ok();
}

/// Somebody has taken the account over, changed the address and the password; the owner reads the notice days later.
#[on_each_database]
async fn the_old_address_has_a_way_back_that_ends_everything_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let service = world.service().await;
    verify(&world, &user).await;
    let thief = user.signed_in().await;
    register(&thief, &mut Authenticator::new()).await.ok();
    change(&thief, NEW).await.ok();
    thief.call("GET", bare(&world.link_for(NEW, 1).await)).await.ok();
    let body = json!({"currentPassword": PASSWORD, "newPassword": "a thief's horse", "revokeOtherSessions": true});
    thief.post("/change-password").json(body).await.ok();
    // A second change of address hides nothing, and the way back to the thief's address ends with it.
    change(&thief, "third@example.com").await.ok();
    thief.call("GET", bare(&world.link_for("third@example.com", 1).await)).await.ok();
    let to_thief = world.link_for(NEW, 2).await;
    let login = json!({"loginId": "third@example.com", "password": "a thief's horse", "applicationId": APPLICATION});
    let tokens = service.post("/login", login.clone()).await.is(202);
    world.clock.advance(DAY * 6);
    // Meanwhile nobody else can take the address.
    let sign_up = json!({"name": "", "email": user.email, "password": PASSWORD});
    let taken = world.browser().post("/sign-up/email").json(sign_up.clone()).await;
    taken.refused(422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL");
    let by_service = json!({"user": {"email": user.email, "password": PASSWORD}});
    service.post("/user", by_service).await.wrong("[duplicate]user.email");

    let back = world.link_for(&user.email, 2).await;
    let restored = world.browser().call("GET", bare(&back)).await.ok();
    assert_eq!((restored.body["status"] == true, restored.set_cookies().len()), (true, 0));
    assert_eq!((restored.text("/user/id"), restored.text("/user/email")), (user.id.clone(), user.email.clone()));
    assert!(thief.get("/get-session").await.ok().body.is_null());
    assert_eq!(world.database().number("SELECT count(*) AS number FROM passkeys"), 0);
    service.open("/jwt/refresh", json!({"refreshToken": tokens.text("/refreshToken")})).await.is(404);
    service.post("/login", login).await.is(404);
    for link in [&back, &to_thief] {
        world.stranger().call("GET", bare(link)).await.refused(401, "INVALID_TOKEN");
    }
    // No old password counts; a link sets the next one.
    for password in [PASSWORD, "a thief's horse"] {
        let body = json!({"email": user.email, "password": password});
        world.browser().post("/sign-in/email").json(body).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    world.stranger().post("/request-password-reset").json(json!({"email": user.email})).await.ok();
    let token = reset_token(&world, &user.email, 3).await;
    let body = json!({"newPassword": "the owner's horse", "token": token});
    world.stranger().post("/reset-password").json(body).await.ok();
    let body = json!({"email": user.email, "password": "the owner's horse"});
    world.browser().post("/sign-in/email").json(body).await.ok();
}

#[on_each_database]
async fn the_way_back_ends_after_its_time_and_is_for_proved_addresses_only(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    verify(&world, &user).await;
    change(&user.browser, NEW).await.ok();
    user.browser.call("GET", bare(&world.link_for(NEW, 1).await)).await.ok();
    let back = world.link_for(&user.email, 2).await;
    world.clock.advance(DAY * 7);
    world.stranger().call("GET", bare(&back)).await.refused(401, "INVALID_TOKEN");
    let sign_up = json!({"name": "", "email": user.email, "password": PASSWORD});
    world.browser().post("/sign-up/email").json(sign_up).await.ok();
    // An address that nobody has proved may be a stranger's, who must not get the account.
    let other = world.user("bob").await;
    change(&other.browser, "robert@example.com").await.ok();
    other.browser.call("GET", bare(&world.link_for("robert@example.com", 1).await)).await.ok();
    assert_eq!(world.outbox().links_for(&other.email), Vec::<String>::new());
    assert_eq!(world.database().number("SELECT count(*) AS number FROM former_addresses"), 1);
}

/// A service knows which address is the owner's: what was mailed before is dead.
#[on_each_database]
async fn a_service_that_changes_the_address_ends_links_and_the_way_back_28(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let service = world.service().await;
    verify(&world, &user).await;
    change(&user.browser, NEW).await.ok();
    user.browser.call("GET", bare(&world.link_for(NEW, 1).await)).await.ok();
    let back = world.link_for(&user.email, 2).await;
    change(&user.browser, "third@example.com").await.ok();
    let waiting = world.link_for("third@example.com", 1).await;
    let id = service.get(&format!("/user?loginId={NEW}")).await.ok().text("/user/id");
    let body = json!({"user": {"email": "by-service@example.com"}});
    service.call("PATCH", &format!("/user/{id}")).json(body).await.ok();
    for link in [&back, &waiting] {
        world.stranger().call("GET", bare(link)).await.refused(401, "INVALID_TOKEN");
    }
    assert_eq!(shown(&user.browser).await.0, "by-service@example.com", "the session goes on");
}

#[on_each_database]
async fn addresses_lead_to_trusted_pages_only(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    for page in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let body = json!({"email": user.email, "newEmail": NEW, "callbackURL": page});
        for path in ["/send-verification-email", "/change-email", "/delete-user"] {
            user.browser.post(path).json(body.clone()).await.refused(403, "INVALID_CALLBACK_URL");
        }
        let page: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
        for path in ["/verify-email", "/delete-user/callback"] {
            let followed = user.browser.get(&format!("{path}?token=x&callbackURL={page}")).await;
            followed.refused(403, "INVALID_CALLBACK_URL");
        }
    }
}
