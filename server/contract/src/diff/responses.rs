//! Answers: statuses, headers, bodies, links.

use super::comparison::{Comparison, Said};
use super::deprecation::sunset;
use super::{bodies, parameters, whole};
use crate::node::Node;
use std::collections::BTreeMap;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let (before, after) = (list(old), list(new));
    for (status, at) in &before {
        comparison.inside(format!("response {status}"), |comparison| {
            if let Some(other) = after.get(status) {
                return pair(comparison, at, other);
            }
            if let Some((range, other)) = range_of(status, &after) {
                let message = format!("{status} is not listed any more, {range} stands for it");
                comparison.tell(
                    "response-status-generalised",
                    message,
                    Said::value(&at.pointer, status),
                    Said::value(&other.pointer, range),
                );
                return pair(comparison, at, other);
            }
            let (rule, message) = if after.keys().any(|other| !before.contains_key(other) && is_in(other, status)) {
                ("response-range-removed", format!("{status} is gone, statuses in it are listed"))
            } else if is_success(status) {
                ("response-success-removed", format!("{status} is gone"))
            } else {
                ("response-error-removed", format!("{status} is gone"))
            };
            comparison.tell(rule, message, Said::value(&at.pointer, status), Said::at(new));
        });
    }
    for (status, at) in after.iter().filter(|(status, _)| !before.contains_key(*status)) {
        comparison.inside(format!("response {status}"), |comparison| {
            if let Some((range, other)) = range_of(status, &before) {
                let message = format!("{status} is listed, {range} stood for it");
                comparison.tell(
                    "response-status-specified",
                    message,
                    Said::value(&other.pointer, range),
                    Said::value(&at.pointer, status),
                );
                return pair(comparison, other, at);
            }
            if before.keys().any(|other| !after.contains_key(other) && is_in(other, status)) {
                // Told as a generalisation of those.
                return;
            }
            let rule = if is_success(status) { "response-success-added" } else { "response-error-added" };
            comparison.tell(rule, format!("{status} was added"), Said::at(old), Said::value(&at.pointer, status));
        });
    }
}

/// The schemas of the answers that both sides have, and nothing else.
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

/// The range or `default` that stands for a status which is not listed.
fn range_of<'a, 'd>(status: &str, among: &'a BTreeMap<String, Node<'d>>) -> Option<(&'a str, &'a Node<'d>)> {
    let range = format!("{}XX", status.get(..1)?);
    let keys = [range.as_str(), "default"];
    let found =
        keys.iter().filter(|key| **key != status && (status != "default")).find_map(|key| among.get_key_value(*key));
    found.map(|(key, at)| (key.as_str(), at))
}

/// Whether a status is in a range, or anything in `default`.
fn is_in(status: &str, range: &str) -> bool {
    status != range && (range == "default" || range.ends_with("XX") && status.get(..1) == range.get(..1))
}

fn is_success(status: &str) -> bool {
    status.starts_with(['1', '2', '3'])
}

fn pair<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    whole::documentation(comparison, old, new);
    whole::extensions(comparison, old, new);
    headers(comparison, old, new);
    links(comparison, old, new);
    bodies::content(comparison, old, new);
}

fn headers<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    fn list<'d>(at: &Node<'d>) -> BTreeMap<String, Node<'d>> {
        let headers = at.entries_of("headers").map(|(name, at)| (name.to_ascii_lowercase(), at.resolved()));
        // OpenAPI 3.0.3, Response Object: a header of this name is ignored.
        headers.filter(|(name, _)| name != "content-type").collect()
    }
    let (before, after) = (list(old), list(new));
    for (name, at) in &before {
        comparison.inside(format!("header {name}"), |comparison| match after.get(name) {
            Some(other) => header(comparison, at, other),
            None => {
                let rule =
                    if at.is("required") { "response-header-removed" } else { "response-optional-header-removed" };
                comparison.tell(rule, "the header is gone", Said::at(at), Said::at(new));
            }
        });
    }
    for (name, at) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        comparison.inside(format!("header {name}"), |comparison| {
            comparison.tell("response-header-added", "the header was added", Said::at(old), Said::at(at));
        });
    }
}

fn header<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let at = |at: &Node<'_>| Said::place(&format!("{}/required", at.pointer));
    match (old.is("required"), new.is("required")) {
        (false, true) => {
            comparison.tell("response-header-became-required", "the header is always there now", at(old), at(new))
        }
        (true, false) => {
            comparison.tell("response-header-became-optional", "the header may be missing now", at(old), at(new))
        }
        _ => {}
    }
    match (old.is("deprecated"), new.is("deprecated")) {
        (false, true) => {
            comparison.tell("response-header-deprecated", "the header is deprecated", Said::at(old), Said::at(new));
        }
        (true, false) => {
            let message = "the header is no longer deprecated";
            comparison.tell("response-header-undeprecated", message, Said::at(old), Said::at(new));
        }
        _ => {}
    }
    whole::documentation(comparison, old, new);
    whole::extensions(comparison, old, new);
    sunset(comparison, (old.get("x-sunset"), new.get("x-sunset")), (Said::at(old), Said::at(new)));
    parameters::described(comparison, "response-header-content-changed", old, new);
}

fn links<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    fn list<'d>(at: &Node<'d>) -> BTreeMap<&'d str, Node<'d>> {
        at.entries_of("links").map(|(name, at)| (name, at.resolved())).collect()
    }
    let (before, after) = (list(old), list(new));
    for (name, at) in &before {
        match after.get(name) {
            None => comparison.tell("link-removed", format!("the link {name} is gone"), Said::at(at), Said::at(new)),
            Some(other) if at.value != other.value => {
                comparison.tell("link-changed", format!("the link {name} changed"), Said::at(at), Said::at(other));
            }
            Some(_) => {}
        }
    }
    for (name, at) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        comparison.tell("link-added", format!("the link {name} was added"), Said::at(old), Said::at(at));
    }
}
