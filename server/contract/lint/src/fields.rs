//! Checks the fields of each OpenAPI object, and its references.

use super::words::{listed, nearest, short};
use super::{Lint, unions};
use countersign_contract_document::grammar::{Kind, Shape, TYPES_WITH_NULL, grammar};
use countersign_contract_document::references::Broken;
use countersign_contract_document::tree::{Id, Misfit};
use countersign_contract_document::{Version, pointer};
use countersign_contract_finding::{Rule, Verdict};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

pub(super) const UNKNOWN: Rule = Rule {
    id: "unknown-field",
    verdict: Verdict::Error,
    what: "An object has a field that its version of OpenAPI does not define for it.",
    why: "Tools ignore it or reject the document. Correct the name, move the field, or prefix it with `x-`.",
};
pub(super) const MISSING: Rule = Rule {
    id: "field-missing",
    verdict: Verdict::Error,
    what: "An object lacks a field that OpenAPI requires.",
    why: "Tools reject the document or guess a value. Add the field.",
};
pub(super) const TYPE: Rule = Rule {
    id: "field-type",
    verdict: Verdict::Error,
    what: "The value of a field does not have the type that OpenAPI requires.",
    why: "Tools reject the document or ignore the field. In YAML, strings that look like a number or a date need quotes.",
};
pub(super) const VALUE: Rule = Rule {
    id: "field-value",
    verdict: Verdict::Error,
    what: "The value of a field is not one that OpenAPI allows.",
    why: "Tools reject the document or ignore the field. Use one of the listed values.",
};
pub(super) const SIBLINGS: Rule = Rule {
    id: "ref-with-siblings",
    verdict: Verdict::Warning,
    what: "A `$ref` has siblings.",
    why: "In OpenAPI 3.0 they are ignored, but some tools use them. In a schema, wrap the `$ref` in an `allOf`; elsewhere, move \
          the fields to the target of the reference.",
};
pub(super) const BROKEN: Rule = Rule {
    id: "reference-broken",
    verdict: Verdict::Error,
    what: "A reference cannot be resolved, or is where OpenAPI allows none.",
    why: "Tools reject the document or ignore the part; nothing else is compared or checked with it. Correct the reference, or \
          write its target in its place.",
};

pub(super) fn check(lint: &Lint<'_>) {
    let misplaced = check_broken(lint);
    for id in lint.tree.ids() {
        match lint.tree.node(id).reference {
            Some(reference) => check_reference(lint, id, reference),
            None if misplaced.contains(&id) => {}
            None => check_fields(lint, id),
        }
    }
    check_ignored(lint);
    // A reference where none is allowed is reported as one, and not for its type.
    let is_reported = |misfit: &Misfit<'_>| {
        let pointer = lint.tree.pointer(misfit.node) + &pointer::from_tokens(&misfit.inner);
        lint.broken.contains(&pointer) || lint.broken.contains(&format!("{pointer}/$ref"))
    };
    for misfit in lint.tree.misfits.iter().filter(|misfit| !is_reported(misfit)) {
        let inner: Vec<&str> = misfit.inner.iter().map(String::as_str).collect();
        let words = match misfit.expected {
            Shape::Word(words) => Some(words),
            Shape::Types => Some(TYPES_WITH_NULL),
            _ => None,
        };
        match (misfit.expected, misfit.value) {
            (_, Value::String(word)) if words.is_some() => {
                let words = words.unwrap_or_default();
                let hint = nearest(word, words.iter().copied()).map(|word| format!(", did you mean `{word}`?"));
                let hint = hint.unwrap_or_else(|| format!("; it is one of {}", all(words)));
                lint.report(&VALUE, misfit.node, &inner, format!("`{}` is unknown here{hint}", short(word)));
            }
            (expected, value) => {
                let message = format!("expected {}, found {}", expectation(expected), kind_of(value));
                lint.report(&TYPE, misfit.node, &inner, message);
            }
        }
    }
}

