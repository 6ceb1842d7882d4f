//! The edge over real connections, with a test dialect.

mod validation;

use super::*;
use crate::clock::ManualClock;
use crate::listener::Listener;
use crate::net::origin::Origin;
use countersign_api::better_auth::Error;
use countersign_domain::observer::Unobserved;
use countersign_domain::time::Timestamp;
use dialect::DialectRules;
use dropshot::{
    ApiDescription, ApiEndpoint, ApiEndpointVersions, ErrorStatusCode, ExclusiveExtractor, HttpError, RequestContext,
};
use http::StatusCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

struct TestRules;

impl DialectRules for TestRules {
    fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        let mut response = Response::new(Body::from(format!("{refusal:?}")));
        *response.status_mut() = refusal.status();
        response
    }

    fn rate_limit(&self, template: Option<&str>, proof: Option<proven::Proof>) -> Limit {
        let max = match template {
            Some("/api/test/strict" | "/api/test/item/{id}") => 3,
            Some(_) => 1_000,
            None => 50,
        };
        let limit = rate_limit::RateLimit { window: Duration::from_secs(10), max };
        match proof {
            None => Limit::PerNetwork(limit),
            Some(proven::Proof::User) => Limit::PerCredential(limit),
            Some(proven::Proof::Service) => Limit::None,
        }
    }

    fn credential(&self, headers: &http::HeaderMap) -> Option<String> {
        headers.get("authorization").map(|value| headers::text(value).into_owned())
    }

    fn bodies(&self, operation_id: &str) -> Bodies {
        if operation_id == "form" { Bodies::JsonOrForm } else { Bodies::Json }
    }

    fn guard(&self, request: &Parts, _: &ParsedBody) -> Result<(), Box<Response<Body>>> {
        if request.headers.contains_key("x-guarded") {
            let mut response = Response::new(Body::from("guarded"));
            *response.status_mut() = StatusCode::FORBIDDEN;
            return Err(Box::new(response));
        }
        Ok(())
    }
}

/// Requests that have reached a handler.
type Reached = Arc<AtomicUsize>;

/// Extracts what the edge passes to a handler: the parsed body and the client's address.
struct Seen(String);

#[async_trait::async_trait]
impl ExclusiveExtractor for Seen {
    async fn from_request<C: ServerContext>(
        context: &RequestContext<C>,
        request: Request<Body>,
    ) -> Result<Self, HttpError> {
        let body = match request.extensions().get::<ParsedBody>() {
            Some(ParsedBody::Json(value)) => value.to_string(),
            Some(ParsedBody::Absent) => "absent".to_owned(),
            None => "missing".to_owned(),
        };
        Ok(Self(format!("{body} from {}", context.request.remote_addr().ip())))
    }

    fn metadata(_: dropshot::ApiEndpointBodyContentType) -> dropshot::ExtractorMetadata {
        dropshot::ExtractorMetadata { parameters: Vec::new(), extension_mode: dropshot::ExtensionMode::None }
    }
}

