//! Errors: a 400 lists problems field by field, a 409 lists actions that prevent a login, all others have no body.
//!
//! dropshot accepts only a body from an error type, so the error renders itself when dropshot asks for its status, and
//! leaves the response for the edge ([`crate::reply::capture_errors`]): without a body, it has no content type either.

use super::responses::ActionsResponse;
use crate::body::INVALID_FIELDS;
use crate::reply::{self, ErrorCause};
use crate::validation::{Issue, IssueKind};
use dropshot::{Body, ErrorStatusCode, HttpError};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct FieldError {
    /// For programs: `[kind]` and, for a field, its path.
    pub code: String,
    /// Text for a user.
    pub message: String,
}

/// The body of a 400.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    /// Problems by the path of their field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_errors: BTreeMap<String, Vec<FieldError>>,
    /// Problems that concern no single field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub general_errors: Vec<FieldError>,
}

impl Errors {
    /// Adds a problem of a field, with the code `[kind]field`.
    pub fn add(&mut self, field: &str, kind: &str, message: impl Into<String>) {
        let error = FieldError { code: format!("[{kind}]{field}"), message: message.into() };
        self.field_errors.entry(field.to_owned()).or_default().push(error);
    }

    /// Adds a problem that concerns no single field, with the code `[kind]`.
    pub fn add_general(&mut self, kind: &str, message: impl Into<String>) {
        self.general_errors.push(FieldError { code: format!("[{kind}]"), message: message.into() });
    }

    /// Whether there are no problems.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.field_errors.is_empty() && self.general_errors.is_empty()
    }
}

#[derive(Debug, Clone)]
enum Content {
    Nothing,
    Errors(Box<Errors>),
    Actions(Box<ActionsResponse>),
}

/// Why an access token is not good for a request, as `WWW-Authenticate` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerChallenge {
    /// There is none.
    Missing,
    /// It is malformed, expired or revoked, or not for this (RFC 6750 §3.1).
    Invalid,
    /// The login that it comes from is not strong enough, or too long ago (RFC 9470 §3).
    Insufficient {
        /// The authentication context class that is asked for.
        acr: &'static str,
        /// Seconds since the login, at most.
        max_age: u64,
    },
}

impl fmt::Display for BearerChallenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("Bearer"),
            Self::Invalid => formatter.write_str(r#"Bearer error="invalid_token""#),
            Self::Insufficient { acr, max_age } => write!(
                formatter,
                r#"Bearer error="insufficient_user_authentication", acr_values="{acr}", max_age="{max_age}""#
            ),
        }
    }
}

/// An error of the dialect, ready to be sent.
#[derive(Debug, Clone)]
pub struct Error {
    status: ErrorStatusCode,
    content: Content,
    retry_after: Option<u64>,
    challenge: Option<HeaderValue>,
    /// For the log only.
    cause: Option<String>,
}

impl Error {
    /// An error of this status, with a general problem for a 400 and without a body for others.
    #[must_use]
    pub fn of_status(status: ErrorStatusCode) -> Self {
        let content = match status.as_u16() {
            400 => {
                let mut errors = Errors::default();
                errors.add_general("invalid", "The request cannot be understood.");
                Content::Errors(Box::new(errors))
            }
            _ => Content::Nothing,
        };
        Self { status, content, retry_after: None, challenge: None, cause: None }
    }

    /// As [`Error::of_status`], for statuses that dropshot has no constant for.
    #[must_use]
    pub fn of_number(status: u16) -> Self {
        let status = ErrorStatusCode::from_u16(status).unwrap_or(ErrorStatusCode::INTERNAL_SERVER_ERROR);
        Self::of_status(status)
    }

    /// 400 with these problems.
    #[must_use]
    pub fn of_errors(errors: Errors) -> Self {
        let content = Content::Errors(Box::new(errors));
        Self { status: ErrorStatusCode::BAD_REQUEST, content, retry_after: None, challenge: None, cause: None }
    }

    /// 400 with one problem of a field.
    #[must_use]
    pub fn of_field(field: &str, kind: &str, message: impl Into<String>) -> Self {
        let mut errors = Errors::default();
        errors.add(field, kind, message);
        Self::of_errors(errors)
    }

    /// 400 with one problem that concerns no single field.
    #[must_use]
    pub fn general(kind: &str, message: impl Into<String>) -> Self {
        let mut errors = Errors::default();
        errors.add_general(kind, message);
        Self::of_errors(errors)
    }

