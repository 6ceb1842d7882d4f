//! Schemas with their references resolved and their `allOf` merged.

mod null;
mod part;

use super::Parts;
use crate::change::ChangeSide;
use countersign_contract_document::{Document, Node};
use null::LookForNull;
use part::{is_closed, other_items, other_properties, own_properties, own_types};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) use part::{common, type_of};

/// Greatest depth of nested alternatives that are searched for types.
const DEEPEST: usize = 6;

/// A schema without `$ref` and `allOf`.
#[derive(Debug, Clone)]
pub(super) struct View<'d> {
    pub(super) document: &'d Document,
    /// Its source.
    pub(super) parts: Parts<'d>,
    /// Schemas without `$ref` and `allOf` that all apply to the value.
    atoms: Vec<Node<'d>>,
    /// JSON pointer of the first one.
    pointer: String,
}

/// An `oneOf` or `anyOf`.
#[derive(Debug, Clone)]
pub(super) struct Group<'d> {
    pub(super) kind: &'static str,
    pub(super) pointer: String,
    pub(super) list: Vec<Node<'d>>,
}

/// Whether properties that are not listed are allowed.
pub(super) enum Others<'d> {
    Allowed,
    Forbidden,
    Described(Parts<'d>),
}

impl<'d> View<'d> {
    pub(super) fn of(document: &'d Document, parts: &Parts<'d>) -> Self {
        let (mut atoms, mut seen) = (Vec::new(), Vec::new());
        parts.list.iter().for_each(|part| expand(part.clone(), &parts.chosen, &mut seen, &mut atoms));
        let pointer = atoms.first().map_or_else(|| parts.holder.clone(), |at| at.pointer.clone());
        Self { document, parts: parts.clone(), atoms, pointer }
    }

    /// The same with one of the alternatives at a JSON pointer.
    pub(super) fn with_choice(&self, group: &str, alternative: Node<'d>) -> Self {
        let mut parts = self.parts.clone();
        parts.chosen.push((group.to_owned(), alternative));
        Self::of(self.document, &parts)
    }

    /// Schemas without `$ref` and `allOf` that all apply to the value.
    pub(super) fn atoms(&self) -> &[Node<'d>] {
        &self.atoms
    }

    /// JSON pointer of the first one.
    pub(super) fn place(&self) -> &str {
        &self.pointer
    }

    pub(super) fn side(&self) -> Option<ChangeSide> {
        ChangeSide::at_pointer(&self.pointer)
    }

    pub(super) fn side_at(&self, key: &str) -> Option<ChangeSide> {
        self.keyword(key).map_or_else(|| self.side(), |at| ChangeSide::with_node_value(&at))
    }

