//! One OpenAPI document, loaded and safe to walk.
//!
//! Promises: the document is OpenAPI 3.0, every `$ref` in it leads somewhere inside it, and operations are
//! listed in the order in which the text gives them. Refuses OpenAPI 3.1 (the client generator does not read
//! it), references to other documents, and keys given twice.

use crate::error::Error;
use crate::reference;
use serde_json::{Map, Value};
use serde_norway::Value as Yaml;

/// The HTTP methods that OpenAPI 3.0 knows, as they are spelled in a path item.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An OpenAPI 3.0 document whose references have been checked.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    value: Value,
    /// Path and method of each operation, in the order of the text. A JSON object has no order of its own.
    order: Vec<(String, String)>,
}

/// An operation where it stands in its document.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    /// Path as the document gives it, without the base path.
    pub path: &'a str,
    /// Method in lower case, one of [`METHODS`].
    pub method: &'a str,
    /// The path item that holds the operation.
    pub item: &'a Value,
    /// The operation object.
    pub operation: &'a Value,
}

impl Document {
    /// Reads a document from YAML or JSON text. `name` is how messages call it, e.g. `openapi/better-auth.yaml`.
    ///
    /// # Errors
    /// [`Error::Syntax`] with line and column; [`Error::Reference`] for a `$ref` that leads nowhere;
    /// [`Error::Shape`] if it is not an OpenAPI 3.0 document.
    pub fn load(name: &str, text: &str) -> Result<Self, Error> {
        let yaml = parse(name, text)?;
        let order = operations_in_order(&yaml);
        Self::checked(name, to_json(name, &mut Vec::new(), yaml)?, order)
    }

    /// Takes a document that is already a JSON value, e.g. the one dropshot prints.
    ///
    /// # Errors
    /// As [`Document::load`], except for syntax.
    pub fn from_value(name: &str, value: Value) -> Result<Self, Error> {
        let methods = |(path, item): (&String, &Value)| {
            let methods = item.as_object().into_iter().flatten().map(|(method, _)| method.clone());
            methods.map(|method| (path.clone(), method)).collect::<Vec<_>>()
        };
        let order = value["paths"].as_object().into_iter().flatten().flat_map(methods).collect();
        Self::checked(name, value, order)
    }

    fn checked(name: &str, value: Value, mut order: Vec<(String, String)>) -> Result<Self, Error> {
        let shape = |place: &str, problem: &str| Error::Shape {
            document: name.to_owned(),
            place: place.to_owned(),
            problem: problem.to_owned(),
        };
        if !value["openapi"].as_str().is_some_and(|version| version.starts_with("3.0.")) {
            return Err(shape("/openapi", "expected version 3.0.x"));
        }
        if !value["paths"].is_object() {
            return Err(shape("/paths", "expected an object"));
        }
        for (path, item) in value["paths"].as_object().into_iter().flatten() {
            if !item.is_object() || reference::target(item).is_some() {
                return Err(shape(path, "expected a path item, written in place"));
            }
        }
        order.retain(|(_, method)| METHODS.contains(&method.as_str()));
        if let Some((path, method)) = order.iter().find(|(path, method)| !value["paths"][path][method].is_object()) {
            return Err(shape(&format!("{} {path}", method.to_uppercase()), "expected an operation object"));
        }
        reference::check(name, &value)?;
        Ok(Self { name: name.to_owned(), value, order })
    }

    /// How messages call the document.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The document itself, with its references in place.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The path of the first server, without a trailing slash: `/api/auth` for `https://host/api/auth/`.
    /// Empty if the document names no server, or one without a path.
    #[must_use]
    pub fn base_path(&self) -> &str {
        let url = self.value["servers"][0]["url"].as_str().unwrap_or_default();
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
            None => url,
        };
        path.trim_end_matches('/')
    }

    /// Follows `$ref` until something else stands there.
    #[must_use]
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        reference::resolve(&self.value, value)
    }

    /// Every operation, in the order of the text.
    pub fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.order.iter().map(|(path, method)| {
            let item = &self.value["paths"][path];
            Located { path, method, item, operation: &item[method] }
        })
    }

    /// The operation of that name, if there is one.
    #[must_use]
    pub fn find(&self, operation_id: &str) -> Option<&Value> {
        self.located().map(|located| located.operation).find(|operation| operation["operationId"] == operation_id)
    }
}

fn parse(name: &str, text: &str) -> Result<Yaml, Error> {
    let syntax = |line, column, source| Error::Syntax { document: name.to_owned(), line, column, source };
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| syntax(error.line(), error.column(), error.into()));
    }
    let located = |error: serde_norway::Error| {
        let (line, column) = error.location().map_or((0, 0), |location| (location.line(), location.column()));
        syntax(line, column, error.into())
    };
    let mut yaml: Yaml = serde_norway::from_str(text).map_err(located)?;
    yaml.apply_merge().map_err(located)?;
    Ok(yaml)
}

fn operations_in_order(yaml: &Yaml) -> Vec<(String, String)> {
    let paths = yaml.get("paths").and_then(Yaml::as_mapping).into_iter().flatten();
    let methods = paths.flat_map(|(path, item)| {
        item.as_mapping().into_iter().flatten().map(move |(method, _)| (path.as_str(), method.as_str()))
    });
    methods.filter_map(|(path, method)| Some((path?.to_owned(), method?.to_owned()))).collect()
}

/// YAML to JSON. A status such as `200:` is a number in YAML and becomes a text key.
fn to_json(document: &str, place: &mut Vec<String>, yaml: Yaml) -> Result<Value, Error> {
    let refuse = |place: &[String], problem: &str| Error::Shape {
        document: document.to_owned(),
        place: reference::pointer(place),
        problem: problem.to_owned(),
    };
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::String(value) => value.into(),
        Yaml::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => number.into(),
            (_, Some(number), _) => number.into(),
            (.., Some(number)) if number.is_finite() => number.into(),
            _ => return Err(refuse(place, "expected a finite number")),
        },
        Yaml::Sequence(list) => {
            let mut out = Vec::with_capacity(list.len());
            for (index, entry) in list.into_iter().enumerate() {
                place.push(index.to_string());
                out.push(to_json(document, place, entry)?);
                place.pop();
            }
            out.into()
        }
        Yaml::Mapping(mapping) => {
            let mut out = Map::new();
            for (key, entry) in mapping {
                let key = match key {
                    Yaml::String(key) => key,
                    Yaml::Number(key) => key.to_string(),
                    Yaml::Bool(key) => key.to_string(),
                    _ => return Err(refuse(place, "expected keys that are text")),
                };
                place.push(key.clone());
                let entry = to_json(document, place, entry)?;
                place.pop();
                if out.insert(key.clone(), entry).is_some() {
                    return Err(refuse(place, &format!("the key `{key}` is given twice")));
                }
            }
            out.into()
        }
        Yaml::Tagged(_) => return Err(refuse(place, "YAML tags are not used in OpenAPI")),
    })
}
