//! Lists at the limits of schemas.

use super::super::view::View;
use super::candidates::Candidates;
use super::scalars::counts;
use serde_json::{Value, json};

/// Most items of a list that is tried.
const MOST_ITEMS: usize = 200;

impl Candidates<'_> {
    pub(super) fn lists<'d>(&self, view: &View<'d>, rivals: &[View<'d>], depth: usize) -> Vec<Value> {
        let lengths = counts(view, rivals, ["minItems", "maxItems"], MOST_ITEMS);
        let mut out = Vec::new();
        for length in lengths.iter().chain(&[view.prefix_length(), view.prefix_length() + 1]) {
            out.extend(self.list(view, *length, &[], depth).map(Value::from));
            // The same item several times, unless items must differ.
            if *length > 1 && !view.is("uniqueItems") {
                let item = self.least(&View::of(view.document, &view.item(0)), depth);
                out.extend(item.map(|item| vec![item; *length].into()));
            }
        }
        let shortest = lengths.first().copied().unwrap_or(0);
        let places = view.prefix_length().max(rivals.iter().map(View::prefix_length).max().unwrap_or(0)) + 1;
        for index in 0..places.min(MOST_ITEMS) {
            for value in self.inner(view, rivals, |side| side.item(index), depth) {
                let with = self.list(view, shortest.max(index + 1), &[(index, value)], depth);
                out.extend(with.map(Value::from));
            }
        }
        for side in rivals.iter().chain([view]).filter(|side| side.keyword("contains").is_some()) {
            let contained = counts(view, rivals, ["minContains", "maxContains"], MOST_ITEMS);
            for value in self.inner(side, &[], |side| side.parts_under("contains"), depth) {
                out.extend(contained.iter().chain(&[shortest]).map(|count| Value::from(vec![value.clone(); *count])));
            }
        }
        out
    }

    pub(super) fn least_list(&self, view: &View<'_>, depth: usize) -> Option<Value> {
        let shortest = counts(view, &[], ["minItems", "maxItems"], MOST_ITEMS).first().copied()?;
        let contained = view.parts_under("contains");
        let contained = match contained.list.is_empty() {
            true => None,
            false => self.least(&View::of(view.document, &contained), depth),
        };
        let known: Vec<(usize, Value)> = contained.into_iter().map(|value| (0, value)).collect();
        self.list(view, shortest.max(known.len()), &known, depth).map(Value::from)
    }

    /// A list of different items, some of which are known by their index.
    fn list(&self, view: &View<'_>, length: usize, known: &[(usize, Value)], depth: usize) -> Option<Vec<Value>> {
        let mut out: Vec<Value> = known.iter().map(|(_, value)| value.clone()).collect();
        let mut list = Vec::new();
        for index in 0..length {
            if let Some((_, value)) = known.iter().find(|(at, _)| *at == index) {
                list.push(value.clone());
                continue;
            }
            let item = View::of(view.document, &view.item(index));
            let first = self.least(&item, depth)?;
            let value = match out.contains(&first) {
                false => first,
                true => self.other_than(&out, &item, index, depth).unwrap_or(first),
            };
            out.push(value.clone());
            list.push(value);
        }
        Some(list)
    }

    /// A value that is not among these.
    fn other_than(&self, known: &[Value], item: &View<'_>, index: usize, depth: usize) -> Option<Value> {
        let types = item.types();
        let may_be = |kind: &str| types.as_ref().is_none_or(|types| types.contains(kind));
        let numbered = match () {
            () if may_be("integer") || may_be("number") => Some(json!(index)),
            () if may_be("string") => Some(json!(index.to_string())),
            () => None,
        };
        let values = self.values(item, &[], depth).into_iter();
        values.chain(numbered).find(|value| !known.contains(value))
    }
}
