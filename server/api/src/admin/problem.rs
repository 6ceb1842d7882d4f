//! The single form of all errors: problem details (RFC 9457), with a code for programs.
//!
//! dropshot accepts only a JSON body from an error type, so the error renders itself when dropshot asks for its status, and leaves
//! the response for the edge ([`crate::reply::capture_errors`]).

use crate::body::INVALID_FIELDS;
use crate::query::INVALID_PARAMETERS;
use crate::reply::{self, ErrorCause, ReplyBody};
use crate::validation::Issue;
use dropshot::{Body, ErrorStatusCode, HttpError};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The media type of problem details.
const PROBLEM_JSON: &str = "application/problem+json";

/// The type of a problem that is said by its status alone (RFC 9457 §4.2.1); the code says more.
const ABOUT_BLANK: &str = "about:blank";

/// The body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct ProblemBody {
    /// Always `about:blank`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The phrase of the status.
    pub title: Cow<'static, str>,
    /// The status.
    pub status: i32,
    /// What is wrong, to be read.
    pub detail: Cow<'static, str>,
    /// What is wrong, for programs.
    pub code: Cow<'static, str>,
    /// What is wrong with which part of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemPart>,
}

/// What is wrong with a part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemPart {
    /// What is wrong, to be read.
    pub detail: String,
    /// The property of the body, as a JSON pointer in a URI fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The parameter of the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

impl ProblemPart {
    /// A problem of a property of the body.
    #[must_use]
    pub fn of_property(name: &str, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), pointer: Some(format!("#/{name}")), parameter: None }
    }

    /// A problem of a parameter of the query.
    #[must_use]
    pub fn of_parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), pointer: None, parameter: Some(name.to_owned()) }
    }
}

/// What [`ProblemBody`] is in a list of responses: it has a media type of its own.
#[derive(Debug, Clone, Copy)]
pub enum ProblemDocument {}

impl ReplyBody for ProblemDocument {
    const MEDIA_TYPE: &'static str = PROBLEM_JSON;
    const SCHEMA: Option<fn(&mut SchemaGenerator) -> Schema> =
        Some(|generator| generator.subschema_for::<ProblemBody>());

    fn bytes(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        match *self {}
    }
}

/// Why an API key does not open an operation, as `WWW-Authenticate` says it (RFC 6750 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChallenge {
    /// There is none.
    Missing,
    /// It is unknown or revoked.
    Invalid,
    /// It does not allow the operation.
    Insufficient,
}

impl KeyChallenge {
    const fn value(self) -> &'static str {
        match self {
            Self::Missing => "Bearer",
            Self::Invalid => r#"Bearer error="invalid_token""#,
            Self::Insufficient => r#"Bearer error="insufficient_scope""#,
        }
    }
}

/// An error of the API, ready to be sent.
#[derive(Debug, Clone)]
pub struct Problem {
    status: ErrorStatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<ProblemPart>,
    headers: Box<HeaderMap>,
    /// For the log only.
    cause: Option<String>,
}

impl Problem {
    /// An error with this status, code and text.
    #[must_use]
    pub fn new(
        status: ErrorStatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (code, detail) = (code.into(), detail.into());
        Self { status, code, detail, errors: Vec::new(), headers: Box::default(), cause: None }
    }

    /// An error with the code and text that its status has by default.
    #[must_use]
    pub fn of_status(status: ErrorStatusCode) -> Self {
        let (code, detail) = match status.as_u16() {
            401 => ("UNAUTHORIZED", "The API key is missing, unknown or revoked: send `Authorization: Bearer KEY`."),
            403 => ("FORBIDDEN", "The API key does not allow this operation."),
            404 => ("NOT_FOUND", "There is no such operation."),
            405 => ("METHOD_NOT_ALLOWED", "The path has no operation with this method."),
            413 => ("PAYLOAD_TOO_LARGE", "The request body is too large."),
            415 => ("UNSUPPORTED_MEDIA_TYPE", "The body has to be JSON, labelled as application/json."),
            429 => ("TOO_MANY_REQUESTS", "Too many requests: try again later."),
            503 => ("SERVICE_UNAVAILABLE", "The server is too busy: try again later."),
            400..500 => ("INVALID_REQUEST", "The request cannot be understood."),
            _ => ("INTERNAL_SERVER_ERROR", "The server failed; its log says why."),
        };
        Self::new(status, code, detail)
    }

