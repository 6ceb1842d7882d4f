//! A test case: a pair of documents and the expected findings.
//!
//! A case only contains the relevant part: a schema, an operation, some paths, or a document. The rest is generated here.
//!
//! | kind | `old` and `new` are | location |
//! |---|---|---|
//! | `schema` | schemas | in a request body, a query parameter, a response and a header of a response |
//! | `json schema` | schemas | in a request body and a response only |
//! | `operation` | operations | at `POST /case`, with a response 200 if they have none |
//! | `path` | the value of `paths` | `paths` |
//! | `document` | top-level keys, or the whole text | the root |
//!
//! `openapi` is the version, 3.0.3 by default. `openapi`, `schemas` and `components` belong to both sides, `old schemas`, `new schemas` and so on to one. `expect` lists exactly the
//! expected findings, each as `verdict rule`, or as a mapping with further fields.

use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::{Document, Position};
use countersign_contract_finding::Finding;
use serde_json::{Map, Value, json};
use std::fmt::Write;

pub(crate) struct Case {
    /// File and name.
    pub(crate) name: String,
    value: Map<String, Value>,
}

const KEYS: [&str; 17] = [
    "openapi",
    "old openapi",
    "new openapi",
    "name",
    "kind",
    "old",
    "new",
    "schemas",
    "old schemas",
    "new schemas",
    "components",
    "old components",
    "new components",
    "today",
    "notice days",
    "enums may grow",
    "may break",
];

impl Case {
    fn is_json(&self) -> bool {
        self.value["kind"] == "json schema"
    }

    pub(crate) fn new(file: &str, value: &Value) -> Self {
        let value = value.as_object().unwrap_or_else(|| panic!("{file}: a case is a mapping, not {value}")).clone();
        let name = format!("{file}: {}", value["name"].as_str().unwrap());
        let unknown: Vec<_> = value.keys().filter(|key| !KEYS.contains(&key.as_str()) && *key != "expect").collect();
        assert!(unknown.is_empty(), "{name}: unknown keys {unknown:?}");
        Self { name, value }
    }

    pub(crate) fn old(&self) -> Document {
        self.document("old")
    }

    pub(crate) fn new_document(&self) -> Document {
        self.document("new")
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        let today = self.value.get("today").and_then(Value::as_str).map(str::to_owned);
        let list = self.value.get("may break").and_then(Value::as_array).into_iter().flatten();
        let options = DiffOptions {
            today,
            notice_days: self.value.get("notice days").map(|days| days.as_u64().unwrap().try_into().unwrap()),
            enums_may_grow: self.value.get("enums may grow") == Some(&Value::Bool(true)),
            may_break: list.map(|level| serde_json::from_value(level.clone()).unwrap()).collect(),
            ..DiffOptions::default()
        };
        diff(&self.old(), &self.new_document(), &options)
    }

    /// Expected findings as `verdict rule`, sorted.
    pub(crate) fn expected(&self) -> Vec<String> {
        let list = self.value["expect"].as_array().unwrap_or_else(|| panic!("{}: expect is a list", self.name));
        let mut out: Vec<_> = list.iter().map(|item| is(item).to_owned()).collect();
        out.sort();
        out
    }

    /// Compares the findings with the expected ones. Returns the differences.
    pub(crate) fn complaints(&self, findings: &[Finding]) -> String {
        let mut out = String::new();
        for item in self.value["expect"].as_array().unwrap().iter().filter(|item| item.is_object()) {
            let candidates =
                findings.iter().filter(|finding| told(finding) == is(item)).map(spoken).collect::<Vec<_>>();
            let fits =
                |candidate: &Value| item.as_object().unwrap().iter().all(|(key, value)| candidate[key] == *value);
            if !candidates.iter().any(fits) {
                let shown: String = candidates.iter().map(|candidate| format!("    {candidate}\n")).collect();
                writeln!(out, "  expected {item}, found\n{shown}").unwrap();
            }
        }
        for finding in findings {
            let of_request = finding.rule.id.starts_with("request-");
            let operations = match (self.value["kind"].as_str(), of_request) {
                _ if !of_request && !finding.rule.id.starts_with("response-") => continue,
                (Some("schema"), true) => vec!["POST /body", "GET /parameter"],
                (Some("schema"), false) => vec!["GET /answer", "GET /header"],
                (Some("json schema"), true) => vec!["POST /body"],
                (Some("json schema"), false) => vec!["GET /answer"],
                _ => continue,
            };
            if !finding.operations.iter().map(AsRef::as_ref).eq(operations.iter().copied()) {
                let told = (finding.rule.id, &finding.operations);
                writeln!(out, "  {} is told of {:?}, not of {operations:?}", told.0, told.1).unwrap();
            }
        }
        for finding in findings {
            let sides = [
                Some(&finding.span),
                finding.old.as_ref().map(|side| &side.span),
                finding.new.as_ref().map(|side| &side.span),
            ];
            if sides.into_iter().flatten().any(|span| span.position == Position::default()) {
                writeln!(out, "  {finding:#?} has no position").unwrap();
            }
        }
        out
    }

