//! The document as a whole: information, servers, tags, named schemas, words and extensions.

use super::comparison::words;
use super::comparison::{Comparison, Said};
use super::security;
use crate::node::Node;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (Node::at(comparison.old, ""), Node::at(comparison.new, ""));
    value(comparison, "openapi-version-changed", "openapi", &old, &new);
    information(comparison, &old, &new);
    comparison.inside("servers", |comparison| servers(comparison, &old, &new));
    tags(comparison, &old, &new);
    extensions(comparison, &old, &new);
    value(comparison, "documentation-changed", "externalDocs", &old, &new);
    for (key, place) in [("paths", "paths"), ("components", "components")] {
        if let (Some(old), Some(new)) = (old.get(key), new.get(key)) {
            comparison.inside(place, |comparison| extensions(comparison, &old, &new));
        }
    }
    named_schemas(comparison, &old, &new);
    security::schemes(comparison, &old, &new);
}

/// Reports a key whose value changed.
fn value(comparison: &mut Comparison<'_>, rule: &str, key: &str, old: &Node<'_>, new: &Node<'_>) {
    let (before, after) = (old.get(key), new.get(key));
    if before.as_ref().map(|at| at.value) != after.as_ref().map(|at| at.value) {
        let said = |at: Option<Node<'_>>, holder: &Node<'_>| {
            at.as_ref().map_or_else(|| Said::place(&holder.pointer), |at| Said::value(&at.pointer, words(at.value)))
        };
        comparison.tell(rule, format!("{key} changed"), said(before, old), said(after, new));
    }
}

fn information(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let (Some(old), Some(new)) = (old.get("info"), new.get("info")) else { return };
    comparison.inside("info", |comparison| {
        value(comparison, "info-version-changed", "version", &old, &new);
        for key in ["title", "description", "termsOfService", "contact", "license"] {
            value(comparison, "documentation-changed", key, &old, &new);
        }
        extensions(comparison, &old, &new);
    });
}

/// Words for people: reports each of these keys whose value changed.
pub(super) fn documentation(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    for key in ["title", "summary", "description", "example", "examples", "externalDocs"] {
        value(comparison, "documentation-changed", key, old, new);
    }
}

/// Extensions, apart from those that have rules of their own.
pub(super) fn extensions(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    const KNOWN: [&str; 2] = ["x-sunset", "x-extensible-enum"];
    let keys: BTreeSet<&str> =
        old.entries().chain(new.entries()).map(|(key, _)| key).filter(|key| key.starts_with("x-")).collect();
    for key in keys.into_iter().filter(|key| !KNOWN.contains(key)) {
        value(comparison, "extension-changed", key, old, new);
    }
}

/// The servers of the document, or those that a path or an operation has instead.
pub(super) fn servers(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let is_in_paths = comparison.base_is_in_paths;
    let address = |server: &Node<'_>| {
        let url = server.text("url")?.trim_end_matches('/');
        let host = match url.find("://") {
            Some(scheme) => url[scheme + 3..].find('/').map_or(url.len(), |slash| scheme + 3 + slash),
            None => 0,
        };
        Some(if is_in_paths { url[..host].to_owned() } else { url.to_owned() })
    };
    // Without servers, there is one at `/` (OpenAPI 3.0.3, OpenAPI Object).
    let list = |at: &Node<'_>| -> Vec<(String, String)> {
        let servers = at.items_of("servers");
        let named: Vec<_> = servers.filter_map(|server| Some((address(&server)?, server.pointer))).collect();
        if named.is_empty() { vec![(String::new(), at.pointer.clone())] } else { named }
    };
    let shown = |url: &str| if url.is_empty() { "/".to_owned() } else { url.to_owned() };
    let (before, after) = (list(old), list(new));
    for (url, pointer) in before.iter().filter(|(url, _)| !after.iter().any(|(other, _)| other == url)) {
        let message = format!("the server {} is gone", shown(url));
        comparison.tell("server-removed", message, Said::value(pointer, shown(url)), Said::at(new));
    }
    for (url, pointer) in after.iter().filter(|(url, _)| !before.iter().any(|(other, _)| other == url)) {
        let message = format!("the server {} was added", shown(url));
        comparison.tell("server-added", message, Said::at(old), Said::value(pointer, shown(url)));
    }
    for (url, pointer) in &before {
        if let Some((_, other)) = after.iter().find(|(other, _)| other == url) {
            let (old, new) = (Node::at(comparison.old, pointer), Node::at(comparison.new, other));
            if old.get("url").is_some() && new.get("url").is_some() {
                server_variables(comparison, url, &old, &new);
                documentation(comparison, &old, &new);
                extensions(comparison, &old, &new);
            }
        }
    }
}

