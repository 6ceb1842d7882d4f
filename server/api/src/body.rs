//! Request bodies, taken from where the edge left them.
//!
//! The order in which a request is checked (media type, JSON, origin, fields) is the dialect's, and its first part
//! happens before the handler's extractors run. So the edge reads and parses the body, and leaves a [`ParsedBody`] in
//! the request's extensions. The one extractor, [`RequestBody`], takes it out, validates it against the schema of the
//! handler's type, and reads it. It never touches the stream.

use crate::validation;
use async_trait::async_trait;
use dropshot::{
    ApiEndpointBodyContentType, Body, ErrorStatusCode, ExclusiveExtractor, ExtractorMetadata, HttpError,
    RequestContext, ServerContext, TypedBody,
};
use http::{HeaderMap, Request};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{Schema, SchemaObject};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;

/// The code of every error that says a body does not have the shape of its schema.
pub const VALIDATION_ERROR: &str = "VALIDATION_ERROR";

/// The code of every such error for dialects that name each field; its message is the issues, as JSON.
pub const INVALID_FIELDS: &str = "INVALID_FIELDS";

/// A request body as the edge found it, carried in the request's extensions.
#[derive(Clone, PartialEq)]
pub enum ParsedBody {
    /// No body, or one without a declared type.
    Absent,
    /// JSON, or a form: an object of strings.
    Json(Value),
}

// A body may hold a password or a code.
impl fmt::Debug for ParsedBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "Absent",
            Self::Json(_) => "Json([redacted])",
        })
    }
}

impl ParsedBody {
    /// Takes the body out of a request.
    ///
    /// # Errors
    /// An internal error if the edge left none, which means that the request did not come through it.
    fn take(request: &mut Request<Body>) -> Result<Self, HttpError> {
        let missing = || HttpError::for_internal_error("the edge left no parsed body in the request".to_owned());
        request.extensions_mut().remove::<Self>().ok_or_else(missing)
    }

    fn as_value(&self) -> Option<&Value> {
        match self {
            Self::Absent => None,
            Self::Json(value) => Some(value),
        }
    }

    fn read<T: BodySchema>(self) -> Result<T, HttpError> {
        let issues = validation::issues::<T>(self.as_value());
        if !issues.is_empty() {
            return Err(refused(VALIDATION_ERROR, validation::join(&issues)));
        }
        let Self::Json(value) = self else {
            return Err(HttpError::for_internal_error("an absent body passed validation".to_owned()));
        };
        Self::read_valid(value)
    }

    /// The value, for a dialect in which an absent body is an empty object, and null an absent body.
    fn into_lenient_value(self) -> Value {
        match self {
            Self::Absent | Self::Json(Value::Null) => Value::Object(serde_json::Map::new()),
            Self::Json(value) => value,
        }
    }

    /// As [`ParsedBody::read`], for a dialect in which an absent body is an empty object, and null the same as absent.
    pub(crate) fn read_leniently<T: BodySchema>(self) -> Result<T, HttpError> {
        let value = without_nulls(self.into_lenient_value());
        check_fields::<T>(&value)?;
        Self::read_valid(value)
    }

    fn read_valid<T: DeserializeOwned>(value: Value) -> Result<T, HttpError> {
        // A value that the schema accepts and the type does not is a defect of the type, not of the request.
        serde_json::from_value(value).map_err(|_| HttpError {
            status_code: ErrorStatusCode::INTERNAL_SERVER_ERROR,
            error_code: None,
            external_message: "Internal server error".to_owned(),
            internal_message: format!("a valid body could not be read as {}", std::any::type_name::<T>()),
            headers: None,
        })
    }
}

pub(crate) fn refused(code: &str, text: String) -> HttpError {
    HttpError::for_client_error(Some(code.to_owned()), dropshot::ClientErrorStatusCode::BAD_REQUEST, text)
}

fn check_fields<T: BodySchema>(value: &Value) -> Result<(), HttpError> {
    let issues = validation::issues::<T>(Some(value));
    if issues.is_empty() {
        return Ok(());
    }
    Err(refused(INVALID_FIELDS, serde_json::to_string(&issues).expect("issues are plain JSON")))
}

/// Properties that hold any JSON, in which null is a value.
const FREE_FORM: [&str; 2] = ["data", "state"];

