//! The document as a whole: information, servers, tags, named schemas, words and extensions.

use super::at::{At, words};
use super::comparison::{Comparison, Said};
use super::security;
use std::collections::BTreeMap;

pub(super) fn compare(comparison: &mut Comparison<'_>) {
    let (old, new) = (At::new(comparison.old, ""), At::new(comparison.new, ""));
    value(comparison, "openapi-version-changed", "openapi", &old, &new);
    information(comparison, &old, &new);
    servers(comparison, &old, &new);
    tags(comparison, &old, &new);
    extensions(comparison, &old, &new);
    if let (Some(old), Some(new)) = (old.get("externalDocs"), new.get("externalDocs"))
        && old.value != new.value
    {
        let message = "externalDocs changed";
        comparison.tell("documentation-changed", message, Said::whole(&old), Said::whole(&new));
    }
    named_schemas(comparison, &old, &new);
    security::schemes(comparison, &old, &new);
}

/// Reports a key whose value changed.
fn value(comparison: &mut Comparison<'_>, rule: &str, key: &str, old: &At<'_>, new: &At<'_>) {
    let (before, after) = (old.get(key), new.get(key));
    if before.as_ref().map(|at| at.value) != after.as_ref().map(|at| at.value) {
        let said = |at: Option<At<'_>>, holder: &At<'_>| {
            at.as_ref().map_or_else(|| Said::place(&holder.pointer), |at| Said::value(&at.pointer, words(at.value)))
        };
        comparison.tell(rule, format!("{key} changed"), said(before, old), said(after, new));
    }
}

fn information(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
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
pub(super) fn documentation(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    for key in ["title", "summary", "description", "example", "examples", "externalDocs"] {
        value(comparison, "documentation-changed", key, old, new);
    }
}

/// Extensions, apart from those that have rules of their own.
pub(super) fn extensions(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    const KNOWN: [&str; 2] = ["x-sunset", "x-extensible-enum"];
    let keys: std::collections::BTreeSet<&str> =
        old.entries().chain(new.entries()).map(|(key, _)| key).filter(|key| key.starts_with("x-")).collect();
    for key in keys.into_iter().filter(|key| !KNOWN.contains(key)) {
        value(comparison, "extension-changed", key, old, new);
    }
}

fn servers(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    let list = |at: &At<'_>| -> Vec<(String, String)> {
        let servers = at.items_of("servers").into_iter();
        servers.filter_map(|server| Some((server.text("url")?.to_owned(), server.pointer))).collect()
    };
    let (before, after) = (list(old), list(new));
    comparison.inside("servers", |comparison| {
        for (url, pointer) in before.iter().filter(|(url, _)| !after.iter().any(|(other, _)| other == url)) {
            let message = format!("the server {url} is gone");
            comparison.tell("server-removed", message, Said::value(pointer, url), None);
        }
        for (url, pointer) in after.iter().filter(|(url, _)| !before.iter().any(|(other, _)| other == url)) {
            comparison.tell("server-added", format!("the server {url} was added"), None, Said::value(pointer, url));
        }
        for (url, pointer) in &before {
            if let Some((_, other)) = after.iter().find(|(other, _)| other == url) {
                let (old, new) = (At::new(comparison.old, pointer), At::new(comparison.new, other));
                server_variables(comparison, url, &old, &new);
                documentation(comparison, &old, &new);
                extensions(comparison, &old, &new);
            }
        }
    });
}

fn server_variables(comparison: &mut Comparison<'_>, url: &str, old: &At<'_>, new: &At<'_>) {
    for (name, before) in old.entries_of("variables") {
        let Some(after) = new.get("variables").and_then(|variables| variables.get(name)) else {
            let message = format!("the variable {name} of {url} is gone");
            comparison.tell("server-variable-changed", message, Said::at(&before), Said::at(new));
            continue;
        };
        let lost = before.items_of("enum").into_iter();
        let kept = after.get("enum").and_then(|list| list.value.as_array());
        let lost: Vec<_> = lost.filter(|value| kept.is_some_and(|kept| !kept.contains(value.value))).collect();
        if !lost.is_empty() || before.text("default") != after.text("default") {
            let message = format!("the variable {name} of {url} changed");
            comparison.tell("server-variable-changed", message, Said::whole(&before), Said::whole(&after));
        }
    }
}

fn tags(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    fn list<'d>(at: &At<'d>) -> BTreeMap<&'d str, At<'d>> {
        at.items_of("tags").into_iter().filter_map(|tag| Some((tag.text("name")?, tag))).collect()
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

fn named_schemas(comparison: &mut Comparison<'_>, old: &At<'_>, new: &At<'_>) {
    let names = |at: &At<'_>| -> BTreeMap<String, String> {
        let schemas = at.get("components").into_iter().flat_map(|components| components.entries_of("schemas"));
        schemas.map(|(name, at)| (name.to_owned(), at.pointer)).collect()
    };
    let (before, after) = (names(old), names(new));
    comparison.inside("schemas", |comparison| {
        for (name, pointer) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
            comparison.tell("schema-removed", format!("the schema {name} is gone"), Said::place(pointer), None);
        }
        for (name, pointer) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            comparison.tell("schema-added", format!("the schema {name} was added"), None, Said::place(pointer));
        }
    });
}
