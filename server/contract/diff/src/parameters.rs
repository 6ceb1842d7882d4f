//! Compares the parameters of an operation, including those of its path.

use super::change::ChangeSide;
use super::comparison::Comparison;
use super::deprecation::{promised_day, sunset};
use super::{annotations, bodies, schema};
use countersign_contract_document::Node;
use std::collections::BTreeMap;

/// Location (`query`, …) and name; names of headers in lower case.
type Key = (String, String);

/// Compares the parameters of an operation. `renamed` has the new names of path variables by their old ones.
pub(super) fn compare<'d>(
    comparison: &mut Comparison<'d>,
    old: (&Node<'d>, &Node<'d>),
    new: (&Node<'d>, &Node<'d>),
    renamed: &BTreeMap<&str, &str>,
) {
    let before: BTreeMap<Key, Node<'d>> = list(old)
        .into_iter()
        .map(|((place, name), at)| match renamed.get(name.as_str()).filter(|_| place == "path") {
            Some(new) => ((place, (*new).to_owned()), at),
            None => ((place, name), at),
        })
        .collect();
    let after = list(new);
    for ((place, name), at) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        if after
            .keys()
            .any(|(other, same)| other != place && same == name && !before.contains_key(&(other.clone(), same.clone())))
        {
            continue;
        }
        comparison.inside(format!("{place} parameter {name}"), |comparison| {
            let promised = promised_day(at, comparison.options.today.as_deref()).filter(|_| at.is("deprecated"));
            let (rule, message) = match promised {
                Some(day) => ("parameter-removed-before-sunset", format!("the parameter was removed before {day}")),
                None => ("parameter-removed", "the parameter was removed".to_owned()),
            };
            comparison.report(rule, message, ChangeSide::at(at), ChangeSide::at(new.1));
        });
    }
    for ((place, name), at) in &after {
        comparison.inside(format!("{place} parameter {name}"), |comparison| {
            if let Some(other) = before.get(&(place.clone(), name.clone())) {
                pair(comparison, other, at);
                return;
            }
            let elsewhere = before.iter().find(|((other, same), _)| {
                other != place && same == name && !after.contains_key(&(other.clone(), same.clone()))
            });
            if let Some(((from, _), other)) = elsewhere {
                let message = format!("the parameter moved from {from} to {place}");
                comparison.report(
                    "parameter-moved",
                    message,
                    ChangeSide::with_value(&other.pointer, from),
                    ChangeSide::with_value(&at.pointer, place),
                );
                pair(comparison, other, at);
            } else if at.is("required") {
                comparison.report(
                    "parameter-added-required",
                    "a required parameter was added",
                    ChangeSide::at(old.1),
                    ChangeSide::at(at),
                );
            } else {
                comparison.report(
                    "parameter-added-optional",
                    "an optional parameter was added",
                    ChangeSide::at(old.1),
                    ChangeSide::at(at),
                );
            }
        });
    }
}

fn list<'d>((item, operation): (&Node<'d>, &Node<'d>)) -> BTreeMap<Key, Node<'d>> {
    let all = item.items_of("parameters").chain(operation.items_of("parameters"));
    let entry = |at: Node<'d>| {
        let at = at.resolved();
        let (place, name) = (at.text("in")?, at.text("name")?);
        // Header parameters of these names are ignored (OpenAPI 3.0.3, Parameter Object).
        let is_ignored =
            ["accept", "content-type", "authorization"].iter().any(|known| name.eq_ignore_ascii_case(known));
        let name = if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
        (place != "header" || !is_ignored).then_some(((place.to_owned(), name), at))
    };
    all.filter_map(entry).collect()
}

fn pair<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    if comparison.unchanged.holds(old, new) {
        return;
    }
    let at = |at: &Node<'_>, key: &str| ChangeSide::at_pointer(&format!("{}/{key}", at.pointer));
    match (old.is("required"), new.is("required")) {
        (false, true) => comparison.report(
            "parameter-became-required",
            "the parameter became required",
            at(old, "required"),
            at(new, "required"),
        ),
        (true, false) => comparison.report(
            "parameter-became-optional",
            "the parameter is no longer required",
            at(old, "required"),
            at(new, "required"),
        ),
        _ => {}
    }
    // `style` and `explode` have no effect on scalars.
    let is_scalar = schema::is_scalar(comparison.old, old) && schema::is_scalar(comparison.new, new);
    let (before, after) = (written(old, is_scalar), written(new, is_scalar));
    // Moved parameters, and those with `content`, have no comparable style.
    let has_style = old.text("in") == new.text("in") && old.get("content").or(new.get("content")).is_none();
    if has_style && before != after {
        comparison.report(
            "parameter-style-changed",
            "the serialization of the parameter changed",
            ChangeSide::with_value(&old.pointer, before),
            ChangeSide::with_value(&new.pointer, after),
        );
    }
    flag(comparison, old, new, "allowReserved", "parameter-reserved-allowed", "parameter-reserved-forbidden");
    flag(comparison, old, new, "allowEmptyValue", "parameter-empty-allowed", "parameter-empty-forbidden");
    flag(comparison, old, new, "deprecated", "parameter-deprecated", "parameter-undeprecated");
    annotations::documentation(comparison, old, new);
    annotations::extensions(comparison, old, new);
    sunset(comparison, (old.get("x-sunset"), new.get("x-sunset")), (ChangeSide::at(old), ChangeSide::at(new)));
    described(comparison, "parameter-content-changed", old, new);
}

/// Compares the schema of a parameter or header, in `schema` or in the only entry of `content`.
pub(super) fn described<'d>(comparison: &mut Comparison<'d>, rule: &str, old: &Node<'d>, new: &Node<'d>) {
    let media_type = |at: &Node<'d>| at.entries_of("content").next().map(|(name, at)| (bodies::normal(name), at));
    match (media_type(old), media_type(new)) {
        (Some((before, old)), Some((after, new))) if before == after => {
            comparison.inside(before, |comparison| bodies::media(comparison, &old, &new));
        }
        (None, None) => {
            let repeats = |at: &Node<'_>| written(at, false) == "style form, explode true" && at.get("in").is_some();
            schema::compare_texts(comparison, old, new, repeats(old) && repeats(new));
        }
        _ => comparison.report(
            rule,
            "the value is described by another keyword or media type",
            ChangeSide::at(old),
            ChangeSide::at(new),
        ),
    }
}

/// Style and explode, with defaults (OpenAPI 3.0.3, Parameter Object).
fn written(at: &Node<'_>, is_scalar: bool) -> String {
    let default = if matches!(at.text("in"), Some("query" | "cookie")) { "form" } else { "simple" };
    let style = at.text("style").unwrap_or(default);
    let explode = at.value["explode"].as_bool().unwrap_or(style == "form");
    if is_scalar { format!("style {style}") } else { format!("style {style}, explode {explode}") }
}

fn flag(comparison: &mut Comparison<'_>, old: &Node<'_>, new: &Node<'_>, key: &str, set: &str, unset: &str) {
    let (before, after) = (old.is(key), new.is(key));
    if before != after {
        let rule = if after { set } else { unset };
        let side = |at: &Node<'_>, is: bool| ChangeSide::with_value(&format!("{}/{key}", at.pointer), is.to_string());
        comparison.report(rule, format!("{key} changed"), side(old, before), side(new, after));
    }
}
