//! A loaded and checked OpenAPI document.
//!
//! Guarantees: the document is OpenAPI 3.0, 3.1 or 3.2, every `$ref` in it can be resolved within it (unless it was loaded for
//! a purpose that needs less), and operations are listed in the order of the text. Duplicate keys are rejected. References of
//! path items are replaced by their targets, the content of other files is taken in, and schemas of all versions have one form
//! (see `normalise`).

mod checks;

use crate::bundle::{Bundle, Origins};
use crate::error::Error;
use crate::files::Files;
use crate::identifiers;
use crate::pointer;
use crate::position::{Position, SourceSpan};
use crate::reference;
use crate::references::Broken;
use crate::source::{self, Positions, SourceMap};
use crate::version::Version;
use checks::{Tolerance, bundled};
use serde_json::Value;
use std::sync::Arc;

/// The HTTP methods that OpenAPI knows, as they are spelled in a path item; `query` since version 3.2.
pub const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// The field of a path item with the operations of all other methods (OpenAPI 3.2).
const ADDITIONAL: &str = "additionalOperations";

/// An OpenAPI document whose references have been checked.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    version: Version,
    value: Value,
    /// JSON pointers of keywords that have no meaning in this version.
    ignored: Vec<String>,
    positions: Arc<Positions>,
    origins: Arc<Origins>,
    /// References that cannot be resolved, as far as they were tolerated.
    broken: Vec<Broken>,
    /// Path and method of each operation, in the order of the text. A JSON object has no order of its own.
    order: Vec<(String, String)>,
}

/// An operation with its path and method.
#[derive(Debug, Clone, Copy)]
pub struct Located<'a> {
    /// Path as in the document, without the base path.
    pub path: &'a str,
    /// Method in lower case, one of [`METHODS`]; others as they are spelled in `additionalOperations`.
    pub method: &'a str,
    /// The path item that contains the operation.
    pub item: &'a Value,
    /// The operation object.
    pub operation: &'a Value,
}

impl Located<'_> {
    /// JSON pointer of the operation.
    #[must_use]
    pub fn pointer(&self) -> String {
        operation_pointer(self.item, self.path, self.method)
    }
}

fn operation_pointer(item: &Value, path: &str, method: &str) -> String {
    match item.get(method) {
        Some(_) => pointer::from_tokens(["paths", path, method]),
        None => pointer::from_tokens(["paths", path, ADDITIONAL, method]),
    }
}

/// The operation of a method in a path item; null if there is none.
fn operation_of<'v>(item: &'v Value, method: &str) -> &'v Value {
    item.get(method).unwrap_or_else(|| &item[ADDITIONAL][method])
}

impl Document {
    /// Reads a document from YAML or JSON text. `name` is how messages call it, e.g. `openapi/better-auth.yaml`.
    ///
    /// # Errors
    /// [`Error::Syntax`] with line and column; [`Error::Reference`] for a `$ref` that cannot be resolved;
    /// [`Error::Shape`] if it is not an OpenAPI document of version 3.0, 3.1 or 3.2.
    pub fn load(name: &str, text: &str) -> Result<Self, Error> {
        let (mut value, source_map) = source::read(name, text)?;
        identifiers::resolve(&mut value);
        Self::read(name, Bundle::of(value, source_map), Tolerance::Strict)
    }

    /// As [`Document::load`], but references may lead to other files. Their targets become part of the document; source
    /// spans name the file that a part comes from.
    ///
    /// # Errors
    /// As [`Document::load`]; [`Error::File`] for a file that cannot be read.
    pub fn load_with(name: &str, text: &str, files: Files<'_>) -> Result<Self, Error> {
        Self::read(name, bundled(name, text, files)?, Tolerance::Strict)
    }

    /// As [`Document::load_with`], but references may be broken in components, other than security schemes, that nothing outside of
    /// `components` leads to.
    ///
    /// # Errors
    /// As [`Document::load_with`], except for these.
    pub fn load_used(name: &str, text: &str, files: Files<'_>) -> Result<Self, Error> {
        Self::read(name, bundled(name, text, files)?, Tolerance::Unused)
    }

