//! Random changes of documents: no change causes a panic, no document differs from itself, and a change that narrows in one
//! direction widens in the other.

use countersign_contract_compare::canonical_schema::canonical_schema;
use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::convert::to_3_0;
use countersign_contract_document::{Document, source};
use countersign_contract_finding::Verdict;
use countersign_contract_lint::lint;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

static BETTER_AUTH: LazyLock<Value> = LazyLock::new(|| {
    source::value("openapi/better-auth.yaml", include_str!("../../../../../openapi/better-auth.yaml")).unwrap()
});

/// Pointers of everything in the document.
static PLACES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut out = Vec::new();
    collect(&BETTER_AUTH, "", &mut out);
    out
});

fn collect(value: &Value, pointer: &str, out: &mut Vec<String>) {
    out.push(pointer.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, child)| collect(child, &format!("{pointer}/{}", escaped(key)), out));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, child)| collect(child, &format!("{pointer}/{index}"), out));
        }
        _ => {}
    }
}

/// A few values, most of them invalid where they are inserted.
fn stray() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(-1.5)),
        Just(json!("")),
        Just(json!("string")),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"type": ["string", "null", 1], "const": null, "anyOf": [{"type": "null"}, 5, {"$anchor": "a"}]})),
        Just(
            json!({"type": ["array", "object"], "prefixItems": {}, "contains": false, "examples": [1], "$id": "x", "$ref": "#a"})
        ),
        Just(
            json!({"$dynamicRef": "#a", "allOf": 1, "patternProperties": {"(": false}, "exclusiveMinimum": true, "if": 1})
        ),
        Just(
            json!({"$defs": [], "dependentRequired": {"a": 1}, "dependentSchemas": {"a": true}, "exclusiveMaximum": 1})
        ),
        Just(json!([{"$ref": "#/components/schemas"}, null])),
        Just(json!({"type": "object", "properties": {"a": 1}, "required": "a", "allOf": {}, "enum": {}})),
        Just(json!({"oneOf": [null, {"type": 1}], "minimum": "0", "discriminator": [], "not": []})),
        Just(json!({"200": {"content": [], "headers": 1, "links": null}})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_causes_a_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), stray(), 0..3_u8), 1..6),
        version in prop::sample::select(vec!["3.0.3", "3.1.0", "3.2.0"]),
    ) {
        let mut value = BETTER_AUTH.clone();
        for (place, stray, kind) in edits {
            let pointer = place.get(&PLACES);
            let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", ""));
            let key = key.replace("~1", "/").replace("~0", "~");
            match (kind, value.pointer_mut(parent)) {
                (0, Some(Value::Object(map))) => { map.remove(&key); }
                (1, Some(Value::Object(map))) => { map.insert("added".to_owned(), stray); }
                (_, Some(Value::Object(map))) => { map.insert(key, stray); }
                (_, Some(Value::Array(list))) => list.push(stray),
                _ => {}
            }
        }
        if let Some(document) = value.as_object_mut() {
            document.insert("openapi".to_owned(), version.into());
        }
        let old = Document::from_value("old", BETTER_AUTH.clone()).unwrap();
        // Documents that do not load cannot be compared.
        if let Ok(new) = Document::from_value("new", value) {
            let _ = diff(&old, &new, &DiffOptions::default());
            let _ = diff(&new, &old, &DiffOptions::default());
            let _ = (lint(&new), to_3_0(&new));
            prop_assert_eq!(diff(&new, &new, &DiffOptions::default()), []);
        }
    }
}

/// A schema in a request body and a response.
fn document(schema: &Value) -> Document {
    let content = json!({"application/json": {"schema": schema}});
    let operation =
        json!({"requestBody": {"content": content}, "responses": {"200": {"description": "", "content": content}}});
    Document::from_value("d", json!({"openapi": "3.0.3", "paths": {"/a": {"post": operation}}})).unwrap()
}

/// Changes of one keyword that a schema may have.
fn keywords() -> impl Strategy<Value = (Value, Value)> {
    let limit = |name: &'static str, base: Value| {
        (prop::option::of(1..5_u8), prop::option::of(1..5_u8)).prop_map(move |(one, other)| {
            let with = |limit: Option<u8>| {
                let mut schema = base.clone();
                if let Some(limit) = limit {
                    schema[name] = limit.into();
                }
                schema
            };
            (with(one), with(other))
        })
    };
    let text = || json!({"type": "string"});
    let number = || json!({"type": "number"});
    let list = || json!({"type": "array", "items": {"type": "string"}});
    let values = || prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c"]), 1..3);
    let kind = || prop::sample::select(vec!["string", "integer", "number", "boolean", "object"]);
    let flag = |name: &'static str, base: Value| {
        (any::<bool>(), any::<bool>()).prop_map(move |(one, other)| {
            let with = |flag: bool| {
                let mut schema = base.clone();
                schema[name] = flag.into();
                schema
            };
            (with(one), with(other))
        })
    };
    prop_oneof![
        limit("minLength", text()),
        limit("maxLength", text()),
        limit("minimum", number()),
        limit("maximum", number()),
        limit("multipleOf", number()),
        limit("minItems", list()),
        limit("maxItems", list()),
        limit("minProperties", json!({"type": "object"})),
        limit("maxProperties", json!({"type": "object"})),
        flag("uniqueItems", list()),
        flag("nullable", text()),
        flag("exclusiveMinimum", json!({"type": "number", "minimum": 1})),
        (values(), values()).prop_map(|(one, other)| {
            (json!({"type": "string", "enum": one}), json!({"type": "string", "enum": other}))
        }),
        (kind(), kind()).prop_map(|(one, other)| (json!({"type": one}), json!({"type": other}))),
        (any::<bool>(), any::<bool>()).prop_map(|(one, other)| {
            let with = |is_required: bool| {
                let required = if is_required { json!(["a"]) } else { json!([]) };
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": required})
            };
            (with(one), with(other))
        }),
    ]
}

/// Number of risky and breaking findings in a direction.
fn hurting(old: &Value, new: &Value, direction: &str) -> usize {
    let findings = diff(&document(old), &document(new), &DiffOptions::default());
    let hurts = |id: &str, verdict: Verdict| verdict >= Verdict::Risky && id.starts_with(direction);
    findings.iter().filter(|finding| hurts(finding.rule.id, finding.verdict)).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn narrowing_in_one_direction_is_widening_in_the_other((one, other) in keywords()) {
        prop_assert_eq!(hurting(&one, &other, "request-"), hurting(&other, &one, "response-"), "{} {}", one, other);
        prop_assert_eq!(hurting(&one, &other, "response-"), hurting(&other, &one, "request-"), "{} {}", one, other);
        // There are no findings if and only if the schemas are equivalent.
        let means_the_same = canonical_schema(&document(&one), &one) == canonical_schema(&document(&other), &other);
        let findings = diff(&document(&one), &document(&other), &DiffOptions::default());
        prop_assert_eq!(findings.is_empty(), means_the_same, "{} {} {:?}", one, other, findings);
    }
}
