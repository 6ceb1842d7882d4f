//! Compares security requirements and schemes.
//!
//! Schemes are identified by their definition, not by their name: a requirement of a renamed scheme is unchanged.

use super::annotations;
use super::change::ChangeSide;
use super::comparison::Comparison;
use countersign_contract_document::{Document, Node};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One alternative of a requirement: scopes by scheme.
type Alternative = BTreeMap<String, BTreeSet<String>>;

/// Whether the document-wide requirement is the same on both sides.
pub(super) fn is_same_by_default(comparison: &Comparison<'_>) -> bool {
    comparison.old.value().get("security") == comparison.new.value().get("security")
}

pub(super) fn compare(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let names = renamed_schemes(comparison.old, comparison.new);
    let (before, old_at) = alternatives(comparison.old, old, &names);
    let (after, new_at) = alternatives(comparison.new, new, &BTreeMap::new());
    let is_open = |list: &[Alternative]| list.is_empty() || list.iter().any(BTreeMap::is_empty);
    let side = |at: &str, list: &[Alternative]| ChangeSide::with_value(at, as_text(list));
    comparison.inside("security", |comparison| match (is_open(&before), is_open(&after)) {
        (true, false) => {
            let message = "the operation requires credentials";
            comparison.report("security-added", message, side(&old_at, &before), side(&new_at, &after));
        }
        (false, true) => {
            let message = "the operation no longer requires credentials";
            comparison.report("security-removed", message, side(&old_at, &before), side(&new_at, &after));
        }
        (true, true) => {}
        (false, false) => secured(comparison, (&before, &old_at), (&after, &new_at)),
    });
}

fn secured(comparison: &mut Comparison<'_>, old: (&[Alternative], &str), new: (&[Alternative], &str)) {
    let schemes = |alternative: &Alternative| alternative.keys().cloned().collect::<BTreeSet<_>>();
    for before in old.0 {
        // The new document has an alternative that requires no more.
        if new.0.iter().any(|after| asks_for_no_more(after, before)) {
            continue;
        }
        let side = (ChangeSide::with_value(old.1, alternative_as_text(before)), ChangeSide::at_pointer(new.1));
        match new.0.iter().find(|after| schemes(after) == schemes(before)) {
            Some(after) => {
                for (scheme, scopes) in after {
                    for scope in scopes.difference(&before[scheme]) {
                        let message = format!("{scheme} requires the scope {scope}");
                        comparison.report(
                            "security-scope-added",
                            message,
                            side.0.clone(),
                            ChangeSide::with_value(new.1, alternative_as_text(after)),
                        );
                    }
                }
            }
            None => {
                let message = format!("{} is no longer sufficient", alternative_as_text(before));
                comparison.report("security-alternative-removed", message, side.0, side.1);
            }
        }
    }
    for after in new.0 {
        if old.0.iter().any(|before| asks_for_no_more(before, after)) {
            continue;
        }
        match old.0.iter().find(|before| schemes(before) == schemes(after)) {
            Some(before) => {
                for (scheme, scopes) in before {
                    for scope in scopes.difference(&after[scheme]) {
                        let message = format!("{scheme} no longer requires the scope {scope}");
                        comparison.report(
                            "security-scope-removed",
                            message,
                            ChangeSide::with_value(old.1, alternative_as_text(before)),
                            ChangeSide::with_value(new.1, alternative_as_text(after)),
                        );
                    }
                }
            }
            None => {
                let message = format!("{} is now sufficient", alternative_as_text(after));
                comparison.report(
                    "security-alternative-added",
                    message,
                    ChangeSide::at_pointer(old.1),
                    ChangeSide::with_value(new.1, alternative_as_text(after)),
                );
            }
        }
    }
}

fn asks_for_no_more(one: &Alternative, other: &Alternative) -> bool {
    one.iter().all(|(scheme, scopes)| other.get(scheme).is_some_and(|given| scopes.is_subset(given)))
}

