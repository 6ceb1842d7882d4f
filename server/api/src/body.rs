//! Request bodies, taken from where the edge left them.
//!
//! The order in which a request is judged (media type, JSON, origin, fields) is the dialect's, and part of it
//! happens before a handler is known. So the edge reads and parses the body, and leaves a [`ParsedBody`] in the
//! request's extensions. The extractors here only take it out, hold it against the schema of the type that the
//! handler asks for, and read it. They never touch the stream.

use crate::validation;
use async_trait::async_trait;
use dropshot::{
    ApiEndpointBodyContentType, Body, ErrorStatusCode, ExclusiveExtractor, ExtractorMetadata, HttpError,
    RequestContext, ServerContext, TypedBody,
};
use http::{HeaderMap, Request, header};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{Schema, SchemaObject};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;

/// The code of every error that says a body does not have the shape of its schema.
pub const VALIDATION_ERROR: &str = "VALIDATION_ERROR";

/// The code of every such error in the FusionAuth dialect; its text is the issues, as JSON.
pub const INVALID_FIELDS: &str = "INVALID_FIELDS";

/// A request body as the edge found it, carried in the request's extensions.
#[derive(Clone, PartialEq)]
pub enum ParsedBody {
    /// There was none, or none that counts as one.
    Absent,
    /// It was JSON, or a form: an object of strings.
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
    fn take(mut request: Request<Body>) -> Result<Self, HttpError> {
        let missing = || HttpError::for_internal_error("the edge left no parsed body in the request".to_owned());
        request.extensions_mut().remove::<Self>().ok_or_else(missing)
    }

    fn as_value(&self) -> Option<&Value> {
        match self {
            Self::Absent => None,
            Self::Json(value) => Some(value),
        }
    }

    fn read<T>(self) -> Result<T, HttpError>
    where
        T: JsonSchema + DeserializeOwned + 'static,
    {
        let issues = validation::issues::<T>(self.as_value());
        if !issues.is_empty() {
            return Err(refused(VALIDATION_ERROR, validation::join(&issues)));
        }
        let Self::Json(value) = self else {
            return Err(HttpError::for_internal_error("an absent body passed validation".to_owned()));
        };
        Self::read_valid(value)
    }

    /// As [`ParsedBody::read`], for a dialect in which an absent body is an empty object, and null an absent property.
    fn read_leniently<T>(self) -> Result<T, HttpError>
    where
        T: JsonSchema + DeserializeOwned + 'static,
    {
        let value = match self {
            Self::Absent => Value::Object(serde_json::Map::new()),
            Self::Json(value) => without_nulls(value),
        };
        check_leniently::<T>(&value)?;
        Self::read_valid(value)
    }

    fn read_valid<T: DeserializeOwned>(value: Value) -> Result<T, HttpError> {
        // What the schema lets through, the type must take. If it does not, the type is wrong, not the caller.
        serde_json::from_value(value).map_err(|_| HttpError {
            status_code: ErrorStatusCode::INTERNAL_SERVER_ERROR,
            error_code: None,
            external_message: "Internal server error".to_owned(),
            internal_message: format!("a valid body could not be read as {}", std::any::type_name::<T>()),
            headers: None,
        })
    }
}

fn refused(code: &str, text: String) -> HttpError {
    HttpError::for_client_error(Some(code.to_owned()), dropshot::ClientErrorStatusCode::BAD_REQUEST, text)
}

fn check_leniently<T>(value: &Value) -> Result<(), HttpError>
where
    T: JsonSchema + DeserializeOwned + 'static,
{
    let issues = validation::issues::<T>(Some(value));
    if issues.is_empty() {
        return Ok(());
    }
    Err(refused(INVALID_FIELDS, serde_json::to_string(&issues).expect("issues are plain JSON")))
}

/// Properties that are any JSON at all, so that null in them is theirs.
const FREE: [&str; 2] = ["data", "state"];

/// Leaves out properties that are null.
#[must_use]
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, member)| !member.is_null());
            let kept = kept.map(|(name, member)| {
                let member = if FREE.contains(&name.as_str()) { member } else { without_nulls(member) };
                (name, member)
            });
            Value::Object(kept.collect())
        }
        other => other,
    }
}

/// A JSON body whose properties may all be missing, and which may be missing itself: the FusionAuth dialect's.
#[derive(Debug)]
pub struct LenientBody<T>(T);

