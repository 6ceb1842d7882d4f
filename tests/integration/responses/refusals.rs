//! Responses that single operations give when they refuse.

use super::scenario::scenarios;
use crate::harness::{PASSWORD, Pairs, World};
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

    /// Sessions can only be listed on their first day.
    async fn a_session_that_is_not_fresh(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let user = world.user("ada").await;
        world.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
        user.browser.get("/list-sessions").await.ok();
        world.clock.advance(Duration::from_secs(1));
        let response = user.browser.get("/list-sessions").await;
        response.refused(403, "SESSION_NOT_FRESH").saying("Session is not fresh");
        world.answered(403).await
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
