//! Two canonical schemas side by side, keyword by keyword.
//!
//! A place is described once: if the two are not of one type, what hangs on the type is not listed as well.

use crate::tolerance::{Presence, nullable_option, number_format, unsigned_minimum};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

type Keywords = Map<String, Value>;

/// One difference, with its place below the two schemas. The words are those of [`crate::Difference`].
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub(crate) place: Vec<String>,
    pub(crate) contract: Option<String>,
    pub(crate) code: Option<String>,
}

/// Every difference between two canonical schemas, after what dropshot forces has been let through.
pub(crate) fn mismatches(contract: &Value, code: &Value, presence: Presence) -> Vec<Mismatch> {
    let mut walk = Walk { place: Vec::new(), found: Vec::new() };
    walk.schema(contract, code, presence);
    walk.found
}

struct Walk {
    place: Vec<String>,
    found: Vec<Mismatch>,
}

impl Walk {
    fn push(&mut self, contract: Option<String>, code: Option<String>) {
        self.found.push(Mismatch { place: self.place.clone(), contract, code });
    }

    fn within(&mut self, parts: &[&str], inside: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        self.place.extend(parts.iter().map(|&part| part.to_owned()));
        inside(self);
        self.place.truncate(length);
    }

    fn schema(&mut self, contract: &Value, code: &Value, presence: Presence) {
        let empty = Map::new();
        let contract = contract.as_object().unwrap_or(&empty);
        let mut code = code.as_object().cloned().unwrap_or_default();
        nullable_option(contract, &mut code, presence);
        // In this order: the minimum is known to be schemars' own by the format beside it.
        unsigned_minimum(contract, &mut code);
        number_format(contract, &mut code);
        self.keywords(contract, &code);
    }

    fn keywords(&mut self, contract: &Keywords, code: &Keywords) {
        if let (Some(wanted), Some(printed)) = differing_kinds(contract, code) {
            return self.push(Some(wanted), Some(printed));
        }
        self.object(contract, code);
        for keyword in contract.keys().chain(code.keys()).collect::<BTreeSet<_>>() {
            let (wanted, printed) = (contract.get(keyword), code.get(keyword));
            match keyword.as_str() {
                "properties" | "required" => {}
                _ if wanted == printed => {}
                "enum" => self.values(wanted, printed),
                "allOf" | "anyOf" | "oneOf" => self.alternatives(keyword, wanted, printed),
                "items" | "additionalProperties" | "not" => match (wanted, printed) {
                    (Some(wanted @ Value::Object(_)), Some(printed @ Value::Object(_))) => {
                        self.within(&[keyword], |walk| walk.schema(wanted, printed, Presence::Required));
                    }
                    _ => self.one_keyword(keyword, wanted, printed),
                },
                _ => self.one_keyword(keyword, wanted, printed),
            }
        }
    }

    fn one_keyword(&mut self, keyword: &str, contract: Option<&Value>, code: Option<&Value>) {
        self.push(contract.map(|value| says(keyword, value)), code.map(|value| says(keyword, value)));
    }

    fn object(&mut self, contract: &Keywords, code: &Keywords) {
        let empty = Map::new();
        let (contract_properties, code_properties) = (properties(contract, &empty), properties(code, &empty));
        let (contract_required, code_required) = (required(contract), required(code));
        if let Some((old, new)) = renamed(contract, code) {
            return self.within(&["properties"], |walk| {
                walk.push(Some(format!("calls this property `{old}`")), Some(format!("calls it `{new}`")));
                walk.object(&without(contract, old), &without(code, new));
            });
        }
        let names = contract_properties.keys().chain(code_properties.keys()).map(String::as_str);
        for name in names.chain(contract_required.union(&code_required).copied()).collect::<BTreeSet<_>>() {
            let needed = (contract_required.contains(name), code_required.contains(name));
            let presence = if needed == (false, false) { Presence::Optional } else { Presence::Required };
            let schemas = (contract_properties.get(name), code_properties.get(name));
            self.within(&["properties", name], |walk| {
                if schemas.0.is_some() == schemas.1.is_some() && needed.0 != needed.1 {
                    let words = || "requires it".to_owned();
                    walk.push(needed.0.then(words), needed.1.then(words));
                }
                let words = |schema, needed| {
                    let needed = if needed { "required" } else { "optional" };
                    format!("has this property ({}, {needed})", short(schema))
                };
                match schemas {
                    (Some(contract), Some(code)) => walk.schema(contract, code, presence),
                    (Some(contract), None) => walk.push(Some(words(contract, needed.0)), None),
                    (None, Some(code)) => walk.push(None, Some(words(code, needed.1))),
                    (None, None) => {}
                }
            });
        }
    }

    fn values(&mut self, contract: Option<&Value>, code: Option<&Value>) {
        let (Some(wanted), Some(printed)) = (contract.and_then(Value::as_array), code.and_then(Value::as_array)) else {
            return self.one_keyword("enum", contract, code);
        };
        let words = |value: &Value| Some(format!("allows the value {value}"));
        for value in wanted.iter().filter(|value| !printed.contains(value)) {
            self.push(words(value), None);
        }
        for value in printed.iter().filter(|value| !wanted.contains(value)) {
            self.push(None, words(value));
        }
    }

