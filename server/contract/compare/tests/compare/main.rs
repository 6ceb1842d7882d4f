//! Tests of the comparison of a contract with code: one binary, a file per subject, one pair of documents.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod drift;
mod drift_schemas;
mod merge;
mod operations;
mod tolerance;

use countersign_contract_compare::compare;
use countersign_contract_document::Document;
use serde_json::Value;

const CONTRACT: &str = include_str!("../../../tests/fixtures/contract.yaml");
const CODE: &str = include_str!("../fixtures/code.json");

/// The contract, with the name in the expected lines.
fn contract() -> Document {
    Document::load("openapi/sample.yaml", CONTRACT).unwrap()
}

/// The document that dropshot would generate for the contract.
fn code() -> Value {
    serde_json::from_str(CODE).unwrap()
}

/// Sets the value at a JSON pointer whose parent exists; null removes it.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}")) {
        Value::Object(map) if value.is_null() => {
            map.remove(&key).unwrap_or_else(|| panic!("nothing at {pointer}"));
        }
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(list) if value.is_null() => {
            list.remove(key.parse().unwrap());
        }
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        other => panic!("{parent} is {other}"),
    }
}

/// The lines that the comparison reports for this code.
fn lines(contract: &Document, code: Value) -> Vec<String> {
    let code = Document::from_value("code", code).unwrap();
    compare(contract, &code, contract.base_path()).iter().map(ToString::to_string).collect()
}

/// The lines reported after editing the code.
fn drifted<S: AsRef<str>>(edits: &[(S, Value)]) -> Vec<String> {
    let mut code = code();
    for (pointer, value) in edits {
        put(&mut code, pointer.as_ref(), value.clone());
    }
    lines(&contract(), code)
}
