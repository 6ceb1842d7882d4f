//! Values of earlier responses, for later requests.

use super::links::{self, Exchange};
use super::names;
use super::operation::{Operation, Parameter};
use serde_json::Value;
use std::collections::BTreeMap;

/// Depth of responses below which nothing is read.
const DEEPEST: usize = 5;

/// Longest text that is read.
const LONGEST: usize = 2_048;

/// Values by what they are; see [`names`].
#[derive(Default)]
pub(super) struct Known {
    values: BTreeMap<String, Vec<Found>>,
    /// Values that links of the document name, by the pointer of the operation and the name of its parameter.
    linked: BTreeMap<(String, String), Value>,
    /// Bodies that links of the document name, by the pointer of the operation.
    bodies: BTreeMap<String, Value>,
}

struct Found {
    value: Value,
    origin: Origin,
}

/// Where a value is from; what comes first is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The user of the tool.
    Given,
    /// What a request of the test made.
    Made,
    /// Anything else, such as the account whose credentials are used, which the test had better not delete.
    Seen,
}

impl Known {
    /// What the user of the tool gives, by name.
    pub(super) fn with(values: &[(String, String)]) -> Self {
        let mut known = Self::default();
        for (name, value) in values {
            known.add(names::plain(name), &value.as_str().into(), Origin::Given);
            // A text that is a number may be one.
            if let Ok(value @ Value::Number(_)) = serde_json::from_str(value) {
                known.add(names::plain(name), &value, Origin::Given);
            }
        }
        known
    }

    /// Learns from a successful response.
    pub(super) fn learn(&mut self, operation: &Operation<'_>, exchange: &Exchange<'_>) {
        for link in links::follow(operation, exchange) {
            for (name, value) in link.parameters {
                self.linked.insert((link.target.clone(), name), value);
            }
            self.bodies.extend(link.body.map(|body| (link.target, body)));
        }
        if operation.method == "delete" {
            self.forget(exchange);
            return;
        }
        let owner = names::of_resource(operation.path);
        let is_made = matches!(operation.method, "post" | "put");
        if is_made {
            for sent in exchange.probe.sent.iter().filter(|sent| sent.place == "path") {
                for name in names::of_variable(operation.path, &sent.name) {
                    self.add(name, &sent.value, Origin::Made);
                }
            }
            if let Some(id) = exchange.location() {
                self.add(format!("{owner}id"), &id.into(), Origin::Made);
            }
            self.read(&owner, exchange.sent_body().as_ref().unwrap_or(&Value::Null), Origin::Made, 0);
        }
        self.read(
            &owner,
            exchange.body.as_ref().unwrap_or(&Value::Null),
            if is_made { Origin::Made } else { Origin::Seen },
            0,
        );
    }

    fn read(&mut self, owner: &str, value: &Value, origin: Origin, depth: usize) {
        match value {
            Value::Object(entries) if depth < DEEPEST => {
                for (name, value) in entries {
                    match value {
                        Value::Object(_) | Value::Array(_) => {
                            self.read(&names::of_owner(owner, name), value, origin, depth + 1);
                        }
                        _ => self.add(names::of_property(owner, name), value, origin),
                    }
                }
            }
            Value::Array(items) if depth < DEEPEST => {
                items.iter().take(1).for_each(|item| self.read(owner, item, origin, depth + 1));
            }
            _ => {}
        }
    }

    fn add(&mut self, name: String, value: &Value, origin: Origin) {
        let is_useful = match value {
            Value::String(text) => (1..LONGEST).contains(&text.len()),
            Value::Number(_) => true,
            _ => false,
        };
        if is_useful {
            let found = self.values.entry(name).or_default();
            found.retain(|found| found.value != *value || found.origin != origin);
            found.push(Found { value: value.clone(), origin });
        }
    }

    /// Forgets what a deletion named.
    fn forget(&mut self, exchange: &Exchange<'_>) {
        let gone: Vec<&Value> =
            exchange.probe.sent.iter().filter(|sent| sent.place == "path").map(|sent| &sent.value).collect();
        self.values.values_mut().for_each(|found| found.retain(|found| !gone.contains(&&found.value)));
        self.linked.retain(|_, value| !gone.contains(&&*value));
    }

    /// The value for a parameter, if one is known that its schema accepts.
    pub(super) fn parameter(&self, operation: &Operation<'_>, parameter: &Parameter<'_>) -> Option<Value> {
        let linked = |name: String| self.linked.get(&(operation.pointer.clone(), name));
        let qualified = linked(format!("{}.{}", parameter.place, parameter.name));
        if let Some(value) = qualified.or_else(|| linked(parameter.name.to_owned())) {
            return Some(value.clone());
        }
        self.find(&parameter.names, &|value| !parameter.schema.rejects(value))
    }

    /// The body that a link of the document names.
    pub(super) fn linked_body(&self, operation: &Operation<'_>) -> Option<&Value> {
        self.bodies.get(&operation.pointer)
    }

    /// The body with the values that are known, as far as its schema accepts them.
    pub(super) fn fill(&self, operation: &Operation<'_>, body: Value) -> Value {
        let Some(described) = &operation.body else { return body };
        let mut places = Vec::new();
        find_places(&names::of_resource(operation.path), &body, "", &mut places);
        places.into_iter().fold(body, |body, (pointer, name)| {
            let replaced = |value: &Value| {
                let mut body = body.clone();
                *body.pointer_mut(&pointer)? = value.clone();
                Some(body).filter(|body| described.schema.accepts(body))
            };
            let found = self.find(&[name], &|value| replaced(value).is_some());
            found.and_then(|value| replaced(&value)).unwrap_or(body)
        })
    }

    /// The preferred value that is acceptable, and of equally preferred ones the latest. A number may become text.
    fn find(&self, names: &[String], accepts: &dyn Fn(&Value) -> bool) -> Option<Value> {
        let found = || names.iter().filter_map(|name| self.values.get(name)).flat_map(|found| found.iter().rev());
        let preferred = [Origin::Given, Origin::Made, Origin::Seen].into_iter();
        let preferred = preferred.flat_map(|origin| found().filter(move |found| found.origin == origin));
        preferred.map(|found| &found.value).find_map(|value| match accepts(value) {
            true => Some(value.clone()),
            false => Some(Value::String(value.to_string())).filter(|text| value.is_number() && accepts(text)),
        })
    }
}

/// Pointers of the values in a body that may be known, with their names.
fn find_places(owner: &str, value: &Value, at: &str, out: &mut Vec<(String, String)>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{}", countersign_contract_document::pointer::escape(name));
        match value {
            Value::Object(_) => find_places(&names::of_owner(owner, name), value, &at, out),
            Value::String(_) | Value::Number(_) => out.push((at, names::of_property(owner, name))),
            _ => {}
        }
    }
}
