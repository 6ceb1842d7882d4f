//! What has to hold for a document to be used.

use super::{ADDITIONAL, Document, METHODS, operation_of, operation_pointer, span};
use crate::bundle::{self, Bundle, Origins, Problem};
use crate::error::Error;
use crate::files::Files;
use crate::identifiers;
use crate::normalise::normalise;
use crate::pointer;
use crate::position::SourceSpan;
use crate::reference;
use crate::references::{self, Broken, Found, Reached};
use crate::source::{self, Part, Positions, SourceMap};
use crate::version::Version;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What becomes of a document with broken references, or with something else in place of a path item or an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tolerance {
    /// It cannot be loaded.
    Strict,
    /// It can be loaded if nothing uses the part with the reference.
    Unused,
    /// It is loaded, and lint reports them.
    ForLint,
}

impl Document {
    pub(super) fn read(name: &str, bundle: Bundle, tolerance: Tolerance) -> Result<Self, Error> {
        let paths = bundle.source_map.whole().child("paths");
        let methods = |(path, item): (&str, Part<'_>)| {
            let others = item.child(ADDITIONAL).into_iter().flat_map(Part::keys);
            let methods = item.keys().chain(others);
            methods.map(|method| (path.to_owned(), method.to_owned())).collect::<Vec<_>>()
        };
        let order = paths.into_iter().flat_map(Part::entries).flat_map(methods).collect();
        Self::checked(name, bundle, order, tolerance)
    }

