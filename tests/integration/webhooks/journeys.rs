//! What a user does, in both dialects, and what arrives of it.

use super::receiver::{Received, Receiver};
use crate::harness::{PASSWORD, World};
use countersign_domain::ids::AccountId;
use countersign_domain::webhook::EventType;
use countersign_domain::webhook_event::LOCK_ACTION;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::{Value, json};

const OTHER_PASSWORD: &str = "quite another passphrase";

async fn start(database: DatabaseKind, receiver: &Receiver) -> World {
    let configured = receiver.configured("crm", &[]);
    World::with(database, |settings| settings.webhooks = vec![configured]).await
}

/// The events of a type.
fn of<'a>(received: &'a [Received], event_type: &str) -> Vec<&'a Value> {
    received.iter().filter(|one| one.event_type() == event_type).map(|one| &one.event).collect()
}

/// Asserts that every event is about this user, and holds none of these secrets.
#[track_caller]
fn assert_about(received: &[Received], id: &str, email: &str, secrets: &[String]) {
    let id = AccountId::parse(id).unwrap().to_hyphenated();
    for Received { body, event } in received {
        match event["type"].as_str() {
            Some("user.action") => assert_eq!(event["actioneeUserId"], id, "{body}"),
            _ => assert_eq!((&event["user"]["id"], &event["user"]["email"]), (&json!(id), &json!(email)), "{body}"),
        }
        assert_eq!(event["tenantId"], "c0de0000-0000-4000-8000-000000000001", "{body}");
        assert!(event["createInstant"].is_i64() && event["id"].is_string(), "{body}");
        assert_eq!(event["info"]["ipAddress"], "127.0.0.1", "{body}");
        for secret in secrets.iter().map(String::as_str).chain([PASSWORD, OTHER_PASSWORD, "$argon2", "otpauth"]) {
            // Six digits may be part of a time or an id.
            let secret = if secret.len() > 6 { secret.to_owned() } else { format!("\"{secret}\"") };
            assert!(!body.contains(&secret), "{secret} in {body}");
        }
    }
}