    fn document(&self, side: &str) -> Document {
        let text = match &self.value.get(side) {
            Some(Value::String(text)) => text.clone(),
            value => {
                let has_none = ["schema", "json schema", "operation"].contains(&self.value["kind"].as_str().unwrap());
                let empty = if has_none { json!(null) } else { json!({}) };
                let document = self.complete(side, value.cloned().unwrap_or(empty));
                serde_json::to_string_pretty(&document).unwrap()
            }
        };
        Document::load(&format!("{side}.yaml"), &text)
            .unwrap_or_else(|error| panic!("{}: {}", self.name, error.on_one_line()))
    }

    fn complete(&self, side: &str, value: Value) -> Value {
        let version = [format!("{side} openapi"), "openapi".to_owned()];
        let version = version.iter().find_map(|key| self.value.get(key)).cloned().unwrap_or_else(|| json!("3.0.3"));
        let mut document = json!({"openapi": version, "info": {"title": "A case", "version": "1"}, "paths": {}});
        let mut components = json!({});
        for key in ["components".to_owned(), format!("{side} components")] {
            merge(&mut components, self.value.get(&key));
        }
        for key in ["schemas".to_owned(), format!("{side} schemas")] {
            merge(&mut components, self.value.get(&key).map(|schemas| json!({"schemas": schemas})).as_ref());
        }
        if components != json!({}) {
            document["components"] = components;
        }
        match self.value["kind"].as_str().unwrap() {
            "schema" | "json schema" => {
                document["paths"] = everywhere();
                if self.is_json() {
                    let paths = document["paths"].as_object_mut().unwrap();
                    paths.retain(|path, _| path == "/body" || path == "/answer");
                }
                document["components"]["schemas"]["Case"] = if value.is_null() { json!({}) } else { value };
            }
            "operation" if value.is_null() => {}
            "operation" => {
                document["paths"]["/case"]["post"] = value;
                let operation = document["paths"]["/case"]["post"].as_object_mut().unwrap();
                operation.entry("responses").or_insert_with(|| json!({"200": {"description": "Done."}}));
            }
            "path" => document["paths"] = value,
            "document" => {
                for (key, value) in value.as_object().unwrap() {
                    document[key] = value.clone();
                }
            }
            other => panic!("{}: there is no kind {other}", self.name),
        }
        document
    }
}

/// A document with references to the case's schema in all locations.
fn everywhere() -> Value {
    let schema = json!({"$ref": "#/components/schemas/Case"});
    let content = json!({"application/json": {"schema": schema}});
    let done = json!({"200": {"description": "Done."}});
    json!({
        "/body": {"post": {"requestBody": {"required": true, "content": content}, "responses": done}},
        "/parameter": {"get": {"parameters": [{"name": "q", "in": "query", "schema": schema}], "responses": done}},
        "/answer": {"get": {"responses": {"200": {"description": "Done.", "content": content}}}},
        "/header": {"get": {"responses": {"200": {"description": "Done.", "headers": {"H": {"schema": schema}}}}}},
    })
}

fn merge(into: &mut Value, from: Option<&Value>) {
    for (key, value) in from.and_then(Value::as_object).into_iter().flatten() {
        match &mut into[key] {
            known @ Value::Object(_) => merge(known, Some(value)),
            place => *place = value.clone(),
        }
    }
}

fn is(item: &Value) -> &str {
    item.as_str().or_else(|| item["is"].as_str()).unwrap_or_else(|| panic!("an expectation says what it is: {item}"))
}

/// Verdict and rule of a finding.
pub(crate) fn told(finding: &Finding) -> String {
    format!("{} {}", finding.verdict, finding.rule.id)
}

/// All fields of a finding that an expectation may contain.
fn spoken(finding: &Finding) -> Value {
    let at = |position: Position| format!("{}:{}", position.line, position.column);
    json!({
        "is": told(finding),
        "place": finding.place,
        "message": finding.message,
        "operations": finding.operations,
        "from": finding.old.as_ref().and_then(|side| side.value.clone()),
        "to": finding.new.as_ref().and_then(|side| side.value.clone()),
        "old at": finding.old.as_ref().map(|side| at(side.span.position)),
        "at": at(finding.span.position),
    })
}