    /// Alternatives are a set: equal ones pair off, and if one is left on each side these two are compared.
    fn alternatives(&mut self, keyword: &str, contract: Option<&Value>, code: Option<&Value>) {
        let (Some(wanted), Some(printed)) = (contract.and_then(Value::as_array), code.and_then(Value::as_array)) else {
            return self.one_keyword(keyword, contract, code);
        };
        let mut printed: Vec<&Value> = printed.iter().collect();
        let mut left = Vec::new();
        for schema in wanted {
            match printed.iter().position(|code| mismatches(schema, code, Presence::Required).is_empty()) {
                Some(index) => {
                    printed.remove(index);
                }
                None => left.push(schema),
            }
        }
        self.within(&[keyword], |walk| match (left.as_slice(), printed.as_slice()) {
            ([contract], [code]) => walk.schema(contract, code, Presence::Required),
            (contract, code) => {
                let words = |schema: &Value| Some(format!("has the alternative {}", short(schema)));
                contract.iter().for_each(|schema| walk.push(words(schema), None));
                code.iter().for_each(|schema| walk.push(None, words(schema)));
            }
        });
    }
}

/// What kind of value each side describes, if these are not the same kind and nothing further can be compared.
fn differing_kinds(contract: &Keywords, code: &Keywords) -> (Option<String>, Option<String>) {
    const KINDS: [&str; 5] = ["type", "$cycle", "anyOf", "allOf", "enum"];
    let comparable = match (contract.get("type"), code.get("type")) {
        (Some(wanted), Some(printed)) => wanted == printed,
        _ => KINDS.iter().any(|&keyword| contract.contains_key(keyword) && code.contains_key(keyword)),
    };
    if comparable {
        return (None, None);
    }
    let kind = |schema: &Keywords| KINDS.iter().find_map(|&keyword| Some(says(keyword, schema.get(keyword)?)));
    (kind(contract), kind(code))
}

fn properties<'a>(schema: &'a Keywords, empty: &'a Keywords) -> &'a Keywords {
    schema.get("properties").and_then(Value::as_object).unwrap_or(empty)
}

fn required(schema: &Keywords) -> BTreeSet<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The one property on each side that the other side lacks, if apart from the name they are the same.
fn renamed<'a>(contract: &'a Keywords, code: &'a Keywords) -> Option<(&'a str, &'a str)> {
    let contract_properties = contract.get("properties")?.as_object()?;
    let code_properties = code.get("properties")?.as_object()?;
    let mut lost = contract_properties.iter().filter(|(name, _)| !code_properties.contains_key(*name));
    let mut added = code_properties.iter().filter(|(name, _)| !contract_properties.contains_key(*name));
    let (Some((old, wanted)), None, Some((new, printed)), None) =
        (lost.next(), lost.next(), added.next(), added.next())
    else {
        return None;
    };
    let needed = (required(contract).contains(old.as_str()), required(code).contains(new.as_str()));
    let presence = if needed == (false, false) { Presence::Optional } else { Presence::Required };
    (needed.0 == needed.1 && mismatches(wanted, printed, presence).is_empty()).then_some((old, new))
}

fn without(schema: &Keywords, name: &str) -> Keywords {
    let mut schema = schema.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove(name);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|required| required != name);
    }
    schema
}

/// What a keyword says, as the words after `the contract`.
fn says(keyword: &str, value: &Value) -> String {
    match (keyword, value) {
        ("nullable", _) => "allows null".to_owned(),
        ("additionalProperties", Value::Bool(false)) => "forbids other properties".to_owned(),
        ("additionalProperties", schema) => format!("says that other properties are {}", short(schema)),
        ("items", schema) => format!("says that items are {}", short(schema)),
        ("not", schema) => format!("forbids {}", short(schema)),
        ("enum", values) => format!("allows only {values}"),
        ("$cycle", _) => "repeats a schema from above".to_owned(),
        ("allOf", Value::Array(list)) => format!("says all of {}", shorts(list)),
        ("anyOf" | "oneOf", Value::Array(list)) => format!("says any of {}", shorts(list)),
        (_, Value::String(text)) => format!("says {keyword} `{text}`"),
        _ => format!("says {keyword} {value}"),
    }
}

fn shorts(list: &[Value]) -> String {
    list.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// A schema in a word or two.
fn short(schema: &Value) -> String {
    let nullable = if schema["nullable"] == true { " or null" } else { "" };
    let name = match schema["type"].as_str() {
        Some("array") => format!("array of {}", short(&schema["items"])),
        Some("object") => {
            let names = schema["properties"].as_object().into_iter().flatten();
            let names: Vec<_> = names.map(|(name, _)| name.as_str()).collect();
            // Enough to recognise the object by.
            const SHOWN: usize = 4;
            match names.get(..SHOWN).filter(|_| names.len() > SHOWN) {
                _ if names.is_empty() => "object".to_owned(),
                Some(shown) => format!("object with {} and {} more", shown.join(", "), names.len() - SHOWN),
                None => format!("object with {}", names.join(", ")),
            }
        }
        Some(name) => name.to_owned(),
        None => match (&schema["anyOf"], &schema["allOf"], &schema["enum"]) {
            (Value::Array(list), ..) => list.iter().map(short).collect::<Vec<_>>().join(" or "),
            (_, Value::Array(list), _) => list.iter().map(short).collect::<Vec<_>>().join(" and "),
            (.., Value::Array(values)) if values == &[Value::Null] => "null".to_owned(),
            _ => "anything".to_owned(),
        },
    };
    format!("{name}{nullable}")
}
