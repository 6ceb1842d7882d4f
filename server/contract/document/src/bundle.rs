//! Bundles a document of several files into one.
//!
//! The target of a reference to another file becomes a component, named after the last token of its pointer or after its
//! file, and the reference is changed to it. References to the same target share one component. A component that is only
//! a reference to a file is replaced by the target, and so is a reference in place of a path item. The origin of each part
//! is kept, so that messages can name its file and position. A reference that cannot be followed stays, with its problem beside the
//! bundle, so that it matters only to those who need what it leads to.
//!
//! References are searched along the grammar of OpenAPI, so that data (`example`, `default`, `x-…`) is not changed.

mod library;
mod names;
mod origins;
mod path_items;
mod targets;

use crate::error::Error;
use crate::files::Files;
use crate::grammar::{Kind, place};
use crate::pointer;
use crate::position::SourceSpan;
use crate::reference::LONGEST_CHAIN;
use crate::references;
use crate::source::{self, MAX_DEPTH, MAX_VALUES, SourceMap};
use crate::version::Version;
use library::{File, Library};
use names::{is_namesake, long_name, natural_name, section};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

pub(crate) use origins::Origins;
pub(crate) use path_items::merge_siblings;

/// A bundled document and the origins of its parts.
pub(crate) struct Bundle {
    pub(crate) value: Value,
    pub(crate) source_map: SourceMap,
    pub(crate) origins: Origins,
    /// References that cannot be followed.
    pub(crate) problems: Vec<Problem>,
}

/// A reference that cannot be followed.
pub(crate) struct Problem {
    /// JSON pointer of the reference's text in the bundle.
    pub(crate) text_at: String,
    /// The reference as written.
    pub(crate) text: String,
    pub(crate) error: Error,
}

impl Bundle {
    /// A document of one file.
    pub(crate) fn of(value: Value, source_map: SourceMap) -> Self {
        Self { value, source_map, origins: Origins::default(), problems: Vec::new() }
    }
}

/// Whether a document has references to other files, or percent-encoded ones, which bundling resolves too.
pub(crate) fn is_needed(value: &Value) -> bool {
    references::any(value, |target| !target.starts_with('#') || target.contains('%'))
}

/// Bundles a document with the files that it refers to.
///
/// # Errors
/// [`Error::Reference`] if that makes the document too large.
pub(crate) fn bundle(name: &str, value: Value, source_map: SourceMap, files: Files<'_>) -> Result<Bundle, Error> {
    // Longer names may collide again; after this many rounds they get a number.
    const ROUNDS: usize = 4;
    let mut bundler = Bundler::new(Library::new(files, name, value, source_map), HashSet::new());
    for round in 1.. {
        while let Some(next) = bundler.pending.pop() {
            bundler.complete(&next)?;
        }
        if bundler.has_unique_names || round == ROUNDS {
            break;
        }
        // Names must not depend on the order of references, so all components with the same name get longer ones.
        bundler = Bundler::new(bundler.library, bundler.taken);
    }
    Ok(bundler.bundle)
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
    version: Version,
    library: Library<'f>,
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
    /// Whether a limit was exceeded, so that nothing more is to be done.
    is_too_large: bool,
}