fn check_fields(lint: &Lint<'_>, id: Id) {
    let node = lint.tree.node(id);
    let grammar = grammar(node.kind);
    let version = lint.tree.version;
    for field in grammar.fields(version).filter(|field| field.is_required && node.value.get(field.name).is_none()) {
        lint.report(&MISSING, id, &[], format!("{} needs `{}`", grammar.noun, field.name));
    }
    if grammar.others.is_some() {
        return;
    }
    let keys = node.value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let known = || grammar.fields(version).map(|field| field.name);
    let is_open = node.kind == Kind::Schema && version.has_json_schema();
    for key in keys.filter(|key| !key.starts_with("x-") && known().all(|name| name != *key)) {
        // The form that all versions share has it.
        if is_open && key == "nullable" {
            continue;
        }
        let hint = advice_for(node.kind, key, version)
            .map(|advice| format!(": {advice}"))
            .or_else(|| nearest(key, known()).map(|name| format!(", did you mean `{name}`?")));
        // JSON Schema allows further keywords, so that only those that look like a mistake are reported.
        if is_open && hint.is_none() {
            continue;
        }
        let message = format!("{} has no field `{}`{}", grammar.noun, short(key), hint.unwrap_or_default());
        lint.report(&UNKNOWN, id, &[key], message);
    }
}

/// Reports keywords of OpenAPI 3.0 that have no meaning in JSON Schema.
fn check_ignored(lint: &Lint<'_>) {
    let ignored = lint.document.ignored();
    if ignored.is_empty() {
        return;
    }
    let by_pointer: HashMap<String, Id> = lint.tree.ids().map(|id| (lint.tree.pointer(id), id)).collect();
    for pointer in ignored {
        let Some((holder, key)) = pointer.rsplit_once('/') else { continue };
        let Some(id) = by_pointer.get(holder).copied() else { continue };
        let advice = match key {
            "nullable" => "add `\"null\"` to `type`",
            _ => "it is a number of its own, in place of the limit",
        };
        lint.report(&UNKNOWN, id, &[key], format!("`{key}` has no meaning in this version of OpenAPI: {advice}"));
    }
}

/// Reports the references that cannot be resolved. Returns the objects that are such a reference.
fn check_broken(lint: &Lint<'_>) -> HashSet<Id> {
    let mut objects = HashSet::new();
    let broken = lint.document.broken();
    if broken.is_empty() {
        return objects;
    }
    let by_pointer: HashMap<String, Id> = lint.tree.ids().map(|id| (lint.tree.pointer(id), id)).collect();
    for Broken { pointer, text, problem } in broken {
        // In data and lists, the nearest object of OpenAPI contains the reference.
        let mut ends = pointer.rmatch_indices('/').map(|(end, _)| end);
        let Some((id, end)) = ends.find_map(|end| Some((*by_pointer.get(&pointer[..end])?, end))) else {
            continue;
        };
        let tokens: Vec<String> = pointer::tokens(&pointer[end..]).collect();
        let inner: Vec<&str> = tokens.iter().map(String::as_str).collect();
        if inner == ["$ref"] {
            objects.insert(id);
        }
        let rule = match lint.tree.node(id).kind {
            Kind::Discriminator => &unions::DISCRIMINATOR_MAPPING,
            _ => &BROKEN,
        };
        lint.report(rule, id, &inner, format!("the reference `{}` {problem}", short(text)));
    }
    objects
}

