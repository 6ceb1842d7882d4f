//! Which operation is which, and what happened to each.

use super::at::At;
use super::comparison::{Comparison, Direction, Said};
use super::{bodies, parameters, responses, security, whole};
use crate::document::Document;
use crate::reference;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An operation that can be matched with one of the other document.
struct Entry {
    /// As findings call it.
    name: String,
    path: String,
    method: String,
    operation_id: Option<String>,
}

/// What a client must know to call it: method, address with variables left open.
type Address = (String, String);

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    let with_base = addresses_include_the_base(old, new);
    if !with_base && old.base_path() != new.base_path() {
        let said = |document: &Document| Said::value("/servers/0/url", format!("\"{}\"", document.base_path()));
        let message = "the path of the first server changed";
        comparison.tell("base-path-changed", message, said(old), said(new));
    }
    let (before, after) = (entries(old, with_base), entries(new, with_base));
    let keys = |entries: &[(Address, Entry)]| -> HashMap<Address, usize> {
        entries.iter().enumerate().map(|(index, (address, _))| (address.clone(), index)).collect()
    };
    let (old_keys, new_keys) = (keys(&before), keys(&after));
    let mut moved = BTreeSet::new();
    for (address, entry) in &after {
        if let Some(index) = old_keys.get(address) {
            pair(comparison, &before[*index].1, entry);
            continue;
        }
        let from = before.iter().find(|(address, other)| {
            other.operation_id.is_some() && other.operation_id == entry.operation_id && !new_keys.contains_key(address)
        });
        let pointer = reference::pointer(["paths", &entry.path, &entry.method]);
        match from {
            Some((address, other)) => {
                moved.insert(address.clone());
                comparison.operation = Some(entry.name.clone());
                let before = reference::pointer(["paths", &other.path, &other.method]);
                let message = format!("{} moved to {}", other.name, entry.name);
                comparison.tell(
                    "operation-moved",
                    message,
                    Said::value(&before, &other.name),
                    Said::value(&pointer, &entry.name),
                );
                pair(comparison, other, entry);
            }
            None => {
                comparison.operation = Some(entry.name.clone());
                comparison.tell("operation-added", "the operation was added", None, Said::place(&pointer));
            }
        }
    }
    let gone = before.iter().filter(|(address, _)| !new_keys.contains_key(address) && !moved.contains(address));
    for (_, entry) in gone {
        removed(comparison, entry);
    }
    comparison.operation = None;
}

/// Whether the base path is a part of the address: if it changed, but the paths make up for it.
fn addresses_include_the_base(old: &Document, new: &Document) -> bool {
    if old.base_path() == new.base_path() {
        return false;
    }
    let common = |with_base: bool| {
        let before: BTreeSet<Address> = entries(old, with_base).into_iter().map(|(address, _)| address).collect();
        entries(new, with_base).iter().filter(|(address, _)| before.contains(address)).count()
    };
    common(true) > common(false)
}

fn entries(document: &Document, with_base: bool) -> Vec<(Address, Entry)> {
    let base = if with_base { document.base_path() } else { "" };
    let entry = |located: crate::document::Located<'_>| {
        let address = (located.method.to_owned(), open(&format!("{base}{}", located.path)).0);
        let name = format!("{} {}", located.method.to_uppercase(), located.path);
        let operation_id = located.operation["operationId"].as_str().map(str::to_owned);
        let (path, method) = (located.path.to_owned(), located.method.to_owned());
        (address, Entry { name, path, method, operation_id })
    };
    document.located().map(entry).collect()
}

