//! Names the schemas of objects that a document has in several places, so that each is one component.
//!
//! A component has the name of the properties and paths where it is found most often: `User` for `/users/{userId}` and for the
//! items of `users`, `UserInput` for bodies of requests to `/users`. The same traffic gives the same names.

use super::super::names;
use super::templates::camel_case;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Objects with fewer properties may be equal by chance, so they are one component only if they also have the same name.
const DISTINCTIVE: usize = 3;

/// Moves the schemas of objects that are in several places to the components.
pub(super) fn extract(document: &mut Value) {
    let mut found = Found::default();
    for (name, schema) in bodies(document) {
        found.visit(schema, &name);
    }
    let mut components = Components { names: found.names(), definitions: BTreeMap::new() };
    for (name, schema) in bodies(document) {
        components.replace(schema, &name);
    }
    for (name, definition) in components.definitions {
        document["components"]["schemas"][name] = definition;
    }
}

/// The schemas of bodies, with the name of what each is about.
fn bodies(document: &mut Value) -> Vec<(String, &mut Value)> {
    let mut out = Vec::new();
    for (path, item) in entries(document.get_mut("paths")) {
        for (method, operation) in entries(Some(item)) {
            let subject = subject(path, method);
            let mut holders = Vec::new();
            for (key, value) in entries(Some(operation)) {
                match key.as_str() {
                    "requestBody" => holders.push((format!("{subject}Input"), value)),
                    "responses" => holders.extend(entries(Some(value)).map(|(status, response)| {
                        let is_error = status.starts_with(['4', '5']);
                        (if is_error { "Error".to_owned() } else { subject.clone() }, response)
                    })),
                    _ => {}
                }
            }
            for (name, holder) in holders {
                let schemas = entries(holder.get_mut("content")).filter_map(|(_, media)| media.get_mut("schema"));
                out.extend(schemas.map(|schema| (name.clone(), schema)));
            }
        }
    }
    out
}

fn entries(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

/// The name of what an operation is about: that of one of several things, unless it reads all of them.
fn subject(path: &str, method: &str) -> String {
    let last = path.rsplit('/').find(|segment| !segment.is_empty() && !segment.contains('{')).unwrap_or_default();
    match method == "get" && path.ends_with(last) {
        true => pascal_case(last),
        false => type_name(last),
    }
}

/// The name of the type of one of several things: `UserGroup` for `user-groups`.
fn type_name(name: &str) -> String {
    names::capitalize_first(&camel_case(name))
}

/// The words of a name, each with a capital.
fn pascal_case(name: &str) -> String {
    let words = names::words(name).into_iter().filter(|word| word.is_ascii());
    words.map(|word| names::capitalize_first(&word)).collect()
}

/// What makes two schemas of objects the same; `None` for other schemas. Null is allowed where the schema is used.
fn identity(schema: &Value, name: &str) -> Option<String> {
    let types = &schema["type"];
    let properties = schema.get("properties").filter(|_| *types == "object" || *types == json!(["object", "null"]))?;
    let is_distinctive = properties.as_object()?.len() >= DISTINCTIVE;
    let name = if is_distinctive { "" } else { name };
    Some(format!("{name} {} {properties}", schema["required"]))
}

/// The schemas within a schema, with the name of what each is about.
fn inner<'s>(schema: &'s mut Value, name: &str) -> Vec<(String, &'s mut Value)> {
    let mut out = Vec::new();
    for (key, value) in entries(Some(schema)) {
        match key.as_str() {
            "properties" => out.extend(entries(Some(value)).map(|(property, schema)| (pascal_case(property), schema))),
            "items" | "additionalProperties" => out.push((type_name(name), value)),
            _ => {}
        }
    }
    out
}

/// The schemas of objects, in the order in which they are found.
#[derive(Default)]
struct Found {
    numbers: HashMap<String, usize>,
    /// Identity, and how often it has each name.
    all: Vec<(String, BTreeMap<String, usize>)>,
}

impl Found {
    fn visit(&mut self, schema: &mut Value, name: &str) {
        if let Some(identity) = identity(schema, name) {
            let next = self.all.len();
            let number = *self.numbers.entry(identity.clone()).or_insert(next);
            if number == next {
                self.all.push((identity, BTreeMap::new()));
            }
            *self.all[number].1.entry(name.to_owned()).or_default() += 1;
            // What only the same component contains is in one place.
            if number < next {
                return;
            }
        }
        for (name, schema) in inner(schema, name) {
            self.visit(schema, &name);
        }
    }

    /// The names of the components by their identity.
    fn names(self) -> HashMap<String, String> {
        let mut out = HashMap::<String, String>::new();
        let mut taken = BTreeMap::<String, usize>::new();
        for (identity, names) in self.all {
            if names.values().sum::<usize>() < 2 {
                continue;
            }
            // Of equally frequent names, the first one of the alphabet.
            let name = names.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name);
            let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "Object".to_owned());
            let number = taken.entry(name.clone()).and_modify(|number| *number += 1).or_insert(1);
            out.insert(identity, if *number == 1 { name } else { format!("{name}_{number}") });
        }
        out
    }
}

struct Components {
    names: HashMap<String, String>,
    definitions: BTreeMap<String, Value>,
}

impl Components {
    fn replace(&mut self, schema: &mut Value, name: &str) {
        let component = identity(schema, name).and_then(|identity| self.names.get(&identity).cloned());
        let Some(component) = component else { return self.replace_inner(schema, name) };
        let reference = json!({"$ref": format!("#/components/schemas/{component}")});
        let replacement = match schema["type"] == "object" {
            true => reference,
            false => json!({"anyOf": [reference, {"type": "null"}]}),
        };
        let mut definition = std::mem::replace(schema, replacement);
        if !self.definitions.contains_key(&component) {
            definition["type"] = "object".into();
            self.replace_inner(&mut definition, name);
            self.definitions.insert(component, definition);
        }
    }

    fn replace_inner(&mut self, schema: &mut Value, name: &str) {
        for (name, schema) in inner(schema, name) {
            self.replace(schema, &name);
        }
    }
}
