//! Compares callbacks and webhooks, which are operations in the opposite direction: the server sends the request.

use super::change::{ChangeSide, Direction};
use super::comparison::Comparison;
use super::{annotations, bodies, responses};
use countersign_contract_document::{METHODS, Node};
use std::collections::BTreeMap;

/// Compares the callbacks of an operation.
pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let (before, after) = (callbacks_of(old), callbacks_of(new));
    for (name, at) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        comparison.report(
            "callback-removed",
            format!("the callback {name} was removed"),
            ChangeSide::at(at),
            ChangeSide::at(new),
        );
    }
    for (name, at) in &after {
        let Some(other) = before.get(name) else {
            comparison.report(
                "callback-added",
                format!("the callback {name} was added"),
                ChangeSide::at(old),
                ChangeSide::at(at),
            );
            continue;
        };
        comparison.inside(format!("callback {name}"), |comparison| callback(comparison, "callback", other, at));
    }
}

/// Compares the webhooks of the document.
pub(super) fn webhooks<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) {
    let all = |at: &Node<'d>| -> BTreeMap<&'d str, Node<'d>> {
        at.entries_of("webhooks")
            .filter(|(name, _)| !name.starts_with("x-"))
            .map(|(name, at)| (name, at.resolved()))
            .collect()
    };
    let (before, after) = (all(old), all(new));
    for (name, at) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        comparison.operation = Some(format!("webhook {name}"));
        comparison.report("webhook-removed", "the webhook was removed", ChangeSide::at(at), None);
    }
    for (name, at) in &after {
        comparison.operation = Some(format!("webhook {name}"));
        match before.get(name) {
            Some(other) => callback(comparison, "webhook", other, at),
            None => comparison.report("webhook-added", "the webhook was added", None, ChangeSide::at(at)),
        }
    }
    comparison.operation = None;
}

/// Callbacks by name and URL expression.
fn callbacks_of<'d>(operation: &Node<'d>) -> BTreeMap<String, Node<'d>> {
    let expressions = |(name, at): (&str, Node<'d>)| {
        let entries = at.resolved().entries().filter(|(key, _)| !key.starts_with("x-"));
        entries.map(|(expression, at)| (format!("{name} {expression}"), at)).collect::<Vec<_>>()
    };
    operation.entries_of("callbacks").flat_map(expressions).collect()
}

/// Compares the operations of a callback or webhook; `kind` is the beginning of the rules' ids.
fn callback<'d>(comparison: &mut Comparison<'d>, kind: &str, old: &Node<'d>, new: &Node<'d>) {
    annotations::documentation(comparison, old, new);
    annotations::extensions(comparison, old, new);
    for method in METHODS {
        match (old.get(method), new.get(method)) {
            (Some(before), Some(after)) => {
                annotations::documentation(comparison, &before, &after);
                annotations::extensions(comparison, &before, &after);
                comparison.towards(Direction::Response, |comparison| bodies::schemas(comparison, &before, &after));
                comparison.towards(Direction::Request, |comparison| responses::schemas(comparison, &before, &after));
            }
            (Some(before), None) => {
                let message = format!("the server no longer calls back with {}", method.to_uppercase());
                comparison.report(
                    &format!("{kind}-operation-removed"),
                    message,
                    ChangeSide::at(&before),
                    ChangeSide::at(new),
                );
            }
            (None, Some(after)) => {
                let message = format!("the server also calls back with {}", method.to_uppercase());
                comparison.report(
                    &format!("{kind}-operation-added"),
                    message,
                    ChangeSide::at(old),
                    ChangeSide::at(&after),
                );
            }
            (None, None) => {}
        }
    }
}
