//! Validation of request bodies.
//!
//! A body is validated against the JSON Schema of the type it will be read as, which is the schema that the contract check
//! compares, so the contract is enforced as written. Every issue is reported, in the order in which the type declares its
//! fields, with the messages of zod 4, which Better Auth's clients know; FusionAuth's dialect words an issue by its kind.
//! `null` differs from an absent field. Unknown fields are ignored.

mod email;

pub use email::{is_email, is_mailbox};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError, Validator};
use schemars::JsonSchema;
use schemars::r#gen::SchemaSettings;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// One problem of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Path of the field, outermost name first; empty for the body itself.
    pub path: Vec<String>,
    /// Kind of problem, for dialects with messages of their own.
    pub kind: IssueKind,
    text: String,
}

/// Kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IssueKind {
    /// Wrong type.
    Type,
    /// Text above the maximum length.
    TooLong,
    /// Any other.
    Other,
}

impl Issue {
    /// What is wrong, without the name of the field.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[body")?;
        for part in &self.path {
            write!(formatter, ".{part}")?;
        }
        write!(formatter, "] {}", self.text)
    }
}

/// Joins issues to one message. What is wrong for several reasons and has one text is named once.
#[must_use]
pub fn join(issues: &[Issue]) -> String {
    let mut texts: Vec<_> = issues.iter().map(Issue::to_string).collect();
    texts.dedup();
    texts.join("; ")
}

/// Problems of a body that is to be read as `T`; empty for a valid body. `None` is an absent body.
#[must_use]
pub fn issues<T>(body: Option<&Value>) -> Vec<Issue>
where
    T: JsonSchema + DeserializeOwned + 'static,
{
    let rules = Rules::of::<T>();
    match body {
        Some(body) => rules.check(body),
        None => vec![Issue {
            path: Vec::new(),
            kind: IssueKind::Type,
            text: expected(rules.expected_type(&[]), "undefined"),
        }],
    }
}

/// The schema of one type, ready for use.
struct Rules {
    schema: Value,
    validator: Validator,
    /// Names of the fields in the order of declaration; the schema sorts them.
    fields: &'static [&'static str],
}

impl Rules {
    /// The schema of `T`, compiled at its first use.
    fn of<T>() -> Arc<Self>
    where
        T: JsonSchema + DeserializeOwned + 'static,
    {
        static COMPILED: RwLock<Option<HashMap<TypeId, Arc<Rules>>>> = RwLock::new(None);
        let key = TypeId::of::<T>();
        // Entries are only added, so the map is consistent even after a panic under the lock.
        let known = COMPILED.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = known.as_ref().and_then(|rules| rules.get(&key)) {
            return Arc::clone(rules);
        }
        drop(known);
        let rules = Arc::new(Self::compile::<T>());
        let mut known = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_default().insert(key, Arc::clone(&rules));
        rules
    }

    fn compile<T>() -> Self
    where
        T: JsonSchema + DeserializeOwned + 'static,
    {
        let settings = SchemaSettings::draft07().with(|settings| {
            // Otherwise every `Option` would accept `null`, which the dialect rejects.
            settings.option_nullable = false;
            settings.option_add_null_type = false;
            // Inlined, so that the pointer of a value in the body leads to its rule in the schema.
            settings.inline_subschemas = true;
        });
        let schema = settings.into_generator().into_root_schema_for::<T>();
        let schema = serde_json::to_value(schema).expect("a schema is plain JSON");
        let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(true);
        let validator = options.with_format("email", is_email).build(&schema).expect("schemars writes valid schemas");
        Self { schema, validator, fields: field_names::<T>() }
    }

    fn check(&self, body: &Value) -> Vec<Issue> {
        let mut issues: Vec<Issue> = self.validator.iter_errors(body).map(|error| self.issue(&error)).collect();
        unreadable(&self.schema, body, &mut Vec::new(), &mut issues);
        // Stable: several issues of one field stay in the order in which they were found.
        issues.sort_by_key(|issue| {
            issue.path.first().map(|name| self.fields.iter().position(|field| field == name).unwrap_or(usize::MAX))
        });
        issues.dedup();
        issues
    }

