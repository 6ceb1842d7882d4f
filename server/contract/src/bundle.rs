//! A document of several files, made one.
//!
//! What a reference to another file leads to goes into the components of the document, under the name that it has there, or
//! that of its file; the reference leads there from then on. Two references to the same place share one component. A
//! component that only refers to a file becomes what stands in the file, and a path item is written out where it is
//! referred to. Every part knows the file and the place it comes from, so that messages can name them.
//!
//! References are looked for along the grammar of OpenAPI: what is data (`example`, `default`, `x-…`) stays as it is.

use crate::error::{Error, Spot};
use crate::files::{self, Files};
use crate::grammar::Kind;
use crate::reference::{self, LONGEST_CHAIN};
use crate::source::{self, MAX_DEPTH, MAX_VALUES, Places};
use crate::tree::Tree;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// One document, and where its parts come from.
pub(crate) struct Bundle {
    pub(crate) value: Value,
    pub(crate) places: Places,
    pub(crate) origins: Origins,
}

/// Where the parts of a document come from that are not from its own file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    files: Vec<String>,
    /// File and JSON pointer in it, by the JSON pointer in the document.
    parts: HashMap<String, (usize, String)>,
}

impl Origins {
    /// The file that a JSON pointer of the document leads into, and the pointer there; `None` for the document's own file.
    pub(crate) fn of(&self, pointer: &str) -> Option<(&str, String)> {
        let ends = pointer.rmatch_indices('/').map(|(end, _)| end);
        let (part, end) =
            std::iter::once(pointer.len()).chain(ends).find_map(|end| Some((self.parts.get(&pointer[..end])?, end)))?;
        Some((&self.files[part.0], format!("{}{}", part.1, &pointer[end..])))
    }
}

/// Whether a value refers to anything that is not simply a place of the same file.
pub(crate) fn is_needed(value: &Value) -> bool {
    match value {
        Value::Object(entries) => {
            let leads_out = |target: &str| !target.starts_with('#') || target.contains('%');
            reference::target(value).is_some_and(leads_out) || entries.values().any(is_needed)
        }
        Value::Array(items) => items.iter().any(is_needed),
        _ => false,
    }
}

/// Makes one document of the one that was read and of the files that it refers to. What leads nowhere is left as it is.
///
/// # Errors
/// [`Error::File`] if a file cannot be read, what [`source::read`] says of its text, [`Error::Reference`] for a reference
/// that leads out of the file and names none, or to nothing there.
pub(crate) fn bundle(name: &str, value: Value, places: Places, files: Files<'_>) -> Result<Bundle, Error> {
    let own = File { path: files.own.to_owned(), value: value.clone(), places: places.clone() };
    let origins = Origins { files: vec![name.to_owned()], parts: HashMap::new() };
    let bundle = Bundle { value, places, origins };
    let mut bundler = Bundler { files, read: vec![own], bundle, homes: HashMap::new(), open: Vec::new(), values: 0 };
    bundler.open.push(Open { place: String::new(), kind: Kind::Document, file: 0, links: 0 });
    while let Some(next) = bundler.open.pop() {
        bundler.complete(&next)?;
    }
    Ok(bundler.bundle)
}

struct File {
    /// Relative to the folder of the document.
    path: String,
    value: Value,
    places: Places,
}

/// A part of the bundle whose references are still those of the file that it comes from.
struct Open {
    place: String,
    kind: Kind,
    file: usize,
    /// How many references led here that were replaced by what they lead to.
    links: usize,
}

/// A reference as it stands in a file.
struct Reference {
    /// JSON pointer in the bundle: of the text itself.
    text_at: String,
    /// JSON pointer in the bundle: of the object that is a reference.
    place: String,
    kind: Kind,
    text: String,
}

struct Bundler<'f> {
    files: Files<'f>,
    /// The document's own file, and those that were read since; their names are in the bundle's origins.
    read: Vec<File>,
    bundle: Bundle,
    /// Where in the bundle a place of another file is.
    homes: HashMap<(usize, String), String>,
    open: Vec<Open>,
    /// How many values were taken over.
    values: usize,
}

