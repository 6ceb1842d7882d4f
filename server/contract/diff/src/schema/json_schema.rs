//! Compares the keywords that only JSON Schema 2020-12 has: conditions, dependencies, `contains`, patterns of property names,
//! and the content of strings.
//!
//! Most of them apply a schema to a value in a place where accepting less means accepting fewer values, so that the
//! comparison of these schemas decides. Where they can have either effect, the change is risky.

use super::view::{Others, View};
use super::{Parts, compare as compare_parts, does_harm};
use crate::change::{ChangeSide, Direction};
use crate::comparison::Comparison;
use countersign_contract_document::Node;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn compare<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    contains(comparison, old, new);
    dependent_required(comparison, old, new);
    dependent_schemas(comparison, old, new);
    conditions(comparison, old, new);
    patterns(comparison, old, new);
    property_names(comparison, old, new);
    content(comparison, old, new);
    evaluated_names(comparison, old, new);
}

/// How the values that a schema accepts changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    Narrower,
    Wider,
    Other,
}

impl Change {
    fn between<'d>(comparison: &mut Comparison<'d>, old: &Node<'d>, new: &Node<'d>) -> Self {
        if comparison.unchanged.holds(old, new) {
            return Self::None;
        }
        if comparison.is_dry_run {
            // A dry run within a dry run might not terminate.
            return Self::Other;
        }
        let parts = |at: &Node<'d>| Parts::of(Some(at.clone()), at);
        let mut harms = |direction| does_harm(comparison, direction, &parts(old), &parts(new));
        match (harms(Direction::Request), harms(Direction::Response)) {
            (false, false) => Self::None,
            (true, false) => Self::Narrower,
            (false, true) => Self::Wider,
            (true, true) => Self::Other,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, Self::None) | (Self::None, one) => one,
            (one, other) if one == other => one,
            _ => Self::Other,
        }
    }

    /// What the change means if evaluated parts count.
    fn within(self, is_evaluated: bool) -> Self {
        if is_evaluated && self != Self::None { Self::Other } else { self }
    }

    /// The end of the rule's id; `None` if nothing changed.
    fn word(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Narrower => Some("narrowed"),
            Self::Wider => Some("widened"),
            Self::Other => Some("changed"),
        }
    }
}

fn report<'d>(
    comparison: &mut Comparison<'d>,
    (name, noun): (&str, &str),
    change: Change,
    old: Option<ChangeSide>,
    new: Option<ChangeSide>,
) {
    if let Some(word) = change.word() {
        let message = match change {
            Change::Narrower => format!("{noun} accepts less"),
            Change::Wider => format!("{noun} accepts more"),
            _ => format!("{noun} changed"),
        };
        comparison.report_schema_change(&format!("{name}-{word}"), message, old, new);
    }
}

/// Compares `contains` with its limits, which are 1 and none (JSON Schema Validation 2020-12, section 6.4).
fn contains<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    const KEY: &str = "contains";
    let count = |view: &View<'_>, key: &str| view.keyword(key).and_then(|at| at.value.as_f64());
    let least = |view: &View<'_>| count(view, "minContains").unwrap_or(1.0);
    let most = |view: &View<'_>| count(view, "maxContains");
    let has_effect = |view: &View<'_>| least(view) > 0.0 || most(view).is_some();
    let before = old.keyword(KEY).filter(|_| has_effect(old));
    let after = new.keyword(KEY).filter(|_| has_effect(new));
    match (&before, &after) {
        (None, None) => {}
        (None, Some(_)) => comparison.report_schema_change(
            "contains-added",
            "an item of a certain kind is required",
            old.side(),
            new.side_at(KEY),
        ),
        (Some(_), None) => comparison.report_schema_change(
            "contains-removed",
            "no item of a certain kind is required any more",
            old.side_at(KEY),
            new.side(),
        ),
        (Some(before), Some(after)) => {
            let by_count = |order: Option<std::cmp::Ordering>| match order {
                Some(std::cmp::Ordering::Less) => Change::Narrower,
                Some(std::cmp::Ordering::Greater) => Change::Wider,
                _ => Change::None,
            };
            let lower = by_count(least(old).partial_cmp(&least(new)));
            let infinite = f64::INFINITY;
            let upper = by_count(most(new).unwrap_or(infinite).partial_cmp(&most(old).unwrap_or(infinite)));
            let items = match Change::between(comparison, before, after) {
                change if most(old).or(most(new)).is_none() => change,
                // Items that no longer match count neither for the lower limit nor for the upper one.
                Change::None => Change::None,
                _ => Change::Other,
            };
            let change = items.and(lower).and(upper);
            report(comparison, ("contains", "contains"), change, old.side_at(KEY), new.side_at(KEY));
        }
    }
}

