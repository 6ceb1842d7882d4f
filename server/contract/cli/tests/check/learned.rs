//! Documents that are learned from traffic.

mod traffic;

use super::run_in;
use countersign_contract_check::exchange::{Exchange, Request, Response};
use countersign_contract_check::learn::learn;
use countersign_contract_check::{Check, Observer};
use countersign_contract_document::Document;
use countersign_contract_finding::{Finding, Verdict};
use countersign_contract_lint::lint;
use proptest::prelude::*;
use serde_json::{Value, json};
use traffic::any_exchange;

const BASE: &str = "https://example.com/v1";

fn lines(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An exchange of JSON without a body in the request.
fn get(target: &str, status: u16, body: &Value) -> Exchange {
    let request =
        Request { method: "GET".to_owned(), target: target.to_owned(), headers: Vec::new(), body: Some(Vec::new()) };
    let headers = lines(&[("Content-Type", "application/json; charset=utf-8")]);
    Exchange { request, response: Response { status, headers, body: Some(body.to_string().into_bytes()) } }
}

/// An exchange with a JSON body in the request.
fn post(target: &str, sent: &Value, status: u16, body: &Value) -> Exchange {
    let mut exchange = get(target, status, body);
    exchange.request.method = "POST".to_owned();
    exchange.request.headers = lines(&[("content-type", "application/json"), ("authorization", "Bearer 5ecret")]);
    exchange.request.body = Some(sent.to_string().into_bytes());
    exchange
}

fn learned(exchanges: &[Exchange], given: &[String]) -> Value {
    learn(exchanges, BASE, given).unwrap().document
}

/// Whether a finding is about the traffic or the document, and not about what was recorded.
fn is_relevant(finding: &&Finding) -> bool {
    finding.verdict >= Verdict::Warning
}

/// The findings of the check of traffic against a document, and the errors of lint.
fn problems(exchanges: &[Exchange], document: &Value) -> Vec<String> {
    let text = format!("{document:#}");
    let document = Document::load("learned.json", &text).unwrap();
    let errors = lint(&document).into_iter().filter(|finding| finding.verdict == Verdict::Error);
    let mut out: Vec<String> = errors.map(|finding| format!("{}: {}", finding.rule.id, finding.message)).collect();
    let check = Check::new(&document);
    let mut observer = Observer::new(&check, BASE, false);
    for exchange in exchanges {
        let found = observer.observe(exchange);
        out.extend(found.iter().filter(is_relevant).map(|finding| format!("{}: {}", finding.rule.id, finding.message)));
    }
    out
}

#[test]
fn paths_have_variables_where_values_are() {
    let uuid = "6f1c5b0e-1f7e-4b7e-9c55-0d6f5d1d2f11";
    let exchanges = [
        get("/users/7", 200, &json!({"id": 7})),
        get("/users/8/orders/9", 200, &json!({})),
        get("/users/me", 200, &json!({"id": 7})),
        get(&format!("/tax-classes/{uuid}"), 200, &json!({})),
        get("/people/ada", 200, &json!({"person": {"user-name": "ada"}})),
        get("/people/bert%20b", 200, &json!({"person": {"user-name": "bert b"}})),
        get("/people/bert%20b/friends", 200, &json!([])),
        get("/v2/status", 200, &json!({"status": "status"})),
        get("/files/a.txt", 200, &json!({})),
        get("/7", 200, &json!({})),
    ];
    let document = learned(&exchanges, &["/files/{name}".to_owned()]);
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let mut expected = [
        "/users/{userId}",
        "/users/{userId}/orders/{orderId}",
        "/users/me",
        "/tax-classes/{taxClassId}",
        "/people/{username}",
        "/people/{username}/friends",
        "/v2/status",
        "/files/{name}",
        "/{id}",
    ];
    expected.sort_unstable();
    assert_eq!(paths, expected);
    let parameter = &document["paths"]["/tax-classes/{taxClassId}"]["get"]["parameters"][0];
    assert_eq!(parameter["schema"], json!({"type": "string", "format": "uuid"}));
    assert_eq!(problems(&exchanges, &document), Vec::<String>::new());
}

#[test]
fn an_operation_has_what_its_requests_have_in_common() {
    let exchanges = [
        post("/users?dry=true", &json!({"name": "a", "age": 3}), 201, &json!({"id": 1})),
        post("/users?dry=false&tag=x&tag=y", &json!({"name": "b"}), 201, &json!({"id": null})),
        post("/users?other=1", &json!({"wrong": 1}), 422, &json!({"title": "t"})),
    ];
    let document = learned(&exchanges, &[]);
    let content = |schema: Value| json!({"application/json": {"schema": schema}});
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "properties": properties});
    let expected = json!({
        "operationId": "postUsers",
        "parameters": [
            {"name": "dry", "in": "query", "required": true, "schema": {"type": "boolean"}},
            {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        ],
        "requestBody": {
            "required": true,
            "content": content(object(&["name"], json!({"age": {"type": "integer"}, "name": {"type": "string"}}))),
        },
        "responses": {
            "201": {"description": "Success", "content": content(object(&["id"], json!({"id": {"type": ["integer", "null"]}})))},
            "422": {"description": "Client error", "content": content(object(&["title"], json!({"title": {"type": "string"}})))},
        },
        "security": [{"bearerAuth": []}],
    });
    assert_eq!(document["paths"]["/users"]["post"], expected);
    assert_eq!(document["components"]["securitySchemes"]["bearerAuth"], json!({"type": "http", "scheme": "bearer"}));
    assert_eq!(problems(&exchanges, &document), Vec::<String>::new());
}

