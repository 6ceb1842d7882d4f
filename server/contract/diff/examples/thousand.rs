//! Prints a deterministic document with many operations: `thousand [--operations N] [--changed]`. `--changed` applies
//! about a hundred edits. `--diff OLD NEW` compares two documents and prints the duration.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use countersign_contract_diff::{Options as DiffOptions, diff};
use countersign_contract_document::Document;
use serde_json::{Map, Value, json};
use std::error::Error;
use std::time::Instant;

/// Distance between operations, and between schemas, that `--changed` changes.
const STRIDE: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let position = |name: &str| arguments.iter().position(|argument| argument == name);
    if let Some(at) = position("--diff") {
        let (Some(old), Some(new)) = (arguments.get(at + 1), arguments.get(at + 2)) else {
            return Err("--diff needs two files".into());
        };
        return compare(old, new);
    }
    let count = match position("--operations") {
        Some(at) => arguments.get(at + 1).ok_or("--operations needs a number")?.parse()?,
        None => 1_000,
    };
    let document = document(count, position("--changed").is_some());
    println!("{}", serde_json::to_string_pretty(&document)?);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the time it takes is what is asked for")]
fn compare(old: &str, new: &str) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let load =
        |path: &str| -> Result<Document, Box<dyn Error>> { Ok(Document::load(path, &std::fs::read_to_string(path)?)?) };
    let (old, new) = (load(old)?, load(new)?);
    let loaded = Instant::now();
    let findings = diff(&old, &new, &DiffOptions::default());
    println!("{} findings; loading {:?}, comparing {:?}", findings.len(), loaded - begin, loaded.elapsed());
    Ok(())
}

fn document(count: usize, is_changed: bool) -> Value {
    let mut paths = Map::new();
    // Two operations for each path.
    for index in 0..count.div_ceil(2) {
        let mut item = json!({"get": operation(index, "list", count, is_changed), "post": operation(index, "create", count, is_changed)});
        if index * 2 + 1 == count {
            item.as_object_mut().expect("it is an object").remove("post");
        }
        paths.insert(format!("/areas/{}/things-{index}/{{id}}", index % 40), item);
    }
    let schemas: Map<_, _> =
        (0..schemas_of(count)).map(|index| (name(index), schema(index, count, is_changed))).collect();
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Many operations", "version": if is_changed { "2" } else { "1" }},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    })
}

/// Operations share schemas.
fn schemas_of(count: usize) -> usize {
    (count / 3).max(10)
}

fn name(index: usize) -> String {
    format!("Thing{index}")
}

fn reference(index: usize, count: usize) -> Value {
    json!({"$ref": format!("#/components/schemas/{}", name(index % schemas_of(count)))})
}

fn operation(index: usize, verb: &str, count: usize, is_changed: bool) -> Value {
    let is_edited = is_changed && index % STRIDE == 7;
    let problem = json!({"description": "Refused.", "content": {"application/json": {"schema": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
    }}}});
    let mut out = json!({
        "operationId": format!("{verb}Things{index}"),
        "summary": format!("{verb} things of kind {index}"),
        "tags": [format!("area-{}", index % 40)],
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "maxLength": 64}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": if is_edited { 50 } else { 100 }}},
            {"name": "X-Request-Id", "in": "header", "schema": {"type": "string", "format": "uuid"}},
        ],
        "responses": {
            "200": {
                "description": "The things.",
                "headers": {"X-Left": {"schema": {"type": "integer"}}},
                "content": {"application/json": {"schema": {"type": "array", "items": reference(index, count)}}},
            },
            "400": problem,
            "401": problem,
            "404": problem,
        },
    });
    if verb == "create" {
        out["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": reference(index + 1, count)}}});
    }
    if is_edited {
        out["responses"]["429"] = problem;
    }
    out
}

fn schema(index: usize, count: usize, is_changed: bool) -> Value {
    let is_edited = is_changed && index % STRIDE == 3;
    let mut properties = json!({
        "id": {"type": "string", "format": "uuid", "readOnly": true},
        "name": {"type": "string", "minLength": 1, "maxLength": if is_edited { 80 } else { 120 }},
        "state": {"type": "string", "enum": if is_edited { vec!["new", "open"] } else { vec!["new", "open", "closed"] }},
        "parent": reference(index / 2, count),
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
        "owner": {
            "type": "object",
            "required": ["email"],
            "properties": {
                "email": {"type": "string", "format": "email"},
                "address": {"type": "object", "properties": {
                    "street": {"type": "string"},
                    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
                }},
            },
        },
        "value": {"oneOf": [{"type": "string"}, {"type": "number"}, reference(index + 7, count)]},
    });
    for field in 0..6 {
        properties[format!("field{field}")] =
            json!({"type": "integer", "description": format!("Field {field} of {index}.")});
    }
    if is_edited {
        properties["added"] = json!({"type": "boolean"});
    }
    json!({"type": "object", "required": ["id", "name"], "properties": properties})
}
