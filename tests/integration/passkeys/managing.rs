//! Listing, renaming and removing.

use super::{SIGN_IN_OPTIONS, events, options, passkeys, register, send_assertion, sign_in};
use crate::harness::{Authenticator, Caller, Response, World};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

async fn rename(browser: &Caller, id: &str, name: &str) -> Response {
    browser.post("/passkey/update-passkey").json(json!({"id": id, "name": name})).await
}

async fn remove(browser: &Caller, id: &str) -> Response {
    browser.post("/passkey/delete-passkey").json(json!({"id": id})).await
}

#[on_each_database]
async fn passkeys_are_listed_by_age_and_renamed(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(register(&user.browser, &mut Authenticator::new()).await.ok().text("/id"));
        world.clock.advance(std::time::Duration::from_secs(1));
    }
    let renamed = rename(&user.browser, &ids[1], "  My phone ").await.ok();
    assert_eq!((renamed.text("/passkey/id"), renamed.text("/passkey/name")), (ids[1].clone(), "My phone".to_owned()));
    let listed = passkeys(&user.browser).await;
    let shown: Vec<_> = listed.iter().map(|passkey| passkey["id"].as_str().unwrap()).collect();
    assert_eq!(shown, ids);
    assert_eq!(listed[1]["name"], "My phone");
    rename(&user.browser, &ids[1], "   ").await.refused(400, "VALIDATION_ERROR");
    rename(&user.browser, &ids[1], "").await.refused(400, "VALIDATION_ERROR");
    assert_eq!(events(&world, "passkey-renamed"), 1);
}

#[on_each_database]
async fn a_removed_passkey_signs_in_no_more_and_can_be_registered_anew(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    let id = register(&user.browser, &mut authenticator).await.ok().text("/id");
    let thief = world.browser();
    sign_in(&thief, &mut authenticator).await.ok();
    remove(&user.browser, &id).await.ok();
    assert!(passkeys(&user.browser).await.is_empty(), "the session that has removed it goes on");
    thief.get("/passkey/list-user-passkeys").await.refused(401, "UNAUTHORIZED");
    sign_in(&world.browser(), &mut authenticator).await.refused(401, "PASSKEY_NOT_FOUND");
    remove(&user.browser, &id).await.refused(404, "PASSKEY_NOT_FOUND");
    assert_eq!(events(&world, "passkey-removed"), 1);
    register(&user.browser, &mut authenticator).await.ok();
    sign_in(&world.browser(), &mut authenticator).await.ok();
}

/// A response to a deactivated account ends its ceremony like any other, so that it opens nothing when the account is active again.
#[on_each_database]
async fn a_response_that_was_refused_is_used(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::synced();
    register(&user.browser, &mut authenticator).await.ok();
    let set_active = |is_active: i64| {
        let column = if is_active == 1 { "TRUE" } else { "FALSE" };
        world.database().execute(&format!("UPDATE accounts SET is_active = {column} WHERE email = '{}'", user.email));
    };
    let browser = world.browser();
    let options = options(&browser, SIGN_IN_OPTIONS).await;
    let response = authenticator.assert(&options);
    let again = browser.copy();
    set_active(0);
    assert_eq!(send_assertion(&browser, response.clone()).await.status, 403);
    set_active(1);
    send_assertion(&again, response).await.refused(400, "CHALLENGE_NOT_FOUND");
    sign_in(&world.browser(), &mut authenticator).await.ok();
}

#[on_each_database]
async fn another_users_passkey_is_neither_renamed_nor_removed_and_looks_like_none_36(database: DatabaseKind) {
    let world = World::start(database).await;
    let (ada, eve) = (world.user("ada").await, world.user("eve").await);
    let mut authenticator = Authenticator::new();
    let id = register(&ada.browser, &mut authenticator).await.ok().text("/id");
    let unknown = "0192f3a46b7c7d8e9fa0b1c2d3e4f5ff";
    let mut bodies = Vec::new();
    for id in [id.as_str(), unknown, "x"] {
        bodies.push(remove(&eve.browser, id).await.refused(404, "PASSKEY_NOT_FOUND").raw);
        bodies.push(rename(&eve.browser, id, "Mine").await.refused(404, "PASSKEY_NOT_FOUND").raw);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(passkeys(&ada.browser).await.len(), 1);
    sign_in(&world.browser(), &mut authenticator).await.ok();
}

#[on_each_database]
async fn switching_the_second_factor_off_leaves_passkeys_and_deleting_the_account_does_not(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let mut authenticator = Authenticator::new();
    register(&user.browser, &mut authenticator).await.ok();
    user.enrol().await;
    user.browser.post("/two-factor/disable").json(json!({"password": user.password})).await.ok();
    assert_eq!(passkeys(&user.browser).await.len(), 1);
    user.browser.post("/delete-user").json(json!({"password": user.password})).await.ok();
    sign_in(&world.browser(), &mut authenticator).await.refused(401, "PASSKEY_NOT_FOUND");
    assert_eq!(world.database().number("SELECT count(*) AS number FROM passkeys"), 0);
}
