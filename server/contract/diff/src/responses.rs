//! Compares responses: statuses, headers, bodies and links.

use super::change::ChangeSide;
use super::comparison::Comparison;
use super::deprecation::sunset;
use super::{annotations, bodies, parameters};
use countersign_contract_document::Node;
use std::collections::BTreeMap;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let (before, after) = (list(old), list(new));
    for (status, at) in &before {
        comparison.inside(format!("response {status}"), |comparison| {
            if let Some(other) = after.get(status) {
                return pair(comparison, at, other);
            }
            // A `default` that was there before stood for other statuses.
            let is_elsewhere = |range: &str| range == "default" && is_success(status) && before.contains_key(range);
            if let Some((range, other)) = range_of(status, &after).filter(|(range, _)| !is_elsewhere(range)) {
                let message = format!("{status} is no longer listed, {range} covers it");
                comparison.report(
                    "response-status-generalised",
                    message,
                    ChangeSide::with_value(&at.pointer, status),
                    ChangeSide::with_value(&other.pointer, range),
                );
                return pair(comparison, at, other);
            }
            let (rule, message) = if after.keys().any(|other| !before.contains_key(other) && is_in(other, status)) {
                ("response-range-removed", format!("{status} was removed, statuses in it are listed"))
            } else if is_success(status) {
                ("response-success-removed", format!("{status} was removed"))
            } else {
                ("response-error-removed", format!("{status} was removed"))
            };
            comparison.report(rule, message, ChangeSide::with_value(&at.pointer, status), ChangeSide::at(new));
        });
    }
    for (status, at) in after.iter().filter(|(status, _)| !before.contains_key(*status)) {
        comparison.inside(format!("response {status}"), |comparison| {
            let is_elsewhere = |range: &str| range == "default" && is_success(status) && after.contains_key(range);
            if let Some((range, other)) = range_of(status, &before).filter(|(range, _)| !is_elsewhere(range)) {
                let message = format!("{status} is listed, {range} covered it");
                comparison.report(
                    "response-status-specified",
                    message,
                    ChangeSide::with_value(&other.pointer, range),
                    ChangeSide::with_value(&at.pointer, status),
                );
                return pair(comparison, other, at);
            }
            if before.keys().any(|other| !after.contains_key(other) && is_in(other, status)) {
                // Reported as `response-status-generalised` of those.
                return;
            }
            let rule = if is_success(status) { "response-success-added" } else { "response-error-added" };
            comparison.report(
                rule,
                format!("{status} was added"),
                ChangeSide::at(old),
                ChangeSide::with_value(&at.pointer, status),
            );
        });
    }
}

/// Compares only the schemas of responses that both sides have.
pub(super) fn schemas<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let (before, after) = (list(old), list(new));
    for (status, at) in &before {
        if let Some(other) = after.get(status) {
            comparison.inside(format!("response {status}"), |comparison| bodies::content(comparison, at, other));
        }
    }
}

fn list<'d>(operation: &Node<'d>) -> BTreeMap<String, Node<'d>> {
    let responses = operation.entries_of("responses").filter(|(status, _)| !status.starts_with("x-"));
    responses.map(|(status, at)| (status.to_ascii_uppercase().replace("DEFAULT", "default"), at.resolved())).collect()
}

/// The range or `default` that covers an unlisted status.
fn range_of<'a, 'd>(status: &str, among: &'a BTreeMap<String, Node<'d>>) -> Option<(&'a str, &'a Node<'d>)> {
    let range = format!("{}XX", status.get(..1)?);
    let keys = [range.as_str(), "default"];
    let found =
        keys.iter().filter(|key| **key != status && (status != "default")).find_map(|key| among.get_key_value(*key));
    found.map(|(key, at)| (key.as_str(), at))
}

/// Whether a range or `default` covers a status or range.
fn is_in(status: &str, range: &str) -> bool {
    status != range && (range == "default" || range.ends_with("XX") && status.get(..1) == range.get(..1))
}

fn is_success(status: &str) -> bool {
    status.starts_with(['1', '2', '3'])
}

fn pair<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    if comparison.unchanged.holds(old, new) {
        return;
    }
    annotations::documentation(comparison, old, new);
    annotations::extensions(comparison, old, new);
    headers(comparison, old, new);
    links(comparison, old, new);
    bodies::content(comparison, old, new);
}

fn headers<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    fn list<'d>(at: &Node<'d>) -> BTreeMap<String, Node<'d>> {
        let headers = at.entries_of("headers").map(|(name, at)| (name.to_ascii_lowercase(), at.resolved()));
        // A header of this name is ignored (OpenAPI 3.0.3, Response Object).
        headers.filter(|(name, _)| name != "content-type").collect()
    }
    let (before, after) = (list(old), list(new));
    for (name, at) in &before {
        comparison.inside(format!("header {name}"), |comparison| match after.get(name) {
            Some(other) => header(comparison, at, other),
            None => {
                let rule =
                    if at.is("required") { "response-header-removed" } else { "response-optional-header-removed" };
                comparison.report(rule, "the header was removed", ChangeSide::at(at), ChangeSide::at(new));
            }
        });
    }
    for (name, at) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        comparison.inside(format!("header {name}"), |comparison| {
            comparison.report("response-header-added", "the header was added", ChangeSide::at(old), ChangeSide::at(at));
        });
    }
}

fn header<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let at = |at: &Node<'_>| ChangeSide::at_pointer(&format!("{}/required", at.pointer));
    match (old.is("required"), new.is("required")) {
        (false, true) => {
            comparison.report("response-header-became-required", "the header is always there now", at(old), at(new))
        }
        (true, false) => {
            comparison.report("response-header-became-optional", "the header may be missing now", at(old), at(new))
        }
        _ => {}
    }
    match (old.is("deprecated"), new.is("deprecated")) {
        (false, true) => {
            comparison.report(
                "response-header-deprecated",
                "the header is deprecated",
                ChangeSide::at(old),
                ChangeSide::at(new),
            );
        }
        (true, false) => {
            let message = "the header is no longer deprecated";
            comparison.report("response-header-undeprecated", message, ChangeSide::at(old), ChangeSide::at(new));
        }
        _ => {}
    }
    annotations::documentation(comparison, old, new);
    annotations::extensions(comparison, old, new);
    sunset(comparison, (old.get("x-sunset"), new.get("x-sunset")), (ChangeSide::at(old), ChangeSide::at(new)));
    parameters::described(comparison, "response-header-content-changed", old, new);
}

fn links<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    fn list<'d>(at: &Node<'d>) -> BTreeMap<&'d str, Node<'d>> {
        at.entries_of("links").map(|(name, at)| (name, at.resolved())).collect()
    }
    let (before, after) = (list(old), list(new));
    for (name, at) in &before {
        match after.get(name) {
            None => comparison.report(
                "link-removed",
                format!("the link {name} was removed"),
                ChangeSide::at(at),
                ChangeSide::at(new),
            ),
            Some(other) if at.value != other.value => {
                comparison.report(
                    "link-changed",
                    format!("the link {name} changed"),
                    ChangeSide::at(at),
                    ChangeSide::at(other),
                );
            }
            Some(_) => {}
        }
    }
    for (name, at) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        comparison.report("link-added", format!("the link {name} was added"), ChangeSide::at(old), ChangeSide::at(at));
    }
}
