//! Responses of the administration API. Those that many operations share come from walks of the table of operations.

use super::scenario::scenarios;
use crate::harness::caller::Call;
use crate::harness::world::ADMINISTRATION;
use crate::harness::{Caller, PASSWORD, Pairs, Response, World};
use countersign::operations::ADMIN;
use countersign_contract_compare::{BodyRule, OperationEntry};
use countersign_test_postgres::DatabaseKind;
use serde_json::{Value, json};
use std::time::Duration;

const UNKNOWN: &str = "01a1fd04-be02-75f5-bdbd-868b7959e05d";

/// Operations that document a status.
fn documenting(status: u16) -> impl Iterator<Item = &'static OperationEntry> {
    ADMIN.iter().filter(move |entry| entry.statuses.contains(&status))
}

/// The path with ids that look right and stand for nothing.
fn path(entry: &OperationEntry) -> String {
    entry.path.replace("{userId}", UNKNOWN).replace("{grantId}", UNKNOWN)
}

fn example_body() -> Value {
    json!({"email": "new@example.com", "password": PASSWORD})
}

/// A request that gets as far as the database.
fn example(caller: &Caller, entry: &OperationEntry) -> Call {
    let call = caller.call(entry.method, &path(entry));
    if entry.body == BodyRule::None { call } else { call.json(example_body()) }
}

