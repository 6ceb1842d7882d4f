//! Odd documents, and responses with very many deviations.

use super::validate::{deviations_of, places, thing};
use countersign_contract_document::Document;
use countersign_contract_validate::ResponseValidator;
use serde_json::json;

#[test]
fn odd_documents_do_not_cause_a_panic() {
    let json = ("content-type", "application/json");
    let responses = "/paths/~1odd/get/responses";
    for status in [200, 201, 202] {
        let found = deviations_of("odd", status, &[json], b"\"s\"");
        let schema = format!("{responses}/{status}/content/application~1json/schema");
        assert_eq!(places(&found), [("schema-unusable", &*schema, "")], "{status}");
    }
    let header = deviations_of("odd", 203, &[("x-odd", "s"), ("x-null", "n")], b"");
    assert_eq!(places(&header), [("schema-unusable", &*format!("{responses}/203/headers/X-Odd/schema"), "")]);
    assert_eq!(deviations_of("odd", 205, &[], b""), []);
    assert_eq!(deviations_of("odd", 206, &[], b""), []);
    for (status, body) in [(0, &b""[..]), (99, b"x"), (65_535, b"\0")] {
        deviations_of("getThing", status, &[("", ""), ("\u{e4}", "\u{e4}"), ("content-type", ";=;/")], body);
    }
    for paths in [
        json!({"": {"get": {}}}),
        json!({"/{": {"get": {"responses": 7}}}),
        json!({"/}{}{a}{b}x": {"get": {"responses": []}}}),
    ] {
        let document = json!({"openapi": "3.0.0", "servers": 7, "paths": paths});
        let validator = ResponseValidator::new(&Document::from_value("d", document).unwrap());
        for path in ["", "/", "/{", "/}abcx", "/}äöüx"] {
            if let Some(operation) = validator.find("GET", path) {
                assert_eq!(validator.validate(operation, 200, [], b"").len(), 1);
            }
        }
    }
}

#[test]
fn recursive_schemas_are_usable_if_they_descend_into_the_value() {
    let deep = (0..60).fold(json!({"id": "ab"}), |next, _| json!({"id": "ab", "next": next}));
    assert_eq!(thing(&[], &deep), []);
    // Alternating between descending and not.
    let schemas = json!({
        "X": {"type": "array", "items": {"$ref": "#/components/schemas/Y"}, "allOf": [{"$ref": "#/components/schemas/Y"}]},
        "Y": {"allOf": [{"$ref": "#/components/schemas/X"}]},
        "Z": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Z"}]}},
    });
    for (name, expected) in [("X", Some("schema-unusable")), ("Y", Some("schema-unusable")), ("Z", None)] {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let operation =
            json!({"operationId": "o", "responses": {"200": {"content": {"application/json": {"schema": schema}}}}});
        let document =
            json!({"openapi": "3.0.3", "paths": {"/": {"get": operation}}, "components": {"schemas": schemas}});
        let validator = ResponseValidator::new(&Document::from_value("d", document).unwrap());
        let found = validator.validate(
            validator.operation("o").unwrap(),
            200,
            [("content-type", "application/json")],
            b"[[[]]]",
        );
        assert_eq!(found.first().map(|deviation| deviation.rule), expected, "{name}");
    }
}

#[test]
fn the_number_of_deviations_is_limited() {
    let body: Vec<_> = (0..1000).map(|_| json!("s")).collect();
    let found =
        deviations_of("getThing", 201, &[("content-type", "application/json")], json!(body).to_string().as_bytes());
    assert_eq!(found.len(), 20);
}
