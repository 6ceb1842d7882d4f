//! What each object of OpenAPI may hold, and how references stand.

use super::Lint;
use super::words::{listed, nearest, short};
use crate::finding::{Rule, Verdict};
use crate::grammar::{Kind, Shape, grammar};
use crate::tree::Id;
use serde_json::Value;

pub(super) const UNKNOWN: Rule = Rule {
    id: "unknown-field",
    verdict: Verdict::Error,
    what: "An object has a field that OpenAPI 3.0.3 does not know there.",
    why: "Tools ignore it or refuse the document, so what it says is not in force. Correct the name, move it, or begin it with \
          `x-`.",
};
pub(super) const MISSING: Rule = Rule {
    id: "field-missing",
    verdict: Verdict::Error,
    what: "An object lacks a field that OpenAPI 3.0.3 demands.",
    why: "Tools refuse the document, or guess. Add the field.",
};
pub(super) const TYPE: Rule = Rule {
    id: "field-type",
    verdict: Verdict::Error,
    what: "A field holds a value of another type than OpenAPI 3.0.3 says.",
    why: "Tools refuse the document or ignore the field. In YAML, a text that looks like a number or a date needs quotes.",
};
pub(super) const VALUE: Rule = Rule {
    id: "field-value",
    verdict: Verdict::Error,
    what: "A field holds a word that is not one of those OpenAPI 3.0.3 allows there.",
    why: "Tools refuse the document or ignore the field. Use one of the words that the finding lists.",
};
pub(super) const SIBLINGS: Rule = Rule {
    id: "ref-with-siblings",
    verdict: Verdict::Warning,
    what: "Other fields stand beside a `$ref`.",
    why: "OpenAPI 3.0 says that they are ignored, and some tools obey while others do not. In a schema, put the `$ref` into \
          an `allOf` of one; elsewhere, move the fields to what the reference names.",
};
pub(super) const BROKEN: Rule = Rule {
    id: "reference-broken",
    verdict: Verdict::Error,
    what: "A reference to an example leads nowhere.",
    why: "Who reads the document sees no example, and some tools refuse it. Correct the reference. (Other broken references \
          keep a document from being read at all.)",
};

pub(super) fn check(lint: &Lint<'_>) {
    for id in lint.tree.ids() {
        match lint.tree.node(id).reference {
            Some(reference) => check_reference(lint, id, reference),
            None => check_fields(lint, id),
        }
    }
    for misfit in &lint.tree.misfits {
        let inner: Vec<&str> = misfit.inner.iter().map(String::as_str).collect();
        match (misfit.expected, misfit.value) {
            (Shape::Word(words), Value::String(word)) => {
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
    for field in grammar.fields.iter().filter(|field| field.is_required && node.value.get(field.name).is_none()) {
        lint.report(&MISSING, id, &[], format!("{} needs `{}`", grammar.noun, field.name));
    }
    if grammar.others.is_some() {
        return;
    }
    let keys = node.value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let known = || grammar.fields.iter().map(|field| field.name);
    for key in keys.filter(|key| !key.starts_with("x-") && known().all(|name| name != *key)) {
        let hint = instead(node.kind, key)
            .map(|advice| format!(": {advice}"))
            .or_else(|| nearest(key, known()).map(|name| format!(", did you mean `{name}`?")));
        let message = format!("{} has no field `{}`{}", grammar.noun, short(key), hint.unwrap_or_default());
        lint.report(&UNKNOWN, id, &[key], message);
    }
}

/// What to do instead, for fields of other versions of OpenAPI and of JSON Schema.
fn instead(kind: Kind, key: &str) -> Option<&'static str> {
    Some(match (kind, key) {
        (Kind::Schema, "const") => "write an `enum` of one value",
        (Kind::Schema, "examples") => "a schema has one `example`",
        (Kind::Schema, "patternProperties" | "propertyNames" | "unevaluatedProperties") => {
            "OpenAPI 3.0 has `additionalProperties` alone"
        }
        (Kind::Schema, "if" | "then" | "else" | "dependencies" | "dependentRequired" | "dependentSchemas") => {
            "OpenAPI 3.0 has `oneOf` and `anyOf` for this"
        }
        (Kind::Schema, "contains" | "prefixItems" | "additionalItems" | "minContains" | "maxContains") => {
            "OpenAPI 3.0 knows one `items` for all items"
        }
        (Kind::Schema, "$defs" | "definitions") => "named schemas stand under `components/schemas`",
        (Kind::Schema, "$id" | "$schema" | "$anchor" | "$comment") => "JSON Schema has it, OpenAPI 3.0 does not",
        (Kind::Schema, "contentEncoding" | "contentMediaType") => "OpenAPI 3.0 has `format: byte` and `format: binary`",
        (Kind::Parameter | Kind::Header, "type" | "format" | "enum" | "items" | "default" | "pattern") => {
            "it belongs into `schema`"
        }
        (Kind::Response | Kind::Body, "schema") => "it belongs below `content` and a media type",
        (Kind::Operation, "consumes" | "produces") => "media types are the keys of `content`",
        (Kind::Document, "webhooks") => "OpenAPI 3.1 has it, 3.0 has `callbacks`",
        _ => return None,
    })
}

fn check_reference(lint: &Lint<'_>, id: Id, reference: &str) {
    let node = lint.tree.node(id);
    let siblings = node.value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let siblings: Vec<&str> = siblings.filter(|key| *key != "$ref" && !key.starts_with("x-")).collect();
    if !siblings.is_empty() {
        lint.report(
            &SIBLINGS,
            id,
            &["$ref"],
            format!("what stands beside the `$ref` is ignored: {}", listed(&siblings)),
        );
    }
    // A `$ref` to null is as broken as one to nothing: there is no example.
    if node.kind == Kind::Example && lint.document.resolve(node.value).is_null() {
        lint.report(&BROKEN, id, &["$ref"], format!("`{}` leads to no example", short(reference)));
    }
}

fn all(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn expectation(shape: Shape) -> String {
    match shape {
        Shape::Text => "a text".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Number => "a number".to_owned(),
        Shape::Count => "a whole number from 0".to_owned(),
        Shape::Data => "a value".to_owned(),
        Shape::Values => "a list".to_owned(),
        Shape::Texts => "a list of texts".to_owned(),
        Shape::TextMap => "texts by name".to_owned(),
        Shape::Word(words) => format!("one of {}", all(words)),
        Shape::One(kind) => grammar(kind).noun.to_owned(),
        Shape::List(kind) => format!("a list, each entry {}", grammar(kind).noun),
        Shape::Map(kind) => format!("names, each with {}", grammar(kind).noun),
        Shape::FlagOrSchema => "`true`, `false` or a schema".to_owned(),
    }
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("the text `{}`", short(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