scenarios! {
    /// Every operation succeeds.
    async fn admin_at_its_best(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let admin = world.administrator().await;
        let user = world.user("ada").await;
        user.enrol().await;
        let id = admin.id_of("ada").await;
        let path = format!("/users/{id}");
        admin.get(&path).await.ok();
        let sessions = admin.get(&format!("{path}/sessions")).await.ok();
        admin.delete(&format!("{path}/sessions/{}", sessions.text("/sessions/0/id"))).await.ok();
        admin.delete(&format!("{path}/sessions")).await.ok();
        for change in ["unlock", "reset-factors", "deactivate", "reactivate"] {
            admin.post(&format!("{path}/{change}")).await.ok();
        }
        admin.post(&format!("{path}/password")).json(json!({"password": "a longer horse, a battery"})).await.ok();
        admin.get(&format!("{path}/export")).await.ok();
        admin.get("/statistics").await.ok();
        admin.get("/audit-events").await.ok();
        admin.delete(&path).await.ok();
        let made = admin.post("/users").json(example_body()).await.is(201);
        assert_eq!(made.header("location"), Some(&*format!("/admin/users/{}", made.text("/id"))));
        world.close().await.into_iter().filter(|(_, status)| [200, 201].contains(status)).collect()
    }

    /// A body that is said to be JSON and is none, parameters out of range, a password that is no good.
    async fn admin_requests_that_make_no_sense(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let admin = world.administrator().await;
        for entry in documenting(400).filter(|entry| entry.method != "GET") {
            let call = admin.caller.call(entry.method, &path(entry)).body("application/json", "{");
            call.await.refused(400, "INVALID_JSON");
            if entry.body != BodyRule::None {
                for body in ["[]", "{}", "", "null", r#"{"password": 1}"#] {
                    let call = admin.caller.call(entry.method, &path(entry)).body("application/json", body);
                    call.await.refused(400, "INVALID_REQUEST");
                }
            }
        }
        for (query, parameter) in [
            ("/users?limit=0", "limit"),
            ("/users?limit=501", "limit"),
            ("/users?limit=x", "limit"),
            ("/users?limit=1&limit=2", "limit"),
            ("/users?cursor=x", "cursor"),
            ("/users?tenantId=x", "tenantId"),
            ("/audit-events?limit=1001", "limit"),
            ("/audit-events?account=x", "account"),
            ("/audit-events?kind=x", "kind"),
            ("/audit-events?since=yesterday", "since"),
            ("/audit-events?until=2026-03-01", "until"),
            ("/audit-events?order=best", "order"),
            ("/audit-events?cursor=1_x", "cursor"),
        ] {
            let refused = admin.get(query).await.refused(400, "INVALID_REQUEST");
            assert_eq!(refused.text("/errors/0/parameter"), parameter, "{refused}");
        }
        let refused = admin.get("/users?startsWith=%00").await.refused(400, "INVALID_REQUEST");
        assert_eq!(refused.text("/errors/0/parameter"), "startsWith", "{refused}");
        for (body, pointer) in [
            (json!({"password": PASSWORD}), "#/email"),
            (json!({"email": "nonsense", "password": PASSWORD}), "#/email"),
            (json!({"email": 1, "password": PASSWORD}), "#/email"),
            (json!({"username": "\u{430}da", "password": PASSWORD}), "#/username"),
            (json!({"username": "ada"}), "#/password"),
            (json!({"username": "ada", "password": PASSWORD, "tenantId": UNKNOWN}), "#/tenantId"),
        ] {
            let refused = admin.post("/users").json(body).await.refused(400, "INVALID_REQUEST");
            assert_eq!(refused.text("/errors/0/pointer"), pointer, "{refused}");
        }
        for (password, code) in [
            ("short", "PASSWORD_TOO_SHORT"),
            (&*"x".repeat(129), "PASSWORD_TOO_LONG"),
            ("new@example.com", "PASSWORD_COMPROMISED"),
        ] {
            let body = json!({"email": "new@example.com", "password": password});
            admin.post("/users").json(body).await.refused(400, code);
        }
        let narrow = world.administrator_of(Some(world.settings().directory.home().id)).await;
        narrow.get("/audit-events").await.refused(400, "ACCOUNT_REQUIRED");
        assert_eq!(world.database().number("SELECT count(*) AS number FROM accounts"), 0);
        world.answered(400).await
    }

    /// No key, a revoked one, one in another form, and credentials of other APIs.
    async fn admin_keys_that_are_none_38(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let revoked = world.service_that(None, Some(ADMINISTRATION)).await;
        world.revoke(&revoked).await;
        let key = world.administrator().await.key;
        let user = world.user("ada").await;
        let callers = [
            world.stranger(),
            world.bearer(&revoked.key),
            world.bearer(&user.first_token),
            world.bearer("x"),
            world.stranger().with_header("authorization", &key),
            world.stranger().with_header("authorization", &format!("Basic {key}")),
            world.stranger().with_header("authorization", &format!("ApiKey {key}")),
            world.stranger().with_header("cookie", &format!("access_token={key}")),
            user.browser.clone(),
        ];
        for entry in ADMIN {
            for caller in &callers {
                let refused = example(caller, entry).await.refused(401, "UNAUTHORIZED");
                assert!(refused.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")), "{refused}");
            }
        }
        world.answered(401).await
    }

    /// Keys that are good for something else.
    async fn admin_keys_that_allow_something_else_38(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let everything = world.service().await.administrator();
        let nothing = world.service_that(None, Some("[]")).await.administrator();
        let other = world.service_that(None, Some(r#"[{"path": "/api/*"}, {"path": "/*"}]"#)).await.administrator();
        let reading = world.service_that(None, Some(r#"[{"method": "GET", "path": "/admin/*"}]"#)).await.administrator();
        for entry in ADMIN {
            for admin in [&everything, &nothing, &other] {
                let refused = example(&admin.caller, entry).await.refused(403, "FORBIDDEN");
                assert_eq!(refused.header("www-authenticate"), Some(r#"Bearer error="insufficient_scope""#));
            }
            let read = example(&reading.caller, entry).await;
            assert_eq!(read.status == 403, entry.method != "GET", "{read}");
        }
        world.answered(403).await
    }

    /// The operator has switched everything off, or there is no such user.
    async fn admin_finds_nothing(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let admin = world.administrator().await;
        let user = admin.post("/users").json(example_body()).await.is(201).text("/id");
        for entry in ADMIN.iter().filter(|entry| entry.path.contains("{userId}")) {
            example(&admin.caller, entry).await.refused(404, "USER_NOT_FOUND");
            let odd = admin.caller.call(entry.method, &path(entry).replacen(UNKNOWN, "x", 1));
            let odd = if entry.body == BodyRule::None { odd } else { odd.json(example_body()) };
            odd.await.refused(404, "USER_NOT_FOUND");
        }
        for id in [UNKNOWN, "x"] {
            admin.delete(&format!("/users/{user}/sessions/{id}")).await.refused(404, "GRANT_NOT_FOUND");
        }
        let world = world.restarted_with(|settings| {
            settings.disabled_paths = ADMIN.iter().map(|entry| entry.path.to_owned()).collect();
        });
        let world = world.await;
        for entry in documenting(404) {
            example(&admin.caller, entry).await.refused(404, "NOT_FOUND");
        }
        world.answered(404).await
    }

    /// What does not fit a user, or another one.
    async fn admin_conflicts(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let admin = world.administrator().await;
        let body = json!({"email": "new@example.com", "username": "new", "password": PASSWORD});
        let id = admin.post("/users").json(body).await.is(201).text("/id");
        admin.post("/users").json(json!({"email": "NEW@example.com", "password": PASSWORD})).await.refused(409, "EMAIL_TAKEN");
        admin.post("/users").json(json!({"username": "NEW", "password": PASSWORD})).await.refused(409, "USERNAME_TAKEN");
        let change = |name: &str| admin.post(&format!("/users/{id}/{name}"));
        change("reset-factors").await.refused(409, "NO_SECOND_FACTOR");
        change("reactivate").await.refused(409, "ALREADY_ACTIVE");
        change("deactivate").await.ok();
        change("deactivate").await.refused(409, "ALREADY_DEACTIVATED");
        world.answered(409).await
    }

    /// A body longer than the server reads.
    async fn admin_too_long_a_body(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.limits.max_body_bytes = 1000).await;
        for entry in documenting(413) {
            let body = format!("{{\"x\": \"{}\"}}", "x".repeat(1000));
            let call = world.stranger().call(entry.method, &path(entry)).body("application/json", body);
            call.await.refused(413, "PAYLOAD_TOO_LARGE");
        }
        world.answered(413).await
    }

    /// A body of a type that is not taken.
    async fn admin_another_type_of_body(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        for entry in documenting(415) {
            for sent in ["text/plain", "application/problem+json", "application/x-www-form-urlencoded"] {
                let call = world.stranger().call(entry.method, &path(entry)).body(sent, "{}");
                call.await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
            }
        }
        world.answered(415).await
    }

    /// A client without a valid key calls more often than is sensible; one with a valid key is not limited.
    async fn admin_too_often_r7(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.rate_limits_are_on = true).await;
        let admin = world.administrator().await;
        admin.get("/users").await.ok();
        for entry in documenting(429) {
            // Operations that share a path share its limit.
            world.clock.advance(Duration::from_secs(11));
            let caller = world.bearer("guess");
            let mut responses: Vec<Response> = Vec::new();
            while responses.last().is_none_or(|response| response.status != 429) {
                assert!(responses.len() <= 100, "{} is not limited", entry.operation_id);
                responses.push(example(&caller, entry).await);
            }
            assert_eq!(responses.pop().unwrap().refused(429, "TOO_MANY_REQUESTS").retry_after(), 10);
            assert_eq!(responses.len(), 100, "{}", entry.operation_id);
            assert_ne!(example(&admin.caller, entry).await.status, 429, "{}", entry.operation_id);
        }
        world.answered(429).await
    }

    /// The database breaks underneath.
    async fn admin_fails(database: DatabaseKind) -> Pairs {
        let world = World::start(database).await;
        let admin = world.administrator().await;
        world.database().break_everything();
        for entry in documenting(500) {
            example(&admin.caller, entry).await.refused(500, "INTERNAL_SERVER_ERROR");
        }
        world.answered(500).await
    }

    /// There is room for one request, and it is taken.
    async fn admin_has_no_room(database: DatabaseKind) -> Pairs {
        let world = World::with(database, |settings| settings.limits.max_in_flight = 1).await;
        let mut slow = world.raw().await;
        slow.begin_post("/admin/users").await;
        for entry in documenting(503) {
            assert_eq!(example(&world.stranger(), entry).await.refused(503, "SERVICE_UNAVAILABLE").retry_after(), 1);
        }
        drop(slow);
        world.answered(503).await
    }
}