fn alternatives(
    document: &Document,
    operation: &Node<'_>,
    names: &BTreeMap<String, String>,
) -> (Vec<Alternative>, String) {
    let at = operation.get("security").or_else(|| Node::at(document, "").get("security"));
    let Some(at) = at else { return (Vec::new(), operation.pointer.clone()) };
    let alternative = |value: &Value| {
        let entries = value.as_object().into_iter().flatten();
        entries
            .map(|(scheme, scopes)| {
                let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
                (names.get(scheme).unwrap_or(scheme).clone(), scopes.map(str::to_owned).collect())
            })
            .collect()
    };
    (at.value.as_array().into_iter().flatten().map(alternative).collect(), at.pointer)
}

fn alternative_as_text(alternative: &Alternative) -> String {
    let scheme = |(scheme, scopes): (&String, &BTreeSet<String>)| match scopes.is_empty() {
        true => scheme.clone(),
        false => format!("{scheme} ({})", scopes.iter().cloned().collect::<Vec<_>>().join(", ")),
    };
    match alternative.is_empty() {
        true => "nothing".to_owned(),
        false => alternative.iter().map(scheme).collect::<Vec<_>>().join(" and "),
    }
}

fn as_text(list: &[Alternative]) -> String {
    match list {
        [] => "nothing".to_owned(),
        list => list.iter().map(alternative_as_text).collect::<Vec<_>>().join(" or "),
    }
}

fn definitions<'d>(document: &'d Document) -> BTreeMap<&'d str, Node<'d>> {
    let at = Node::at(document, "/components/securitySchemes");
    at.entries().map(|(name, at)| (name, at.resolved())).collect()
}

/// New names of renamed schemes by their old name.
fn renamed_schemes(old: &Document, new: &Document) -> BTreeMap<String, String> {
    let (before, after) = (definitions(old), definitions(new));
    let without_description = |at: &Node<'_>| {
        let mut value = at.value.clone();
        value.as_object_mut().map(|map| map.remove("description"));
        value
    };
    let removed = before.iter().filter(|(name, _)| !after.contains_key(*name));
    removed
        .filter_map(|(name, at)| {
            let other = after.iter().find(|(other, value)| {
                !before.contains_key(*other) && without_description(value) == without_description(at)
            })?;
            Some(((*name).to_owned(), (*other.0).to_owned()))
        })
        .collect()
}

/// Compares the definitions of schemes.
pub(super) fn schemes(comparison: &mut Comparison<'_>) {
    let names = renamed_schemes(comparison.old, comparison.new);
    let (before, after) = (definitions(comparison.old), definitions(comparison.new));
    comparison.inside("security schemes", |comparison| {
        for (name, at) in &before {
            match (after.get(name), names.get(*name)) {
                (Some(other), _) => comparison.inside(*name, |comparison| scheme(comparison, at, other)),
                (None, Some(new)) => {
                    let message = format!("the scheme {name} is called {new}");
                    let side = after.get(new.as_str()).and_then(|at| ChangeSide::with_value(&at.pointer, new));
                    comparison.report(
                        "security-scheme-renamed",
                        message,
                        ChangeSide::with_value(&at.pointer, *name),
                        side,
                    );
                }
                (None, None) => {
                    comparison.report(
                        "security-scheme-removed",
                        format!("the scheme {name} was removed"),
                        ChangeSide::at(at),
                        None,
                    );
                }
            }
        }
        let is_new = |name: &str| !before.contains_key(name) && !names.values().any(|new| new == name);
        for (name, at) in after.iter().filter(|(name, _)| is_new(name)) {
            comparison.report(
                "security-scheme-added",
                format!("the scheme {name} was added"),
                None,
                ChangeSide::at(at),
            );
        }
    });
}

