//! Tests of the contract crate: one binary, a file per subject, one pair of documents.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod dependencies;
mod drift;
mod files;
mod lint;
mod lint_any;
mod loading;
mod operations;
mod report;
mod responses;
mod tolerance;
mod validate;

use countersign_contract::{Document, compare};
use serde_json::Value;

const CONTRACT: &str = include_str!("../fixtures/contract.yaml");
const CODE: &str = include_str!("../fixtures/code.json");

/// The contract of the pair, under the name that the expected lines carry.
fn contract() -> Document {
    Document::load("openapi/sample.yaml", CONTRACT).unwrap()
}

/// What dropshot would print for the contract of the pair.
fn code() -> Value {
    serde_json::from_str(CODE).unwrap()
}

/// Puts `value` at a JSON pointer whose parent exists; null takes away what is there.
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

/// The lines that the comparison prints for this code.
fn lines(contract: &Document, code: Value) -> Vec<String> {
    let code = Document::from_value("code", code).unwrap();
    compare(contract, &code, contract.base_path()).iter().map(ToString::to_string).collect()
}

/// The lines after the code has been edited.
fn drifted<S: AsRef<str>>(edits: &[(S, Value)]) -> Vec<String> {
    let mut code = code();
    for (pointer, value) in edits {
        put(&mut code, pointer.as_ref(), value.clone());
    }
    lines(&contract(), code)
}

/// Compares with a file under `tests/fixtures`. `UPDATE_GOLDEN=1` writes the file instead; its diff is then to be read.
fn assert_golden(file: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "{} differs, UPDATE_GOLDEN=1 rewrites it; found:\n{found}", path.display());
}
