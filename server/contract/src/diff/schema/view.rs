//! A schema as one: its references followed, the parts of its `allOf` merged.

use super::Parts;
use crate::diff::at::At;
use crate::diff::comparison::Said;
use crate::document::Document;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A schema without `$ref` and `allOf`.
#[derive(Debug, Clone)]
pub(super) struct View<'d> {
    /// What it is made of; each of them holds.
    atoms: Vec<At<'d>>,
    /// Where it begins.
    pointer: String,
}

impl<'d> View<'d> {
    pub(super) fn of(document: &'d Document, parts: &Parts<'d>) -> Self {
        let (mut atoms, mut seen) = (Vec::new(), BTreeSet::new());
        parts.list.iter().for_each(|part| expand(document, part.clone(), &mut seen, &mut atoms));
        let pointer = atoms.first().map_or_else(|| parts.holder.clone(), |at| at.pointer.clone());
        Self { atoms, pointer }
    }

    /// The same without its alternatives.
    pub(super) fn atoms(&self) -> &[At<'d>] {
        &self.atoms
    }

    /// The schema that stands outermost, which people read first.
    pub(super) fn outer(&self) -> Option<&At<'d>> {
        self.atoms.first()
    }

    /// Where it begins.
    pub(super) fn place(&self) -> &str {
        &self.pointer
    }

    pub(super) fn said(&self) -> Option<Said> {
        Said::place(&self.pointer)
    }

    pub(super) fn said_at(&self, key: &str) -> Option<Said> {
        self.keyword(key).map_or_else(|| self.said(), |at| Said::whole(&at))
    }

    /// The first that says something under a key.
    pub(super) fn keyword(&self, key: &str) -> Option<At<'d>> {
        self.atoms.iter().find_map(|at| at.get(key))
    }

    /// All that say something under a key.
    pub(super) fn keywords<'a>(&'a self, key: &'a str) -> impl Iterator<Item = At<'d>> + 'a {
        self.atoms.iter().filter_map(move |at| at.get(key))
    }

    /// Whether one of them says `true` under a key.
    pub(super) fn is(&self, key: &str) -> bool {
        self.atoms.iter().any(|at| at.is(key))
    }

    /// The schemas under a key, which all describe the same value.
    pub(super) fn parts_under(&self, key: &str) -> Parts<'d> {
        Parts { list: self.keywords(key).collect(), holder: self.pointer.clone() }
    }

    /// Properties by name, each with all that is said of it.
    pub(super) fn properties(&self) -> BTreeMap<&'d str, Parts<'d>> {
        let mut out = BTreeMap::<_, Parts<'d>>::new();
        for (name, at) in self.atoms.iter().flat_map(|at| at.entries_of("properties")) {
            out.entry(name).or_insert_with(|| Parts { list: Vec::new(), holder: self.pointer.clone() }).list.push(at);
        }
        out
    }

    /// Names of required properties, and where that is said.
    pub(super) fn required(&self) -> BTreeMap<&'d str, String> {
        let names = self.atoms.iter().flat_map(|at| at.items_of("required"));
        names.filter_map(|at| Some((at.value.as_str()?, at.pointer))).collect()
    }

    /// The types that it takes; `None` if it takes any. What only objects or lists have tells as much as `type` does.
    pub(super) fn types(&self) -> Option<BTreeSet<&'d str>> {
        let mut types: Option<BTreeSet<&'d str>> = None;
        for at in &self.atoms {
            let own = at.text("type").or_else(|| {
                let has = |key: &str| at.value.get(key).is_some();
                match () {
                    () if has("properties") || has("additionalProperties") => Some("object"),
                    () if has("items") => Some("array"),
                    () => None,
                }
            });
            let Some(own) = own else { continue };
            types = Some(match types {
                None => BTreeSet::from([own]),
                Some(known) if known.contains("number") && own == "integer" => BTreeSet::from(["integer"]),
                Some(known) if known.contains("integer") && own == "number" => known,
                Some(known) => known.into_iter().filter(|known| *known == own).collect(),
            });
        }
        types
    }

    /// Whether it takes `null`. A part without a type says nothing about it.
    pub(super) fn is_nullable(&self) -> bool {
        // A wrapper around others (`nullable: true` beside an `allOf`) has the last word: that is how it is written.
        let wrapper = self.atoms.first().is_some_and(|at| at.value.get("allOf").is_some() && at.is("nullable"));
        let mut typed = self.atoms.iter().filter(|at| at.value.get("type").is_some()).peekable();
        wrapper
            || typed.peek().is_none() && self.is("nullable")
            || typed.peek().is_some() && typed.all(|at| at.is("nullable"))
    }
}

fn expand<'d>(document: &'d Document, at: At<'d>, seen: &mut BTreeSet<String>, out: &mut Vec<At<'d>>) {
    let at = at.resolved(document);
    if !seen.insert(at.pointer.clone()) || *at.value == Value::Bool(true) {
        return;
    }
    let parts = at.items_of("allOf");
    // A wrapper of one that says nothing itself would only stand in the way of what it wraps.
    let says_something = at.entries().any(|(key, _)| key != "allOf");
    if says_something || parts.is_empty() {
        out.push(at);
    }
    parts.into_iter().for_each(|part| expand(document, part, seen, out));
}
