//! Bundles a document of several files into one.
//!
//! The target of a reference to another file becomes a component, named after the last token of its pointer or after its
//! file, and the reference is changed to it. References to the same target share one component. A component that is only
//! a reference to a file is replaced by the target, and so is a reference in place of a path item. The origin of each part
//! is kept, so that messages can name its file and position.
//!
//! References are searched along the grammar of OpenAPI, so that data (`example`, `default`, `x-…`) is not changed.

use crate::error::Error;
use crate::files::{self, Files};
use crate::grammar::{self, Kind};
use crate::moved::Moved;
use crate::pointer;
use crate::position::SourceSpan;
use crate::reference::{self, LONGEST_CHAIN};
use crate::references::{self, MISPLACED};
use crate::source::{self, MAX_DEPTH, MAX_VALUES, SourceMap};
use crate::tree::{self, Tree};
use crate::version::Version;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// A bundled document and the origins of its parts.
pub(crate) struct Bundle {
    pub(crate) value: Value,
    pub(crate) source_map: SourceMap,
    pub(crate) origins: Origins,
}

/// Origins of the parts of a document that come from other files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    files: Vec<String>,
    /// Index of the file and JSON pointer in it, by JSON pointer in the document.
    parts: HashMap<String, (usize, String)>,
    /// JSON pointers of components with a generated name, because the natural one was in use.
    pub(crate) generated_names: HashSet<String>,
    /// Values that reading the schemas moved.
    pub(crate) moved: Moved,
}

impl Origins {
    /// The file that the value at a JSON pointer comes from, and the pointer in it; `None` for the document's own file.
    pub(crate) fn of(&self, pointer: &str) -> Option<(&str, String)> {
        let ends = pointer.rmatch_indices('/').map(|(end, _)| end);
        let (part, end) =
            std::iter::once(pointer.len()).chain(ends).find_map(|end| Some((self.parts.get(&pointer[..end])?, end)))?;
        Some((&self.files[part.0], format!("{}{}", part.1, &pointer[end..])))
    }

    /// Translates a JSON pointer of the document into one of the file that the value comes from.
    pub(crate) fn pointer_in_file(&self, pointer: &str) -> String {
        let pointer = self.moved.written(pointer);
        self.of(&pointer).map_or_else(|| pointer.to_string(), |(_, pointer)| pointer)
    }
}

/// Whether a document has references to other files, or percent-encoded ones, which bundling resolves too.
pub(crate) fn is_needed(value: &Value) -> bool {
    match value {
        Value::Object(entries) => {
            let leads_out = |target: &str| !target.starts_with('#') || target.contains('%');
            let mut mapped =
                value["mapping"].as_object().into_iter().flatten().filter_map(|(_, target)| target.as_str());
            reference::target(value).is_some_and(leads_out)
                || mapped.any(|target| is_reference(target) && leads_out(target))
                || entries.values().any(is_needed)
        }
        Value::Array(items) => items.iter().any(is_needed),
        _ => false,
    }
}

/// Bundles a document with the files that it refers to. Unresolvable references within the document are left unchanged.
///
/// # Errors
/// [`Error::File`] if a file cannot be read, the errors of [`source::read_part`] for its text, [`Error::Reference`] for a
/// reference to a URL or an absolute path, or to something that the file does not contain.
pub(crate) fn bundle(name: &str, value: Value, source_map: SourceMap, files: Files<'_>) -> Result<Bundle, Error> {
    // Longer names may collide again; after this many rounds they get a number.
    const ROUNDS: usize = 4;
    let mut values = source::size(&value);
    let own = File { path: files::without_detours(files.own), name: name.to_owned(), value, source_map };
    let (mut read, mut taken) = (vec![own], HashSet::new());
    for round in 1.. {
        let mut bundler = Bundler::new(files, read, taken, values);
        while let Some(next) = bundler.pending.pop() {
            bundler.complete(&next)?;
        }
        if bundler.has_unique_names || round == ROUNDS {
            return Ok(bundler.bundle);
        }
        // Names must not depend on the order of references, so all components with the same name get longer ones.
        (read, taken, values) = (bundler.read, bundler.taken, bundler.values);
    }
    unreachable!("the rounds end")
}

