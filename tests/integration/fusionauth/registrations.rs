//! Registrations are read, changed and deleted.

use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, World, cheap_passwords, other_tenant};
use countersign_domain::ids::{ApplicationId, TenantId};
use countersign_domain::tenant::{Application, Directory, Tenant};
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};
use std::time::Duration;

const NOBODY: &str = "01a1fd04-be02-75f5-bdbd-868b7959e05d";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";

async fn world(database: DatabaseKind) -> World {
    world_of(database, vec![Tenant::default()]).await
}

/// Two applications, the first of which has two roles.
async fn world_of(database: DatabaseKind, tenants: Vec<Tenant>) -> World {
    World::with(database, |settings| {
        cheap_passwords(settings);
        let default = settings.directory.application(ApplicationId::DEFAULT).cloned().unwrap();
        let first = Application { roles: ["admin", "reader"].map(str::to_owned).into(), ..default.clone() };
        let second = Application { id: ApplicationId::parse(OTHER).unwrap(), ..default };
        settings.directory = Directory::new(tenants, vec![first, second]).unwrap();
    })
    .await
}

#[on_each_database]
async fn a_registration_is_replaced_and_patched(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user_with(json!({})).await;
    let (path, one) =
        (format!("/user/registration/{}", user.id), format!("/user/registration/{}/{APPLICATION}", user.id));
    let registration = |more: Value| {
        let mut fields = json!({"applicationId": APPLICATION});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"registration": fields})
    };
    for method in ["PUT", "PATCH"] {
        service.call(method, &path).json(registration(json!({}))).await.is(404);
    }
    service.get(&one).await.is(404);
    let first = json!({"roles": ["admin"], "username": "ada", "data": {"level": 1, "old": true}});
    let made = service.post(&path, registration(first.clone())).await.ok();
    assert_eq!(service.get(&one).await.ok().body, made.body);

    let shown = |body: &Value| {
        [&body["registration"]["roles"], &body["registration"]["username"], &body["registration"]["data"]]
            .map(Clone::clone)
    };
    for (method, change, expected) in [
        ("PATCH", json!({"roles": ["reader"]}), [json!(["reader"]), json!("ada"), json!({"level": 1, "old": true})]),
        (
            "PATCH",
            json!({"data": {"old": null, "new": 2}}),
            [json!(["reader"]), json!("ada"), json!({"level": 1, "new": 2})],
        ),
        ("PATCH", json!({"username": null}), [json!(["reader"]), Value::Null, json!({"level": 1, "new": 2})]),
        ("PATCH", json!({}), [json!(["reader"]), Value::Null, json!({"level": 1, "new": 2})]),
        ("PUT", json!({"username": "lady"}), [Value::Null, json!("lady"), Value::Null]),
        ("PUT", first, [json!(["admin"]), json!("ada"), json!({"level": 1, "old": true})]),
        ("PUT", json!({}), [Value::Null, Value::Null, Value::Null]),
    ] {
        let changed = service.call(method, &path).json(registration(change.clone())).await.ok();
        assert_eq!(shown(&changed.body), expected, "{method} {change}");
        assert_eq!(changed.body["registration"]["id"], made.body["registration"]["id"]);
        assert_eq!(service.get(&one).await.ok().body, changed.body, "{method} {change}");
        assert_eq!(changed.body["user"]["registrations"], json!([changed.body["registration"]]));
    }
    for method in ["PUT", "PATCH"] {
        let send = |body: Value| service.call(method, &path).json(body);
        send(registration(json!({"roles": ["owner"]}))).await.wrong("[invalid]registration.roles");
        send(json!({"registration": {"applicationId": NOBODY}})).await.wrong("[invalid]registration.applicationId");
        send(json!({"registration": {}})).await.wrong("[blank]registration.applicationId");
        send(json!({})).await.wrong("[missing]registration");
        let unknown = format!("/user/registration/{NOBODY}");
        service.call(method, &unknown).json(registration(json!({}))).await.is(404);
        // Registered for one application and not for the other.
        send(json!({"registration": {"applicationId": OTHER}})).await.is(404);
    }
    let events = "SELECT count(*) AS number FROM audit_events WHERE kind = 'registration-changed'";
    assert_eq!(world.database().number(events), 7);
}

/// A user is not changed with a registration: what is sent of it is never ignored.
#[on_each_database]
async fn what_is_sent_of_a_user_with_a_registration_is_what_it_is_or_refused(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user_with(json!({"firstName": "Ada"})).await;
    let path = format!("/user/registration/{}", user.id);
    let shown = service.get(&format!("/user/{}", user.id)).await.ok().body["user"].clone();
    for (index, method) in ["POST", "PUT", "PATCH"].into_iter().enumerate() {
        let send = |user: Value| {
            service.call(method, &path).json(json!({"user": user, "registration": {"applicationId": APPLICATION}}))
        };
        for (sent, code) in [
            (json!({"password": "another horse battery"}), "[notEqual]user.password"),
            (json!({"firstName": "Eve"}), "[notEqual]user.firstName"),
            (json!({"twoFactor": {"methods": [{"method": "email"}]}}), "[notEqual]user.twoFactor"),
            (json!({"active": false}), "[notEqual]user.active"),
        ] {
            send(sent).await.wrong(code);
        }
        let mut sent_back = shown.clone();
        sent_back["registrations"] =
            service.get(&format!("/user/{}", user.id)).await.ok().body["user"]["registrations"].clone();
        send(sent_back).await.ok();
        assert_eq!(service.get(&format!("/user/registration/{}/{APPLICATION}", user.id)).await.status, 200, "{index}");
    }
    service.log_in(&user).await.ok();
}