impl<'f> Bundler<'f> {
    fn new(library: Library<'f>, taken: HashSet<(&'static str, String)>) -> Self {
        let File { value, source_map, .. } = &library.read[0];
        let bundle = Bundle::of(value.clone(), source_map.clone());
        let version = Version::of(&bundle.value).unwrap_or(Version::V3_0);
        Self {
            version,
            library,
            bundle,
            copies: HashMap::new(),
            pending: vec![PendingPart { place: String::new(), kind: Kind::Document, file: 0, links: 0 }],
            taken,
            has_unique_names: true,
            inlined: HashSet::new(),
            copied: (0, 0),
            is_too_large: false,
        }
    }

    /// Makes the references in a part of the bundle refer to the bundle.
    fn complete(&mut self, part: &PendingPart) -> Result<(), Error> {
        let mut references = self.references(part);
        // A component that is only a reference provides the best name for its target, above all if their names are equal.
        references.sort_by_key(|reference| match self.is_component(&reference.place) {
            true => usize::from(!is_namesake(&reference.place, &reference.text)),
            false => 2,
        });
        for reference in references {
            if let Err(error) = self.follow(part, &reference) {
                if self.is_too_large {
                    return Err(error);
                }
                // The bundle may have something else in that place.
                if reference.text.starts_with('#') {
                    let path = &self.library.read[part.file].path;
                    self.write(&reference, format!("{path}{}", reference.text));
                }
                let Reference { text_at, text, .. } = reference;
                self.bundle.problems.push(Problem { text_at, text, error });
            }
        }
        Ok(())
    }

    fn follow(&mut self, part: &PendingPart, reference: &Reference) -> Result<(), Error> {
        let (file, pointer) = self.locate(part, reference)?;
        if file == 0 {
            self.write(reference, format!("#{pointer}"));
            self.search_target(&pointer, reference.kind);
            return Ok(());
        }
        let copy = match self.copies.get(&(file, pointer.clone())) {
            Some(copy) => copy.clone(),
            None if reference.kind == Kind::PathItem => {
                return self.inline_path_item(part, reference, (file, &pointer));
            }
            None if self.is_component(&reference.place) => {
                self.copy_part(reference, &reference.place, (file, &pointer), part.links + 1)?;
                self.copies.insert((file, pointer), reference.place.clone());
                return Ok(());
            }
            None => {
                let copy = self.free_pointer(reference, (file, &pointer))?;
                self.copy_part(reference, &copy, (file, &pointer), 0)?;
                self.copies.insert((file, pointer), copy.clone());
                copy
            }
        };
        self.write(reference, format!("#{copy}"));
        Ok(())
    }

    /// Changes a reference.
    fn write(&mut self, reference: &Reference, new: String) {
        if let Some(text) = self.bundle.value.pointer_mut(&reference.text_at) {
            *text = new.into();
        }
    }

    /// Also searches a part of the document that is outside of the OpenAPI grammar but the target of a reference.
    fn search_target(&mut self, pointer: &str, kind: Kind) {
        let is_own = self.bundle.origins.of(pointer).is_none() && !place::reaches(&self.bundle.value, pointer);
        if is_own && self.copies.insert((0, pointer.to_owned()), pointer.to_owned()).is_none() {
            self.pending.push(PendingPart { place: pointer.to_owned(), kind, file: 0, links: 0 });
        }
    }

    /// Copies a part of a file to a pointer in the bundle.
    fn copy_part(
        &mut self,
        reference: &Reference,
        place: &str,
        from: (usize, &str),
        links: usize,
    ) -> Result<(), Error> {
        let File { name, value, source_map, .. } = &self.library.read[from.0];
        let (Some(value), Some(source_map)) = (value.pointer(from.1), source_map.at(from.1)) else {
            return Err(self.error(reference, "cannot be resolved"));
        };
        if links > LONGEST_CHAIN {
            return Err(self.error(reference, "leads back to itself, or through too many others"));
        }
        self.copied.0 += source::size(value);
        if self.copied.0 > MAX_VALUES || place.matches('/').count() > MAX_DEPTH {
            return Err(self.size_error(reference));
        }
        if !pointer::put(&mut self.bundle.value, place, value.clone()) {
            return Err(self.error(reference, "cannot be resolved: `components` or a section of it is not an object"));
        }
        self.bundle.source_map.put(place, source_map);
        self.bundle.origins.add(place, (name, from.1));
        self.pending.push(PendingPart { place: place.to_owned(), kind: reference.kind, file: from.0, links });
        Ok(())
    }

    /// Pointer for a new component, under its natural name; if that is in use, with the path of its file as a prefix.
    fn free_pointer(&mut self, reference: &Reference, (file, pointer): (usize, &str)) -> Result<String, Error> {
        let Some(section) = section(reference.kind) else {
            return Err(self.error(reference, "leads to an object that `components` cannot contain"));
        };
        let components = &self.bundle.value["components"][section];
        let is_free = |name: &str| components.get(name).is_none();
        let key = (section, natural_name(&self.library.read[file].path, pointer));
        if !self.taken.contains(&key) {
            if is_free(&key.1) {
                return Ok(pointer::from_tokens(["components", section, &key.1]));
            }
            self.has_unique_names = false;
        }
        let long = long_name(self.library.path_from_here(file), pointer, &key.1);
        let numbered = (2..).map(|number| format!("{long}_{number}"));
        let free = std::iter::once(long.clone()).chain(numbered).find(|name| is_free(name)).unwrap_or(long);
        self.taken.insert(key);
        let place = pointer::from_tokens(["components", section, &free]);
        self.bundle.origins.generated_names.insert(place.clone());
        Ok(place)
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
        let (document, place) = origin.unwrap_or((&self.library.read[0].name, reference.place.clone()));
        (SourceSpan { document: document.to_owned(), position }, place)
    }

    fn size_error(&mut self, reference: &Reference) -> Error {
        self.is_too_large = true;
        self.error(reference, "makes the document too large, or leads back to itself")
    }

    fn error(&self, reference: &Reference, problem: &'static str) -> Error {
        let (span, place) = self.origin(reference);
        Error::Reference { span, place, reference: reference.text.clone(), problem: problem.to_owned() }
    }
}