#[on_each_database]
async fn a_journey_in_better_auth_arrives_signed_and_without_secrets(database: DatabaseKind) {
    let receiver = Receiver::start().await;
    let world = start(database, &receiver).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    let browser = user.signed_in_with(&app).await;
    let challenged = user.challenged().await;
    let wrong = app.wrong_code();
    challenged.post("/two-factor/verify-totp").json(json!({"code": wrong})).await.refused(401, "INVALID_CODE");
    let backup = json!({"code": app.backup_codes[0]});
    challenged.post("/two-factor/verify-backup-code").json(backup).await.ok();
    let body = json!({"email": user.email, "password": "not the right one"});
    world.browser().post("/sign-in/email").json(body).await.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    let change = json!({"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD});
    browser.post("/change-password").json(change).await.ok();
    browser.post("/two-factor/disable").json(json!({"password": OTHER_PASSWORD})).await.ok();
    let methods = 2; // The app, and the mailed codes that come along with it.
    let mut expected = vec![
        "user.create",
        "user.two-factor.method.add",
        "user.two-factor.challenge",
        "user.two-factor.success",
        "user.login.success",
        "user.two-factor.challenge",
        "user.two-factor.failed.attempt",
        "user.two-factor.success",
        "user.login.success",
        "user.login.failed",
        "user.password.update",
    ];
    expected.extend(["user.two-factor.method.remove"; 2].iter().take(methods));
    let received = receiver.gets(&expected).await;
    let mut secrets = vec![app.base32.clone(), wrong, user.first_token.clone()];
    secrets.extend(app.backup_codes.iter().cloned());
    assert_about(&received, &user.id, &user.email, &secrets);
    assert_eq!(of(&received, "user.two-factor.method.add")[0]["method"]["method"], "authenticator");
    assert_eq!(of(&received, "user.two-factor.failed.attempt")[0]["method"], "authenticator");
    assert_eq!(of(&received, "user.login.failed")[0]["authenticationType"], "PASSWORD");
    let mut used: Vec<_> = of(&received, "user.two-factor.success").iter().map(|one| one["method"].clone()).collect();
    used.sort_by_key(Value::to_string);
    assert_eq!(used, [json!("authenticator"), json!("recoveryCode")]);
    let removed = of(&received, "user.two-factor.method.remove");
    assert!(removed.iter().any(|one| one["method"]["method"] == "authenticator"), "{removed:?}");
    assert_eq!(world.database().number("SELECT count(*) AS number FROM webhook_events"), 0, "nothing stays behind");
}

#[on_each_database]
async fn a_journey_in_fusionauth_arrives_signed_and_without_secrets(database: DatabaseKind) {
    let receiver = Receiver::start().await;
    let world = start(database, &receiver).await;
    let service = world.service().await;
    let user = service.user().await;
    let app = service.enrol(&user).await;
    service.enrol_address(&user, "email", &user.email).await;
    let mailed = world.last_code_for(&user.email);
    let challenge = service.challenge(&user).await;
    let (wrong, right) = (app.wrong_code(), app.fresh_code());
    service.complete(&challenge, &wrong).await.is(421);
    service.complete(&challenge, &right).await.ok();
    let login = json!({"loginId": user.email, "password": "not the right one"});
    service.post("/login", login).await.is(404);
    let path = format!("/user/{}", user.id);
    service.call("PATCH", &path).json(json!({"user": {"password": OTHER_PASSWORD}})).await.ok();
    let until = world.clock_millis() + 3_600_000;
    let action = json!({"actioneeUserId": user.id, "userActionId": LOCK_ACTION, "expiry": until});
    service.post("/user/action", json!({ "action": action })).await.ok();
    service.call("DELETE", &format!("/user/action/{}", user.id)).await.ok();
    let remove = format!("/user/two-factor/{}?code={}", user.id, app.recovery_codes[0]);
    service.call("DELETE", &remove).await.ok();
    service.call("DELETE", &path).await.ok();
    service.call("DELETE", &format!("{path}?hardDelete=true")).await.ok();
    let received = receiver
        .gets(&[
            "user.create",
            "user.two-factor.method.add",
            "user.two-factor.method.add",
            "user.two-factor.challenge",
            "user.two-factor.failed.attempt",
            "user.two-factor.success",
            "user.login.success",
            "user.login.failed",
            "user.password.update",
            "user.action",
            "user.action",
            "user.two-factor.method.remove",
            "user.two-factor.method.remove",
            "user.deactivate",
            "user.delete",
        ])
        .await;
    let mut secrets = vec![wrong, right, mailed, challenge, service.key.clone()];
    secrets.extend(app.recovery_codes.iter().cloned());
    assert_about(&received, &user.id, &user.email, &secrets);
    for event_type in ["user.two-factor.method.add", "user.two-factor.method.remove"] {
        let methods = of(&received, event_type);
        let mut kinds: Vec<_> = methods.iter().map(|one| one["method"]["method"].as_str().unwrap()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["authenticator", "email"], "{methods:?}");
    }
    let mut phases: Vec<_> =
        of(&received, "user.action").iter().map(|one| (one["phase"].clone(), one["expiry"].clone())).collect();
    phases.sort_by_key(|(phase, _)| phase.to_string());
    assert_eq!(phases, [(json!("cancel"), Value::Null), (json!("start"), json!(until))]);
    assert_eq!(of(&received, "user.deactivate")[0]["user"]["active"], false);
}

#[on_each_database]
async fn a_lock_after_wrong_codes_is_an_action_that_says_its_end(database: DatabaseKind) {
    let receiver = Receiver::start().await;
    let configured = receiver.configured("locks", &[EventType::Action]);
    let world = World::with(database, |settings| settings.webhooks = vec![configured]).await;
    let user = world.user("ada").await;
    let app = user.enrol().await;
    for _ in 0..2 {
        let browser = user.challenged().await;
        for _ in 0..5 {
            let wrong = json!({"code": app.wrong_code()});
            browser.post("/two-factor/verify-totp").json(wrong).await.refused(401, "INVALID_CODE");
        }
    }
    let received = receiver.gets(&["user.action"]).await;
    assert_about(&received, &user.id, &user.email, &[]);
    let event = &received[0].event;
    assert_eq!((&event["phase"], &event["actionId"]), (&json!("start"), &json!(LOCK_ACTION)));
    assert!(event["expiry"].as_i64().is_some_and(|expiry| expiry > world.clock_millis()), "{event}");
}