    /// The first value of a keyword.
    pub(super) fn keyword(&self, key: &str) -> Option<Node<'d>> {
        self.atoms.iter().find_map(|at| at.get(key))
    }

    /// All values of a keyword.
    pub(super) fn keywords<'a>(&'a self, key: &'a str) -> impl Iterator<Item = Node<'d>> + 'a {
        self.atoms.iter().filter_map(move |at| at.get(key))
    }

    /// Whether a keyword is `true`.
    pub(super) fn is(&self, key: &str) -> bool {
        self.atoms.iter().any(|at| at.is(key))
    }

    /// The schemas that exclude values: `not`, but not one that only has another `not`.
    pub(super) fn exclusions(&self) -> impl Iterator<Item = Node<'d>> {
        self.atoms.iter().filter(|at| not_excluded(at).is_none()).filter_map(|at| at.get("not"))
    }

    fn made_of(&self, list: Vec<Node<'d>>) -> Parts<'d> {
        Parts { list, holder: self.pointer.clone(), chosen: Vec::new() }
    }

    /// The schemas under a keyword, which all describe the same value.
    pub(super) fn parts_under(&self, key: &str) -> Parts<'d> {
        self.made_of(self.keywords(key).collect())
    }

    /// Names of listed properties, without those that another part forbids: `additionalProperties: false` of a part ignores
    /// the properties of the others.
    pub(super) fn property_names(&self) -> BTreeSet<&'d str> {
        let own = |at: &Node<'d>| at.value.get("properties").and_then(Value::as_object).into_iter().flatten();
        let names = self.atoms.iter().flat_map(own).map(|(name, _)| name.as_str());
        let is_closed_to = |at: &Node<'d>, name: &str| is_closed(at) && own_properties(at, name).is_empty();
        names.filter(|name| !self.atoms.iter().any(|at| is_closed_to(at, name))).collect()
    }

    /// The schemas of a property, including those for properties that are not listed.
    pub(super) fn property(&self, name: &str) -> Parts<'d> {
        let side = |at: &Node<'d>| match own_properties(at, name) {
            own if own.is_empty() => other_properties(at).into_iter().collect(),
            own => own,
        };
        self.made_of(self.atoms.iter().flat_map(side).collect())
    }

    /// The schema of a property, if no part says anything about it but one, which lists it.
    pub(super) fn only_property(&self, name: &str) -> Option<&'d Value> {
        let mut only = None;
        for at in &self.atoms {
            let own = at.value.get("properties").and_then(|list| list.get(name));
            let is_described = || other_properties(at).is_some();
            if own.is_some() && only.is_some()
                || own.is_none() && is_described()
                || at.value.get("patternProperties").is_some()
            {
                return None;
            }
            only = only.or(own);
        }
        only
    }

    /// The schemas of properties whose names match a pattern.
    pub(super) fn pattern_property(&self, pattern: &str) -> Parts<'d> {
        let own = |at: &Node<'d>| at.get("patternProperties")?.get(pattern);
        self.made_of(self.atoms.iter().filter_map(|at| own(at).or_else(|| other_properties(at))).collect())
    }

    /// The schemas of the item at an index: those of `prefixItems`, or those of the other items.
    pub(super) fn item(&self, index: usize) -> Parts<'d> {
        let own = |at: &Node<'d>| at.get("prefixItems")?.items().nth(index);
        self.made_of(self.atoms.iter().filter_map(|at| own(at).or_else(|| other_items(at))).collect())
    }

    /// The schemas of the items after those of `prefixItems`.
    pub(super) fn other_items(&self) -> Parts<'d> {
        self.made_of(self.atoms.iter().filter_map(other_items).collect())
    }

    /// Number of items with a schema of their own.
    pub(super) fn prefix_length(&self) -> usize {
        self.atoms.iter().map(|at| at.items_of("prefixItems").count()).max().unwrap_or(0)
    }

    /// Whether no value is accepted: `{not: {}}`, which `false` is read as.
    pub(super) fn is_nothing(&self) -> bool {
        self.keywords("not").any(|at| at.value.as_object().is_some_and(serde_json::Map::is_empty))
    }

    /// Whether properties that are not listed are allowed.
    pub(super) fn others(&self) -> Others<'d> {
        let is_shut =
            |at: &Node<'d>| is_closed(at) || at.value.get("unevaluatedProperties") == Some(&Value::Bool(false));
        if self.atoms.iter().any(is_shut) {
            return Others::Forbidden;
        }
        let described: Vec<_> = self.atoms.iter().filter_map(other_properties).collect();
        match described.is_empty() {
            true => Others::Allowed,
            false => Others::Described(self.made_of(described)),
        }
    }

    /// Names of required properties with the JSON pointer of the requirement.
    pub(super) fn required(&self) -> BTreeMap<&'d str, String> {
        let names = self.atoms.iter().flat_map(|at| at.items_of("required"));
        names.filter_map(|at| Some((at.value.as_str()?, at.pointer))).collect()
    }

    /// Its lists of alternatives, without those of which one was chosen, and without those that are lists of values.
    pub(super) fn groups(&self) -> Vec<Group<'d>> {
        self.all_groups().filter(|group| self.values_of(group).is_none()).collect()
    }

    fn all_groups(&self) -> impl Iterator<Item = Group<'d>> {
        let groups = self.atoms.iter().flat_map(|at| ["oneOf", "anyOf"].map(|kind| (kind, at)));
        groups.filter_map(|(kind, at)| {
            let (pointer, list) = (at.get(kind)?.pointer, at.items_of(kind).collect::<Vec<_>>());
            let is_left = !list.is_empty() && chosen(&self.parts.chosen, &pointer).is_none();
            is_left.then_some(Group { kind, pointer, list })
        })
    }

    /// Listed values (`enum`): a list for each part that has one.
    pub(super) fn lists_of_values(&self) -> Vec<Vec<Node<'d>>> {
        let own = self.atoms.iter().filter(|at| at.get("enum").is_some()).map(|at| at.items_of("enum").collect());
        own.chain(self.all_groups().filter_map(|group| self.values_of(&group))).collect()
    }

    /// The values of alternatives that are all enums. They form one list, written so that each value can have a
    /// description.
    fn values_of(&self, group: &Group<'d>) -> Option<Vec<Node<'d>>> {
        const ENUM_SIBLINGS: [&str; 6] = ["type", "enum", "title", "description", "deprecated", "externalDocs"];
        let values = |at: &Node<'d>| {
            let at = at.clone().resolved();
            let is_list = at.entries().all(|(key, _)| ENUM_SIBLINGS.contains(&key)) && at.get("enum").is_some();
            is_list.then(|| at.items_of("enum").collect::<Vec<_>>())
        };
        let lists: Option<Vec<_>> = group.list.iter().map(values).collect();
        lists.map(|lists| lists.into_iter().flatten().collect())
    }

    /// The accepted types, ignoring alternatives; `None` for any type.
    pub(super) fn own_types(&self) -> Option<BTreeSet<&'d str>> {
        self.atoms.iter().filter_map(own_types).reduce(|one, other| common(&one, &other))
    }

    /// The accepted types; `None` for any type.
    pub(super) fn types(&self) -> Option<BTreeSet<&'d str>> {
        self.types_within(DEEPEST)
    }

    fn types_within(&self, depth: usize) -> Option<BTreeSet<&'d str>> {
        let of_group = |group: Group<'d>| {
            let below = depth.checked_sub(1)?;
            let of = |at: &Node<'d>| Self::of(self.document, &self.made_of(vec![at.clone()])).types_within(below);
            group.list.iter().map(of).try_fold(BTreeSet::new(), |all, types| Some(&all | &types?))
        };
        let groups = self.all_groups().filter_map(of_group);
        self.own_types().into_iter().chain(groups).reduce(|one, other| common(&one, &other))
    }

    /// Whether it accepts `null`.
    pub(super) fn takes_null(&self) -> bool {
        self.takes_null_if(None)
    }

    /// Whether it accepts `null` if its alternatives do, and if they do not.
    pub(super) fn takes_null_beside_groups(&self) -> [bool; 2] {
        [true, false].map(|alternatives_do| self.takes_null_if(Some(alternatives_do)))
    }

    fn takes_null_if(&self, alternatives_do: Option<bool>) -> bool {
        let look = LookForNull { choices: &self.parts.chosen, alternatives_do };
        self.parts.list.iter().all(|at| look.takes(at.clone(), DEEPEST))
    }
}

