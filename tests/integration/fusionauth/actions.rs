//! A service locks a user until some time, in both dialects, and unlocks them.

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, Response, World, cheap_passwords, other_tenant, with_other_tenant};
use crate::limits::id_of;
use crate::password_reset::reset_token;
use countersign_domain::ids::TenantId;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

/// The kind of action.
pub(crate) const LOCK: &str = "c0de0000-0000-4000-8000-000000000009";
pub(crate) const NOBODY: &str = "01a1fd04-be02-75f5-bdbd-868b7959e05d";
const LOCKED: &str = "ACCOUNT_TEMPORARILY_LOCKED";
const HOUR: i64 = 3_600_000;

fn lock(user: &str, expiry: i64) -> Value {
    json!({"action": {"actioneeUserId": user, "actionerUserId": NOBODY, "userActionId": LOCK, "expiry": expiry, "comment": "a scam"}})
}

fn until(response: &Response, expiry: i64) {
    assert_eq!(response.body["actions"][0]["expiry"], expiry, "{response}");
    assert_eq!(response.body["actions"][0]["actionId"], LOCK);
}

/// Nothing that was opened before goes on, and nothing new is opened, by any way in.
#[on_each_database]
async fn a_user_whom_a_service_has_locked_cannot_sign_in_in_any_dialect(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.messages.notices_are_on = true;
    })
    .await;
    let service = world.service().await;
    let user = world.user("ada").await;
    let id = id_of(&service, &user.email).await;
    let browser = user.signed_in().await;
    let body = json!({"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION});
    let log_in = || service.post("/login", body.clone());
    let tokens = log_in().await;
    let expiry = world.clock_millis() + HOUR;
    let taken = service.post("/user/action", lock(&id, expiry)).await.ok();
    assert_eq!(
        taken.body["action"],
        json!({
            "id": id, "userActionId": LOCK, "actioneeUserId": id,
            "actionerUserId": NOBODY, "comment": "a scam", "name": "Locked", "localizedName": "Locked",
            "expiry": expiry, "insertInstant": world.clock_millis(),
        })
    );
    // Only who knows the password is told.
    let wrong = json!({"loginId": user.email, "password": "some other password"});
    service.post("/login", wrong).await.is(404);
    until(&log_in().await.is(409), expiry);
    let refused =
        world.browser().post("/sign-in/email").json(json!({"email": user.email, "password": "wrong password"}));
    refused.await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    let refused = user.sign_in_from(&world.browser()).await.refused(429, LOCKED);
    assert!((3_500..=3_600).contains(&refused.retry_after()), "{refused}");
    // What was opened before is refused.
    let paused = browser.get("/get-session").await.ok();
    assert!(paused.body.is_null() && paused.set_cookies().is_empty(), "{paused}");
    let paused = browser.get("/list-sessions").await.refused(401, "UNAUTHORIZED");
    assert!(paused.set_cookies().is_empty(), "{paused}");
    service.with_token(&tokens.text("/token"), "GET", "/jwt/validate").await.is(401);
    service.open("/jwt/refresh", json!({"refreshToken": tokens.text("/refreshToken")})).await.is(404);
    // It ends by itself, and what it has stopped goes on.
    world.clock.advance(Duration::from_millis(HOUR.unsigned_abs()));
    log_in().await.is(tokens.status);
    assert_eq!(browser.get("/get-session").await.ok().text("/user/email"), user.email);
    user.sign_in_from(&world.browser()).await.ok();
    let again = user.signed_in().await;
    service.open("/jwt/refresh", json!({"refreshToken": tokens.text("/refreshToken")})).await.ok();
    service.get(&format!("/user/action/{}", id)).await.is(404);
    // And so it does when a service ends it.
    let forever = service.post("/user/action", lock(&id, i64::MAX)).await.ok();
    assert_eq!(forever.body["action"]["expiry"], i64::MAX);
    let refused = log_in().await.is(409);
    until(&refused, i64::MAX);
    assert_eq!(refused.retry_after(), 86_400, "a day, and no number that a timer cannot count: {refused}");
    let refused = user.sign_in_from(&world.browser()).await.refused(429, LOCKED);
    assert_eq!((refused.retry_after(), refused.header("x-retry-after")), (86_400, Some("86400")), "{refused}");
    assert!(again.get("/get-session").await.ok().body.is_null());
    let ended = service.call("DELETE", &format!("/user/action/{}", id)).await.ok();
    assert_eq!(ended.body, forever.body);
    log_in().await.is(tokens.status);
    user.sign_in_from(&world.browser()).await.ok();
    let kinds = ["account-suspended", "account-unlocked"];
    for (kind, number) in kinds.into_iter().zip([2, 1]) {
        let query =
            format!("SELECT count(*) AS number FROM audit_events WHERE kind = '{kind}' AND account_id = '{}'", user.id);
        assert_eq!(world.database().number(&query), number, "{kind}");
    }
    for _ in 0..100 {
        let notices = world.outbox().messages().into_iter().filter(|message| message["to"] == user.email);
        let sent: Vec<_> =
            notices.filter(|message| kinds.contains(&message["kind"].as_str().unwrap_or_default())).collect();
        if sent.len() == 3 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the user was not notified: {:?}", world.outbox().messages());
}

#[on_each_database]
async fn a_lock_stops_challenges_codes_and_factors_as_wrong_codes_do(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    let email = service.method_id(&user, "email").await;
    let open = service.challenge(&user).await;
    let expiry = world.clock_millis() + HOUR;
    service.post("/user/action", lock(&user.id, expiry)).await.ok();
    until(&service.complete(&open, &app.fresh_code()).await.is(409), expiry);
    until(&service.open(&format!("/two-factor/send/{open}"), json!({"methodId": email})).await.is(409), expiry);
    until(&service.log_in(&user).await.is(409), expiry);
    until(&service.post("/two-factor/send", json!({"userId": user.id, "methodId": email})).await.is(409), expiry);
    // No code was judged.
    let counted = service.get(&format!("/user/lock/{}", user.id)).await.ok();
    assert_eq!((&counted.body["failedAttempts"], &counted.body["lockedUntil"]), (&json!(0), &json!(expiry)));

    let ada = world.user("ada").await;
    let app = ada.enrol().await;
    let challenged = ada.challenged().await;
    service.post("/user/action", lock(&id_of(&service, &ada.email).await, world.clock_millis() + HOUR)).await.ok();
    let code = json!({"code": app.fresh_code()});
    challenged.post("/two-factor/verify-totp").json(code.clone()).await.refused(429, LOCKED);
    challenged.post("/two-factor/send-otp").await.refused(429, LOCKED);
    ada.sign_in_from(&world.browser()).await.refused(429, LOCKED);
    service.call("DELETE", &format!("/user/lock/{}", id_of(&service, &ada.email).await)).await.ok();
    challenged.post("/two-factor/verify-totp").json(code).await.ok();
}

/// A new password ends a lock after wrong codes, because the guesser knows the old one; it does not end a service's.
#[on_each_database]
async fn a_new_password_does_not_end_the_lock_of_a_service(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user_with(json!({"passwordChangeRequired": true})).await;
    let leave = service.log_in(&user).await.is(203).text("/changePasswordId");
    let expiry = world.clock_millis() + HOUR;
    service.post("/user/action", lock(&user.id, expiry)).await.ok();
    let changed =
        service.open(&format!("/user/change-password/{leave}"), json!({"password": "another horse battery"})).await;
    if changed.status == 200 {
        service.post("/login", json!({"oneTimePassword": changed.text("/oneTimePassword")})).await.is(409);
    }
    service.call("PATCH", &format!("/user/{}", user.id)).json(json!({"user": {"password": PASSWORD}})).await.ok();
    until(&service.log_in(&user).await.is(409), expiry);
}

/// The way an administrator unlocks: a lock after wrong codes is seen, and ended, as an action.
#[on_each_database]
async fn a_lock_after_wrong_codes_is_an_action(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let list = |query: &str| service.get(&format!("/user/action?userId={}{query}", user.id));
    assert_eq!(list("").await.ok().body, json!({"actions": []}));
    let path = format!("/user/action/{}", user.id);
    service.get(&path).await.is(404);
    service.call("DELETE", &path).await.is(404);
    service.call("PUT", &path).json(json!({"action": {"expiry": world.clock_millis() + HOUR}})).await.is(404);
    for _ in 0..2 {
        let challenge = service.challenge(&user).await;
        for _ in 0..5 {
            service.complete(&challenge, &app.wrong_code()).await.is(421);
        }
    }
    let locked_until = service.get(&format!("/user/lock/{}", user.id)).await.ok().body["lockedUntil"].clone();
    let shown = json!({
        "id": user.id, "userActionId": LOCK, "actioneeUserId": user.id, "name": "Locked", "localizedName": "Locked",
        "expiry": locked_until,
    });
    assert_eq!(service.get(&path).await.ok().body, json!({"action": shown}));
    for query in ["", "&active=true", "&preventingLogin=true", "&active=null"] {
        assert_eq!(list(query).await.ok().body, json!({"actions": [shown]}), "{query}");
    }
    assert_eq!(list("&active=false").await.ok().body, json!({"actions": []}));
    // It does not become the lock of a service by a change, which would end what is signed in and last as long as it says.
    let soon = world.clock_millis() + 60_000;
    let change = |expiry: i64| service.call("PUT", &path).json(json!({"action": {"expiry": expiry}}));
    change(world.clock_millis() + HOUR).await.wrong("[invalid]actionId");
    assert_eq!(service.get(&path).await.ok().body, json!({"action": shown}));
    // The lock of a service comes on top; of the two the later end counts.
    let mut seen = lock(&user.id, soon);
    seen["action"]["comment"] = json!("seen");
    let changed = service.post("/user/action", seen).await.ok();
    assert_eq!(
        (&changed.body["action"]["expiry"], changed.text("/action/comment")),
        (&locked_until, "seen".to_owned())
    );
    let later = world.clock_millis() + HOUR;
    let changed = service.call("PUT", &path).json(json!({"action": {"expiry": later}})).await.ok();
    assert_eq!((&changed.body["action"]["expiry"], changed.body["action"].get("comment")), (&json!(later), None));
    until(&service.log_in(&user).await.is(409), later);
    let ended = service.call("DELETE", &path).json(json!({"action": {"comment": "let in"}})).await.ok();
    assert_eq!(ended.body, changed.body);
    let challenge = service.challenge(&user).await;
    service.complete(&challenge, &app.fresh_code()).await.ok();
    let counted = service.get(&format!("/user/lock/{}", user.id)).await.ok();
    assert_eq!((&counted.body["guesses"], counted.body.get("lockedUntil")), (&json!(0), None));
}

#[on_each_database]
async fn an_action_that_is_none_is_refused_in_words(database: DatabaseKind) {
    let world = World::with(database, with_other_tenant).await;
    let service = world.service_that(Some(TenantId::DEFAULT), None).await;
    let user = service.user().await;
    let expiry = world.clock_millis() + HOUR;
    for (change, code) in [
        (json!({"actioneeUserId": null}), "[blank]action.actioneeUserId"),
        (json!({"actioneeUserId": "x"}), "[couldNotConvert]action.actioneeUserId"),
        (json!({"userActionId": ""}), "[blank]action.userActionId"),
        (json!({"userActionId": NOBODY}), "[invalid]action.userActionId"),
        (json!({"expiry": null}), "[missing]action.expiry"),
        (json!({"expiry": world.clock_millis()}), "[invalid]action.expiry"),
        (json!({"expiry": 0}), "[invalid]action.expiry"),
        (json!({"expiry": i64::MIN}), "[invalid]action.expiry"),
        (json!({"expiry": "soon"}), "[couldNotConvert]action.expiry"),
        (json!({"actionerUserId": "x"}), "[couldNotConvert]action.actionerUserId"),
        (json!({"applicationIds": [NOBODY]}), "[invalid]action.applicationIds"),
        (json!({"option": "long"}), "[invalid]action.option"),
        (json!({"reasonId": NOBODY}), "[invalid]action.reasonId"),
    ] {
        let mut body = lock(&user.id, expiry);
        body["action"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        service.post("/user/action", body).await.wrong(code);
    }
    service.post("/user/action", json!({})).await.wrong("[missing]action");
    service.post("/user/action", lock(NOBODY, expiry)).await.is(404);
    service.get("/user/action").await.wrong("[blank]userId");
    service.get("/user/action?userId=x").await.wrong("[couldNotConvert]userId");
    service.get(&format!("/user/action?userId={NOBODY}")).await.is(404);
    service.get("/user/action/x").await.wrong("[couldNotConvert]actionId");
    service.log_in(&user).await.ok();
    // Attack 36, for services: another tenant's users are not seen, locked or unlocked.
    let foreign = world.service_that(Some(other_tenant()), None).await;
    foreign.post("/user/action", lock(&user.id, expiry)).await.is(404);
    service.post("/user/action", lock(&user.id, expiry)).await.ok();
    let path = format!("/user/action/{}", user.id);
    foreign.get(&path).await.is(404);
    foreign.get(&format!("/user/action?userId={}", user.id)).await.is(404);
    foreign.call("DELETE", &path).await.is(404);
    foreign.call("PUT", &path).json(lock(&user.id, expiry + 1)).await.is(404);
    until(&service.log_in(&user).await.is(409), expiry);
}

/// Who holds an id or a link acts for nobody while a service's lock lasts. Nothing is used up by trying, and all of it is good again
/// after the lock.
#[on_each_database]
async fn ids_and_links_of_a_locked_user_are_good_for_nothing_until_the_lock_ends(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let service = world.service().await;
    let user = service.user().await;
    let stranger = world.stranger();
    let forgot = json!({"loginId": user.email, "sendForgotPasswordEmail": false});
    let verify_query = format!("/user/verify-email?email={}&sendVerifyEmail=false", user.email);
    let passwordless = json!({"applicationId": APPLICATION, "loginId": user.email});
    let ask = json!({"email": user.email, "redirectTo": "/reset"});
    stranger.post("/send-verification-email").json(json!({"email": user.email, "callbackURL": "/"})).await.ok();
    let verify = world.link_for(&user.email, 1).await;
    let verify = verify.split('&').next().unwrap();
    stranger.post("/request-password-reset").json(ask.clone()).await.ok();
    let token = reset_token(&world, &user.email, 2).await;
    let change = service.post("/user/forgot-password", forgot.clone()).await.ok().text("/changePasswordId");
    let change = format!("/user/change-password/{change}");
    let verification = service.call("PUT", &verify_query).await.ok().text("/verificationId");
    let verification = format!("/user/verify-email/{verification}");
    let code = service.post("/passwordless/start", passwordless.clone()).await.ok().text("/code");

    let expiry = world.clock_millis() + 5 * 60_000;
    service.post("/user/action", lock(&user.id, expiry)).await.ok();
    let new = |token: &str| json!({"newPassword": PASSWORD, "token": token});
    for _ in 0..2 {
        service.get(&change).await.is(404);
        service.open(&change, json!({"password": PASSWORD})).await.is(404);
        service.open(&verification, json!({})).await.is(404);
        until(&service.open("/passwordless/login", json!({"code": code})).await.is(409), expiry);
        stranger.post("/reset-password").json(new(&token)).await.refused(400, "INVALID_TOKEN");
        stranger.call("GET", verify).await.refused(429, LOCKED);
        // None is given meanwhile. A stranger does not learn it.
        service.post("/user/forgot-password", forgot.clone()).await.is(404);
        service.call("PUT", &verify_query).await.is(404);
        service.post("/passwordless/start", passwordless.clone()).await.is(404);
        service.open("/user/forgot-password", json!({"loginId": user.email})).await.ok();
        stranger.post("/request-password-reset").json(ask.clone()).await.ok();
    }
    assert_eq!(world.outbox().links_for(&user.email).len(), 2);

    world.clock.advance(Duration::from_secs(5 * 60));
    service.get(&change).await.ok();
    stranger.call("GET", verify).await.ok();
    service.open(&verification, json!({})).await.ok();
    service.open("/passwordless/login", json!({"code": code})).await.ok();
    service.open(&change, json!({"password": "another horse battery"})).await.ok();
    stranger.post("/reset-password").json(new(&token)).await.refused(400, "INVALID_TOKEN").saying("Invalid token");
}
