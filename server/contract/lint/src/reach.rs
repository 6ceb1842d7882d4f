//! The graph of a document: what an operation uses, and which operations use a component.
//!
//! Its nodes are operations, path items and components. An edge is a reference, an entry of a discriminator's mapping, a
//! security requirement, or leads from a base schema with a discriminator to its subtypes.

use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::{Id, Key, Tree};
use countersign_contract_document::{Document, Located, pointer};
use countersign_contract_finding::Operations;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The graph of a document.
#[derive(Debug)]
pub(super) struct Reach {
    from: HashMap<Id, Vec<Id>>,
    to: HashMap<Id, Vec<Id>>,
    by_pointer: HashMap<String, Id>,
    /// Operations with their labels, by index in the order of the document.
    rank: HashMap<Id, usize>,
    labels: Vec<Arc<str>>,
    /// Whether the document has webhooks, which use components as operations do.
    has_webhooks: bool,
}

impl Reach {
    pub(super) fn new(document: &Document, tree: &Tree<'_>) -> Self {
        let owners = tree.ids().filter(|id| *id > 0 && tree.node(*id).owner == *id);
        let by_pointer: HashMap<String, Id> = owners.map(|id| (tree.pointer(id), id)).collect();
        let mut reach = Self {
            from: HashMap::new(),
            to: HashMap::new(),
            by_pointer,
            rank: HashMap::new(),
            labels: Vec::new(),
            has_webhooks: document.value()["webhooks"].as_object().is_some_and(|webhooks| !webhooks.is_empty()),
        };
        for located in document.located() {
            let Located { path, method, .. } = located;
            let item = reach.by_pointer.get(&pointer::from_tokens(["paths", path])).copied();
            let operation = reach.by_pointer.get(&located.pointer()).copied();
            if let (Some(item), Some(operation)) = (item, operation) {
                reach.rank.insert(operation, reach.labels.len());
                reach.labels.push(format!("{} {path}", method.to_uppercase()).into());
                reach.add_edge(operation, item);
            }
        }
        for id in tree.ids() {
            reach.edges_of(document, tree, id);
        }
        reach
    }

    fn edges_of(&mut self, document: &Document, tree: &Tree<'_>, id: Id) {
        let node = tree.node(id);
        if let Some(target) = node.reference.and_then(|reference| self.part(reference)) {
            self.add_edge(node.owner, target);
            let is_extension = node.field == "allOf" && node.parent.is_some_and(|parent| parent == node.owner);
            let base = &document.resolve(node.value)["discriminator"];
            if is_extension && base.is_object() {
                self.add_edge(target, node.owner);
            }
        }
        match node.kind {
            Kind::Discriminator => {
                let mapping = node.value["mapping"].as_object().into_iter().flatten();
                let targets = mapping.filter_map(|(_, target)| self.mapped(target.as_str()?)).collect::<Vec<_>>();
                targets.into_iter().for_each(|target| self.add_edge(node.owner, target));
            }
            Kind::Requirement => {
                let names = node.value.as_object().into_iter().flatten().map(|(name, _)| name);
                let schemes = names.map(|name| pointer::from_tokens(["components", "securitySchemes", name]));
                let targets = schemes.filter_map(|pointer| self.by_pointer.get(&pointer).copied()).collect::<Vec<_>>();
                targets.into_iter().for_each(|target| self.add_edge(node.owner, target));
            }
            _ => {}
        }
    }

    fn add_edge(&mut self, from: Id, to: Id) {
        if from != to {
            self.to.entry(from).or_default().push(to);
            self.from.entry(to).or_default().push(from);
        }
    }

    /// The part that contains the target of a reference.
    fn part(&self, reference: &str) -> Option<Id> {
        let pointer = reference.strip_prefix('#')?;
        let ends = pointer.match_indices('/').skip(1).map(|(index, _)| index).take(3);
        let ends = ends.chain([pointer.len()]).collect::<BTreeSet<_>>();
        ends.into_iter().rev().find_map(|end| self.by_pointer.get(&pointer[..end]).copied())
    }

    /// The target of a reference, if it is a component and not a value within one.
    pub(super) fn component(&self, reference: &str) -> Option<Id> {
        self.by_pointer.get(reference.strip_prefix('#')?).copied()
    }

    /// The schema of an entry in a discriminator's mapping, which is a name or a reference.
    pub(super) fn mapped(&self, target: &str) -> Option<Id> {
        let by_name = || self.by_pointer.get(&pointer::from_tokens(["components", "schemas", target])).copied();
        self.part(target).or_else(by_name)
    }

    /// Labels of the operations that use a part, in the order of the document; empty for the document itself.
    pub(super) fn operations(&self, part: Id) -> Operations {
        let users = closure([part], &self.from);
        let ranks: BTreeSet<usize> = users.iter().filter_map(|user| self.rank.get(user).copied()).collect();
        ranks.into_iter().map(|rank| Arc::clone(&self.labels[rank])).collect()
    }

    /// The operations, in the order of the document.
    pub(super) fn in_order(&self) -> Vec<Id> {
        let mut operations: Vec<(usize, Id)> = self.rank.iter().map(|(id, rank)| (*rank, *id)).collect();
        operations.sort_unstable();
        operations.into_iter().map(|(_, id)| id).collect()
    }

    /// The operations and everything that they use, directly or indirectly.
    pub(super) fn used(&self) -> HashSet<Id> {
        closure(self.rank.keys().copied().chain(self.has_webhooks.then_some(0)), &self.to)
    }
}

fn closure(from: impl IntoIterator<Item = Id>, edges: &HashMap<Id, Vec<Id>>) -> HashSet<Id> {
    let mut open: Vec<Id> = from.into_iter().collect();
    let mut seen: HashSet<Id> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        open.extend(edges.get(&id).into_iter().flatten().copied().filter(|next| seen.insert(*next)));
    }
    seen
}

/// Section and name of a component.
pub(super) fn component_name<'a>(tree: &Tree<'a>, id: Id) -> Option<(&'static str, &'a str)> {
    let node = tree.node(id);
    match (node.parent.map(|parent| tree.node(parent).kind), node.key) {
        (Some(Kind::Components), Key::Name(name)) => Some((node.field, name)),
        _ => None,
    }
}

/// All properties that a schema or its parts define.
pub(super) fn properties<'a>(document: &'a Document, schema: &'a Value) -> HashMap<&'a str, &'a Value> {
    let mut out = HashMap::new();
    let mut open = vec![schema];
    let mut seen: HashSet<*const Value> = HashSet::new();
    while let Some(schema) = open.pop() {
        let schema = document.resolve(schema);
        if !seen.insert(schema) {
            continue;
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        out.extend(properties.map(|(name, property)| (name.as_str(), property)));
        open.extend(["allOf", "anyOf", "oneOf"].iter().filter_map(|list| schema[*list].as_array()).flatten());
    }
    out
}