/// Advice for fields of other versions of OpenAPI and of JSON Schema.
fn advice_for(kind: Kind, key: &str, version: Version) -> Option<&'static str> {
    if version.has_json_schema() {
        return advice_for_json_schema(kind, key);
    }
    Some(match (kind, key) {
        (Kind::Schema, "const") => "use an `enum` of one value",
        (Kind::Schema, "examples") => "a schema has one `example`",
        (Kind::Schema, "patternProperties" | "propertyNames" | "unevaluatedProperties") => {
            "OpenAPI 3.0 only has `additionalProperties`"
        }
        (Kind::Schema, "if" | "then" | "else" | "dependencies" | "dependentRequired" | "dependentSchemas") => {
            "OpenAPI 3.0 has `oneOf` and `anyOf` for this"
        }
        (Kind::Schema, "contains" | "prefixItems" | "additionalItems" | "minContains" | "maxContains") => {
            "OpenAPI 3.0 has one `items` for all items"
        }
        (Kind::Schema, "$defs" | "definitions") => "named schemas belong in `components/schemas`",
        (Kind::Schema, "$id" | "$schema" | "$anchor" | "$comment") => "only JSON Schema has it, not OpenAPI 3.0",
        (Kind::Schema, "contentEncoding" | "contentMediaType") => "OpenAPI 3.0 has `format: byte` and `format: binary`",
        (Kind::Parameter | Kind::Header, "type" | "format" | "enum" | "items" | "default" | "pattern") => {
            "it belongs in `schema`"
        }
        (Kind::Response | Kind::Body, "schema") => "it belongs below `content` and a media type",
        (Kind::Operation, "consumes" | "produces") => "media types are the keys of `content`",
        (Kind::Document, "webhooks") => "OpenAPI has it since 3.1; OpenAPI 3.0 has `callbacks`",
        _ => return None,
    })
}

fn advice_for_json_schema(kind: Kind, key: &str) -> Option<&'static str> {
    Some(match (kind, key) {
        (Kind::Schema, "additionalItems") => "`items` describes the items after those of `prefixItems`",
        (Kind::Schema, "dependencies") => "use `dependentRequired` or `dependentSchemas`",
        (Kind::Schema, "id") => "the keyword is `$id`",
        (Kind::Schema, "$recursiveRef" | "$recursiveAnchor") => "use `$dynamicRef` and `$dynamicAnchor`",
        (Kind::Parameter | Kind::Header, "type" | "format" | "enum" | "items" | "default" | "pattern") => {
            "it belongs in `schema`"
        }
        (Kind::Response | Kind::Body, "schema") => "it belongs below `content` and a media type",
        (Kind::Operation, "consumes" | "produces") => "media types are the keys of `content`",
        _ => return None,
    })
}

fn check_reference(lint: &Lint<'_>, id: Id, reference: &str) {
    let node = lint.tree.node(id);
    let siblings = node.value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let siblings: Vec<&str> = siblings.filter(|key| *key != "$ref" && !key.starts_with("x-")).collect();
    if !siblings.is_empty() {
        lint.report(&SIBLINGS, id, &["$ref"], format!("siblings of a `$ref` are ignored: {}", listed(&siblings)));
    }
    // A `$ref` to null is broken too, because null is not an Example Object.
    let is_reported = || lint.broken.contains(&(lint.tree.pointer(id) + "/$ref"));
    if node.kind == Kind::Example && lint.document.resolve(node.value).is_null() && !is_reported() {
        lint.report(&BROKEN, id, &["$ref"], format!("`{}` leads to no example", short(reference)));
    }
}

fn all(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn expectation(shape: Shape) -> String {
    match shape {
        Shape::Text => "a string".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Count => "a non-negative integer".to_owned(),
        Shape::Data => "a value".to_owned(),
        Shape::Values => "a list".to_owned(),
        Shape::Texts => "a list of strings".to_owned(),
        Shape::TextMap => "a map of strings".to_owned(),
        Shape::Word(words) => format!("one of {}", all(words)),
        Shape::One(kind) => grammar(kind).noun.to_owned(),
        Shape::List(kind) => format!("a list, each entry {}", grammar(kind).noun),
        Shape::Map(kind) => format!("a map, each entry {}", grammar(kind).noun),
        Shape::FlagOrSchema => "`true`, `false` or a schema".to_owned(),
        Shape::Types => "the name of a type or a list of them".to_owned(),
    }
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("the string `{}`", short(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
