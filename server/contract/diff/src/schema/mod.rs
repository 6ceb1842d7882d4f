//! Compares schemas by the values that they accept.
//!
//! References and the parts of an `allOf` are merged first ([`view`]). In requests, accepting less is breaking; in
//! responses, accepting more is.
//!
//! Senders are assumed to send documented properties only. Every value that such a sender could send before and cannot send
//! now causes a breaking or risky finding.

mod alternatives;
mod discriminators;
mod enums;
mod equivalents;
pub(super) mod examples;
mod exclusions;
mod exclusive;
mod json_schema;
mod limits;
mod metadata;
mod objects;
mod overlap;
pub(super) mod parts;
mod patterns;
mod types;
mod view;

use super::change::{ChangeSide, Direction, SchemaContext};
use super::comparison::{Comparison, Current, SchemaPair, Schemas};
use countersign_contract_document::grammar::{Kind, Shape, grammar};
use countersign_contract_document::{Document, Node, Version};
use parts::Parts;
use std::rc::Rc;
use view::View;

/// JSON pointer to the named schemas.
const SCHEMAS: &str = "/components/schemas";

/// Compares the schemas under a key, such as the `schema` of a parameter.
pub(super) fn compare_under<'d>(comparison: &mut Comparison<'d>, key: &str, old: &Node<'d>, new: &Node<'d>) {
    let (before, after) = (old.get(key), new.get(key));
    if before.is_some() || after.is_some() {
        compare(comparison, Parts::of(before, old), Parts::of(after, new));
        comparison.run_deferred(compare_pair);
    }
}

/// Compares schemas of values that are serialized as text, such as those of a parameter. `repeats` says whether a list is
/// serialized as a repeated parameter, so that a single value and a list of one are equal.
pub(super) fn compare_texts<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>, repeats: bool) {
    let list_in = |document: &'d Document, holder: &Node<'d>| {
        let view = View::of(document, &Parts::of(holder.get("schema"), holder));
        let is_list = view.types().is_some_and(|types| types.iter().eq(&["array"]));
        (is_list && repeats).then(|| view.parts_under("items"))
    };
    let before = comparison.is_text;
    comparison.is_text = true;
    match list_in(comparison.new, new).filter(|_| is_scalar(comparison.old, old)) {
        Some(items) => {
            let message = "the value may be repeated";
            comparison.report_schema_change("type-widened", message, ChangeSide::at(old), ChangeSide::at(new));
            compare(comparison, Parts::of(old.get("schema"), old), items);
            comparison.run_deferred(compare_pair);
        }
        None => compare_under(comparison, "schema", old, new),
    }
    comparison.is_text = before;
}

/// Whether the `schema` only accepts scalars.
pub(super) fn is_scalar<'d>(document: &'d Document, holder: &Node<'d>) -> bool {
    let types = View::of(document, &Parts::of(holder.get("schema"), holder)).types();
    types.is_some_and(|types| !types.contains("array") && !types.contains("object"))
}

/// Compares two schemas with everything that they contain.
fn compare<'d>(comparison: &mut Comparison<'d>, old: Parts<'d>, new: Parts<'d>) {
    let context = std::mem::take(&mut comparison.context);
    let is_alternative = std::mem::take(&mut comparison.is_alternative);
    if let (Some(before), Some(after)) = (old.only(), new.only()) {
        if comparison.unchanged.holds(before, after) {
            return;
        }
        report_renamed(comparison, &old, &new);
    }
    if comparison.is_decided() {
        return;
    }
    let is_shared = |parts: &Parts<'d>| {
        let mut all = parts.list.iter().chain(parts.chosen.iter().map(|(_, at)| at));
        all.any(|at| {
            at.get("$ref").is_some() || at.pointer.rsplit_once('/').is_some_and(|(parent, _)| parent == SCHEMAS)
        })
    };
    let is_shared = is_shared(&old) || is_shared(&new);
    let stands_alone = old.is_component() && new.is_component();
    let current = comparison.current.as_ref().filter(|_| is_alternative && !stands_alone);
    let union = current.map(|current| Rc::clone(&current.whole));
    let pair = SchemaPair { old, new, context, union };
    if is_shared {
        let identities = (pair.old.identity(), pair.new.identity());
        comparison.defer(identities, pair);
    } else {
        compare_pair(comparison, pair);
    }
}

fn compare_pair<'d>(comparison: &mut Comparison<'d>, pair: SchemaPair<'d>) {
    let SchemaPair { old, new, context, union } = pair;
    let own = Rc::new(Schemas { old, new });
    let whole = union.unwrap_or_else(|| Rc::clone(&own));
    let outer = comparison.current.replace(Current { own: Rc::clone(&own), whole });
    comparison.inside_component(own.new.name().or(own.old.name()), |comparison| {
        let old = View::of(comparison.old, &own.old);
        let new = View::of(comparison.new, &own.new);
        compare_views(comparison, &old, &new, context);
    });
    comparison.current = outer;
}