/// A path without the names of its variables, and the names.
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
    let at = At::new(comparison.old, &reference::pointer(["paths", &entry.path, &entry.method]));
    comparison.operation = Some(entry.name.clone());
    let sunset = at.text("x-sunset").and_then(date);
    let (rule, message) = match (at.is("deprecated"), sunset, &comparison.today) {
        (false, ..) => ("operation-removed", "the operation is gone".to_owned()),
        (true, Some(day), Some(today)) if day > today.as_str() => {
            ("operation-removed-before-sunset", format!("the operation is gone before {day}"))
        }
        (true, Some(day), None) => ("operation-removed-before-sunset", format!("the operation is gone before {day}")),
        (true, ..) => ("operation-removed-after-deprecation", "the deprecated operation is gone".to_owned()),
    };
    comparison.tell(rule, message, Said::at(&at), None);
}

/// A day in the form that can be compared as text; of a point in time, its day.
fn date(text: &str) -> Option<&str> {
    let shape: String = text.chars().take(10).map(|found| if found.is_ascii_digit() { '0' } else { found }).collect();
    (shape == "0000-00-00").then(|| &text[..10])
}

fn pair(comparison: &mut Comparison<'_>, before: &Entry, after: &Entry) {
    let at = |document, entry: &Entry| {
        let item = At::new(document, &reference::pointer(["paths", &entry.path]));
        (item.clone(), item.get(&entry.method).unwrap_or(item))
    };
    let (old_item, old) = at(comparison.old, before);
    let (new_item, new) = at(comparison.new, after);
    let shared = ["parameters", "servers", "summary", "description"];
    let same_item = shared.iter().all(|key| match (old_item.get(key), new_item.get(key)) {
        (Some(old), Some(new)) => comparison.unchanged.holds(&old, &new),
        (None, None) => true,
        _ => false,
    });
    let same_security = old.get("security").is_some() || security::is_same_by_default(comparison);
    let same_names = open(&before.path).1 == open(&after.path).1;
    if same_names && same_item && same_security && comparison.unchanged.holds(&old, &new) {
        return;
    }
    comparison.operation = Some(after.name.clone());
    names(comparison, &old, &new);
    tags(comparison, &old, &new);
    deprecation(comparison, &old, &new);
    whole::documentation(comparison, &old, &new);
    whole::extensions(comparison, &old, &new);
    path_variables(comparison, before, after);
    let renamed: BTreeMap<&str, &str> = open(&before.path).1.into_iter().zip(open(&after.path).1).collect();
    comparison.towards(Direction::Request, |comparison| {
        parameters::compare(comparison, (&old_item, &old), (&new_item, &new), &renamed);
        bodies::compare(comparison, &old, &new);
    });
    comparison.towards(Direction::Response, |comparison| responses::compare(comparison, &old, &new));
    security::compare(comparison, &old, &new);
    callbacks(comparison, &old, &new);
    comparison.operation = None;
}

fn names(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    let said = |at: &At<'_>, id: &str| Said::value(&format!("{}/operationId", at.pointer), id);
    match (old.text("operationId"), new.text("operationId")) {
        (Some(before), Some(after)) if before != after => {
            comparison.tell("operation-id-changed", "the operationId changed", said(old, before), said(new, after));
        }
        (Some(before), None) => {
            comparison.tell("operation-id-removed", "the operationId is gone", said(old, before), Said::at(new));
        }
        (None, Some(after)) => {
            comparison.tell("operation-id-added", "an operationId was added", Said::at(old), said(new, after));
        }
        _ => {}
    }
}