fn scheme(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    annotations::documentation(comparison, old, new);
    annotations::extensions(comparison, old, new);
    let lower = |at: &Node<'_>, key: &str| at.text(key).map(str::to_ascii_lowercase);
    let text = |at: &Node<'_>, key: &str| at.text(key).map(str::to_owned);
    let mut changed = |key: &str, rule: &str, before: Option<String>, after: Option<String>| {
        let differs = before != after;
        if differs {
            let side = |at: &Node<'_>, value: Option<String>| {
                ChangeSide::with_value(&format!("{}/{key}", at.pointer), value.unwrap_or_else(|| "nothing".to_owned()))
            };
            comparison.report(rule, format!("{key} changed"), side(old, before), side(new, after));
        }
        differs
    };
    if changed("type", "security-scheme-type-changed", text(old, "type"), text(new, "type")) {
        return;
    }
    changed("in", "security-scheme-location-changed", text(old, "in"), text(new, "in"));
    // Names of headers are case-insensitive.
    let name = |at: &Node<'_>| if at.text("in") == Some("header") { lower(at, "name") } else { text(at, "name") };
    changed("name", "security-scheme-location-changed", name(old), name(new));
    changed("scheme", "security-scheme-http-changed", lower(old, "scheme"), lower(new, "scheme"));
    changed("bearerFormat", "security-bearer-format-changed", text(old, "bearerFormat"), text(new, "bearerFormat"));
    changed(
        "openIdConnectUrl",
        "security-flow-url-changed",
        text(old, "openIdConnectUrl"),
        text(new, "openIdConnectUrl"),
    );
    changed(
        "oauth2MetadataUrl",
        "security-flow-url-changed",
        text(old, "oauth2MetadataUrl"),
        text(new, "oauth2MetadataUrl"),
    );
    flows(comparison, old, new);
}

/// Compares the OAuth flows of a scheme.
fn flows(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (old.entries_of("flows").collect(), new.entries_of("flows").collect());
    for (name, at) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        let message = format!("the flow {name} was added");
        comparison.report("security-flow-added", message, ChangeSide::at(old), ChangeSide::at(at));
    }
    for (name, at) in &before {
        match after.get(name) {
            Some(other) => {
                flow_urls(comparison, name, at, other);
                flow_scopes(comparison, name, at, other);
            }
            None => {
                let message = format!("the flow {name} was removed");
                comparison.report("security-flow-removed", message, ChangeSide::at(at), ChangeSide::at(new));
            }
        }
    }
}

fn flow_urls(comparison: &mut Comparison<'_>, flow: &str, old: &Node<'_>, new: &Node<'_>) {
    for key in ["authorizationUrl", "deviceAuthorizationUrl", "tokenUrl", "refreshUrl"] {
        if old.text(key) != new.text(key) {
            let side = |at: &Node<'_>| {
                ChangeSide::with_value(&format!("{}/{key}", at.pointer), at.text(key).unwrap_or("nothing"))
            };
            comparison.report("security-flow-url-changed", format!("{key} of {flow} changed"), side(old), side(new));
        }
    }
}

/// Compares the scopes that a flow offers, and their descriptions.
fn flow_scopes(comparison: &mut Comparison<'_>, flow: &str, old: &Node<'_>, new: &Node<'_>) {
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (old.entries_of("scopes").collect(), new.entries_of("scopes").collect());
    for (scope, at) in &before {
        match after.get(scope) {
            Some(other) if at.value != other.value => {
                let message = format!("the description of the scope {scope} changed");
                let sides = (ChangeSide::with_node_value(at), ChangeSide::with_node_value(other));
                comparison.report("documentation-changed", message, sides.0, sides.1);
            }
            Some(_) => {}
            None => {
                let message = format!("{flow} no longer offers the scope {scope}");
                comparison.report("security-flow-scope-removed", message, ChangeSide::at(at), ChangeSide::at(new));
            }
        }
    }
    for (scope, at) in after.iter().filter(|(scope, _)| !before.contains_key(*scope)) {
        let message = format!("{flow} offers the scope {scope}");
        comparison.report("security-flow-scope-added", message, ChangeSide::at(old), ChangeSide::at(at));
    }
}