/// Compares `dependentRequired`: pairs of a property and another one that it requires.
fn dependent_required(comparison: &mut Comparison<'_>, old: &View<'_>, new: &View<'_>) {
    const KEY: &str = "dependentRequired";
    // What a schema of `dependentSchemas` requires counts where the other side has it in `dependentRequired`.
    let in_schemas = |view: &View<'_>| -> BTreeSet<(String, String)> {
        let entries = view.keywords("dependentSchemas").flat_map(|at| at.entries().collect::<Vec<_>>());
        entries.filter_map(|(name, at)| requirements(&at).map(|needs| dependencies(name, needs))).flatten().collect()
    };
    let (before, after) = (required_pairs(old), required_pairs(new));
    let (needed, needs) = (old.required(), new.required());
    let (had, has) = (&before | &in_schemas(old), &after | &in_schemas(new));
    for (name, other) in after.difference(&had).filter(|(_, other)| !needed.contains_key(other.as_str())) {
        let message = format!("an object with {name} needs {other}");
        comparison.report_schema_change("dependent-required-added", message, old.side_at(KEY), new.side_at(KEY));
    }
    for (name, other) in before.difference(&has).filter(|(_, other)| !needs.contains_key(other.as_str())) {
        let message = format!("an object with {name} no longer needs {other}");
        comparison.report_schema_change("dependent-required-removed", message, old.side_at(KEY), new.side_at(KEY));
    }
}

/// Pairs of `dependentRequired`: a property and another one that it requires.
fn required_pairs(view: &View<'_>) -> BTreeSet<(String, String)> {
    let required = view.required();
    let entries = view.keywords("dependentRequired").flat_map(|at| at.entries().collect::<Vec<_>>());
    let pairs = entries.flat_map(|(name, needs)| dependencies(name, needs));
    // What is required anyway adds nothing.
    pairs.filter(|(name, other)| name != other && !required.contains_key(other.as_str())).collect()
}

fn dependencies(name: &str, needs: Node<'_>) -> Vec<(String, String)> {
    let needs = needs.items().filter_map(|at| at.value.as_str());
    needs.map(|other| (name.to_owned(), other.to_owned())).collect()
}

/// The names that a schema requires, if it does nothing else.
fn requirements<'d>(at: &Node<'d>) -> Option<Node<'d>> {
    let at = at.clone().resolved();
    at.get("required").filter(|_| at.entries().count() == 1)
}

/// Whether a schema that applies to the same value may have another effect besides its own: what it describes counts as
/// evaluated.
fn is_evaluated(old: &View<'_>, new: &View<'_>) -> bool {
    ["unevaluatedProperties", "unevaluatedItems"].iter().any(|key| old.keyword(key).or(new.keyword(key)).is_some())
}

