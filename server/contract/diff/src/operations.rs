//! Matches operations of both documents and compares them.

use super::change::{ChangeSide, Direction};
use super::comparison::Comparison;
use super::deprecation::{promised_day, sunset};
use super::options::PathPrefix;
use super::{annotations, bodies, callbacks, parameters, responses, security, servers, stability};
use countersign_contract_document::{Document, METHODS, Node, path_of_first_server, pointer};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An operation that can be matched with one of the other document.
struct Entry {
    /// Name in findings.
    name: String,
    path: String,
    /// Method and path with the prefixes of the options applied.
    written: String,
    /// JSON pointer.
    pointer: String,
    operation_id: Option<String>,
}

/// Method and path, with placeholders for variables.
type Address = (String, String);

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    let prefixes = (comparison.options.old_prefix.clone(), comparison.options.new_prefix.clone());
    let with_base = addresses_include_the_base((old, &prefixes.0), (new, &prefixes.1));
    comparison.base_is_in_paths = with_base;
    if !with_base && old.base_path() != new.base_path() && !servers::are_reordered(old, new) {
        let side =
            |document: &Document| ChangeSide::with_value("/servers/0/url", format!("\"{}\"", document.base_path()));
        let message = "the path of the first server changed";
        comparison.report("base-path-changed", message, side(old), side(new));
    }
    let (before, after) = (entries(old, &prefixes.0, with_base), entries(new, &prefixes.1, with_base));
    let keys = |entries: &[(Address, Entry)]| -> HashMap<Address, usize> {
        entries.iter().enumerate().map(|(index, (address, _))| (address.clone(), index)).collect()
    };
    let (mut old_keys, new_keys) = (keys(&before), keys(&after));
    // Of paths that differ in their variables alone, those that are written in the same way belong together.
    let written = |entry: &Entry| (entry.written.clone(), with_base);
    let same: HashMap<_, usize> =
        before.iter().enumerate().map(|(index, (_, entry))| (written(entry), index)).collect();
    let taken: BTreeSet<usize> = after.iter().filter_map(|(_, entry)| same.get(&written(entry)).copied()).collect();
    for (index, (address, _)) in before.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
        old_keys.insert(address.clone(), index);
    }
    let mut moved = BTreeSet::new();
    for (address, entry) in &after {
        let exact = same.get(&written(entry)).filter(|_| !with_base);
        if let Some(index) = exact.or_else(|| old_keys.get(address)) {
            pair(comparison, &before[*index].1, entry);
            continue;
        }
        let from = before.iter().find(|(address, other)| {
            other.operation_id.is_some() && other.operation_id == entry.operation_id && !new_keys.contains_key(address)
        });
        match from {
            Some((address, other)) => {
                moved.insert(address.clone());
                comparison.operation = Some(entry.name.clone());
                let message = format!("{} moved to {}", other.name, entry.name);
                comparison.report(
                    "operation-moved",
                    message,
                    ChangeSide::with_value(&other.pointer, &other.name),
                    ChangeSide::with_value(&entry.pointer, &entry.name),
                );
                pair(comparison, other, entry);
            }
            None => {
                comparison.operation = Some(entry.name.clone());
                comparison.report(
                    "operation-added",
                    "the operation was added",
                    None,
                    ChangeSide::at_pointer(&entry.pointer),
                );
            }
        }
    }
    let gone = before.iter().filter(|(address, _)| !new_keys.contains_key(address) && !moved.contains(address));
    for (_, entry) in gone {
        removed(comparison, entry);
    }
    comparison.operation = None;
}

/// Whether the base path changed but the paths compensate for it, so that addresses must include it.
fn addresses_include_the_base(
    (old, old_prefix): (&Document, &PathPrefix),
    (new, new_prefix): (&Document, &PathPrefix),
) -> bool {
    if old.base_path() == new.base_path() {
        return false;
    }
    let common = |with_base: bool| {
        let before: BTreeSet<Address> =
            entries(old, old_prefix, with_base).into_iter().map(|(address, _)| address).collect();
        entries(new, new_prefix, with_base).iter().filter(|(address, _)| before.contains(address)).count()
    };
    common(true) > common(false)
}

