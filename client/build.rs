//! Generates one module per contract in `openapi/`.

use countersign_contract_document::Document;
use dialects::DialectName;
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

// Not a dependency on `countersign-api`: clients must not wait for dropshot.
#[path = "../server/api/src/dialects.rs"]
#[expect(dead_code, unreachable_pub, reason = "the file is a module of another crate, of which little is used here")]
mod dialects;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../server/api/src/dialects.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    for dialect in DialectName::ALL {
        let contract = Path::new("..").join(dialect.contract_file());
        println!("cargo::rerun-if-changed={}", contract.display());
        generate(&contract, &out.join(dialect.module()).with_extension("rs"))?;
    }
    Ok(())
}

fn generate(contract: &Path, module: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(contract)?;
    let mut document = Document::load(&contract.to_string_lossy(), &text)?.value().clone();
    reduce(&mut document);
    let specification = serde_json::from_value(document)?;
    let mut settings = GenerationSettings::new();
    // What the contract adds as optional breaks no caller: neither a property of a body nor a parameter.
    settings.with_interface(InterfaceStyle::Builder);
    let tokens = Generator::new(&settings).generate_tokens(&specification)?;
    fs::write(module, prettyplease::unparse(&syn::parse2(tokens)?))?;
    Ok(())
}

/// Reduces a contract to what the generator accepts: one type for all successes of an operation and one for all errors, and
/// one media type per body. Errors have the type of the first of them that has a body; those with another body or none arrive as
/// `Error::UnexpectedResponse` with the response. Security is dropped, since the generator ignores it; so are limits of
/// strings: each would become a type of its own, and the server reports violations with better messages.
fn reduce(document: &mut Value) {
    let whole = document.clone();
    for operation in document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut).flat_map(operations) {
        operation.remove("security");
        if let Some(content) = operation.get_mut("requestBody").and_then(|body| body["content"].as_object_mut()) {
            content.remove("application/x-www-form-urlencoded");
        }
        let responses = operation["responses"].as_object().cloned().unwrap_or_default();
        let (successes, errors): (Vec<_>, Vec<_>) = responses.iter().partition(|(status, _)| status.starts_with('2'));
        // The success that most requests end with has the type, as in other generators; another body is an invalid payload.
        let usual: Vec<_> = successes.iter().copied().filter(|(status, _)| *status == "200").collect();
        let has_type = usual.iter().any(|(_, response)| schema_of(&whole, response).is_some());
        operation["responses"] = json!({"2XX": merge(&whole, if has_type { &usual } else { &successes })});
        let Some(body) = errors.iter().find_map(|(_, response)| schema_of(&whole, response)) else { continue };
        let (typed, others): (Vec<_>, Vec<_>) =
            errors.iter().partition(|(_, response)| schema_of(&whole, response) == Some(body));
        if others.is_empty() {
            operation["responses"]["default"] = merge(&whole, &errors);
        } else {
            for (status, response) in typed {
                operation["responses"][status.as_str()] = merge(&whole, &[(status, response)]);
            }
        }
    }
    if let Some(components) = document["components"].as_object_mut() {
        components.retain(|section, _| section == "schemas" || section == "parameters");
        components.values_mut().for_each(drop_string_limits);
    }
}

fn operations(item: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    item.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

/// Merges several responses to one: with the body they share, or any of their bodies.
fn merge(document: &Value, responses: &[(&String, &Value)]) -> Value {
    let mut schemas: Vec<&Value> = Vec::new();
    for schema in responses.iter().filter_map(|(_, response)| schema_of(document, response)) {
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    match schemas.as_slice() {
        [] => json!({"description": "No body."}),
        [schema] => json!({"description": "", "content": {"application/json": {"schema": schema}}}),
        several => json!({"description": "", "content": {"application/json": {"schema": {"anyOf": several}}}}),
    }
}

/// The schema of a response's body, if it has one.
fn schema_of<'a>(document: &'a Value, response: &'a Value) -> Option<&'a Value> {
    let target = response["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#')));
    let content = &target.unwrap_or(response)["content"];
    ["application/json", "application/problem+json"]
        .into_iter()
        .find_map(|media_type| content[media_type].get("schema"))
}

fn drop_string_limits(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("type").is_some_and(|name| name == "string") {
                members.retain(|name, _| !["pattern", "minLength", "maxLength"].contains(&name.as_str()));
            }
            members.values_mut().for_each(drop_string_limits);
        }
        Value::Array(members) => members.iter_mut().for_each(drop_string_limits),
        _ => {}
    }
}
