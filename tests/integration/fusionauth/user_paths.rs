//! What clients of the published API send to the paths of users, and is not served there.

use crate::harness::World;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

#[on_each_database]
async fn paths_of_other_operations_are_not_taken_for_the_id_of_a_user(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    for (method, path) in [
        ("POST", "/user/forgot-password"),
        ("GET", "/user/search"),
        ("POST", "/user/search"),
        ("POST", "/user/import"),
        ("POST", "/user/verify-email"),
        ("PUT", "/user/verify-email"),
        ("DELETE", "/user/bulk"),
        ("GET", "/user/recent-login"),
        ("POST", "/user/action"),
        ("POST", "/user/comment"),
        ("PATCH", "/user/consent"),
    ] {
        let mut call = service.call(method, path);
        if !["GET", "DELETE"].contains(&method) {
            call = call.json(json!({"loginId": "ada@example.com", "user": {}}));
        }
        let response = call.await.is(404);
        assert!(response.body.is_null(), "{method} {path}: {response}");
    }
    service.get("/user/12345").await.wrong("[couldNotConvert]userId");
}

#[on_each_database]
async fn methods_of_a_user_are_not_changed_with_the_user(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let refused = "[notEqual]user.twoFactor.methods";
    let email = json!({"method": "email", "email": "ada@example.com"});
    let fields =
        json!({"email": "ada@example.com", "password": "correct horse battery", "twoFactor": {"methods": [email]}});
    service.post("/user", json!({"user": fields})).await.wrong(refused);

    let user = service.user().await;
    service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    let path = format!("/user/{}", user.id);
    let shown = service.get(&path).await.ok().body["user"].clone();
    let methods = &shown["twoFactor"]["methods"];
    assert_eq!(methods.as_array().unwrap().len(), 2);
    for (sent, is_taken) in [
        (json!({"methods": methods}), true),
        (json!({}), true),
        (json!(null), true),
        (json!({"methods": null}), true),
        (json!({"methods": [{"id": methods[0]["id"]}, {"id": methods[1]["id"], "lastUsed": true}]}), true),
        (json!({"methods": []}), false),
        (json!({"methods": [methods[0]]}), false),
        (json!({"methods": [methods[1], methods[0]]}), false),
        (json!({"methods": [methods[0], methods[1], email]}), false),
        (json!({"methods": "all"}), false),
        (json!({"methods": [1, 2]}), false),
        (json!([1]), false),
    ] {
        for method in ["PUT", "PATCH"] {
            let user = json!({"email": user.email, "firstName": "Ada", "twoFactor": sent});
            let response = service.call(method, &path).json(json!({"user": user})).await;
            match is_taken {
                true => drop(response.ok()),
                false => drop(response.wrong(refused)),
            }
        }
    }
    // A user who was read is sent back.
    service.call("PUT", &path).json(json!({"user": shown})).await.ok();
    assert_eq!(service.get(&path).await.ok().body["user"]["twoFactor"]["methods"], *methods);
}