struct File {
    path: String,
    /// Name in messages.
    name: String,
    value: Value,
    source_map: SourceMap,
}

/// A part of the bundle whose references are still relative to its file.
struct PendingPart {
    place: String,
    kind: Kind,
    file: usize,
    /// Number of references that were replaced by their targets on the way here.
    links: usize,
}

/// A reference that is to be changed.
struct Reference {
    /// JSON pointer in the bundle to the text of the reference.
    text_at: String,
    /// JSON pointer in the bundle to the reference object.
    place: String,
    kind: Kind,
    text: String,
}

struct Bundler<'f> {
    files: Files<'f>,
    version: Version,
    /// The document's own file, then those read so far.
    read: Vec<File>,
    /// Number of values in them.
    values: usize,
    bundle: Bundle,
    /// JSON pointer in the bundle by file and JSON pointer in it.
    copies: HashMap<(usize, String), String>,
    pending: Vec<PendingPart>,
    /// Sections and natural names that several components share.
    taken: HashSet<(&'static str, String)>,
    has_unique_names: bool,
    /// Path items that were inserted in place of a reference.
    inlined: HashSet<(usize, String)>,
    /// Number of values copied, and of those in path items that had been inserted before.
    copied: (usize, usize),
}

impl<'f> Bundler<'f> {
    fn new(files: Files<'f>, read: Vec<File>, taken: HashSet<(&'static str, String)>, values: usize) -> Self {
        let names = read.iter().map(|file| file.name.clone()).collect();
        let origins = Origins { files: names, ..Origins::default() };
        let bundle = Bundle { value: read[0].value.clone(), source_map: read[0].source_map.clone(), origins };
        let version = Version::of(&bundle.value).unwrap_or(Version::V3_0);
        Self {
            files,
            version,
            read,
            values,
            bundle,
            copies: HashMap::new(),
            pending: vec![PendingPart { place: String::new(), kind: Kind::Document, file: 0, links: 0 }],
            taken,
            has_unique_names: true,
            inlined: HashSet::new(),
            copied: (0, 0),
        }
    }

    /// Makes the references in a part of the bundle refer to the bundle.
    fn complete(&mut self, part: &PendingPart) -> Result<(), Error> {
        let mut references = self.references(part)?;
        // A component that is only a reference provides the best name for its target, above all if their names are equal.
        references.sort_by_key(|reference| match self.is_component(&reference.place) {
            true => usize::from(!is_namesake(reference)),
            false => 2,
        });
        for reference in references {
            let (file, pointer) = self.locate(part, &reference)?;
            if file == 0 {
                self.redirect(&reference, &pointer);
                self.search_target(&pointer, reference.kind);
                continue;
            }
            let copy = match self.copies.get(&(file, pointer.clone())) {
                Some(copy) => copy.clone(),
                None if reference.kind == Kind::PathItem => {
                    self.inline_path_item(part, &reference, (file, &pointer))?;
                    continue;
                }
                None if self.is_component(&reference.place) => {
                    self.copies.insert((file, pointer.clone()), reference.place.clone());
                    self.copy_part(&reference, &reference.place, (file, &pointer), part.links + 1)?;
                    continue;
                }
                None => {
                    let copy = self.free_pointer(&reference, (file, &pointer))?;
                    self.copies.insert((file, pointer.clone()), copy.clone());
                    self.copy_part(&reference, &copy, (file, &pointer), 0)?;
                    copy
                }
            };
            self.redirect(&reference, &copy);
        }
        Ok(())
    }

    fn references(&self, part: &PendingPart) -> Result<Vec<Reference>, Error> {
        let Some(value) = self.bundle.value.pointer(&part.place) else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for found in references::references(value, part.kind, self.version) {
            let place = format!("{}{}", part.place, found.pointer);
            let reference = Reference { text_at: format!("{place}/$ref"), place, kind: found.kind, text: found.text };
            if !found.is_allowed {
                return Err(self.reference_error(&reference, MISPLACED));
            }
            out.push(reference);
        }
        let tree = Tree::new(value, part.kind, self.version);
        for (id, discriminator) in tree.of(Kind::Discriminator) {
            for (value, text) in discriminator["mapping"].as_object().into_iter().flatten() {
                let is_name = |text: &str| self.bundle.value["components"]["schemas"].get(text).is_some();
                if let Some(text) = text.as_str().filter(|text| is_reference(text) && !is_name(text)) {
                    let place = format!("{}{}/mapping", part.place, tree.pointer(id));
                    let text_at = format!("{place}/{}", pointer::escape(value));
                    out.push(Reference { text_at, place, kind: Kind::Schema, text: text.to_owned() });
                }
            }
        }
        Ok(out)
    }

    /// Index of the file and JSON pointer in it that a reference leads to.
    fn locate(&mut self, part: &PendingPart, reference: &Reference) -> Result<(usize, String), Error> {
        let (path, fragment) = reference.text.split_once('#').unwrap_or((&reference.text, ""));
        let file = if path.is_empty() { part.file } else { self.file(part.file, path, reference)? };
        let value = &self.read[file].value;
        let holds = |pointer: &str| value.pointer(pointer).is_some();
        let decoded = || percent_decode_str(fragment).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let pointer = Some(fragment.to_owned()).filter(|pointer| holds(pointer)).or_else(decoded);
        // A pointer through another reference can only be checked when that one has been replaced.
        match pointer.filter(|pointer| holds(pointer) || file == 0 && passes_a_reference(value, pointer)) {
            Some(pointer)
                if file == 0
                    || value.pointer(&pointer).is_some_and(|part| grammar::resembles(part, reference.kind)) =>
            {
                Ok((file, pointer))
            }
            Some(_) => {
                Err(self.reference_error(reference, "leads to something else than an OpenAPI object of this kind"))
            }
            None => Err(self.reference_error(reference, "cannot be resolved")),
        }
    }

    fn file(&mut self, from: usize, path: &str, reference: &Reference) -> Result<usize, Error> {
        let path =
            files::path(&self.read[from].path, path).map_err(|problem| self.reference_error(reference, problem))?;
        if let Some(known) = self.read.iter().position(|file| file.path == path) {
            return Ok(known);
        }
        let file = (self.files.read)(&path).map_err(|source| {
            let (span, place) = self.origin(reference);
            Error::File { span, place, reference: reference.text.clone(), source }
        })?;
        let (value, source_map) = source::read_part(&file.name, &file.text, self.values)?;
        self.values += source::size(&value);
        self.bundle.origins.files.push(file.name.clone());
        self.read.push(File { path, name: file.name, value, source_map });
        Ok(self.read.len() - 1)
    }

    /// Changes a reference to a pointer in the bundle.
    fn redirect(&mut self, reference: &Reference, pointer: &str) {
        if let Some(text) = self.bundle.value.pointer_mut(&reference.text_at) {
            *text = format!("#{pointer}").into();
        }
    }

    /// Also searches a part of the document that is outside of the OpenAPI grammar but the target of a reference.
    fn search_target(&mut self, pointer: &str, kind: Kind) {
        let is_own = self.bundle.origins.of(pointer).is_none() && !tree::reaches(&self.bundle.value, pointer);
        if is_own && self.copies.insert((0, pointer.to_owned()), pointer.to_owned()).is_none() {
            self.pending.push(PendingPart { place: pointer.to_owned(), kind, file: 0, links: 0 });
        }
    }

    /// Replaces a reference by the path item that it leads to. Siblings of the reference are kept.
    fn inline_path_item(
        &mut self,
        part: &PendingPart,
        reference: &Reference,
        from: (usize, &str),
    ) -> Result<(), Error> {
        /// Path items that contain each other several times would grow exponentially.
        const MOST: usize = 100_000;
        let place = &reference.place;
        let item = self.bundle.value.pointer(place).cloned().unwrap_or_default();
        if !references::references(&item, Kind::PathItem, self.version).iter().all(|found| found.pointer.is_empty()) {
            return Err(
                self.reference_error(reference, "has siblings with references: move them into the file that it names")
            );
        }
        if !self.inlined.insert((from.0, from.1.to_owned())) {
            self.copied.1 += self.read[from.0].value.pointer(from.1).map_or(0, source::size);
        }
        if self.copied.1 > MOST {
            return Err(self.reference_error(reference, "makes the document too large, or leads back to itself"));
        }
        let keys = item.as_object().into_iter().flatten().map(|(key, _)| key).filter(|key| *key != "$ref");
        let siblings: Vec<(String, Option<SourceMap>, String)> = keys
            .map(|key| {
                let pointer = format!("{place}/{}", pointer::escape(key));
                let in_file = self.bundle.origins.pointer_in_file(&pointer);
                (pointer.clone(), self.bundle.source_map.at(&pointer).cloned(), in_file)
            })
            .collect();
        self.copy_part(reference, place, from, part.links + 1)?;
        let Some(target) = self.bundle.value.pointer_mut(place) else { return Ok(()) };
        let own: Vec<String> = target.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
        *target = merge_siblings(std::mem::take(target), &item);
        for (pointer, source_map, in_file) in siblings {
            let key = pointer::last_token(&pointer);
            if let Some(source_map) = source_map.filter(|_| !own.contains(&key)) {
                self.bundle.source_map.put(&pointer, source_map);
                self.bundle.origins.parts.insert(pointer, (part.file, in_file));
            }
        }
        Ok(())
    }

    /// Copies a part of a file to a pointer in the bundle.
    fn copy_part(
        &mut self,
        reference: &Reference,
        place: &str,
        from: (usize, &str),
        links: usize,
    ) -> Result<(), Error> {
        let File { value, source_map, .. } = &self.read[from.0];
        let (Some(value), Some(source_map)) = (value.pointer(from.1), source_map.at(from.1)) else {
            return Err(self.reference_error(reference, "cannot be resolved"));
        };
        if links > LONGEST_CHAIN {
            return Err(self.reference_error(reference, "leads back to itself, or through too many others"));
        }
        self.copied.0 += source::size(value);
        if self.copied.0 > MAX_VALUES || place.matches('/').count() > MAX_DEPTH {
            return Err(self.reference_error(reference, "makes the document too large, or leads back to itself"));
        }
        if !put(&mut self.bundle.value, place, value.clone()) {
            return Err(
                self.reference_error(reference, "cannot be resolved: `components` or a section of it is not an object")
            );
        }
        self.bundle.source_map.put(place, source_map.clone());
        self.bundle.origins.parts.insert(place.to_owned(), (from.0, from.1.to_owned()));
        self.pending.push(PendingPart { place: place.to_owned(), kind: reference.kind, file: from.0, links });
        Ok(())
    }

    /// Pointer for a new component, under its natural name; if that is in use, with the path of its file as a prefix.
    fn free_pointer(&mut self, reference: &Reference, (file, pointer): (usize, &str)) -> Result<String, Error> {
        let Some(section) = section(reference.kind) else {
            return Err(self.reference_error(reference, "leads to an object that `components` cannot contain"));
        };
        let path = &self.read[file].path;
        let name = natural_name(path, pointer);
        let components = &self.bundle.value["components"][section];
        let is_free = |name: &str| components.get(name).is_none();
        let key = (section, name);
        if !self.taken.contains(&key) {
            if is_free(&key.1) {
                return Ok(pointer::from_tokens(["components", section, &key.1]));
            }
            self.has_unique_names = false;
        }
        let long = format!("{}/{}", self.path_from_here(path), if pointer.is_empty() { "" } else { &key.1 });
        let long: String = long.trim_matches(['.', '/']).chars().map(word_character).collect();
        let numbered = (2..).map(|number| format!("{long}_{number}"));
        let free = std::iter::once(long.clone()).chain(numbered).find(|name| is_free(name)).unwrap_or(long);
        self.taken.insert(key);
        let place = pointer::from_tokens(["components", section, &free]);
        self.bundle.origins.generated_names.insert(place.clone());
        Ok(place)
    }

    /// The path of a file without its extension and without the folders that it shares with the document.
    fn path_from_here<'p>(&self, path: &'p str) -> &'p str {
        let shared = self.read[0].path.split_inclusive('/').zip(path.split_inclusive('/'));
        let shared =
            shared.take_while(|(own, other)| own == other && own.ends_with('/')).map(|(own, _)| own.len()).sum();
        let path = &path[shared..];
        let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
        path[name_at..].find('.').map_or(path, |dot| &path[..name_at + dot])
    }

    /// Whether a pointer leads to a component that is only a reference.
    fn is_component(&self, place: &str) -> bool {
        let mut parts = place.split('/').skip(1);
        let is_place = parts.next() == Some("components") && parts.count() == 2;
        is_place && self.bundle.value.pointer(place).and_then(Value::as_object).is_some_and(|entry| entry.len() == 1)
    }

    /// Span of a reference, and its pointer in its file.
    fn origin(&self, reference: &Reference) -> (SourceSpan, String) {
        let position = self.bundle.source_map.find(&reference.text_at);
        let origin = self.bundle.origins.of(&reference.place);
        let (document, place) = origin.unwrap_or((&self.read[0].name, reference.place.clone()));
        (SourceSpan { document: document.to_owned(), position }, place)
    }

    fn reference_error(&self, reference: &Reference, problem: &'static str) -> Error {
        let (span, place) = self.origin(reference);
        Error::Reference { span, place, reference: reference.text.clone(), problem }
    }
}

