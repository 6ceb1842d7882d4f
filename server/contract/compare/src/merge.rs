//! Merging several documents that dropshot generates into one.
//!
//! dropshot's router does not allow a literal and a variable in the same place of a path, so that a dialect may need
//! several API traits and hence several documents. Equal components in several documents are normal, because the traits
//! share error types; different content under one name is an error.

use countersign_contract_document::Error;
use serde_json::{Map, Value};

/// Merges paths, components and tags of the documents; all other fields come from the first one. Null for no documents.
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