    /// 400: parts of the request are not valid.
    #[must_use]
    pub fn of_parts(errors: Vec<ProblemPart>) -> Self {
        let detail = "The request is not valid; `errors` says what is wrong.";
        Self { errors, ..Self::new(ErrorStatusCode::BAD_REQUEST, "INVALID_REQUEST", detail) }
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds when to try again, in whole seconds; `None` adds nothing.
    #[must_use]
    pub fn with_retry_after(self, wait: impl Into<Option<Duration>>) -> Self {
        match wait.into() {
            None => self,
            Some(wait) => self.with_header(RETRY_AFTER, HeaderValue::from(reply::whole_seconds(wait))),
        }
    }

    /// Adds what an API key needs to be good for this.
    #[must_use]
    pub fn with_challenge(self, challenge: KeyChallenge) -> Self {
        self.with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge.value()))
    }

    /// Adds which methods the path has.
    #[must_use]
    pub fn allowing(self, methods: &[http::Method]) -> Self {
        let methods: Vec<&str> = methods.iter().map(http::Method::as_str).collect();
        match HeaderValue::from_str(&methods.join(", ")) {
            Ok(value) => self.with_header(ALLOW, value),
            Err(_) => self,
        }
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    fn body(&self) -> ProblemBody {
        ProblemBody {
            kind: ABOUT_BLANK.into(),
            title: self.status.as_status().canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16().into(),
            detail: self.detail.clone(),
            code: self.code.clone(),
            errors: self.errors.clone(),
        }
    }

    /// The response as it is sent. A cause becomes an [`ErrorCause`] in its extensions.
    #[must_use]
    pub fn to_response(&self) -> Response<Body> {
        let body = serde_json::to_vec(&self.body()).expect("texts and a number can be written as JSON");
        let mut response = reply::response(self.status.as_status(), HeaderMap::clone(&self.headers), Some(body));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(cause) = &self.cause {
            response.extensions_mut().insert(ErrorCause(cause.clone()));
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.detail, self.code)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(formatter, ": {cause}"))
    }
}

crate::reply::dialect_error!(Problem, documented as ProblemBody);

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.body().serialize(serializer)
    }
}

/// A JSON pointer in a URI fragment (RFC 6901 §6). Names of properties of this API need no escapes.
fn pointer(path: &[String]) -> String {
    path.iter().fold("#".to_owned(), |pointer, name| pointer + "/" + name)
}

impl From<HttpError> for Problem {
    /// Translates an error of dropshot or of an extractor.
    fn from(error: HttpError) -> Self {
        let part: fn(&Issue) -> ProblemPart = match error.error_code.as_deref() {
            Some(INVALID_FIELDS) => |issue| ProblemPart {
                detail: issue.text().to_owned(),
                pointer: Some(pointer(&issue.path)),
                parameter: None,
            },
            Some(INVALID_PARAMETERS) => |issue| ProblemPart::of_parameter(&issue.path.join("/"), issue.text()),
            _ => return Self::of_status(error.status_code).with_cause(error.internal_message),
        };
        if let Ok(issues) = serde_json::from_str::<Vec<Issue>>(&error.external_message) {
            return Self::of_parts(issues.iter().map(part).collect());
        }
        Self::of_status(error.status_code).with_cause(error.internal_message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn an_error_is_problem_details_with_a_code_r6() {
        let problem = Problem::new(ErrorStatusCode::NOT_FOUND, "USER_NOT_FOUND", "There is no such user.");
        let expected = json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is no such user.",
            "code": "USER_NOT_FOUND",
        });
        assert_eq!(to_value(&problem).expect("plain"), expected);
        let response = problem.with_cause("row 12").to_response();
        assert_eq!(
            (response.status().as_u16(), &response.headers()[CONTENT_TYPE]),
            (404, &HeaderValue::from_static(PROBLEM_JSON))
        );
        assert_eq!(response.extensions().get(), Some(&ErrorCause("row 12".to_owned())));
    }

    #[test]
    fn headers_say_when_to_come_back_which_key_would_do_and_which_methods_there_are() {
        let busy = Problem::of_status(ErrorStatusCode::SERVICE_UNAVAILABLE).with_retry_after(Duration::from_millis(1));
        assert_eq!(busy.to_response().headers()[RETRY_AFTER], "1");
        let forbidden = Problem::of_status(ErrorStatusCode::FORBIDDEN).with_challenge(KeyChallenge::Insufficient);
        assert_eq!(forbidden.to_response().headers()[WWW_AUTHENTICATE], r#"Bearer error="insufficient_scope""#);
        let other = Problem::of_status(ErrorStatusCode::METHOD_NOT_ALLOWED);
        let other = other.allowing(&[http::Method::GET, http::Method::DELETE]).to_response();
        assert_eq!((other.status().as_u16(), &other.headers()[ALLOW]), (405, &HeaderValue::from_static("GET, DELETE")));
    }

    #[test]
    fn each_wrong_property_is_pointed_at_and_dropshots_words_stay_in_the_log() {
        let issues = crate::validation::issues::<super::super::requests::NewUser>(Some(&json!({"email": 1})));
        let text = serde_json::to_string(&issues).expect("plain");
        let problem = Problem::from(crate::body::refused(INVALID_FIELDS, text)).body();
        let pointers: Vec<_> = problem.errors.iter().filter_map(|part| part.pointer.as_deref()).collect();
        assert_eq!(
            (problem.status, problem.code.as_ref(), pointers.as_slice()),
            (400, "INVALID_REQUEST", &["#/email", "#/password"][..])
        );
        let theirs = Problem::from(HttpError::for_internal_error("disk full".to_owned()));
        assert_eq!(theirs.body().code, "INTERNAL_SERVER_ERROR");
        assert!(theirs.to_string().ends_with(": disk full"));
    }
}
