//! Findings about what several places share.

use super::{found, lines, operation};
use countersign_contract_document::Document;
use countersign_contract_lint::lint;
use serde_json::{Value, json};

#[test]
fn findings_in_aliases_are_reported_once() {
    let text = operation(
        "requestBody:
        content:
          application/json: &form {schema: {type: array}}
          application/x-www-form-urlencoded: *form",
    );
    let items: Vec<_> = found(&text).into_iter().filter(|finding| finding.rule.id == "array-without-items").collect();
    assert_eq!(lines(&items), ["14:45 the array has no `items`"]);
}

/// A document in which each of many operations uses each of many components would need the product of both otherwise.
#[test]
fn findings_share_the_names_of_the_operations_that_they_affect() {
    let schemas: serde_json::Map<String, Value> = ["A", "B"]
        .into_iter()
        .map(|name| (name.to_owned(), json!({"type": "string", "pattern": "(", "minLength": 2, "maxLength": 1})))
        .collect();
    let content =
        |name: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}});
    let operation = json!({
        "requestBody": {"content": content("A")},
        "responses": {"200": {"description": "d", "content": content("B")}},
    });
    let document = Document::from_value(
        "d",
        json!({
            "openapi": "3.0.3",
            "paths": {"/a": {"put": operation}, "/b": {"put": operation}},
            "components": {"schemas": schemas},
        }),
    );
    let found = lint(&document.unwrap());
    let of = |rule: &str, name: &str| {
        let place = format!("schema {name} › ");
        &found.iter().find(|finding| finding.rule.id == rule && finding.place.starts_with(&place)).unwrap().operations
    };
    let (bounds, pattern, other) =
        (of("bounds-contradict", "A"), of("pattern-invalid", "A"), of("pattern-invalid", "B"));
    assert_eq!((bounds.join(", ").as_str(), other.len()), ("PUT /a, PUT /b", 2));
    assert!(std::ptr::eq(&**bounds, &**pattern), "findings about one component have one list");
    assert!(std::ptr::eq(&*bounds[0], &*other[0]), "lists have one name of an operation");
}
