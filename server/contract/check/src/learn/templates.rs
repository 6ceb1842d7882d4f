//! Finds the variables in the paths of requests.
//!
//! A segment is a variable if its text is an id, a number, an address, a date or a random text; and if several texts at a
//! position are each the value of one property of their response, as in `GET /users/ada` with `{"username": "ada"}`.

use super::super::exchange::Exchange;
use super::super::names;
use super::texts::Formats;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Depth of responses below which no value of a segment is looked for.
const DEEPEST: usize = 3;

/// The template of each exchange's path. Paths for which the user of the tool gives a template have that one.
pub(super) fn templates(exchanges: &[Exchange], given: &[String], formats: &Formats) -> Vec<String> {
    let paths = exchanges.iter().map(|exchange| exchange.request.path().split('/').collect()).collect();
    let texts = exchanges.iter().map(texts_of).collect();
    let mut search = Search { paths, texts, formats, out: vec![Vec::new(); exchanges.len()] };
    let given: Vec<Vec<&str>> = given.iter().map(|template| template.split('/').collect()).collect();
    let mut rest = Vec::new();
    for number in 0..exchanges.len() {
        match given.iter().find(|template| fits(template, &search.paths[number])) {
            Some(template) => search.out[number] = template.iter().map(|segment| (*segment).to_owned()).collect(),
            None => rest.push(number),
        }
    }
    search.describe(&rest, 0);
    search.out.into_iter().map(|segments| segments.join("/")).collect()
}

/// Whether a path is one of a template, whose variables are whole segments.
fn fits(template: &[&str], path: &[&str]) -> bool {
    let fits = |(template, given): (&&str, &&str)| template == given || template.starts_with('{') && !given.is_empty();
    template.len() == path.len() && template.iter().zip(path).all(fits)
}

struct Search<'e> {
    /// The segments of each path.
    paths: Vec<Vec<&'e str>>,
    /// The texts of each response by the name of their property; `None` for a response without an object.
    texts: Vec<Option<BTreeSet<(String, String)>>>,
    formats: &'e Formats,
    /// The segments of each template, as far as they are known.
    out: Vec<Vec<String>>,
}

impl Search<'_> {
    /// Adds the segments from a position on, for paths whose templates are equal up to there.
    fn describe(&mut self, members: &[usize], position: usize) {
        let mut by_text = BTreeMap::<&str, Vec<usize>>::new();
        for member in members {
            if let Some(text) = self.paths[*member].get(position) {
                by_text.entry(text).or_default().push(*member);
            }
        }
        let named = self.named_by_responses(&by_text, position);
        let (mut values, mut literals) = (Vec::<usize>::new(), Vec::new());
        for (text, members) in &by_text {
            match self.formats.is_value(text) || named.as_ref().is_some_and(|(_, texts)| texts.contains(text)) {
                true => values.extend(members),
                false => literals.push((*text, members)),
            }
        }
        let groups = literals.into_iter().map(|(text, members)| (text.to_owned(), members.clone()));
        let mut groups: Vec<(String, Vec<usize>)> = groups.collect();
        if let Some(first) = values.first() {
            let variable = self.variable(&self.out[*first], named.map(|(name, _)| name));
            groups.push((format!("{{{variable}}}"), values));
        }
        for (segment, members) in groups {
            members.iter().for_each(|member| self.out[*member].push(segment.clone()));
            self.describe(&members, position + 1);
        }
    }

    /// The property whose value the segments are, and the segments, if there are several.
    fn named_by_responses<'t>(
        &self,
        by_text: &BTreeMap<&'t str, Vec<usize>>,
        position: usize,
    ) -> Option<(String, BTreeSet<&'t str>)> {
        let mut found = BTreeMap::<String, BTreeSet<&str>>::new();
        for (text, members) in by_text {
            let decoded = percent_decode_str(text).decode_utf8_lossy();
            let mut names: Option<BTreeSet<&String>> = None;
            let last = members.iter().filter(|member| self.paths[**member].len() == position + 1);
            for texts in last.filter_map(|member| self.texts[*member].as_ref()) {
                let here: BTreeSet<&String> =
                    texts.iter().filter(|(_, value)| *value == decoded).map(|(name, _)| name).collect();
                names = Some(names.map_or_else(|| here.clone(), |names| &names & &here));
            }
            for name in names.into_iter().flatten() {
                found.entry(name.clone()).or_default().insert(text);
            }
        }
        let several = found.into_iter().filter(|(_, texts)| texts.len() > 1);
        several.max_by_key(|(_, texts)| texts.len())
    }

    /// The name of the variable that follows these segments, which is none of theirs.
    fn variable(&self, before: &[String], property: Option<String>) -> String {
        let literal = before.iter().rev().find(|segment| !segment.is_empty() && !self.formats.is_value(segment));
        let resource = literal.map(|segment| camel_case(segment)).unwrap_or_default();
        let name = property.map(|name| name.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '_').collect());
        let name = name.filter(|name: &String| !name.is_empty());
        let name = name.unwrap_or_else(|| if resource.is_empty() { "id".to_owned() } else { format!("{resource}Id") });
        let is_taken = |name: &str| before.contains(&format!("{{{name}}}"));
        let mut out = name.clone();
        for number in 2.. {
            if !is_taken(&out) {
                break;
            }
            out = format!("{name}{number}");
        }
        out
    }
}

/// The name of one of the things that a segment names: `userGroup` for `user-groups`.
pub(super) fn camel_case(segment: &str) -> String {
    let mut words = names::words(&percent_decode_str(segment).decode_utf8_lossy());
    words.retain(|word| word.is_ascii());
    if let Some(last) = words.last_mut() {
        *last = names::singular(last);
    }
    let rest = words.iter().skip(1).map(|word| names::capitalize_first(word));
    words.first().cloned().into_iter().chain(rest).collect()
}

/// The texts of the objects in a successful response.
fn texts_of(exchange: &Exchange) -> Option<BTreeSet<(String, String)>> {
    let response = &exchange.response;
    let body = response.body.as_ref().filter(|_| response.status < 300 && response.is_json())?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut out = BTreeSet::new();
    collect(&body, 0, &mut out);
    body.is_object().then_some(out)
}

fn collect(value: &Value, depth: usize, out: &mut BTreeSet<(String, String)>) {
    for (name, value) in value.as_object().into_iter().flatten().filter(|_| depth < DEEPEST) {
        match value {
            Value::String(text) => drop(out.insert((name.clone(), text.clone()))),
            value => collect(value, depth + 1, out),
        }
    }
}