impl Bundler<'_> {
    /// Makes references of the bundle of those in a part of it.
    fn complete(&mut self, part: &Open) -> Result<(), Error> {
        let mut references = self.references(part);
        // A component that only refers to a file is the best name for what stands there.
        references.sort_by_key(|reference| !self.is_component(&reference.place));
        for reference in references {
            let (file, pointer) = self.locate(part, &reference)?;
            if file == 0 {
                self.lead(&reference, &pointer);
                self.look_into(&pointer, reference.kind);
                continue;
            }
            let home = match self.homes.get(&(file, pointer.clone())) {
                Some(home) => home.clone(),
                None if reference.kind == Kind::PathItem => {
                    self.take_over(&reference, &reference.place, (file, &pointer), part.links + 1)?;
                    continue;
                }
                None => {
                    let is_component = self.is_component(&reference.place);
                    let home = if is_component {
                        reference.place.clone()
                    } else {
                        self.free_place(&reference, (file, &pointer))?
                    };
                    self.homes.insert((file, pointer.clone()), home.clone());
                    self.take_over(&reference, &home, (file, &pointer), if is_component { part.links + 1 } else { 0 })?;
                    if is_component {
                        continue;
                    }
                    home
                }
            };
            self.lead(&reference, &home);
        }
        Ok(())
    }

    fn references(&self, part: &Open) -> Vec<Reference> {
        let Some(value) = self.bundle.value.pointer(&part.place) else { return Vec::new() };
        let tree = Tree::of_part(value, part.kind);
        let mut out = Vec::new();
        for id in tree.ids() {
            let node = tree.node(id);
            let target =
                node.reference.or_else(|| reference::target(node.value).filter(|_| node.kind == Kind::PathItem));
            if let Some(text) = target {
                let place = format!("{}{}", part.place, tree.pointer(id));
                out.push(Reference { text_at: format!("{place}/$ref"), place, kind: node.kind, text: text.to_owned() });
            }
            let mapping = node.value.get("mapping").filter(|_| node.kind == Kind::Discriminator);
            for (value, text) in mapping.and_then(Value::as_object).into_iter().flatten() {
                let is_name = |text: &str| self.bundle.value["components"]["schemas"].get(text).is_some();
                if let Some(text) = text.as_str().filter(|text| is_reference(text) && !is_name(text)) {
                    let place = format!("{}{}/mapping", part.place, tree.pointer(id));
                    let text_at = format!("{place}/{}", reference::escaped(value));
                    out.push(Reference { text_at, place, kind: Kind::Schema, text: text.to_owned() });
                }
            }
        }
        out
    }

    /// The file and the place in it that a reference leads to.
    fn locate(&mut self, part: &Open, reference: &Reference) -> Result<(usize, String), Error> {
        let (path, fragment) = reference.text.split_once('#').unwrap_or((&reference.text, ""));
        let file = if path.is_empty() { part.file } else { self.file(part.file, path, reference)? };
        let holds = |pointer: &str| self.read[file].value.pointer(pointer).is_some();
        let decoded = || percent_decode_str(fragment).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let pointer = Some(fragment.to_owned()).filter(|pointer| holds(pointer)).or_else(decoded);
        match pointer.filter(|pointer| file == 0 || holds(pointer)) {
            Some(pointer) => Ok((file, pointer)),
            None => Err(self.refuse(reference, "leads nowhere")),
        }
    }

    fn file(&mut self, from: usize, path: &str, reference: &Reference) -> Result<usize, Error> {
        let path = files::path(&self.read[from].path, path).map_err(|problem| self.refuse(reference, problem))?;
        if let Some(known) = self.read.iter().position(|file| file.path == path) {
            return Ok(known);
        }
        let file = (self.files.read)(&path).map_err(|source| {
            let (spot, place) = self.origin(reference);
            Error::File { spot, place, reference: reference.text.clone(), source }
        })?;
        let (value, places) = source::read(&file.name, &file.text)?;
        self.read.push(File { path, value, places });
        self.bundle.origins.files.push(file.name);
        Ok(self.read.len() - 1)
    }

    /// Lets a reference lead to a place of the bundle.
    fn lead(&mut self, reference: &Reference, pointer: &str) {
        if let Some(text) = self.bundle.value.pointer_mut(&reference.text_at) {
            *text = format!("#{pointer}").into();
        }
    }

    /// Has references looked for in a part of the document that nothing but a reference shows to be OpenAPI.
    fn look_into(&mut self, pointer: &str, kind: Kind) {
        let is_known = |room: &str| pointer.strip_prefix(room).is_some_and(|rest| rest.starts_with('/'));
        let is_other = !pointer.is_empty() && !is_known("/components") && !is_known("/paths");
        let seen = (0, pointer.to_owned());
        if is_other && self.homes.insert(seen, pointer.to_owned()).is_none() {
            self.open.push(Open { place: pointer.to_owned(), kind, file: 0, links: 0 });
        }
    }

    /// Puts what stands at a place of a file at a place of the bundle.
    fn take_over(
        &mut self,
        reference: &Reference,
        place: &str,
        from: (usize, &str),
        links: usize,
    ) -> Result<(), Error> {
        let File { value, places, .. } = &self.read[from.0];
        let (Some(value), Some(places)) = (value.pointer(from.1), places.at(from.1)) else {
            return Err(self.refuse(reference, "leads nowhere"));
        };
        if links > LONGEST_CHAIN {
            return Err(self.refuse(reference, "leads back to itself, or through too many others"));
        }
        self.values += source::size(value);
        if self.values > MAX_VALUES || place.matches('/').count() > MAX_DEPTH {
            return Err(self.refuse(reference, "makes the document too large, or leads back to itself"));
        }
        if !put(&mut self.bundle.value, place, value.clone()) {
            return Err(self.refuse(reference, "cannot be kept: `components` is no object, or what it holds is none"));
        }
        self.bundle.places.put(place, places.clone());
        self.bundle.origins.parts.insert(place.to_owned(), (from.0, from.1.to_owned()));
        self.open.push(Open { place: place.to_owned(), kind: reference.kind, file: from.0, links });
        Ok(())
    }

    /// Where a new component can stand.
    fn free_place(&self, reference: &Reference, (file, pointer): (usize, &str)) -> Result<String, Error> {
        let Some(section) = section(reference.kind) else {
            return Err(self.refuse(reference, "leads to something that has no place among the components"));
        };
        let path = &self.read[file].path;
        let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
        let last = pointer.rsplit('/').next().map(reference::unescaped).filter(|last| !last.is_empty());
        let name: String = last.as_deref().unwrap_or(stem).chars().map(word_character).collect();
        let taken = &self.bundle.value["components"][section];
        let names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}_{number}")));
        let free = names.into_iter().find(|name| taken.get(name).is_none());
        Ok(reference::pointer(["components", section, free.as_deref().unwrap_or(&name)]))
    }

    fn is_component(&self, place: &str) -> bool {
        let mut parts = place.split('/').skip(1);
        parts.next() == Some("components") && parts.count() == 2
    }

    /// Where a reference stands, in the words of its file.
    fn origin(&self, reference: &Reference) -> (Spot, String) {
        let position = self.bundle.places.find(&reference.text_at);
        let origin = self.bundle.origins.of(&reference.place);
        let (document, place) = origin.unwrap_or((&self.bundle.origins.files[0], reference.place.clone()));
        (Spot { document: document.to_owned(), position }, place)
    }

    fn refuse(&self, reference: &Reference, problem: &'static str) -> Error {
        let (spot, place) = self.origin(reference);
        Error::Reference { spot, place, reference: reference.text.clone(), problem }
    }
}

