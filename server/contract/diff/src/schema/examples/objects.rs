//! Objects with and without each property.

use super::super::Parts;
use super::super::view::{Others, View};
use super::candidates::Candidates;
use super::scalars::counts;
use crate::change::Direction;
use countersign_contract_validate::pattern;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Most properties that are tried, and most of an object that is tried.
const MOST_PROPERTIES: usize = 60;

/// Names of properties that no schema lists, for the most part.
const UNLISTED: [&str; 4] = ["x", "y", "z", "_"];

impl Candidates<'_> {
    pub(super) fn objects<'d>(&self, view: &View<'d>, rivals: &[View<'d>], depth: usize) -> Vec<Value> {
        let Some(base) = self.base(view, depth) else { return Vec::new() };
        let mut out = vec![base.clone()];
        // Objects that conditions are about, and those that the other side excludes.
        let conditions = [&["if", "then"][..], &["if"], &["else"]].map(|keys| all_of(view, keys));
        for other in conditions.iter().flatten().chain(rivals.iter().skip(1)) {
            if let Some(Value::Object(mut object)) = self.least_object(other, depth) {
                object.extend(base.clone());
                out.push(object);
            }
        }
        for name in self.names(view, rivals) {
            for value in self.inner(view, rivals, |side| side.property(&name), depth) {
                let mut object = base.clone();
                object.insert(name.clone(), value);
                self.add_dependencies(view, &mut object, depth);
                out.push(object);
            }
        }
        for count in counts(view, rivals, ["minProperties", "maxProperties"], MOST_PROPERTIES) {
            out.extend(self.filled(view, &base, count, depth));
        }
        out.extend(self.filled(view, &base, view.property_names().len().min(MOST_PROPERTIES), depth));
        out.into_iter().map(Value::from).collect()
    }

    /// Names of properties that either side says something about, and one more.
    fn names<'d>(&self, view: &View<'d>, rivals: &[View<'d>]) -> Vec<String> {
        let sides = || rivals.iter().chain([view]);
        let keys_of = |key: &'static str| {
            let keys = |side: &View<'d>| {
                side.keywords(key).flat_map(|at| at.entries()).map(|(name, _)| name).collect::<Vec<_>>()
            };
            sides().flat_map(keys).collect::<Vec<&str>>()
        };
        let mut listed: BTreeSet<&str> = sides().flat_map(View::property_names).collect();
        listed.extend(rivals.iter().flat_map(|rival| rival.required().into_keys()));
        listed.extend(["dependentRequired", "dependentSchemas"].into_iter().flat_map(keys_of));
        listed.retain(|name| !self.is_hidden(view, name));
        let matching = keys_of("patternProperties").into_iter().filter_map(pattern::matching);
        let limited = sides().filter(|side| side.keyword("propertyNames").is_some());
        let limited = limited.flat_map(|side| self.inner(side, &[], |side| side.parts_under("propertyNames"), 1));
        let limited = limited.filter_map(|name| name.as_str().map(str::to_owned)).chain(["xxx".to_owned()]);
        let listed = listed.into_iter().take(MOST_PROPERTIES).map(str::to_owned);
        listed.chain(matching).chain(limited).chain([UNLISTED[0].to_owned()]).collect()
    }

    pub(super) fn least_object(&self, view: &View<'_>, depth: usize) -> Option<Value> {
        let least = counts(view, &[], ["minProperties", "maxProperties"], MOST_PROPERTIES).first().copied();
        let base = self.base(view, depth)?;
        self.filled(view, &base, least?, depth).map(Value::from)
    }

    /// The required properties.
    fn base(&self, view: &View<'_>, depth: usize) -> Option<Map<String, Value>> {
        let mut out = Map::new();
        for name in view.required().into_keys().filter(|name| !self.is_hidden(view, name)) {
            out.insert(name.to_owned(), self.least(&View::of(view.document, &view.property(name)), depth)?);
        }
        self.add_dependencies(view, &mut out, depth);
        Some(out)
    }

    /// An object with further properties so that it has at least this many.
    fn filled(
        &self,
        view: &View<'_>,
        base: &Map<String, Value>,
        count: usize,
        depth: usize,
    ) -> Option<Map<String, Value>> {
        let mut out = base.clone();
        let listed = view.property_names().into_iter().filter(|name| !self.is_hidden(view, name));
        let unlisted = match view.others() {
            Others::Forbidden => 0,
            Others::Allowed | Others::Described(_) => count,
        };
        let numbered = (0..unlisted)
            .map(|index| UNLISTED.get(index).map_or_else(|| format!("x{index}"), |name| (*name).to_owned()));
        for name in listed.map(str::to_owned).chain(numbered) {
            if out.len() >= count {
                break;
            }
            if let Some(value) = self.least(&View::of(view.document, &view.property(&name)), depth) {
                out.insert(name, value);
            }
        }
        (out.len() >= count).then_some(out)
    }

    /// Adds the properties that others require.
    fn add_dependencies(&self, view: &View<'_>, object: &mut Map<String, Value>, depth: usize) {
        let required = |name: &str| -> Vec<&str> {
            let lists = view.keywords("dependentRequired").filter_map(|at| at.get(name));
            let schemas = view.keywords("dependentSchemas").filter_map(|at| at.get(name)?.get("required"));
            lists
                .chain(schemas)
                .flat_map(|at| at.items().filter_map(|at| at.value.as_str()).collect::<Vec<_>>())
                .collect()
        };
        let mut pending: Vec<String> = object.keys().cloned().collect();
        while let Some(name) = pending.pop() {
            for needed in required(&name) {
                if object.contains_key(needed) {
                    continue;
                }
                if let Some(value) = self.least(&View::of(view.document, &view.property(needed)), depth) {
                    object.insert(needed.to_owned(), value);
                    pending.push(needed.to_owned());
                }
            }
        }
    }

    /// Whether a property only exists in the other direction.
    fn is_hidden(&self, view: &View<'_>, name: &str) -> bool {
        let flag = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        View::of(view.document, &view.property(name)).is(flag)
    }
}

/// The schemas under some keywords, if all of them are there, as one.
fn all_of<'d>(view: &View<'d>, keys: &[&str]) -> Option<View<'d>> {
    let list: Vec<_> = keys.iter().filter_map(|key| view.keyword(key)).collect();
    let is_complete = list.len() == keys.len();
    is_complete.then(|| View::of(view.document, &Parts { list, holder: view.place().to_owned(), chosen: Vec::new() }))
}
