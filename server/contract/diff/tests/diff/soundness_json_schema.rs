//! The guarantee of `soundness.rs` for the keywords that only JSON Schema has: a value that could be sent before and cannot
//! be sent now, or the reverse, has a risky or breaking finding.

use crate::generate::{Choices, anything, document_of, scalar};
use crate::soundness::{Side, cases, check_examples, hurts};
use countersign_contract_diff::{Options as DiffOptions, diff};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const NAMES: [&str; 4] = ["a", "b", "xa", "xb"];
const PATTERNS: [&str; 3] = ["^x", "a$", "^b"];

fn names(choices: &mut Choices<'_>) -> Value {
    json!([choices.one(&NAMES)])
}

/// A schema about an object that does not list properties.
fn part(choices: &mut Choices<'_>) -> Value {
    match choices.one(&[0, 1, 2]) {
        0 => json!({"required": names(choices)}),
        1 => json!({"properties": {choices.one(&NAMES): scalar(choices)}}),
        _ => json!({"minProperties": choices.one(&[1, 2])}),
    }
}

fn object(choices: &mut Choices<'_>) -> Value {
    let mut out = json!({"type": "object", "properties": {"a": scalar(choices), "b": scalar(choices)}});
    for _ in 0..choices.one(&[1, 0, 2, 3]) {
        add_to_object(choices, &mut out);
    }
    out
}

fn add_to_object(choices: &mut Choices<'_>, out: &mut Value) {
    match choices.one(&[0, 1, 2, 3, 4, 5, 6, 7]) {
        0 => out["dependentRequired"] = json!({choices.one(&NAMES): names(choices)}),
        1 => out["dependentSchemas"] = json!({choices.one(&NAMES): part(choices)}),
        2 => out["patternProperties"] = json!({choices.one(&PATTERNS): scalar(choices)}),
        3 => {
            out["propertyNames"] =
                choices.one(&[json!({"maxLength": 1}), json!({"pattern": "^x"}), json!({"enum": ["a", "b"]})])
        }
        4 => {
            out["if"] = part(choices);
            out[choices.one(&["then", "else"])] = part(choices);
        }
        5 => out["unevaluatedProperties"] = choices.one(&[json!(false), json!({"type": "string"})]),
        6 => out["required"] = names(choices),
        _ => {
            out["properties"][choices.one(&NAMES)] =
                choices.one(&[json!(false), json!(true), json!({"type": "string"})])
        }
    }
}

fn list(choices: &mut Choices<'_>) -> Value {
    let mut out = json!({"type": "array", "items": scalar(choices)});
    for _ in 0..choices.one(&[1, 0, 2, 3]) {
        add_to_list(choices, &mut out);
    }
    out
}

fn add_to_list(choices: &mut Choices<'_>, out: &mut Value) {
    match choices.one(&[0, 1, 2, 3, 4, 5]) {
        0 => out["prefixItems"] = json!([scalar(choices)]),
        1 => out["prefixItems"] = json!([scalar(choices), scalar(choices)]),
        2 => out["contains"] = scalar(choices),
        3 => out["minContains"] = choices.one(&[0, 1, 2]).into(),
        4 => out["maxContains"] = choices.one(&[1, 2]).into(),
        _ => out["items"] = choices.one(&[json!(false), json!({"type": "string"}), json!({})]),
    }
}

fn several(choices: &mut Choices<'_>) -> Value {
    let names = [
        json!(["string", "integer"]),
        json!(["string", "null"]),
        json!(["string", "integer", "null"]),
        json!(["integer", "number"]),
        json!("string"),
        json!("null"),
        json!(["boolean", "string"]),
    ];
    let mut out = json!({"type": choices.one(&names)});
    for (key, values) in [
        ("maxLength", [json!(1), json!(2)]),
        ("exclusiveMinimum", [json!(0), json!(1)]),
        ("minimum", [json!(0), json!(2)]),
        ("const", [json!("a"), json!(null)]),
        ("enum", [json!(["a", null, 1]), json!(["ab", 2])]),
        ("not", [json!({"type": "null"}), json!({"const": 1})]),
    ] {
        if choices.rarely() {
            out[key] = choices.one(&values);
        }
    }
    match choices.one(&[0, 1, 2, 3]) {
        2 => json!({choices.one(&["anyOf", "oneOf"]): [out, {"type": "null"}]}),
        3 => json!({"anyOf": [out, {"type": "boolean"}, {"type": "null"}]}),
        _ => out,
    }
}

fn value(choices: &mut Choices<'_>, kind: usize) -> Value {
    let scalars = [
        json!("a"),
        json!("ab"),
        json!(""),
        json!(1),
        json!(0),
        json!(2),
        json!(1.5),
        json!(true),
        json!(null),
        json!("cab"),
    ];
    match kind {
        0 => {
            let mut out = Map::new();
            for name in NAMES {
                if choices.is_one_of_two() {
                    out.insert(name.to_owned(), choices.one(&scalars));
                }
            }
            out.into()
        }
        1 => (0..choices.one(&[1, 2, 0, 3])).map(|_| choices.one(&scalars)).collect(),
        _ => choices.one(&[choices_of(&scalars), scalars.to_vec()].concat()),
    }
}

fn choices_of(scalars: &[Value]) -> Vec<Value> {
    let mut out = scalars.to_vec();
    out.push(anything(&mut Choices(&[5])));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4 * cases(), max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_of_keywords_of_json_schema(
        kind in 0..3_usize,
        made in proptest::collection::vec(any::<u16>(), 0..30),
        edits in proptest::collection::vec(any::<u16>(), 1..30),
        values in proptest::collection::vec(any::<u16>(), 1..300),
    ) {
        let (made, edits) = (&mut Choices(&made), &mut Choices(&edits));
        let (before, after) = match kind {
            0 => {
                let before = object(made);
                let mut after = before.clone();
                add_to_object(edits, &mut after);
                (before, after)
            }
            1 => {
                let before = list(made);
                let mut after = before.clone();
                add_to_list(edits, &mut after);
                (before, after)
            }
            _ => (several(made), several(edits)),
        };
        for (before, after) in [(&before, &after), (&after, &before)] {
            let side = |name, schema| Side::new(document_of("3.1.0", name, &json!({"Root": schema})));
            let (old, new) = (side("old", before), side("new", after));
            let findings = diff(&old.document, &new.document, &DiffOptions::default());
            check_examples(&findings, &old, &new)?;
            let found = findings.iter().map(|finding| finding.rule.id).collect::<Vec<_>>().join(", ");
            let choices = &mut Choices(&values);
            for _ in 0..60 {
                let value = value(choices, kind);
                if old.strict.is_valid(&value) && old.loose.is_valid(&value) && !new.loose.is_valid(&value) {
                    let message = format!("{value} was right and is wrong\n{before}\n{after}\nfound: {found}");
                    prop_assert!(hurts(&findings, "request-"), "{}", message);
                }
                if new.strict.is_valid(&value) && new.loose.is_valid(&value) && !old.loose.is_valid(&value) {
                    let message = format!("{value} was wrong and is right\n{before}\n{after}\nfound: {found}");
                    prop_assert!(hurts(&findings, "response-"), "{}", message);
                }
            }
        }
    }
}
