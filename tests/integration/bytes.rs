//! Bytes that clients and what is in front of them add without asking: letters beyond ASCII in headers, a byte order mark
//! before a body.

use crate::harness::contract::better_auth as operations;
use crate::harness::service::APPLICATION;
use crate::harness::{PASSWORD, World};
use countersign::operations::FUSIONAUTH;
use countersign_contract_compare::OperationEntry;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

/// As UTF-8, as Latin-1, and as nothing at all.
const ODD: [&[u8]; 3] = ["José".as_bytes(), b"Jos\xe9", b"\xff\xfe\xc3"];

/// Headers that a request may have for reasons that are none of the server's, some of which it reads.
const HEADERS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "baggage",
    "expo-origin",
    "forwarded",
    "if-none-match",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sentry-trace",
    "traceparent",
    "user-agent",
    "x-forwarded-for",
    "x-unknown",
];

#[on_each_database]
async fn a_cookie_of_another_application_hides_no_session_and_no_token(database: DatabaseKind) {
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let session = format!("better-auth.session_token={}", user.browser.cookie("session_token").unwrap());
    let service = world.service().await;
    let holder = service.user().await;
    let token = format!("access_token={}", service.log_in(&holder).await.ok().text("/token"));
    for odd in ODD {
        for (before, after) in [(&b"visitor="[..], &b"; "[..]), (b"", b"=1; "), (b"", b"; ")] {
            let line = |pair: &str| [before, odd, after, pair.as_bytes(), b"; theme=", odd].concat();
            let read = world.stranger().get("/get-session").header_bytes("cookie", &line(&session)).await.ok();
            assert_eq!(read.text("/user/id"), user.id, "{odd:?} {after:?}");
            let listed = world.browser().post("/two-factor/send-otp").header_bytes("cookie", &line(&session)).await;
            assert_ne!(listed.status, 401, "{listed}");
            let valid = world.stranger().call("GET", "/api/jwt/validate").header_bytes("cookie", &line(&token)).await;
            assert_eq!(valid.ok().text("/jwt/sub"), holder.id, "{odd:?} {after:?}");
        }
    }
}

#[on_each_database]
async fn odd_bytes_in_any_other_header_change_nothing(database: DatabaseKind) {
    let trusting = |settings: &mut countersign::config::Settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    let world = World::with(database, trusting).await;
    let user = world.user("ada").await;
    let service = world.service().await;
    let holder = service.user().await;
    for header in HEADERS {
        for odd in ODD {
            user.browser.get("/get-session").header_bytes(header, odd).await.ok().text("/user/id");
            let body = json!({"email": user.email, "password": PASSWORD});
            user.browser.copy().post("/sign-in/email").header_bytes(header, odd).json(body).await.ok();
            service.get("/status").header_bytes(header, odd).await.ok();
            let docs = world.stranger().call("GET", "/openapi/better-auth.json").header_bytes(header, odd);
            docs.undocumented().await.ok();
        }
    }
    for odd in ODD {
        // Behind the type of a body, and among the headers that a page asks for.
        let of = |media_type: &str| [media_type.as_bytes(), b"; charset=utf-8; x=", odd].concat();
        let body = json!({"email": user.email, "password": PASSWORD});
        let typed = user.browser.copy().post("/sign-in/email").json(body.clone());
        typed.header_bytes("content-type", &of("application/json")).await.ok();
        let form = format!("email={}&password={}", user.email, PASSWORD.replace(' ', "+"));
        let typed = user.browser.copy().post("/sign-in/email").body("text/plain", form);
        typed.header_bytes("content-type", &of("application/x-www-form-urlencoded")).await.ok();
        let patch = service.call("PATCH", &format!("/user/{}", holder.id)).json(json!({"user": {"fullName": "Grace"}}));
        patch.header_bytes("content-type", &of("application/json")).await.ok();
        let wrong = user.browser.copy().post("/sign-in/email").json(body).header_bytes("content-type", odd);
        wrong.await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        let preflight = user.browser.copy().call("OPTIONS", "/api/auth/sign-out").undocumented();
        let preflight = preflight.header("access-control-request-method", "POST");
        let wanted = [b"authorization, ", odd, b",x-trace"].concat();
        let allowed = preflight.header_bytes("access-control-request-headers", &wanted).await.is(204);
        assert_eq!(allowed.header("access-control-allow-headers"), Some("authorization, x-trace"), "{allowed}");
        // What is damaged itself is a wrong value, and not an absent one.
        let bearer = [b"Bearer ", user.first_token.as_bytes(), odd].concat();
        let read = user.browser.copy().get("/get-session").header_bytes("authorization", &bearer).await.ok();
        assert!(read.body.is_null(), "{read}");
        service.get("/two-factor/secret").header_bytes("authorization", odd).await.is(401);
        service.get("/two-factor/secret").header_bytes("x-fusionauth-tenantid", odd).await.is(400);
        user.browser.post("/sign-out").header_bytes("origin", odd).await.refused(403, "INVALID_ORIGIN");
    }
}

#[on_each_database]
async fn a_byte_order_mark_before_a_body_is_skipped_in_every_operation_of_both_dialects(database: DatabaseKind) {
    const MARK: &str = "\u{feff}";
    let world = World::start(database).await;
    let user = world.user("ada").await;
    let body = json!({"email": user.email, "password": PASSWORD}).to_string();
    let json = "application/json";
    world.browser().post("/sign-in/email").body(json, format!("{MARK}{body}")).await.ok();
    let form = format!("{MARK}email={}&password={}", user.email, PASSWORD.replace(' ', "+"));
    world.browser().post("/sign-in/email").body("application/x-www-form-urlencoded", form).await.ok();

    let service = world.service().await;
    let holder = service.user().await;
    let body = json!({"loginId": holder.email, "password": PASSWORD, "applicationId": APPLICATION}).to_string();
    service.call("POST", "/login").body(json, format!("{MARK}{body}")).await.ok();
    let patch = service.call("PATCH", &format!("/user/{}", holder.id));
    let patched = patch.body(json, format!("{MARK}{}", json!({"user": {"fullName": "Grace"}}))).await.ok();
    assert_eq!(patched.text("/user/fullName"), "Grace");

    let takes_body = |entry: &&OperationEntry| !entry.media_types.is_empty();
    let better_auth = operations().filter(takes_body);
    let better_auth = better_auth.map(|entry| (world.stranger(), entry.method, entry.path.to_owned()));
    let fusionauth = FUSIONAUTH.iter().filter(takes_body).map(|entry| {
        let path = entry.path.split('/').map(|part| if part.starts_with('{') { holder.id.as_str() } else { part });
        (service.caller.clone(), entry.method, path.collect::<Vec<_>>().join("/"))
    });
    let with_bodies: Vec<_> = better_auth.chain(fusionauth).collect();
    for expected in ["POST", "PUT", "PATCH", "DELETE"] {
        assert!(with_bodies.iter().any(|(_, method, _)| *method == expected), "{expected}");
    }
    for (caller, method, path) in with_bodies {
        // An unknown field only, so that nothing is done.
        let plain = caller.call(method, &path).body(json, r#"{"x":1}"#).await;
        let marked = caller.call(method, &path).body(json, format!(r#"{MARK}{{"x":1}}"#)).await;
        assert_eq!(
            (marked.status, marked.code(), marked.wrongs()),
            (plain.status, plain.code(), plain.wrongs()),
            "{marked}"
        );
        let broken = caller.call(method, &path).body(json, format!("{MARK}{{")).await;
        assert_eq!(broken.status, 400, "{broken}");
    }
}