fn expand<'d>(at: Node<'d>, choices: &[(String, Node<'d>)], seen: &mut Vec<&'d Value>, out: &mut Vec<Node<'d>>) {
    let at = at.resolved();
    if *at.value == Value::Bool(true) || seen.iter().any(|known| std::ptr::eq(*known, at.value)) {
        return;
    }
    seen.push(at.value);
    let mut parts: Vec<Node<'d>> = at.items_of("allOf").collect();
    if !choices.is_empty() {
        let picked = ["oneOf", "anyOf"].map(|kind| chosen(choices, &format!("{}/{kind}", at.pointer)));
        parts.extend(picked.into_iter().flatten().cloned());
    }
    parts.extend(not_excluded(&at));
    // A schema with nothing but `allOf` is represented by the parts of that.
    let says_something = at.value.as_object().is_some_and(|schema| schema.keys().any(|key| key != "allOf"));
    if says_something || parts.is_empty() {
        out.push(at);
    }
    parts.into_iter().for_each(|part| expand(part, choices, seen, out));
}

/// The schema that a `not` within a `not` comes to.
fn not_excluded<'d>(at: &Node<'d>) -> Option<Node<'d>> {
    let excluded = at.get("not")?.resolved();
    excluded.get("not").filter(|_| excluded.entries().count() == 1)
}

fn chosen<'a, 'd>(choices: &'a [(String, Node<'d>)], group: &str) -> Option<&'a Node<'d>> {
    choices.iter().find(|(pointer, _)| pointer == group).map(|(_, at)| at)
}
