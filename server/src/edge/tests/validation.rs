//! Responses that are checked against a contract made for the purpose.

use super::*;
use crate::edge::validation::{Deviations, MESSAGE};
use countersign_contract_document::Document;
use countersign_contract_validate::ResponseValidator;
use slog::{Drain, KV, Key, Never, OwnedKVList, Record, Serializer};
use std::fmt::Arguments;
use std::sync::Mutex;

const CONTRACT: &str = r#"
openapi: 3.0.3
info: {title: Made for the purpose, version: 1.0.0}
servers: [{url: "http://localhost:3000/api/test"}]
paths:
  /right: {get: &operation {operationId: right, responses: &responses {
    200: {
      description: Right.,
      headers: {X-Own: {required: true, schema: {type: integer}}},
      content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: integer}}}}},
    },
    429: {description: Too often., content: {text/plain: {}}},
  }}}
  /status: {get: {<<: *operation, operationId: status}}
  /property: {get: {<<: *operation, operationId: property}, head: {<<: *operation, operationId: head}}
  /schema: {get: {<<: *operation, operationId: schema}}
  /header: {get: {<<: *operation, operationId: header}}
  /off: {get: {<<: *operation, operationId: off}}
  /strict: {post: {<<: *operation, operationId: limited}}
  /long: {get: {operationId: long, responses: {200: {description: Long.}}}}
"#;

/// The log: each message with its fields.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<String>>>);

impl Drain for Memory {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        if record.level() == slog::Level::Error {
            let mut line = Line(record.msg().to_string());
            record.kv().serialize(record, &mut line).expect("serializable");
            values.serialize(record, &mut line).expect("serializable");
            self.0.lock().expect("not poisoned").push(line.0);
        }
        Ok(())
    }
}

struct Line(String);

impl Serializer for Line {
    fn emit_arguments(&mut self, key: Key, value: &Arguments<'_>) -> slog::Result {
        let key: &str = key.as_ref();
        let value = if key == "request_id" { "<id>".to_owned() } else { value.to_string() };
        self.0.push_str(&format!(" {key}={value}"));
        Ok(())
    }
}

/// A server whose operations respond as their names say.
struct Validated {
    world: World,
    deviations: Arc<Deviations>,
    log: Memory,
}

