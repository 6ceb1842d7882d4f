//! Documents that load, documents that do not, and documents that become one.

use super::contract;
use countersign_contract::{Document, merge};
use serde_json::{Value, json};

fn refusal(text: &str) -> String {
    Document::load("openapi/sample.yaml", text).unwrap_err().on_one_line()
}

#[test]
fn base_path_is_that_of_the_first_server() {
    assert_eq!(contract().base_path(), "/api/auth");
    for (servers, expected) in [
        (json!([{"url": "/api"}]), "/api"),
        (json!([{"url": "/"}]), ""),
        (json!([{"url": "http://localhost:3000"}]), ""),
        (json!([{"url": "https://{host}/api/auth/"}, {"url": "/other"}]), "/api/auth"),
        (json!([]), ""),
        (Value::Null, ""),
    ] {
        let document = json!({"openapi": "3.0.3", "paths": {}, "servers": servers});
        assert_eq!(Document::from_value("d", document).unwrap().base_path(), expected, "{servers}");
    }
}

#[test]
fn syntax_errors_say_where() {
    let found = refusal("openapi: 3.0.3\npaths:\n  /a: [\n");
    assert!(found.starts_with("openapi/sample.yaml:4:1: not readable as YAML or JSON: "), "{found}");
    let found = refusal("{\"openapi\": \"3.0.3\",\n  oops}");
    assert!(found.starts_with("openapi/sample.yaml:2:3: not readable as YAML or JSON: "), "{found}");
    assert!(!found.contains('\n'));
}

#[test]
fn keys_given_twice_are_refused() {
    let found = refusal("openapi: 3.0.3\npaths:\n  /a: {}\n  /a: {}\n");
    assert!(found.contains("duplicate entry"), "{found}");
    let found = refusal("openapi: 3.0.3\npaths:\n  /a:\n    get: {responses: {200: {}, \"200\": {}}}\n");
    assert_eq!(found, "openapi/sample.yaml: /paths/~1a/get/responses: the key `200` is given twice");
}

#[test]
fn shapes_that_are_refused() {
    for (text, expected) in [
        ("openapi: 3.1.0\npaths: {}\n", "/openapi: expected version 3.0.x"),
        ("openapi: 3.0.3\n", "/paths: expected an object"),
        ("openapi: 3.0.3\npaths: {/a: {get: yes please}}\n", "GET /a: expected an operation object"),
        ("openapi: 3.0.3\npaths: {/a: {$ref: '#/paths/~1b'}, /b: {}}\n", "/a: expected a path item, written in place"),
        ("openapi: 3.0.3\npaths: {}\nx: !secret 1\n", "/x: YAML tags are not used in OpenAPI"),
        ("openapi: 3.0.3\npaths: {}\nx: [.inf]\n", "/x/0: expected a finite number"),
    ] {
        assert_eq!(refusal(text), format!("openapi/sample.yaml: {expected}"));
    }
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    let document = |schemas: &str| format!("openapi: 3.0.3\npaths: {{}}\ncomponents:\n  schemas:\n{schemas}");
    let place = "openapi/sample.yaml: /components/schemas/A: $ref";
    for (schemas, expected) in [
        ("    A: {$ref: '#/components/schemas/B'}\n", format!("{place} `#/components/schemas/B` leads nowhere")),
        ("    A: {$ref: 'other.yaml#/A'}\n", format!("{place} `other.yaml#/A` leads out of the document")),
        (
            "    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n",
            format!("{place} `#/components/schemas/B` leads back to itself"),
        ),
        (
            "    default: {properties: {example: {items: {$ref: '#/nope'}}}}\n",
            "openapi/sample.yaml: /components/schemas/default/properties/example/items: $ref `#/nope` leads nowhere"
                .to_owned(),
        ),
    ] {
        assert_eq!(refusal(&document(schemas)), expected);
    }
    let data = "    A: {example: {$ref: '#/nope'}, default: {$ref: '#/nope'}, properties: {$ref: {type: string}}}\n";
    assert!(Document::load("d", &document(data)).is_ok());
}

#[test]
fn a_schema_that_contains_itself_loads_and_compares() {
    let schemas = json!({
        "Tree": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        "Self": {"allOf": [{"$ref": "#/components/schemas/Self"}]},
    });
    let document = |name: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let operation =
            json!({"operationId": "tree", "responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
        let document =
            json!({"openapi": "3.0.3", "paths": {"/tree": {"get": operation}}, "components": {"schemas": schemas}});
        Document::from_value("d", document).unwrap()
    };
    for name in ["Tree", "Self"] {
        assert_eq!(countersign_contract::compare(&document(name), &document(name), ""), []);
    }
    assert!(!countersign_contract::compare(&document("Tree"), &document("Self"), "").is_empty());
}

#[test]
fn merging_unites_and_refuses_clashes() {
    let one = json!({
        "openapi": "3.0.3", "info": {"title": "one"}, "tags": [{"name": "a"}],
        "paths": {"/a": {"get": {"operationId": "a"}}},
        "components": {"schemas": {"Error": {"type": "object"}}, "responses": {"Error": {"description": ""}}},
    });
    let two = json!({
        "openapi": "3.0.3", "info": {"title": "two"}, "tags": [{"name": "a"}, {"name": "b"}],
        "paths": {"/a": {"post": {"operationId": "b"}}, "/b": {"get": {"operationId": "c"}}},
        "components": {"schemas": {"Error": {"type": "object"}, "User": {"type": "string"}}},
    });
    let merged = merge(vec![one.clone(), two.clone()]).unwrap();
    assert_eq!(merged["info"]["title"], "one");
    assert_eq!(merged["tags"], json!([{"name": "a"}, {"name": "b"}]));
    assert_eq!(merged["paths"]["/a"], json!({"get": {"operationId": "a"}, "post": {"operationId": "b"}}));
    assert_eq!(merged["paths"]["/b"]["get"]["operationId"], "c");
    assert_eq!(merged["components"]["schemas"]["User"]["type"], "string");
    assert_eq!(merged["components"]["responses"]["Error"]["description"], "");
    for (pointer, place) in
        [("/components/schemas/Error/type", "components/schemas/Error"), ("/paths/~1a/post", "paths/a/get")]
    {
        let mut other = two.clone();
        match pointer {
            "/paths/~1a/post" => other["paths"]["/a"] = json!({"get": {"operationId": "z"}}),
            _ => *other.pointer_mut(pointer).unwrap() = "string".into(),
        }
        let error = merge(vec![one.clone(), other]).unwrap_err().to_string();
        assert_eq!(error, format!("cannot merge documents: both define `{place}`, with different content"));
    }
    assert_eq!(merge(vec![one.clone()]).unwrap(), one);
    assert_eq!(merge(Vec::new()).unwrap(), Value::Null);
}
