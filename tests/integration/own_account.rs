//! Name, picture and end of one's own account.

use crate::harness::{Caller, PASSWORD, Response, World, cheap_passwords};
use crate::limits::wrong_codes;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

async fn update(caller: &Caller, body: Value) -> Response {
    caller.post("/update-user").json(body).await
}

async fn delete(caller: &Caller, body: Value) -> Response {
    caller.post("/delete-user").json(body).await
}

#[on_each_database]
async fn name_and_picture_change_each_by_itself(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let shown = async || {
        let user = user.browser.get("/get-session").await.ok().body["user"].clone();
        (user["name"].clone(), user["image"].clone())
    };
    let updated = update(&user.browser, json!({"name": "Countess"})).await.ok();
    assert_eq!(updated.body, json!({"status": true}));
    assert!(updated.set_cookie("session_token").is_some());
    assert_eq!(shown().await, (json!("Countess"), Value::Null));
    update(&user.browser, json!({"image": "https://example.com/a.png", "id": "x", "other": 1})).await.ok();
    assert_eq!(shown().await, (json!("Countess"), json!("https://example.com/a.png")));
    update(&user.browser, json!({"image": null, "name": ""})).await.ok();
    assert_eq!(shown().await, (json!(""), Value::Null));
    for body in [json!({}), json!({"other": 1}), json!({"emailVerified": true}), json!({"twoFactorEnabled": false})] {
        update(&user.browser, body).await.refused(400, "NO_FIELDS_TO_UPDATE").saying("No fields to update");
    }
    let email = update(&user.browser, json!({"name": "x", "email": "x@example.com"})).await;
    email.refused(400, "EMAIL_CAN_NOT_BE_UPDATED").saying("Email can not be updated");
    update(&user.browser, json!({"twoFactorEnabled": true})).await.refused(400, "FIELD_NOT_ALLOWED");
    update(&user.browser, json!({"name": 7})).await.refused(400, "VALIDATION_ERROR");
    assert_eq!(shown().await.0, json!(""));
}

#[on_each_database]
async fn sessions_have_nothing_to_update(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    for body in [json!({}), json!({"ipAddress": "192.0.2.1"}), json!({"token": "x", "theme": "dark"})] {
        let response = user.browser.post("/update-session").json(body).await;
        response.refused(400, "NO_FIELDS_TO_UPDATE").saying("No fields to update");
    }
}

#[on_each_database]
async fn an_account_is_deleted_by_its_password_and_only_the_audit_trail_is_left_a_7_4_2(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    user.enrol().await;
    let other = user.browser.copy();
    delete(&user.browser, json!({"password": "wrong"})).await.refused(400, "INVALID_PASSWORD");
    user.browser.post("/send-verification-email").json(json!({"email": user.email})).await.ok();
    let deleted = delete(&user.browser, json!({"password": PASSWORD})).await.ok();
    assert_eq!(deleted.body, json!({"success": true, "message": "User deleted"}));
    assert!(deleted.set_cookie("session_token").unwrap().is_deletion());
    assert!(other.get("/get-session").await.ok().body.is_null());
    user.sign_in_from(&world.browser()).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    for table in ["accounts", "methods", "backup_codes", "sessions", "tickets", "mailed_codes", "messages"] {
        let rows = world.database().number(&format!("SELECT count(*) AS number FROM {table}"));
        assert_eq!(rows, 0, "{table}");
    }
    // What is counted for nobody's account ends within the hour, and names no address.
    let named = format!("SELECT count(*) AS number FROM budgets WHERE name LIKE '%{}%'", user.email);
    assert_eq!(world.database().number(&named), 0);
    assert_ne!(
        world.database().number("SELECT count(*) AS number FROM budgets WHERE name LIKE '%mailed-links-to:%'"),
        0
    );
    let about = format!("SELECT count(*) AS number FROM budgets WHERE account_id = '{}'", user.id);
    assert_eq!(world.database().number(&about), 0);
    let events = "SELECT count(*) AS number FROM audit_events WHERE kind = 'account-deleted' AND account_id";
    assert_eq!(world.database().number(&format!("{events} = '{}'", user.id)), 1);
    // The address is free.
    world.user("ada").await;
}

#[on_each_database]
async fn without_the_password_a_mailed_link_is_needed_in_a_session_of_the_same_user(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let [ada, bob] = [world.user("ada").await, world.user("bob").await];
    let sent = delete(&ada.browser, json!({"callbackURL": "/goodbye"})).await.ok();
    assert_eq!(sent.body, json!({"success": true, "message": "Verification email sent"}));
    let link = world.link_for(&ada.email, 1).await;
    assert!(link.starts_with("/api/auth/delete-user/callback?token=del-") && link.ends_with("&callbackURL=%2Fgoodbye"));
    world.browser().call("GET", &link).await.refused(404, "FAILED_TO_GET_USER_INFO").saying("Failed to get user info");
    bob.browser.call("GET", &link).await.refused(404, "INVALID_TOKEN").saying("Invalid token");
    let token = link.split("token=").nth(1).unwrap().split('&').next().unwrap();
    delete(&bob.browser, json!({"token": token})).await.refused(404, "INVALID_TOKEN");
    assert!(ada.browser.get("/get-session").await.ok().body.is_object());
    assert_eq!(ada.browser.call("GET", &link).await.is(302).header("location"), Some("/goodbye"));
    ada.sign_in_from(&world.browser()).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    delete(&bob.browser, json!({})).await.ok();
    let link = world.link_for(&bob.email, 1).await;
    let token = link.split("token=").nth(1).unwrap().split('&').next().unwrap();
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    delete(&bob.browser, json!({"token": token})).await.refused(404, "INVALID_TOKEN");
}

#[on_each_database]
async fn deleting_asks_for_a_fresh_second_factor_26_27(database: DatabaseKind) {
    let world = World::with(database, cheap_passwords).await;
    let user = world.user("ada").await;
    let older = user.signed_in().await;
    let app = user.enrol().await;
    for body in [json!({"password": PASSWORD}), json!({}), json!({"token": "del-Vh3mZq8LxT0bYw5kRj7NcD2s"})] {
        delete(&older, body).await.refused(403, "SECOND_FACTOR_REQUIRED");
    }
    delete(&user.browser, json!({})).await.ok();
    let link = world.link_for(&user.email, 1).await;
    older.call("GET", &link).await.refused(403, "SECOND_FACTOR_REQUIRED");
    wrong_codes(&user, &app, 10).await;
    user.browser.call("GET", &link).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    delete(&user.browser, json!({"password": PASSWORD})).await.refused(429, "ACCOUNT_TEMPORARILY_LOCKED");
    world.clock.advance(Duration::from_secs(15 * 60));
    user.browser.call("GET", &link).await.is(302);
    user.sign_in_from(&world.browser()).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
}

#[on_each_database]
async fn deleting_can_be_switched_off(database: DatabaseKind) {
    let world = World::with(database, |settings| {
        cheap_passwords(settings);
        settings.deletion_is_on = false;
    });
    let world = world.await;
    let user = world.user("ada").await;
    for body in [json!({"password": PASSWORD}), json!({})] {
        delete(&user.browser, body).await.refused(404, "NOT_FOUND");
    }
    let followed = user.browser.get("/delete-user/callback?token=del-Vh3mZq8LxT0bYw5kRj7NcD2s").await;
    followed.refused(404, "NOT_FOUND");
}