impl Validated {
    fn new(is_on: bool) -> Self {
        let mut api = ApiDescription::new();
        for (name, status, headers, body) in [
            ("right", 200, &[JSON, ("x-own", "1")][..], r#"{"a":1}"#.to_owned()),
            ("status", 418, &[JSON, ("x-own", "1")], r#"{"a":"s3cret"}"#.to_owned()),
            ("property", 200, &[JSON, ("x-own", "1")], r#"{"a":1, "b":"s3cret"}"#.to_owned()),
            ("schema", 200, &[JSON, ("x-own", "s3cret")], r#"{"a":"s3cret"}"#.to_owned()),
            ("header", 200, &[JSON, ("location", "/s3cret"), ("set-cookie", "s3cret")], r#"{"a":1}"#.to_owned()),
            ("strict", 200, &[JSON, ("x-own", "1")], r#"{"a":1}"#.to_owned()),
            ("unknown", 500, &[], "not in the contract".to_owned()),
            ("long", 200, &[], "x".repeat(1 << 21)),
        ] {
            let handler = move |_: RequestContext<Reached>| {
                let mut response = Response::new(Body::from(body.clone()));
                *response.status_mut() = StatusCode::from_u16(status).expect("a status");
                for (name, value) in headers {
                    response.headers_mut().append(*name, HeaderValue::from_static(value));
                }
                async move { Ok::<_, Error>(response) }
            };
            let method = if name == "strict" { Method::POST } else { Method::GET };
            let path = format!("/api/test/{name}");
            let versions = ApiEndpointVersions::All;
            let endpoint = ApiEndpoint::new(name.to_owned(), handler, method, "application/json", &path, versions);
            api.register(endpoint).expect("registered");
        }
        let dialect = Dialect::new("/api/test", vec![Dispatcher::new(api)], Arc::new(TestRules));
        let document = Document::load("contract", CONTRACT).expect("a contract");
        let dialect = if is_on { dialect.validated_by(Arc::new(ResponseValidator::new(&document))) } else { dialect };
        let (deviations, log) = (Arc::new(Deviations::default()), Memory::default());
        let world = World::of(dialect, |policy| {
            policy.deviations = Arc::clone(&deviations);
            policy.log = Logger::root(log.clone(), o!());
            policy.disabled_paths = path::DisabledPaths::new(["/api/test/off".to_owned()].into());
        });
        Self { world, deviations, log }
    }

    fn log(&self) -> Vec<String> {
        self.log.0.lock().expect("not poisoned").clone()
    }
}

#[tokio::test]
async fn a_response_that_breaks_the_contract_is_logged_and_sent_unchanged() {
    let validated = Validated::new(true);
    for (path, status, body) in [
        ("status", 418, r#"{"a":"s3cret"}"#),
        ("property", 200, r#"{"a":1, "b":"s3cret"}"#),
        ("schema", 200, r#"{"a":"s3cret"}"#),
        ("header", 200, r#"{"a":1}"#),
        ("off", 404, "NotFound"),
    ] {
        let response = validated.world.get(&format!("/api/test/{path}"), &[]).await;
        assert_eq!((response.status, response.body.as_str()), (status, body), "{path}");
        assert_eq!(response.header("content-length"), Some(body.len().to_string().as_str()), "{path}");
    }
    let responses = |path: &str| format!("/paths/~1{path}/get/responses");
    let lines = [
        format!("418 in_body= place={} rule=status-undocumented", responses("status")),
        format!(
            "200 in_body= place={}/200/content/application~1json/schema rule=property-undocumented",
            responses("property")
        ),
        format!("200 in_body= place={}/200/headers/X-Own/schema/type rule=header-schema", responses("schema")),
        format!(
            "200 in_body=/a place={}/200/content/application~1json/schema/properties/a/type rule=body-schema",
            responses("schema")
        ),
        format!("200 in_body= place={}/200/headers/X-Own rule=header-missing", responses("header")),
        format!("200 in_body= place={}/200/headers rule=header-undocumented", responses("header")),
        format!("200 in_body= place={}/200/headers rule=header-undocumented", responses("header")),
        format!("404 in_body= place={} rule=status-undocumented", responses("off")),
    ];
    let log = validated.log();
    assert_eq!((log.len(), validated.deviations.seen().len()), (lines.len(), lines.len()), "{log:#?}");
    for (line, expected) in log.iter().zip(&lines) {
        assert!(line.starts_with(MESSAGE) && line.contains(" request_id=<id>") && !line.contains("s3cret"), "{line}");
        let fields = ["status", "in_body", "place", "rule"].map(|name| {
            let start = line.find(&format!(" {name}=")).expect(name) + 1;
            line[start..].split(' ').next().expect("a field").trim_start_matches("status=").to_owned()
        });
        assert_eq!(&fields.join(" "), expected);
    }
}

#[tokio::test]
async fn refusals_of_the_edge_are_validated_where_they_belong_to_an_operation() {
    let validated = Validated::new(true);
    let client = ("x-forwarded-for", "1.2.3.4");
    for _ in 0..3 {
        assert_eq!(validated.world.post("/api/test/strict", &[client], "").await.status, 200);
    }
    assert_eq!(validated.deviations.seen(), Vec::<String>::new());
    assert_eq!(validated.world.post("/api/test/strict", &[client], "").await.status, 429);
    let expected = [
        "limited 429: header-undocumented: the header retry-after is not documented (/paths/~1strict/post/responses/429)",
        "limited 429: content-type-missing: the response has no content type (/paths/~1strict/post/responses/429/content)",
    ];
    assert_eq!(validated.deviations.seen(), expected);
}

#[tokio::test]
async fn a_response_that_keeps_the_contract_or_has_none_is_not_logged() {
    let validated = Validated::new(true);
    let trusted = ("origin", "https://id.example");
    assert_eq!(validated.world.get("/api/test/right", &[trusted]).await.status, 200);
    let preflight = [trusted, ("access-control-request-method", "GET")];
    assert_eq!(validated.world.call("OPTIONS", "/api/test/right", &preflight, "").await.status, 204);
    for (method, path, status) in [
        ("GET", "/api/test/unknown", 500),
        ("GET", "/api/test/none", 404),
        ("POST", "/api/test/right", 404),
        ("HEAD", "/api/test/right", 404),
        ("GET", "/api/test//right", 404),
        ("GET", "/healthz", 200),
        ("GET", "/none", 404),
    ] {
        assert_eq!(validated.world.call(method, path, &[], "").await.status, status, "{method} {path}");
    }
    assert_eq!(validated.deviations.seen(), Vec::<String>::new());

    let off = Validated::new(false);
    assert_eq!(off.world.get("/api/test/property", &[]).await.body, r#"{"a":1, "b":"s3cret"}"#);
    assert_eq!(off.deviations.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_response_that_is_too_long_to_check_is_sent_and_reported() {
    let validated = Validated::new(true);
    assert_eq!(validated.world.get("/api/test/long", &[]).await.body.len(), 1 << 21);
    assert_eq!(validated.deviations.seen(), ["long 200: too long to be judged"]);
}
