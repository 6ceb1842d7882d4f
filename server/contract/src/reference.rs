//! `$ref`: where it may stand, where it leads, and whether it leads anywhere.
//!
//! References are checked once, when a document is loaded; afterwards following one cannot fail. Only
//! references into the same document are followed: what stands in other files is in the document by then.

use crate::error::{Error, Spot};
use serde_json::Value;
use std::collections::HashSet;

/// Keys whose objects map free names to things: a name such as `default` or `$ref` means nothing there.
const MAPS_OF_NAMES: [&str; 11] = [
    "callbacks",
    "content",
    "headers",
    "links",
    "parameters",
    "paths",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
];

/// Keys whose content is data and not OpenAPI, as is that of extensions (`x-…`): a `$ref` in an example is no reference.
const DATA: [&str; 4] = ["default", "enum", "example", "examples"];

/// References that are followed one after the other, at most: what is checked has no circle, but an example is not
/// checked, and somebody may refer into one.
pub(crate) const LONGEST_CHAIN: usize = 256;

/// Follows `$ref` in `document` until something else stands there. A reference that leads nowhere gives null, as does
/// a longer chain; in a checked document neither is met outside of examples.
#[must_use]
pub fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..LONGEST_CHAIN {
        let Some(reference) = target(value) else { return value };
        value = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).unwrap_or(&Value::Null);
    }
    if target(value).is_some() { &Value::Null } else { value }
}

/// What the object refers to, if it is a reference object.
#[must_use]
pub fn target(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// Checks that every `$ref` leads to something in the document. `origin` tells where a JSON pointer leads in the text, and
/// the pointer there.
///
/// # Errors
/// [`Error::Reference`] for the first that does not.
pub(crate) fn check(document: &Value, origin: &dyn Fn(&str) -> (Spot, String)) -> Result<(), Error> {
    let mut seen = HashSet::new();
    let mut open = vec![String::new()];
    while let Some(part) = open.pop() {
        let Some(value) = document.pointer(&part) else { continue };
        let mut found = |place: &[String], reference: &str| {
            let place = format!("{part}{}", pointer(place));
            if let Some(problem) = problem(document, reference) {
                let ((spot, _), (_, place)) = (origin(&format!("{place}/$ref")), origin(&place));
                return Err(Error::Reference { spot, place, reference: reference.to_owned(), problem });
            }
            // What stands in an extension counts as OpenAPI as soon as something refers to it.
            let target = reference.strip_prefix('#').filter(|target| target.contains("/x-"));
            if let Some(target) = target.filter(|target| seen.insert((*target).to_owned())) {
                open.push(target.to_owned());
            }
            Ok(())
        };
        walk(value, false, &mut Vec::new(), &mut found)?;
    }
    Ok(())
}

fn problem(document: &Value, reference: &str) -> Option<&'static str> {
    let mut seen = vec![reference];
    loop {
        let Some(pointer) = seen.last().and_then(|reference| reference.strip_prefix('#')) else {
            return Some("leads out of the document: make one file of several first (tools call it bundling)");
        };
        let Some(value) = document.pointer(pointer) else {
            return Some("leads nowhere");
        };
        let next = target(value)?;
        if seen.contains(&next) {
            return Some("leads back to itself");
        }
        if seen.len() == LONGEST_CHAIN {
            return Some("leads through too many others");
        }
        seen.push(next);
    }
}

type Found<'f> = dyn FnMut(&[String], &str) -> Result<(), Error> + 'f;

fn walk(value: &Value, keys_are_names: bool, place: &mut Vec<String>, found: &mut Found<'_>) -> Result<(), Error> {
    match value {
        Value::Object(map) => {
            if let Some(reference) = target(value).filter(|_| !keys_are_names) {
                found(place, reference)?;
            }
            let is_data = |key: &str| !keys_are_names && (DATA.contains(&key) || key.starts_with("x-"));
            for (key, child) in map.iter().filter(|(key, _)| !is_data(key)) {
                place.push(key.clone());
                walk(child, !keys_are_names && MAPS_OF_NAMES.contains(&key.as_str()), place, found)?;
                place.pop();
            }
        }
        Value::Array(list) => {
            for (index, child) in list.iter().enumerate() {
                place.push(index.to_string());
                walk(child, false, place, found)?;
                place.pop();
            }
        }
        _ => {}
    }
    Ok(())
}

/// A JSON pointer (RFC 6901) from its unescaped parts.
#[must_use]
pub fn pointer<S: AsRef<str>>(parts: impl IntoIterator<Item = S>) -> String {
    parts.into_iter().map(|part| format!("/{}", escaped(part.as_ref()))).collect()
}

/// One part of a JSON pointer, as it is written in one.
#[must_use]
pub fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// One part of a JSON pointer, as it is meant.
#[must_use]
pub fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}
