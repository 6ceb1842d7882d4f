//! Changes the objects of a document along the grammar, each where it is written.

use crate::grammar::{Kind, Shape, grammar};
use crate::pointer;
use crate::reference;
use crate::version::Version;
use serde_json::Value;

/// A walk that changes what it visits: each object before those within it.
pub(crate) trait Edit {
    /// The version whose grammar the walk follows.
    fn version(&self) -> Version;

    /// JSON pointer of the value being visited.
    fn at(&mut self) -> &mut String;

    /// Changes the value in the place of an object of this kind. The walk goes on into what is left there.
    fn change(&mut self, value: &mut Value, kind: Kind);

    /// Visits an object and all objects within it. Siblings of a reference are visited where they have a meaning, which is in
    /// schemas of JSON Schema.
    fn walk(&mut self, value: &mut Value, kind: Kind) {
        self.change(value, kind);
        let (grammar, version) = (grammar(kind), self.version());
        let has_siblings = kind == Kind::Schema && version.has_json_schema();
        if grammar.is_referable(version) && !has_siblings && reference::target(value).is_some() {
            return;
        }
        for (name, inner) in value.as_object_mut().into_iter().flatten() {
            let shape = match grammar.field(name, version) {
                Some(field) => Some(field.shape),
                None => grammar.others.filter(|_| !name.starts_with("x-")),
            };
            if let Some(shape) = shape {
                self.below(name, |walk| walk_shape(walk, inner, shape));
            }
        }
    }

    /// Visits a part of the current value.
    fn below(&mut self, token: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.at().len();
        pointer::push(self.at(), token);
        visit(self);
        self.at().truncate(length);
    }
}

fn walk_shape<E: Edit + ?Sized>(walk: &mut E, value: &mut Value, shape: Shape) {
    match (shape, value) {
        (Shape::One(kind), value) => walk.walk(value, kind),
        (Shape::FlagOrSchema, value) if !value.is_boolean() => walk.walk(value, Kind::Schema),
        (Shape::List(kind), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk.below(&index.to_string(), |walk| walk.walk(item, kind));
            }
        }
        (Shape::Map(kind), Value::Object(entries)) => {
            for (name, entry) in entries {
                walk.below(name, |walk| walk.walk(entry, kind));
            }
        }
        _ => {}
    }
}
