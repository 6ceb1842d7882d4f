//! Response validation, rule by rule.

use super::contract;
use countersign_contract_document::Document;
use countersign_contract_validate::{Deviation, RULES, ResponseValidator};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const RESPONSES: &str = include_str!("../fixtures/responses.yaml");
pub(super) const GET_200: &str = "/paths/~1things~1{id}/get/responses/200";

fn document() -> Document {
    Document::load("responses.yaml", RESPONSES).unwrap()
}

pub(super) fn deviations_of(operation_id: &str, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<Deviation> {
    let validator = ResponseValidator::new(&document());
    let deviations =
        validator.validate(validator.operation(operation_id).unwrap(), status, headers.iter().copied(), body);
    let document = document();
    for deviation in &deviations {
        assert!(RULES.contains(&deviation.rule), "{deviation}");
        assert!(document.value().pointer(&deviation.pointer).is_some(), "{deviation} leads nowhere");
    }
    deviations
}

/// Rule, pointer in the document and pointer in the body of each deviation.
pub(super) fn places<'d>(deviations: &'d [Deviation]) -> Vec<(&'static str, &'d str, &'d str)> {
    let place = |deviation: &'d Deviation| (deviation.rule, deviation.pointer.as_str(), deviation.instance.as_str());
    deviations.iter().map(place).collect()
}

