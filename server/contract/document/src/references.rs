//! Finding all references of a document, and those that cannot be resolved.

use crate::error::Error;
use crate::grammar::place::{self, Step};
use crate::grammar::{Kind, Shape, grammar};
use crate::pointer;
use crate::reference::{LONGEST_CHAIN, target};
use crate::version::Version;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A reference: a `$ref`, or an entry of a discriminator's mapping.
#[derive(Debug)]
pub(crate) struct Found {
    /// JSON pointer of its text, relative to the part that was searched.
    pub(crate) pointer: String,
    /// Kind of the object that is expected there.
    pub(crate) kind: Kind,
    /// The reference as written.
    pub(crate) text: String,
    /// Whether it is an entry of a mapping, which may also be the name of a schema.
    pub(crate) is_mapped: bool,
    /// Whether OpenAPI allows a reference there.
    pub(crate) is_allowed: bool,
}

impl Found {
    /// JSON pointer of the object that contains it.
    pub(crate) fn holder(&self) -> &str {
        self.pointer.rsplit_once('/').map_or("", |(holder, _)| holder)
    }
}

/// What may be a reference.
enum Candidate<'v> {
    /// The text of a `$ref`.
    Ref(&'v str),
    /// The entries under the key `mapping`.
    Mapping(&'v Map<String, Value>),
}

/// What to do with a candidate, given the way to the object that contains it.
type Work<'w, 'v> = &'w mut dyn FnMut(&[Step<'v>], Candidate<'v>);

/// Passes everything that may be a reference to `work`.
fn search<'v>(value: &'v Value, way: &mut Vec<Step<'v>>, work: Work<'_, 'v>) {
    match value {
        Value::Object(entries) => {
            for (key, child) in entries {
                match (key.as_str(), child) {
                    ("$ref", Value::String(text)) => work(way, Candidate::Ref(text)),
                    ("mapping", Value::Object(mapping)) => work(way, Candidate::Mapping(mapping)),
                    _ => {}
                }
                search_below(Step::Key(key), child, way, work);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                search_below(Step::Index(index), item, way, work);
            }
        }
        _ => {}
    }
}

fn search_below<'v>(step: Step<'v>, value: &'v Value, way: &mut Vec<Step<'v>>, work: Work<'_, 'v>) {
    if value.is_object() || value.is_array() {
        way.push(step);
        search(value, way, work);
        way.pop();
    }
}

/// Whether anything in a value looks like a reference that satisfies a condition.
pub(crate) fn any(value: &Value, is_wanted: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    search(value, &mut Vec::new(), &mut |_, candidate| {
        found |= match candidate {
            Candidate::Ref(text) => is_wanted(text),
            Candidate::Mapping(mapping) => {
                mapping.values().filter_map(Value::as_str).any(|text| is_path(text) && is_wanted(text))
            }
        };
    });
    found
}

/// Whether an entry of a mapping is a reference by its form, and not the name of a schema.
pub(crate) fn is_path(text: &str) -> bool {
    let is_file = [".yaml", ".yml", ".json"].iter().any(|ending| text.ends_with(ending));
    !text.contains("://") && (is_file || text.contains(['/', '#']))
}

/// The references in a part of a document, given the kind of the part. Data, extensions, unknown fields and the siblings
/// of a `$ref` are not searched.
pub(crate) fn references(part: &Value, kind: Kind, version: Version) -> Vec<Found> {
    let mut out = Vec::new();
    search(part, &mut Vec::new(), &mut |way, candidate| {
        let Some((shape, holder)) = place::expected(part, kind, version, way.iter().copied()) else { return };
        let at = || place::pointer(way);
        match (candidate, shape) {
            (Candidate::Mapping(mapping), Shape::One(Kind::Discriminator)) => {
                let texts = mapping.iter().filter_map(|(name, text)| Some((name, text.as_str()?)));
                out.extend(texts.map(|(name, text)| Found {
                    pointer: format!("{}{}", at(), pointer::from_tokens(["mapping", name])),
                    kind: Kind::Schema,
                    text: text.to_owned(),
                    is_mapped: true,
                    is_allowed: true,
                }));
            }
            (Candidate::Mapping(_), _) | (_, Shape::Data | Shape::TextMap) => {}
            (Candidate::Ref(text), shape) => {
                let expected = match shape {
                    Shape::One(kind) => Some(kind),
                    Shape::FlagOrSchema => Some(Kind::Schema),
                    // A list or a value that is no object.
                    _ => None,
                };
                let is_allowed = |kind: &Kind| grammar(*kind).is_referable(version) || *kind == Kind::PathItem;
                out.push(Found {
                    pointer: format!("{}/$ref", at()),
                    kind: expected.unwrap_or(holder),
                    text: text.to_owned(),
                    is_mapped: false,
                    is_allowed: expected.as_ref().is_some_and(is_allowed),
                });
            }
        }
    });
    out
}

/// The references of a document, with those in parts outside of the grammar that references lead to: the target of a
/// reference is OpenAPI wherever it is, even in an extension.
pub(crate) fn all(document: &Value) -> Vec<Found> {
    let version = Version::of(document).unwrap_or(Version::V3_0);
    let (mut out, mut seen) = (Vec::new(), HashSet::new());
    let mut open = vec![(String::new(), Kind::Document)];
    while let Some((part, kind)) = open.pop() {
        let Some(value) = pointer::find(document, &part) else { continue };
        for mut found in references(value, kind, version) {
            found.pointer.insert_str(0, &part);
            let target = found.text.trim_start_matches('#');
            if found.is_allowed
                // A mapping may also have the name of a schema.
                && (!found.is_mapped || found.text.starts_with('#'))
                && !seen.contains(target)
                && seen.insert(target.to_owned())
                && !place::reaches(document, target)
            {
                open.push((target.to_owned(), found.kind));
            }
            out.push(found);
        }
    }
    out
}