    fn issue(&self, error: &ValidationError<'_>) -> Issue {
        let mut path = parts(error.instance_path().as_str());
        let instance = error.instance();
        let text = match error.kind() {
            ValidationErrorKind::Required { property } => {
                path.extend(property.as_str().map(str::to_owned));
                expected(self.expected_type(&path), "undefined")
            }
            // zod has one issue for a value that is none of the options, whatever its type.
            ValidationErrorKind::Type { .. } | ValidationErrorKind::OneOfNotValid { .. }
                if !options(self.at(&path)).is_empty() =>
            {
                none_of(&options(self.at(&path)))
            }
            ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => {
                expected(&kind.to_string(), type_name(instance))
            }
            ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
                expected(self.expected_type(&path), type_name(instance))
            }
            ValidationErrorKind::Format { format } if format == "email" => "Invalid email address".to_owned(),
            ValidationErrorKind::Format { format } => format!("Invalid {format}"),
            ValidationErrorKind::MinLength { limit } => {
                format!("Too small: expected string to have >={limit} characters")
            }
            ValidationErrorKind::MaxLength { limit } => {
                format!("Too big: expected string to have <={limit} characters")
            }
            ValidationErrorKind::Pattern { pattern } => format!("Invalid string: must match pattern /{pattern}/"),
            ValidationErrorKind::Enum { .. } => none_of(&options(self.at(&path))),
            ValidationErrorKind::Minimum { limit } => format!("Too small: expected number to be >={}", number(limit)),
            ValidationErrorKind::Maximum { limit } => format!("Too big: expected number to be <={}", number(limit)),
            ValidationErrorKind::MinItems { limit } => format!("Too small: expected array to have >={limit} items"),
            ValidationErrorKind::MaxItems { limit } => format!("Too big: expected array to have <={limit} items"),
            // Not the validator's message: it quotes the value, which may be a password.
            _ => "Invalid input".to_owned(),
        };
        let kind = match error.kind() {
            ValidationErrorKind::Type { .. } => IssueKind::Type,
            ValidationErrorKind::MaxLength { .. } | ValidationErrorKind::MaxItems { .. } => IssueKind::TooLong,
            _ => IssueKind::Other,
        };
        Issue { path, kind, text }
    }

    /// The schema of a path.
    fn at(&self, path: &[String]) -> &Value {
        path.iter().fold(&self.schema, |schema, part| match &schema["properties"][part] {
            Value::Null => &schema["items"],
            property => property,
        })
    }

    /// The type that the schema requires at a path; of several, the first, which is the recommended one.
    fn expected_type(&self, path: &[String]) -> &str {
        let schema = self.at(path);
        let choice = ["anyOf", "oneOf", "allOf"].iter().find_map(|keyword| schema[*keyword].get(0));
        schema["type"].as_str().or_else(|| choice?["type"].as_str()).unwrap_or("value")
    }
}

/// Adds issues for values that the validator accepts and we do not.
///
/// Integers: those too large for our types, and those with a fraction of zero, which JSON Schema counts as integers since
/// draft 6 and OpenAPI 3.0 does not. Texts: those with U+0000, which PostgreSQL cannot store. Unknown fields and fields of
/// any JSON are skipped.
fn unreadable(schema: &Value, value: &Value, place: &mut Vec<String>, issues: &mut Vec<Issue>) {
    match value {
        Value::String(text) if takes_text(schema) && text.contains('\0') => {
            issues.push(Issue { path: place.clone(), kind: IssueKind::Other, text: "Invalid input".to_owned() });
        }
        Value::Number(number) if schema["type"] == "integer" => {
            let is_whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
            if is_whole && !number.is_i64() {
                let text = expected("integer", type_name(value));
                issues.push(Issue { path: place.clone(), kind: IssueKind::Type, text });
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                place.push(index.to_string());
                unreadable(&schema["items"], entry, place, issues);
                place.pop();
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                place.push(name.clone());
                unreadable(&schema["properties"][name], member, place, issues);
                place.pop();
            }
        }
        _ => {}
    }
}

/// Whether a schema takes texts, perhaps besides `null`.
fn takes_text(schema: &Value) -> bool {
    schema["type"] == "string" || schema["type"].as_array().is_some_and(|kinds| kinds.contains(&"string".into()))
}

