//! Changing the password.

use crate::harness::{Caller, PASSWORD, Response, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

const NEW: &str = "a longer horse, a better battery";

async fn change(caller: &Caller, current: &str, new: &str, revoke: Option<bool>) -> Response {
    let mut body = json!({"currentPassword": current, "newPassword": new});
    if let Some(revoke) = revoke {
        body["revokeOtherSessions"] = revoke.into();
    }
    caller.post("/change-password").json(body).await
}

#[on_each_database]
async fn sessions_go_on_unless_told_otherwise(database: DatabaseKind) {
    let world = World::start(database).await;
    let mut user = world.user("ada").await;
    let other = user.signed_in().await;
    for (current, new, revoke) in [(PASSWORD, NEW, None), (NEW, PASSWORD, Some(false)), (PASSWORD, NEW, None)] {
        let response = change(&user.browser, current, new, revoke).await.ok();
        assert_eq!((&response.body["token"], response.text("/user/id")), (&Value::Null, user.id.clone()));
        assert!(response.set_cookies().is_empty());
    }
    assert!(other.get("/get-session").await.ok().body.is_object());
    user.sign_in_from(&world.browser()).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    user.password = NEW.to_owned();
    user.signed_in().await;
}

#[on_each_database]
async fn all_sessions_end_when_asked_and_the_caller_gets_a_new_one(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let (other, stolen) = (user.signed_in().await, user.browser.copy());
    let response = change(&user.browser, PASSWORD, NEW, Some(true)).await.ok();
    assert_ne!(response.text("/token"), user.first_token);
    assert_eq!(user.browser.get("/get-session").await.ok().text("/session/token"), response.text("/token"));
    for ended in [other, stolen] {
        assert!(ended.get("/get-session").await.ok().body.is_null());
    }
}

#[on_each_database]
async fn bad_passwords_change_nothing(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    change(&user.browser, "wrong", NEW, None).await.refused(400, "INVALID_PASSWORD").saying("Invalid password");
    change(&user.browser, PASSWORD, "short", None)
        .await
        .refused(400, "PASSWORD_TOO_SHORT")
        .saying("Password too short");
    change(&user.browser, PASSWORD, "", None).await.refused(400, "PASSWORD_TOO_SHORT");
    let long = "x".repeat(129);
    change(&user.browser, PASSWORD, &long, None).await.refused(400, "PASSWORD_TOO_LONG").saying("Password too long");
    user.signed_in().await;
}

#[on_each_database]
async fn the_second_factor_stays(database: DatabaseKind) {
    let world = World::start(database).await;
    let mut user = world.user("ada").await;
    let app = user.enrol().await;
    change(&user.browser, PASSWORD, NEW, Some(true)).await.ok();
    user.password = NEW.to_owned();
    user.signed_in_with(&app).await;
    let passed = user.browser.post("/two-factor/get-totp-uri").json(json!({"password": NEW})).await;
    passed.ok();
}

/// Whoever waits in a challenge got there with the old password.
#[on_each_database]
async fn open_challenges_end_with_the_old_password(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let open = user.challenged().await;
    change(&user.browser, PASSWORD, NEW, None).await.ok();
    open.post("/two-factor/verify-totp")
        .json(json!({"code": app.fresh_code()}))
        .await
        .refused(401, "INVALID_TWO_FACTOR_COOKIE");
}