fn entries(document: &Document, prefix: &PathPrefix, with_base: bool) -> Vec<(Address, Entry)> {
    let base = if with_base { document.base_path() } else { "" };
    let entry = |located: countersign_contract_document::Located<'_>| {
        let path = prefix.apply(located.path);
        let address = (located.method.to_owned(), open(&format!("{base}{path}")).0);
        let written = format!("{} {path}", located.method.to_uppercase());
        let name = format!("{} {}", located.method.to_uppercase(), located.path);
        let operation_id = located.operation["operationId"].as_str().map(str::to_owned);
        let path = located.path.to_owned();
        (address, Entry { name, path, written, pointer: located.pointer(), operation_id })
    };
    document.located().map(entry).collect()
}

/// Splits a path into its text without the names of variables, and these names.
fn open(path: &str) -> (String, Vec<&str>) {
    let (mut out, mut names, mut rest) = (String::new(), Vec::new(), path);
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        out.push_str("{}");
        names.push(name);
        rest = after;
    }
    out.push_str(rest);
    (out, names)
}

fn removed(comparison: &mut Comparison<'_>, entry: &Entry) {
    let at = Node::at(comparison.old, &entry.pointer);
    comparison.operation = Some(entry.name.clone());
    note_stability(comparison, &at, entry);
    let promised = promised_day(&at, comparison.options.today.as_deref());
    let (rule, message) = match (at.is("deprecated"), promised) {
        (false, _) => ("operation-removed", "the operation was removed".to_owned()),
        (true, Some(day)) => ("operation-removed-before-sunset", format!("the operation was removed before {day}")),
        (true, None) => ("operation-removed-after-deprecation", "the deprecated operation was removed".to_owned()),
    };
    comparison.report(rule, message, ChangeSide::at(&at), None);
}

fn pair(comparison: &mut Comparison<'_>, before: &Entry, after: &Entry) {
    let at = |document, entry: &Entry| {
        let item = Node::at(document, &pointer::from_tokens(["paths", &entry.path]));
        (item, Node::at(document, &entry.pointer))
    };
    let (old_item, old) = at(comparison.old, before);
    let (new_item, new) = at(comparison.new, after);
    note_stability(comparison, &old, after);
    // Fields of the path item that apply to all its operations.
    let shared = |item: &Node<'_>| {
        item.entries().map(|(key, _)| key.to_owned()).filter(|key| !is_operations(key)).collect::<Vec<_>>()
    };
    let same_item = shared(&old_item).iter().chain(&shared(&new_item)).all(|key| {
        let both = old_item.get(key).zip(new_item.get(key));
        both.is_some_and(|(old, new)| comparison.unchanged.holds(&old, &new))
    });
    let same_security = old.get("security").is_some() || security::is_same_by_default(comparison);
    let same_names = open(&before.written).1 == open(&after.written).1;
    if same_names && same_item && same_security && comparison.unchanged.holds(&old, &new) {
        return;
    }
    comparison.operation = Some(after.name.clone());
    names(comparison, &old, &new);
    tags(comparison, &old, &new);
    deprecation(comparison, &old, &new);
    annotations::documentation(comparison, &old, &new);
    annotations::extensions_except(comparison, &old, &new, &[stability::KEY]);
    stability::compare(comparison, &old, &new);
    path_variables(comparison, before, after);
    path_items(comparison, &old_item, &new_item);
    servers(comparison, [&old_item, &old], [&new_item, &new]);
    let renamed: BTreeMap<&str, &str> = open(&before.written).1.into_iter().zip(open(&after.written).1).collect();
    comparison.towards(Direction::Request, |comparison| {
        parameters::compare(comparison, (&old_item, &old), (&new_item, &new), &renamed);
        bodies::compare(comparison, &old, &new);
    });
    comparison.towards(Direction::Response, |comparison| responses::compare(comparison, &old, &new));
    security::compare(comparison, &old, &new);
    callbacks::compare(comparison, &old, &new);
    comparison.operation = None;
}

/// Records whether clients were told that an operation may break. `entry` is what findings call it.
fn note_stability(comparison: &mut Comparison<'_>, old: &Node<'_>, entry: &Entry) {
    let level = stability::level(old);
    if level.is_some_and(|level| comparison.options.may_break.contains(&level)) {
        comparison.unstable.insert(entry.name.clone());
    }
}

