//! The official test suite of JSON Schema 2020-12, which `tests/json-schema/run` fetches.
//!
//! Each schema becomes the schema of a response in a document of OpenAPI 3.1, and each value the body of a response, so that
//! the suite tests what `check` and the tests of contracts use: loading, references, the form that all versions share, and
//! the validator. The tests that do not hold are listed in `json_schema_suite.txt`, in groups with the reason.

use countersign_contract_document::Document;
use countersign_contract_validate::ResponseValidator;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const LIST: &str = include_str!("json_schema_suite.txt");

#[test]
#[ignore = "needs the suite: tests/json-schema/run"]
fn the_json_schema_suite_holds_but_for_what_is_listed() {
    let suite = std::env::var_os("COUNTERSIGN_JSON_SCHEMA_SUITE").expect("tests/json-schema/run sets the path");
    let suite = PathBuf::from(suite);
    let remotes = remotes(&suite.join("remotes"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(suite.join("tests/draft2020-12"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let (mut all, mut broken) = (0, BTreeSet::new());
    for path in &files {
        let file = path.file_stem().unwrap().to_string_lossy();
        let groups: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            let validator = document(&group["schema"], &remotes).map(|document| ResponseValidator::new(&document));
            for test in group["tests"].as_array().unwrap() {
                all += 1;
                let name = format!(
                    "{file}: {}: {}",
                    group["description"].as_str().unwrap(),
                    test["description"].as_str().unwrap()
                );
                let holds = validator
                    .as_ref()
                    .is_ok_and(|validator| is_valid(validator, &test["data"]) == Some(test["valid"] == true));
                if !holds {
                    broken.insert(name);
                }
            }
        }
    }
    let listed: BTreeSet<String> =
        LIST.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect();
    let held = all - broken.len();
    println!("{held} of {all} tests hold");
    let news: Vec<_> = broken.difference(&listed).collect();
    assert!(news.is_empty(), "{} tests no longer hold: {news:#?}", news.len());
    let fixed: Vec<_> = listed.difference(&broken).collect();
    assert!(fixed.is_empty(), "{} listed tests hold now, remove them from the list: {fixed:#?}", fixed.len());
}

/// A document whose only response has the schema.
fn document(schema: &Value, remotes: &Map<String, Value>) -> Result<Document, countersign_contract_document::Error> {
    let mut schema = schema.clone();
    // Pointers in references are relative to the schema, not to the document.
    if let Some(keywords) = schema.as_object_mut() {
        keywords.entry("$id").or_insert_with(|| "https://suite.example/schema".into());
    }
    let mut schemas = if schema.to_string().contains("localhost:1234") { remotes.clone() } else { Map::new() };
    schemas.insert("Case".to_owned(), schema);
    let response =
        json!({"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Case"}}}});
    Document::from_value(
        "suite",
        json!({
            "openapi": "3.1.0",
            "paths": {"/": {"get": {"responses": {"200": response}}}},
            "components": {"schemas": schemas},
        }),
    )
}

/// Whether the value is valid; `None` if the schema cannot be used.
fn is_valid(validator: &ResponseValidator, value: &Value) -> Option<bool> {
    let operation = validator.find("GET", "/").unwrap();
    let headers = [("content-type", "application/json")];
    let found = validator.validate(operation, 200, headers, value.to_string().as_bytes());
    let mut rules = found.iter().map(|deviation| deviation.rule).filter(|rule| *rule != "property-undocumented");
    match rules.next() {
        None => Some(true),
        Some("schema-unusable") => None,
        Some(_) => Some(false),
    }
}

/// Schemas that the suite refers to by URL, except those that refer to the schema of JSON Schema itself.
fn remotes(folder: &Path) -> Map<String, Value> {
    const WITHOUT_DRAFT: [&str; 3] =
        ["different-id-ref-string.json", "nested-absolute-ref-to-string.json", "urn-ref-string.json"];
    let mut out = Map::new();
    let mut files: Vec<PathBuf> = WITHOUT_DRAFT.iter().map(|name| folder.join(name)).collect();
    let mut open = vec![folder.join("draft2020-12")];
    while let Some(here) = open.pop() {
        for path in std::fs::read_dir(here).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("https://json-schema.org/draft/2020-12/meta") {
            continue;
        }
        let schema: Value = serde_json::from_str(&text).unwrap();
        let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        let url = format!("http://localhost:1234/{name}");
        // A schema is known by the URL where it is and by its own identifier.
        let known = match schema {
            Value::Object(mut keywords) if keywords.get("$id").is_none_or(|id| *id == url) => {
                keywords.insert("$id".to_owned(), url.into());
                keywords.into()
            }
            schema => json!({"$id": url, "allOf": [schema]}),
        };
        out.insert(name.replace(['/', '.'], "_"), known);
    }
    out
}
