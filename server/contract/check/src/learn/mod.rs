//! Writes a first document of OpenAPI 3.1 from traffic.
//!
//! Paths with their variables, methods, parameters of the path and the query, media types, statuses, headers of responses, and
//! schemas; those of objects that are equal in several places are components. The document contains no values of the traffic, with one exception: fixed names, which are the segments of paths that
//! are no variables, and the names of parameters, headers and properties.
//!
//! Left out are requests with methods that OpenAPI 3.1 does not have, `OPTIONS`, responses from caches, and what is of pages only
//! (HTML, scripts, styles, images and the like).
//!
//! The check of the same traffic against the document has no findings, except those that no document avoids: server errors
//! (5xx), bodies without a media type, JSON that is none, and a status with and without a body.

mod components;
mod operation;
mod shape;
mod templates;
mod texts;

use self::texts::Formats;
use super::exchange::{Exchange, Response};
use super::names;
use countersign_contract_document::Document;
use countersign_contract_document::Error;
use countersign_contract_validate::ResponseValidator;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Methods that are learned, in upper case.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"];

/// Beginnings of the media types that only pages have.
const OF_PAGES: [&str; 9] = [
    "text/html",
    "text/css",
    "text/javascript",
    "application/javascript",
    "image/",
    "font/",
    "audio/",
    "video/",
    "application/wasm",
];

/// A document that was learned.
#[derive(Debug)]
pub struct Learned {
    /// The document.
    pub document: Value,
    /// Number of operations.
    pub operations: usize,
    /// Number of requests that they were learned from.
    pub requests: usize,
}

/// The method in lower case and the template of an operation.
type Key = (String, String);

/// Writes a document from traffic below a URL, which becomes that of its first server. `given` are templates of paths, such as
/// `/files/{name}`, for what is not recognised.
///
/// # Errors
/// A URL or a template that a document cannot have.
pub fn learn(exchanges: &[Exchange], base: &str, given: &[String]) -> Result<Learned, Error> {
    let formats = Formats::new();
    let exchanges: Vec<Exchange> = exchanges.iter().filter(|exchange| is_usable(exchange)).cloned().collect();
    let templates = templates::templates(&exchanges, given, &formats);
    let all = exchanges.iter().zip(&templates);
    let all: BTreeSet<Key> =
        all.map(|(exchange, template)| (exchange.request.method.to_lowercase(), template.clone())).collect();
    // What is of no operation that is kept may be of another one, such as one with a variable in the place of a page's name.
    let mut kept = assign(&exchanges, &all, base)?;
    kept.retain(|_, exchanges| exchanges.iter().any(|exchange| is_of_api(exchange)));
    let kept = assign(&exchanges, &kept.into_keys().collect(), base)?;
    let (mut ids, mut schemes) = (BTreeSet::new(), BTreeSet::new());
    let mut paths = Map::new();
    for ((method, template), exchanges) in &kept {
        let mut described = operation::describe(template, exchanges, &formats);
        described.insert("operationId".to_owned(), new_id(method, template, &mut ids).into());
        let security = described.get("security").and_then(Value::as_array).into_iter().flatten();
        schemes.extend(security.filter_map(Value::as_object).flat_map(|alternative| alternative.keys().cloned()));
        let item = paths.entry(template.clone()).or_insert_with(|| json!({}));
        item[method] = described.into();
    }
    let mut document = skeleton(base, paths.into());
    for (scheme, name) in operation::SCHEMES.into_iter().filter(|(_, name)| schemes.contains(*name)) {
        document["components"]["securitySchemes"][name] = json!({"type": "http", "scheme": scheme});
    }
    components::extract(&mut document);
    Ok(Learned { document, operations: kept.len(), requests: kept.values().map(Vec::len).sum() })
}

/// The exchanges of each operation, as validators find them.
fn assign<'e>(
    exchanges: &'e [Exchange],
    operations: &BTreeSet<Key>,
    base: &str,
) -> Result<BTreeMap<Key, Vec<&'e Exchange>>, Error> {
    let mut paths = json!({});
    for (method, template) in operations {
        paths[template][method] = json!({"responses": {}});
    }
    let document = Document::from_value("learned", skeleton(base, paths))?;
    let validator = ResponseValidator::new(&document);
    let mut out = BTreeMap::<Key, Vec<&Exchange>>::new();
    for exchange in exchanges {
        let path = format!("{}{}", document.base_path(), exchange.request.path());
        if let Some(operation) = validator.find(&exchange.request.method, &path) {
            let template = operation.path().strip_prefix(document.base_path()).unwrap_or(operation.path());
            out.entry((operation.method().to_lowercase(), template.to_owned())).or_default().push(exchange);
        }
    }
    Ok(out)
}

fn skeleton(base: &str, paths: Value) -> Value {
    let host = base.split_once("://").map_or(base, |(_, rest)| rest).split('/').next().unwrap_or_default();
    json!({
        "openapi": "3.1.0",
        "info": {"title": format!("API of {host}"), "version": "0.1.0"},
        "servers": [{"url": base.trim_end_matches('/')}],
        "paths": paths,
    })
}

fn is_usable(exchange: &Exchange) -> bool {
    let Exchange { request, response } = exchange;
    METHODS.contains(&request.method.as_str())
        && response.status >= 200
        && response.status != 304
        && request.path().starts_with('/')
}

/// Whether a response is of an API, and not of a page.
fn is_of_api(exchange: &Exchange) -> bool {
    let Response { status, .. } = exchange.response;
    match exchange.response.content_type() {
        Some(media_type) => !OF_PAGES.iter().any(|begin| media_type.to_ascii_lowercase().starts_with(begin)),
        // A redirection without a body leads from page to page.
        None => exchange.request.method != "GET" || !(300..400).contains(&status),
    }
}

/// An id that no other operation has: `getUsersByUserId`.
fn new_id(method: &str, template: &str, ids: &mut BTreeSet<String>) -> String {
    let mut name = method.to_owned();
    for segment in template.split('/') {
        if segment.starts_with('{') {
            name.push_str("By");
        }
        for word in names::words(segment).iter().filter(|word| word.is_ascii()) {
            name.push_str(&word[..1].to_ascii_uppercase());
            name.push_str(&word[1..]);
        }
    }
    let mut out = name.clone();
    let mut number = 2;
    while !ids.insert(out.clone()) {
        out = format!("{name}{number}");
        number += 1;
    }
    out
}
