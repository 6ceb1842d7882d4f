//! Expands the extensions with which our types describe what dropshot cannot.
//!
//! dropshot supports one success status, one media type per body, and no optional body. The wire types describe the rest
//! in extensions of their schemas, and [`expand`] turns these into plain OpenAPI:
//!
//! * `x-replies: [{status, description?, schema?, mediaType?, headers?}]` on the schema of the success response lists every
//!   status of the operation, errors included. It replaces the responses that dropshot generated. No `schema`
//!   means no content.
//! * `x-media-types: ["application/json", …]` on the schema of the request body lists the media types that
//!   the operation accepts, all with that schema.
//! * `x-optional-body: true` on the schema of the request body makes it optional.
//!
//! A malformed extension is an error. Nothing else in the document changes.

use crate::printed_schema::to_openapi;
use crate::tolerance::without_error_ranges;
use countersign_contract_document::{Document, Error, METHODS, pointer};
use serde_json::{Map, Value, json};

/// The document as plain OpenAPI, with real responses, media types and optional bodies.
///
/// # Errors
/// [`Error::Shape`] for a malformed extension; it names the operation.
pub(crate) fn expand(document: &Document) -> Result<Document, Error> {
    let mut value = document.value().clone();
    let paths = value["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let expanded = expand_responses(document, operation).and_then(|()| expand_body(document, operation));
            expanded.map_err(|problem| Error::Shape {
                span: document.span(&pointer::from_tokens(["paths", path, method])),
                place: format!("{} {path}", method.to_uppercase()),
                problem,
            })?;
        }
    }
    Document::from_value(document.name(), value)
}

/// An extension of a schema, directly or behind references and `allOf`s of one.
fn extension<'a>(document: &'a Document, schema: &'a Value, name: &str) -> Option<&'a Value> {
    // The limit ends cycles; schemas in practice are one or two steps deep.
    const MOST_WRAPPERS: usize = 16;
    let mut schema = document.resolve(schema);
    for _ in 0..MOST_WRAPPERS {
        if let Some(found) = schema.get(name) {
            return Some(found);
        }
        match schema["allOf"].as_array().map(Vec::as_slice) {
            Some([only]) => schema = document.resolve(only),
            _ => return None,
        }
    }
    None
}

/// Replaces the generated responses of an operation by those of its `x-replies`, if it has them.
fn expand_responses(document: &Document, operation: &mut Value) -> Result<(), String> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let documented = responses.filter_map(|(status, response)| {
        let schema = &document.resolve(response)["content"]["application/json"]["schema"];
        Some((status.clone(), extension(document, schema, "x-replies")?))
    });
    let documented: Vec<_> = documented.collect();
    let (placeholder, replies) = match documented.as_slice() {
        [] => return Ok(()),
        [(status, replies)] => (status.clone(), read_replies(replies)?),
        _ => return Err("two responses carry x-replies, expected one".to_owned()),
    };
    let mut responses = operation["responses"].as_object().cloned().unwrap_or_default();
    responses.remove(&placeholder);
    let mut responses = without_error_ranges(responses);
    for (status, response) in replies {
        if responses.insert(status.clone(), response).is_some() {
            return Err(format!("x-replies gives status {status} twice, or dropshot gives it as well"));
        }
    }
    operation["responses"] = responses.into();
    Ok(())
}

fn read_replies(replies: &Value) -> Result<Vec<(String, Value)>, String> {
    let expected = "x-replies: expected a list of {status, description, schema, headers}";
    let replies = replies.as_array().filter(|replies| !replies.is_empty()).ok_or(expected)?;
    replies.iter().map(read_reply).collect()
}

fn read_reply(reply: &Value) -> Result<(String, Value), String> {
    let reply = reply.as_object().ok_or("x-replies: expected an object for each reply")?;
    let known = ["status", "description", "schema", "mediaType", "headers"];
    if let Some(unknown) = reply.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("x-replies: `{unknown}` is not part of a reply"));
    }
    let status = reply.get("status").and_then(Value::as_u64).filter(|status| (100..600).contains(status));
    let status = status.ok_or("x-replies: expected a status between 100 and 599")?.to_string();
    let mut response = json!({"description": reply.get("description").cloned().unwrap_or_else(|| "".into())});
    if let Some(schema) = reply.get("schema") {
        let media_type = reply.get("mediaType").map_or(Some("application/json"), Value::as_str);
        let media_type = media_type.ok_or("x-replies: expected a text as mediaType")?;
        response["content"] = json!({media_type: {"schema": to_openapi(schema)}});
    }
    if let Some(headers) = reply.get("headers") {
        let names = texts(headers).ok_or("x-replies: expected a list of names as headers")?;
        response["headers"] = names.into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>().into();
    }
    Ok((status, response))
}

fn expand_body(document: &Document, operation: &mut Value) -> Result<(), String> {
    let body = document.resolve(&operation["requestBody"]);
    let Some((_, printed)) = body["content"].as_object().and_then(|content| content.iter().next()) else {
        return Ok(());
    };
    let mut expanded = body.clone();
    match extension(document, &printed["schema"], "x-optional-body") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => expanded["required"] = false.into(),
        Some(_) => return Err("x-optional-body: expected true or false".to_owned()),
    }
    if let Some(names) = extension(document, &printed["schema"], "x-media-types") {
        let names = texts(names).filter(|names| !names.is_empty());
        let names = names.ok_or("x-media-types: expected a list of media types")?;
        expanded["content"] = names.into_iter().map(|name| (name, printed.clone())).collect::<Map<_, _>>().into();
    }
    operation["requestBody"] = expanded;
    Ok(())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
