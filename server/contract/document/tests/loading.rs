//! Loading valid and invalid documents.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use countersign_contract_document::Document;
use serde_json::{Value, json};

/// The sample that the tests of several crates share.
const CONTRACT: &str = include_str!("../../tests/fixtures/contract.yaml");

/// The contract, with the name in the expected lines.
fn contract() -> Document {
    Document::load("openapi/sample.yaml", CONTRACT).unwrap()
}

fn error(text: &str) -> String {
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
    let found = error("openapi: 3.0.3\npaths:\n  /a: [\n");
    assert!(found.starts_with("openapi/sample.yaml:4:1: not readable as YAML or JSON: "), "{found}");
    let found = error("{\"openapi\": \"3.0.3\",\n  oops}");
    assert!(found.starts_with("openapi/sample.yaml:2:3: not readable as YAML or JSON: "), "{found}");
    assert!(!found.contains('\n'));
}

#[test]
fn duplicate_keys_are_rejected() {
    let found = error("openapi: 3.0.3\npaths:\n  /a: {}\n  /a: {}\n");
    assert_eq!(found, "openapi/sample.yaml:4:3: /paths: duplicate key `/a`");
    let found = error("openapi: 3.0.3\npaths:\n  /a:\n    get: {responses: {200: {}, \"200\": {}}}\n");
    assert_eq!(found, "openapi/sample.yaml:4:32: /paths/~1a/get/responses: duplicate key `200`");
}

#[test]
fn wrong_types_are_rejected() {
    for (text, expected) in [
        ("openapi: 4.0.0\npaths: {}\n", "1:1: /openapi: expected OpenAPI 3.0, 3.1 or 3.2, found version 4.0.0"),
        ("openapi: 3.0.3\n", "1:1: /paths: expected an object"),
        ("openapi: 3.0.3\npaths: {/a: {get: yes please}}\n", "2:14: GET /a: expected an operation object"),
        ("openapi: 3.0.3\npaths:\n  /a: []\n", "3:3: /a: expected a path item"),
        ("openapi: 3.0.3\npaths: {}\nx: !secret 1\n", "3:4: /x: YAML tags are not used in OpenAPI"),
        ("openapi: 3.0.3\npaths: {}\nx: [.inf]\n", "3:5: /x/0: expected a finite number"),
    ] {
        assert_eq!(error(text), format!("openapi/sample.yaml:{expected}"));
    }
}

#[test]
fn a_path_item_may_be_a_reference() {
    let text = "openapi: 3.0.3\npaths: {/a: {$ref: '#/paths/~1b'}, /b: {get: {operationId: b}}}\n";
    let document = Document::load("d", text).unwrap();
    let found: Vec<_> = document.located().map(|found| (found.path, found.method)).collect();
    assert_eq!(found, [("/b", "get"), ("/a", "get")]);
}

#[test]
fn every_value_has_a_line_and_a_column() {
    let text = "openapi: 3.0.3\npaths:\n  /a/{id}: &item\n    get:\n      tags: [é, bee]\n  /b:\n    <<: *item\n    post: {}\n";
    let document = Document::load("d", text).unwrap();
    let at = |pointer: &str| {
        let position = document.position(pointer);
        (position.line, position.column)
    };
    assert_eq!(at(""), (1, 1));
    assert_eq!(at("/paths/~1a~1{id}/get"), (4, 5));
    assert_eq!(at("/paths/~1a~1{id}/get/tags/1"), (5, 17));
    assert_eq!(at("/paths/~1b/get"), (4, 5), "where the anchor has it");
    assert_eq!(at("/paths/~1b/post"), (8, 5));
    assert_eq!(at("/paths/~1b/put/summary"), (6, 3), "the last thing on the way");
    let json = "{\"openapi\": \"3.0.3\",\n  \"info\": {\"title\": \"\\ud83d\\ude00\\/\"},\n\t\"paths\": {}}";
    let document = Document::load("d", json).unwrap();
    assert_eq!((document.value()["info"]["title"].as_str(), document.position("/paths").line), (Some("😀/"), 3));
}

#[test]
fn scalars_are_those_of_the_core_schema() {
    let text = "openapi: 3.0.3\npaths: {}\nx: [1, +2, -3, 0x1F, 0o17, 1.5, 1e3, 18446744073709551615, ~, yes, true, '1', !!str 1, 1.2.3, 2026-01-01, a-]\n";
    let document = Document::load("d", text).unwrap();
    let expected = json!([
        1,
        2,
        -3,
        31,
        15,
        1.5,
        1000.0,
        18_446_744_073_709_551_615_u64,
        null,
        "yes",
        true,
        "1",
        "1",
        "1.2.3",
        "2026-01-01",
        "a-"
    ]);
    assert_eq!(document.value()["x"], expected);
}

#[test]
fn limits_on_nesting_and_aliases() {
    let mut text = "openapi: 3.0.3\npaths: {}\na0: &a0 [0,0,0,0,0,0,0,0,0,0]\n".to_owned();
    (1..12).for_each(|level| {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(",")));
    });
    assert!(error(&text).ends_with("the document expands to too many values"), "{}", error(&text));
    let deep = format!("openapi: 3.0.3\npaths: {{}}\nx: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
    let found = error(&deep);
    assert!(found.contains("nested too deeply") || found.contains("not readable"), "{}", &found[..200]);
}

#[test]
fn unresolvable_references_are_rejected() {
    let document = |schemas: &str| format!("openapi: 3.0.3\npaths: {{}}\ncomponents:\n  schemas:\n{schemas}");
    let place = "openapi/sample.yaml:5:9: /components/schemas/A: $ref";
    for (schemas, expected) in [
        ("    A: {$ref: '#/components/schemas/B'}\n", format!("{place} `#/components/schemas/B` cannot be resolved")),
        ("    A: {$ref: '#/'}\n", format!("{place} `#/` cannot be resolved: `#/` leads to an entry with an empty name; leave out the `/` to refer to the whole file")),
        ("    A: {$ref: 'other.yaml#/A'}\n", format!("{place} `other.yaml#/A` leads out of the document: bundle its files into one first")),
        (
            "    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n",
            format!("{place} `#/components/schemas/B` leads back to itself"),
        ),
        (
            "    default: {properties: {example: {items: {$ref: '#/nope'}}}}\n",
            "openapi/sample.yaml:5:46: /components/schemas/default/properties/example/items: $ref `#/nope` cannot be resolved"
                .to_owned(),
        ),
    ] {
        assert_eq!(error(&document(schemas)), expected);
    }
    let chain: String =
        (0..300).map(|index| format!("    A{index}: {{$ref: '#/components/schemas/A{}'}}\n", index + 1)).collect();
    let found = error(&document(&format!("{chain}    A300: {{}}\n")));
    assert!(found.ends_with("leads through too many others"), "{found}");
    let data = "    A: {example: {$ref: '#/nope'}, default: {$ref: '#/nope'}, properties: {$ref: {type: string}}}\n";
    assert!(Document::load("d", &document(data)).is_ok());
}
