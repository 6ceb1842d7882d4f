//! Devices that skip the second factor.

use crate::harness::{App, Caller, PASSWORD, Response, User, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

async fn enrolled(world: &World) -> (User, App) {
    let user = world.user("ada").await;
    let app = user.enrol().await;
    (user, app)
}

fn is_challenge(response: &Response) -> bool {
    response.body["twoFactorRedirect"] == json!(true)
}

/// Whether the password alone signs in from there. It uses a copy, so that the client keeps its cookie.
async fn is_trusted(user: &User, caller: &Caller) -> bool {
    !is_challenge(&user.sign_in_from(&caller.copy()).await.ok())
}

#[on_each_database]
async fn a_trusted_device_skips_the_challenge_and_its_cookie_is_renewed(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.challenged().await;
    let body = json!({"code": app.fresh_code(), "trustDevice": true});
    let response = browser.post("/two-factor/verify-totp").json(body).await.ok();
    let trust = response.set_cookie("trust_device").unwrap();
    assert_eq!(trust.attributes, "Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax");
    assert!(trust.value.contains('!'), "mac!id, as on the real server: {}", trust.value);

    browser.post("/sign-out").await.ok();
    assert!(browser.cookie("trust_device").is_some(), "it survives signing out");
    let first = browser.copy();
    let response = user.sign_in_from(&browser).await.ok();
    assert!(!is_challenge(&response));
    let renewed = response.set_cookie("trust_device").unwrap();
    assert!(renewed.value != trust.value && renewed.attributes == trust.attributes);

    // Each value works once: the old one is a challenge, and goes.
    world.clock.advance(MINUTE);
    let replayed = user.sign_in_from(&first).await.ok();
    assert!(is_challenge(&replayed) && replayed.set_cookie("trust_device").unwrap().is_deletion(), "{replayed}");
    assert!(!is_challenge(&user.sign_in_from(&browser).await.ok()), "which does not hurt the new one");
}

/// One of two sign-ins with the same cookie, sent at once, is a challenge. Its response must not take away the cookie that the
/// other one has brought, in whichever order they come.
#[on_each_database]
async fn a_double_click_keeps_the_trusted_device(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    for _ in 0..4 {
        let clicks = [browser.copy(), browser.copy(), browser.copy()];
        let [one, two, three] = &clicks;
        let (one, two, three) = tokio::join!(user.sign_in_from(one), user.sign_in_from(two), user.sign_in_from(three));
        let (losers, winners): (Vec<_>, Vec<_>) =
            [one, two, three].into_iter().map(Response::ok).partition(is_challenge);
        let [winner] = winners.as_slice() else { panic!("single use: {winners:?}") };
        assert!(losers.iter().all(|loser| loser.set_cookie("trust_device").is_none()), "{losers:?}");
        let renewed = winner.set_cookie("trust_device").unwrap();
        assert!(!renewed.is_deletion());
        browser.set_cookie(&renewed.name, &renewed.value);
    }
    assert!(is_trusted(&user, &browser).await);
}

#[on_each_database]
async fn a_replaced_value_is_left_alone_for_a_minute_while_its_successor_is_good(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let replay = async |old: &Caller| {
        let response = user.sign_in_from(&old.copy()).await.ok();
        assert!(is_challenge(&response), "it opens nothing: {response}");
        response.set_cookie("trust_device").is_some_and(|cookie| cookie.is_deletion())
    };
    let old = browser.copy();
    user.sign_in_from(&browser).await.ok();
    assert!(!replay(&old).await);
    world.clock.advance(MINUTE - Duration::from_millis(1));
    assert!(!replay(&old).await);
    world.clock.advance(Duration::from_millis(1));
    assert!(replay(&old).await);
    // The next replacement makes the one before the last a stranger at once.
    let middle = browser.copy();
    user.sign_in_from(&browser).await.ok();
    assert!(replay(&old).await && !replay(&middle).await);
    // With the trust itself everything of it ends.
    user.browser.post("/two-factor/revoke-trusted-devices").json(json!({"password": PASSWORD})).await.ok();
    assert!(replay(&middle).await && replay(&browser).await);
}

#[on_each_database]
async fn it_says_so_in_every_factor_and_spelling(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    for (factor, wish, is_granted) in [
        ("totp", json!(true), true),
        ("totp", json!("true"), true),
        ("totp", json!(false), false),
        ("totp", json!("false"), false),
        ("otp", json!(true), true),
        ("otp", json!("true"), true),
        ("backup-code", json!("true"), true),
        ("backup-code", json!("false"), false),
    ] {
        let browser = user.challenged().await;
        browser.post("/two-factor/send-otp").json(json!({"trustDevice": true})).await.ok();
        let code = match factor {
            "totp" => app.fresh_code(),
            "otp" => world.last_code_for(&user.email),
            _ if is_granted => app.backup_codes[0].clone(),
            _ => app.backup_codes[1].clone(),
        };
        let body = json!({"code": code, "trustDevice": wish});
        browser.post(&format!("/two-factor/verify-{factor}")).json(body).await.ok();
        assert_eq!(is_trusted(&user, &browser).await, is_granted, "{factor} {wish}");
    }
}

#[on_each_database]
async fn the_password_is_always_needed(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let body = json!({"email": user.email, "password": "wrong"});
    browser.copy().post("/sign-in/email").json(body).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    assert!(is_trusted(&user, &browser).await);
}

#[on_each_database]
async fn trust_lasts_thirty_days_since_its_last_use(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    world.clock.advance(29 * DAY);
    assert!(!is_challenge(&user.sign_in_from(&browser).await.ok()));
    world.clock.advance(30 * DAY - Duration::from_millis(1));
    assert!(!is_challenge(&user.sign_in_from(&browser).await.ok()));
    world.clock.advance(30 * DAY);
    let response = user.sign_in_from(&browser).await.ok();
    assert!(is_challenge(&response) && response.set_cookie("trust_device").unwrap().is_deletion());
}

#[on_each_database]
async fn trust_is_for_one_account_36(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let bob = world.user("bob").await;
    bob.enrol().await;
    let theirs = browser.copy();
    let response = bob.sign_in_from(&theirs).await.ok();
    assert!(is_challenge(&response) && response.set_cookie("trust_device").unwrap().is_deletion());
    assert!(is_trusted(&user, &browser).await, "and was not used up by somebody else");
}

#[on_each_database]
async fn a_forged_cookie_is_left_alone_and_worth_nothing(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let value = browser.cookie("trust_device").unwrap();
    browser.set_cookie("better-auth.trust_device", &value.replacen('!', "!x", 1));
    let response = user.sign_in_from(&browser).await.ok();
    assert!(is_challenge(&response) && response.set_cookie("trust_device").is_none(), "{response}");
}

#[on_each_database]
async fn one_value_at_once_from_many_places_signs_one_in(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let browser = user.trusted_with(&app).await;
    let body = json!({"email": user.email, "password": PASSWORD});
    let calls = (0..12).map(|_| tokio::spawn(browser.copy().post("/sign-in/email").json(body.clone()).send()));
    let calls: Vec<_> = calls.collect();
    let mut trusted = 0;
    for call in calls {
        trusted += usize::from(!is_challenge(&call.await.unwrap().ok()));
    }
    assert_eq!(trusted, 1);
}

/// Three browsers, one of them the one that acts: none is trusted afterwards, not even when the second factor is set
/// up again.
#[on_each_database]
async fn trust_dies_with_disable_and_does_not_come_back_28(database: DatabaseKind) {
    let world = World::start(database).await;
    let (user, app) = enrolled(&world).await;
    let (first, second) = (user.trusted_with(&app).await, user.trusted_with(&app).await);
    let acting = first.copy();
    let response = acting.post("/two-factor/disable").json(json!({"password": PASSWORD})).await.ok();
    assert!(response.set_cookie("trust_device").unwrap().is_deletion());
    user.sign_in_from(&user.browser).await.ok();
    user.enrol().await;
    assert!(!is_trusted(&user, &first).await && !is_trusted(&user, &second).await);
}

#[on_each_database]
async fn trust_dies_with_a_new_password_28(database: DatabaseKind) {
    let world = World::start(database).await;
    for ends_others in [false, true] {
        let mut user = world.user(&format!("ada{ends_others}")).await;
        let app = user.enrol().await;
        let browser = user.trusted_with(&app).await;
        let body =
            json!({"currentPassword": PASSWORD, "newPassword": "another horse", "revokeOtherSessions": ends_others});
        user.browser.post("/change-password").json(body).await.ok();
        user.password = "another horse".to_owned();
        assert!(!is_trusted(&user, &browser).await);
    }
}

/// A trust id is good for as many logins as there are until its end, which using it does not move.
#[on_each_database]
async fn a_trust_id_is_used_again_and_again_until_it_ends(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    let challenge = service.challenge(&user).await;
    let body = json!({"twoFactorId": challenge, "code": app.fresh_code(), "trustComputer": true});
    let trust = service.open("/two-factor/login", body).await.ok().text("/twoFactorTrustId");
    let log_in = || {
        let body = json!({"loginId": user.email, "password": PASSWORD, "twoFactorTrustId": trust});
        service.post("/login", body)
    };
    for _ in 0..3 {
        log_in().await.ok();
        world.clock.advance(10 * DAY - Duration::from_millis(1));
    }
    log_in().await.ok();
    world.clock.advance(Duration::from_millis(2));
    log_in().await.ok();
    world.clock.advance(Duration::from_millis(1));
    log_in().await.is(242);
}
