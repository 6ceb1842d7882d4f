//! Responses that single operations give when they refuse.

use super::scenario::scenarios;
use crate::harness::{Authenticator, PASSWORD, Pairs, World};
use countersign_domain::tenant::{Directory, LoginPolicy, Tenant};
use countersign_test_postgres::DatabaseKind;
use serde_json::json;
use std::time::Duration;

/// How often a race is run that is not lost every time.
const ROUNDS: usize = 20;

scenarios! {
    /// The password is wrong, or nobody has that address: the same response.
    async fn a_wrong_password(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        let mut responses = Vec::new();
        for email in [user.email.as_str(), "nobody@example.com"] {
            let body = json!({"email": email, "password": "not the password"});
            let response = world.browser().post("/sign-in/email").json(body).await;
            responses.push(response.refused(401, "INVALID_EMAIL_OR_PASSWORD").saying("Invalid email or password"));
        }
        assert_eq!(responses[0].raw, responses[1].raw);
        world.answered(401).await
    }

    /// The address is taken.
    async fn an_address_that_is_taken(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        world.user("ada").await;
        let body = json!({"name": "", "email": "ADA@example.com", "password": PASSWORD});
        let response = world.browser().post("/sign-up/email").json(body).await;
        response.refused(422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL").saying("User already exists. Use another email.");
        world.answered(422).await
    }

    /// A link names no page, or one that is not trusted.
    async fn links_to_no_page(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let path = "/reset-password/rst-Vh3mZq8LxT0bYw5kRj7NcD2s";
        let missing = world.stranger().get(path).await.refused(400, "VALIDATION_ERROR");
        missing.saying("[query.callbackURL] Invalid input: expected string, received undefined");
        let elsewhere = world.stranger().get(&format!("{path}?callbackURL=https://evil.example")).await;
        elsewhere.refused(403, "INVALID_CALLBACK_URL").saying("Invalid callbackURL");
        for (path, token) in [("/verify-email", "vrf-Vh3mZq8LxT0bYw5kRj7NcD2s"), ("/delete-user/callback", "x")] {
            let missing = world.stranger().get(path).await.refused(400, "VALIDATION_ERROR");
            missing.saying("[query.token] Invalid input: expected string, received undefined");
            let elsewhere = world.stranger().get(&format!("{path}?token={token}&callbackURL=//evil.example")).await;
            elsewhere.refused(403, "INVALID_CALLBACK_URL");
        }
        world.close().await.into_iter().filter(|(_, status)| [400, 403].contains(status)).collect()
    }

    /// A link that is none, without a page that could say so.
    async fn a_link_that_does_nothing(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let followed = world.stranger().get("/verify-email?token=vrf-Vh3mZq8LxT0bYw5kRj7NcD2s").await;
        followed.refused(401, "INVALID_TOKEN").saying("Invalid token");
        world.answered(401).await
    }

    /// An account that has to enrol can do nothing else.
    async fn a_session_that_can_only_enrol(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| {
            let required = Tenant { login_policy: LoginPolicy::Required, ..Tenant::default() };
            settings.directory = Directory::new(vec![required], Vec::new()).unwrap();
        });
        let world = world.await;
        let user = world.user("ada").await;
        user.browser.get("/list-accounts").await.refused(403, "ENROLMENT_REQUIRED");
        user.browser.get("/trusted-devices/list").await.refused(403, "ENROLMENT_REQUIRED");
        user.browser.get("/passkey/list-user-passkeys").await.refused(403, "ENROLMENT_REQUIRED");
        world.answered(403).await
    }

    /// Sessions can only be listed on their first day.
    async fn a_session_that_is_not_fresh(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        world.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
        user.browser.get("/list-sessions").await.ok();
        world.clock.advance(Duration::from_secs(1));
        let response = user.browser.get("/list-sessions").await;
        response.refused(403, "SESSION_NOT_FRESH").saying("Session is not fresh");
        user.browser.get("/passkey/generate-register-options").await.refused(403, "SESSION_NOT_FRESH");
        world.answered(403).await
    }

    /// A passkey is asked for that cannot be, and one is shown that nobody has.
    async fn passkeys_that_are_none(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        let path = "/passkey/generate-register-options?authenticatorAttachment=cloud";
        user.browser.get(path).await.refused(400, "VALIDATION_ERROR").saying(
            "[query.authenticatorAttachment] Invalid option: expected one of \"platform\"|\"cross-platform\"",
        );
        let stranger = world.browser();
        let options = stranger.get("/passkey/generate-authenticate-options").await.ok();
        let body = json!({"response": Authenticator::new().assert(&options.body)});
        let response = stranger.post("/passkey/verify-authentication").json(body).await;
        response.refused(401, "PASSKEY_NOT_FOUND").saying("Passkey not found");
        world.close().await.into_iter().filter(|(_, status)| [400, 401].contains(status)).collect()
    }

    /// The same backup code comes several times at the same moment: one is accepted, who came too late in the middle
    /// of it is told so, and nobody else gets in.
    async fn a_race_for_a_backup_code(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        user.enrol().await;
        for _ in 0..ROUNDS {
            let body = json!({"password": PASSWORD});
            let codes = user.browser.post("/two-factor/generate-backup-codes").json(body).await.ok();
            for code in codes.body["backupCodes"].as_array().unwrap() {
                let call = || user.browser.post("/two-factor/verify-backup-code").json(json!({"code": code})).send();
                let calls: Vec<_> = (0..8).map(|_| tokio::spawn(call())).collect();
                let mut statuses = Vec::new();
                for call in calls {
                    let response = call.await.unwrap();
                    match response.status {
                        200 => {}
                        409 => {
                            let message = "Failed to verify backup code. Please try again.";
                            response.clone().refused(409, "BACKUP_CODE_CONFLICT").saying(message);
                        }
                        _ => {
                            response.clone().refused(401, "INVALID_BACKUP_CODE");
                        }
                    }
                    statuses.push(response.status);
                }
                assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
                if statuses.contains(&409) {
                    return world.answered(409).await;
                }
            }
        }
        panic!("the race was never lost in the middle");
    }
}
