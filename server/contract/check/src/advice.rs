//! What rejections say about optional parts of a request.
//!
//! Documents often list more optional properties than go together, or do not say that one of several is needed. A rejection
//! usually names what it is about: what was sent and is named is omitted in later requests, and what was not is included. What is named
//! both ways is needed, and its value was wrong.

use super::operation::Operation;
use super::probes::Probe;
use super::sample::{Choice, Random, Samples};
use countersign_contract_document::{Document, pointer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Depth of a body below which nothing is changed.
const DEEPEST: usize = 4;

/// Most requests that are adapted to responses, for each operation.
const MOST_ATTEMPTS: usize = 10;

/// Most values that are remembered as refused, for each operation.
const MOST_REFUSED: usize = 64;

/// Words that are in most rejections, whatever they are about.
const USUAL_WORDS: [&str; 9] = ["code", "detail", "error", "errors", "field", "message", "status", "title", "type"];

/// Advice by the pointer of the operation.
#[derive(Default)]
pub(super) struct Advice(BTreeMap<String, OfOperation>);

#[derive(Default)]
struct OfOperation {
    /// By place and name, as in `query.limit`.
    parameters: BTreeMap<String, Wish>,
    /// By JSON pointer into the body.
    properties: BTreeMap<String, Wish>,
    /// Values of parameters that a rejection was about.
    refused: Vec<(String, Value)>,
    attempts: usize,
    /// Whether no request has followed the advice yet, or used what was made since.
    is_new: bool,
    has_succeeded: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wish {
    Omit,
    /// Include a value of the schema.
    Include(Value),
}

impl Advice {
    pub(super) fn learn_success(&mut self, operation: &Operation<'_>) {
        self.0.entry(operation.pointer.clone()).or_default().has_succeeded = true;
    }

    /// Learns that something was made which an operation may need.
    pub(super) fn learn_made(&mut self, operation: &Operation<'_>) {
        self.0.entry(operation.pointer.clone()).or_default().is_new = true;
    }

    /// Learns from the rejection of a valid request.
    pub(super) fn learn_rejection(&mut self, operation: &Operation<'_>, probe: &Probe, response: &[u8]) {
        let advice = self.0.entry(operation.pointer.clone()).or_default();
        if advice.has_succeeded {
            return;
        }
        let response = String::from_utf8_lossy(response);
        let words = response.split(|character: char| !character.is_alphanumeric() && character != '_');
        let named: BTreeSet<&str> = words.filter(|word| !USUAL_WORDS.contains(word)).collect();
        for parameter in operation.parameters.iter().filter(|parameter| named.contains(parameter.name)) {
            let at = format!("{}.{}", parameter.place, parameter.name);
            let mut sent = probe.sent.iter();
            let sent = sent.find(|sent| sent.place == parameter.place && sent.name == parameter.name);
            if let Some(sent) = sent.filter(|_| advice.refused.len() < MOST_REFUSED) {
                let refused = (at.clone(), sent.value.clone());
                if !advice.refused.contains(&refused) {
                    advice.refused.push(refused);
                }
            }
            if !parameter.is_required {
                let wish = if sent.is_some() { Wish::Omit } else { Wish::Include(parameter.schema.value.clone()) };
                note(&mut advice.parameters, at, wish);
                advice.is_new = true;
            }
        }
        let sent = serde_json::from_slice(&probe.body);
        if let (Some(body), Ok(sent)) = (&operation.body, sent) {
            let mut found = Vec::new();
            let reader = Reader { document: operation.document, named: &named };
            reader.collect(body.schema.value, Some(&sent), "", &mut found);
            advice.is_new |= !found.is_empty();
            found.into_iter().for_each(|(at, wish)| note(&mut advice.properties, at, wish));
        }
    }

    /// Whether a request should follow the advice in place of another one. Counts it.
    pub(super) fn take_turn(&mut self, operation: &Operation<'_>) -> bool {
        let Some(advice) = self.0.get_mut(&operation.pointer) else { return false };
        let is_useful = advice.is_new && !advice.has_succeeded && advice.attempts < MOST_ATTEMPTS;
        if is_useful {
            advice.attempts += 1;
            advice.is_new = false;
        }
        is_useful
    }

    /// Whether an optional parameter should be sent, if there is advice.
    pub(super) fn parameter(&self, operation: &Operation<'_>, place: &str, name: &str) -> Option<bool> {
        let wish = self.0.get(&operation.pointer)?.parameters.get(&format!("{place}.{name}"))?;
        Some(*wish != Wish::Omit)
    }

    /// Whether a rejection was about this value of a parameter.
    pub(super) fn is_refused(&self, operation: &Operation<'_>, place: &str, name: &str, value: &Value) -> bool {
        let refused = self.0.get(&operation.pointer).map_or(&[][..], |advice| &advice.refused);
        let at = format!("{place}.{name}");
        refused.iter().any(|(refused_at, refused)| *refused_at == at && refused == value)
    }

    /// The body as advised, as far as its schema accepts it.
    pub(super) fn adapt(&self, operation: &Operation<'_>, body: Value, random: &mut Random) -> Value {
        let (Some(advice), Some(described)) = (self.0.get(&operation.pointer), &operation.body) else { return body };
        advice.properties.iter().fold(body, |body, (at, wish)| {
            let name = pointer::last_token(at);
            let parent = at.strip_suffix(&format!("/{}", pointer::escape(&name))).unwrap_or_default();
            let mut adapted = body.clone();
            let Some(object) = adapted.pointer_mut(parent).and_then(Value::as_object_mut) else { return body };
            match wish {
                Wish::Omit => drop(object.remove(&name)),
                Wish::Include(schema) => {
                    let mut samples = Samples { document: operation.document, choice: Choice::Examples, random };
                    object.entry(&name).or_insert_with(|| samples.value(schema, &name));
                }
            }
            if described.schema.rejects(&adapted) { body } else { adapted }
        })
    }
}

/// Notes a wish, unless what is to be omitted was missed before.
fn note(wishes: &mut BTreeMap<String, Wish>, at: String, wish: Wish) {
    match wishes.get(&at) {
        Some(Wish::Include(_)) if wish == Wish::Omit => {}
        _ => drop(wishes.insert(at, wish)),
    }
}

/// Reads which optional properties a rejection names.
struct Reader<'r> {
    document: &'r Document,
    named: &'r BTreeSet<&'r str>,
}

impl Reader<'_> {
    /// Collects wishes for the properties of an object. An object is not omitted if a rejection names a part of it.
    fn collect(&self, schema: &Value, sent: Option<&Value>, at: &str, out: &mut Vec<(String, Wish)>) {
        let schema = self.document.resolve(schema);
        if pointer::tokens(at).count() > DEEPEST {
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(part, sent, at, out);
        }
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{}", pointer::escape(name));
            let value = sent.and_then(|sent| sent.get(name));
            let known = out.len();
            if value.is_some_and(Value::is_object) {
                self.collect(property, value, &at, out);
            }
            let is_optional = !required.iter().any(|required| required == name);
            if out.len() == known && is_optional && self.named.contains(name.as_str()) {
                let wish = if value.is_some() { Wish::Omit } else { Wish::Include(property.clone()) };
                out.push((at, wish));
            }
        }
    }
}
