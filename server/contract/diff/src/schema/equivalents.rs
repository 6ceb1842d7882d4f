//! Pairs of spellings that accept the same values.
//!
//! | one | the other |
//! |---|---|
//! | `not` with nothing but types | the other types, as alternatives or as a list |
//! | `type: number` with an integral `multipleOf` | `type: integer` with it |
//! | `maxProperties: 0` | `additionalProperties: false` without properties |
//! | `items: false` after n `prefixItems` | `maxItems: n` |
//!
//! They are recognised where both sides are equal in this respect; other changes are reported in the words of the document.

use super::limits::tightest;
use super::view::{Group, Others, View};
use countersign_contract_document::Node;
use std::collections::BTreeSet;

/// Greatest depth of nested alternatives of types.
pub(super) const DEEPEST: usize = 4;

/// Keywords that may stand beside types.
const ANNOTATIONS: [&str; 3] = ["title", "description", "nullable"];

/// Whether two schemas accept the same types, with those that `not` excludes left out. Null is not considered.
pub(super) fn have_same_types(old: &View<'_>, new: &View<'_>) -> bool {
    possible_types(old).is_some_and(|types| possible_types(new) == Some(types))
}

/// The accepted types but null, with those that `not` excludes left out. `None` if that is no list of types.
pub(super) fn possible_types<'d>(view: &View<'d>) -> Option<BTreeSet<&'d str>> {
    let all = || BTreeSet::from(["string", "number", "boolean", "array", "object"]);
    let mut types = view.types().unwrap_or_else(all);
    for excluded in view.keywords("not").filter_map(|at| only_types(&at, DEEPEST)) {
        if excluded.contains("integer") && !excluded.contains("number") && types.contains("number") {
            return None;
        }
        types.retain(|name| !(excluded.contains(name) || *name == "integer" && excluded.contains("number")));
    }
    let has_whole_step =
        view.keywords("multipleOf").any(|at| at.value.as_f64().is_some_and(|step| step.fract() == 0.0));
    if types.remove("number") {
        types.remove("integer");
        types.insert(if has_whole_step { "integer" } else { "number" });
    }
    Some(types)
}

/// The types that a schema accepts, if it says nothing else.
pub(super) fn only_types<'d>(at: &Node<'d>, depth: usize) -> Option<BTreeSet<&'d str>> {
    let below = depth.checked_sub(1)?;
    let at = at.clone().resolved();
    let mut out: Option<BTreeSet<&str>> = None;
    for (key, child) in at.entries().filter(|(key, _)| !ANNOTATIONS.contains(key)) {
        let types = match (key, child.value.as_str()) {
            ("type", Some(name)) => BTreeSet::from([name]),
            ("anyOf", _) => {
                let parts = child.items().map(|part| only_types(&part, below));
                parts.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
            }
            ("enum", _) if child.items().all(|value| value.value.is_null()) => BTreeSet::new(),
            _ => return None,
        };
        // Keywords beside each other restrict each other.
        if out.replace(types).is_some() {
            return None;
        }
    }
    out
}

/// Whether the alternatives are nothing but different types.
pub(super) fn lists_types(group: &Group<'_>) -> bool {
    let types: Option<Vec<_>> = group.list.iter().map(|at| only_types(at, DEEPEST)).collect();
    let Some(types) = types else { return false };
    let union: BTreeSet<&str> = types.iter().flatten().copied().collect();
    let are_distinct = types.iter().map(BTreeSet::len).sum::<usize>() == union.len();
    group.kind == "anyOf" || are_distinct && !(union.contains("integer") && union.contains("number"))
}

/// Whether objects cannot have properties.
pub(super) fn is_without_properties(view: &View<'_>) -> bool {
    let is_closed = matches!(view.others(), Others::Forbidden);
    tightest(view, "maxProperties", None, true).is_some_and(|limit| limit.value < 1.0)
        || is_closed && view.property_names().is_empty() && view.keyword("patternProperties").is_none()
}

/// The greatest length of lists, if both sides have the same.
pub(super) fn common_length(old: &View<'_>, new: &View<'_>) -> Option<usize> {
    longest(old).filter(|length| longest(new) == Some(*length))
}

/// The greatest length of lists, by `maxItems` or because no further items are allowed.
fn longest(view: &View<'_>) -> Option<usize> {
    let limit = tightest(view, "maxItems", None, true).map(|limit| limit.value.max(0.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the limit is a count")]
    let limit = limit.map(|limit| limit as usize);
    limit.into_iter().chain(has_no_further_items(view).then(|| view.prefix_length())).min()
}

/// Whether lists have no items besides those of `prefixItems`.
pub(super) fn has_no_further_items(view: &View<'_>) -> bool {
    View::of(view.document, &view.other_items()).is_nothing()
}
