//! Browsers on other, trusted origins.

use crate::harness::contract::better_auth as operations;
use crate::harness::{BASE_URL, Response, World};
use countersign::net::origin::OriginPattern;
use countersign_test_postgres::{DatabaseKind, on_each_database};
use serde_json::json;

const APP: &str = "https://app.example.com";

async fn world(database: DatabaseKind) -> World {
    World::with(database, |settings| settings.origin_patterns = vec![OriginPattern::parse(APP).unwrap()]).await
}

fn has_cors(response: &Response) -> bool {
    response.headers.keys().any(|name| name.as_str().starts_with("access-control-allow"))
}

#[on_each_database]
async fn trusted_origins_may_call_every_operation_with_credentials(database: DatabaseKind) {
    let world = world(database).await;
    for entry in operations() {
        let path = &entry.path.replace("{token}", "sometoken");
        for origin in [APP, BASE_URL] {
            let preflight = world.stranger().with_header("origin", origin).call("OPTIONS", path);
            let preflight = preflight.header("access-control-request-method", entry.method);
            let preflight =
                preflight.header("access-control-request-headers", "authorization,content-type").undocumented().await;
            assert_eq!((preflight.status, preflight.raw.len()), (204, 0), "{preflight}");
            assert_eq!(preflight.header("access-control-allow-origin"), Some(origin));
            assert_eq!(preflight.header("access-control-allow-credentials"), Some("true"));
            assert!(preflight.header("access-control-allow-methods").unwrap().contains(entry.method));
            for name in ["authorization", "content-type"] {
                assert!(preflight.header("access-control-allow-headers").unwrap().contains(name), "{preflight}");
            }

            let response = world.stranger().with_header("origin", origin).call(entry.method, path).await;
            assert_eq!(response.header("access-control-allow-origin"), Some(origin), "{response}");
            assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
            assert!(response.header("vary").unwrap().contains("Origin"));
        }
    }
}

/// Tracing tools add headers of their own to all requests of a page.
#[on_each_database]
async fn a_trusted_page_may_send_whatever_headers_it_asks_for(database: DatabaseKind) {
    let world = world(database).await;
    let wanted = "authorization,baggage,content-type,sentry-trace,traceparent,x-datadog-trace-id";
    for path in ["/api/auth/sign-in/email", "/api/login"] {
        let preflight = world.stranger().with_header("origin", APP).call("OPTIONS", path);
        let preflight = preflight.header("access-control-request-method", "POST");
        let preflight = preflight.header("access-control-request-headers", wanted).undocumented().await.is(204);
        assert_eq!(preflight.header("access-control-allow-headers"), Some(wanted.replace(',', ", ").as_str()));
        let stranger = world.stranger().with_header("origin", "https://evil.example").call("OPTIONS", path);
        let stranger = stranger.header("access-control-request-method", "POST");
        let stranger = stranger.header("access-control-request-headers", wanted).undocumented().await.is(404);
        assert!(!has_cors(&stranger), "{stranger}");
    }
    let browser = world.browser().with_header("origin", APP);
    let body = json!({"name": "a", "email": "a@example.com", "password": "correct horse"});
    let traced = browser.post("/sign-up/email").json(body);
    traced.header("sentry-trace", "1-1-1").header("baggage", "sentry-environment=production").await.ok();
}

#[on_each_database]
async fn nobody_else_is_told_anything(database: DatabaseKind) {
    let world = world(database).await;
    for origin in ["https://evil.example", "null", "https://app.example.com.evil.example", "http://app.example.com"] {
        let preflight = world.stranger().with_header("origin", origin).call("OPTIONS", "/api/auth/sign-in/email");
        let preflight = preflight.header("access-control-request-method", "POST").undocumented().await;
        assert!(preflight.status == 404 && !has_cors(&preflight), "{preflight}");
        let response = world.stranger().with_header("origin", origin).get("/ok").await.ok();
        assert!(!has_cors(&response), "{response}");
    }
    assert!(!has_cors(&world.stranger().get("/ok").await.ok()));
}

#[on_each_database]
async fn a_page_elsewhere_may_read_what_it_needs(database: DatabaseKind) {
    let world = world(database).await;
    let browser = world.browser().with_header("origin", APP);
    let body = json!({"name": "a", "email": "a@example.com", "password": "correct horse"});
    let response = browser.post("/sign-up/email").json(body).await.ok();
    let exposed = response.header("access-control-expose-headers").unwrap();
    for name in ["set-auth-token", "retry-after", "x-retry-after", "www-authenticate"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    browser.post("/revoke-other-sessions").await.ok();
}
