//! Compares servers and their variables.

use super::annotations;
use super::change::ChangeSide;
use super::comparison::Comparison;
use countersign_contract_document::{Document, Node};
use std::collections::BTreeSet;

/// Whether both documents list the same servers, in another order.
pub(super) fn are_reordered(old: &Document, new: &Document) -> bool {
    let urls = |document: &Document| -> BTreeSet<String> {
        let servers = document.value()["servers"].as_array().into_iter().flatten();
        servers.filter_map(|server| Some(server["url"].as_str()?.trim_end_matches('/').to_owned())).collect()
    };
    urls(old) == urls(new)
}

/// Compares the servers of the document, a path or an operation.
pub(super) fn compare(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>) {
    let is_in_paths = comparison.base_is_in_paths;
    let address = |server: &Node<'_>| {
        let url = server.text("url")?.trim_end_matches('/');
        let host = match url.find("://") {
            Some(scheme) => url[scheme + 3..].find('/').map_or(url.len(), |slash| scheme + 3 + slash),
            None => 0,
        };
        Some(if is_in_paths { url[..host].to_owned() } else { url.to_owned() })
    };
    // The default is one server with the URL `/` (OpenAPI 3.0.3, OpenAPI Object).
    let list = |at: &Node<'_>| -> Vec<(String, String)> {
        let servers = at.items_of("servers");
        let named: Vec<_> = servers.filter_map(|server| Some((address(&server)?, server.pointer))).collect();
        if named.is_empty() { vec![(String::new(), at.pointer.clone())] } else { named }
    };
    let shown = |url: &str| if url.is_empty() { "/".to_owned() } else { url.to_owned() };
    let (before, after) = (list(old), list(new));
    for (url, pointer) in before.iter().filter(|(url, _)| !after.iter().any(|(other, _)| other == url)) {
        let message = format!("the server {} was removed", shown(url));
        comparison.report("server-removed", message, ChangeSide::with_value(pointer, shown(url)), ChangeSide::at(new));
    }
    for (url, pointer) in after.iter().filter(|(url, _)| !before.iter().any(|(other, _)| other == url)) {
        let message = format!("the server {} was added", shown(url));
        comparison.report("server-added", message, ChangeSide::at(old), ChangeSide::with_value(pointer, shown(url)));
    }
    for (url, pointer) in &before {
        if let Some((_, other)) = after.iter().find(|(other, _)| other == url) {
            let (old, new) = (Node::at(comparison.old, pointer), Node::at(comparison.new, other));
            if old.get("url").is_some() && new.get("url").is_some() {
                server_variables(comparison, url, &old, &new);
                annotations::documentation(comparison, &old, &new);
                annotations::extensions(comparison, &old, &new);
            }
        }
    }
}

fn server_variables(comparison: &mut Comparison<'_>, url: &str, old: &Node<'_>, new: &Node<'_>) {
    for (name, before) in old.entries_of("variables") {
        let Some(after) = new.get("variables").and_then(|variables| variables.get(name)) else {
            let message = format!("the variable {name} of {url} was removed");
            comparison.report("server-variable-changed", message, ChangeSide::at(&before), ChangeSide::at(new));
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
        comparison.report(rule, message, ChangeSide::with_node_value(&before), ChangeSide::with_node_value(&after));
    }
}
