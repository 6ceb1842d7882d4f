//! Compares request bodies, and the media types of requests and responses.

use super::change::{ChangeSide, Direction};
use super::comparison::Comparison;
use super::{annotations, schema};
use countersign_contract_document::Node;

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let before = old.get("requestBody").map(|at| at.resolved());
    let after = new.get("requestBody").map(|at| at.resolved());
    comparison.inside("request body", |comparison| match (before, after) {
        (None, Some(after)) if after.is("required") => {
            comparison.report(
                "request-body-added-required",
                "a required body was added",
                ChangeSide::at(old),
                ChangeSide::at(&after),
            );
        }
        (None, Some(after)) => {
            comparison.report(
                "request-body-added-optional",
                "an optional body was added",
                ChangeSide::at(old),
                ChangeSide::at(&after),
            );
        }
        (Some(before), None) => {
            comparison.report(
                "request-body-removed",
                "the body was removed",
                ChangeSide::at(&before),
                ChangeSide::at(new),
            );
        }
        (Some(before), Some(after)) => {
            let at = |at: &Node<'_>| ChangeSide::at_pointer(&format!("{}/required", at.pointer));
            match (before.is("required"), after.is("required")) {
                (false, true) => comparison.report(
                    "request-body-became-required",
                    "the body became required",
                    at(&before),
                    at(&after),
                ),
                (true, false) => comparison.report(
                    "request-body-became-optional",
                    "the body is no longer required",
                    at(&before),
                    at(&after),
                ),
                _ => {}
            }
            annotations::documentation(comparison, &before, &after);
            annotations::extensions(comparison, &before, &after);
            content(comparison, &before, &after);
        }
        (None, None) => {}
    });
}

/// Compares only the schemas of request bodies.
pub(super) fn schemas<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let before = old.get("requestBody").map(|at| at.resolved());
    let after = new.get("requestBody").map(|at| at.resolved());
    if let (Some(before), Some(after)) = (before, after) {
        comparison.inside("request body", |comparison| content(comparison, &before, &after));
    }
}

/// Compares media types and their schemas.
pub(super) fn content<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let media_types =
        |at: &Node<'d>| at.entries_of("content").map(|(name, at)| (name, at.resolved())).collect::<Vec<_>>();
    let (before, after) = (media_types(old), media_types(new));
    let is_request = comparison.direction == Direction::Request;
    if !is_request && before.is_empty() != after.is_empty() {
        let (rule, message) = match after.is_empty() {
            true => ("response-body-removed", "the body of the response was removed"),
            false => ("response-body-added", "a body was added to the response"),
        };
        comparison.report(rule, message, ChangeSide::at(old), ChangeSide::at(new));
        return;
    }
    // Pairs each old media type with an equal one, with a range that covers it, or with those that it covered as a range.
    let mut pairs = Vec::new();
    for (index, (media_type, _)) in before.iter().enumerate() {
        let equal = after.iter().position(|(other, _)| normal(other) == normal(media_type));
        let wider = || after.iter().position(|(other, _)| covers(other, media_type));
        match equal.or_else(wider) {
            Some(other) => pairs.push((index, other)),
            None => pairs.extend(
                after
                    .iter()
                    .enumerate()
                    .filter(|(_, (other, _))| covers(media_type, other))
                    .map(|(other, _)| (index, other)),
            ),
        }
    }
    for (index, (media_type, at)) in before.iter().enumerate() {
        let left: Vec<_> = pairs.iter().filter(|(from, _)| *from == index).map(|(_, to)| after[*to].0).collect();
        // Requests may support fewer types than the range covered; responses stay within it.
        let is_kept = left.iter().any(|other| normal(other) == normal(media_type) || covers(other, media_type));
        if left.is_empty() || is_request && !is_kept {
            let rule = if is_request { "request-media-type-removed" } else { "response-media-type-removed" };
            let message = format!("the media type {media_type} was removed");
            comparison.report(rule, message, ChangeSide::with_value(&at.pointer, *media_type), ChangeSide::at(new));
        }
    }
    for (index, (media_type, at)) in after.iter().enumerate() {
        let known: Vec<_> = pairs.iter().filter(|(_, to)| *to == index).map(|(from, _)| before[*from].0).collect();
        let was_known = known.iter().any(|other| normal(other) == normal(media_type) || covers(other, media_type));
        if known.is_empty() || !was_known {
            let rule = if is_request { "request-media-type-added" } else { "response-media-type-added" };
            let message = format!("the media type {media_type} was added");
            comparison.report(rule, message, ChangeSide::at(old), ChangeSide::with_value(&at.pointer, *media_type));
        }
    }
    for (from, to) in pairs {
        comparison.inside(before[from].0, |comparison| media(comparison, &before[from].1, &after[to].1));
    }
}

/// Normalises a media type. Type, subtype and names of parameters are case-insensitive (RFC 9110, section 8.3.1), and the
/// charset of JSON is always UTF-8 (RFC 8259, section 8.1).
pub(super) fn normal(media_type: &str) -> String {
    let mut parts = media_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    let is_json = name.ends_with("/json") || name.ends_with("+json");
    let mut rest: Vec<_> = parts.filter(|part| !is_json || part != "charset=utf-8").collect();
    rest.sort();
    std::iter::once(name).chain(rest).collect::<Vec<_>>().join(";")
}

/// Whether a range such as `application/*` covers a media type.
fn covers(range: &str, media_type: &str) -> bool {
    let (range, media_type) = (normal(range), normal(media_type));
    range == "*/*" || range.strip_suffix('*').is_some_and(|begin| begin.ends_with('/') && media_type.starts_with(begin))
}

/// Compares two Media Type Objects.
pub(super) fn media<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    annotations::documentation(comparison, old, new);
    annotations::extensions(comparison, old, new);
    let (before, after) = (old.get("encoding"), new.get("encoding"));
    if comparison.direction == Direction::Request
        && before.as_ref().map(|at| at.value) != after.as_ref().map(|at| at.value)
    {
        let side = |at: &Option<Node<'_>>, holder: &Node<'_>| {
            at.as_ref().map_or_else(|| ChangeSide::at(holder), ChangeSide::with_node_value)
        };
        comparison.report(
            "request-encoding-changed",
            "the encoding of a part changed",
            side(&before, old),
            side(&after, new),
        );
    }
    schema::compare_under(comparison, "schema", old, new);
    if old.get("itemSchema").is_some() || new.get("itemSchema").is_some() {
        comparison.inside("items of the stream", |comparison| {
            schema::compare_under(comparison, "itemSchema", old, new);
        });
    }
}