    /// As [`Document::load_with`], but what is wrong within the document is left for lint to report, as far as the
    /// rest can be read: references that cannot be followed, also to other files, and other values in place of path items
    /// and operations.
    ///
    /// # Errors
    /// As [`Document::load_with`], except for these.
    pub fn load_for_lint(name: &str, text: &str, files: Files<'_>) -> Result<Self, Error> {
        Self::read(name, bundled(name, text, files)?, Tolerance::ForLint)
    }

    /// The files of a document as one document, as they are written otherwise.
    ///
    /// # Errors
    /// As [`Document::load_with`].
    pub fn bundle(name: &str, text: &str, files: Files<'_>) -> Result<Value, Error> {
        let bundled = bundled(name, text, files)?;
        let value = bundled.value.clone();
        // What is written has to be a document that can be loaded.
        Self::read(name, bundled, Tolerance::Strict).map(|_| value)
    }

    /// Makes a document of a JSON value, e.g. of the one that dropshot generates. It has no line numbers.
    ///
    /// # Errors
    /// As [`Document::load`], except for syntax.
    pub fn from_value(name: &str, mut value: Value) -> Result<Self, Error> {
        identifiers::resolve(&mut value);
        let methods = |(path, item): (&String, &Value)| {
            let others = item[ADDITIONAL].as_object();
            let methods = item.as_object().into_iter().chain(others).flatten().map(|(method, _)| method.clone());
            methods.map(|method| (path.clone(), method)).collect::<Vec<_>>()
        };
        let order = value["paths"].as_object().into_iter().flatten().flat_map(methods).collect();
        Self::checked(name, Bundle::of(value, SourceMap::default()), order, Tolerance::Strict)
    }

    /// How messages call the document.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of OpenAPI that the document is written in.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// JSON pointers of keywords in the text that have no meaning in the document's version.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// References that cannot be resolved, if the document was loaded for a purpose that tolerates them.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Position of the value at a JSON pointer; if there is none, of its nearest existing ancestor.
    #[must_use]
    pub fn position(&self, pointer: &str) -> Position {
        self.positions.find(&self.origins.moved.written(pointer))
    }

    /// As [`Document::position`], with the name of the file.
    #[must_use]
    pub fn span(&self, pointer: &str) -> SourceSpan {
        span(&self.name, &self.positions, &self.origins, pointer)
    }

    /// Whether the name of a component was generated when several files became one document.
    pub fn has_generated_name(&self, pointer: &str) -> bool {
        self.origins.generated_names.contains(pointer)
    }

    /// Translates a JSON pointer of the document into one of the file that the value comes from.
    #[must_use]
    pub fn pointer_in_file(&self, pointer: &str) -> String {
        self.origins.pointer_in_file(pointer)
    }

    /// The document as JSON, with its references. Schemas have the same form in all versions.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The path of the first server, without a trailing slash: `/api/auth` for `https://host/api/auth/`.
    /// Empty if the document names no server, or one without a path.
    #[must_use]
    pub fn base_path(&self) -> &str {
        path_of_first_server(&self.value)
    }

    /// Follows `$ref` to a value that is not a reference.
    #[must_use]
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        reference::resolve(&self.value, value)
    }

    /// Every operation, in the order of the text.
    pub fn located(&self) -> impl Iterator<Item = Located<'_>> {
        self.order.iter().map(|(path, method)| {
            let item = &self.value["paths"][path];
            Located { path, method, item, operation: operation_of(item, method) }
        })
    }

    /// The operation with this `operationId`.
    #[must_use]
    pub fn find(&self, operation_id: &str) -> Option<&Value> {
        self.located().map(|located| located.operation).find(|operation| operation["operationId"] == operation_id)
    }
}

fn span(name: &str, positions: &Positions, origins: &Origins, pointer: &str) -> SourceSpan {
    let pointer = origins.moved.written(pointer);
    let document = origins.of(&pointer).map_or(name, |(file, _)| file).to_owned();
    SourceSpan { document, position: positions.find(&pointer) }
}

/// The path of the first server of a document, a path item or an operation, without a trailing slash. Variables are kept.
pub fn path_of_first_server(holder: &Value) -> &str {
    let url = holder["servers"][0]["url"].as_str().unwrap_or_default();
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => url,
    };
    path.trim_end_matches('/')
}