/// A reference that cannot be resolved within its document.
#[derive(Debug, Clone)]
pub struct Broken {
    /// JSON pointer of its text.
    pub pointer: String,
    /// The reference as written.
    pub text: String,
    /// Why not, as a predicate: `leads to nothing`.
    pub problem: String,
}

impl Broken {
    /// A reference that could not be followed to another file because of an error.
    pub(crate) fn of(pointer: &str, text: &str, error: &Error) -> Self {
        let problem = match error {
            Error::Reference { problem, .. } => problem.clone(),
            Error::File { source, .. } => {
                let first: &dyn std::error::Error = source.as_ref();
                let reasons = std::iter::successors(Some(first), |error| error.source()).map(ToString::to_string);
                format!("leads to a file that cannot be read: {}", reasons.collect::<Vec<_>>().join(": "))
            }
            other => format!("leads to a file that cannot be used: {}", other.on_one_line()),
        };
        Self { pointer: pointer.to_owned(), text: text.to_owned(), problem }
    }
}

/// The references among these that cannot be resolved within the document, or are where OpenAPI allows none, by their JSON
/// pointers.
pub(crate) fn broken(document: &Value, all: &[Found]) -> BTreeMap<String, Broken> {
    let mut problems: HashMap<&str, Option<&'static str>> = HashMap::new();
    // Lint reports missing examples, which do not make a document unusable, and mapping entries that name no schema.
    let counts = |found: &&Found| !(found.is_mapped || found.kind == Kind::Example && found.is_allowed);
    let broken = all.iter().filter(counts).filter_map(|found| {
        let problem = match found.is_allowed {
            true => *problems.entry(&found.text).or_insert_with(|| problem(document, &found.text)),
            false => Some(MISPLACED),
        };
        let broken = Broken { pointer: found.pointer.clone(), text: found.text.clone(), problem: problem?.to_owned() };
        Some((found.pointer.clone(), broken))
    });
    broken.collect()
}

/// The problem of a reference where OpenAPI allows none.
const MISPLACED: &str = "is where OpenAPI allows no reference";

fn problem(document: &Value, reference: &str) -> Option<&'static str> {
    let mut seen = vec![reference];
    loop {
        let Some(pointer) = seen.last().and_then(|reference| reference.strip_prefix('#')) else {
            return Some("leads out of the document: bundle its files into one first");
        };
        let Some(value) = pointer::find(document, pointer) else {
            return Some(unresolved(pointer));
        };
        let next = target(value)?;
        if seen.contains(&next) {
            return Some("leads back to itself");
        }
        if seen.len() == LONGEST_CHAIN {
            return Some("leads through too many others");
        }
        seen.push(next);
    }
}

/// The problem of a reference whose fragment leads to nothing.
pub(crate) fn unresolved(fragment: &str) -> &'static str {
    match fragment {
        "/" => {
            "cannot be resolved: `#/` leads to an entry with an empty name; leave out the `/` to refer to the whole file"
        }
        other if other.starts_with('/') => "cannot be resolved",
        _ => "cannot be resolved: what follows `#` is no JSON pointer, which begins with `/`",
    }
}

/// The components that operations, webhooks and what else is outside of `components` use, by their JSON pointers.
#[derive(Debug)]
pub(crate) struct Reached<'f>(HashSet<&'f str>);

impl<'f> Reached<'f> {
    /// Given all references of a document.
    pub(crate) fn through(all: &'f [Found]) -> Self {
        let (mut uses, mut open): (HashMap<&str, Vec<&str>>, Vec<&str>) = Default::default();
        let schemas: HashMap<&str, &str> = all
            .iter()
            .filter_map(|found| component(&found.pointer))
            .filter_map(|pointer| Some((pointer.strip_prefix("/components/schemas/")?, pointer)))
            .collect();
        for found in all {
            let target = found.text.strip_prefix('#').and_then(component);
            let named = || schemas.get(found.text.as_str()).copied().filter(|_| found.is_mapped);
            let Some(target) = target.or_else(named) else { continue };
            let Some(holder) = component(&found.pointer) else {
                open.push(target);
                continue;
            };
            uses.entry(holder).or_default().push(target);
            // A subtype is used wherever its base is.
            if found.pointer[holder.len()..].starts_with("/allOf/") {
                uses.entry(target).or_default().push(holder);
            }
        }
        let mut reached = HashSet::new();
        while let Some(pointer) = open.pop() {
            if reached.insert(pointer) {
                open.extend(uses.get(pointer).into_iter().flatten());
            }
        }
        Self(reached)
    }

    /// Whether the value at a JSON pointer is used. Security schemes count as such, because they are used by their names.
    pub(crate) fn contains(&self, pointer: &str) -> bool {
        component(pointer)
            .is_none_or(|pointer| pointer.starts_with("/components/securitySchemes/") || self.0.contains(pointer))
    }
}

/// JSON pointer of the component that contains the value at a pointer.
fn component(pointer: &str) -> Option<&str> {
    let rest = pointer.strip_prefix("/components/")?;
    let name_at = rest.find('/')? + 1;
    let end = rest[name_at..].find('/').map_or(pointer.len(), |end| pointer.len() - rest.len() + name_at + end);
    Some(&pointer[..end])
}
