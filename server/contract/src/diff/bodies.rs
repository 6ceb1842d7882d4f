//! Bodies of requests, and the media types of whatever has content.

use super::at::At;
use super::comparison::{Comparison, Direction, Said};
use super::{schema, whole};

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &At<'d>, new: &At<'d>) {
    let before = old.get("requestBody").map(|at| at.resolved(comparison.old));
    let after = new.get("requestBody").map(|at| at.resolved(comparison.new));
    comparison.inside("request body", |comparison| match (before, after) {
        (None, Some(after)) if after.is("required") => {
            comparison.tell(
                "request-body-added-required",
                "a required body was added",
                Said::at(old),
                Said::at(&after),
            );
        }
        (None, Some(after)) => {
            comparison.tell(
                "request-body-added-optional",
                "an optional body was added",
                Said::at(old),
                Said::at(&after),
            );
        }
        (Some(before), None) => {
            comparison.tell("request-body-removed", "the body is gone", Said::at(&before), Said::at(new));
        }
        (Some(before), Some(after)) => {
            let at = |at: &At<'_>| Said::place(&format!("{}/required", at.pointer));
            match (before.is("required"), after.is("required")) {
                (false, true) => {
                    comparison.tell("request-body-became-required", "the body became required", at(&before), at(&after))
                }
                (true, false) => comparison.tell(
                    "request-body-became-optional",
                    "the body is no longer required",
                    at(&before),
                    at(&after),
                ),
                _ => {}
            }
            whole::documentation(comparison, &before, &after);
            whole::extensions(comparison, &before, &after);
            content(comparison, &before, &after);
        }
        (None, None) => {}
    });
}

/// The schemas of two request bodies, and nothing else.
pub(super) fn schemas<'d>(comparison: &mut Comparison<'d>, old: &At<'d>, new: &At<'d>) {
    let before = old.get("requestBody").map(|at| at.resolved(comparison.old));
    let after = new.get("requestBody").map(|at| at.resolved(comparison.new));
    if let (Some(before), Some(after)) = (before, after) {
        comparison.inside("request body", |comparison| content(comparison, &before, &after));
    }
}

/// Media types and their schemas, in the direction that the comparison goes.
pub(super) fn content<'d>(comparison: &mut Comparison<'d>, old: &At<'d>, new: &At<'d>) {
    let before: Vec<_> = old.entries_of("content").collect();
    let after: Vec<_> = new.entries_of("content").collect();
    let is_request = comparison.direction == Direction::Request;
    if !is_request && before.is_empty() != after.is_empty() {
        let (rule, message) = match after.is_empty() {
            true => ("response-body-removed", "the answer has no body any more"),
            false => ("response-body-added", "the answer has a body now"),
        };
        comparison.tell(rule, message, Said::at(old), Said::at(new));
        return;
    }
    for (media_type, at) in &before {
        match after
            .iter()
            .find(|(other, _)| normal(other) == normal(media_type))
            .or_else(|| after.iter().find(|(other, _)| covers(other, media_type)))
        {
            Some((_, other)) => comparison.inside(*media_type, |comparison| media(comparison, at, other)),
            None => {
                let rule = if is_request { "request-media-type-removed" } else { "response-media-type-removed" };
                comparison.tell(
                    rule,
                    format!("the media type {media_type} is gone"),
                    Said::value(&at.pointer, *media_type),
                    Said::at(new),
                );
            }
        }
    }
    let is_known = |media_type: &str| {
        before.iter().any(|(other, _)| normal(other) == normal(media_type) || covers(other, media_type))
    };
    for (media_type, at) in after.iter().filter(|(media_type, _)| !is_known(media_type)) {
        let rule = if is_request { "request-media-type-added" } else { "response-media-type-added" };
        comparison.tell(
            rule,
            format!("the media type {media_type} was added"),
            Said::at(old),
            Said::value(&at.pointer, *media_type),
        );
    }
}

/// Type and subtype are case-insensitive, and so are the names of parameters (RFC 9110, section 8.3.1).
fn normal(media_type: &str) -> String {
    media_type.split(';').map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>().join(";")
}

/// Whether a range such as `application/*` holds the media type.
fn covers(range: &str, media_type: &str) -> bool {
    let (range, media_type) = (normal(range), normal(media_type));
    range == "*/*" || range.strip_suffix('*').is_some_and(|begin| begin.ends_with('/') && media_type.starts_with(begin))
}

fn media<'d>(comparison: &mut Comparison<'d>, old: &At<'d>, new: &At<'d>) {
    whole::documentation(comparison, old, new);
    whole::extensions(comparison, old, new);
    let (before, after) = (old.get("encoding"), new.get("encoding"));
    if comparison.direction == Direction::Request
        && before.as_ref().map(|at| at.value) != after.as_ref().map(|at| at.value)
    {
        let said = |at: &Option<At<'_>>, holder: &At<'_>| at.as_ref().map_or_else(|| Said::at(holder), Said::whole);
        comparison.tell(
            "request-encoding-changed",
            "the encoding of a part changed",
            said(&before, old),
            said(&after, new),
        );
    }
    schema::compare_under(comparison, "schema", old, new);
}
