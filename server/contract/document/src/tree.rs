//! All OpenAPI objects of a document, with kind, JSON pointer and a readable path.
//!
//! The walk follows the grammar but no references, so that each object is visited once, where it is written. Values of the
//! wrong type are recorded as misfits and not visited, so that rules only get objects of the kind that they expect.

use crate::grammar::{Kind, Shape, TYPES_WITH_NULL, grammar};
use crate::pointer;
use crate::reference;
use crate::version::Version;
use serde_json::Value;

/// Index of a node in its tree.
pub type Id = usize;

/// Key of a node in the field that contains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key<'a> {
    /// It is a field by itself.
    None,
    /// Name in a map.
    Name(&'a str),
    /// Index in a list, from 0.
    Index(usize),
}

/// An OpenAPI object.
#[derive(Debug)]
pub struct Node<'a> {
    /// Its kind by the grammar.
    pub kind: Kind,
    /// The object, or the reference in its place.
    pub value: &'a Value,
    /// The object that contains it; `None` for the root.
    pub parent: Option<Id>,
    /// Field of the parent that contains it; empty if the parent is a map of names.
    pub field: &'static str,
    /// Key in that field.
    pub key: Key<'a>,
    /// The operation, path item or component that contains it, or that it is; the root for all others.
    pub owner: Id,
    /// The `$ref`, if it is a reference.
    pub reference: Option<&'a str>,
    /// Id of the first node after its descendants.
    end: Id,
}

/// A value whose type does not match its field.
#[derive(Debug)]
pub struct Misfit<'a> {
    /// The object that contains it.
    pub node: Id,
    /// Keys that lead to it from that object.
    pub inner: Vec<String>,
    /// The value.
    pub value: &'a Value,
    /// The type that the grammar has for it.
    pub expected: Shape,
}

/// The objects of a document in pre-order.
#[derive(Debug)]
pub struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    /// Version of the document, which decides the grammar.
    pub version: Version,
    /// Values of the wrong type.
    pub misfits: Vec<Misfit<'a>>,
}

impl<'a> Tree<'a> {
    /// The tree of a document or of a part of one. Pointers are relative to the part.
    pub fn new(value: &'a Value, kind: Kind, version: Version) -> Self {
        let mut tree = Self { nodes: Vec::new(), version, misfits: Vec::new() };
        tree.walk(value, kind, None, "", Key::None);
        tree
    }