#[test]
fn pages_and_what_openapi_cannot_describe_are_left_out() {
    let mut page = get("/index.html", 200, &json!({}));
    page.response.headers = lines(&[("content-type", "text/html")]);
    let mut script = page.clone();
    script.request.target = "/users/app-7".to_owned();
    let mut preflight = get("/users", 204, &json!({}));
    preflight.request.method = "OPTIONS".to_owned();
    let mut failed = get("/users/7", 502, &json!({}));
    failed.response.headers = lines(&[("content-type", "text/html")]);
    let exchanges = [page, script, preflight, failed, get("/users/7", 200, &json!({})), get("/users", 304, &json!({}))];
    let document = learned(&exchanges, &[]);
    assert_eq!(document["paths"].as_object().unwrap().keys().collect::<Vec<_>>(), ["/users/{userId}"]);
    let statuses = document["paths"]["/users/{userId}"]["get"]["responses"].as_object().unwrap();
    assert!(statuses.contains_key("502") && statuses.contains_key("200"), "{statuses:?}");
}

#[test]
fn a_recording_without_an_api_has_status_2() {
    let directory = tempfile::tempdir().unwrap();
    let entry = json!({
        "request": {"method": "GET", "url": format!("{BASE}/index.html")},
        "response": {"status": 200, "headers": [{"name": "content-type", "value": "text/html"}], "content": {}},
    });
    std::fs::write(directory.path().join("a.har"), json!({"log": {"entries": [entry]}}).to_string()).unwrap();
    let (status, output, error) = run_in(directory.path(), "", &["learn", "--har", "a.har", "--url", BASE]);
    assert!(status == Some(2) && output.is_empty() && error.contains("is of an API"), "{output}{error}");
    let (status, _, error) =
        run_in(directory.path(), "", &["learn", "--har", "a.har", "--url", "https://user:5ecret@example.com/"]);
    assert!(
        status == Some(2) && error.contains("expected no credentials") && !error.contains("5ecret@example.com/index"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn traffic_follows_the_document_that_is_learned_from_it(exchanges in proptest::collection::vec(any_exchange(), 1..24)) {
        let document = learned(&exchanges, &[]);
        let problems = problems(&exchanges, &document);
        prop_assert!(problems.is_empty(), "{problems:#?}\n{document:#}");
    }
}

#[test]
fn objects_that_are_equal_in_several_places_are_components_with_their_names() {
    let user = |id: u32| json!({"id": id, "name": "Ada", "team": {"id": 1, "title": "t", "open": true}});
    let error = json!({"detail": "not found"});
    let exchanges = [
        get("/users", 200, &json!({"users": [user(1), user(2)], "total": 2})),
        get("/users/1", 200, &user(1)),
        get("/users/9", 404, &error),
        get(
            "/orders",
            200,
            &json!([{"id": 5, "buyer": user(1), "seller": null}, {"id": 6, "buyer": null, "seller": user(2)}]),
        ),
        get("/orders/9", 404, &error),
        post("/users", &json!({"name": "Ada", "age": 3, "role": "a"}), 201, &user(3)),
        post("/users/3", &json!({"name": "Ada", "age": 4, "role": "b"}), 200, &user(3)),
        post("/counts", &json!({"count": 1}), 200, &json!({"ok": true})),
        post("/sizes", &json!({"count": 1}), 200, &json!({"ok": true})),
    ];
    let document = learned(&exchanges, &[]);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(schemas.keys().collect::<Vec<_>>(), ["Error", "User", "UserInput"], "{document:#}");
    assert_eq!(schemas["User"]["properties"]["team"]["type"], "object");
    let schema =
        |pointer: &str| document.pointer(&format!("/paths{pointer}/content/application~1json/schema")).unwrap();
    let reference = json!({"$ref": "#/components/schemas/User"});
    assert_eq!(*schema("/~1users~1{userId}/get/responses/200"), reference);
    assert_eq!(schema("/~1users/get/responses/200")["properties"]["users"]["items"], reference);
    let buyer = &schema("/~1orders/get/responses/200")["items"]["properties"]["buyer"];
    assert_eq!(*buyer, json!({"anyOf": [reference, {"type": "null"}]}));
    assert_eq!(*schema("/~1orders~1{orderId}/get/responses/404"), json!({"$ref": "#/components/schemas/Error"}));
    assert_eq!(*schema("/~1users/post/requestBody"), json!({"$ref": "#/components/schemas/UserInput"}));
    // Small objects of different names are equal by chance.
    assert_eq!(schema("/~1counts/post/requestBody")["type"], "object");
    assert_eq!(problems(&exchanges, &document), Vec::<String>::new());
    let reversed: Vec<Exchange> = exchanges.into_iter().rev().collect();
    assert_eq!(learned(&reversed, &[]), document);
}
