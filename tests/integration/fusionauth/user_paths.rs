//! What clients of the published API send to the paths of users, and is not served there.

use crate::harness::World;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// Paths of the published API below `/api/user` of which nothing is served.
const NOT_SERVED: [&str; 16] = [
    "bulk",
    "comment",
    "comment/01a1fd04-be02-75f5-bdbd-868b7959e05d",
    "comment/search",
    "consent",
    "consent/01a1fd04-be02-75f5-bdbd-868b7959e05d",
    "family",
    "family/01a1fd04-be02-75f5-bdbd-868b7959e05d",
    "family/pending",
    "family/request",
    "import",
    "recent-login",
    "refresh-token",
    "refresh-token/import",
    "refresh-token/01a1fd04-be02-75f5-bdbd-868b7959e05d",
    "verify-registration",
];

/// Methods that are not served on a path where others are.
const OTHER_METHODS: [(&str, &str); 14] = [
    ("GET", "forgot-password"),
    ("DELETE", "verify-email"),
    ("DELETE", "search"),
    ("PUT", "search"),
    ("PATCH", "search"),
    ("PUT", "action"),
    ("PATCH", "action"),
    ("DELETE", "action"),
    ("GET", "registration"),
    ("PUT", "registration"),
    ("GET", "two-factor"),
    ("PATCH", "two-factor"),
    ("PUT", "change-password"),
    ("GET", "lock"),
];

#[on_each_database]
async fn paths_of_other_operations_are_not_taken_for_the_id_of_a_user_a_4_1_4(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let not_served = NOT_SERVED.iter().flat_map(|path| methods.map(|method| (method, *path)));
    for (method, path) in not_served.chain(OTHER_METHODS) {
        // With and without an API key, whatever the body is.
        for caller in [&service.caller, &world.stranger()] {
            for body in [None, Some("{\"loginId\": \"ada@example.com\", \"user\": {}}"), Some("{")] {
                let call = caller.call(method, &format!("/api/user/{path}")).undocumented();
                let response = match body {
                    Some(body) if method != "GET" => call.body("application/json", body).await,
                    _ => call.await,
                };
                assert!(response.status == 404 && response.raw.is_empty(), "{method} {path}: {response}");
            }
        }
    }
    service.get("/user/12345").await.wrong("[couldNotConvert]userId");
    service.get("/user/nonsense").await.wrong("[couldNotConvert]userId");
}

/// Properties of `user` that decide how an account is protected, or what it may do, and are not set with the user. All that a
/// user has in the published API was looked at: the others are set (`password`, `expiry`, `passwordChangeRequired`, names, addresses,
/// `data`), or are of no effect on security (`insertInstant`, `lastLoginInstant`, `passwordLastUpdateInstant`, `lastUpdateInstant`,
/// `breachedPassword…`, `passwordChangeReason`, `cleanSpeakId`, `parentEmail`, `connectorId`, `uniqueUsername`, `identities`, `id`), and
/// are ignored.
const NOT_SET: [(&str, &str); 12] = [
    ("verified", "true"),
    ("verified", "\"yes\""),
    ("tenantId", "\"01a1fd04-be02-75f5-bdbd-868b7959e05d\""),
    ("usernameStatus", "\"REJECTED\""),
    ("registrations", "[{\"applicationId\": \"c0de0000-0000-4000-8000-000000000002\", \"roles\": [\"admin\"]}]"),
    ("memberships", "[{\"groupId\": \"01a1fd04-be02-75f5-bdbd-868b7959e05d\"}]"),
    ("encryptionScheme", "\"salted-md5\""),
    ("factor", "1"),
    ("salt", "\"c2FsdA==\""),
    ("twoFactor.recoveryCodes", "{\"recoveryCodes\": [\"AAAAA-AAAAA\"]}"),
    ("twoFactor.methods", "{\"methods\": [{\"method\": \"email\", \"email\": \"ada@example.com\"}]}"),
    ("twoFactor.methods", "\"none\""),
];

#[on_each_database]
async fn what_is_not_set_with_a_user_is_refused_and_never_ignored_35(database: DatabaseKind) {
    let world = World::start(database).await;
    let service = world.service().await;
    let user = service.user_with(json!({})).await;
    let path = format!("/user/{}", user.id);
    let registration = json!({"applicationId": crate::harness::service::APPLICATION});
    for (field, value) in NOT_SET {
        let value: serde_json::Value = serde_json::from_str(value).unwrap();
        let code = format!("[notEqual]user.{field}");
        let name = field.split('.').next().unwrap();
        let new = json!({"email": "new@example.com", "password": "correct horse battery", name: value});
        service.post("/user", json!({"user": new})).await.wrong(&code);
        service.post("/user/0b7c1e0a-57ab-4c1a-9d55-0123456789ab", json!({"user": new})).await.wrong(&code);
        service.post("/user/registration", json!({"user": new, "registration": registration})).await.wrong(&code);
        for method in ["PUT", "PATCH"] {
            service.call(method, &path).json(json!({"user": {"email": user.email, name: value}})).await.wrong(&code);
        }
    }
    let new = json!({"email": "new@example.com", "password": "correct horse battery", "active": false});
    service.post("/user", json!({"user": new})).await.wrong("[notEqual]user.active");
    service.get("/user?email=new@example.com").await.is(404);
    // What says nothing new is taken: empty lists of clients with a model, and what a response has shown.
    let tenant = service.get(&path).await.ok().text("/user/tenantId");
    let empty = json!({
        "email": "new@example.com", "password": "correct horse battery", "active": true, "verified": false, "memberships": [],
        "registrations": [], "twoFactor": {"methods": [], "recoveryCodes": []}, "tenantId": tenant, "usernameStatus": "ACTIVE",
        "encryptionScheme": null, "salt": null, "factor": null,
    });
    service.post("/user", json!({"user": empty})).await.ok();
    let vouched = json!({"user": {"email": "vouched@example.com", "password": "correct horse battery", "verified": true}, "skipVerification": true});
    assert_eq!(service.post("/user", vouched).await.ok().body["user"]["verified"], true);
    // A verified user is sent back with another address, which is not verified.
    let vouched = service.get("/user?email=vouched@example.com").await.ok().body["user"].clone();
    let mut changed = vouched.clone();
    changed["email"] = json!("elsewhere@example.com");
    let path = format!("/user/{}", vouched["id"].as_str().unwrap());
    let changed = service.call("PUT", &path).json(json!({"user": changed})).await.ok();
    assert_eq!(changed.body["user"]["verified"], false);
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
