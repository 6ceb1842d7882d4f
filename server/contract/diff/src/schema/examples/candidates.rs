//! Generates values that one schema accepts and another one may reject.
//!
//! Values are built from the keywords of both schemas: listed values, limits and the numbers next to them, objects with and
//! without each property, and so on for what they contain. Not all of them are valid, and the validator has the last word.

use super::super::Parts;
use super::super::enums::closed_list;
use super::super::view::View;
use crate::change::Direction;
use crate::language::Languages;
use countersign_contract_document::{Document, Node};
use serde_json::{Value, json};
use std::cell::Cell;

/// Greatest depth of values and of nested alternatives.
const DEEPEST: usize = 4;

/// Most values of a list, and most alternatives, that are tried.
const MOST_CHOICES: usize = 40;

/// Most values that are tried for a part of a value.
const MOST_INNER: usize = 6;

/// Order in which types are tried if a value may have several.
const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

pub(super) struct Candidates<'f> {
    pub(super) languages: &'f Languages,
    pub(super) direction: Direction,
    /// JSON pointer of the part of the accepting schema that changed. Of several alternatives, it is tried first.
    pub(super) focus: Option<&'f str>,
    /// Number of schemas that may still be looked at.
    pub(super) schemas_left: Cell<usize>,
}

impl Candidates<'_> {
    /// Values for a schema and one that may reject them.
    pub(super) fn between<'d>(
        &self,
        accepting: (&'d Document, &Parts<'d>),
        rejecting: (&'d Document, &Parts<'d>),
    ) -> Vec<Value> {
        let rivals = rivals(View::of(rejecting.0, rejecting.1));
        let mut out = self.values(&View::of(accepting.0, accepting.1), &rivals, DEEPEST);
        out.extend(any_values());
        out
    }

    /// Takes one of the schemas that are left. Returns whether there was one.
    fn has_time(&self) -> bool {
        let left = self.schemas_left.get();
        self.schemas_left.set(left.saturating_sub(1));
        left > 0
    }

    /// Values for a schema. `rivals` are schemas of the other side whose limits are tried.
    pub(super) fn values<'d>(&self, view: &View<'d>, rivals: &[View<'d>], depth: usize) -> Vec<Value> {
        if !self.has_time() {
            return Vec::new();
        }
        if rivals.iter().chain([view]).all(|side| side.atoms().is_empty()) {
            return any_values();
        }
        let mut out: Vec<Value> = view.takes_null().then_some(Value::Null).into_iter().collect();
        if let Some(listed) = closed_list(view) {
            let mut listed: Vec<&Value> = listed;
            let is_known =
                |value: &Value| rivals.iter().any(|rival| closed_list(rival).is_some_and(|list| list.contains(&value)));
            listed.sort_by_key(|value| is_known(value));
            out.extend(listed.into_iter().take(MOST_CHOICES).cloned());
            return out;
        }
        let Some(below) = depth.checked_sub(1) else { return out };
        if let Some(group) = view.groups().into_iter().next() {
            for alternative in self.by_focus(group.list).into_iter().take(MOST_CHOICES) {
                let alternative = view.with_choice(&group.pointer, alternative);
                out.extend(self.values(&alternative, rivals, below).into_iter().take(MOST_CHOICES));
            }
            return out;
        }
        let types = view.types();
        for kind in TYPES.into_iter().filter(|kind| types.as_ref().is_none_or(|types| types.contains(kind))) {
            match kind {
                "string" => {
                    out.extend(super::scalars::texts(self.languages, view, rivals).into_iter().map(Value::from))
                }
                "integer" | "number" => out.extend(super::scalars::numbers(view, rivals, kind == "integer")),
                "boolean" => out.extend([json!(true), json!(false)]),
                "array" => out.extend(self.lists(view, rivals, below)),
                _ => out.extend(self.objects(view, rivals, below)),
            }
        }
        // What the other side excludes may be listed.
        let listed = rivals.iter().skip(1).filter_map(closed_list).flatten();
        out.extend(listed.take(MOST_CHOICES).cloned());
        out
    }

    /// One value for a schema, with as little in it as possible.
    pub(super) fn least<'d>(&self, view: &View<'d>, depth: usize) -> Option<Value> {
        if let Some(listed) = closed_list(view) {
            return listed.first().map(|value| (*value).clone());
        }
        let below = depth.checked_sub(1).filter(|_| self.has_time())?;
        if let Some(group) = view.groups().into_iter().next() {
            let alternatives = group.list.into_iter().take(MOST_CHOICES);
            return alternatives
                .into_iter()
                .find_map(|alternative| self.least(&view.with_choice(&group.pointer, alternative), below));
        }
        let types = view.types();
        let is_object = types.is_none() && !view.required().is_empty();
        let kind = TYPES.into_iter().find(|kind| types.as_ref().is_none_or(|types| types.contains(kind)));
        match kind {
            _ if is_object => self.least_object(view, below),
            Some("string") => super::scalars::texts(self.languages, view, &[]).into_iter().next().map(Value::from),
            Some(kind @ ("integer" | "number")) => {
                super::scalars::numbers(view, &[], kind == "integer").into_iter().next()
            }
            Some("boolean") => Some(json!(true)),
            Some("array") => self.least_list(view, below),
            Some(_) => self.least_object(view, below),
            None => view.takes_null().then_some(Value::Null),
        }
    }

    /// Values for a part of a value, such as a property. `part` gives its schema on each side.
    pub(super) fn inner<'d>(
        &self,
        view: &View<'d>,
        rivals: &[View<'d>],
        part: impl Fn(&View<'d>) -> Parts<'d>,
        depth: usize,
    ) -> Vec<Value> {
        let of = |view: &View<'d>| View::of(view.document, &part(view));
        let rivals: Vec<View<'d>> = rivals.iter().flat_map(|rival| self::rivals(of(rival))).collect();
        self.values(&of(view), &rivals, depth).into_iter().take(MOST_INNER).collect()
    }

    fn by_focus<'d>(&self, mut list: Vec<Node<'d>>) -> Vec<Node<'d>> {
        list.sort_by_key(|at| self.focus != Some(&at.pointer));
        list
    }
}

/// A value of each type.
fn any_values() -> Vec<Value> {
    vec![json!(""), json!(0), json!(0.5), json!(true), json!(null), json!([]), json!({})]
}

/// A schema of the other side with the schemas that decide what it rejects: its alternatives, conditions and what it
/// excludes.
fn rivals(view: View<'_>) -> Vec<View<'_>> {
    let mut out = Vec::new();
    for group in view.groups() {
        let alternatives = group.list.into_iter().take(MOST_CHOICES);
        out.extend(alternatives.map(|alternative| view.with_choice(&group.pointer, alternative)));
    }
    for key in ["not", "if", "then", "else"] {
        out.extend(view.keyword(key).map(|at| View::of(view.document, &Parts::of(Some(at.clone()), &at))));
    }
    out.insert(0, view);
    out
}