/// The target of a path item's reference, with the siblings of the reference that the target does not have itself.
pub(crate) fn merge_siblings(mut target: Value, item: &Value) -> Value {
    if let (Some(target), Some(item)) = (target.as_object_mut(), item.as_object()) {
        for (key, value) in item.iter().filter(|(key, _)| *key != "$ref") {
            target.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    target
}

/// Inserts a value at a JSON pointer, creating missing objects; `false` if a value on the way is neither object nor array.
fn put(value: &mut Value, place: &str, new: Value) -> bool {
    let mut here = value;
    for token in pointer::tokens(place) {
        if here.is_null() {
            *here = Value::Object(Map::new());
        }
        here = match here {
            Value::Object(entries) => entries.entry(token).or_insert_with(|| Value::Object(Map::new())),
            Value::Array(items) => match token.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                Some(item) => item,
                None => return false,
            },
            _ => return false,
        };
    }
    *here = new;
    true
}

/// The last token of a pointer, or else the stem of the file, as a valid name of a component.
fn natural_name(path: &str, pointer: &str) -> String {
    let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    let last = Some(pointer::last_token(pointer)).filter(|last| !last.is_empty());
    last.as_deref().unwrap_or(stem).chars().map(word_character).collect()
}

/// Whether a component has the natural name of the target that it refers to, ignoring case.
fn is_namesake(reference: &Reference) -> bool {
    let (path, pointer) = reference.text.split_once('#').unwrap_or((&reference.text, ""));
    let name = pointer::last_token(&reference.place);
    natural_name(path, pointer).eq_ignore_ascii_case(&name)
}

/// Whether a JSON pointer leads through a reference.
fn passes_a_reference(value: &Value, pointer: &str) -> bool {
    let ends = pointer.match_indices('/').map(|(end, _)| end).skip(1);
    ends.filter_map(|end| value.pointer(&pointer[..end])).any(|value| reference::target(value).is_some())
}

/// Whether a value of a discriminator's mapping is a reference and not the name of a schema.
fn is_reference(text: &str) -> bool {
    let is_file = [".yaml", ".yml", ".json"].iter().any(|ending| text.ends_with(ending));
    !text.contains("://") && (is_file || text.contains(['/', '#']))
}

/// The section of `components` for objects of a kind.
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
        Kind::MediaType => Some("mediaTypes"),
        _ => None,
    }
}

/// Replaces a character that names of components cannot contain (OpenAPI 3.0.3, Components Object).
fn word_character(character: char) -> char {
    if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' }
}
