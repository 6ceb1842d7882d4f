//! Responses that many operations of the FusionAuth dialect share. Each scenario walks the table of operations.

use super::scenario::scenarios;
use crate::harness::authenticator::RP_ID;
use crate::harness::caller::Call;
use crate::harness::service::Service;
use crate::harness::{Caller, Pairs, Response, World};
use countersign::operations::FUSIONAUTH;
use countersign_contract_compare::{BodyRule, OperationEntry};
use countersign_test_postgres::DatabaseKind;
use serde_json::json;

/// Client data that responds to the challenge `AAAA`.
const CLIENT_DATA: &str = concat!(
    "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFB",
    "QSIsIm9yaWdpbiI6Imh0dHBzOi8vY291bnRlcnNpZ24udGVzdCJ9",
);
const SOMEBODY: &str = "01a1fd04-be02-75f5-bdbd-868b7959e05d";

/// Operations that document a status.
fn documenting(status: u16) -> impl Iterator<Item = &'static OperationEntry> {
    FUSIONAUTH.iter().filter(move |entry| entry.statuses.contains(&status))
}

/// The path with ids that look right and stand for nothing.
fn path(entry: &OperationEntry) -> String {
    let path = entry.path.replace("{userId}", SOMEBODY).replace("{twoFactorId}", &some("c"));
    let path = path.replace("{twoFactorTrustId}", &some("d")).replace("{changePasswordId}", &some("p"));
    let path = path.replace("{tokenId}", SOMEBODY).replace("{actionId}", SOMEBODY).replace("{applicationId}", SOMEBODY);
    let path = path.replace("{verificationId}", &some("v")).replace("{id}", SOMEBODY);
    match entry.operation_id {
        "retrieveTwoFactorStatus"
        | "retrieveTwoFactorStatusWithoutTrust"
        | "retrieveRefreshTokens"
        | "retrieveActions"
        | "retrieveWebAuthnCredentialsForUser"
        | "deleteWebAuthnCredentialsForUser" => {
            format!("{path}?userId={SOMEBODY}")
        }
        "searchUsersByIds" => format!("{path}?ids={SOMEBODY}"),
        "retrieveUserByLoginId" | "checkChangePasswordByIdentity" => format!("{path}?loginId=nobody@example.com"),
        _ => path,
    }
}

fn some(kind: &str) -> String {
    format!("{kind}{}", "x".repeat(42))
}

/// A request that gets as far as the database.
fn example(caller: &Caller, entry: &OperationEntry) -> Call {
    let call = caller.call(entry.method, &path(entry));
    if entry.path.starts_with("/api/passwordless/") {
        let application = crate::harness::service::APPLICATION;
        let body = json!({"applicationId": application, "loginId": "nobody@example.com", "code": some("m")});
        return call.json(body);
    }
    if entry.operation_id == "resendEmailVerification" {
        return caller.call(entry.method, &format!("{}?email=nobody@example.com", path(entry)));
    }
    match entry.body {
        BodyRule::None => call,
        _ if entry.operation_id == "importWebAuthnCredential" => call.json(json!({"credentials": [{
            "userId": SOMEBODY,
            "credentialId": some("i"),
            "publicKey": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----",
            "algorithm": -8,
            "relyingPartyId": RP_ID,
            "name": "ada",
            "displayName": "My key",
        }]})),
        // Another operation has a property of this name with another type.
        _ if entry.path.starts_with("/api/user/action") => call.json(json!({"action": {
            "actioneeUserId": SOMEBODY,
            "userActionId": "c0de0000-0000-4000-8000-000000000009",
            "expiry": i64::MAX,
        }})),
        _ => call.json(json!({
            "loginId": "nobody@example.com",
            "userId": SOMEBODY,
            "verificationId": some("v"),
            "password": "some password",
            "currentPassword": "some password",
            "twoFactorId": some("c"),
            "refreshToken": some("r"),
            "code": "123456",
            "method": "email",
            "email": "nobody@example.com",
            "methodId": "ABCD",
            "user": {"email": "new@example.com", "password": "some password"},
            "registration": {"applicationId": "c0de0000-0000-4000-8000-000000000002"},
            "search": {"queryString": "*"},
            "displayName": "My key",
            "workflow": "bootstrap",
            "credential": {
                "id": some("i"),
                "type": "public-key",
                "response": {"clientDataJSON": CLIENT_DATA, "attestationObject": "oA", "authenticatorData": "AA", "signature": "AA"},
            },
        })),
    }
}

async fn some_token(service: &Service) -> String {
    let user = service.user().await;
    service.log_in(&user).await.ok().text("/token")
}