/// Deviations of a response for a thing that is otherwise valid.
pub(super) fn thing(headers: &[(&str, &str)], body: &Value) -> Vec<Deviation> {
    let mut all = vec![("Content-Type", "application/json"), ("x-count", "1")];
    all.retain(|(name, _)| !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
    all.extend(headers.iter().filter(|(_, value)| *value != "(none)"));
    deviations_of("getThing", 200, &all, body.to_string().as_bytes())
}

#[test]
fn operations_are_found_by_their_paths() {
    let validator = ResponseValidator::new(&document());
    let found = |method: &str, path: &str| {
        validator.find(method, path).map(|operation| operation.id().unwrap_or("(no name)").to_owned())
    };
    for (method, path, expected) in [
        ("GET", "/v1/things/7", Some("getThing")),
        ("get", "/v1/things/7?x=/y", Some("getThing")),
        ("HEAD", "/v1/things/7", Some("headThing")),
        ("GET", "/v1/things/latest", Some("getLatest")),
        ("GET", "/v1/things/7.json", Some("getThingAsJson")),
        ("GET", "/v1/things/.json", Some("getThing")),
        ("POST", "/v1/things/latest", Some("postPair")),
        ("POST", "/v1/ä/ö", Some("postPair")),
        ("GET", "/elsewhere/moved", Some("(no name)")),
        ("GET", "/v1/moved", None),
        ("PUT", "/v1/things/7", None),
        ("GET", "/things/7", None),
        ("GET", "/v1/things/7/", None),
        ("GET", "/v1/things/", None),
        ("GET", "/v1/things", None),
        ("GET", "", None),
    ] {
        assert_eq!(found(method, path).as_deref(), expected, "{method} {path}");
    }
    let operation = validator.find("GET", "/v1/things/7").unwrap();
    assert_eq!(operation.path(), "/v1/things/{id}");
    assert_eq!(operation.pointer(), "/paths/~1things~1{id}/get");
    assert_eq!(format!("{operation:?}"), "GET /v1/things/{id}");
    assert!(validator.operation("nobody").is_none());
}

#[test]
fn base_paths_of_servers() {
    for (servers, path) in [
        (json!(null), "/x"),
        (json!([]), "/x"),
        (json!([{"url": "/"}]), "/x"),
        (json!([{"url": "."}]), "/x"),
        (json!([{"url": "v1"}]), "/v1/x"),
        (json!([{"url": "./v1"}]), "/v1/x"),
        (json!([{"url": "//host:8080/v1/"}]), "/v1/x"),
        (json!([{"url": "https://host"}]), "/x"),
        (json!([{"url": "{scheme}://host/{p}/v2"}]), "/anything/v2/x"),
        (json!([{"url": "{base}/v2", "variables": {"base": {"default": "https://host/a"}}}]), "/a/v2/x"),
    ] {
        let document = json!({"openapi": "3.0.0", "servers": servers, "paths": {"/x": {"get": {}}}});
        let validator = ResponseValidator::new(&Document::from_value("d", document).unwrap());
        assert!(validator.find("GET", path).is_some(), "{servers} {path}");
    }
}

#[test]
fn valid_responses() {
    let full = json!({
        "id": "ab",
        "at": "2026-01-01T00:00:00Z",
        "next": {"id": "cd", "next": null},
        "tags": {"whatever": "x"},
    });
    let headers = [
        ("X-Flag", "true"),
        ("X-List", "1, 2"),
        ("X-Pair", "level,3"),
        ("X-Exploded", "level=3"),
        ("X-Json", "{\"a\": 1}"),
        ("X-Any", "1"),
        ("Set-Cookie", "a=b"),
        ("set-cookie", "c="),
        ("date", "now"),
        ("Access-Control-Allow-Origin", "*"),
    ];
    assert_eq!(thing(&headers, &full), []);
    for content_type in ["Application/JSON", "application/json;charset=utf-8"] {
        assert_eq!(thing(&[("content-type", content_type)], &full), [], "{content_type}");
    }
    assert_eq!(thing(&[("content-type", "application/vnd.thing+json; Version=\"2\"")], &json!([])), []);
    // Bodies that are not JSON are not validated.
    assert_eq!(thing(&[("content-type", "text/plain")], &json!("no integer")), []);
    assert_eq!(thing(&[("content-encoding", "gzip")], &json!(1)), []);

    let json = ("content-type", "application/json");
    assert_eq!(deviations_of("getThing", 429, &[json, ("retry-after", "3")], b"{\"code\": \"A\"}"), []);
    assert_eq!(deviations_of("getThing", 404, &[], b""), []);
    assert_eq!(deviations_of("getThing", 204, &[("content-type", "text/plain")], b""), []);
    assert_eq!(deviations_of("getThing", 500, &[("content-type", "image/png")], b"\x89PNG"), []);
    assert_eq!(deviations_of("getThing", 500, &[json], b"[1]"), []);
    assert_eq!(deviations_of("headThing", 200, &[json, ("x-count", "1")], b""), []);
    assert_eq!(deviations_of("headThing", 200, &[("x-count", "1")], b""), []);
}

#[test]
fn statuses() {
    assert_eq!(
        places(&deviations_of("getLatest", 404, &[("x-undocumented", "1")], b"no")),
        [("status-undocumented", "/paths/~1things~1latest/get/responses", "")]
    );
    // A status takes precedence over a range, and `default` covers the rest.
    assert_eq!(
        places(&deviations_of("getThing", 404, &[], b"x")),
        [("body-unexpected", &*format!("{}/404", &GET_200[..GET_200.len() - 4]), "")]
    );
    assert_eq!(
        places(&deviations_of("getThing", 410, &[("retry-after", "1")], b"")),
        [("body-missing", "/components/responses/Failed/content", "")]
    );
    assert_eq!(places(&deviations_of("getThing", 503, &[], b""))[0].0, "body-missing");
}

#[test]
fn bodies_and_their_types() {
    let content = format!("{GET_200}/content");
    let json = format!("{content}/application~1json");
    let count = ("x-count", "1");
    let one = |headers: &[(&str, &str)], body: &[u8]| {
        let headers: Vec<_> = headers.iter().copied().chain([count]).collect();
        let found = deviations_of("getThing", 200, &headers, body);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].rule, found[0].pointer.clone())
    };
    let with = |content_type: &'static str| [("content-type", content_type)];
    assert_eq!(one(&[], b""), ("body-missing", content.clone()));
    assert_eq!(one(&[], b"{}"), ("content-type-missing", content.clone()));
    for content_type in [
        "image/png",
        "application/problem+json",
        "application/vnd.thing+json",
        "application/vnd.thing+json; version=3",
        "",
        "json",
    ] {
        assert_eq!(one(&with(content_type), b"{}"), ("content-type-undocumented", content.clone()), "{content_type}");
    }
    for body in [&b""[..], b"{", b"{} {}", b"\xff", b"NaN", "[".repeat(10_000).as_bytes()] {
        assert_eq!(one(&with("application/json"), body), ("body-not-json", json.clone()));
    }
    assert_eq!(deviations_of("getLatest", 200, &[], b"x")[0].rule, "body-unexpected");
    assert_eq!(
        deviations_of("headThing", 200, &[("content-type", "image/png"), count], b"")[0].rule,
        "content-type-undocumented"
    );
}