fn compare_views<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>, context: SchemaContext) {
    metadata::compare(comparison, old, new);
    match (old.is_nothing(), new.is_nothing()) {
        (true, true) => return,
        (false, true) => {
            return comparison.report_schema_change("values-forbidden", "no value is allowed", old.side(), new.side());
        }
        (true, false) => {
            let message = "values are allowed where none were";
            return comparison.report_schema_change("values-allowed", message, old.side(), new.side());
        }
        (false, false) => {}
    }
    match common_words(old, new) {
        Some(Words::Inner) => {
            objects::compare(comparison, old, new);
            return items(comparison, old, new);
        }
        Some(Words::Alternatives) => {
            alternatives::compare(comparison, old, new, context);
            return;
        }
        None => {}
    }
    exclusions::compare(comparison, old, new);
    if alternatives::compare(comparison, old, new, context) || !types::compare(comparison, old, new, context) {
        return;
    }
    limits::compare(comparison, old, new);
    patterns::compare(comparison, old, new);
    enums::compare(comparison, old, new, context.any_text);
    if !(equivalents::is_without_properties(old) && equivalents::is_without_properties(new)) {
        objects::compare(comparison, old, new);
    }
    json_schema::compare(comparison, old, new);
    items(comparison, old, new);
}

/// What remains to be compared of schemas that are written in the same words, so that they can differ only in what they refer to.
/// Most schemas of a document are, because a change concerns all schemas that refer to the changed one.
enum Words {
    /// Properties and items.
    Inner,
    /// A list of alternatives, with nothing beside it that these could have an effect on.
    Alternatives,
}

fn common_words(old: &View<'_>, new: &View<'_>) -> Option<Words> {
    let ([before], [after]) = (old.atoms(), new.atoms()) else { return None };
    let keywords = before.value.as_object().filter(|_| before.value == after.value)?;
    let holds_no_schemas = |keyword: &str| {
        let field = grammar(Kind::Schema).field(keyword, Version::V3_2);
        field.is_none_or(|field| {
            !matches!(field.shape, Shape::One(_) | Shape::List(_) | Shape::Map(_) | Shape::FlagOrSchema)
        })
    };
    let are_all = |is_one: &dyn Fn(&str) -> bool| keywords.keys().all(|keyword| is_one(keyword));
    if are_all(&|keyword| {
        ["properties", "items", "additionalProperties"].contains(&keyword) || holds_no_schemas(keyword)
    }) {
        return Some(Words::Inner);
    }
    let has_one_list = || old.groups().len() == 1 && new.groups().len() == 1;
    let is_beside_one = |keyword: &str| ["oneOf", "anyOf", "title", "description"].contains(&keyword);
    (are_all(&is_beside_one) && has_one_list()).then_some(Words::Alternatives)
}

/// Whether comparing two schemas in a direction would give a risky or breaking finding. Nothing is reported.
fn does_harm<'d>(comparison: &mut Comparison<'d>, direction: Direction, old: &Parts<'d>, new: &Parts<'d>) -> bool {
    let identities = (old.identity(), new.identity());
    comparison.does_harm(direction, identities, |comparison| {
        compare(comparison, old.clone(), new.clone());
        comparison.run_deferred(compare_pair);
    })
}

/// Reports a renamed schema: once if the old name was removed, otherwise for each reference that changed.
fn report_renamed<'d>(comparison: &mut Comparison<'d>, old: &Parts<'d>, new: &Parts<'d>) {
    let (Some(before), Some(after)) = (old.name(), new.name()) else { return };
    let definition = |name: &str| format!("{SCHEMAS}/{name}");
    let is_generated =
        comparison.old.has_generated_name(&definition(before)) || comparison.new.has_generated_name(&definition(after));
    if before == after || is_generated {
        return;
    }
    let is_gone = comparison.new.value().pointer(&definition(before)).is_none()
        && comparison.old.value().pointer(&definition(after)).is_none();
    let (from, to) = match is_gone {
        true => {
            comparison.renamed_schemas.insert((before.to_owned(), after.to_owned()));
            (definition(before), definition(after))
        }
        false => (old.pointer().to_owned(), new.pointer().to_owned()),
    };
    let message = format!("the schema {before} is called {after}");
    comparison.report(
        "schema-renamed",
        message,
        ChangeSide::with_value(&from, before),
        ChangeSide::with_value(&to, after),
    );
}

fn items<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let length = equivalents::common_length(old, new).unwrap_or(usize::MAX);
    let prefix = old.prefix_length().max(new.prefix_length());
    for index in 0..prefix.min(length) {
        comparison.inside(format!("item {}", index + 1), |comparison| {
            compare(comparison, old.item(index), new.item(index));
        });
    }
    let (before, after) = (old.other_items(), new.other_items());
    if length > prefix && (!before.list.is_empty() || !after.list.is_empty()) {
        comparison.inside("items", |comparison| compare(comparison, before, after));
    }
}
