//! Schemas of responses, tested with a validator on valid and invalid responses.

use super::contract;
use countersign_contract_document::Document;
use countersign_contract_validate::{response_schema, strict_response_schema};
use serde_json::{Value, json};

/// Whether the response matches the plain and the strict schema.
fn passes(document: &Document, operation_id: &str, status: u16, response: &Value) -> (bool, bool) {
    let plain = response_schema(document, operation_id, status, "application/json").unwrap();
    let strict = strict_response_schema(document, operation_id, status, "application/json").unwrap();
    (jsonschema::is_valid(&plain, response), jsonschema::is_valid(&strict, response))
}

#[test]
fn responses_of_the_pair() {
    let contract = contract();
    let (accepted, loose, refused) = ((true, true), (true, false), (false, false));
    let full = json!({"token": "t", "kind": "full", "expiresAt": "2026-01-01T00:00:00Z"});
    let with = |key: &str, value: Value| {
        let mut full = full.clone();
        full[key] = value;
        full
    };
    let cases = [
        ("getSession", 200, full.clone(), accepted),
        ("getSession", 200, Value::Null, accepted),
        ("getSession", 200, with("extra", json!(1)), loose),
        ("getSession", 200, with("notes", json!({"anything": 1})), accepted),
        ("getSession", 200, with("kind", json!("trusted")), refused),
        ("getSession", 200, with("token", Value::Null), refused),
        ("getSession", 401, json!({"message": "no"}), accepted),
        ("getSession", 401, json!({"message": "no", "code": null}), refused),
        ("getSession", 401, Value::Null, refused),
        ("signInEmail", 200, json!({"token": "t", "user": {"id": "1", "name": null}}), accepted),
        ("signInEmail", 200, json!({"token": "t", "user": {"id": null, "name": null}}), refused),
        ("signInEmail", 200, json!({"token": "t", "user": {"id": "1", "name": "n", "hash": "x"}}), loose),
        (
            "signInEmail",
            200,
            json!({"token": "t", "user": {"id": "1", "name": "n", "manager": {"id": "2", "name": "m", "hash": "x"}}}),
            loose,
        ),
        ("signInEmail", 200, json!({"twoFactorRedirect": true}), accepted),
        ("signInEmail", 200, json!({"twoFactorRedirect": true, "attempts": -1}), refused),
        ("signInEmail", 200, json!({"twoFactorRedirect": true, "token": "t"}), loose),
    ];
    for (operation_id, status, response, expected) in cases {
        assert_eq!(passes(&contract, operation_id, status, &response), expected, "{operation_id} {status} {response}");
    }
}

#[test]
fn compositions_in_strict_mode() {
    let schemas = json!({
        "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 0, "exclusiveMinimum": true}}},
        "Either": {"anyOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"name": {"type": "string"}}}]},
        "Open": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}},
        "Free": {"anyOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object"}]},
        "Both": {
            "type": "object",
            "properties": {"own": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/Base"}]}},
            "anyOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}],
        },
        "Extended": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Extended"}}}]},
        "List": {"type": "array", "items": {"$ref": "#/components/schemas/Base"}},
    });
    let check = |name: &str, response: &Value| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let operation =
            json!({"operationId": "o", "responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
        let document =
            json!({"openapi": "3.0.3", "paths": {"/": {"get": operation}}, "components": {"schemas": schemas}});
        passes(&Document::from_value("d", document).unwrap(), "o", 200, response)
    };
    let (accepted, loose, refused) = ((true, true), (true, false), (false, false));
    for (name, response, expected) in [
        ("Base", json!({"id": 1}), accepted),
        ("Base", json!({"id": 0}), refused),
        ("Base", json!({"id": 1, "x": 1}), loose),
        ("Either", json!({"id": 1}), accepted),
        ("Either", json!({"name": "n"}), accepted),
        ("Either", json!({"id": 1, "name": "n"}), loose),
        ("Open", json!({"a": "a", "b": 1}), accepted),
        ("Open", json!({"a": "a", "b": "b"}), refused),
        ("Free", json!({"whatever": 1}), accepted),
        ("Both", json!({"own": null, "name": "n"}), accepted),
        ("Both", json!({"own": {"id": 1}, "id": 2}), accepted),
        ("Both", json!({"own": {"id": 1, "x": 1}, "id": 2}), loose),
        ("Both", json!({"name": "n", "x": 1}), loose),
        ("Extended", json!({"id": 1, "next": {"id": 2}}), accepted),
        ("Extended", json!({"id": 1, "next": {"id": 2, "x": 1}}), loose),
        ("Extended", json!({"id": 1, "next": {}}), refused),
        ("List", json!([{"id": 1}]), accepted),
        ("List", json!([{"id": 1, "x": 1}]), loose),
    ] {
        assert_eq!(check(name, &response), expected, "{name} {response}");
    }
}

#[test]
fn only_what_is_documented_has_a_schema() {
    let contract = contract();
    for (operation_id, status, media_type) in [
        ("getSession", 404, "application/json"),
        ("getSession", 200, "text/plain"),
        ("signOut", 204, "application/json"),
        ("nobody", 200, "application/json"),
    ] {
        assert_eq!(response_schema(&contract, operation_id, status, media_type), None);
        assert_eq!(strict_response_schema(&contract, operation_id, status, media_type), None);
    }
}