    /// 409 with the actions that prevent a login.
    #[must_use]
    pub fn of_actions(actions: ActionsResponse) -> Self {
        let content = Content::Actions(Box::new(actions));
        Self { status: ErrorStatusCode::CONFLICT, content, retry_after: None, challenge: None, cause: None }
    }

    /// Sets when to try again, in whole seconds; `None` leaves the header out.
    #[must_use]
    pub fn with_retry_after(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.retry_after = wait.into().map(reply::whole_seconds);
        self
    }

    /// Adds what an access token needs to be good for this: a challenge of the scheme `Bearer` (RFC 6750 §3).
    #[must_use]
    pub fn with_challenge(mut self, challenge: &BearerChallenge) -> Self {
        self.challenge = HeaderValue::from_str(&challenge.to_string()).ok();
        self
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The response as it is sent. A cause becomes an [`ErrorCause`] in its extensions.
    #[must_use]
    pub fn to_response(&self) -> Response<Body> {
        let body = match &self.content {
            Content::Nothing => None,
            Content::Errors(errors) => Some(serde_json::to_vec(errors)),
            Content::Actions(actions) => Some(serde_json::to_vec(actions)),
        };
        let body = body.map(|body| body.expect("texts and numbers can be written as JSON"));
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = &self.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge.clone());
        }
        let mut response = reply::response(self.status.as_status(), headers, body);
        if let Some(cause) = &self.cause {
            response.extensions_mut().insert(ErrorCause(cause.clone()));
        }
        response
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(formatter, ": {cause}"))
    }
}

crate::reply::dialect_error!(Error, documented as Errors);

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.content {
            Content::Nothing => serializer.serialize_unit(),
            Content::Errors(errors) => errors.serialize(serializer),
            Content::Actions(actions) => actions.serialize(serializer),
        }
    }
}

/// The name of a field as the dialect writes it: `user.email`, `credentials[0].name`.
fn field_at(path: &[String]) -> String {
    let mut field = String::new();
    for part in path {
        if part.parse::<usize>().is_ok() {
            field.extend(["[", part, "]"]);
        } else {
            field.extend([if field.is_empty() { "" } else { "." }, part]);
        }
    }
    field
}

/// The dialect's problems for issues of a body.
fn errors_of(issues: &[Issue]) -> Errors {
    let mut errors = Errors::default();
    for issue in issues {
        let field = field_at(&issue.path);
        let (kind, message) = match issue.kind {
            _ if issue.path.is_empty() => {
                errors.add_general("invalidJSON", "Unable to parse the request body: it is not a JSON object.");
                continue;
            }
            IssueKind::Type => ("couldNotConvert", format!("The value of [{field}] has the wrong type.")),
            IssueKind::TooLong => ("tooLong", format!("The value of [{field}] is too long.")),
            IssueKind::Other => ("invalid", format!("The value of [{field}] is not valid.")),
        };
        errors.add(&field, kind, message);
    }
    errors
}

impl From<HttpError> for Error {
    /// Translates an error of dropshot or of an extractor.
    fn from(error: HttpError) -> Self {
        if error.error_code.as_deref() == Some(INVALID_FIELDS)
            && let Ok(issues) = serde_json::from_str::<Vec<Issue>>(&error.external_message)
        {
            return Self::of_errors(errors_of(&issues));
        }
        Self::of_status(error.status_code).with_cause(error.internal_message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::CONTENT_TYPE;
    use serde_json::{json, to_value};

    #[test]
    fn fields_are_a_map_and_what_is_empty_is_left_out() {
        let mut errors = Errors::default();
        errors.add("user.email", "blank", "You must specify the [user.email] property.");
        assert_eq!(
            to_value(&errors).expect("plain"),
            json!({"fieldErrors": {"user.email": [
                {"code": "[blank]user.email", "message": "You must specify the [user.email] property."}
            ]}})
        );
        let error = Error::general("TrustTokenRequired", "x").to_response();
        assert_eq!(error.status(), 400);
        assert_eq!(error.headers()[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn other_errors_are_empty_and_have_no_label() {
        for status in [401, 404, 410, 413, 421, 423, 429, 500, 503] {
            let response = Error::of_number(status).with_retry_after(Duration::ZERO).to_response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get(CONTENT_TYPE), None, "{status}");
            assert_eq!(response.headers()[RETRY_AFTER], "1");
        }
    }
}