fn tags(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    let (before, after) = (old.items_of("tags"), new.items_of("tags"));
    let has = |list: &[At<'_>], tag: &At<'_>| list.iter().any(|other| other.value == tag.value);
    for tag in before.iter().filter(|tag| !has(&after, tag)) {
        let message = format!("the tag {} is gone", tag.value);
        comparison.tell("operation-tag-removed", message, Said::whole(tag), Said::at(new));
    }
    for tag in after.iter().filter(|tag| !has(&before, tag)) {
        let message = format!("the tag {} was added", tag.value);
        comparison.tell("operation-tag-added", message, Said::at(old), Said::whole(tag));
    }
}

fn deprecation(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    match (old.is("deprecated"), new.is("deprecated")) {
        (false, true) => {
            let at = format!("{}/deprecated", new.pointer);
            comparison.tell("operation-deprecated", "the operation is deprecated", Said::at(old), Said::place(&at));
        }
        (true, false) => {
            let message = "the operation is no longer deprecated";
            comparison.tell("operation-undeprecated", message, Said::at(old), Said::at(new));
        }
        _ => {}
    }
    let (before, after) = (old.get("x-sunset"), new.get("x-sunset"));
    if before.as_ref().map(|at| at.value) == after.as_ref().map(|at| at.value) {
        return;
    }
    let day = |at: &Option<At<'_>>| at.as_ref().and_then(|at| date(at.value.as_str()?).map(str::to_owned));
    let said = |at: &Option<At<'_>>, holder: &At<'_>| at.as_ref().map_or_else(|| Said::at(holder), Said::whole);
    let (rule, message) = match (day(&before), day(&after)) {
        (_, None) if after.is_some() => ("sunset-invalid", "x-sunset is not a date"),
        (_, None) => ("sunset-removed", "x-sunset is gone"),
        (None, Some(_)) => ("sunset-added", "x-sunset names the day of the end"),
        (Some(before), Some(after)) if after < before => ("sunset-moved-earlier", "x-sunset was moved closer"),
        _ => ("sunset-moved-later", "x-sunset was put off"),
    };
    comparison.tell(rule, message, said(&before, old), said(&after, new));
}

fn path_variables(comparison: &mut Comparison<'_>, before: &Entry, after: &Entry) {
    let pairs = open(&before.path).1.into_iter().zip(open(&after.path).1);
    for (old, new) in pairs.filter(|(old, new)| old != new) {
        let said = |path: &str, name: &str| Said::value(&reference::pointer(["paths", path]), name);
        let message = format!("the variable {old} of the path is called {new}");
        comparison.tell("path-parameter-renamed", message, said(&before.path, old), said(&after.path, new));
    }
}

/// A callback is an operation the other way round: the server sends the request, the client answers.
fn callbacks<'d>(comparison: &mut Comparison<'d>, old: &At<'d>, new: &At<'d>) {
    let (before, after) = (callbacks_of(comparison.old, old), callbacks_of(comparison.new, new));
    for (name, at) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        comparison.tell("callback-removed", format!("the callback {name} is gone"), Said::at(at), Said::at(new));
    }
    for (name, at) in &after {
        let Some(other) = before.get(name) else {
            comparison.tell("callback-added", format!("the callback {name} was added"), Said::at(old), Said::at(at));
            continue;
        };
        comparison.inside(format!("callback {name}"), |comparison| callback(comparison, other, at));
    }
}

/// Callbacks by name and expression.
fn callbacks_of<'d>(document: &'d Document, operation: &At<'d>) -> BTreeMap<String, At<'d>> {
    let expressions = |(name, at): (&str, At<'d>)| {
        let entries = at.resolved(document).entries().filter(|(key, _)| !key.starts_with("x-"));
        entries.map(|(expression, at)| (format!("{name} {expression}"), at)).collect::<Vec<_>>()
    };
    operation.entries_of("callbacks").flat_map(expressions).collect()
}

fn callback<'d>(comparison: &mut Comparison<'d>, old: &At<'d>, new: &At<'d>) {
    for method in crate::document::METHODS {
        match (old.get(method), new.get(method)) {
            (Some(before), Some(after)) => {
                comparison.towards(Direction::Response, |comparison| bodies::schemas(comparison, &before, &after));
                comparison.towards(Direction::Request, |comparison| responses::schemas(comparison, &before, &after));
            }
            (Some(before), None) => {
                let message = format!("the server no longer calls back with {}", method.to_uppercase());
                comparison.tell("callback-operation-removed", message, Said::at(&before), Said::at(new));
            }
            (None, Some(after)) => {
                let message = format!("the server also calls back with {}", method.to_uppercase());
                comparison.tell("callback-operation-added", message, Said::at(old), Said::at(&after));
            }
            (None, None) => {}
        }
    }
}
