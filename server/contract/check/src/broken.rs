//! Ways to make a request invalid.

use super::operation::{Body, Parameter};
use super::{url, wrong};
use countersign_contract_document::{Document, pointer};
use countersign_contract_validate::is_json;
use serde_json::Value;
use std::collections::BTreeMap;

/// A way to make a request invalid. Parameters are given by their number.
#[derive(Debug, Clone)]
pub(super) enum Way {
    WithoutParameter(usize),
    ParameterOf(usize, Value, String),
    /// A text in the path that is no percent-encoded UTF-8.
    PathWith(usize, &'static str),
    WithoutBody,
    BodyIsNoJson,
    OtherMediaType,
    BodyWith(BodyChange),
}

/// A change of a valid body.
#[derive(Debug, Clone)]
pub(super) struct BodyChange {
    /// JSON pointer into the body.
    pub(super) at: String,
    pub(super) edit: Edit,
    /// What is invalid then, as a clause that continues "although".
    pub(super) what: String,
}

#[derive(Debug, Clone)]
pub(super) enum Edit {
    /// Sets a value; the flag is true for a value of another type.
    Set(Value, bool),
    Add(&'static str),
    Remove,
    /// Repeats the first item of a list, up to a number of items.
    Repeat(usize),
}

/// A property name that no document has.
const EXTRA: &str = "xUndocumentedProperty";

/// Depth of objects and lists in a body below which nothing is changed.
const DEEPEST: usize = 4;

/// Most items of a list that is generated to exceed a limit.
const MOST_ITEMS: usize = 1_000;

/// Texts in a path that are no percent-encoded UTF-8: a byte that UTF-8 does not have, a surrogate, and no hexadecimal digits.
const MALFORMED: [&str; 3] = ["%FF", "%ED%A0%80", "%zz"];

/// All ways; those of different kinds take turns, so that a small number of requests has all kinds.
pub(super) fn ways(document: &Document, parameters: &[Parameter<'_>], body: Option<&Body<'_>>) -> Vec<Way> {
    let mut out = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        if parameter.place == "path" {
            out.extend(MALFORMED.map(|text| Way::PathWith(index, text)));
        } else if parameter.is_required {
            out.push(Way::WithoutParameter(index));
        }
        for wrong in wrong::values(document, parameter.schema.value) {
            let survives = parameter.place != "header" || url::fits_header(&url::plain(&wrong.value));
            if wrong.is_wrong_as_text && survives && parameter.schema.rejects(&wrong.value) {
                out.push(Way::ParameterOf(index, wrong.value, wrong.why));
            }
        }
    }
    if let Some(body) = body {
        out.extend(ways_of_body(document, body));
    }
    let mut seen = BTreeMap::<usize, usize>::new();
    let mut turns: Vec<(usize, Way)> = out
        .into_iter()
        .map(|way| {
            let turn = seen.entry(way.kind()).or_default();
            *turn += 1;
            (*turn, way)
        })
        .collect();
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, way)| way).collect()
}

fn ways_of_body(document: &Document, body: &Body<'_>) -> Vec<Way> {
    let mut out = Vec::new();
    if body.is_required {
        out.push(Way::WithoutBody);
    }
    // A server may ignore a body that it does not need.
    if body.is_required && body.is_other_media_type_forbidden {
        out.push(Way::OtherMediaType);
    }
    if is_json(body.media_type) {
        out.push(Way::BodyIsNoJson);
        let mut changes = Changes { document, found: Vec::new() };
        changes.collect(body.schema.value, "", "", 0);
        out.extend(changes.found.into_iter().map(Way::BodyWith));
    }
    out
}

impl Way {
    fn kind(&self) -> usize {
        match self {
            Self::WithoutParameter(_) => 0,
            Self::ParameterOf(..) => 1,
            Self::PathWith(..) => 2,
            Self::WithoutBody => 3,
            Self::BodyIsNoJson => 4,
            Self::OtherMediaType => 5,
            Self::BodyWith(change) => match change.edit {
                Edit::Set(_, true) => 6,
                Edit::Set(_, false) => 7,
                Edit::Add(_) => 8,
                Edit::Remove => 9,
                Edit::Repeat(_) => 10,
            },
        }
    }
}

/// Collects the changes of a body.
struct Changes<'d> {
    document: &'d Document,
    found: Vec<BodyChange>,
}

impl Changes<'_> {
    /// `at` is the JSON pointer of the value that the schema describes, and `name` what messages call it; empty for the body.
    fn collect(&mut self, schema: &Value, at: &str, name: &str, depth: usize) {
        let document = self.document;
        let schema = document.resolve(schema);
        if depth > DEEPEST || schema["readOnly"] == true {
            return;
        }
        let subject = if name.is_empty() { "the body".to_owned() } else { format!("the property {name}") };
        for wrong in wrong::values(document, schema) {
            let edit = Edit::Set(wrong.value, wrong.is_of_other_type);
            self.push(at, edit, format!("{subject} is wrong: {}", wrong.why));
        }
        if let Some(most) = schema["maxItems"].as_u64().and_then(|most| usize::try_from(most).ok())
            && most < MOST_ITEMS
        {
            self.push(at, Edit::Repeat(most + 1), format!("{subject} is wrong: it has more than {most} items"));
        }
        if schema["uniqueItems"] == true {
            self.push(at, Edit::Repeat(2), format!("{subject} is wrong: it has an item twice"));
        }
        if schema["additionalProperties"] == false || schema["unevaluatedProperties"] == false {
            self.push(at, Edit::Add(EXTRA), format!("{subject} has the undocumented property {EXTRA}"));
        }
        let inner = |property: &str| if name.is_empty() { property.to_owned() } else { format!("{name}.{property}") };
        for property in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let at = format!("{at}/{}", pointer::escape(property));
            self.push(&at, Edit::Remove, format!("the required property {} is missing", inner(property)));
        }
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            self.collect(schema, &format!("{at}/{}", pointer::escape(property)), &inner(property), depth + 1);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(part, at, name, depth + 1);
        }
        if schema["items"].is_object() {
            self.collect(&schema["items"], &format!("{at}/0"), &format!("{name}[*]"), depth + 1);
        }
    }

    fn push(&mut self, at: &str, edit: Edit, what: String) {
        self.found.push(BodyChange { at: at.to_owned(), edit, what });
    }
}

impl BodyChange {
    /// The changed body; `None` if it does not have the place that is changed.
    pub(super) fn apply(&self, body: &Value) -> Option<Value> {
        let mut body = body.clone();
        match &self.edit {
            Edit::Set(value, _) => *body.pointer_mut(&self.at)? = value.clone(),
            Edit::Add(name) => {
                body.pointer_mut(&self.at)?.as_object_mut()?.insert((*name).to_owned(), "extra".into());
            }
            Edit::Remove => {
                let (parent, _) = self.at.rsplit_once('/')?;
                body.pointer_mut(parent)?.as_object_mut()?.remove(&pointer::last_token(&self.at))?;
            }
            Edit::Repeat(length) => {
                let items = body.pointer_mut(&self.at)?.as_array_mut()?;
                let first = items.first()?.clone();
                items.resize(*length, first);
            }
        }
        Some(body)
    }
}