fn dependent_schemas<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let all = |view: &View<'d>| -> BTreeMap<&'d str, Node<'d>> {
        view.keywords("dependentSchemas").flat_map(|at| at.entries().collect::<Vec<_>>()).collect()
    };
    let (before, after) = (all(old), all(new));
    let pairs = (required_pairs(old), required_pairs(new));
    let is_evaluated = is_evaluated(old, new);
    for name in before.keys().chain(after.keys()).copied().collect::<BTreeSet<_>>() {
        let sides = (before.get(name), after.get(name));
        let is_in_pairs = |at: &Node<'d>, pairs: &BTreeSet<(String, String)>, view: &View<'d>| {
            let needed = view.required();
            requirements(at).is_some_and(|needs| {
                let mut needs = dependencies(name, needs).into_iter();
                needs.all(|pair| pair.0 == pair.1 || needed.contains_key(pair.1.as_str()) || pairs.contains(&pair))
            })
        };
        match sides {
            (None, Some(at)) if is_in_pairs(at, &pairs.0, old) => {}
            (Some(at), None) if is_in_pairs(at, &pairs.1, new) => {}
            (None, Some(at)) | (Some(at), None) if is_evaluated => {
                let noun = format!("the schema of objects with {name}");
                let sides = if before.contains_key(name) {
                    (ChangeSide::at(at), new.side())
                } else {
                    (old.side(), ChangeSide::at(at))
                };
                report(comparison, ("dependent-schema", &noun), Change::Other, sides.0, sides.1);
            }
            (None, Some(at)) => comparison.report_schema_change(
                "dependent-schema-added",
                format!("objects with {name} must match a further schema"),
                old.side(),
                ChangeSide::at(at),
            ),
            (Some(at), None) => comparison.report_schema_change(
                "dependent-schema-removed",
                format!("objects with {name} need not match a further schema any more"),
                ChangeSide::at(at),
                new.side(),
            ),
            (Some(one), Some(other)) => {
                let change = Change::between(comparison, one, other).within(is_evaluated);
                let noun = format!("the schema of objects with {name}");
                let sides = (ChangeSide::at(one), ChangeSide::at(other));
                report(comparison, ("dependent-schema", &noun), change, sides.0, sides.1);
            }
            (None, None) => {}
        }
    }
}

/// An `if` with its consequences.
struct Condition<'d> {
    when: Node<'d>,
    then: Option<Node<'d>>,
    otherwise: Option<Node<'d>>,
}

/// Compares `if`, `then` and `else`.
fn conditions<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let all = |view: &View<'d>| -> Vec<Condition<'d>> {
        let conditions = view
            .atoms()
            .iter()
            .filter_map(|at| Some(Condition { when: at.get("if")?, then: at.get("then"), otherwise: at.get("else") }));
        // Without a consequence, a condition has no effect.
        conditions.filter(|one| one.then.is_some() || one.otherwise.is_some()).collect()
    };
    let (mut before, mut after) = (all(old), all(new));
    let is_evaluated = is_evaluated(old, new);
    before.retain(|one| {
        let same = after.iter().position(|other| comparison.unchanged.holds(&one.when, &other.when));
        let Some(other) = same.map(|index| after.remove(index)) else { return true };
        let mut change = Change::None;
        for (one, other) in [(&one.then, &other.then), (&one.otherwise, &other.otherwise)] {
            change = change.and(match (one, other) {
                (None, None) => Change::None,
                (None, Some(_)) => Change::Narrower,
                (Some(_), None) => Change::Wider,
                (Some(one), Some(other)) => Change::between(comparison, one, other),
            });
        }
        let sides = (ChangeSide::at(&one.when), ChangeSide::at(&other.when));
        let change = change.within(is_evaluated);
        report(comparison, ("condition", "the consequence of a condition"), change, sides.0, sides.1);
        false
    });
    for (index, one) in before.iter().enumerate() {
        match after.get(index) {
            Some(other) => {
                let sides = (ChangeSide::at(&one.when), ChangeSide::at(&other.when));
                report(comparison, ("condition", "a condition"), Change::Other, sides.0, sides.1);
            }
            None if is_evaluated => {
                let sides = (ChangeSide::at(&one.when), new.side());
                report(comparison, ("condition", "a condition"), Change::Other, sides.0, sides.1);
            }
            None => comparison.report_schema_change(
                "condition-removed",
                "a condition was removed",
                ChangeSide::at(&one.when),
                new.side(),
            ),
        }
    }
    for other in after.iter().skip(before.len()) {
        if is_evaluated {
            let sides = (old.side(), ChangeSide::at(&other.when));
            report(comparison, ("condition", "a condition"), Change::Other, sides.0, sides.1);
            continue;
        }
        let message = "values must meet a further condition";
        comparison.report_schema_change("condition-added", message, old.side(), ChangeSide::at(&other.when));
    }
}

