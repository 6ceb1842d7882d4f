//! Responses that many operations of the Better Auth dialect share. Each scenario walks the table of operations; none has a list of its own.

use super::scenario::scenarios;
use crate::harness::caller::{Call, Caller};
use crate::harness::contract::{better_auth as operations, example_body, example_path};
use crate::harness::{BASE_URL, Pairs, Response, World};
use countersign_contract_compare::{BodyRule, OperationEntry};
use countersign_test_postgres::DatabaseKind;
use std::time::Duration;

/// Operations that document a status.
fn documenting(status: u16) -> impl Iterator<Item = &'static OperationEntry> {
    operations().filter(move |entry| entry.statuses.contains(&status))
}

/// A request that the operation's contract finds nothing wrong with.
fn example(caller: &Caller, entry: &OperationEntry) -> Call {
    let call = caller.call(entry.method, &example_path(entry));
    match example_body(entry.operation_id) {
        Some(body) => call.json(body),
        None => call,
    }
}

/// A token that looks like one of a session.
fn some_token() -> String {
    "A1b2C3d4".repeat(4)
}

scenarios! {
    /// A body that is said to be JSON and is none.
    async fn a_body_that_is_not_json(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let caller = world.stranger();
        for entry in documenting(400).filter(|entry| entry.body != BodyRule::None) {
            for body in ["{", "", " "] {
                let call = caller.call(entry.method, entry.path).body("application/json", body);
                if !body.is_empty() {
                    call.await.refused(400, "BAD_REQUEST").saying("Invalid JSON in request body");
                } else if entry.body == BodyRule::Required {
                    call.await.refused(400, "VALIDATION_ERROR")
                        .saying("[body] Invalid input: expected object, received undefined");
                }
            }
        }
        world.answered(400).await
    }

    /// Nobody is signed in: every operation that asks for credentials refuses, with none, with dead ones and with
    /// ones that were never any.
    async fn nobody_is_signed_in(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let callers = [
            world.stranger(),
            world.bearer(some_token()),
            world.bearer(format!("{}.{}=", some_token(), "A".repeat(43))),
            world.bearer("2fa-AAAAAAAAAAAAAAAAAAAAAAAA"),
            world.bearer("x"),
            world.stranger().with_header("authorization", "Basic YTpi"),
        ];
        for entry in operations().filter(|entry| !entry.anonymous_allowed) {
            let takes_challenge = entry.security.iter().any(|schemes| schemes.contains(&"challengeCookie"));
            for caller in &callers {
                let response = example(caller, entry).await;
                match takes_challenge {
                    true => response.refused(401, "INVALID_TWO_FACTOR_COOKIE").saying("Invalid two factor cookie"),
                    false => response.refused(401, "UNAUTHORIZED").saying("Unauthorized"),
                };
            }
        }
        world.answered(401).await
    }

    /// A browser sends a cookie from nowhere, or from a page that is not trusted. Reading is free.
    async fn cookies_from_elsewhere(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        for entry in operations() {
            let call = |name: &str, value: &str| {
                let caller = world.stranger().with_header("cookie", "unrelated=1");
                if name == "origin" { example(&caller, entry).header("origin", value) } else { example(&caller, entry).header("referer", value) }
            };
            let (stranger, null) = (call("origin", "https://evil.example").await, call("origin", "null").await);
            let referred = call("referer", "https://evil.example/http://countersign.test").await;
            if entry.method == "GET" {
                assert!([stranger, null, referred].iter().all(|response| response.status != 403), "{}", entry.operation_id);
                continue;
            }
            stranger.refused(403, "INVALID_ORIGIN").saying("Invalid origin");
            referred.refused(403, "INVALID_ORIGIN");
            null.refused(403, "MISSING_OR_NULL_ORIGIN").saying("Missing or null Origin");
            let nowhere = example(&world.stranger().with_header("cookie", "unrelated=1"), entry).await;
            nowhere.refused(403, "MISSING_OR_NULL_ORIGIN");
        }
        world.answered(403).await
    }

    /// The operator has switched everything off.
    async fn switched_off(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| {
            settings.disabled_paths = operations().map(|entry| entry.path.to_owned()).collect();
        });
        let world = world.await;
        for entry in documenting(404) {
            example(&world.stranger(), entry).await.refused(404, "NOT_FOUND");
            // It comes before everything else that could be wrong.
            let worse = world.stranger().with_header("cookie", "a=1").call(entry.method, &example_path(entry)).body("text/plain", "{");
            worse.await.refused(404, "NOT_FOUND");
        }
        world.answered(404).await
    }

    /// A body longer than the server reads, whether it says so or not.
    async fn too_long_a_body(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.limits.max_body_bytes = 1000).await;
        for entry in documenting(413) {
            let body = format!("{{\"x\": \"{}\"}}", "x".repeat(1000));
            let call = world.stranger().call(entry.method, entry.path).body("application/json", body);
            call.await.refused(413, "PAYLOAD_TOO_LARGE");
        }
        world.answered(413).await
    }

    /// A body of a type that the operation does not take.
    async fn another_type_of_body(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        for entry in documenting(415) {
            for sent in ["text/plain;charset=UTF-8", "application/problem+json", "Multipart/Form-Data"] {
                let call = world.stranger().call(entry.method, entry.path).body(sent, "{}");
                let allowed = match entry.media_types.len() {
                    2 => "application/x-www-form-urlencoded, application/json",
                    _ => "application/json",
                };
                call.await.refused(415, "UNSUPPORTED_MEDIA_TYPE")
                    .saying(&format!("Content-Type \"{sent}\" is not allowed. Allowed types: {allowed}"));
            }
        }
        world.answered(415).await
    }

    /// One client calls one path more often than it may.
    async fn too_often_r7(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.rate_limits_are_on = true).await;
        for entry in documenting(429) {
            let caller = world.stranger();
            let mut responses: Vec<Response> = Vec::new();
            while responses.last().is_none_or(|response| response.status != 429) {
                assert!(responses.len() <= 100, "{} is not limited", entry.operation_id);
                responses.push(example(&caller, entry).await);
            }
            let refused = responses.pop().unwrap().refused(429, "TOO_MANY_REQUESTS");
            let refused = refused.saying("Too many requests. Please try again later.");
            assert_eq!(refused.retry_after(), 10);
            let strict = [
                "/two-factor/", "/sign-in", "/sign-up", "/change-password", "/change-email", "/request-password-reset",
                "/forget-password", "/send-verification-email", "/passkey/verify-",
            ];
            let strict = strict.iter().any(|part| entry.path.contains(part));
            assert_eq!(responses.len(), if strict { 3 } else { 100 }, "{}", entry.operation_id);
            // Operations with one path have one limit.
            world.clock.advance(Duration::from_secs(11));
        }
        world.answered(429).await
    }

    /// The database breaks underneath.
    async fn the_server_fails(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        // Responses of passkeys are looked up by this cookie alone.
        let browser = world.browser();
        browser.get("/passkey/generate-authenticate-options").await.ok();
        let cookie = format!("better-auth.better-auth-passkey={}", browser.cookie("better-auth-passkey").unwrap());
        world.database().break_everything();
        for entry in documenting(500) {
            let caller = world.bearer(some_token()).with_header("cookie", &cookie).with_header("origin", BASE_URL);
            let response = example(&caller, entry).await;
            response.refused(500, "INTERNAL_SERVER_ERROR").saying("Internal server error");
        }
        world.answered(500).await
    }

    /// There is room for one request, and it is taken.
    async fn no_room(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.limits.max_in_flight = 1).await;
        let mut slow = world.raw().await;
        slow.begin_post("/api/auth/sign-out").await;
        for entry in documenting(503) {
            let refused = example(&world.stranger(), entry).await.refused(503, "SERVICE_UNAVAILABLE");
            assert_eq!(refused.retry_after(), 1);
        }
        let probe = world.stranger().call("GET", "/healthz").undocumented().await;
        assert_eq!(probe.status, 200, "probes are let in");
        drop(slow);
        world.answered(503).await
    }
}