    pub(super) fn checked(
        name: &str,
        bundle: Bundle,
        mut order: Vec<(String, String)>,
        tolerance: Tolerance,
    ) -> Result<Self, Error> {
        let Bundle { mut value, source_map, mut origins, problems } = bundle;
        let version = check_version(name, &value, &source_map)?;
        let positions = Positions::from(source_map);
        let normalised = normalise(&mut value);
        origins.moved = normalised.moved;
        let shape = |pointer: &str, place: &str, problem: &str| Error::Shape {
            span: span(name, &positions, &origins, pointer),
            place: place.to_owned(),
            problem: problem.to_owned(),
        };
        if !value["paths"].is_object() {
            return Err(shape("/paths", "/paths", "expected an object"));
        }
        let is_strict = tolerance != Tolerance::ForLint;
        let at = |pointer: &str| span(name, &positions, &origins, pointer);
        let broken = tolerated(&value, problems, &origins, at, tolerance)?;
        let is_path = |path: &String| !path.starts_with("x-");
        let paths = value["paths"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
        for path in paths.filter(is_path).collect::<Vec<_>>() {
            let item = &value["paths"][&path];
            if reference::target(item).is_some() {
                let target = reference::resolve(&value, item);
                if !is_strict && !target.is_object() {
                    continue;
                }
                let target = bundle::merge_siblings(target.clone(), item);
                let others = target[ADDITIONAL].as_object().filter(|_| item.get(ADDITIONAL).is_none());
                let methods = target.as_object().into_iter().chain(others).flatten();
                let methods = methods.filter(|(key, _)| item.get(key).is_none());
                let methods = methods.map(|(method, _)| (path.clone(), method.clone()));
                order.extend(methods.collect::<Vec<_>>());
                value["paths"][&path] = target;
            }
            if is_strict && !value["paths"][&path].is_object() {
                return Err(shape(&pointer::from_tokens(["paths", &path]), &path, "expected a path item"));
            }
        }
        let is_method = |path: &str, method: &str| match version {
            Version::V3_2 => METHODS.contains(&method) || value["paths"][path][ADDITIONAL].get(method).is_some(),
            _ => METHODS.contains(&method) && method != "query",
        };
        order.retain(|(path, method)| is_path(path) && is_method(path, method));
        let is_operation = |(path, method): &(String, String)| operation_of(&value["paths"][path], method).is_object();
        if !is_strict {
            order.retain(is_operation);
        }
        if let Some((path, method)) = order.iter().find(|entry| !is_operation(entry)) {
            let place = format!("{} {path}", method.to_uppercase());
            let pointer = operation_pointer(&value["paths"][path], path, method);
            return Err(shape(&pointer, &place, "expected an operation object"));
        }
        Ok(Self {
            name: name.to_owned(),
            version,
            value,
            ignored: normalised.ignored,
            positions: Arc::new(positions),
            origins: Arc::new(origins),
            broken,
            order,
        })
    }
}

/// Reads a text, and the files that it refers to, as one document.
pub(super) fn bundled(name: &str, text: &str, files: Files<'_>) -> Result<Bundle, Error> {
    let (mut value, source_map) = source::read(name, text)?;
    check_version(name, &value, &source_map)?;
    identifiers::resolve(&mut value);
    match bundle::is_needed(&value) {
        true => bundle::bundle(name, value, source_map, files),
        false => Ok(Bundle::of(value, source_map)),
    }
}

/// The references of a document that cannot be resolved.
///
/// # Errors
/// The first that is not tolerated, with the error of bundling if there is one.
fn tolerated(
    document: &Value,
    problems: Vec<Problem>,
    origins: &Origins,
    at: impl Fn(&str) -> SourceSpan,
    tolerance: Tolerance,
) -> Result<Vec<Broken>, Error> {
    let references = references::all(document);
    let mut broken = references::broken(document, &references);
    let mut errors = unfollowed(&references, problems, origins)?;
    for (pointer, (text, error)) in &errors {
        broken.insert(pointer.clone(), Broken::of(pointer, text, error));
    }
    let harmful = match tolerance {
        Tolerance::Strict => broken.values().next(),
        Tolerance::Unused if !broken.is_empty() => {
            let reached = Reached::through(&references);
            broken.values().find(|broken| reached.contains(&broken.pointer))
        }
        Tolerance::Unused | Tolerance::ForLint => None,
    };
    if let Some(Broken { pointer, text, problem }) = harmful {
        let holder = pointer.rsplit_once('/').map_or("", |(holder, _)| holder);
        let error = || Error::Reference {
            span: at(pointer),
            place: origins.pointer_in_file(holder),
            reference: text.clone(),
            problem: problem.clone(),
        };
        return Err(errors.remove(pointer).map_or_else(error, |(_, error)| error));
    }
    Ok(broken.into_values().collect())
}

/// The text and the error of each reference that could not be followed to another file, by its JSON pointer in the document.
///
/// # Errors
/// A problem that belongs to none of these references, so that it is not dropped.
fn unfollowed(
    references: &[Found],
    problems: Vec<Problem>,
    origins: &Origins,
) -> Result<BTreeMap<String, (String, Error)>, Error> {
    let mut by_place: HashMap<String, Problem> =
        problems.into_iter().map(|problem| (problem.text_at.clone(), problem)).collect();
    if by_place.is_empty() {
        return Ok(BTreeMap::new());
    }
    let error = |found: &Found| {
        let Problem { text, error, .. } = by_place.remove(&*origins.moved.written(&found.pointer))?;
        Some((found.pointer.clone(), (text, error)))
    };
    let errors = references.iter().filter_map(error).collect();
    let lost = by_place.into_values().min_by(|one, other| one.text_at.cmp(&other.text_at));
    lost.map_or(Ok(errors), |problem| Err(problem.error))
}

fn check_version(name: &str, value: &Value, source_map: &SourceMap) -> Result<Version, Error> {
    if let Some(version) = Version::of(value) {
        return Ok(version);
    }
    let span = SourceSpan { document: name.to_owned(), position: source_map.find("/openapi") };
    let found = match (&value["openapi"], &value["swagger"]) {
        (Value::String(version), _) => format!("version {version}"),
        (Value::Null, Value::String(version)) => format!("Swagger {version}"),
        (Value::Null, _) => "no field `openapi`".to_owned(),
        (Value::Number(version), _) => format!("the number {version} in place of a string"),
        // The value is not shown: this may be any file.
        _ => "something else than a string".to_owned(),
    };
    let problem = format!("expected OpenAPI 3.0, 3.1 or 3.2, found {found}");
    Err(Error::Shape { span, place: "/openapi".to_owned(), problem })
}