/// Leaves out properties that are null, at any depth.
#[must_use]
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, member)| !member.is_null());
            let kept = kept.map(|(name, member)| {
                let member = if FREE_FORM.contains(&name.as_str()) { member } else { without_nulls(member) };
                (name, member)
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// The schema type of a body.
pub trait BodySchema: JsonSchema + DeserializeOwned + Send + Sync + 'static {}

impl<T: JsonSchema + DeserializeOwned + Send + Sync + 'static> BodySchema for T {}

/// How an operation reads its body, and how that is documented.
pub trait BodyKind<T> {
    /// What the handler gets.
    type Value: Send + Sync + 'static;

    /// Validates and reads a body.
    ///
    /// # Errors
    /// What is wrong with it, for the dialect's error type to translate.
    fn read(headers: &HeaderMap, body: ParsedBody) -> Result<Self::Value, HttpError>;

    /// The body as dropshot documents it.
    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata;
}

/// The body of a request, validated against the schema of `T` and read as `K` says.
pub struct RequestBody<K: BodyKind<T>, T>(K::Value);

impl<K: BodyKind<T>, T> RequestBody<K, T> {
    /// The body.
    #[must_use]
    pub fn into_inner(self) -> K::Value {
        self.0
    }
}

#[async_trait]
impl<K: BodyKind<T>, T: BodySchema> ExclusiveExtractor for RequestBody<K, T> {
    async fn from_request<Context: ServerContext>(
        _context: &RequestContext<Context>,
        mut request: Request<Body>,
    ) -> Result<Self, HttpError> {
        let body = ParsedBody::take(&mut request)?;
        K::read(request.headers(), body).map(Self)
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        K::metadata(content_type)
    }
}

/// A required JSON body.
pub type JsonBody<T> = RequestBody<Json, T>;

/// A required JSON body whose problems are named with their fields: the administration API's.
pub type CheckedBody<T> = RequestBody<Checked, T>;

/// A required body, as JSON or as an HTML form. In either, a boolean may be one of the words `true` and `false`.
pub type JsonOrFormBody<T> = RequestBody<JsonOrForm, T>;

/// An optional JSON body.
pub type OptionalJsonBody<T> = RequestBody<OptionalJson, T>;

/// A JSON body in which every property is optional, and null the same as absent: FusionAuth's. Itself optional.
pub type LenientBody<T> = RequestBody<Lenient, T>;

/// The same for an operation that succeeds without a body, so that null is documented as well.
pub type LenientOrNullBody<T> = RequestBody<LenientOrNull, T>;

/// A merge patch (RFC 7396), validated as a `T` and kept as it is.
pub type MergePatchBody<T> = RequestBody<MergePatch, T>;

/// The kind of [`JsonBody`].
#[derive(Debug)]
pub enum Json {}

/// The kind of [`CheckedBody`].
#[derive(Debug)]
pub enum Checked {}

/// The kind of [`JsonOrFormBody`].
#[derive(Debug)]
pub enum JsonOrForm {}

/// The kind of [`OptionalJsonBody`].
#[derive(Debug)]
pub enum OptionalJson {}

/// The kind of [`LenientBody`].
#[derive(Debug)]
pub enum Lenient {}

/// The kind of [`LenientOrNullBody`].
#[derive(Debug)]
pub enum LenientOrNull {}

/// The kind of [`MergePatchBody`].
#[derive(Debug)]
pub enum MergePatch {}

impl<T: BodySchema> BodyKind<T> for Json {
    type Value = T;

    fn read(_headers: &HeaderMap, body: ParsedBody) -> Result<T, HttpError> {
        body.read()
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<T>::metadata(content_type)
    }
}

impl<T: BodySchema> BodyKind<T> for Checked {
    type Value = T;

    fn read(_headers: &HeaderMap, body: ParsedBody) -> Result<T, HttpError> {
        let value = match body {
            ParsedBody::Absent => Value::Null,
            ParsedBody::Json(value) => value,
        };
        check_fields::<T>(&value)?;
        ParsedBody::read_valid(value)
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<T>::metadata(content_type)
    }
}

impl<T: BodySchema> BodyKind<T> for JsonOrForm {
    type Value = T;

    fn read(_headers: &HeaderMap, body: ParsedBody) -> Result<T, HttpError> {
        match body {
            // A form has no booleans, and published clients send in JSON what they would send in a form.
            ParsedBody::Json(fields) => ParsedBody::Json(validation::with_booleans::<T>(fields)).read(),
            ParsedBody::Absent => body.read(),
        }
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsJsonOrForm<T>>::metadata(content_type)
    }
}

impl<T: BodySchema> BodyKind<T> for OptionalJson {
    type Value = Option<T>;

    fn read(_headers: &HeaderMap, body: ParsedBody) -> Result<Option<T>, HttpError> {
        match body {
            ParsedBody::Absent => Ok(None),
            body => body.read().map(Some),
        }
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsOptional<T>>::metadata(content_type)
    }
}

impl<T: BodySchema> BodyKind<T> for Lenient {
    type Value = T;

    fn read(_headers: &HeaderMap, body: ParsedBody) -> Result<T, HttpError> {
        body.read_leniently()
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsOptional<T>>::metadata(content_type)
    }
}

impl<T: BodySchema> BodyKind<T> for LenientOrNull {
    type Value = T;

    fn read(_headers: &HeaderMap, body: ParsedBody) -> Result<T, HttpError> {
        body.read_leniently()
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsOptional<Option<T>>>::metadata(content_type)
    }
}

impl<T: BodySchema> BodyKind<T> for MergePatch {
    type Value = Value;

    fn read(_headers: &HeaderMap, body: ParsedBody) -> Result<Value, HttpError> {
        let patch = body.into_lenient_value();
        check_fields::<T>(&without_nulls(patch.clone()))?;
        Ok(patch)
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsOptional<T>>::metadata(content_type)
    }
}

impl<T: BodySchema> MergePatchBody<T> {
    /// `target` with the patch applied, read as a `T`.
    ///
    /// # Errors
    /// When the result is not a valid `T`.
    pub fn apply_to(&self, mut target: Value) -> Result<T, HttpError> {
        merge(&mut target, &self.0);
        ParsedBody::Json(target).read_leniently()
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Prints `x-media-types` beside the schema of `T`: dropshot documents one media type per body.
#[derive(Deserialize)]
struct DocumentedAsJsonOrForm<T>(T);

/// Prints `x-optional-body` beside the schema of `T`: dropshot documents every body as required.
#[derive(Deserialize)]
struct DocumentedAsOptional<T>(T);

impl<T: JsonSchema> JsonSchema for DocumentedAsJsonOrForm<T> {
    fn schema_name() -> String {
        format!("{}JsonOrForm", T::schema_name())
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let media_types = json!(["application/json", "application/x-www-form-urlencoded"]);
        with_extension(generator.subschema_for::<T>(), "x-media-types", media_types)
    }
}

impl<T: JsonSchema> JsonSchema for DocumentedAsOptional<T> {
    fn schema_name() -> String {
        format!("{}Optional", T::schema_name())
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_extension(generator.subschema_for::<T>(), "x-optional-body", true.into())
    }
}

/// Wraps a schema, because dropshot drops the siblings of a reference.
fn with_extension(schema: Schema, name: &str, value: Value) -> Schema {
    let mut wrapper = SchemaObject::default();
    wrapper.subschemas().all_of = Some(vec![schema]);
    wrapper.extensions.insert(name.to_owned(), value);
    wrapper.into()
}

#[cfg(test)]
mod tests {
    use super::{ParsedBody, VALIDATION_ERROR};
    use dropshot::Body;
    use http::Request;
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    struct Pair {
        left: String,
        right: Option<bool>,
    }

    #[test]
    fn a_good_body_is_read_and_unknown_fields_are_dropped() {
        let body = ParsedBody::Json(json!({"left": "a", "right": true, "more": 1}));
        assert_eq!(body.read::<Pair>().expect("valid"), Pair { left: "a".to_owned(), right: Some(true) });
    }

    #[test]
    fn a_bad_body_is_a_validation_error_with_all_issues() {
        let error = ParsedBody::Json(json!({"right": "x"})).read::<Pair>().expect_err("invalid");
        assert_eq!(error.status_code.as_u16(), 400);
        assert_eq!(error.error_code.as_deref(), Some(VALIDATION_ERROR));
        assert_eq!(
            error.external_message,
            "[body.left] Invalid input: expected string, received undefined; \
             [body.right] Invalid input: expected boolean, received string"
        );
    }

    #[test]
    fn a_lenient_body_may_be_missing_and_null_is_missing() {
        #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
        struct Loose {
            left: Option<String>,
            data: Option<serde_json::Value>,
        }
        let none = Loose { left: None, data: None };
        for nothing in [ParsedBody::Absent, ParsedBody::Json(json!(null))] {
            assert_eq!(nothing.read_leniently::<Loose>().expect("valid"), none);
        }
        let body = ParsedBody::Json(json!({"left": null, "data": {"kept": null}}));
        let read = body.read_leniently::<Loose>().expect("valid");
        assert_eq!(read, Loose { left: None, data: Some(json!({"kept": null})) });
        let error = ParsedBody::Json(json!({"left": 1})).read_leniently::<Loose>().expect_err("invalid");
        assert_eq!(error.error_code.as_deref(), Some(super::INVALID_FIELDS));
    }

    #[test]
    fn a_merge_patch_replaces_and_removes() {
        let mut target = json!({"user": {"a": 1, "b": 2, "data": {"x": 1}}});
        super::merge(&mut target, &json!({"user": {"a": null, "c": 3, "data": {"y": 2}}}));
        assert_eq!(target, json!({"user": {"b": 2, "c": 3, "data": {"x": 1, "y": 2}}}));
    }

    #[test]
    fn an_absent_body_is_a_validation_error() {
        let error = ParsedBody::Absent.read::<Pair>().expect_err("invalid");
        assert_eq!(error.external_message, "[body] Invalid input: expected object, received undefined");
    }

    #[test]
    fn a_request_that_did_not_pass_the_edge_is_an_internal_error() {
        let error = ParsedBody::take(&mut Request::new(Body::empty())).expect_err("no extension");
        assert_eq!(error.status_code.as_u16(), 500);
    }

    #[test]
    fn a_body_is_taken_from_the_extensions() {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(ParsedBody::Json(json!(1)));
        assert_eq!(ParsedBody::take(&mut request).expect("present"), ParsedBody::Json(json!(1)));
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", ParsedBody::Json(json!({"password": "hunter2"}))), "Json([redacted])");
    }
}
