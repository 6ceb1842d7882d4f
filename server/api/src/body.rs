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
use http::Request;
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{Schema, SchemaObject};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt;

/// The code of every error that says a body does not have the shape of its schema.
pub const VALIDATION_ERROR: &str = "VALIDATION_ERROR";

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
            let code = Some(VALIDATION_ERROR.to_owned());
            let status = dropshot::ClientErrorStatusCode::BAD_REQUEST;
            return Err(HttpError::for_client_error(code, status, validation::join(&issues)));
        }
        let Self::Json(value) = self else {
            return Err(HttpError::for_internal_error("an absent body passed validation".to_owned()));
        };
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

#[async_trait]
impl<T> ExclusiveExtractor for JsonOrFormBody<T>
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
