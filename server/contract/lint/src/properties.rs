//! The properties of a schema: their names, descriptions, and which of them are required.

use super::Lint;
use super::reach;
use super::words::{folded, listed, nearest, short};
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::Id;
use countersign_contract_document::{pointer, reference};
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::HashMap;

pub(super) const COLLIDE: Rule = Rule {
    id: "property-names-collide",
    verdict: Verdict::Warning,
    what: "Two properties of a schema differ only in case or separators.",
    why: "Generators adapt names to their language, where the two collide. Choose names that differ in a word.",
};
pub(super) const REQUIRED: Rule = Rule {
    id: "required-property-undefined",
    verdict: Verdict::Warning,
    what: "A schema requires a property that it does not define.",
    why: "Often it is a typo; generators ignore the requirement or make up a type. Define the property.",
};
pub(super) const READ_AND_WRITE: Rule = Rule {
    id: "read-only-and-write-only",
    verdict: Verdict::Error,
    what: "A property is `readOnly` and `writeOnly`.",
    why: "Then neither requests nor responses may contain it (OpenAPI 3.0.3, Schema Object). Remove one of the two.",
};
pub(super) const DESCRIPTION: Rule = Rule {
    id: "property-description-missing",
    verdict: Verdict::Warning,
    what: "Properties of a schema have no description.",
    why: "Users have to guess what they mean. Describe them in a sentence; a reference to a schema is enough.",
};

pub(super) fn check(lint: &Lint<'_>) {
    for (id, schema) in lint.tree.of(Kind::Schema) {
        if schema["readOnly"] == true && schema["writeOnly"] == true {
            lint.report(&READ_AND_WRITE, id, &["writeOnly"], "it can be neither read nor written");
        }
        if let Some(required) = schema["required"].as_array() {
            check_required(lint, id, required);
        }
        check_names(lint, id);
        check_descriptions(lint, id);
    }
}

/// Required properties may be defined anywhere in the schema that contains the requirement.
fn check_required(lint: &Lint<'_>, id: Id, required: &[Value]) {
    let mut whole = id;
    while let ("allOf" | "anyOf" | "oneOf" | "not", Some(parent)) =
        (lint.tree.node(whole).field, lint.tree.node(whole).parent)
    {
        whole = parent;
    }
    let defined = reach::properties(lint.document, lint.tree.node(whole).value);
    for (index, name) in required.iter().enumerate().filter_map(|(index, name)| Some((index, name.as_str()?))) {
        if !defined.contains_key(name) {
            let hint = nearest(name, defined.keys().copied()).map(|name| format!(", did you mean `{name}`?"));
            let message = format!("`{}` is required and not defined{}", short(name), hint.unwrap_or_default());
            lint.report(&REQUIRED, id, &["required", &index.to_string()], message);
        }
    }
}

fn check_names(lint: &Lint<'_>, id: Id) {
    let properties = lint.tree.node(id).value["properties"].as_object().into_iter().flatten();
    let mut names: Vec<&str> = properties.map(|(name, _)| name.as_str()).collect();
    let mut seen: HashMap<String, &str> = HashMap::new();
    if names.iter().all(|name| seen.insert(folded(name), name).is_none()) {
        return;
    }
    seen.clear();
    let base = lint.tree.pointer(id);
    let position = |name: &str| lint.document.position(&format!("{base}/properties/{}", pointer::escape(name)));
    names.sort_by_cached_key(|name| position(name));
    for name in names {
        let fold = folded(name);
        match seen.get(&fold) {
            Some(first) if !fold.is_empty() => {
                let message = format!("`{}` and `{}` are the same name to generators", short(first), short(name));
                lint.report(&COLLIDE, id, &["properties", name], message);
            }
            _ => {
                seen.insert(fold, name);
            }
        }
    }
}

/// Reports a schema once, however many of its properties lack a description.
fn check_descriptions(lint: &Lint<'_>, id: Id) {
    if lint.is_off(&DESCRIPTION) {
        return;
    }
    let properties = lint.tree.field(id, "properties");
    let silent = properties.filter(|property| lacks_description(lint.tree.node(*property).value));
    let mut silent: Vec<Id> = silent.collect();
    silent.sort_by_cached_key(|property| lint.document.position(&lint.tree.pointer(*property)));
    let names: Vec<String> = silent.iter().filter_map(|property| lint.tree.name(*property)).map(short).collect();
    let Some(first) = silent.first().and_then(|first| lint.tree.name(*first)) else { return };
    let message = format!("no description of {}", listed(&names));
    lint.report(&DESCRIPTION, id, &["properties", first], message);
}

/// Whether the property has neither a description nor a named type.
fn lacks_description(schema: &Value) -> bool {
    let has = |field: &str| schema[field].as_str().is_some_and(|words| !words.trim().is_empty());
    let lists = ["allOf", "anyOf", "oneOf"].iter().filter_map(|list| schema[*list].as_array()).flatten();
    let items = schema.get("items").into_iter().chain(lists);
    !has("description")
        && !has("title")
        && !has("$ref")
        && !items.into_iter().any(|part| reference::target(part).is_some())
}
