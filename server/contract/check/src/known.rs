//! Values of earlier responses, for later requests.

use super::links::{self, Exchange};
use super::names;
use super::operation::{Operation, Parameter};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Depth of responses below which nothing is read.
const DEEPEST: usize = 5;

/// Most names of which values are kept, because a server may use ids as names.
const MOST_NAMES: usize = 10_000;

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
    /// Path of the operation whose request or response had it; empty for what the user of the tool gives.
    path: String,
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

/// All origins, the preferred one first.
const ORIGINS: [Origin; 3] = [Origin::Given, Origin::Made, Origin::Seen];

impl Known {
    /// What the user of the tool gives, by name.
    pub(super) fn with(values: &[(String, String)]) -> Self {
        let mut known = Self::default();
        for (name, value) in values {
            known.add(names::plain(name), &value.as_str().into(), (Origin::Given, ""));
            // A text that is a number may be one.
            if let Ok(value @ Value::Number(_)) = serde_json::from_str(value) {
                known.add(names::plain(name), &value, (Origin::Given, ""));
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
                    self.add(name, &sent.value, (Origin::Made, operation.path));
                }
            }
            if let Some(id) = exchange.location() {
                self.add(format!("{owner}id"), &id.into(), (Origin::Made, operation.path));
            }
            let sent = exchange.sent_body().unwrap_or_default();
            self.read(&owner, &sent, (Origin::Made, operation.path), 0);
        }
        let origin = if is_made { Origin::Made } else { Origin::Seen };
        if let Some(body) = &exchange.body {
            self.read(&owner, body, (origin, operation.path), 0);
        }
    }

    fn read(&mut self, owner: &str, value: &Value, origin: (Origin, &str), depth: usize) {
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

    fn add(&mut self, name: String, value: &Value, (origin, path): (Origin, &str)) {
        let is_useful = match value {
            Value::String(text) => (1..LONGEST).contains(&text.len()),
            Value::Number(_) => true,
            _ => false,
        };
        let has_room = self.values.len() < MOST_NAMES || self.values.contains_key(&name);
        if is_useful && has_room {
            let found = self.values.entry(name).or_default();
            found.retain(|found| found.value != *value || found.origin != origin || found.path != path);
            found.push(Found { value: value.clone(), origin, path: path.to_owned() });
        }
    }

    /// Forgets what a deletion named.
    fn forget(&mut self, exchange: &Exchange<'_>) {
        let gone: Vec<&Value> =
            exchange.probe.sent.iter().filter(|sent| sent.place == "path").map(|sent| &sent.value).collect();
        self.values.values_mut().for_each(|found| found.retain(|found| !gone.contains(&&found.value)));
        self.linked.retain(|_, value| !gone.contains(&&*value));
    }

    /// The value for a parameter, if one is known that its schema accepts and the API has not refused.
    pub(super) fn parameter(
        &self,
        operation: &Operation<'_>,
        parameter: &Parameter<'_>,
        is_refused: &dyn Fn(&Value) -> bool,
    ) -> Option<Value> {
        let linked = |name: String| self.linked.get(&(operation.pointer.clone(), name));
        let qualified = linked(format!("{}.{}", parameter.place, parameter.name));
        if let Some(value) = qualified.or_else(|| linked(parameter.name.to_owned())) {
            return Some(value.clone());
        }
        self.find((&parameter.names, operation.path), &ORIGINS, &|value, origin| {
            // What the user of the tool gives is right, whatever else was wrong about the request.
            !parameter.schema.rejects(value) && (origin == Origin::Given || !is_refused(value))
        })
    }

    /// The body that a link of the document names.
    pub(super) fn linked_body(&self, operation: &Operation<'_>) -> Option<&Value> {
        self.bodies.get(&operation.pointer)
    }

    /// The body with the values that are known, as far as its schema accepts them.
    pub(super) fn fill(&self, operation: &Operation<'_>, body: Value) -> Value {
        self.fill_from(&ORIGINS, operation, body)
    }

    /// The body with the values that the user of the tool gives, as far as its schema accepts them.
    pub(super) fn fill_given(&self, operation: &Operation<'_>, body: Value) -> Value {
        self.fill_from(&[Origin::Given], operation, body)
    }

    fn fill_from(&self, origins: &[Origin], operation: &Operation<'_>, body: Value) -> Value {
        let Some(described) = &operation.body else { return body };
        let mut places = Vec::new();
        find_places(&names::of_resource(operation.path), &body, "", &mut places);
        places.into_iter().fold(body, |body, (pointer, names)| {
            let replaced = |value: &Value| {
                let mut body = body.clone();
                *body.pointer_mut(&pointer)? = value.clone();
                Some(body).filter(|body| described.schema.accepts(body))
            };
            // A number that a response contains says nothing of what this one should be, unless it is an id.
            let is_id = names.iter().any(|name| name.ends_with("id"));
            let is_text = body.pointer(&pointer).is_some_and(Value::is_string);
            let origins = if is_id || is_text { origins } else { &[Origin::Given] };
            let found = self.find((&names, operation.path), origins, &|value, _| replaced(value).is_some());
            found.and_then(|value| replaced(&value)).unwrap_or(body)
        })
    }

    /// The body with the optional properties that the user of the tool gives values for; `None` if there are none.
    pub(super) fn add_given(&self, operation: &Operation<'_>, body: &Value) -> Option<Value> {
        let described = operation.body.as_ref()?;
        let owner = names::of_resource(operation.path);
        let properties = operation.document.resolve(described.schema.value)["properties"].as_object()?;
        let mut out = None;
        for property in properties.keys().filter(|property| body.get(property.as_str()).is_none()) {
            let with = |value: &Value| {
                let mut body = out.as_ref().unwrap_or(body).clone();
                body.as_object_mut()?.insert(property.clone(), value.clone());
                Some(body).filter(|body| described.schema.accepts(body))
            };
            let names = names::of_member(&owner, property);
            let found = self.find((&names, operation.path), &[Origin::Given], &|value, _| with(value).is_some());
            if let Some(changed) = found.and_then(|value| with(&value)) {
                out = Some(changed);
            }
        }
        out
    }

    /// The preferred value that is acceptable: by its origin, then by how much of the path its operation shares with the one that
    /// needs it, because an order whose items are known is not any order, and of equal ones the latest. A number may become text.
    fn find(
        &self,
        (names, path): (&[String], &str),
        origins: &[Origin],
        accepts: &dyn Fn(&Value, Origin) -> bool,
    ) -> Option<Value> {
        let found = names.iter().filter_map(|name| self.values.get(name)).flat_map(|found| found.iter().rev());
        let rank = |found: &&Found| origins.iter().position(|origin| *origin == found.origin);
        let mut preferred: Vec<&Found> = found.filter(|found| rank(found).is_some()).collect();
        preferred.sort_by_key(|found| (rank(found), Reverse(names::shared_segments(&found.path, path))));
        let mut preferred = preferred.into_iter();
        preferred.find_map(|Found { value, origin, .. }| match accepts(value, *origin) {
            true => Some(value.clone()),
            false => Some(Value::String(value.to_string())).filter(|text| value.is_number() && accepts(text, *origin)),
        })
    }
}

/// Pointers of the values in a body that may be known, with their names.
fn find_places(owner: &str, value: &Value, at: &str, out: &mut Vec<(String, Vec<String>)>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{}", countersign_contract_document::pointer::escape(name));
        match value {
            Value::Object(_) => find_places(&names::of_owner(owner, name), value, &at, out),
            Value::Array(items) => {
                let of_items = names::of_owner(owner, name);
                let items = items.iter().enumerate().filter(|(_, item)| item.is_object());
                items.for_each(|(index, item)| find_places(&of_items, item, &format!("{at}/{index}"), out));
            }
            Value::String(_) | Value::Number(_) => out.push((at, names::of_member(owner, name))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, MOST_NAMES, Origin};
    use serde_json::json;

    #[test]
    fn the_number_of_names_is_limited_and_known_names_stay_up_to_date() {
        let mut known = Known::default();
        for number in 0..MOST_NAMES + 5 {
            known.add(number.to_string(), &json!(1), (Origin::Seen, "/a"));
        }
        known.add("0".to_owned(), &json!(2), (Origin::Seen, "/a"));
        assert_eq!(known.values.len(), MOST_NAMES);
        assert_eq!(known.values["0"].len(), 2);
    }
}
