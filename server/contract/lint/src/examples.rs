//! Validates values in the document against their schema: examples, defaults and the values of enums.
//!
//! They are validated like responses, including formats. A schema that cannot be compiled is skipped, because other rules
//! report it; one for which validation would not terminate is reported. Properties with `readOnly` or `writeOnly` may be
//! missing from an example.

use super::Lint;
use super::words::short;
use countersign_contract_document::Node;
use countersign_contract_document::grammar::Kind;
use countersign_contract_document::tree::{Id, Key};
use countersign_contract_finding::{Rule, Verdict};
use countersign_contract_validate::json_schema::{compile, json_schema_for};
use countersign_contract_validate::nearest as nearest_errors;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

pub(super) const EXAMPLE: Rule = Rule {
    id: "example-invalid",
    verdict: Verdict::Error,
    what: "An example does not satisfy its schema.",
    why: "People copy examples, and mock servers and tests send them. Correct the example or the schema.",
};
pub(super) const DEFAULT: Rule = Rule {
    id: "default-invalid",
    verdict: Verdict::Error,
    what: "A default does not satisfy its schema.",
    why: "Generated clients send it and are rejected. Correct the default or the schema.",
};
pub(super) const ENUM_VALUE: Rule = Rule {
    id: "enum-value-invalid",
    verdict: Verdict::Error,
    what: "A value of an `enum` does not satisfy the rest of its schema.",
    why: "It is listed but not allowed; in YAML, strings such as `true` or `1` need quotes. Correct the value or the schema.",
};
pub(super) const ENUM_DUPLICATE: Rule = Rule {
    id: "enum-duplicate",
    verdict: Verdict::Error,
    what: "An `enum` has a value twice.",
    why: "Values are unique (JSON Schema, `enum`), and generated code has two constants of one name. Remove one of the two.",
};
pub(super) const UNCHECKED: Rule = Rule {
    id: "value-not-checked",
    verdict: Verdict::Warning,
    what: "An example, a default or a value of an `enum` could not be validated.",
    why: "It may be invalid, and other validators may not terminate on the schema either. Find where the schema refers to itself \
          for the same value, or to very many others.",
};
pub(super) const BOTH: Rule = Rule {
    id: "example-and-examples",
    verdict: Verdict::Error,
    what: "An object has both `example` and `examples`.",
    why: "They exclude each other (OpenAPI 3.0.3, Parameter Object and Media Type Object), and tools show one of them. Keep \
          `examples`.",
};

pub(super) fn check(lint: &Lint<'_>) {
    let mut values = Values { lint, validators: HashMap::new(), one_way: one_way(lint) };
    for (id, schema) in lint.tree.of(Kind::Schema) {
        if let Some(example) = schema.get("example") {
            values.check(&EXAMPLE, id, &["example"], schema, example);
        }
        for (index, example) in schema["examples"].as_array().into_iter().flatten().enumerate() {
            values.check(&EXAMPLE, id, &["examples", &index.to_string()], schema, example);
        }
        if let Some(default) = schema.get("default") {
            values.check(&DEFAULT, id, &["default"], schema, default);
        }
        if let Some(listed) = schema["enum"].as_array() {
            values.check_enum(id, schema, listed);
        }
    }
    for kind in [Kind::Parameter, Kind::Header, Kind::MediaType] {
        lint.tree.of(kind).for_each(|(id, holder)| values.check_holder(id, holder));
    }
}

/// Names of `readOnly` and `writeOnly` properties.
fn one_way<'a>(lint: &Lint<'a>) -> HashSet<&'a str> {
    let schemas =
        lint.tree.of(Kind::Schema).filter(|(_, schema)| schema["readOnly"] == true || schema["writeOnly"] == true);
    schemas.filter_map(|(id, _)| lint.tree.name(id)).collect()
}

struct Values<'l, 'a> {
    lint: &'l Lint<'a>,
    /// By the JSON text of the schema, because many schemas are equal. `None` for a schema that cannot be compiled.
    validators: HashMap<String, Option<Rc<Validator>>>,
    one_way: HashSet<&'a str>,
}