impl<T> LenientBody<T> {
    /// The body.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

#[async_trait]
impl<T> ExclusiveExtractor for LenientBody<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(
        _context: &RequestContext<Context>,
        request: Request<Body>,
    ) -> Result<Self, HttpError> {
        ParsedBody::take(request)?.read_leniently().map(Self)
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsOptional<T>>::metadata(content_type)
    }
}

/// The same as a merge patch (RFC 7396): what is there replaces, null removes. It is checked as a `T` and kept as it is.
#[derive(Debug)]
pub struct MergePatchBody<T> {
    patch: Value,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T> MergePatchBody<T>
where
    T: JsonSchema + DeserializeOwned + 'static,
{
    /// `target` with the patch applied, read as a `T`.
    ///
    /// # Errors
    /// When what comes out is not one.
    pub fn apply_to(&self, mut target: Value) -> Result<T, HttpError> {
        merge(&mut target, &self.patch);
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

#[async_trait]
impl<T> ExclusiveExtractor for MergePatchBody<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(
        _context: &RequestContext<Context>,
        request: Request<Body>,
    ) -> Result<Self, HttpError> {
        let patch = match ParsedBody::take(request)? {
            ParsedBody::Absent => Value::Object(serde_json::Map::new()),
            ParsedBody::Json(value) => value,
        };
        check_leniently::<T>(&without_nulls(patch.clone()))?;
        Ok(Self { patch, of: std::marker::PhantomData })
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsOptional<T>>::metadata(content_type)
    }
}

/// A JSON body that must be there.
#[derive(Debug)]
pub struct JsonBody<T>(T);

/// A body that must be there, as JSON or as an HTML form.
#[derive(Debug)]
pub struct JsonOrFormBody<T>(T);

/// A JSON body that may be left out.
#[derive(Debug)]
pub struct OptionalJsonBody<T>(Option<T>);

impl<T> JsonBody<T> {
    /// The body.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> JsonOrFormBody<T> {
    /// The body.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> OptionalJsonBody<T> {
    /// The body, if there was one.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

#[async_trait]
impl<T> ExclusiveExtractor for JsonBody<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(
        _context: &RequestContext<Context>,
        request: Request<Body>,
    ) -> Result<Self, HttpError> {
        ParsedBody::take(request)?.read().map(Self)
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<T>::metadata(content_type)
    }
}

/// Whether a body is said to be a form; the edge has refused what is neither form nor JSON.
fn is_form(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    sent.trim_ascii().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded")
}

#[async_trait]
impl<T> ExclusiveExtractor for JsonOrFormBody<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(
        _context: &RequestContext<Context>,
        request: Request<Body>,
    ) -> Result<Self, HttpError> {
        let is_form = is_form(request.headers());
        let body = match ParsedBody::take(request)? {
            ParsedBody::Json(fields) if is_form => ParsedBody::Json(validation::read_form::<T>(fields)),
            body => body,
        };
        body.read().map(Self)
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsJsonOrForm<T>>::metadata(content_type)
    }
}

#[async_trait]
impl<T> ExclusiveExtractor for OptionalJsonBody<T>
where
    T: JsonSchema + DeserializeOwned + Send + Sync + 'static,
{
    async fn from_request<Context: ServerContext>(
        _context: &RequestContext<Context>,
        request: Request<Body>,
    ) -> Result<Self, HttpError> {
        match ParsedBody::take(request)? {
            ParsedBody::Absent => Ok(Self(None)),
            body => body.read().map(|body| Self(Some(body))),
        }
    }

    fn metadata(content_type: ApiEndpointBodyContentType) -> ExtractorMetadata {
        TypedBody::<DocumentedAsOptional<T>>::metadata(content_type)
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

/// Wraps a schema, because dropshot drops what stands beside a reference.
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
        assert_eq!(ParsedBody::Absent.read_leniently::<Loose>().expect("valid"), none);
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
        let error = ParsedBody::take(Request::new(Body::empty())).expect_err("no extension");
        assert_eq!(error.status_code.as_u16(), 500);
    }

    #[test]
    fn a_body_is_taken_from_the_extensions() {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(ParsedBody::Json(json!(1)));
        assert_eq!(ParsedBody::take(request).expect("present"), ParsedBody::Json(json!(1)));
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", ParsedBody::Json(json!({"password": "hunter2"}))), "Json([redacted])");
    }
}
