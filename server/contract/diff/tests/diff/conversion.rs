//! A document in OpenAPI 3.0 and the same one in 3.1 differ in their version alone, in both orders.

use crate::generate::{Choices, document, schemas};
use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::{Document, source};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Keys whose values are no schemas and contain none.
const DATA: [&str; 5] = ["default", "enum", "example", "examples", "value"];

/// Rewrites every schema as JSON Schema spells it. `choices` decides where there are several spellings.
fn modern(value: &Value, choices: &mut Choices<'_>) -> Value {
    let Value::Object(map) = value else {
        return match value {
            Value::Array(items) => items.iter().map(|item| modern(item, choices)).collect(),
            other => other.clone(),
        };
    };
    let mut out = Map::new();
    for (key, inner) in map {
        let is_data = DATA.contains(&key.as_str());
        out.insert(key.clone(), if is_data { inner.clone() } else { modern(inner, choices) });
    }
    for (limit, flag) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        if out.get(flag).is_some_and(Value::is_boolean)
            && out.remove(flag) == Some(true.into())
            && let Some(value) = out.remove(limit)
        {
            out.insert(flag.to_owned(), value);
        }
    }
    if out.get("type").is_some_and(Value::is_string)
        && let Some(example) = out.remove("example")
    {
        out.insert("examples".to_owned(), json!([example]));
    }
    match out.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if !out.contains_key("nullable") && choices.is_one_of_two() => {
            let only = only.clone();
            out.remove("enum");
            out.insert("const".to_owned(), only);
        }
        _ => {}
    }
    if out.get("nullable").is_some_and(Value::is_boolean) && out.remove("nullable") == Some(true.into()) {
        let keeps_null = !["enum", "allOf", "anyOf", "oneOf", "not"].iter().any(|key| out.contains_key(*key));
        match out.get("type").cloned() {
            Some(name) if keeps_null && choices.is_one_of_two() => {
                out.insert("type".to_owned(), json!([name, "null"]));
            }
            _ => return json!({choices.one_of_two("anyOf", "oneOf"): [{"type": "null"}, out]}),
        }
    }
    out.into()
}

/// The ids of all rules with a finding, in both orders.
fn rules_found(one: &Document, other: &Document) -> Vec<String> {
    let findings = [diff(one, other, &DiffOptions::default()), diff(other, one, &DiffOptions::default())];
    findings.into_iter().flatten().map(|finding| format!("{}: {}", finding.rule.id, finding.message)).collect()
}

const VERSION_ALONE: [&str; 2] = ["openapi-version-changed: openapi changed"; 2];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schema_means_the_same_in_both_versions(
        made in proptest::collection::vec(any::<u16>(), 0..60),
        spelled in proptest::collection::vec(any::<u16>(), 0..20),
    ) {
        let before = schemas(&mut Choices(&made));
        let after = modern(&before, &mut Choices(&spelled));
        let old = document("old", &before);
        let mut value = old.value().clone();
        value["openapi"] = "3.1.0".into();
        value["components"]["schemas"] = after.clone();
        let new = Document::from_value("new", value).unwrap();
        prop_assert_eq!(rules_found(&old, &new), VERSION_ALONE, "{}\n{}", before, after);
    }
}

#[test]
fn our_contracts_mean_the_same_in_both_versions() {
    for (name, text) in [
        ("better-auth.yaml", include_str!("../../../../../openapi/better-auth.yaml")),
        ("admin.yaml", include_str!("../../../../../openapi/admin.yaml")),
        ("fusionauth.yaml", include_str!("../../../../../openapi/fusionauth.yaml")),
    ] {
        let before = source::value(name, text).unwrap();
        for spelling in [&[0, 1][..], &[1], &[]] {
            let mut after = modern(&before, &mut Choices(&spelling.repeat(500)));
            after["openapi"] = "3.1.0".into();
            let one = Document::from_value(name, before.clone()).unwrap();
            let other = Document::from_value(name, after).unwrap();
            assert_eq!(rules_found(&one, &other), VERSION_ALONE, "{name}");
        }
    }
}