fn inner_api() -> ApiDescription<Reached> {
    let mut api = ApiDescription::new();
    for (name, method) in [
        ("echo", Method::POST),
        ("echo_get", Method::GET),
        ("form", Method::POST),
        ("strict", Method::POST),
        ("item/{id}", Method::GET),
    ] {
        let echo = |context: RequestContext<Reached>, seen: Seen| async move {
            context.context().fetch_add(1, Ordering::SeqCst);
            let mut response = Response::new(Body::from(seen.0));
            response.headers_mut().insert("access-control-expose-headers", HeaderValue::from_static("x-own"));
            Ok::<_, Error>(response)
        };
        let item = |_: RequestContext<Reached>, _: dropshot::Path<Item>| async {
            Ok::<_, Error>(Response::new(Body::empty()))
        };
        let path = format!("/api/test/{}", name.trim_end_matches("_get"));
        let versions = ApiEndpointVersions::All;
        let endpoint = match name {
            "item/{id}" => ApiEndpoint::new("item".to_owned(), item, method, "application/json", &path, versions),
            name => ApiEndpoint::new(name.to_owned(), echo, method, "application/json", &path, versions),
        };
        api.register(endpoint).expect("registered");
    }
    for name in ["error", "panic", "slow"] {
        let handler = move |_: RequestContext<Reached>| async move {
            match name {
                "error" => Err::<Response<Body>, _>(Error::new(ErrorStatusCode::UNAUTHORIZED, "NO", "no")),
                "panic" => panic!("on purpose"),
                _ => std::future::pending().await,
            }
        };
        let path = format!("/api/test/{name}");
        let endpoint = ApiEndpoint::new(
            name.to_owned(),
            handler,
            Method::GET,
            "application/json",
            &path,
            ApiEndpointVersions::All,
        );
        api.register(endpoint).expect("registered");
    }
    api
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Item {
    #[expect(dead_code, reason = "dropshot wants a field for the variable")]
    id: String,
}

struct World {
    listener: Listener,
    reached: Reached,
    clock: Arc<ManualClock>,
}

struct Received {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl World {
    fn new(change: impl FnOnce(&mut Policy)) -> Self {
        Self::of(Dialect::new("/api/test", vec![Dispatcher::new(inner_api())], Arc::new(TestRules)), change)
    }

    fn of(dialect: Dialect<Reached>, change: impl FnOnce(&mut Policy)) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000)));
        let log = Logger::root(slog::Discard, o!());
        let origin = Origin::parse("https://id.example").expect("an origin");
        let mut policy = Policy {
            logged_successes: SuccessSample::new(100),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            log: log.clone(),
            traces: None,
            observer: Arc::new(Unobserved),
            trusted_proxies: client_ip::TrustedProxies::new(vec!["127.0.0.0/8".parse().expect("a network")]),
            untrusted_forwarders: client_ip::UntrustedForwarders::default(),
            trusted_origins: TrustedOrigins::new(origin, []),
            untrusted_origins: Arc::new(untrusted_origins::UntrustedOrigins::new(log.clone(), Arc::clone(&clock) as _)),
            rate_limiter: Some(rate_limit::RateLimiter::default()),
            proven: Arc::default(),
            in_flight: load::InFlight::new(100),
            connection_idle: Duration::from_secs(75),
            disabled_paths: path::DisabledPaths::new(["/api/test/form".to_owned()].into()),
            request_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(20),
            max_body_bytes: 64,
            deviations: Arc::default(),
        };
        change(&mut policy);
        let mut outside = ApiDescription::new();
        let alive = |_: RequestContext<Reached>| async { Ok::<_, Error>(Response::new(Body::empty())) };
        let versions = ApiEndpointVersions::All;
        let healthz =
            ApiEndpoint::new("healthz".to_owned(), alive, Method::GET, "application/json", "/healthz", versions);
        outside.register(healthz).expect("registered");
        let reached = Reached::default();
        let contexts = Contexts::start(Arc::clone(&reached), log.clone()).expect("a port");
        let edge = Arc::new(Edge::new(policy, contexts, vec![dialect], vec![Dispatcher::new(outside)]));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::start(address, Duration::from_secs(75), edge, log).expect("a port");
        Self { listener, reached, clock }
    }

    fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.listener.local_addr()).await.expect("listening")
    }

    /// Sends a request byte for byte, since HTTP clients normalise paths and headers.
    async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Received {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("content-length: {}\r\n", body.len());
        }
        let mut stream = self.connect().await;
        stream.write_all(format!("{text}\r\n{body}").as_bytes()).await.expect("writable");
        read_response(stream).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Received {
        self.call("POST", path, headers, body).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Received {
        self.call("GET", path, headers, "").await
    }
}

async fn read_response(mut stream: TcpStream) -> Received {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("a response");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).expect("a status");
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Received { status, headers: lines.filter_map(header).collect(), body: body.to_owned() }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_handler_sees_body_and_client() {
    let world = World::new(|_| {});
    let response =
        world.post("/api/test/echo?secret=1", &[JSON, ("x-forwarded-for", "6.6.6.6, 1.2.3.4")], "{\"a\":1}").await;
    assert_eq!((response.status, response.body.as_str()), (200, "{\"a\":1} from 1.2.3.4"));
    let response = world.post("/api/test/echo", &[], "{\"a\":1}").await;
    assert_eq!(response.body, "absent from 127.0.0.1");
    let response = world.get("/api/test/echo", &[JSON]).await;
    assert_eq!(response.body, "absent from 127.0.0.1");
}

#[tokio::test]
async fn connections_of_http_1_1_say_how_long_they_are_kept() {
    let world = World::new(|_| {});
    for (path, status) in [("/api/test/echo", 200), ("/api/test/unknown", 404), ("/healthz", 200)] {
        let response = world.get(path, &[]).await;
        assert_eq!((response.status, response.header("keep-alive")), (status, Some("timeout=70")), "{path}");
    }
    // HTTP/2 has no such header (RFC 9113, 8.2.2), and HTTP/1.0 keeps no connection.
    let mut old = world.connect().await;
    old.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.expect("writable");
    let response = read_response(old).await;
    assert_eq!((response.status, response.header("keep-alive")), (200, None));
}