fn pattern_names<'d>(view: &View<'d>) -> BTreeSet<&'d str> {
    view.keywords("patternProperties").flat_map(|at| at.entries().map(|(name, _)| name).collect::<Vec<_>>()).collect()
}

/// Reports listed properties and patterns that changed where a condition may have evaluated the same properties before, so
/// that they were allowed in spite of `unevaluatedProperties`.
fn evaluated_names<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let names = |view: &View<'d>| -> BTreeSet<&'d str> {
        let listed = view.keywords("properties").flat_map(|at| at.entries().map(|(name, _)| name).collect::<Vec<_>>());
        listed.chain(pattern_names(view)).collect()
    };
    let is_conditional = |view: &View<'_>| ["if", "dependentSchemas"].iter().any(|key| view.keyword(key).is_some());
    if is_evaluated(old, new) && (is_conditional(old) || is_conditional(new)) && names(old) != names(new) {
        let noun = "which properties a condition evaluates";
        report(comparison, ("condition", noun), Change::Other, old.side(), new.side());
    }
}

/// Compares `patternProperties`. Where one side has a pattern that the other lacks, it is compared with the schema for
/// other properties there.
fn patterns<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let (before, after) = (pattern_names(old), pattern_names(new));
    for pattern in before.union(&after).copied() {
        let (had, has) = (before.contains(pattern), after.contains(pattern));
        comparison.inside(format!("properties that match {pattern}"), |comparison| {
            match (old.others(), new.others()) {
                (Others::Forbidden, _) if !had => {
                    let message = "properties that match the pattern are allowed";
                    comparison.report_schema_change("pattern-properties-allowed", message, old.side(), new.side());
                }
                (_, Others::Forbidden) if !has => {
                    let message = "properties that match the pattern are no longer allowed";
                    comparison.report_schema_change("pattern-properties-forbidden", message, old.side(), new.side());
                }
                _ => compare_parts(comparison, old.pattern_property(pattern), new.pattern_property(pattern)),
            }
        });
    }
}

fn property_names<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    // Names are strings in any case.
    let says_more = |at: &Node<'d>| at.entries().any(|(key, at)| key != "type" || *at.value != "string");
    let (mut before, mut after) = (old.parts_under("propertyNames"), new.parts_under("propertyNames"));
    before.list.retain(says_more);
    after.list.retain(says_more);
    if !before.list.is_empty() || !after.list.is_empty() {
        comparison.inside("property names", |comparison| compare_parts(comparison, before, after));
    }
}

/// Compares the content of strings. `contentEncoding: base64` is `format: byte`, and is compared as a format.
fn content<'d>(comparison: &mut Comparison<'d>, old: &View<'d>, new: &View<'d>) {
    let text = |view: &View<'d>, key: &str| {
        let value = view.keyword(key)?.value.as_str()?.to_ascii_lowercase();
        let is_format = key == "contentEncoding" && value == "base64"
            || key == "contentMediaType" && value == "application/octet-stream";
        (!is_format).then_some(value)
    };
    for (key, change) in
        [("contentEncoding", "content-encoding-changed"), ("contentMediaType", "content-media-type-changed")]
    {
        if text(old, key) != text(new, key) {
            comparison.report_schema_change(change, format!("{key} changed"), old.side_at(key), new.side_at(key));
        }
    }
    let (before, after) = (old.parts_under("contentSchema"), new.parts_under("contentSchema"));
    if !before.list.is_empty() || !after.list.is_empty() {
        comparison.inside("content", |comparison| compare_parts(comparison, before, after));
    }
}
