//! Compiled schemas, and validation of values against them.

use super::{Deviation, MOST_DEVIATIONS};
use crate::json_schema::{Extra, PLACE, Translated, compile, json_schema, json_schema_of_request};
use countersign_contract_document::{Node, pointer, reference};
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use jsonschema::{JsonType, Validator};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What is validated: a schema may have properties that only exist in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Requests,
    Responses,
}

impl Direction {
    /// The rule about properties that a schema does not name.
    fn undocumented_property(self) -> &'static str {
        match self {
            Self::Requests => "request-property-undocumented",
            Self::Responses => "property-undocumented",
        }
    }
}

/// Compiled schemas by their JSON pointer in the document.
pub(super) struct Schemas {
    direction: Direction,
    compiled: RwLock<BTreeMap<String, Arc<Outcome>>>,
}

/// A compiled schema, or why it cannot be used.
type Outcome = Result<Schema, String>;

/// A schema compiled in both variants.
struct Schema {
    plain: Reading,
    /// Forbids undocumented properties.
    strict: Reading,
}

/// A compiled variant of a schema.
struct Reading {
    validator: Validator,
    /// The JSON Schema, with the pointers of its sources.
    schema: Value,
}

impl Schemas {
    pub(super) fn new(direction: Direction) -> Self {
        Self { direction, compiled: RwLock::default() }
    }

    /// Validates a value: `rule` for violations of the schema, `property-undocumented` or, in requests,
    /// `request-property-undocumented` for those of the strict variant only.
    pub(super) fn deviations(&self, schema: &Node<'_>, rule: &'static str, value: &Value) -> Vec<Deviation> {
        match &*self.get(schema) {
            Err(reason) => vec![Deviation::new("schema-unusable", schema, reason.as_str())],
            Ok(compiled) => compiled.deviations(schema, (rule, self.direction.undocumented_property()), value),
        }
    }

    fn get(&self, schema: &Node<'_>) -> Arc<Outcome> {
        let known = self.compiled.read().unwrap_or_else(PoisonError::into_inner).get(&schema.pointer).cloned();
        known.unwrap_or_else(|| {
            // Concurrent callers may compile the same schema; one result is kept.
            let compiled = Arc::new(Schema::compile(schema, self.direction));
            let mut schemas = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(schemas.entry(schema.pointer.clone()).or_insert(compiled))
        })
    }
}

impl Schema {
    fn compile(schema: &Node<'_>, direction: Direction) -> Outcome {
        Ok(Self {
            plain: Reading::compile(schema, Extra::Allowed, direction)?,
            strict: Reading::compile(schema, Extra::Forbidden, direction)?,
        })
    }

    fn deviations(
        &self,
        schema: &Node<'_>,
        (rule, undocumented): (&'static str, &'static str),
        value: &Value,
    ) -> Vec<Deviation> {
        let out = self.plain.deviations(schema, rule, value);
        // If a part of the schema does not match, the strict variant also forbids the properties of that part.
        if out.is_empty() { self.strict.deviations(schema, undocumented, value) } else { out }
    }
}

impl Reading {
    fn compile(schema: &Node<'_>, extra: Extra, direction: Direction) -> Result<Self, String> {
        let Translated { schema, is_endless } = match direction {
            Direction::Requests => json_schema_of_request(schema, extra),
            Direction::Responses => json_schema(schema, extra),
        };
        if is_endless {
            return Err("the schema refers to itself without end".to_owned());
        }
        let validator = compile(&schema);
        let validator = validator.map_err(|error| format!("the schema is not usable: {error}"))?;
        Ok(Self { validator, schema })
    }

    fn deviations(&self, schema: &Node<'_>, rule: &'static str, value: &Value) -> Vec<Deviation> {
        let mut out = Vec::new();
        for error in self.validator.iter_errors(value).take(MOST_DEVIATIONS) {
            out.extend(nearest(&error).into_iter().map(|error| Deviation {
                rule,
                message: error.masked_with("the value").to_string(),
                pointer: self.place(schema, error.schema_path().as_str()),
                instance: error.instance_path().as_str().to_owned(),
            }));
        }
        out
    }

    /// JSON pointer in the document of a keyword in the compiled schema; of its schema, if the translation added the
    /// keyword.
    fn place(&self, schema: &Node<'_>, keyword: &str) -> String {
        let mut at = &self.schema;
        let mut place = schema.pointer.clone();
        let mut behind = Vec::new();
        for token in pointer::tokens(keyword) {
            at = match at {
                Value::Array(items) => token.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => at.get(&token),
            }
            .unwrap_or(&Value::Null);
            behind.push(token);
            if behind.last().is_some_and(|token| token == "$ref")
                && let Some(target) = at.as_str()
            {
                at =
                    reference::resolve(&self.schema, self.schema.pointer(target.trim_start_matches('#')).unwrap_or(at));
            }
            if let Some(found) = at.get(PLACE).and_then(Value::as_str) {
                found.clone_into(&mut place);
                behind.clear();
            }
        }
        for token in behind {
            let longer = format!("{place}{}", pointer::from_tokens(&[token]));
            if schema.document.value().pointer(&longer).is_none() {
                break;
            }
            place = longer;
        }
        place
    }
}

/// The most specific errors: if the value can only be meant for one of several alternatives, the errors within it.
pub fn nearest<'e>(error: &'e ValidationError<'_>) -> Vec<&'e ValidationError<'e>> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
        return vec![error];
    };
    let only = |is_meant: &dyn Fn(&[ValidationError<'static>]) -> bool| {
        let mut meant = context.iter().filter(|alternative| is_meant(alternative));
        meant.next().filter(|_| meant.next().is_none())
    };
    let is_null = |inner: &ValidationError<'_>| {
        matches!(inner.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::Null) })
    };
    let is_of_other_kind = |inner: &ValidationError<'_>| {
        let is_about_kind = matches!(inner.kind(), ValidationErrorKind::Type { .. } | ValidationErrorKind::FalseSchema);
        is_about_kind && inner.instance_path() == error.instance_path()
    };
    let not_null = only(&|alternative| !alternative.iter().all(is_null));
    match not_null.or_else(|| only(&|alternative| !alternative.iter().any(is_of_other_kind))) {
        Some(alternative) => alternative.iter().flat_map(nearest).collect(),
        None => vec![error],
    }
}
