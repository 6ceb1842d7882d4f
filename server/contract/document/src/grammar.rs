//! The objects of OpenAPI 3.0, 3.1 and 3.2, with their optional and required fields, as one table (`table`). Each field states
//! the versions that have it.
//!
//! The walk over a document ([`crate::tree`]) follows it, so that data (`example`, `default`, `enum`, `x-…`) is never taken
//! for OpenAPI, and lint checks fields against it.

pub(crate) mod place;
mod table;

use crate::version::Version;
use serde_json::Value;
pub use table::grammar;

/// The kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The document itself.
    Document,
    /// `info`.
    Info,
    /// `contact` of the info object.
    Contact,
    /// `license` of the info object.
    License,
    /// A server.
    Server,
    /// A variable in the URL of a server.
    ServerVariable,
    /// `components`.
    Components,
    /// `paths`.
    Paths,
    /// A path item, also one of a webhook or a callback.
    PathItem,
    /// An operation.
    Operation,
    /// `externalDocs`.
    Docs,
    /// A parameter.
    Parameter,
    /// A request body.
    Body,
    /// A media type in `content`.
    MediaType,
    /// The encoding of a property of a body.
    Encoding,
    /// `responses` of an operation.
    Responses,
    /// A response.
    Response,
    /// A callback.
    Callback,
    /// An example in `examples`.
    Example,
    /// A link.
    Link,
    /// A header.
    Header,
    /// A tag.
    Tag,
    /// A schema.
    Schema,
    /// `discriminator` of a schema.
    Discriminator,
    /// `xml` of a schema.
    Xml,
    /// A security scheme.
    SecurityScheme,
    /// `flows` of a security scheme.
    Flows,
    /// An OAuth flow.
    Flow,
    /// A security requirement.
    Requirement,
}

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// A number.
    Number,
    /// A whole number from 0.
    Count,
    /// Any value; nothing in it is OpenAPI.
    Data,
    /// A list of any values.
    Values,
    /// A list of strings.
    Texts,
    /// A map of strings.
    TextMap,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object.
    One(Kind),
    /// A list of objects.
    List(Kind),
    /// A map of objects.
    Map(Kind),
    /// A boolean or a schema.
    FlagOrSchema,
    /// The name of a type, or a list of them.
    Types,
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Name of the field.
    pub name: &'static str,
    /// Type of its values.
    pub shape: Shape,
    /// Whether every object has to have it.
    pub is_required: bool,
    /// The first and the last version that have it.
    versions: (Version, Version),
}

/// The fields of a kind of object.
#[derive(Debug)]
pub struct Grammar {
    /// Name in messages, with its article.
    pub noun: &'static str,
    fields: &'static [Field],
    /// Type of all other fields, if there may be others.
    pub others: Option<Shape>,
    /// The first version in which a reference may replace it, if one does.
    referable: Option<Version>,
}

impl Grammar {
    /// The fields that the object has in a version.
    pub fn fields(&self, version: Version) -> impl Iterator<Item = &'static Field> + Clone + use<> {
        self.fields.iter().filter(move |field| field.versions.0 <= version && version <= field.versions.1)
    }

    /// The fields that an object has, with their values, in the order of the table.
    pub(crate) fn fields_of<'v>(&self, object: &'v Value, version: Version) -> Vec<(&'static Field, &'v Value)> {
        // An object has few fields, compared with those that it could have.
        let field = |name: &str| self.fields(version).enumerate().find(|(_, field)| field.name == name);
        let entries = object.as_object().into_iter().flatten();
        let mut found: Vec<_> = entries.filter_map(|(name, value)| Some((field(name)?, value))).collect();
        found.sort_unstable_by_key(|((index, _), _)| *index);
        found.into_iter().map(|((_, field), value)| (field, value)).collect()
    }

    /// A field by its name.
    pub fn field(&self, name: &str, version: Version) -> Option<&'static Field> {
        self.fields(version).find(|field| field.name == name)
    }

    /// Whether a reference may replace the object.
    pub(crate) fn is_referable(&self, version: Version) -> bool {
        self.referable.is_some_and(|first| first <= version)
    }
}

/// The values of `type` in a schema.
pub(crate) const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];

/// The values of `type` in a schema of JSON Schema.
pub const TYPES_WITH_NULL: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

/// Whether a value from another file looks like an object of a kind: at least half of its fields are ones of that kind, or
/// extensions. What does not is some other file, which messages must not show.
pub(crate) fn resembles(value: &Value, kind: Kind) -> bool {
    let grammar = grammar(kind);
    let Some(entries) = value.as_object() else { return false };
    let is_known =
        |name: &str| name == "$ref" || name.starts_with("x-") || grammar.fields.iter().any(|field| field.name == name);
    grammar.others.is_some() || 2 * entries.keys().filter(|name| is_known(name)).count() >= entries.len()
}