/// Puts a value at a JSON pointer, with the objects on the way there; `false` if something else is in the way.
fn put(value: &mut Value, place: &str, new: Value) -> bool {
    let mut here = value;
    for part in place.split('/').skip(1) {
        here = match here {
            Value::Object(entries) => {
                entries.entry(reference::unescaped(part)).or_insert_with(|| Value::Object(Map::new()))
            }
            Value::Array(items) => match part.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                Some(item) => item,
                None => return false,
            },
            _ => return false,
        };
    }
    *here = new;
    true
}

/// Whether the mapping of a discriminator says a reference and not a name.
fn is_reference(text: &str) -> bool {
    text.contains(['/', '#']) || [".yaml", ".yml", ".json"].iter().any(|ending| text.ends_with(ending))
}

/// The components among which an object of a kind stands.
fn section(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Schema => Some("schemas"),
        Kind::Response => Some("responses"),
        Kind::Parameter => Some("parameters"),
        Kind::Example => Some("examples"),
        Kind::Body => Some("requestBodies"),
        Kind::Header => Some("headers"),
        Kind::SecurityScheme => Some("securitySchemes"),
        Kind::Link => Some("links"),
        Kind::Callback => Some("callbacks"),
        _ => None,
    }
}

/// What stands for a character in the name of a component (OpenAPI 3.0.3, "Components Object").
fn word_character(character: char) -> char {
    if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' }
}