/// Whether a field of a path item holds operations.
fn is_operations(key: &str) -> bool {
    METHODS.contains(&key) || key == "additionalOperations"
}

fn names(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let side = |at: &Node<'_>, id: &str| ChangeSide::with_value(&format!("{}/operationId", at.pointer), id);
    match (old.text("operationId"), new.text("operationId")) {
        (Some(before), Some(after)) if before != after => {
            comparison.report("operation-id-changed", "the operationId changed", side(old, before), side(new, after));
        }
        (Some(before), None) => {
            comparison.report(
                "operation-id-removed",
                "the operationId was removed",
                side(old, before),
                ChangeSide::at(new),
            );
        }
        (None, Some(after)) => {
            comparison.report("operation-id-added", "an operationId was added", ChangeSide::at(old), side(new, after));
        }
        _ => {}
    }
}

fn tags(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let (before, after) = (old.items_of("tags").collect::<Vec<_>>(), new.items_of("tags").collect::<Vec<_>>());
    let has = |list: &[Node<'_>], tag: &Node<'_>| list.iter().any(|other| other.value == tag.value);
    for tag in before.iter().filter(|tag| !has(&after, tag)) {
        let message = format!("the tag {} was removed", tag.value);
        comparison.report("operation-tag-removed", message, ChangeSide::with_node_value(tag), ChangeSide::at(new));
    }
    for tag in after.iter().filter(|tag| !has(&before, tag)) {
        let message = format!("the tag {} was added", tag.value);
        comparison.report("operation-tag-added", message, ChangeSide::at(old), ChangeSide::with_node_value(tag));
    }
}

fn deprecation(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    match (old.is("deprecated"), new.is("deprecated")) {
        (false, true) => {
            let at = format!("{}/deprecated", new.pointer);
            comparison.report(
                "operation-deprecated",
                "the operation is deprecated",
                ChangeSide::at(old),
                ChangeSide::at_pointer(&at),
            );
        }
        (true, false) => {
            let message = "the operation is no longer deprecated";
            comparison.report("operation-undeprecated", message, ChangeSide::at(old), ChangeSide::at(new));
        }
        _ => {}
    }
    let days = (old.get("x-sunset"), new.get("x-sunset"));
    sunset(comparison, days, (ChangeSide::at(old), ChangeSide::at(new)));
}

/// Compares the fields of a path item that apply to all its operations.
fn path_items(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    comparison.inside("path", |comparison| {
        annotations::documentation(comparison, old, new);
        annotations::extensions(comparison, old, new);
    });
}

/// Compares the servers with which an operation or its path overrides those of the document.
fn servers(comparison: &mut Comparison<'_>, old: [&Node<'_>; 2], new: [&Node<'_>; 2]) {
    let own = |[item, operation]: [&Node<'_>; 2]| {
        [operation, item].into_iter().find(|at| at.get("servers").is_some()).map(|at| at.pointer.clone())
    };
    let pointers = match (own(old), own(new)) {
        (None, None) => return,
        (old, new) => (old.unwrap_or_default(), new.unwrap_or_default()),
    };
    let (old, new) = (Node::at(comparison.old, &pointers.0), Node::at(comparison.new, &pointers.1));
    comparison.inside("servers", |comparison| {
        let (before, after) = (path_of_first_server(old.value), path_of_first_server(new.value));
        if before != after {
            let side = |at: &Node<'_>, path: &str| {
                ChangeSide::with_value(&format!("{}/servers", at.pointer), format!("\"{path}\""))
            };
            let message = "the path of the first server changed";
            comparison.report("base-path-changed", message, side(&old, before), side(&new, after));
        }
        servers::compare(comparison, &old, &new);
    });
}

fn path_variables(comparison: &mut Comparison<'_>, before: &Entry, after: &Entry) {
    let pairs = open(&before.written).1.into_iter().zip(open(&after.written).1);
    for (old, new) in pairs.filter(|(old, new)| old != new) {
        let side = |path: &str, name: &str| ChangeSide::with_value(&pointer::from_tokens(["paths", path]), name);
        let message = format!("the path variable {old} was renamed to {new}");
        comparison.report("path-parameter-renamed", message, side(&before.path, old), side(&after.path, new));
    }
}