scenarios! {
    /// A body that is said to be JSON and is none, and a tenant that is none.
    async fn fusionauth_requests_that_make_no_sense(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let service = world.service().await;
        let token = some_token(&service).await;
        for entry in documenting(400) {
            if entry.body != BodyRule::None {
                let call = service.caller.call(entry.method, &path(entry)).body("application/json", "{");
                call.await.wrong("[invalidJSON]");
                let call = service.caller.call(entry.method, &path(entry)).body("application/json", "[]");
                call.await.wrong("[invalidJSON]");
            }
            if ["exchangeRefreshTokenForJWT", "logout"].contains(&entry.operation_id) {
                continue;
            }
            let takes_keys = entry.anonymous_allowed || entry.security.iter().any(|schemes| schemes.contains(&"apiKey"));
            let caller = if takes_keys { service.caller.clone() } else { world.bearer(&token) };
            let call = example(&caller, entry).header("x-fusionauth-tenantid", "nowhere");
            call.await.wrong("[couldNotConvert]tenantId");
        }
        world.answered(400).await
    }

    /// No credentials, dead ones, ones of another kind, and ones that were never any.
    async fn fusionauth_credentials_that_are_none_19_20_38(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let service = world.service().await;
        let revoked = world.service().await;
        world.revoke(&revoked).await;
        let narrow = world.service_that(None, Some("[]")).await;
        let user = service.user().await;
        let login = service.log_in(&user).await.ok();
        let (token, refresh) = (login.text("/token"), login.text("/refreshToken"));
        // The same user at another server, whose keys are others.
        let elsewhere = World::start(database).await;
        let foreign = format!("Bearer {}", some_token(&elsewhere.service().await).await);
        elsewhere.close().await;
        let key_like = some("k");
        let mut odd = vec![world.stranger(), revoked.caller.clone(), narrow.caller.clone()];
        for text in ["", "x", "Bearer", "Bearer ", "Basic YTpi", &key_like, &refresh, &token, &format!("Bearer {refresh}"), &foreign] {
            odd.push(world.stranger().with_header("authorization", text));
        }
        // A login that waits for its second factor.
        let enrolled = service.user().await;
        service.enrol(&enrolled).await;
        let waiting = service.challenge(&enrolled).await;
        for text in [&waiting, &format!("Bearer {waiting}"), &format!("JWT {waiting}")] {
            odd.push(world.stranger().with_header("authorization", text));
        }
        odd.push(world.stranger().with_header("cookie", &format!("access_token={waiting}")));
        for entry in FUSIONAUTH.iter().filter(|entry| !entry.anonymous_allowed) {
            for caller in &odd {
                example(caller, entry).await.is(401);
            }
            let is_for_users = entry.security.iter().any(|schemes| schemes.contains(&"bearerAuth"));
            let is_for_services = entry.security.iter().any(|schemes| schemes.contains(&"apiKey"));
            if !is_for_users {
                example(&world.bearer(&token), entry).await.is(401);
            }
            if !is_for_services {
                example(&service.caller, entry).await.is(401);
            }
        }
        // A key that is shown has to be good, also where none is needed.
        for entry in documenting(401).filter(|entry| entry.anonymous_allowed) {
            example(&revoked.caller, entry).await.is(401);
            example(&narrow.caller, entry).await.is(401);
        }
        // An hour later the token is no credential any more.
        world.clock.advance(std::time::Duration::from_secs(3_600));
        for entry in FUSIONAUTH.iter().filter(|entry| !entry.anonymous_allowed) {
            example(&world.bearer(&token), entry).await.is(401);
        }
        world.answered(401).await
    }

    /// The operator has switched everything off.
    async fn fusionauth_switched_off(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| {
            settings.disabled_paths = FUSIONAUTH.iter().map(|entry| entry.path.to_owned()).collect();
        });
        let world = world.await;
        for entry in documenting(404) {
            example(&world.stranger(), entry).await.is(404);
        }
        world.answered(404).await
    }

    /// A body longer than the server reads.
    async fn fusionauth_too_long_a_body(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.limits.max_body_bytes = 2000).await;
        for entry in documenting(413) {
            let body = format!("{{\"x\": \"{}\"}}", "x".repeat(2000));
            world.stranger().call(entry.method, &path(entry)).body("application/json", body).await.is(413);
        }
        world.answered(413).await
    }

    /// Somebody without credentials calls more often than is sensible.
    async fn fusionauth_too_often_r7(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.rate_limits_are_on = true).await;
        for entry in documenting(429) {
            // Operations that share a path share its limit.
            world.clock.advance(std::time::Duration::from_secs(11));
            let caller = world.stranger();
            let mut responses: Vec<Response> = Vec::new();
            while responses.last().is_none_or(|response| response.status != 429) {
                assert!(responses.len() <= 1_000, "{} is not limited", entry.operation_id);
                responses.push(caller.call(entry.method, &path(entry)).await);
            }
            assert_eq!(responses.pop().unwrap().retry_after(), 10);
            assert!([100, 1_000].contains(&responses.len()), "{} {}", entry.operation_id, responses.len());
        }
        world.answered(429).await
    }

    /// The database breaks underneath.
    async fn fusionauth_fails(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let service = world.service().await;
        let token = some_token(&service).await;
        world.database().break_everything();
        for entry in documenting(500) {
            let takes_keys = entry.anonymous_allowed || entry.security.iter().any(|schemes| schemes.contains(&"apiKey"));
            let caller = if takes_keys { service.caller.clone() } else { world.bearer(&token) };
            example(&caller, entry).await.is(500);
        }
        world.answered(500).await
    }

    /// There is room for one request, and it is taken.
    async fn fusionauth_has_no_room(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.limits.max_in_flight = 1).await;
        let mut slow = world.raw().await;
        slow.begin_post("/api/login").await;
        for entry in documenting(503) {
            assert_eq!(example(&world.stranger(), entry).await.is(503).retry_after(), 1);
        }
        drop(slow);
        world.answered(503).await
    }
}