#[test]
fn schemas_of_bodies() {
    let schema = "/components/schemas/Thing";
    let at = |key: &str| format!("{schema}/{key}");
    for (body, pointer, instance, message) in [
        (json!({}), at("required"), "", "\"id\" is a required property"),
        (json!([]), at("type"), "", "the value is not of type \"object\""),
        (json!({"id": 17}), at("properties/id/type"), "/id", "the value is not of type \"string\""),
        (json!({"id": "s"}), at("properties/id/minLength"), "/id", "the value is shorter than 2 characters"),
        (json!({"id": "ab", "at": "s3cret"}), at("properties/at/format"), "/at", "the value is not a \"date-time\""),
        (json!({"id": "ab", "next": 7}), at("type"), "/next", "the value is not of type \"object\""),
        (
            json!({"id": "ab", "next": {"id": 1}}),
            at("properties/id/type"),
            "/next/id",
            "the value is not of type \"string\"",
        ),
        (
            json!({"id": "ab", "tags": {"a/b": 1}}),
            at("properties/tags/additionalProperties/type"),
            "/tags/a~1b",
            "the value is not of type \"string\"",
        ),
        (
            json!({"id": "ab", "odd/name~": ""}),
            at("properties/odd~1name~0/type"),
            "/odd~1name~0",
            "the value is not of type \"integer\"",
        ),
    ] {
        let found = thing(&[], &body);
        assert_eq!(places(&found), [("body-schema", &*pointer, instance)], "{body}");
        assert_eq!(found[0].message, message);
    }
    let failed = |body: &str| {
        deviations_of("getThing", 400, &[("content-type", "application/json"), ("retry-after", "1")], body.as_bytes())
    };
    // Properties that the schema forbids are violations of the schema.
    assert_eq!(
        places(&failed("{\"code\": \"A\", \"more\": 1}")),
        [("body-schema", "/components/schemas/Error/additionalProperties", "")]
    );
    assert_eq!(
        failed("{\"code\": \"s3cret\"}")[0].to_string(),
        "body-schema: /code: the value is not one of \"A\" or \"B\" (/components/schemas/Error/properties/code/enum)"
    );
}

#[test]
fn undocumented_properties() {
    let schema = "/components/schemas/Thing";
    let next = format!("{schema}/properties/next");
    for (body, pointer, instance) in [
        (json!({"id": "ab", "more": "s3cret"}), schema, ""),
        (json!({"id": "ab", "next": {"id": "cd", "more": 1}}), &*next, "/next"),
    ] {
        let found = thing(&[], &body);
        assert_eq!(places(&found), [("property-undocumented", pointer, instance)], "{body}");
        assert_eq!(found[0].message, "Unevaluated properties are not allowed ('more' was unexpected)");
    }
    let header = thing(&[("x-exploded", "level=3,more=1")], &json!({"id": "ab"}));
    let pointer = format!("{GET_200}/headers/X-Exploded/schema");
    assert_eq!(places(&header), [("property-undocumented", &*pointer, "")]);
    // It is only reported if the schema matches otherwise.
    assert_eq!(places(&thing(&[], &json!({"id": 1, "more": 1})))[0].0, "body-schema");
}

#[test]
fn alternatives() {
    let open = |body: Value| {
        deviations_of("getThing", 201, &[("content-type", "application/json")], body.to_string().as_bytes())
    };
    let schema = "/components/schemas/Either";
    assert_eq!(open(json!({"b": 1})), []);
    assert_eq!(open(json!([1])), []);
    // The strict variant alone would accept the second alternative.
    assert_eq!(places(&open(json!({"a": 1, "b": 1}))), [("body-schema", &*format!("{schema}/oneOf"), "")]);
    assert_eq!(places(&open(json!({"a": ""}))), [("body-schema", &*format!("{schema}/oneOf"), "")]);
    // Only one alternative can be meant.
    assert_eq!(places(&open(json!(["s"]))), [("body-schema", &*format!("{schema}/oneOf/2/items/type"), "/0")]);
}

/// The contract of the other tests.
#[test]
fn another_contract() {
    let validator = ResponseValidator::new(&contract());
    let operation = validator.find("POST", "/api/auth/sign-in/email").unwrap();
    let headers = [("content-type", "application/json"), ("set-auth-token", "t")];
    let found = validator.validate(operation, 200, headers, b"{\"twoFactorRedirect\": true, \"token\": \"t\"}");
    let rules: BTreeSet<_> = found.iter().map(|deviation| deviation.rule).collect();
    assert_eq!(rules, ["header-missing", "property-undocumented"].into());
}

#[test]
fn a_validator_can_be_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<ResponseValidator>();
}