#[tokio::test]
async fn one_spelling_reaches_a_handler_and_all_else_is_not_found_32() {
    let world = World::new(|_| {});
    for path in [
        "//api/test/echo",
        "/api//test/echo",
        "/api/test/echo/",
        "/api/test/./echo",
        "/api/test/../test/echo",
        "/api/test%2Fecho",
        "/api/test/%65cho",
        "/api/test/Echo",
        "/API/test/echo",
        "/api/test",
        "/api/testecho",
        "/api/test/unknown",
        "/api/test/%ff",
        "/",
        "/api/test/form",
    ] {
        assert_eq!(world.post(path, &[JSON], "{}").await.status, 404, "{path}");
    }
    for method in ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND"] {
        let response = world.call(method, "/api/test/echo", &[], "").await;
        assert_eq!(response.status, 404, "{method}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{method}");
    }
    assert_eq!(world.reached(), 0);
    assert_eq!(world.get("/api/test/item/7", &[]).await.status, 200);
}

#[tokio::test]
async fn bodies_are_checked_before_the_guard_and_the_guard_before_the_handler() {
    let world = World::new(|_| {});
    let guarded = ("x-guarded", "1");
    let large = "x".repeat(65);
    for (headers, body, status) in [
        (&[JSON, guarded][..], large.as_str(), 413),
        (&[("content-type", "application/vnd.x+json"), guarded], "{}", 415),
        (&[("content-type", "application/x-www-form-urlencoded"), guarded], "a=b", 415),
        (&[JSON, guarded], "{", 400),
        (&[JSON, guarded], "{}", 403),
        (&[guarded], "", 403),
    ] {
        assert_eq!(world.post("/api/test/echo", headers, body).await.status, status, "{headers:?}");
    }
    assert_eq!(world.reached(), 0);
    let form = World::new(|policy| policy.disabled_paths = path::DisabledPaths::default());
    let response = form.post("/api/test/form", &[("content-type", "application/x-www-form-urlencoded")], "a=b").await;
    assert_eq!(response.body, "{\"a\":\"b\"} from 127.0.0.1");
}

#[tokio::test]
async fn limits_come_before_routes_and_bodies() {
    let world = World::new(|_| {});
    let client = ("x-forwarded-for", "2001:db8::1");
    for _ in 0..3 {
        assert_eq!(world.post("/api/test/strict", &[client], "").await.status, 200);
    }
    let refused = world.post("/api/test/strict", &[JSON, ("x-forwarded-for", "2001:db8::2")], "{").await;
    assert_eq!(refused.status, 429);
    assert_eq!((refused.header("retry-after"), refused.header("x-retry-after")), (Some("10"), None));
    assert_eq!(world.get("/api/test/strict", &[client]).await.status, 404, "not the same operation");
    assert_eq!(world.post("/api/test/strict", &[], "").await.status, 200, "another client");

    world.clock.advance(Duration::from_millis(10_001));
    assert_eq!(world.post("/api/test/strict", &[client], "").await.status, 200);
    let unlimited = World::new(|policy| policy.rate_limiter = None);
    for _ in 0..5 {
        assert_eq!(unlimited.post("/api/test/strict", &[], "").await.status, 200);
    }
}

#[tokio::test]
async fn a_slow_body_holds_a_permit_and_ends_at_its_deadline() {
    let world = World::new(|policy| {
        policy.in_flight = load::InFlight::new(1);
        policy.body_timeout = Duration::from_millis(300);
    });
    let mut slow = world.connect().await;
    let head = "POST /api/test/echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\n\r\n12";
    slow.write_all(head.as_bytes()).await.expect("writable");
    let shed = loop {
        let response = world.post("/api/test/echo", &[], "").await;
        if response.status == 503 {
            break response;
        }
    };
    assert_eq!((shed.header("retry-after"), shed.header("x-retry-after")), (Some("1"), None));
    assert_eq!(world.get("/healthz", &[]).await.status, 200, "health checks pass");

    let late =
        tokio::time::timeout(Duration::from_secs(10), read_response(slow)).await.expect("long before 20 seconds");
    assert_eq!((late.status, late.body.as_str(), late.header("retry-after")), (503, "TimedOut", Some("1")));
    assert_eq!(world.post("/api/test/echo", &[], "").await.status, 200);
}