fn server_variables(comparison: &mut Comparison<'_>, url: &str, old: &Node<'_>, new: &Node<'_>) {
    for (name, before) in old.entries_of("variables") {
        let Some(after) = new.get("variables").and_then(|variables| variables.get(name)) else {
            let message = format!("the variable {name} of {url} is gone");
            comparison.tell("server-variable-changed", message, Said::at(&before), Said::at(new));
            continue;
        };
        let values = |at: &Node<'_>| {
            let list = at.get("enum")?.value.as_array()?;
            Some(list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect::<BTreeSet<_>>())
        };
        let (had, has) = (values(&before), values(&after));
        let loses = match (&had, &has) {
            (Some(had), Some(has)) => !had.is_subset(has),
            (None, has) => has.is_some(),
            (Some(_), None) => false,
        };
        let (rule, message) = match () {
            () if loses || before.text("default") != after.text("default") => ("server-variable-changed", "changed"),
            () if had != has => ("server-variable-extended", "may have other values"),
            () => continue,
        };
        let message = format!("the variable {name} of {url} {message}");
        comparison.tell(rule, message, Said::whole(&before), Said::whole(&after));
    }
}

fn tags(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    fn list<'d>(at: &Node<'d>) -> BTreeMap<&'d str, Node<'d>> {
        at.items_of("tags").filter_map(|tag| Some((tag.text("name")?, tag))).collect()
    }
    let (before, after) = (list(old), list(new));
    comparison.inside("tags", |comparison| {
        for (name, tag) in &before {
            match after.get(name) {
                None => comparison.tell("tag-removed", format!("the tag {name} is gone"), Said::at(tag), None),
                Some(other) => comparison.inside(*name, |comparison| {
                    documentation(comparison, tag, other);
                    extensions(comparison, tag, other);
                }),
            }
        }
        for (name, tag) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            comparison.tell("tag-added", format!("the tag {name} was added"), None, Said::at(tag));
        }
    });
}

fn named_schemas(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let names = |at: &Node<'_>| -> BTreeMap<String, String> {
        let schemas = at.get("components").into_iter().flat_map(|components| components.entries_of("schemas"));
        schemas.map(|(name, at)| (name.to_owned(), at.pointer)).collect()
    };
    let (before, after) = (names(old), names(new));
    // What has another name now is told of by itself.
    let (gone, come): (BTreeSet<String>, BTreeSet<String>) = comparison.renamed_schemas.iter().cloned().unzip();
    let before: BTreeMap<_, _> = before.into_iter().filter(|(name, _)| !gone.contains(name)).collect();
    let is_news = |name: &str| !before.contains_key(name) && !come.contains(name);
    comparison.inside("schemas", |comparison| {
        for (name, pointer) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
            comparison.tell("schema-removed", format!("the schema {name} is gone"), Said::place(pointer), None);
        }
        for (name, pointer) in after.iter().filter(|(name, _)| is_news(name)) {
            comparison.tell("schema-added", format!("the schema {name} was added"), None, Said::place(pointer));
        }
    });
}