impl Values<'_, '_> {
    fn check_holder(&mut self, id: Id, holder: &Value) {
        let lint = self.lint;
        if let (Some(_), Some(_)) = (holder.get("example"), holder.get("examples")) {
            lint.report(&BOTH, id, &["example"], "there is `examples` as well");
        }
        let schema = &holder["schema"];
        if schema.is_null() {
            return;
        }
        let is_json = match lint.tree.node(id) {
            node if node.kind == Kind::MediaType => matches!(node.key, Key::Name(name) if name.contains("json")),
            _ => true,
        };
        // For other media types, a string is the serialized body and not its value.
        let is_value = |example: &Value| is_json || !example.is_string();
        if let Some(example) = holder.get("example").filter(|example| is_value(example)) {
            self.check(&EXAMPLE, id, &["example"], schema, example);
        }
        for example in lint.tree.field(id, "examples") {
            let node = lint.tree.node(example);
            let written = match node.reference {
                None => Some(example),
                Some(reference) => lint.reach.component(reference),
            };
            let written = written.filter(|written| lint.tree.node(*written).kind == Kind::Example);
            let Some(written) = written else { continue };
            let value = lint.tree.node(written).value;
            let value = ["value", "dataValue"].into_iter().find_map(|key| Some((key, value.get(key)?)));
            if let Some((key, value)) = value.filter(|(_, value)| is_value(value)) {
                self.check(&EXAMPLE, written, &[key], schema, value);
            }
        }
    }

    fn check(&mut self, rule: &'static Rule, id: Id, inner: &[&str], schema: &Value, value: &Value) {
        match self.problem(schema, value) {
            Ok(None) => {}
            Ok(Some((place, problem))) => {
                let inner: Vec<&str> = inner.iter().copied().chain(place.iter().map(String::as_str)).collect();
                self.lint.report(rule, id, &inner, problem);
            }
            Err(why) => self.lint.report(&UNCHECKED, id, inner, why),
        }
    }

    fn check_enum(&mut self, id: Id, schema: &Value, listed: &[Value]) {
        let mut rest = schema.clone();
        if let Some(keywords) = rest.as_object_mut() {
            keywords.remove("enum");
        }
        let mut seen: HashSet<String> = HashSet::new();
        for (index, value) in listed.iter().enumerate() {
            let inner = ["enum", &index.to_string()];
            let text = value.to_string();
            if seen.contains(&text) {
                self.lint.report(&ENUM_DUPLICATE, id, &inner, format!("{} is listed twice", short(&text)));
            } else {
                self.check(&ENUM_VALUE, id, &inner, &rest, value);
            }
            seen.insert(text);
        }
    }

    /// Path within the value and description of its first error; or why it cannot be validated.
    fn problem(&mut self, schema: &Value, value: &Value) -> Result<Option<(Vec<String>, String)>, &'static str> {
        let Some(validator) = self.validator(schema, value)? else { return Ok(None) };
        let described = |error: &ValidationError<'_>| -> (Vec<String>, String) {
            (
                countersign_contract_document::pointer::tokens(error.instance_path().as_str()).collect(),
                short(&error.to_string()),
            )
        };
        let problem = |error: ValidationError<'_>| {
            nearest_errors(&error).into_iter().find(|error| !self.is_one_way(error.kind())).map(described)
        };
        Ok(validator.iter_errors(value).find_map(problem))
    }

    fn is_one_way(&self, kind: &ValidationErrorKind) -> bool {
        match kind {
            ValidationErrorKind::Required { property } => {
                property.as_str().is_some_and(|property| self.one_way.contains(property))
            }
            _ => false,
        }
    }

    fn validator(&mut self, schema: &Value, value: &Value) -> Result<Option<Rc<Validator>>, &'static str> {
        let schema = Node { document: self.lint.document, pointer: String::new(), value: schema };
        let complete = json_schema_for(&schema, value).ok_or("its schema refers to too many others")?;
        if complete.is_endless {
            return Err("its schema refers to itself for the same value");
        }
        let complete = complete.schema;
        let build = || compile(&complete).ok().map(Rc::new);
        Ok(self.validators.entry(complete.to_string()).or_insert_with(build).clone())
    }
}