#[tokio::test]
async fn values_in_a_path_and_unknown_paths_make_no_new_counts() {
    let world = World::new(|_| {});
    for number in 0..6 {
        let expected = if number < 3 { 200 } else { 429 };
        assert_eq!(world.get(&format!("/api/test/item/{number}"), &[]).await.status, expected);
    }
    for number in 0..52 {
        let expected = if number < 50 { 404 } else { 429 };
        assert_eq!(world.get(&format!("/api/test/none/{number}"), &[]).await.status, expected);
    }
}

#[tokio::test]
async fn a_credential_lifts_limits_only_once_it_was_valid() {
    let proven = Arc::<proven::ProvenCredentials>::default();
    let world = World::new(|policy| policy.proven = Arc::clone(&proven));
    let statuses = async |authorization: &str| {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(world.get("/api/test/item/1", &[("authorization", authorization)]).await.status);
        }
        statuses
    };
    assert_eq!(statuses("key").await, [200, 200, 200, 429, 429]);
    proven.remember("key", proven::Proof::Service, world.clock.now());
    proven.remember("token", proven::Proof::User, world.clock.now());
    proven.remember("other", proven::Proof::User, world.clock.now());
    assert_eq!(statuses("key").await, [200; 5]);
    assert_eq!(statuses("token").await, [200, 200, 200, 429, 429], "a user has a count of their own");
    assert_eq!(statuses("other").await, [200, 200, 200, 429, 429]);
    assert_eq!(statuses("unknown").await, [429; 5], "the network's count is used up");
}

#[tokio::test]
async fn a_request_over_its_rate_takes_no_place() {
    let world = World::new(|policy| policy.in_flight = load::InFlight::new(1));
    for _ in 0..3 {
        assert_eq!(world.post("/api/test/strict", &[], "").await.status, 200);
    }
    let mut slow = world.connect().await;
    let head = "POST /api/test/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12";
    slow.write_all(head.as_bytes()).await.expect("writable");
    while world.post("/api/test/echo", &[], "").await.status != 503 {}
    assert_eq!(world.post("/api/test/strict", &[], "").await.status, 429, "its rate is looked at first");
}

#[tokio::test]
async fn handlers_that_fail_panic_or_hang_get_a_response() {
    let world = World::new(|policy| policy.request_timeout = Duration::from_millis(200));
    let failed = world.get("/api/test/error", &[]).await;
    assert_eq!((failed.status, failed.body.as_str()), (401, r#"{"message":"no","code":"NO"}"#));
    let panicked = world.get("/api/test/panic", &[]).await;
    assert_eq!((panicked.status, panicked.body.as_str()), (500, "Internal"));
    let hanging = world.get("/api/test/slow", &[]).await;
    assert_eq!((hanging.status, hanging.body.as_str(), hanging.header("retry-after")), (503, "TimedOut", Some("1")));
}

#[tokio::test]
async fn every_response_has_the_standard_headers() {
    let world = World::new(|_| {});
    for (path, status) in
        [("/api/test/echo", 200), ("/api/test/error", 401), ("/api/test/none", 404), ("/healthz", 200), ("/none", 404)]
    {
        let response = world.get(path, &[]).await;
        assert_eq!(response.status, status, "{path}");
        for (name, value) in STANDARD_HEADERS {
            assert_eq!(response.header(name), Some(value), "{path}");
        }
        assert!(response.header("x-request-id").is_some());
        assert_eq!(response.header("vary"), path.starts_with("/api/test/").then_some("Origin"), "{path}");
    }
}

#[tokio::test]
async fn trusted_origins_get_cors_and_nobody_else_does() {
    let world = World::new(|_| {});
    let trusted = ("origin", "https://id.example");
    let preflight =
        [trusted, ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
    let response = world.call("OPTIONS", "/api/test/echo", &preflight, "").await;
    assert_eq!(response.status, 204);
    assert_eq!(response.header("access-control-allow-origin"), Some("https://id.example"));
    assert_eq!(response.header("access-control-allow-headers"), Some("content-type"));

    let response = world.get("/api/test/echo", &[trusted]).await;
    assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(
        response.header("access-control-expose-headers"),
        Some("x-own, set-auth-token, retry-after, x-retry-after, www-authenticate")
    );
    let response = world.get("/api/test/none", &[trusted]).await;
    assert_eq!(response.header("access-control-allow-origin"), Some("https://id.example"), "errors can be read too");

    let stranger = ("origin", "https://evil.example");
    let response = world.call("OPTIONS", "/api/test/echo", &[stranger, preflight[1]], "").await;
    assert_eq!(response.status, 404);
    for response in [response, world.get("/api/test/echo", &[stranger]).await] {
        assert!(!response.headers.iter().any(|(name, _)| name.starts_with("access-control-")));
    }
}
