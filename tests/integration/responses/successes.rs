//! The good responses.

use super::scenario::scenarios;
use crate::harness::{Authenticator, PASSWORD, Pairs, World};
use countersign_domain::tenant::{Directory, Tenant};
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

    /// Somebody looks after trusted devices.
    async fn managing_trusted_devices(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        let app = user.enrol().await;
        let browser = user.trusted_with(&app).await;
        let devices = browser.get("/trusted-devices/list").await.ok();
        let id = devices.text("/0/id");
        browser.post("/trusted-devices/rename").json(json!({"id": id, "name": "My laptop"})).await.ok();
        browser.post("/trusted-devices/revoke").json(json!({"id": id})).await.ok();
        browser.post("/trusted-devices/revoke-all").await.ok();
        world.answered(200).await
    }

    /// Somebody registers a passkey, signs in with it, renames and removes it.
    async fn a_passkey(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        let mut authenticator = Authenticator::new();
        let options = user.browser.get("/passkey/generate-register-options").await.ok();
        let response = authenticator.register(&options.body);
        let registered = user.browser.post("/passkey/verify-registration").json(json!({"response": response})).await.ok();
        let browser = world.browser();
        let options = browser.get("/passkey/generate-authenticate-options").await.ok();
        let response = authenticator.assert(&options.body);
        browser.post("/passkey/verify-authentication").json(json!({"response": response})).await.ok();
        browser.get("/passkey/list-user-passkeys").await.ok();
        let id = registered.text("/id");
        browser.post("/passkey/update-passkey").json(json!({"id": id, "name": "My laptop"})).await.ok();
        browser.post("/passkey/delete-passkey").json(json!({"id": id})).await.ok();
        world.answered(200).await
    }

    /// Somebody sets a new password by a mailed link, and looks at what there is to sign in with.
    async fn a_new_password_by_a_link(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        user.browser.get("/list-accounts").await.ok();
        user.browser.post("/verify-password").json(json!({"password": PASSWORD})).await.ok();
        let stranger = world.stranger();
        for path in ["/forget-password", "/request-password-reset"] {
            stranger.post(path).json(json!({"email": user.email, "redirectTo": "/reset"})).await.ok();
        }
        let link = world.link_for(&user.email, 2).await;
        let location = stranger.call("GET", &link).await.is(302).header("location").unwrap().to_owned();
        let (_, token) = location.split_once("token=").unwrap();
        stranger.post("/reset-password").json(json!({"newPassword": "another horse", "token": token})).await.ok();
        let page = stranger.get("/error?error=INVALID_TOKEN").await.ok();
        assert_eq!(page.header("content-type"), Some("text/html"));
        world.close().await.into_iter().filter(|(_, status)| [200, 302].contains(status)).collect()
    }

    /// Somebody verifies the address, changes it, and changes name and picture.
    async fn an_address_of_ones_own(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        let (browser, stranger) = (&user.browser, world.stranger());
        stranger.post("/send-verification-email").json(json!({"email": user.email})).await.ok();
        let link = world.link_for(&user.email, 1).await;
        stranger.call("GET", &link).await.is(302);
        browser.post("/change-email").json(json!({"newEmail": "countess@example.com"})).await.ok();
        let link = world.link_for("countess@example.com", 1).await;
        stranger.call("GET", link.split('&').next().unwrap()).await.ok();
        browser.post("/update-user").json(json!({"name": "Countess"})).await.ok();
        world.close().await.into_iter().filter(|(_, status)| [200, 302].contains(status)).collect()
    }

    /// Users delete their accounts.
    async fn the_end_of_an_account(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        for (name, page) in [("ada", true), ("bob", false)] {
            let user = world.user(name).await;
            user.browser.post("/delete-user").json(json!({"callbackURL": "/goodbye"})).await.ok();
            let link = world.link_for(&user.email, 1).await;
            if page {
                assert_eq!(user.browser.call("GET", &link).await.is(302).header("location"), Some("/goodbye"));
            } else {
                user.browser.call("GET", link.split('&').next().unwrap()).await.ok();
            }
        }
        world.close().await.into_iter().filter(|(_, status)| [200, 302].contains(status)).collect()
    }

    /// The operator wants addresses verified first.
    async fn a_sign_up_that_waits(database: DatabaseKind) -> Pairs {
        let tenant = Tenant { requires_verified_email: true, ..Tenant::default() };
        let world = World::with(database, |settings| {
            settings.directory = Directory::new(vec![tenant], Vec::new()).unwrap();
        });
        let world = world.await;
        let body = json!({"name": "Ada", "email": "ada@example.com", "password": PASSWORD});
        world.browser().post("/sign-up/email").json(body).await.is(202);
        world.answered(202).await
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
