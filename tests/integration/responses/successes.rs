//! The good responses.

use super::scenario::scenarios;
use crate::harness::{PASSWORD, Pairs, World};
use countersign_test_postgres::DatabaseKind;
use serde_json::json;

scenarios! {
    /// Somebody signs up, looks at the session, and signs out and in.
    async fn accounts_and_sessions(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        world.stranger().get("/ok").await.ok();
        let user = world.user("ada").await;
        user.browser.get("/get-session").await.ok();
        user.browser.post("/get-session").await.ok();
        user.browser.post("/sign-out").await.ok();
        assert_eq!(user.browser.get("/get-session").await.ok().raw, b"null");
        user.sign_in_from(&user.browser).await.ok();
        world.answered(200).await
    }

    /// Somebody looks after sessions and password.
    async fn managing_sessions(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        user.signed_in().await;
        let sessions = user.browser.get("/list-sessions").await.ok();
        let handles = sessions.body.as_array().unwrap().iter().map(|session| session["token"].clone());
        let other = handles.into_iter().find(|handle| *handle != user.first_token).unwrap();
        user.browser.post("/revoke-session").json(json!({"token": other})).await.ok();
        user.browser.post("/revoke-other-sessions").await.ok();
        let change = json!({"currentPassword": PASSWORD, "newPassword": "another horse", "revokeOtherSessions": true});
        user.browser.post("/change-password").json(change).await.ok();
        user.browser.post("/revoke-sessions").await.ok();
        world.answered(200).await
    }

    /// Somebody enrols, passes every factor, and switches them off.
    async fn second_factors(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        let app = user.enrol().await;
        let (browser, password) = (&user.browser, json!({"password": PASSWORD}));
        browser.post("/two-factor/get-totp-uri").json(password.clone()).await.ok();
        browser.post("/two-factor/send-otp").await.ok();
        let code = json!({"code": world.last_code_for(&user.email)});
        browser.post("/two-factor/verify-otp").json(code).await.ok();
        browser.post("/two-factor/verify-backup-code").json(json!({"code": app.backup_codes[0]})).await.ok();
        browser.post("/two-factor/generate-backup-codes").json(password.clone()).await.ok();
        browser.post("/two-factor/revoke-trusted-devices").json(password.clone()).await.ok();
        browser.post("/two-factor/disable").json(password).await.ok();
        world.answered(200).await
    }
}