/// The words `true` and `false` become booleans where the schema requires one.
#[must_use]
pub fn with_booleans<T>(mut fields: Value) -> Value
where
    T: JsonSchema + DeserializeOwned + 'static,
{
    let rules = Rules::of::<T>();
    for (name, field) in fields.as_object_mut().into_iter().flatten() {
        if rules.expected_type(std::slice::from_ref(name)) == "boolean" {
            match field.as_str() {
                Some("true") => *field = true.into(),
                Some("false") => *field = false.into(),
                _ => {}
            }
        }
    }
    fields
}

fn expected(expected: &str, received: &str) -> String {
    format!("Invalid input: expected {expected}, received {received}")
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The values that a schema lists; schemars writes those with a description as alternatives.
fn options(schema: &Value) -> Vec<&Value> {
    match (&schema["enum"], &schema["oneOf"]) {
        (Value::Array(values), _) => values.iter().collect(),
        (_, Value::Array(alternatives)) if alternatives.iter().all(|schema| schema["enum"].is_array()) => {
            alternatives.iter().flat_map(options).collect()
        }
        _ => Vec::new(),
    }
}

fn none_of(options: &[&Value]) -> String {
    let options: Vec<String> = options.iter().map(ToString::to_string).collect();
    format!("Invalid option: expected one of {}", options.join("|"))
}

/// A limit without a fraction of zero, since schemars writes every limit as a float.
fn number(limit: &Value) -> String {
    limit.as_f64().map_or_else(|| limit.to_string(), |limit| limit.to_string())
}

/// The segments of a JSON pointer (RFC 6901).
fn parts(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

/// The names of a struct's fields in the order of declaration, which serde passes to every format; empty for other types.
fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The deserializer only records the names, so it always ends in an error.
    let _ = T::deserialize(FieldNames(&mut names));
    names
}

struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::{issues, join};
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Form {
        zone: String,
        #[schemars(email, length(max = 12))]
        email: Option<String>,
        #[schemars(length(min = 1, max = 3))]
        short: Option<String>,
        #[schemars(regex(pattern = "^[^:]*$"))]
        no_colon: Option<String>,
        is_new: Option<bool>,
        #[schemars(range(min = 2, max = 4))]
        count: Option<u8>,
        instant: Option<i64>,
        #[schemars(length(max = 1))]
        list: Option<Vec<String>>,
        kind: Option<Kind>,
        side: Option<Described>,
        inner: Option<Inner>,
        choice: Option<Choice>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Red,
        Blue,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Described {
        /// The first.
        Left,
        /// The second.
        Right,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Inner {
        a: Deep,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Deep {
        b: String,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Choice {
        Flag(bool),
        Kind(Kind),
    }

    fn told(body: &Value) -> String {
        join(&issues::<Form>(Some(body)))
    }

    #[test]
    fn each_kind_of_issue_has_zods_words() {
        for (field, value, text) in [
            ("zone", json!(null), "Invalid input: expected string, received null"),
            ("zone", json!(1), "Invalid input: expected string, received number"),
            ("zone", json!(1.5), "Invalid input: expected string, received number"),
            ("zone", json!(true), "Invalid input: expected string, received boolean"),
            ("zone", json!([]), "Invalid input: expected string, received array"),
            ("zone", json!({}), "Invalid input: expected string, received object"),
            ("email", json!("nobody"), "Invalid email address"),
            ("email", json!(null), "Invalid input: expected string, received null"),
            ("short", json!(""), "Too small: expected string to have >=1 characters"),
            ("short", json!("four"), "Too big: expected string to have <=3 characters"),
            ("noColon", json!("a:b"), "Invalid string: must match pattern /^[^:]*$/"),
            ("isNew", json!("true"), "Invalid input: expected boolean, received string"),
            ("isNew", json!(null), "Invalid input: expected boolean, received null"),
            ("count", json!(1), "Too small: expected number to be >=2"),
            ("count", json!(5), "Too big: expected number to be <=4"),
            ("instant", json!(0.5), "Invalid input: expected integer, received number"),
            ("instant", json!(1.0), "Invalid input: expected integer, received number"),
            ("instant", json!(1e30), "Invalid input: expected integer, received number"),
            ("instant", json!(9_223_372_036_854_775_808_u64), "Invalid input: expected integer, received number"),
            ("zone", json!("a\0"), "Invalid input"),
            ("list", json!(["a", "b"]), "Too big: expected array to have <=1 items"),
            ("kind", json!("green"), "Invalid option: expected one of \"red\"|\"blue\""),
            ("kind", json!(5), "Invalid option: expected one of \"red\"|\"blue\""),
            ("side", json!("up"), "Invalid option: expected one of \"left\"|\"right\""),
            ("side", json!(null), "Invalid option: expected one of \"left\"|\"right\""),
            ("kind", json!(null), "Invalid option: expected one of \"red\"|\"blue\""),
            ("choice", json!("yes"), "Invalid input: expected boolean, received string"),
            ("choice", json!(0), "Invalid input: expected boolean, received number"),
            ("choice", json!(null), "Invalid input: expected boolean, received null"),
            ("inner", json!([]), "Invalid input: expected object, received array"),
        ] {
            let mut body = json!({"zone": "z"});
            body[field] = value;
            assert_eq!(told(&body), format!("[body.{field}] {text}"), "{body}");
        }
    }

    #[test]
    fn issues_of_inner_fields_name_the_way() {
        assert_eq!(
            told(&json!({"zone": "z", "inner": {"a": {"b": 1}}})),
            "[body.inner.a.b] Invalid input: expected string, received number"
        );
        assert_eq!(
            told(&json!({"zone": "z", "inner": {"a": {}}})),
            "[body.inner.a.b] Invalid input: expected string, received undefined"
        );
        assert_eq!(
            told(&json!({"zone": "z", "inner": {}})),
            "[body.inner.a] Invalid input: expected object, received undefined"
        );
        assert_eq!(
            told(&json!({"zone": "z", "list": [1]})),
            "[body.list.0] Invalid input: expected string, received number"
        );
    }

    #[test]
    fn the_order_is_that_of_the_declaration() {
        assert_eq!(
            told(&json!({"choice": 1, "email": "a", "isNew": 1})),
            "[body.zone] Invalid input: expected string, received undefined; \
             [body.email] Invalid email address; \
             [body.isNew] Invalid input: expected boolean, received number; \
             [body.choice] Invalid input: expected boolean, received number"
        );
    }

    #[test]
    fn the_body_itself_can_be_wrong() {
        for (body, received) in [
            (json!(null), "null"),
            (json!([]), "array"),
            (json!("a"), "string"),
            (json!(1), "number"),
            (json!(true), "boolean"),
        ] {
            assert_eq!(told(&body), format!("[body] Invalid input: expected object, received {received}"));
        }
        let absent = join(&issues::<Form>(None));
        assert_eq!(absent, "[body] Invalid input: expected object, received undefined");
    }

    #[test]
    fn good_bodies_have_no_issues() {
        for body in [
            json!({"zone": ""}),
            json!({"zone": "z", "unknown": null, "more": {"zone": 1}}),
            json!({"zone": "z", "email": "a@b.io", "short": "abc", "noColon": "", "isNew": false, "choice": "red"}),
            json!({"zone": "z", "choice": true, "kind": "blue", "count": 2, "list": []}),
            json!({"zone": "z", "instant": i64::MIN, "unknown": [1e30, "\0"]}),
        ] {
            assert_eq!(told(&body), "", "{body}");
        }
    }

    #[test]
    fn words_of_a_form_are_true_and_false_where_these_are_asked_for() {
        let form = json!({"zone": "true", "isNew": "false", "count": "2", "choice": "true", "unknown": "true"});
        let read = super::with_booleans::<Form>(form);
        assert_eq!(read, json!({"zone": "true", "isNew": false, "count": "2", "choice": true, "unknown": "true"}));
        assert_eq!(super::with_booleans::<Form>(json!({"isNew": "yes"})), json!({"isNew": "yes"}));
        assert_eq!(super::with_booleans::<Form>(json!([])), json!([]));
    }

    #[test]
    fn no_message_quotes_a_value() {
        let secret = "hunter2:";
        for field in ["email", "short", "noColon", "isNew", "kind", "choice", "inner", "list", "count"] {
            let mut body = json!({"zone": "z"});
            body[field] = secret.into();
            let text = told(&body);
            assert!(!text.is_empty() && !text.contains("hunter2"), "{text}");
        }
    }
}
