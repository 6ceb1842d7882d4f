//! Several documents that dropshot prints become one.
//!
//! dropshot's router forbids a literal beside a variable, so that one dialect may need several API traits and
//! hence several documents. Paths, components and tags are united. The same name with the same content is
//! normal (both traits share error types); with different content it is an error, never a silent choice.

use crate::error::Error;
use serde_json::{Map, Value};

/// Unites documents. `openapi`, `info` and whatever else stands beside paths, components and tags comes from
/// the first one. No documents give null.
///
/// # Errors
/// [`Error::Clash`] if two documents define the same operation or component differently.
pub fn merge(documents: Vec<Value>) -> Result<Value, Error> {
    let mut documents = documents.into_iter();
    let mut merged = documents.next().unwrap_or_default();
    for mut document in documents {
        let Some(target) = merged.as_object_mut() else { continue };
        for section in ["paths", "components"] {
            let Some(Value::Object(groups)) = document.get_mut(section).map(Value::take) else { continue };
            let into = object(target, section);
            for (group, entries) in groups {
                let Value::Object(entries) = entries else { continue };
                let place = format!("{section}/{}", group.trim_start_matches('/'));
                unite(object(into, &group), entries, &place)?;
            }
        }
        if let Some(Value::Array(tags)) = document.get_mut("tags").map(Value::take) {
            let Value::Array(known) = target.entry("tags").or_insert_with(|| Value::Array(Vec::new())) else {
                continue;
            };
            known.extend(tags.into_iter().filter(|tag| !known.contains(tag)).collect::<Vec<_>>());
        }
    }
    Ok(merged)
}

fn object<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let value = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it has just been made an object")
}

fn unite(into: &mut Map<String, Value>, from: Map<String, Value>, place: &str) -> Result<(), Error> {
    for (key, value) in from {
        match into.get(&key) {
            Some(known) if *known != value => return Err(Error::Clash { place: format!("{place}/{key}") }),
            Some(_) => {}
            None => {
                into.insert(key, value);
            }
        }
    }
    Ok(())
}