/// What a registration has and cannot be given is what it is, or refused.
#[on_each_database]
async fn what_cannot_be_set_of_a_registration_is_sent_back_or_refused(database: DatabaseKind) {
    let world = world(database).await;
    let service = world.service().await;
    let user = service.user_with(json!({})).await;
    let path = format!("/user/registration/{}", user.id);
    let one = format!("{path}/{APPLICATION}");
    for method in ["POST", "PUT", "PATCH"] {
        let send = |more: Value| {
            let mut fields = json!({"applicationId": APPLICATION});
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            service.call(method, &path).json(json!({"registration": fields}))
        };
        for (more, code) in [
            (json!({"id": NOBODY}), "[notEqual]registration.id"),
            (json!({"verified": false}), "[notEqual]registration.verified"),
            (json!({"usernameStatus": "PENDING"}), "[notEqual]registration.usernameStatus"),
            (json!({"authenticationToken": "x"}), "[notEqual]registration.authenticationToken"),
            (json!({"tokens": {"facebook": "x"}}), "[notEqual]registration.tokens"),
            (json!({"preferredLanguages": ["de"]}), "[notEqual]registration.preferredLanguages"),
            (json!({"timezone": "Europe/Berlin"}), "[notEqual]registration.timezone"),
            (json!({"cleanSpeakId": NOBODY}), "[notEqual]registration.cleanSpeakId"),
        ] {
            send(more).await.wrong(code);
        }
        send(json!({"verified": true, "usernameStatus": "ACTIVE", "timezone": null, "tokens": {}, "insertInstant": 0}))
            .await
            .ok();
        // As it was read.
        if method != "POST" {
            let shown = service.get(&one).await.ok().body["registration"].clone();
            send(shown).await.ok();
        }
    }
    let whole = json!({"user": {"email": "eve@example.com", "password": PASSWORD}, "registration": {"applicationId": APPLICATION, "id": NOBODY}});
    service.post("/user/registration", whole).await.wrong("[notEqual]registration.id");
}

/// What hangs on the registration ends with it.
#[on_each_database]
async fn the_tokens_of_an_application_end_with_the_registration(database: DatabaseKind) {
    let other = Tenant { id: other_tenant(), ..Tenant::default() };
    let world = world_of(database, vec![Tenant::default(), other]).await;
    let service = world.service_that(Some(TenantId::DEFAULT), None).await;
    let user = service.user().await;
    let other = json!({"registration": {"applicationId": OTHER}});
    service.post(&format!("/user/registration/{}", user.id), other).await.ok();
    let log_in = |application: &str| {
        service.post("/login", json!({"loginId": user.email, "password": PASSWORD, "applicationId": application}))
    };
    let (first, second) = (log_in(APPLICATION).await.ok(), log_in(OTHER).await.ok());
    let path = format!("/user/registration/{}/{APPLICATION}", user.id);
    service.call("DELETE", &path).await.ok();
    service.call("DELETE", &path).await.is(404);
    service.get(&path).await.is(404);

    let refresh = |login: &crate::harness::Response| {
        service.open("/jwt/refresh", json!({"refreshToken": login.text("/refreshToken")}))
    };
    let validate = |login: &crate::harness::Response| service.with_token(&login.text("/token"), "GET", "/jwt/validate");
    refresh(&first).await.is(404);
    validate(&first).await.is(401);
    refresh(&second).await.ok();
    validate(&second).await.ok();
    let listed = service.get(&format!("/jwt/refresh?userId={}", user.id)).await.ok();
    assert_eq!(listed.body["refreshTokens"].as_array().unwrap().len(), 1);
    assert_eq!(listed.text("/refreshTokens/0/applicationId"), OTHER);
    // The user logs in unregistered, and with a new registration.
    let unregistered = log_in(APPLICATION).await.is(202);
    validate(&unregistered).await.ok();
    service
        .post(&format!("/user/registration/{}", user.id), json!({"registration": {"applicationId": APPLICATION}}))
        .await
        .ok();
    let anew = log_in(APPLICATION).await.is(200);
    // A token of the registration that was deleted is not revived, within its second or later.
    validate(&first).await.is(401);
    let claims = validate(&anew).await.ok();
    let registered = service.get(&format!("/user/registration/{}/{APPLICATION}", user.id)).await.ok();
    assert_eq!(claims.body["jwt"]["rid"], registered.body["registration"]["id"]);
    world.clock.advance(Duration::from_secs(2));
    validate(&first).await.is(401);
    // One that is changed is the same registration.
    let change = json!({"registration": {"applicationId": APPLICATION, "username": "ada"}});
    service.call("PUT", &format!("/user/registration/{}", user.id)).json(change).await.ok();
    validate(&anew).await.ok();
    for (path, status) in [
        (format!("/user/registration/{NOBODY}/{APPLICATION}"), 404),
        (format!("/user/registration/{}/{NOBODY}", user.id), 404),
        (format!("/user/registration/{}/x", user.id), 400),
        (format!("/user/registration/x/{APPLICATION}"), 400),
    ] {
        service.get(&path).await.is(status);
        service.call("DELETE", &path).await.is(status);
    }
    let foreign = world.service_that(Some(other_tenant()), None).await;
    let path = format!("/user/registration/{}/{OTHER}", user.id);
    foreign.get(&path).await.is(404);
    foreign.call("DELETE", &path).await.is(404);
    service.get(&path).await.ok();
    let events = "SELECT count(*) AS number FROM audit_events WHERE kind = 'registration-deleted'";
    assert_eq!(world.database().number(events), 1);
}