    /// The node with this index.
    pub fn node(&self, id: Id) -> &Node<'a> {
        &self.nodes[id]
    }

    /// All nodes.
    pub fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        0..self.nodes.len()
    }

    /// The objects of a kind, without references to one.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (Id, &'a Value)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(move |(_, node)| node.kind == kind && node.reference.is_none()).map(|(id, node)| (id, node.value))
    }

    /// The direct children of an object, references included.
    pub fn children(&self, parent: Id) -> impl Iterator<Item = Id> {
        let mut next = parent + 1;
        let end = self.nodes[parent].end;
        std::iter::from_fn(move || {
            let id = next;
            next = self.nodes.get(id)?.end;
            (id < end).then_some(id)
        })
    }

    /// The children of an object in one of its fields.
    pub fn field(&self, parent: Id, field: &'static str) -> impl Iterator<Item = Id> {
        self.children(parent).filter(move |id| self.nodes[*id].field == field)
    }

    /// Whether the node is an operation of a path, rather than of a callback.
    pub fn is_operation(&self, id: Id) -> bool {
        let node = &self.nodes[id];
        node.kind == Kind::Operation && node.owner == id
    }

    /// The path of a path item, or of an operation in one.
    pub fn path(&self, id: Id) -> &'a str {
        let node = &self.nodes[id];
        match (node.kind, node.key, node.parent) {
            (Kind::PathItem, Key::Name(path), _) => path,
            (Kind::Operation, _, Some(item)) => self.path(item),
            _ => "",
        }
    }

    /// The name of a node in the map that contains it, if there is one.
    pub fn name(&self, id: Id) -> Option<&'a str> {
        match self.nodes[id].key {
            Key::Name(name) => Some(name),
            _ => None,
        }
    }

    /// JSON pointer to a node.
    pub fn pointer(&self, id: Id) -> String {
        let node = &self.nodes[id];
        let Some(parent) = node.parent else { return String::new() };
        let mut pointer = self.pointer(parent);
        if !node.field.is_empty() {
            pointer.push('/');
            pointer.push_str(&pointer::escape(node.field));
        }
        match node.key {
            Key::None => {}
            Key::Name(name) => pointer = format!("{pointer}/{}", pointer::escape(name)),
            Key::Index(index) => pointer = format!("{pointer}/{index}"),
        }
        pointer
    }

    /// Readable path to a node, from its owner on.
    pub fn place(&self, id: Id) -> Vec<String> {
        let node = &self.nodes[id];
        let mut place = match node.parent {
            Some(parent) if node.owner != id => self.place(parent),
            _ => Vec::new(),
        };
        place.extend(self.words(id));
        place
    }

    /// Readable name of a node within its parent.
    fn words(&self, id: Id) -> Option<String> {
        let node = &self.nodes[id];
        let key = match node.key {
            Key::None => String::new(),
            Key::Name(name) => name.to_owned(),
            Key::Index(index) => (index + 1).to_string(),
        };
        let named = |noun: &str| Some(format!("{noun} {key}").trim_end().to_owned());
        match (node.kind, node.field) {
            (Kind::Document | Kind::Paths | Kind::Responses | Kind::Components, _) | (Kind::Schema, "schema") => None,
            (Kind::Operation, _) if node.owner == id => None,
            (Kind::Operation, method) => Some(method.to_uppercase()),
            (Kind::PathItem, _) => named("path"),
            (Kind::Parameter, "parameters") if matches!(node.key, Key::Index(_)) && node.reference.is_none() => {
                match (node.value["in"].as_str(), node.value["name"].as_str()) {
                    (Some(place), Some(name)) => Some(format!("{place} {name}")),
                    _ => named("parameter"),
                }
            }
            (Kind::Parameter, _) => named("parameter"),
            (Kind::Body, _) => named("request body"),
            (Kind::Response, "default") => Some("response default".to_owned()),
            (Kind::Response, _) => named("response"),
            (Kind::MediaType, _) | (Kind::Schema, "properties") => Some(key),
            (Kind::Header, _) => named("header"),
            (Kind::Example, _) => named("example"),
            (Kind::Link, _) => named("link"),
            (Kind::Callback, _) => named("callback"),
            (Kind::Encoding, _) => named("encoding"),
            (Kind::Schema, "schemas") => named("schema"),
            (Kind::SecurityScheme, _) => named("security scheme"),
            (Kind::Server, _) => named("server"),
            (Kind::ServerVariable, _) => named("variable"),
            (Kind::Tag, _) => match node.value["name"].as_str() {
                Some(name) => Some(format!("tag {name}")),
                None => named("tag"),
            },
            (_, field) => named(field),
        }
    }

    fn walk(&mut self, value: &'a Value, kind: Kind, parent: Option<Id>, field: &'static str, key: Key<'a>) {
        let id = self.nodes.len();
        let grammar = grammar(kind);
        let version = self.version;
        let reference = reference::target(value).filter(|_| grammar.is_referable(version));
        let owner = self.owner(id, kind, parent);
        self.nodes.push(Node { kind, value, parent, field, key, owner, reference, end: id + 1 });
        if reference.is_none() {
            for (field, value) in grammar.fields_of(value, version) {
                self.shape(value, field.shape, id, field.name, Key::None);
            }
            let others = value.as_object().filter(|_| grammar.others.is_some()).into_iter().flatten();
            let others = others.filter(|(name, _)| !name.starts_with("x-"));
            for (name, value) in others.filter(|(name, _)| grammar.field(name, version).is_none()) {
                if let Some(shape) = grammar.others {
                    self.shape(value, shape, id, "", Key::Name(name));
                }
            }
        }
        self.nodes[id].end = self.nodes.len();
    }

    /// The owner of a new node. Operations of callbacks belong to the operation with the callback.
    fn owner(&self, id: Id, kind: Kind, parent: Option<Id>) -> Id {
        let Some(parent) = parent else { return id };
        let around = &self.nodes[parent];
        let starts = match around.kind {
            Kind::Components | Kind::Paths => true,
            Kind::PathItem => kind == Kind::Operation && self.nodes[around.owner].kind == Kind::PathItem,
            _ => false,
        };
        if starts { id } else { around.owner }
    }

    fn shape(&mut self, value: &'a Value, shape: Shape, node: Id, field: &'static str, key: Key<'a>) {
        let fits = match (shape, value) {
            (Shape::One(kind), Value::Object(_)) => {
                self.walk(value, kind, Some(node), field, key);
                true
            }
            (Shape::FlagOrSchema, Value::Object(_)) => {
                self.walk(value, Kind::Schema, Some(node), field, key);
                true
            }
            // Loading replaces booleans, except for those of unreachable schemas.
            (Shape::One(Kind::Schema), Value::Bool(_)) => self.version.has_json_schema(),
            (Shape::List(kind), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.shape(item, Shape::One(kind), node, field, Key::Index(index));
                }
                true
            }
            (Shape::Map(kind), Value::Object(entries)) => {
                for (name, entry) in entries {
                    self.shape(entry, Shape::One(kind), node, field, Key::Name(name));
                }
                true
            }
            (Shape::Text, Value::String(_))
            | (Shape::Flag | Shape::FlagOrSchema, Value::Bool(_))
            | (Shape::Number, Value::Number(_))
            | (Shape::Values, Value::Array(_))
            | (Shape::Data, _) => true,
            (Shape::Count, value) => value.is_u64(),
            (Shape::Word(words), Value::String(word)) => words.contains(&word.as_str()),
            (Shape::Types, Value::String(word)) => TYPES_WITH_NULL.contains(&word.as_str()),
            (Shape::Types, Value::Array(items)) => {
                items.iter().all(|item| item.as_str().is_some_and(|word| TYPES_WITH_NULL.contains(&word)))
            }
            (Shape::Texts, Value::Array(items)) => items.iter().all(Value::is_string),
            (Shape::TextMap, Value::Object(entries)) => entries.values().all(Value::is_string),
            _ => false,
        };
        if !fits {
            let key = match key {
                Key::None => None,
                Key::Name(name) => Some(name.to_owned()),
                Key::Index(index) => Some(index.to_string()),
            };
            let field = Some(field.to_owned()).filter(|field| !field.is_empty());
            self.misfits.push(Misfit { node, inner: field.into_iter().chain(key).collect(), value, expected: shape });
        }
    }
}
