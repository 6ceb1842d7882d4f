//! No document makes a lint rule panic, whatever its shape.

use super::contract;
use countersign_contract_document::{Document, Files};
use countersign_contract_lint::lint;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Arbitrary values, with keys and strings that rules examine.
fn any_value() -> impl Strategy<Value = Value> {
    let words = [
        "$ref",
        "type",
        "properties",
        "array",
        "object",
        "null",
        "string",
        "required",
        "allOf",
        "oneOf",
        "enum",
        "in",
        "path",
        "name",
        "schema",
        "example",
        "examples",
        "content",
        "pattern",
        "(",
        "date-time",
        "format",
        "default",
        "items",
        "{",
        "",
        "additionalProperties",
        "discriminator",
        "propertyName",
        "mapping",
        "security",
        "tags",
        "x-",
        "not",
        "$id",
        "nullable",
        "#/components/schemas/User",
        "#/components/schemas/Session",
        "#/paths",
        "#",
        "minimum",
        "maxLength",
        "description",
        "http://[",
        "$schema",
        "$anchor",
        "$dynamicRef",
        "unevaluatedProperties",
        "definitions",
        "ü\u{0}\u{1F600}",
    ];
    let word = proptest::sample::select(words.to_vec()).prop_map(str::to_owned).boxed();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// JSON pointers of everything in a value.
fn places(value: &Value, here: String, out: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, child) in entries {
                places(child, format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                places(child, format!("{here}/{index}"), out);
            }
        }
        _ => {}
    }
    out.push(here);
}

/// Replaces or removes one of the values.
fn mutate(document: &mut Value, at: prop::sample::Index, with: Option<Value>) {
    let mut all = Vec::new();
    places(document, String::new(), &mut all);
    let place = at.get(&all);
    match (with, place.rsplit_once('/')) {
        (Some(value), _) => *document.pointer_mut(place).unwrap() = value,
        (None, Some((parent, key))) => match document.pointer_mut(parent) {
            Some(Value::Object(entries)) => {
                entries.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(items)) => {
                items.remove(key.parse().unwrap());
            }
            _ => {}
        },
        (None, None) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_document_causes_a_panic(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), prop::option::weighted(0.8, any_value())), 1..8)
    ) {
        let mut value = contract().value().clone();
        for (at, with) in mutations {
            mutate(&mut value, at, with);
        }
        // Documents that do not load cannot be linted.
        if let Ok(document) = Document::from_value("d", value.clone()) {
            let _ = lint(&document);
        }
        if let Ok(document) = Document::load("d", &value.to_string()) {
            let positions: Vec<_> = lint(&document).into_iter().map(|finding| finding.span.position).collect();
            prop_assert!(positions.is_sorted());
        }
        let files = Files { own: "d", read: &|_| Err("there are no files".into()) };
        if let Ok(document) = Document::load_for_lint("d", &value.to_string(), files) {
            let _ = lint(&document);
        }
    }
}

#[test]
fn references_in_circles() {
    let examples = json!({"a": {"$ref": "#/components/examples/b"}, "b": {"$ref": "#/components/examples/a"}});
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/S"}], "oneOf": [{"$ref": "#/components/schemas/S"}],
        "discriminator": {"propertyName": "kind", "mapping": {"s": "S"}}, "required": ["kind"], "example": {}});
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/S"}, "examples": examples}});
    let value = json!({
        "openapi": "3.0.3",
        "paths": {"/a": {"get": {"responses": {"200": {"description": "d", "content": content}}}}},
        "components": {"schemas": {"S": schema}, "examples": examples},
    });
    let found = lint(&Document::from_value("d", value).unwrap());
    let broken = found.iter().filter(|finding| finding.rule.id == "reference-broken").count();
    assert_eq!(broken, 4);
}

/// A thousand operations, each with parameters, a body, responses and examples.
fn large() -> String {
    let mut out =
        "openapi: 3.0.3\ninfo: {title: t, version: 1.0.0}\nservers: [{url: /}]\nsecurity: []\npaths:\n".to_owned();
    for index in 0..1_000 {
        out.push_str(&format!(
            "  /a{index}/{{id}}:
    post:
      operationId: operation{index}
      tags: [a]
      summary: s
      parameters:
        - {{name: id, in: path, required: true, description: d, schema: {{type: string, format: uuid}}}}
        - {{name: q, in: query, description: d, schema: {{type: integer, minimum: 0}}, example: {index}}}
      requestBody:
        content: {{application/json: {{schema: {{$ref: '#/components/schemas/S{index}'}}}}}}
      responses:
        200: {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/S{index}'}}}}}}}}
        400: {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/S0'}}}}}}}}
"
        ));
    }
    out.push_str("components:\n  schemas:\n");
    for index in 0..1_000 {
        out.push_str(&format!(
            "    S{index}:
      type: object
      required: [id]
      example: {{id: {index}, at: '2026-11-20T09:30:00.000Z'}}
      properties:
        id: {{type: integer, description: d, example: {index}}}
        at: {{type: string, format: date-time, description: d, example: '2026-11-20T09:30:00.000Z'}}
        name: {{type: string, maxLength: {index}, description: d, example: ''}}
        next: {{$ref: '#/components/schemas/S{}'}}
",
            (index + 1) % 1_000
        ));
    }
    out
}

#[test]
fn a_thousand_operations() {
    let text = large();
    let document = Document::load("d", &text).unwrap();
    let found = lint(&document);
    assert_eq!(found.len(), 1, "{:#?}", &found[..3]);
    assert_eq!((found[0].rule.id, found[0].operations.len()), ("tag-undeclared", 1_000));
}

/// Chains of thousands of schemas. Validators would overflow the stack, so these are not compiled.
#[test]
fn chains_of_any_length() {
    const LENGTH: usize = 3_000;
    for (wrap, example, is_asked) in
        [("{type: object, properties: {next: R}}", "{next: {next: 1}}", true), ("{allOf: [R]}", "1", false)]
    {
        let mut text = "openapi: 3.0.3\npaths: {}\ncomponents:\n  schemas:\n".to_owned();
        for index in 0..LENGTH {
            let next = format!("{{$ref: '#/components/schemas/S{}'}}", index + 1);
            text.push_str(&format!("    S{index}: {}\n", wrap.replace('R', &next)));
        }
        text.push_str(&format!("    S{LENGTH}: {{type: string}}\n"));
        let holders = [0, LENGTH - 150];
        for index in holders {
            text.push_str(&format!(
                "    E{index}: {{allOf: [{{$ref: '#/components/schemas/S{index}'}}], example: {example}}}\n"
            ));
        }
        let found = lint(&Document::load("d", &text).unwrap());
        let invalid = found.iter().filter(|finding| finding.rule.id == "example-invalid").count();
        assert_eq!(invalid, if is_asked { 2 } else { 1 }, "{wrap}");
    }
}
